//! Interpolation: turns a text such as `KVER={kernel}` into literal parts and variables, and later into its value.

use crate::language::syntax::ast;
use crate::text::ids::ModuleName;
use crate::text::source::Span;

/// A variable of the language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    Kernel,
    KernelDir,
    KernelSrcDir,
    Arch,
    Os,
    Release,
    Flavor,
    Registry,
    Version,
    Image,
    Module,
    SourceDir,
    Out,
    Dir(ModuleName),
}

impl Variable {
    /// The names that stand for themselves; `dir:NAME` is the one with an argument.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("kernel", Self::Kernel),
        ("kernel_dir", Self::KernelDir),
        ("kernel_src_dir", Self::KernelSrcDir),
        ("arch", Self::Arch),
        ("os", Self::Os),
        ("release", Self::Release),
        ("flavor", Self::Flavor),
        ("registry", Self::Registry),
        ("version", Self::Version),
        ("image", Self::Image),
        ("module", Self::Module),
        ("source_dir", Self::SourceDir),
        ("out", Self::Out),
    ];

    /// The variables that a target knows as a whole: for labels, tags and repositories.
    #[must_use]
    pub fn in_image(&self) -> bool {
        !matches!(
            self,
            Self::KernelDir | Self::KernelSrcDir | Self::Module | Self::SourceDir | Self::Out | Self::Dir(_)
        )
    }

    /// The variables that a source knows: a target's, but for the image, since one source serves many.
    #[must_use]
    pub fn in_source(&self) -> bool {
        self.in_image() && self.in_module()
    }

    /// The variables that a module's build knows: everything but the image, since one build serves many.
    #[must_use]
    pub fn in_module(&self) -> bool {
        !matches!(self, Self::Image)
    }

    /// The variables that toolkit images know, which serve every image of a project and of others.
    #[must_use]
    pub fn in_toolkit(&self) -> bool {
        matches!(self, Self::Os | Self::Release | Self::Arch | Self::Kernel | Self::Flavor)
    }

    /// The variables that package repositories know: they are looked into before any kernel is known.
    #[must_use]
    pub fn in_repository(&self) -> bool {
        matches!(self, Self::Os | Self::Release | Self::Arch)
    }

    fn parse(name: &str) -> Option<Self> {
        if let Some(module) = name.strip_prefix("dir:") {
            return ModuleName::parse(module).ok().map(Self::Dir);
        }
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, variable)| variable.clone())
    }
}

/// One piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text as it is.
    Literal(Box<str>),
    /// A variable, and the place of its braces in the file.
    Variable(Variable, Span),
}

/// A text with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its pieces, in order.
    pub parts: Vec<Part>,
    /// Where it was written.
    pub span: Span,
}

/// What is wrong with a text's braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `{name}` with a name that is not a variable.
    Unknown {
        /// The name between the braces.
        name: String,
        /// From brace to brace.
        span: Span,
    },
    /// `${name}`, as shells write a variable.
    Shell {
        /// The name between the braces.
        name: String,
        /// From the `$` to the brace.
        span: Span,
    },
    /// A `{` or `}` without its partner.
    Unbalanced {
        /// The brace.
        span: Span,
    },
}

impl Template {
    /// Splits a text into literals and variables; `{{` and `}}` are a literal brace each.
    ///
    /// # Errors
    /// The first fault, with its place. Places inside the text are exact for texts written without escapes;
    /// `raw` tells whether the spelling equals the value.
    pub fn parse(text: &ast::Text, raw: bool) -> Result<Self, Fault> {
        Self::split(text, raw, false)
    }

    /// As [`Template::parse`] for shell text, which has braces of its own: `${NAME}` and every brace that does
    /// not enclose just a name stay as they are, and `{{name}}` is the literal `{name}`.
    ///
    /// # Errors
    /// The first `{name}` that is not a variable.
    pub fn parse_script(text: &ast::Text, raw: bool) -> Result<Self, Fault> {
        Self::split(text, raw, true)
    }

