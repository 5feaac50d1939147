//! From texts with variables to templates: each variable is held to those that have a value where it stands.

use super::Variable;
use super::lower::Lower;
use super::text::{Fault, Template};
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
        self.checked(parsed, allowed, label, help)
    }

    /// Text for a shell.
    pub(super) fn script(&mut self, text: &ast::Text) -> Option<Template> {
        let parsed = Template::parse_script(text, self.is_raw(text));
        self.checked(parsed, Variable::in_module, "not known while a module is built", "take it out")
    }

    fn checked(
        &mut self,
        parsed: Result<Template, Fault>,
        allowed: fn(&Variable) -> bool,
        label: &str,
        help: &str,
    ) -> Option<Template> {
        let template = match parsed {
            Ok(template) => template,
            Err(fault) => {
                self.diagnostics.push(fault_report(&fault));
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
        let missing = match variable {
            Variable::Registry if self.project.registry.is_none() => "registry",
            Variable::Version if self.project.version.is_none() => "version",
            Variable::Dir(module) => {
                self.resolve_module(&Spanned::new(module.to_string(), span));
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
            .help(format!("add `{missing} \"…\"` to `project`")),
        );
    }

    /// Whether a text is spelled as its value between one quote on each side, so that places in it are exact.
    fn is_raw(&self, text: &ast::Text) -> bool {
        let spelled = self.text.slice(text.span);
        spelled.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(text.value.as_str())
    }
}

fn fault_report(fault: &Fault) -> Diagnostic {
    match fault {
        Fault::Unknown { name, span } => {
            let names = Variable::NAMES.iter().map(|&(name, _)| name);
            let help = match nearest(name, names.clone()) {
                Some(near) => {
                    format!("did you mean `{{{near}}}`? (a literal brace is written `{{{{` or `}}}}`)")
                }
                None => format!(
                    "known are {} and `{{dir:MODULE}}`; a literal brace is written `{{{{` or `}}}}`",
                    names.map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(" ")
                ),
            };
            Diagnostic::new(Code::UnknownVariable, format!("unknown variable `{{{name}}}`"))
                .label(*span, "not a variable")
                .help(help)
        }
        Fault::Unbalanced { span } => {
            Diagnostic::new(Code::UnbalancedBrace, "a brace without its partner".to_string())
                .label(*span, "this one")
                .help("variables are written `{name}`; a literal brace is written twice: `{{` or `}}`")
        }
    }
}
