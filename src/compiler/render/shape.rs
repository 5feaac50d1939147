//! Shapes: renders a template once with inert tokens in place of every string, so that no string can decide
//! anything, and puts the strings in afterwards, each encoded as the template asked for.
//!
//! 1. [`Outline::of`] walks a context: its strings are listed, its structure (flags, list lengths, what is
//!    absent) becomes the key under which the shape is kept.
//! 2. On the first context of a structure, [`Shape::new`] renders the template with token `n` for string `n`,
//!    reads the result as engines do, and splits it at the tokens.
//! 3. [`Shape::fill`] joins the pieces with the real strings: [`Form::Bare`](super::token::Form) ones must be of a
//!    narrow alphabet, the others are quoted for the shell or for JSON.
//!
//! What is filled in is not read again: no string in any form has a line break in it, begins a line as a comment or a
//! blank does, or ends one as a backslash does, so lines and instructions are those of the shape.

use super::guard::{self, LONGEST_LINE};
use super::limits::Cost;
use super::outline::Outline;
use super::token::{Piece, join, split, token};
use handlebars::Handlebars;
use serde_json::Value;

/// The same context with a token for each string.
fn inert(value: &Value, next: &mut usize) -> Value {
    match value {
        Value::String(text) => {
            let token = token(*next);
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

/// A template rendered for one structure of context.
#[derive(Debug)]
pub struct Shape {
    pieces: Vec<Piece>,
    instructions: Vec<Vec<Piece>>,
    /// Bytes of the text without its strings.
    length: usize,
}

/// What a template with these strings becomes.
#[derive(Debug, Default)]
pub struct Filled {
    /// The text as it is written.
    pub text: String,
    /// The instructions in it one behind the other, and where each ends.
    instructions: String,
    ends: Vec<usize>,
}

impl Filled {
    /// The instructions in it, without comments and wrapping, as the fingerprint reads them.
    pub fn instructions(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, &end)| self.instructions.get(start..end))
    }
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
            length: text.len(),
            instructions: instructions.iter().map(|instruction| split(&instruction.0)).collect(),
        })
    }

    /// Puts the strings in.
    ///
    /// # Errors
    /// A string that may not stand bare where the template puts it, or a line that becomes too long.
    pub fn fill(&self, strings: &Outline) -> Result<Filled, Unsafe> {
        let string = |number| strings.string(number);
        let mut filled = Filled {
            text: String::with_capacity(self.length + strings.length()),
            instructions: String::with_capacity(self.length + strings.length()),
            ends: Vec::with_capacity(self.instructions.len()),
        };
        join(&mut filled.text, &self.pieces, string).map_err(Unsafe)?;
        if filled.text.len() > LONGEST_LINE {
            guard::parse(&filled.text).map_err(Unsafe)?;
        }
        for pieces in &self.instructions {
            join(&mut filled.instructions, pieces, string).map_err(Unsafe)?;
            filled.ends.push(filled.instructions.len());
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::super::templates::Templates;
    use super::super::token::is_glob;
    use super::*;
    use crate::text::source::{Sources, Span};
    use serde_json::json;

    /// Renders a template of one's own for a context.
    fn render(template: &str, context: &Value) -> Result<Filled, Unsafe> {
        let mut templates = Templates::builtin();
        let file = Sources::default().add("t.hbs", "");
        templates.replace("tools", template, Span::new(file, 0, 0)).unwrap();
        let filled = Shape::new(templates.registry(), "tools", context)?.fill(&Outline::of(context))?;
        // What is filled in is read by engines as the shape was.
        let read: Vec<_> = guard::parse(&filled.text).unwrap().into_iter().map(|one| one.0).collect();
        assert_eq!(read, filled.instructions().collect::<Vec<_>>(), "{context}");
        Ok(filled)
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
                assert_eq!(filled.instructions().count(), 1, "{template} {value:?} {:?}", filled.text);
                assert!(must_hold || is_glob(value), "{template} {value:?}");
                assert_eq!(filled.text.lines().count(), 1, "{template} {value:?}");
            }
        }
    }

    #[test]
    fn a_line_is_as_long_as_buildkit_reads() {
        let line = |bytes: usize| {
            let value = "x".repeat(bytes - "ENV A=''".len());
            let mut templates = Templates::builtin();
            let file = Sources::default().add("t.hbs", "");
            templates.replace("tools", "ENV A={{sq x}}", Span::new(file, 0, 0)).unwrap();
            let context = json!({ "x": value });
            Shape::new(templates.registry(), "tools", &context)?.fill(&Outline::of(&context)).map(drop)
        };
        assert!(line(65_534).is_ok());
        assert!(line(65_535).is_err());
    }

    #[test]
    fn every_ordinary_value_survives() {
        for value in ["a b", "it's", "$x", "\"", "# not a comment", "é", "a\\b"] {
            let filled = render("RUN echo {{sq x}} && true", &json!({ "x": value })).unwrap();
            assert_eq!(filled.text, format!("RUN echo '{}' && true", value.replace('\'', r"'\''")));
            let filled = render("CMD [{{json x}}]", &json!({ "x": value })).unwrap();
            let words: Vec<String> = serde_json::from_str(&filled.text["CMD ".len()..]).unwrap();
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
        let key = |value: Value| Outline::of(&value).key;
        assert_eq!(key(json!({"a": "x", "b": ["1"]})), key(json!({"a": "yy", "b": ["2"]})));
        assert_ne!(key(json!({"a": "x"})), key(json!({"a": ""})));
        assert_ne!(key(json!({"a": ["x"]})), key(json!({"a": ["x", "y"]})));
        assert_ne!(key(json!({"a": true})), key(json!({"a": false})));
        assert_ne!(key(json!([["x"], []])), key(json!([[], ["x"]])));
    }
}
