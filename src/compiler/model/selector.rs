//! Selectors: `os="rhel" el="<9"` as tests on cells.

mod index;

pub use index::{Index, Values};

use crate::knowledge::profile::VersionOrder;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::Span;
use globset::{Glob, GlobMatcher};
use std::cmp::Ordering;

/// What can be selected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Os,
    Family,
    Release,
    El,
    Kernel,
    Arch,
    Flavor,
    Image,
}

impl Key {
    const ALL: [(&'static str, Self); 8] = [
        ("os", Self::Os),
        ("family", Self::Family),
        ("release", Self::Release),
        ("el", Self::El),
        ("kernel", Self::Kernel),
        ("arch", Self::Arch),
        ("flavor", Self::Flavor),
        ("image", Self::Image),
    ];

    /// The properties that there are.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|(name, _)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, key)| key)
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, key)| *key == self).map_or("", |(name, _)| name)
    }

    /// What a cell has there; not every kernel has an EL minor, and not every view an image.
    const fn of<'v>(self, view: &View<'v>) -> Option<&'v str> {
        match self {
            Self::Os => Some(view.os),
            Self::Family => Some(view.family),
            Self::Release => Some(view.release),
            Self::El => view.el,
            Self::Kernel => Some(view.kernel),
            Self::Arch => Some(view.arch),
            Self::Flavor => Some(view.flavor),
            Self::Image => view.image,
        }
    }

    const fn is_version(self) -> bool {
        matches!(self, Self::Release | Self::El | Self::Kernel)
    }
}

/// What a selector sees of a cell, and of the image that is built for it where there is one.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub os: &'a str,
    pub family: &'a str,
    pub release: &'a str,
    /// EL major and minor of the kernel, where it has them.
    pub el: Option<&'a str>,
    pub kernel: &'a str,
    pub arch: &'a str,
    pub flavor: &'a str,
    pub image: Option<&'a str>,
    /// How this distribution orders versions.
    pub order: VersionOrder,
}

/// A selection of cells: those that pass every test.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The node that it was written on.
    pub span: Span,
    tests: Vec<(Key, Test)>,
}

#[derive(Clone, Debug)]
enum Test {
    Exact(Box<str>),
    Glob(Box<Pattern>),
    Range(Vec<(Bound, Box<str>)>),
}

/// A glob, and the letters that all that it matches end in: they are compared first, which is far cheaper.
#[derive(Clone, Debug)]
struct Pattern {
    glob: GlobMatcher,
    ending: Box<str>,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, globset::Error> {
        let last = text.rfind(['*', '?', ']', '}']).filter(|_| !text.contains('\\'));
        let ending = last.and_then(|at| text.get(at + 1..)).filter(|ending| !ending.contains(['[', '{']));
        Ok(Self { glob: Glob::new(text)?.compile_matcher(), ending: ending.unwrap_or_default().into() })
    }

    fn text(&self) -> &str {
        self.glob.glob().glob()
    }

