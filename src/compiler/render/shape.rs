//! Shapes: renders a template once with inert tokens in place of every string, so that no string can decide
//! anything, and puts the strings in afterwards, each encoded as the template asked for.
//!
//! 1. [`Outline::of`] walks a context: its strings are listed, its structure (flags, list lengths, what is
//!    absent) becomes the key under which the shape is kept.
//! 2. On the first context of a structure, [`Shape::new`] renders the template with token `n` for string `n`,
//!    and splits the result at the tokens.
//! 3. [`Shape::fill`] joins the pieces with the real strings: [`Form::Bare`] ones must be of a narrow alphabet,
//!    the others are quoted for the shell or for JSON.

use super::guard::{self, Instruction};
use super::limits::{Cost, MAX_RENDERED};
use handlebars::Handlebars;
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

/// A string of the context: where it came from does not matter any more.
#[derive(Debug, Default)]
pub struct Outline {
    /// The structure without the strings: equal keys, equal shapes.
    pub key: Vec<u8>,
    /// The strings in the order of their tokens.
    pub strings: Vec<String>,
}

impl Outline {
    /// Takes the strings out of a context.
    #[must_use]
    pub fn of(context: Value) -> Self {
        let mut outline = Self::default();
        outline.walk(context);
        outline
    }

    fn walk(&mut self, value: Value) {
        match value {
            Value::Null => self.key.push(b'0'),
            Value::Bool(flag) => self.key.push(if flag { b't' } else { b'f' }),
            Value::Number(number) => self.key.extend_from_slice(format!("#{number};").as_bytes()),
            Value::String(text) => {
                self.key.push(if text.is_empty() { b'e' } else { b's' });
                self.strings.push(text);
            }
            Value::Array(items) => {
                self.key.extend_from_slice(format!("[{};", items.len()).as_bytes());
                items.into_iter().for_each(|item| self.walk(item));
            }
            Value::Object(fields) => fields.into_iter().for_each(|(_, field)| self.walk(field)),
        }
    }
}

/// The same context with a token for each string.
fn inert(value: &Value, next: &mut usize) -> Value {
    match value {
        Value::String(text) => {
            let token = format!("{OPEN}B{next}{CLOSE}");
            *next += 1;
            Value::String(if text.is_empty() { String::new() } else { token })
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| inert(item, next)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), inert(field, next))).collect())
        }
        other => other.clone(),
    }
}

/// A piece of a rendered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text of the template.
    Literal(Box<str>),
    /// The string with this number, written in this form.
    String(usize, Form),
}

/// A template rendered for one structure of context.
#[derive(Debug)]
pub struct Shape {
    pieces: Vec<Piece>,
    instructions: Vec<Vec<Piece>>,
}

/// What a template with these strings becomes.
#[derive(Debug)]
pub struct Filled {
    /// The text as it is written.
    pub text: String,
    /// The instructions in it, without comments and wrapping, as the fingerprint reads them.
    pub instructions: Vec<Instruction>,
}

/// Why a template cannot be filled safely. The message completes "template `NAME`: …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsafe(pub String);

impl Shape {
    /// Renders `template` for the structure of `context`.
    ///
    /// # Errors
    /// What handlebars says, or what the guard says of the result: a flag that is not allowed, a quoted word
    /// inside other quotes, a line that no engine reads the same.
    pub fn new(registry: &Handlebars<'static>, template: &str, context: &Value) -> Result<Self, Unsafe> {
        Cost::check(registry, template, context).map_err(Unsafe)?;
        let tokens = inert(context, &mut 0);
        let text = registry.render(template, &tokens).map_err(|error| Unsafe(error.reason().to_string()))?;
        let instructions = guard::parse(&text).map_err(Unsafe)?;
        instructions.iter().try_for_each(|instruction| guard::allow(instruction).map_err(Unsafe))?;
        Ok(Self {
            pieces: split(&text),
            instructions: instructions.iter().map(|instruction| split(&instruction.0)).collect(),
        })
    }

    /// Puts the strings in.
    ///
    /// # Errors
    /// A string that may not stand bare where the template puts it, or a result whose instructions are not
    /// the shape's own.
    pub fn fill(&self, strings: &[String]) -> Result<Filled, Unsafe> {
        let text = join(&self.pieces, strings)?;
        let instructions = guard::parse(&text).map_err(Unsafe)?;
        let same = |(found, pieces): (&Instruction, &Vec<Piece>)| is_joined(&found.0, pieces, strings);
        if instructions.len() != self.instructions.len()
            || !instructions.iter().zip(&self.instructions).all(same)
        {
            return Err(Unsafe("a value changes the instructions around it".into()));
        }
        Ok(Filled { text, instructions })
    }
}

/// Splits rendered text at its tokens.
fn split(text: &str) -> Vec<Piece> {
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

fn join(pieces: &[Piece], strings: &[String]) -> Result<String, Unsafe> {
    let mut text = String::with_capacity(512);
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::String(number, form) => {
                let string = strings.get(*number).map(String::as_str).unwrap_or_default();
                write(&mut text, string, *form)?;
            }
        }
        if text.len() > MAX_RENDERED {
            return Err(Unsafe(format!("it makes more than {MAX_RENDERED} bytes")));
        }
    }
    Ok(text)
}

