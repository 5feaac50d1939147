//! Turns a text of several lines into the same text under another indentation.

use crate::language::kdl::lex::{Quotes, Token};
use std::borrow::Cow;

/// The text `token` of `source` as it is written in a line that is indented by `indent`.
///
/// The blanks before the closing quotes are taken from every line, so they are no part of the text. Where they begin
/// with the old line's indentation, they get the new one's instead; a tab becomes four spaces, and all else stays.
pub(super) fn shift<'a>(source: &'a str, token: Token, quotes: Quotes, indent: &str) -> Cow<'a, str> {
    let written = source.get(token.start..token.end).unwrap_or_default();
    if !quotes.multi_line {
        return Cow::Borrowed(written);
    }
    let old = indent_of_last_line(source.get(..token.start).unwrap_or_default());
    let prefix = indent_of_last_line(written);
    let spaces = |blanks: &str| blanks.replace('\t', "    ");
    let new = match prefix.strip_prefix(old) {
        Some(own) => format!("{indent}{}", spaces(own)),
        None => spaces(prefix),
    };
    if new == prefix {
        return Cow::Borrowed(written);
    }
    let mut lines = written.split('\n');
    let mut moved = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        moved.push('\n');
        match line.strip_prefix(prefix) {
            Some(rest) => moved.extend([new.as_str(), rest]),
            None => moved.push_str(line),
        }
    }
    Cow::Owned(moved)
}

/// The blanks that the last line of a text begins with.
pub(super) fn indent_of_last_line(text: &str) -> &str {
    let line = text.rsplit('\n').next().unwrap_or_default();
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}
