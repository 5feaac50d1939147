//! Turns KDL text into the same text in canonical layout: every word, text and comment stays, blanks are set again.
//!
//! The formatter goes over the tokens of [`crate::language::kdl::lex`] and decides only what stands between them: a line for each
//! node, four spaces for each block, one space between values, at most one blank line. `;` becomes a line break, and a
//! `\` stays where it breaks a line. A text of several lines moves with the line that it begins on.

mod line;
mod shift;
#[cfg(test)]
mod tests;

use crate::language::kdl::lex::{Kind, Lexer, Token};
use crate::language::kdl::{Data, Node, Value, parse};
use crate::text::source::Sources;
use line::Layout;

/// Why a text was not laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed;

/// Lays out a text in which [`parse`] finds nothing wrong.
///
/// # Errors
/// [`Changed`] where the result would not mean the same; that is a mistake in here, and the text is better left alone.
pub fn format(text: &str) -> Result<String, Changed> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let tokens: Vec<Token> = Lexer::new(&source).collect();
    let mut layout = Layout::new(&source);
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if token.kind == Kind::Open
            && let Some(after) = empty_block(&source, after)
        {
            layout.empty_block();
            rest = after;
            continue;
        }
        layout.token(*token);
    }
    let laid_out = layout.finish();
    if same(&read(text).ok_or(Changed)?, &read(&laid_out).ok_or(Changed)?) {
        Ok(laid_out)
    } else {
        Err(Changed)
    }
}

/// What follows the `}`, where nothing but blanks stands before it.
fn empty_block<'t>(source: &str, tokens: &'t [Token]) -> Option<&'t [Token]> {
    let is_blank = |token: &Token| match token.kind {
        Kind::Space | Kind::Newline => true,
        Kind::Continuation => !source.get(token.start..token.end).unwrap_or_default().contains('/'),
        _ => false,
    };
    let close = tokens.iter().position(|token| !is_blank(token))?;
    let (_, from_close) = tokens.split_at_checked(close)?;
    let (close, after) = from_close.split_first()?;
    (close.kind == Kind::Close).then_some(after)
}

/// The nodes of a text and the text itself; `None` where something is wrong with it.
fn read(text: &str) -> Option<(Vec<Node>, Sources)> {
    let mut sources = Sources::default();
    let file = sources.add("", text);
    let (nodes, found) = parse(file, text);
    found.is_empty().then_some((nodes, sources))
}

/// Whether two texts mean the same.
fn same((a, in_a): &(Vec<Node>, Sources), (b, in_b): &(Vec<Node>, Sources)) -> bool {
    let same_value = |a: &Value, b: &Value| match (&a.data, &b.data) {
        (Data::Number, Data::Number) => in_a.slice(a.span) == in_b.slice(b.span),
        (a, b) => a == b,
    };
    let same_values = |a: &Node, b: &Node| {
        a.name.value == b.name.value
            && a.arguments.len() == b.arguments.len()
            && a.arguments.iter().zip(&b.arguments).all(|(a, b)| same_value(a, b))
            && a.properties.len() == b.properties.len()
            && a.properties
                .iter()
                .zip(&b.properties)
                .all(|(a, b)| a.key.value == b.key.value && same_value(&a.value, &b.value))
            && a.block.is_some() == b.block.is_some()
    };
    let mut pairs = vec![(a.as_slice(), b.as_slice())];
    while let Some((a, b)) = pairs.pop() {
        if a.len() != b.len() || !a.iter().zip(b).all(|(a, b)| same_values(a, b)) {
            return false;
        }
        pairs.extend(a.iter().zip(b).map(|(a, b)| (a.children(), b.children())));
    }
    true
}