    fn is_match(&self, value: &str) -> bool {
        value.ends_with(&*self.ending) && self.glob.is_match(value)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Bound {
    const SPELLED: [(&'static str, Self); 4] =
        [("<=", Self::LessOrEqual), (">=", Self::GreaterOrEqual), ("<", Self::Less), (">", Self::Greater)];

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

impl Selector {
    /// Reads the terms of an `on`, `only` or `exclude`; those that do not parse are reported and left out.
    pub fn parse(selector: &ast::Selector) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let mut tests = Vec::new();
        for term in &selector.terms {
            let Some(key) = Key::parse(&term.key.value) else { continue };
            match Test::parse(key, &term.value.value) {
                Ok(test) => tests.push((key, test)),
                Err(help) => diagnostics.push(
                    Diagnostic::new(
                        Code::MalformedSelector,
                        format!("`{}` is not a test of `{}`", term.value.value, term.key.value),
                    )
                    .label(term.value.span, "not a value, a glob, a comparison or a range")
                    .help(help),
                ),
            }
        }
        (Self { span: selector.span, tests }, diagnostics)
    }

    /// Whether it tests the image.
    #[must_use]
    pub fn names_image(&self) -> bool {
        self.tests.iter().any(|(key, _)| *key == Key::Image)
    }

    /// Whether it has a glob or a comparison, which take about a microsecond for each cell.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tests.iter().any(|(_, test)| !matches!(test, Test::Exact(_)))
    }

    /// Whether it selects this cell.
    #[must_use]
    pub fn selects(&self, view: &View<'_>) -> bool {
        self.tests.iter().all(|(key, test)| test.holds(*key, view))
    }
}

impl Test {
    fn parse(key: Key, text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with(['<', '>', '=']) {
            if !key.is_version() {
                return Err("only `release`, `el` and `kernel` have an order: write a value or a glob".into());
            }
            return text
                .split(',')
                .map(|part| parse_bound(key, part.trim()))
                .collect::<Result<_, _>>()
                .map(Self::Range);
        }
        if text.is_empty() {
            return Err("write a value".into());
        }
        if let Some(value) = text.strip_prefix('!') {
            let (key, value) = (key.name(), value.trim_start_matches('='));
            return Err(format!(
                "nothing selects what is not so: write one `{key}=` for each value that is meant, or `exclude {key}=\"{value}\" reason=\"WHY\"` in the matrix"
            ));
        }
        if text.contains(['*', '?', '[', '{']) {
            let glob = Pattern::parse(text)
                .map_err(|_| "a glob is made of `*`, `?`, `[a-z]` and `{a,b}`".to_string())?;
            return Ok(Self::Glob(Box::new(glob)));
        }
        Ok(Self::Exact(text.into()))
    }

    fn holds(&self, key: Key, view: &View<'_>) -> bool {
        match (key, key.of(view)) {
            (Key::El, el) => el.is_some_and(|el| self.passes_el(el)),
            // Before a cell is joined to an image, any may come.
            (_, None) => true,
            (_, Some(value)) => self.passes(key, value, view.order),
        }
    }

    fn passes(&self, key: Key, value: &str, order: VersionOrder) -> bool {
        match self {
            Self::Exact(text) => **text == *value,
            Self::Glob(glob) => glob.is_match(value),
            Self::Range(bounds) => bounds.iter().all(|(bound, version)| {
                // A release is compared as precisely as the bound is written: 9.4 is not above 9.
                let value = if key == Key::Release { truncate(value, version) } else { value };
                bound.holds(order.compare(value, version))
            }),
        }
    }

    /// `el="9"` is every 9.x; numbers are compared as precisely as the bound is written.
    fn passes_el(&self, el: &str) -> bool {
        match self {
            Self::Exact(text) => truncate(el, text) == &**text,
            Self::Glob(glob) => glob.is_match(el),
            Self::Range(bounds) => bounds
                .iter()
                .all(|(bound, version)| bound.holds(numbers(truncate(el, version)).cmp(&numbers(version)))),
        }
    }
}

/// The test of a release that a comparison, a range or a pattern stands for.
///
/// # Errors
/// What to write, where it is none.
pub fn release_test(text: &str) -> Result<impl Fn(&str, VersionOrder) -> bool, String> {
    let test = Test::parse(Key::Release, text)?;
    Ok(move |release: &str, order| test.passes(Key::Release, release, order))
}

fn parse_bound(key: Key, text: &str) -> Result<(Bound, Box<str>), String> {
    let found =
        Bound::SPELLED.iter().find_map(|(sign, bound)| Some((*bound, text.strip_prefix(sign)?.trim())));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+' | b'~');
    match found {
        Some((bound, version))
            if !version.is_empty()
                && version.bytes().all(plain)
                && (key != Key::El || version.split('.').all(|n| n.parse::<u32>().is_ok())) =>
        {
            Ok((bound, version.into()))
        }
        _ => {
            Err("a comparison is `<`, `<=`, `>` or `>=` and a version; a range is two of them: `>=9.2, <9.5`"
                .into())
        }
    }
}

/// As many dotted parts of `value` as `like` has.
fn truncate<'v>(value: &'v str, like: &str) -> &'v str {
    let parts = like.split('.').count();
    value.match_indices('.').nth(parts - 1).map_or(value, |(at, _)| &value[..at])
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::{Sources, Spanned};

    fn selects(key: &str, value: &str, view: &View<'_>) -> Option<bool> {
        let span = Span::new(Sources::default().add("t", ""), 0, 0);
        let text = |text: &str| Spanned::new(text.to_string(), span);
        let terms = vec![ast::Pair { key: text(key), value: text(value) }];
        let (selector, problems) = Selector::parse(&ast::Selector { span, terms });
        problems.is_empty().then(|| selector.selects(view))
    }

    #[test]
    fn values_globs_comparisons_and_ranges() {
        let view = View {
            os: "rhel",
            family: "rhel",
            release: "9.4",
            el: Some("9.4"),
            kernel: "5.14.0-427.13.1.el9_4.x86_64",
            arch: "x86_64",
            flavor: "default",
            image: Some("driver"),
            order: VersionOrder::Rpm,
        };
        for (key, value, expected) in [
            ("os", "rhel", Some(true)),
            ("os", "rhe*", Some(true)),
            ("os", "debian", Some(false)),
            ("os", "<rhel", None),
            ("release", "9.4", Some(true)),
            ("release", "9", Some(false)),
            ("release", ">=9.2, <9.5", Some(true)),
            ("release", ">9", Some(false)),
            ("release", ">=9", Some(true)),
            ("release", "9.{2,4}", Some(true)),
            ("kernel", "*.x86_64", Some(true)),
            ("kernel", "*.x86_6[0-4]", Some(true)),
            ("kernel", "*.x86_6[]4]", Some(true)),
            ("kernel", "*.{aarch,x86_}64", Some(true)),
            ("kernel", "*.el9_4.x86\\_64", Some(true)),
            ("kernel", "*.aarch64", Some(false)),
            ("kernel", "5.13*.x86_64", Some(false)),
            ("el", "9", Some(true)),
            ("el", "9.4", Some(true)),
            ("el", "9.40", Some(false)),
            ("el", "<9", Some(false)),
            ("el", "<9.10", Some(true)),
            ("el", "<=9", Some(true)),
            ("el", "<nine", None),
            ("kernel", "5.14.0-427.*", Some(true)),
            ("kernel", ">=5.14.0-427", Some(true)),
            ("kernel", "<5.14.0-427", Some(false)),
            ("kernel", "=>5.14", None),
            ("image", "other", Some(false)),
            ("flavor", "", None),
        ] {
            assert_eq!(selects(key, value, &view), expected, "{key}={value}");
        }
    }
}
