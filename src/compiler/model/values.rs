//! From texts to values of narrow grammars, such as the names of packages, labels and kernel modules; what does not parse
//! is reported and left out.

use super::context::Lower;
use super::repair;
use super::text::{Template, Variable};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, article, shown};
use crate::text::ids::{EnvName, Invalid, KmodName, Name, PackageName, RelPath, module_file_stem};
use crate::text::source::Spanned;

impl Lower<'_> {
    /// A value of a narrow grammar.
    pub(super) fn parse<T>(
        &mut self,
        kind: &str,
        text: &ast::Text,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        parse(&text.value).map_err(|rule| self.malformed(kind, text, rule, |text| parse(text).is_ok())).ok()
    }

    /// A name, or a stand-in for one that does not parse, so that places in the tables stay the same.
    pub(super) fn name(&mut self, kind: &str, text: &ast::Text) -> Name {
        let stand_in = || Name::parse("unnamed").ok();
        let name = self.parse(&format!("{kind} name"), text, Name::parse).or_else(stand_in);
        name.unwrap_or_else(|| unreachable!("`unnamed` is a name"))
    }

    /// Reports a value that is not of a grammar, and the one of it that was probably meant.
    fn malformed(&mut self, kind: &str, text: &ast::Text, rule: Invalid, fits: impl Fn(&str) -> bool) {
        // What is reported as a secret is not reported as malformed too.
        if matches!(kind, "git URL" | "URL") && super::secrets::in_url(text).is_some() {
            return;
        }
        let beneath = if kind == "path" { " beneath the manifest's directory" } else { "" };
        let message = format!("{} is not {}{beneath}", shown(&text.value), article(kind));
        let report = Diagnostic::new(Code::MalformedValue, message);
        let because = |label: String| report.clone().label(text.span, label);
        let meant =
            repair::candidates(kind, &text.value).into_iter().find(|one| *one != text.value && fits(one));
        self.diagnostics.push(if let Some(several) = repair::split(kind, &text.value, &fits) {
            because("one text for several".into())
                .help(format!("write each for itself: `{several}`"))
                .suggest(text.span, several)
        } else if let Some(meant) = meant {
            because(format!("expected: {rule}"))
                .help(format!("write `{meant}`"))
                .suggest(text.span, quote(&meant))
        } else if let Some(reason) = repair::reason(kind, &text.value) {
            because(format!("expected: {rule}")).help(reason)
        } else {
            because("not in the form that is expected".into()).help(format!("write {rule}"))
        });
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
        if template.as_literal().is_some() {
            return self.parse(kind, &sample, parse).map(|_| template);
        }
        match parse(&sample.value) {
            Ok(_) => Some(template),
            Err(rule) => {
                self.malformed(kind, text, rule, |_| false);
                None
            }
        }
    }

    /// The name of a kernel module.
    pub(super) fn kmod(&mut self, text: &ast::Text) -> Option<KmodName> {
        self.parse("kernel module name", text, KmodName::parse)
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
        self.patterned("pattern of .ko files", text, Variable::in_module, |glob| {
            let plain: String =
                glob.chars().map(|c| if matches!(c, '*' | '?' | '[' | ']') { '_' } else { c }).collect();
            let fine = module_file_stem(glob).is_some() && RelPath::parse(&plain).is_ok();
            if fine {
                Ok(())
            } else {
                Err(Invalid(
                    "a relative path of A-Z a-z 0-9 . _ + - with `*`, `?` or `[…]`, ending in .ko, .ko.gz, .ko.xz or .ko.zst",
                ))
            }
        })
    }

    /// Reports a password in a URL, where a grammar would only call the URL malformed.
    pub(super) fn refuse_secret_in_url(&mut self, url: &ast::Text) {
        if let Some(problem) = super::secrets::in_url(url) {
            self.diagnostics.push(problem);
        }
    }
}
