//! From texts with variables to templates: each variable is held to those that have a value where it stands.

use super::context::Lower;
use super::text::{Fault, Template, Variable};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, nearest};
use crate::text::source::{Span, Spanned};

impl Lower<'_> {
    /// A text with variables, of which only those that `allowed` allows have a value here.
    pub(super) fn template(&mut self, text: &ast::Text, allowed: fn(&Variable) -> bool) -> Option<Template> {
        let help = "use one of `{kernel} {arch} {os} {release} {flavor} {registry} {version} {image}`";
        self.template_with(text, allowed, "only known while a module is built", help)
    }

    /// As [`Lower::template`], with what to say of other variables.
    pub(super) fn template_with(
        &mut self,
        text: &ast::Text,
        allowed: fn(&Variable) -> bool,
        label: &str,
        help: &str,
    ) -> Option<Template> {
        let parsed = Template::parse(text, self.is_raw(text));
        self.checked(text, parsed, allowed, label, help)
    }

    /// Text for a shell.
    pub(super) fn script(&mut self, text: &ast::Text) -> Option<Template> {
        let parsed = Template::parse_script(text, self.is_raw(text));
        self.checked(text, parsed, Variable::in_module, "not known while a module is built", "take it out")
    }

    fn checked(
        &mut self,
        text: &ast::Text,
        parsed: Result<Template, Fault>,
        allowed: fn(&Variable) -> bool,
        label: &str,
        help: &str,
    ) -> Option<Template> {
        let template = match parsed {
            Ok(template) => template,
            Err(fault) => {
                self.diagnostics.push(fault_report(&fault, text.span));
                return None;
            }
        };
        let before = self.diagnostics.len();
        for (variable, span) in template.variables() {
            if !allowed(variable) {
                let message = format!("`{}` has no value here", self.text.slice(span));
                self.diagnostics
                    .push(Diagnostic::new(Code::VariableOutOfPlace, message).label(span, label).help(help));
            }
            self.check_variable(variable, span);
        }
        (self.diagnostics.len() == before).then_some(template)
    }

    fn check_variable(&mut self, variable: &Variable, span: Span) {
        let (missing, example) = match variable {
            Variable::Registry if self.project.registry.is_none() => {
                ("registry", "registry.example.com/team")
            }
            Variable::Version if self.project.version.is_none() => ("version", "1.0"),
            Variable::Dir(module) => {
                let name = Spanned::new(module.to_string(), span);
                self.names.module(&name, &mut self.diagnostics);
                return;
            }
            _ => return,
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::UnsetVariable,
                format!("`{{{missing}}}` is used, but the project has none"),
            )
            .label(span, "has no value")
            .label(self.project.name.span, format!("no `{missing}` in it"))
            .help(format!("add `{missing} {}` to `project`", quote(example))),
        );
    }

    /// Whether a text is spelled as its value between one quote on each side, so that places in it are exact.
    fn is_raw(&self, text: &ast::Text) -> bool {
        let spelled = self.text.slice(text.span);
        spelled.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(text.value.as_str())
    }
}

/// What other tools call what drvc has a variable for.
const CALLED: &[(&str, &str)] = &[
    ("KERNEL", "kernel"),
    ("KERNELRELEASE", "kernel"),
    ("KERNELVER", "kernel"),
    ("KERNEL_FULL_VERSION", "kernel"),
    ("KERNEL_RELEASE", "kernel"),
    ("KERNEL_VERSION", "kernel"),
    ("KVER", "kernel"),
    ("KVERSION", "kernel"),
    ("UNAME_R", "kernel"),
    ("KBUILD", "kernel_dir"),
    ("KDIR", "kernel_dir"),
    ("KERNELDIR", "kernel_dir"),
    ("KERNEL_DIR", "kernel_dir"),
    ("KERNEL_SRC", "kernel_dir"),
    ("KERNEL_SOURCE_DIR", "kernel_dir"),
    ("KSRC", "kernel_dir"),
    ("DESTDIR", "out"),
    ("INSTALL_MOD_PATH", "out"),
    ("OUTDIR", "out"),
    ("PWD", "source_dir"),
    ("SRCDIR", "source_dir"),
    ("DISTRO", "os"),
    ("PACKAGE_VERSION", "version"),
    ("TARGETARCH", "arch"),
];

/// The variable that a name of a shell's, of make's or of dkms's probably means.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let names = Variable::NAMES.iter().map(|&(name, _)| name);
    let called = CALLED.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    called.map(|&(_, variable)| variable).or_else(|| nearest(name, names))
}

/// `text` is the place of the whole text: a fault that could not be placed within it has no edit.
fn fault_report(fault: &Fault, text: Span) -> Diagnostic {
    let fixed = |report: Diagnostic, span: Span, name: &str| match span == text {
        true => report,
        false => report.suggest(span, format!("{{{name}}}")),
    };
    match fault {
        Fault::Shell { name, span } => {
            let report = Diagnostic::new(Code::ShellVariable, format!("`${{{name}}}` is a shell's variable"))
                .label(*span, "no shell reads this text");
            let literal = format!("`${{{{{name}}}}}` is this text as it is");
            match meant(name) {
                Some(near) => fixed(report.help(format!("write `{{{near}}}`; {literal}")), *span, near),
                None => report.help(format!(
                    "drvc's variables are written `{{name}}`; a `script` is read by a shell; {literal}"
                )),
            }
        }
        Fault::Unknown { name, span } => {
            let names = Variable::NAMES.iter().map(|&(name, _)| name);
            let near = meant(name);
            let help = match near {
                Some(near) => {
                    format!("did you mean `{{{near}}}`? (a literal brace is written `{{{{` or `}}}}`)")
                }
                None => format!(
                    "known are {} and `{{dir:MODULE}}`; a literal brace is written `{{{{` or `}}}}`",
                    names.map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(" ")
                ),
            };
            let report = Diagnostic::new(Code::UnknownVariable, format!("unknown variable `{{{name}}}`"))
                .label(*span, "not a variable")
                .help(help);
            match near {
                Some(near) => fixed(report, *span, near),
                None => report,
            }
        }
        Fault::Unbalanced { span } => {
            Diagnostic::new(Code::UnbalancedBrace, "a brace without its partner".to_string())
                .label(*span, "this one")
                .help("variables are written `{name}`; a literal brace is written twice: `{{` or `}}`")
        }
    }
}
