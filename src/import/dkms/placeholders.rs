//! What a packager's tool fills in (`@VERSION@`, `__JOBS`, …), and characters that no manifest holds.

use regex::Regex;

/// The first of the characters that stand for placeholders.
const FIRST: u32 = 0xe010;
const MOST: u32 = 64;

/// What is said of each.
pub(super) const ADVICE: &str = "a packager's tool fills it in; put its value where it belongs";

/// A file's text with a character of its own for each placeholder.
#[derive(Default)]
pub(super) struct Marked {
    pub(super) text: String,
    /// The placeholders, each with the line of its first use.
    pub(super) placeholders: Vec<(String, usize)>,
    /// Lines outside of comments with characters that were taken out, and how many.
    pub(super) taken_out: Vec<(usize, usize)>,
}

impl Marked {
    /// The text of a file without what no manifest holds, and with its placeholders marked.
    pub(super) fn new(text: &str) -> Self {
        let mut marked = Self::default();
        let expressions = expressions();
        for (line, number) in text.lines().zip(1..) {
            let comment =
                line.trim_start().starts_with('#') && !line.trim_start().starts_with("#MODULE_VERSION#");
            let unwanted = |c: char| {
                (c.is_control() && c != '\t') || is_bidi(c) || ('\u{e000}'..='\u{f8ff}').contains(&c)
            };
            let strange = line.chars().filter(|c| unwanted(*c) || *c == char::REPLACEMENT_CHARACTER).count();
            if strange > 0 && !comment {
                marked.taken_out.push((number, strange));
            }
            let mut line: String = line.chars().filter(|c| !unwanted(*c)).collect();
            if !comment {
                for expression in &expressions {
                    line = marked.placeholders_in(&line, expression, number, text);
                }
            }
            marked.text.push_str(&line);
            marked.text.push('\n');
        }
        marked
    }

    fn placeholders_in(&mut self, line: &str, expression: &Regex, number: usize, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for found in expression.captures_iter(line) {
            let Some(word) = found.name("word") else { continue };
            let Some(before) = line.get(from..word.start()) else { continue };
            if means_something(word.as_str(), text) {
                continue;
            }
            let at =
                self.placeholders.iter().position(|(known, _)| known == word.as_str()).unwrap_or_else(|| {
                    self.placeholders.push((word.as_str().to_owned(), number));
                    self.placeholders.len() - 1
                });
            let mark =
                u32::try_from(at).ok().filter(|at| *at < MOST).and_then(|at| char::from_u32(FIRST + at));
            out.push_str(before);
            out.extend(mark);
            from = word.end();
        }
        out.push_str(line.get(from..).unwrap_or_default());
        out
    }

    /// The placeholder that a character stands for.
    pub(super) fn of(&self, c: char) -> Option<&(String, usize)> {
        self.placeholders.get(usize::try_from(u32::from(c).checked_sub(FIRST)?).ok()?)
    }
}

/// Whether the file itself gives a word that looks like a placeholder a meaning: a variable or a function of that name.
fn means_something(word: &str, text: &str) -> bool {
    let name = word.trim_matches('$');
    if !word.starts_with(['$', '_']) {
        return false;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let whole = !text.get(..at).is_some_and(|before| before.ends_with(is_name));
        let after = text.get(at + name.len()..).unwrap_or_default();
        whole && ["=", "+=", "[", "()", " ()", " {"].iter().any(|sign| after.starts_with(sign))
    })
}

/// Whether a version is the name of what a tool puts in its place, as `DKMS_VERSION` is.
pub(super) fn is_bare(version: &str) -> bool {
    version.contains("VERSION") && version.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Whether a character stands for a placeholder.
pub(super) fn is_mark(c: char) -> bool {
    (FIRST..FIRST + MOST).contains(&u32::from(c))
}

/// Characters that turn the direction of a text round.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The ways in which placeholders are written. What a shell itself would take for something is left alone.
fn expressions() -> Vec<Regex> {
    [
        r"(?P<word>@[A-Za-z_][A-Za-z0-9_.-]*@)",
        r#"(?:^|["'=/ \t-])(?P<word>#[A-Z][A-Z0-9_]+#)"#,
        r"(?:^|[^A-Za-z0-9_}+%])(?P<word>%%?[A-Z][A-Z0-9_]+%%?)",
        r"(?P<word>\{\{-? *[A-Za-z_.][A-Za-z0-9_. ]*\}\})",
        r"(?:^|[^<0-9])(?P<word><[A-Z][A-Z0-9_]+>)",
        r#"(?P<word>\$[A-Z][A-Z0-9_]+\$)(?:["'\s;/.-]|$)"#,
        r"(?:^|[^A-Za-z0-9_${!#])(?P<word>__[A-Za-z][A-Za-z0-9_]*)",
    ]
    .iter()
    .filter_map(|expression| Regex::new(expression).ok())
    .collect()
}
