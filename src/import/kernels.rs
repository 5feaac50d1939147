//! Regular expressions over kernels, as dkms has them, into what selectors can say: versions and globs.

use regex_syntax::hir::{Hir, HirKind, Look};
use std::collections::BTreeSet;

/// Texts that an expression may stand for.
const MAX_TEXTS: usize = 400;
/// Patterns that one selector may hold.
const MAX_PATTERNS: usize = 40;
const START: char = '\u{1}';
const END: char = '\u{2}';

/// The value of `kernel=` that selects what the expression matches: none where it matches every kernel.
///
/// It is always one, since alternatives of which a matrix has but some are no mistake. `None` where no selector of a
/// readable length says the same.
#[must_use]
pub fn selectors(expression: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(expression).ok()?;
    let mut globs = BTreeSet::new();
    for text in expand(&hir)? {
        let text = match text.strip_prefix(START) {
            Some(rest) => rest.to_owned(),
            None => format!("*{text}"),
        };
        let text = match text.strip_suffix(END) {
            Some(rest) => rest.to_owned(),
            None => format!("{text}*"),
        };
        if text.contains([START, END]) {
            return None;
        }
        globs.insert(collapse(&text));
    }
    if globs.contains("*") {
        return Some(Vec::new());
    }
    let covered = |glob: &String| {
        globs.iter().any(|other| {
            other != glob && other.strip_suffix('*').is_some_and(|begin| glob.starts_with(begin))
        })
    };
    let globs: BTreeSet<String> = globs.iter().filter(|glob| !covered(glob)).cloned().collect();
    if let Some([range]) = versions(&globs).as_deref() {
        return Some(vec![range.clone()]);
    }
    let globs: Vec<String> = globs.into_iter().collect();
    (globs.len() <= MAX_PATTERNS).then(|| alternatives(globs).into_iter().collect())
}

/// Several patterns as one.
pub fn alternatives(mut patterns: Vec<String>) -> Option<String> {
    match patterns.len() {
        0 | 1 => patterns.pop(),
        _ => Some(format!("{{{}}}", patterns.join(","))),
    }
}

/// Whether any text of the characters that kernels' names have could match.
#[must_use]
pub fn can_match(expression: &str) -> bool {
    let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(expression);
    parsed.is_ok_and(|hir| possible(&hir))
}

fn possible(hir: &Hir) -> bool {
    let of_a_kernel = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().all(|byte| of_a_kernel(char::from(*byte))),
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => ('+'..='~')
            .filter(|c| of_a_kernel(*c))
            .any(|c| class.iter().any(|range| (range.start()..=range.end()).contains(&c))),
        HirKind::Class(_) => true,
        HirKind::Repetition(repetition) => repetition.min == 0 || possible(&repetition.sub),
        HirKind::Capture(capture) => possible(&capture.sub),
        HirKind::Concat(all) => all.iter().all(possible),
        HirKind::Alternation(all) => all.iter().any(possible),
    }
}

/// Every text that the expression matches, with `*` and `?` for what is free.
fn expand(hir: &Hir) -> Option<Vec<String>> {
    let texts = match hir.kind() {
        HirKind::Empty => vec![String::new()],
        HirKind::Literal(literal) => vec![plain(std::str::from_utf8(&literal.0).ok()?)?],
        HirKind::Look(Look::Start) => vec![START.to_string()],
        HirKind::Look(Look::End) => vec![END.to_string()],
        HirKind::Look(_) => return None,
        HirKind::Capture(capture) => expand(&capture.sub)?,
        HirKind::Alternation(all) => all.iter().map(expand).collect::<Option<Vec<_>>>()?.concat(),
        HirKind::Concat(all) => {
            let mut texts = vec![String::new()];
            for part in all {
                let ends = expand(part)?;
                texts = texts
                    .iter()
                    .flat_map(|text| ends.iter().map(move |end| format!("{text}{end}")))
                    .collect();
                if texts.len() > MAX_TEXTS {
                    return None;
                }
            }
            texts
        }
        HirKind::Class(_) => match class(hir)? {
            Class::Any => vec!["?".to_owned()],
            Class::Some(chars) => chars.into_iter().map(|c| plain(&c.to_string())).collect::<Option<_>>()?,
        },
        HirKind::Repetition(repetition) => {
            let (min, max) = (repetition.min, repetition.max);
            match (class(&repetition.sub), max) {
                (Some(Class::Any), None) if min <= 1 => vec!["?".repeat(min as usize) + "*"],
                // A run of digits ends where no digit follows, and kernels have no longer ones.
                (Some(Class::Some(chars)), None) if min <= 1 && chars == ('0'..='9').collect::<Vec<_>>() => {
                    vec!["?".repeat(min as usize) + "*"]
                }
                (_, Some(max)) if max <= 3 => {
                    let once = expand(&repetition.sub)?;
                    let mut texts = Vec::new();
                    for count in min..=max {
                        let mut these = vec![String::new()];
                        for _ in 0..count {
                            these = these
                                .iter()
                                .flat_map(|a| once.iter().map(move |b| format!("{a}{b}")))
                                .collect();
                            if these.len() > MAX_TEXTS {
                                return None;
                            }
                        }
                        texts.extend(these);
                    }
                    texts
                }
                _ => return None,
            }
        }
    };
    (texts.len() <= MAX_TEXTS).then_some(texts)
}