/// Whether `text` is what [`join`] makes of these pieces.
fn is_joined(text: &str, pieces: &[Piece], strings: &[String]) -> bool {
    let mut rest = text;
    let mut encoded = String::new();
    for piece in pieces {
        let expected = match piece {
            Piece::Literal(literal) => literal,
            Piece::String(number, form) => {
                encoded.clear();
                let string = strings.get(*number).map(String::as_str).unwrap_or_default();
                if write(&mut encoded, string, *form).is_err() {
                    return false;
                }
                encoded.as_str()
            }
        };
        match rest.strip_prefix(expected) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

fn write(text: &mut String, string: &str, form: Form) -> Result<(), Unsafe> {
    let refuse = |rule: &str| Err(Unsafe(format!("the value `{}` {rule}", string.escape_debug())));
    match form {
        Form::Bare if !is_bare(string) => return refuse("may not stand unquoted"),
        Form::Glob if !is_glob(string) => return refuse("may not stand unquoted"),
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
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/@:+~^=,-".contains(&b))
}

fn is_glob(text: &str) -> bool {
    text.bytes().all(|b| is_bare(&char::from(b).to_string()) || b"*?[]".contains(&b))
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

#[cfg(test)]
mod tests {
    use super::super::templates::Templates;
    use super::*;
    use crate::text::source::{Sources, Span};
    use serde_json::json;

    /// Renders a template of one's own for a context.
    fn render(template: &str, context: &Value) -> Result<Filled, Unsafe> {
        let mut templates = Templates::builtin();
        let file = Sources::default().add("t.hbs", "");
        templates.replace("tools", template, Span::new(file, 0, 0)).unwrap();
        let outline = Outline::of(context.clone());
        Shape::new(templates.registry(), "tools", context)?.fill(&outline.strings)
    }

    const HOSTILE: &[&str] = &[
        "a\nRUN id",
        "a\r\nRUN id",
        "'; id; '",
        "$(id)",
        "`id`",
        "${HOME}",
        "a\\",
        "a\\\\",
        "# x",
        "<<EOF",
        "[\"a\"]",
        "{{x}}",
        "--mount=type=bind",
        "a b",
        "\"",
        "\u{1}B0\u{2}",
        "\u{2028}",
        "é",
        "&&",
        "a;b",
        "*",
        "~root",
        "|",
        "",
    ];

    #[test]
    fn values_are_inert_or_refused() {
        for (template, must_hold) in [
            ("FROM {{x}}", false),
            ("RUN make {{sq x}}", true),
            ("ENV A={{sq x}}", true),
            ("LABEL a.b={{sq x}} c='d'", true),
            ("RUN [\"sh\", {{json x}}]", true),
            ("CMD [{{json x}}]", true),
            ("WORKDIR {{x}}", false),
            ("RUN ls {{glob x}}", false),
        ] {
            for value in HOSTILE {
                let Ok(filled) = render(template, &json!({ "x": value })) else { continue };
                assert_eq!(filled.instructions.len(), 1, "{template} {value:?} {:?}", filled.text);
                assert!(must_hold || is_glob(value), "{template} {value:?}");
                assert_eq!(filled.text.lines().count(), 1, "{template} {value:?}");
            }
        }
    }

    #[test]
    fn every_ordinary_value_survives() {
        for value in ["a b", "it's", "$x", "\"", "# not a comment", "é", "a\\b"] {
            let filled = render("RUN echo {{sq x}} && true", &json!({ "x": value })).unwrap();
            assert_eq!(filled.text, format!("RUN echo '{}' && true", value.replace('\'', r"'\''")));
            let filled = render("CMD [{{json x}}]", &json!({ "x": value })).unwrap();
            let words: Vec<String> = serde_json::from_str(filled.instructions[0].rest()).unwrap();
            assert_eq!(words, [value]);
        }
    }

    #[test]
    fn unsafe_templates_are_refused() {
        for (template, part) in [
            ("RUN echo \"{{sq x}}\"", "inside quotes"),
            ("RUN echo '{{sq x}}'", "inside quotes"),
            ("RUN echo {{json x}}", "outside exec form"),
            ("CMD [{{sq x}}]", "in exec form"),
            ("CMD {{x}}", "not written in this form"),
            ("RUN --mount=type=bind,src=/,dst=/host id", "not a flag"),
            ("RUN --security=insecure id", "not a flag"),
            ("ADD https://example.com/x /", "not an instruction"),
            ("COPY --link a b", "not a flag"),
            ("RUN <<EOF\nid\nEOF", "heredoc"),
            ("RUN a \\\n\n b", "blank line"),
            ("RUN a \\", "continues into nothing"),
            ("RUN a \\\\\nRUN b", "two backslashes"),
            ("RUN {{#if (eq x \"a\")}}a{{/if}}", "decide on flags"),
            ("RUN {{len x}}", "decide on flags"),
            ("RUN {{unknown}}", ""),
            ("RUN echo 'a", "never closed"),
        ] {
            let refused = render(template, &json!({ "x": "a" })).unwrap_err();
            assert!(refused.0.contains(part), "{template}: {refused}");
        }
    }

    #[test]
    fn one_structure_is_one_shape() {
        let key = |value: Value| Outline::of(value).key;
        assert_eq!(key(json!({"a": "x", "b": ["1"]})), key(json!({"a": "yy", "b": ["2"]})));
        assert_ne!(key(json!({"a": "x"})), key(json!({"a": ""})));
        assert_ne!(key(json!({"a": ["x"]})), key(json!({"a": ["x", "y"]})));
        assert_ne!(key(json!({"a": true})), key(json!({"a": false})));
        assert_ne!(key(json!([["x"], []])), key(json!([[], ["x"]])));
    }
}
