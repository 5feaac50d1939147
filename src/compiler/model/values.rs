//! From texts to values of narrow grammars, such as the names of packages, labels and kernel modules; what does not parse
//! is reported and left out.

use super::lower::Lower;
use super::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{EnvName, Invalid, KmodName, PackageName, RelPath};
use crate::text::source::Spanned;

impl Lower<'_> {
    /// A value of a narrow grammar.
    pub(super) fn parse<T>(
        &mut self,
        kind: &str,
        text: &ast::Text,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let problem = match parse(&text.value) {
            Ok(value) => return Some(value),
            Err(rule) => rule,
        };
        self.diagnostics.push(
            Diagnostic::new(Code::MalformedValue, format!("`{}` is not a {kind}", text.value))
                .label(text.span, "")
                .help(format!("write {problem}")),
        );
        None
    }

    /// `NAME=value` pairs for an environment or for make.
    pub(super) fn env(
        &mut self,
        pairs: &[ast::Pair],
        allowed: fn(&Variable) -> bool,
    ) -> Vec<(EnvName, Template)> {
        let pairs = pairs.iter().filter_map(|pair| {
            let name = self.parse("variable name", &pair.key, EnvName::parse);
            let value = self.template(&pair.value, allowed);
            Some((name?, value?))
        });
        pairs.collect()
    }

    /// A label for the image.
    pub(super) fn label(
        &mut self,
        label: &ast::Pair,
        allowed: fn(&Variable) -> bool,
    ) -> Option<(String, Template)> {
        let value = self.template(&label.value, allowed);
        let key = self.parse("label name", &label.key, |key| {
            let fits =
                key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/'));
            let fits = fits && key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.len() <= 128;
            if fits { Ok(key.to_string()) } else { Err(Invalid("a letter, then A-Z a-z 0-9 . _ - /")) }
        })?;
        if key.starts_with("dev.drvc.") {
            self.diagnostics.push(
                Diagnostic::new(Code::ReservedLabel, format!("label `{key}` is drvc's own"))
                    .label(label.key.span, "begins with `dev.drvc.`")
                    .help("drvc keeps the key of the image there: choose a name of your own"),
            );
        }
        Some((key, value?))
    }

    /// A package's name, which may hold variables.
    pub(super) fn package(&mut self, text: &ast::Text, allowed: fn(&Variable) -> bool) -> Option<Template> {
        self.patterned("package name", text, allowed, PackageName::parse)
    }

    /// A text with variables that gives a value of a narrow grammar.
    pub(super) fn patterned<T>(
        &mut self,
        kind: &str,
        text: &ast::Text,
        allowed: fn(&Variable) -> bool,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Template> {
        let template = self.template(text, allowed)?;
        let sample = Spanned::new(template.evaluate(|_| "0".into()), text.span);
        self.parse(kind, &sample, parse).map(|_| template)
    }

    /// The name of a kernel module.
    pub(super) fn kmod(&mut self, text: &ast::Text) -> Option<KmodName> {
        match text.value.strip_suffix(".ko").map(KmodName::parse) {
            Some(Ok(name)) => {
                self.diagnostics.push(
                    Diagnostic::new(Code::MalformedValue, format!("`{}` is a file's name", text.value))
                        .label(text.span, "the name of a kernel module is meant")
                        .help(format!("write `{name}`")),
                );
                None
            }
            _ => self.parse("kernel module name", text, KmodName::parse),
        }
    }

    /// The names of several kernel modules.
    pub(super) fn kmods(&mut self, texts: &[ast::Text]) -> Vec<KmodName> {
        texts.iter().filter_map(|text| self.kmod(text)).collect()
    }

    /// A glob, checked.
    pub(super) fn glob(&mut self, text: &ast::Text) -> Option<String> {
        self.parse("glob", text, |glob| {
            let fine = globset::Glob::new(glob).is_ok() && glob.len() <= 200;
            if fine { Ok(glob.to_string()) } else { Err(Invalid("a glob of `*`, `?`, `[a-z]` and `{a,b}`")) }
        })
    }

    /// The glob of an `output`, which a shell expands in the builder.
    pub(super) fn output_glob(&mut self, text: &ast::Text) -> Option<Template> {
        let template = self.template(text, Variable::in_module)?;
        let sample = Spanned::new(template.evaluate(|_| "0".into()), text.span);
        self.parse("pattern of .ko files", &sample, |glob| {
            let plain: String =
                glob.chars().map(|c| if matches!(c, '*' | '?' | '[' | ']') { '_' } else { c }).collect();
            let fine = glob.ends_with(".ko") && RelPath::parse(&plain).is_ok();
            if fine {
                Ok(())
            } else {
                Err(Invalid("a relative path of A-Z a-z 0-9 . _ + - with `*`, `?` or `[…]`, ending in .ko"))
            }
        })?;
        Some(template)
    }

    /// Reports a password in a URL, where a grammar would only call the URL malformed.
    pub(super) fn refuse_secret_in_url(&mut self, url: &ast::Text) {
        if let Some(problem) = super::secrets::in_url(url) {
            self.diagnostics.push(problem);
        }
    }
}
