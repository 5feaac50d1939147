//! Text made safe to show: whatever a terminal, a reader's eye or a CI log would obey becomes a visible escape.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text that holds nothing which a terminal or a CI log obeys, apart from colours that drvc itself put in.
///
/// Only this type is ever shown, so that there is one place where text of others is made harmless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clean(String);

impl Clean {
    /// Makes any text safe to show. Line feeds stay.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::styled(&escape(&without_passwords(text)))
    }

    /// Takes text whose parts went through [`escape`] and which holds colours of our own.
    pub(super) fn styled(text: &str) -> Self {
        Self(defuse(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text of the same length in which the passwords of URLs are stars: `https://me:***@host/`. In `https://word@host/` the
/// word is a token; `ssh://git@host/` has none. So are tokens of a query: `https://host/file?token=***`.
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((scheme, behind)) = rest.split_once("://") {
        let end = behind.find(|c: char| c.is_whitespace() || "/\"'`<>".contains(c)).unwrap_or(behind.len());
        let user =
            behind.get(..end).and_then(|authority| authority.rsplit_once('@')).map_or("", |(user, _)| user);
        let open = match user.split_once(':') {
            Some((name, _)) => name.len() + 1,
            None if scheme.ends_with("ssh") => user.len(),
            None => 0,
        };
        out.extend([scheme, "://", user.get(..open).unwrap_or_default()]);
        out.extend(std::iter::repeat_n('*', user.len() - open));
        rest = behind.get(user.len()..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        if let Some((path, query)) = address.split_once('?') {
            out.extend([path, "?"]);
            out.push_str(&hidden_values(query));
            rest = after;
        }
    }
    if out.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
}

/// A query in which what keys call a secret is stars.
fn hidden_values(query: &str) -> String {
    let is_secret = |key: &str| {
        let key = key.to_ascii_lowercase();
        ["token", "secret", "passw", "key", "auth", "signature", "credential"]
            .iter()
            .any(|part| key.contains(part))
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, value)) if is_secret(key) => format!("{key}={}", "*".repeat(value.len())),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Whether a character must never reach a terminal as it is: C0 but for the line feed, DEL, C1, and everything that
/// is invisible or changes the direction or the lines of the text around it.
#[must_use]
pub fn is_hostile(character: char) -> bool {
    matches!(character,
        '\0'..='\t' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Each hostile character as KDL writes it: `\t`, `\r`, `\u{1b}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_escaped(&mut out, character);
    }
    Cow::Owned(out)
}

/// Appends one character, escaped where it is hostile.
pub(super) fn push_escaped(out: &mut String, character: char) {
    match character {
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        hostile if is_hostile(hostile) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(hostile));
        }
        harmless => out.push(harmless),
    }
}

/// Escapes hostile characters in JSON text in such a way that the values stay exactly what they were.
///
/// Outside its strings JSON has no such character but the line feed, so that all others stand in strings. The
/// characters `##[` begin a command of GitHub's runner anywhere in a line.
#[must_use]
pub fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hostile(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out.replace("##[", "##\\u005b")
}

/// Breaks what GitHub's runner takes for a command: `::` after the white space that begins a line, and `##[` anywhere.
fn defuse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let visible = skip_blank_and_colour(line);
        match visible.strip_prefix(':').filter(|rest| rest.starts_with(':')) {
            Some(rest) => out.extend([line.strip_suffix(visible).unwrap_or_default(), "\\u{3a}", rest]),
            None => out.push_str(line),
        }
    }
    if out.contains("##[") { out.replace("##[", "##\\u{5b}") } else { out }
}

/// A line from its first visible character on.
fn skip_blank_and_colour(line: &str) -> &str {
    let visible = line.trim_start();
    match visible.strip_prefix("\u{1b}[").and_then(|after| after.split_once('m')) {
        Some((_, after)) => skip_blank_and_colour(after),
        None => visible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_what_would_be_obeyed() {
        let cases = [
            ("plain `text`\nof two lines", "plain `text`\nof two lines"),
            ("\u{1b}[31mred\u{9b}2J", "\\u{1b}[31mred\\u{9b}2J"),
            ("a\tb\r\n", "a\\tb\\r\n"),
            ("ab\u{202e}dc\u{2066}\u{feff}", "ab\\u{202e}dc\\u{2066}\\u{feff}"),
            ("  ::add-mask::x", "  \\u{3a}:add-mask::x"),
            ("std::env is fine", "std::env is fine"),
            ("see ##[error]x", "see ##\\u{5b}error]x"),
        ];
        for (given, shown) in cases {
            assert_eq!(Clean::text(given).as_str(), shown);
        }
    }

    #[test]
    fn finds_commands_behind_colours() {
        assert_eq!(
            Clean::styled("\u{1b}[31m ::error::x\u{1b}[0m").as_str(),
            "\u{1b}[31m \\u{3a}:error::x\u{1b}[0m"
        );
    }

    #[test]
    fn passwords_in_urls_are_stars() {
        for (given, shown) in [
            ("see https://me:pass@host/x and ssh://a:b@c", "see https://me:****@host/x and ssh://a:*@c"),
            ("git \"https://ghp_x@host/a@b\"", "git \"https://*****@host/a@b\""),
            ("see https://host/x?token=abc&a=1, then", "see https://host/x?token=***&a=1, then"),
            ("ssh://git@host/x https://host/a:b@c", "ssh://git@host/x https://host/a:b@c"),
            ("https://é:ü@h", "https://é:**@h"),
            ("://", "://"),
        ] {
            assert_eq!(without_passwords(given), shown);
            assert_eq!(without_passwords(given).len(), given.len());
        }
    }

    proptest! {
        #[test]
        fn no_hostile_character_is_left(text in any::<String>()) {
            prop_assert!(!Clean::text(&text).as_str().contains(is_hostile));
        }

        #[test]
        fn json_keeps_its_values(text in any::<String>()) {
            let json = escape_json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!json.contains(is_hostile) && !json.contains("##["));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