    fn split(text: &ast::Text, raw: bool, script: bool) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let value = text.value.as_str();
        let mut at = 0;
        while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
            if script && !is_name_in_braces(value, at) {
                let next = rest.char_indices().nth(1).map_or(rest.len(), |(next, _)| next);
                literal.push_str(&rest[..next]);
                at += next;
            } else if script && rest.starts_with("{{") {
                let end = rest.find("}}").map_or(rest.len(), |end| end + 1);
                literal.push_str(&rest[1..end]);
                at += end + 1;
            } else if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push_str(&rest[..1]);
                at += 2;
            } else if rest.starts_with('}') {
                return Err(Fault::Unbalanced { span: place(text, raw, at, at + 1) });
            } else if rest.starts_with('{') {
                let Some(end) = rest.find('}') else {
                    return Err(Fault::Unbalanced { span: place(text, raw, at, at + 1) });
                };
                let name = &rest[1..end];
                if literal.ends_with('$') {
                    let span = place(text, raw, at - 1, at + end + 1);
                    return Err(Fault::Shell { name: name.into(), span });
                }
                let span = place(text, raw, at, at + end + 1);
                let variable =
                    Variable::parse(name).ok_or_else(|| Fault::Unknown { name: name.into(), span })?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push(Part::Variable(variable, span));
                at += end + 1;
            } else {
                let next = rest.find(['{', '}']).unwrap_or(rest.len());
                literal.push_str(&rest[..next]);
                at += next;
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        Ok(Self { parts, span: text.span })
    }

    /// A text without variables.
    #[must_use]
    pub fn literal(text: &str, span: Span) -> Self {
        Self { parts: vec![Part::Literal(text.into())], span }
    }

    /// The text, where it has no variables.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The variables in it, with their places.
    pub fn variables(&self) -> impl Iterator<Item = (&Variable, Span)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable, span) => Some((variable, *span)),
            Part::Literal(_) => None,
        })
    }

    /// The text, with each variable replaced by what `value` gives for it.
    pub fn evaluate<'v>(&self, value: impl Fn(&Variable) -> std::borrow::Cow<'v, str>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(variable, _) => text.push_str(&value(variable)),
            }
        }
        text
    }
}

/// Whether shell text has `{name}` or `{{name}}` at `at`, and not `${name}` or `${{name}}`.
fn is_name_in_braces(text: &str, at: usize) -> bool {
    let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix('{')) else { return false };
    let inner = rest.strip_prefix('{').unwrap_or(rest);
    let name = inner.split('}').next().unwrap_or_default();
    let closed =
        inner.len() > name.len() && (inner.len() == rest.len() || inner[name.len()..].starts_with("}}"));
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.' | b'-');
    closed
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.bytes().all(word)
        && !text[..at].ends_with('$')
        && !text[..at].ends_with("${")
}

/// The place of bytes `start..end` of the value: exact where the text is spelled as its value between one
/// quote on each side, the whole text elsewhere.
fn place(text: &ast::Text, raw: bool, start: usize, end: usize) -> Span {
    if !raw {
        return text.span;
    }
    let base = text.span.start as usize + 1;
    Span::new(text.span.file, base + start, base + end)
}

/// A template that the language itself supplies, such as the default tag.
#[must_use]
pub fn default_template(variable: Variable, span: Span) -> Template {
    Template { parts: vec![Part::Variable(variable, span)], span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::{Sources, Spanned};

    fn evaluate(text: &str, script: bool) -> Result<String, Fault> {
        let file = Sources::default().add("t", "");
        let text = Spanned::new(text.to_string(), Span::new(file, 0, text.len() + 2));
        let template =
            if script { Template::parse_script(&text, true)? } else { Template::parse(&text, true)? };
        Ok(template.evaluate(|variable| format!("<{variable:?}>").into()))
    }

    #[test]
    fn words_and_scripts() {
        for (text, word, script) in [
            ("KVER={kernel}", Some("KVER=<Kernel>"), "KVER=<Kernel>"),
            ("{{kernel}}", Some("{kernel}"), "{kernel}"),
            ("${HOME}", None, "${HOME}"),
            ("${kernel}", None, "${kernel}"),
            ("${{kernel}}", Some("${kernel}"), "${{kernel}}"),
            ("awk '{ print $1 }'", None, "awk '{ print $1 }'"),
            ("f() { g; }", None, "f() { g; }"),
            ("a}", None, "a}"),
            ("{a{b}}", None, "{a{b}}"),
            ("é{arch}ü", Some("é<Arch>ü"), "é<Arch>ü"),
        ] {
            assert_eq!(evaluate(text, false).ok().as_deref(), word, "{text}");
            if text != "{a{b}}" {
                assert_eq!(evaluate(text, true).ok().as_deref(), Some(script), "{text} as a script");
            }
        }
        assert!(matches!(evaluate("{kernle}", true), Err(Fault::Unknown { name, .. }) if name == "kernle"));
    }

    #[test]
    fn faults_are_placed_inside_the_text() {
        let Err(Fault::Unknown { span, .. }) = evaluate("ab{nope}", false) else { panic!("no fault") };
        assert_eq!((span.start, span.end), (3, 9));
    }
}
