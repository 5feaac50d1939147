//! Tokens: what stands in a rendering in place of a string of the context, and how the string is written in its place.

use super::limits::MAX_RENDERED;
use serde_json::Value;
use std::fmt::Write as _;

/// How a template asks for a string to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{{x}}`: as it is; only the narrow alphabet of [`is_bare`].
    Bare,
    /// `{{glob x}}`: as it is; `*`, `?`, `[` and `]` too.
    Glob,
    /// `{{sq x}}`: one word in single quotes for a shell, `ENV` or `LABEL`.
    Quoted,
    /// `{{json x}}`: a JSON string, for exec form.
    Json,
}

impl Form {
    const ALL: [(char, Self); 4] =
        [('B', Self::Bare), ('G', Self::Glob), ('S', Self::Quoted), ('J', Self::Json)];

    /// The letter that stands in a token for this form.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Bare => 'B',
            Self::Glob => 'G',
            Self::Quoted => 'S',
            Self::Json => 'J',
        }
    }
}

/// Tokens begin and end with control characters, which neither templates nor values can hold.
const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// A piece of a rendered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text of the template.
    Literal(Box<str>),
    /// The string with this number, written in this form.
    String(usize, Form),
}

/// Splits rendered text at its tokens.
pub(super) fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((token, tail)) = after.split_once(CLOSE) else { break };
        let mut letters = token.chars();
        let form = letters.next().and_then(|c| Form::ALL.into_iter().find(|(letter, _)| *letter == c));
        let Some(((_, form), number)) = form.zip(letters.as_str().parse().ok()) else { break };
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.into()));
        }
        pieces.push(Piece::String(number, form));
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.into()));
    }
    pieces
}

/// Appends pieces with the strings of these numbers in their places.
///
/// # Errors
/// A string that may not stand where it is put.
pub(super) fn join<'s>(
    text: &mut String,
    pieces: &[Piece],
    string: impl Fn(usize) -> &'s str,
) -> Result<(), String> {
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::String(number, form) => write(text, string(*number), *form)?,
        }
        if text.len() > MAX_RENDERED {
            return Err(format!("it makes more than {MAX_RENDERED} bytes"));
        }
    }
    Ok(())
}

fn write(text: &mut String, string: &str, form: Form) -> Result<(), String> {
    let refuse = |rule: &str| Err(format!("the value `{}` {rule}", string.escape_debug()));
    match form {
        Form::Bare if !is_bare(string) => return refuse("may not be unquoted"),
        Form::Glob if !is_glob(string) => return refuse("may not be unquoted"),
        Form::Quoted if string.contains(['\n', '\0', '\r']) => return refuse("has a newline in it"),
        Form::Bare | Form::Glob => text.push_str(string),
        Form::Quoted => {
            text.push('\'');
            for (at, part) in string.split('\'').enumerate() {
                text.push_str(if at == 0 { "" } else { r"'\''" });
                text.push_str(part);
            }
            text.push('\'');
        }
        Form::Json => {
            let _ = write!(text, "{}", Value::from(string));
        }
    }
    Ok(())
}

/// Whether a string means itself to every engine and shell, wherever a word may stand: no blank, quote, `$`,
/// backslash, `#` or glob.
#[must_use]
pub fn is_bare(text: &str) -> bool {
    text.bytes().all(|b| BARE[usize::from(b)])
}

/// For each byte, whether it may stand bare: all strings of all stages are looked up here.
static BARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_bare_byte(byte as u8);
        byte += 1;
    }
    table
};

const fn is_bare_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'/' | b'@' | b':' | b'+' | b'~' | b'^' | b'=' | b',' | b'-')
}

pub(super) fn is_glob(text: &str) -> bool {
    text.bytes().all(|b| is_bare_byte(b) || b"*?[]".contains(&b))
}

/// The token of the string with this number, as contexts hold it.
pub(super) fn token(number: usize) -> String {
    format!("{OPEN}B{number}{CLOSE}")
}

/// The token that a helper writes for the token it was given; `None` for anything else.
#[must_use]
pub fn token_in_form(token: &str, form: Form) -> Option<String> {
    let number = token.strip_prefix(OPEN)?.strip_prefix('B')?.strip_suffix(CLOSE)?;
    Some(format!("{OPEN}{}{number}{CLOSE}", form.letter()))
}

/// Whether a template's own text could be taken for a token.
#[must_use]
pub fn has_token_characters(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// What a helper writes for its argument while a shape is made.
///
/// # Errors
/// When the argument is not a string of the context.
pub fn helper_token(argument: Option<&str>, form: Form) -> Result<String, String> {
    argument
        .and_then(|token| token_in_form(token, form))
        .ok_or_else(|| "takes one string of the context".into())
}
