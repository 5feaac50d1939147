//! `module`: what is built from a source, how, and what comes out, with every value parsed.

use super::commands::{check, check_env};
use super::context::Lower;
use super::layers::{Merge, ModuleId, SourceId, replace};
use super::text::{Template, Variable};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::ids::{ConfigName, EnvName};
use crate::text::source::{Span, Spanned};

/// The children of a `module`.
#[derive(Clone, Debug, Default)]
pub struct ModuleBody {
    /// The files that it is built from.
    pub source: Option<SourceUse>,
    /// How it is built; `None` is standard Kbuild.
    pub build: Option<Spanned<Build>>,
    /// Environment of the build.
    pub env: Vec<(EnvName, Template)>,
    /// Packages that the build needs.
    pub packages: Vec<Template>,
    /// Modules whose symbols and built trees it uses.
    pub needs: Vec<Spanned<ModuleId>>,
    /// The `.ko` files that come out; empty means `NAME.ko`.
    pub outputs: Vec<ModuleOutput>,
    /// What the kernel's configuration must say.
    pub requires_config: Vec<ConfigRule>,
}

/// `source NAME dir=`
#[derive(Clone, Debug)]
pub struct SourceUse {
    pub source: SourceId,
    /// The directory in it that is built; the source itself unless said.
    pub dir: Option<Template>,
    /// Where the source is named.
    pub span: Span,
}

/// How a module is built.
#[derive(Clone, Debug)]
pub enum Build {
    Steps(Vec<Step>),
    Prebuilt,
}

/// One `make`, `run` or `script`.
#[derive(Clone, Debug)]
pub enum Step {
    /// Targets of a Makefile, and variables for make's command line.
    Make(Vec<Template>, Vec<(EnvName, Template)>),
    /// The words of one command.
    Run(Vec<Template>),
    /// Text for `/bin/sh -euc`.
    Script(Template),
}

/// One pattern of an `output`.
#[derive(Clone, Debug)]
pub struct ModuleOutput {
    /// A glob of `.ko` files beneath the module's directory.
    pub glob: Template,
    /// Whether none need be there.
    pub optional: bool,
}

/// `requires-config "CONFIG_X"` or `"!CONFIG_X"`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConfigRule {
    /// The option.
    pub name: ConfigName,
    /// Whether it must be set (`y` or `m`) or must not.
    pub set: bool,
}

impl Merge for ModuleBody {
    fn merge(&mut self, over: &Self) {
        replace(&mut self.source, &over.source);
        replace(&mut self.build, &over.build);
        self.env.extend(over.env.iter().cloned());
        self.packages.extend(over.packages.iter().cloned());
        self.needs.extend(over.needs.iter().cloned());
        self.outputs.extend(over.outputs.iter().cloned());
        self.requires_config.extend(over.requires_config.iter().cloned());
    }
}

/// Lowers the body of a `module` or of an `on` in it.
pub(super) fn lower_module(lower: &mut Lower<'_>, body: &ast::ModuleBody) -> ModuleBody {
    let in_module = Variable::in_module;
    let source = body.source.as_ref().and_then(|used| {
        let dir = used.dir.as_ref().and_then(|dir| lower_dir(lower, dir));
        let source = lower.names.source(&used.name, &mut lower.diagnostics)?;
        Some(SourceUse { source, dir, span: used.name.span })
    });
    body.env.iter().for_each(|pair| check_env(lower, pair));
    let outputs = body.outputs.iter().flat_map(|output| {
        let optional = output.optional;
        output.globs.iter().map(move |glob| (glob, optional))
    });
    ModuleBody {
        source,
        build: lower_build(lower, &body.build),
        env: lower.env(&body.env, in_module),
        packages: body.packages.iter().filter_map(|name| lower.package(name, in_module)).collect(),
        needs: body
            .needs
            .iter()
            .filter_map(|name| lower.names.module(name, &mut lower.diagnostics))
            .collect(),
        outputs: outputs
            .filter_map(|(glob, optional)| Some(ModuleOutput { glob: lower.output_glob(glob)?, optional }))
            .collect(),
        requires_config: body.requires_config.iter().filter_map(|rule| config_rule(lower, rule)).collect(),
    }
}

/// A directory of a source, relative to it.
fn lower_dir(lower: &mut Lower<'_>, dir: &ast::Text) -> Option<Template> {
    let relative = dir.value.trim_start_matches(['/', '.']);
    if dir.value.starts_with('/') {
        lower.diagnostics.push(
            Diagnostic::new(
                Code::MalformedValue,
                format!("{} is not a directory of a source", shown(&dir.value)),
            )
            .label(dir.span, "begins at the source's own directory, not at `/`")
            .help(format!("write `{relative}`"))
            .suggest(dir.span, quote(relative)),
        );
        return None;
    }
    lower.template(dir, Variable::in_module)
}

fn lower_build(lower: &mut Lower<'_>, steps: &[Spanned<ast::Build>]) -> Option<Spanned<Build>> {
    steps.iter().for_each(|step| check(lower, step));
    let in_module = Variable::in_module;
    let first = steps.first()?;
    let mut sequence = Vec::new();
    for step in steps {
        match &step.value {
            ast::Build::Make { targets, variables } => {
                let targets = targets.iter().filter_map(|target| lower.template(target, in_module)).collect();
                let variables = lower.env(variables, in_module);
                sequence.push(Step::Make(targets, variables));
            }
            ast::Build::None => return Some(Spanned::new(Build::Prebuilt, step.span)),
            ast::Build::Run { words } => {
                sequence.push(Step::Run(
                    words.iter().filter_map(|word| lower.template(word, in_module)).collect(),
                ));
            }
            ast::Build::Script { text } => sequence.extend(lower.script(text).map(Step::Script)),
        }
    }
    Some(Spanned::new(Build::Steps(sequence), first.span))
}

fn config_rule(lower: &mut Lower<'_>, rule: &ast::Text) -> Option<ConfigRule> {
    let set = !rule.value.starts_with('!');
    let parse = |text: &str| ConfigName::parse(text.strip_prefix('!').unwrap_or(text));
    Some(ConfigRule { name: lower.parse("kernel option", rule, parse)?, set })
}