enum Class {
    Any,
    Some(Vec<char>),
}

fn class(hir: &Hir) -> Option<Class> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let mut chars = std::str::from_utf8(&literal.0).ok()?.chars();
            let only = chars.next().filter(|_| chars.next().is_none())?;
            Some(Class::Some(vec![only]))
        }
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            let holds = |c: char| class.iter().any(|range| (range.start()..=range.end()).contains(&c));
            if (' '..='~').all(holds) {
                return Some(Class::Any);
            }
            let chars: Vec<char> =
                class.iter().flat_map(|range| range.start()..=range.end()).take(21).collect();
            (chars.len() <= 20).then_some(Class::Some(chars))
        }
        _ => None,
    }
}

/// A literal that no glob takes for something else.
fn plain(text: &str) -> Option<String> {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~- ".contains(c)).then(|| text.to_owned())
}

fn collapse(glob: &str) -> String {
    let mut out = String::new();
    for c in glob.chars() {
        if !(c == '*' && out.ends_with('*')) {
            out.push(c);
        }
    }
    out
}

/// Where all globs are beginnings of versions (`5.*`, `5.10.*`): the ranges that they are together.
fn versions(globs: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut ranges: Vec<(u32, u32)> = globs.iter().map(|glob| range(glob)).collect::<Option<_>>()?;
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    let version = |at: u32| match (at / 100, at % 100) {
        (major, 0) => major.to_string(),
        (major, minor) => format!("{major}.{minor}"),
    };
    Some(merged.into_iter().map(|(from, to)| format!(">={}, <{}", version(from), version(to))).collect())
}

/// `5.*` and `5.10.*` as a range of hundreds of the major version and ones of the minor.
fn range(glob: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        text.parse::<u32>().ok().filter(|number| *number < 100 && text.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = glob.strip_suffix(".*")?.split('.');
    let major = number(parts.next()?)? * 100;
    match (parts.next(), parts.next()) {
        (None, _) => Some((major, major + 100)),
        (Some(minor), None) => number(minor).map(|minor| (major + minor, major + minor + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_selectors() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            (r"^(5\.[6-9]\.|5\.[1-9][0-9]\.|[6-9]\.)", Some(&[">=5.6, <10"])),
            (r"^5\.", Some(&[">=5, <6"])),
            (r"^(4\.18\.|5\.14\.)", Some(&["{4.18.*,5.14.*}"])),
            (r"el8", Some(&["*el8*"])),
            (r"^(6\.1[7-9]|7\.0)", Some(&["{6.17*,6.18*,6.19*,7.0*}"])),
            (
                r"^(5\.10|6\.1)\.0-[0-9]+-(amd64|arm64)$",
                Some(&["{5.10.0-?*-amd64,5.10.0-?*-arm64,6.1.0-?*-amd64,6.1.0-?*-arm64}"]),
            ),
            (r"^4\.18\.0-.*\.el8.*x86_64$", Some(&["4.18.0-*.el8*x86_64"])),
            (r"^2\.6\.(9|18)-", Some(&["{2.6.18-*,2.6.9-*}"])),
            (r"^5\.[0-9]+\.0-", Some(&["5.?*.0-*"])),
            (r".*", Some(&[])),
            (r"", Some(&[])),
            (r"^5.1[0-5]?", Some(&["5?1*"][..])),
            (r"a\b", None),
            (r"[^5]", None),
            (r"x.y", Some(&["*x?y*"])),
            (r"(a+)+", None),
            ("(", None),
        ];
        for (expression, expected) in cases {
            let expected = expected.map(|all| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>());
            assert_eq!(selectors(expression), expected, "{expression}");
        }
    }
}
