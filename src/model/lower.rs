//! Lowering: turns the syntax tree into a [`Model`], reporting every value that does not parse and every name
//! that does not resolve.
//!
//! 1. [`Lower::new`] collects the names, so that order in the file does not matter.
//! 2. [`lower`] goes through the nodes of the language, each by the function of its own file.
//! 3. What was named but never used is pointed out last.

use super::entitlement::lower_entitlement;
use super::image::lower_image;
use super::matrix::lower_matrix;
use super::module::lower_module;
use super::output::lower_output;
use super::signing::lower_signing;
use super::source::lower_source;
use super::text::{Fault, Template};
use super::toolkit::lower_toolkit;
use super::{
    ExtraFrom, Image, Layers, Model, ModuleBody, ModuleId, Overlay, Project, Selector, SourceId, Variable,
};
use crate::diag::{Code, Diagnostic, Diagnostics, nearest};
use crate::ids::{EnvName, Invalid, KmodName, ModuleName, Name, PackageName, Repository};
use crate::source::{Sources, Span, Spanned};
use crate::syntax::ast;
use std::collections::{BTreeMap, BTreeSet};

/// Turns a syntax tree into a model; whatever cannot be lowered is reported and left out.
pub fn lower(manifest: &ast::Manifest, sources: &Sources) -> (Model, Diagnostics) {
    let mut lower = Lower::new(manifest, sources);
    super::secrets::refuse(manifest, &mut lower.diagnostics);
    let model = Model {
        project: lower.project(&manifest.project),
        sources: manifest.sources.iter().filter_map(|source| lower.source(source)).collect(),
        modules: manifest.modules.iter().filter_map(|module| lower.module(module)).collect(),
        images: manifest.images.iter().filter_map(|image| lower.image(image)).collect(),
        signing: manifest.signing.as_ref().and_then(|signing| lower_signing(&mut lower, signing)),
        toolkit: manifest.toolkit.as_ref().and_then(|toolkit| lower_toolkit(&mut lower, toolkit)),
        entitlement: manifest.entitlement.as_ref().and_then(|it| lower_entitlement(&mut lower, it)),
        matrix: lower_matrix(&mut lower, &manifest.matrix),
        output: lower_output(&mut lower, manifest.output.as_ref()),
    };
    lower.warn_unused(manifest);
    (model, lower.diagnostics)
}

/// What lowering needs to know while it goes through the tree.
pub(super) struct Lower<'a> {
    text: &'a Sources,
    project: &'a ast::Project,
    /// Names that were left out of the tree, with a report: that they are not found is no mistake of its own.
    unread: &'a BTreeSet<String>,
    pub(super) diagnostics: Diagnostics,
    sources: BTreeMap<String, (SourceId, Span)>,
    modules: BTreeMap<String, (ModuleId, Span)>,
    used_sources: BTreeSet<SourceId>,
    used_modules: BTreeSet<ModuleId>,
}

impl<'a> Lower<'a> {
    fn new(manifest: &'a ast::Manifest, text: &'a Sources) -> Self {
        let mut diagnostics = Diagnostics::default();
        let names = |kind, names: Vec<&ast::Text>, diagnostics: &mut Diagnostics| {
            collect_names(kind, &names, diagnostics)
        };
        let sources = names("source", manifest.sources.iter().map(|s| &s.name).collect(), &mut diagnostics);
        let modules = names("module", manifest.modules.iter().map(|m| &m.name).collect(), &mut diagnostics);
        names("image", manifest.images.iter().map(|i| &i.name).collect(), &mut diagnostics);
        Self {
            text,
            project: &manifest.project,
            unread: &manifest.unread,
            diagnostics,
            sources: sources.into_iter().map(|(name, (at, span))| (name, (SourceId(at), span))).collect(),
            modules: modules.into_iter().map(|(name, (at, span))| (name, (ModuleId(at), span))).collect(),
            used_sources: BTreeSet::new(),
            used_modules: BTreeSet::new(),
        }
    }

    fn project(&mut self, project: &ast::Project) -> Project {
        let text = |text: &Option<ast::Text>| text.as_ref().map(|text| text.value.clone());
        Project {
            name: self.name("project", &project.name),
            registry: project.registry.as_ref().and_then(|t| self.parse("registry", t, Repository::parse)),
            version: text(&project.version),
            license: text(&project.license),
            description: text(&project.description),
            vendor: text(&project.vendor),
            url: text(&project.url),
        }
    }

    /// A name, or a stand-in for one that does not parse, so that places in the tables stay the same.
    fn name(&mut self, kind: &str, text: &ast::Text) -> Name {
        let stand_in = || Name::parse("unnamed").ok();
        let name = self.parse(&format!("{kind} name"), text, Name::parse).or_else(stand_in);
        name.unwrap_or_else(|| unreachable!("`unnamed` is a name"))
    }

    fn source(&mut self, source: &ast::Source) -> Option<Layers<Name, super::SourceBody>> {
        let name = self.name("source", &source.name);
        let base = lower_source(self, &source.body);
        let overlays = source.on.iter().filter_map(|on| self.overlay(on, lower_source)).collect();
        Some(Layers { name, span: source.name.span, base, overlays })
    }

    fn module(&mut self, module: &ast::Module) -> Option<Layers<ModuleName, ModuleBody>> {
        let stand_in = || ModuleName::parse("unnamed").ok();
        let name = self.parse("module name", &module.name, ModuleName::parse).or_else(stand_in)?;
        let base = lower_module(self, &module.body);
        let overlays: Vec<_> = module.on.iter().filter_map(|on| self.overlay(on, lower_module)).collect();
        let written = module.body.source.is_some() || module.on.iter().any(|on| on.body.source.is_some());
        if !written {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingSource,
                    format!("module `{}` names no source", module.name.value),
                )
                .label(module.name.span, "built from what?")
                .help("add `source \"NAME\" dir=\"…\"`, with the name of one of the manifest's sources"),
            );
        }
        Some(Layers { name, span: module.name.span, base, overlays })
    }

    fn image(&mut self, image: &ast::Image) -> Option<Image> {
        let name = self.name("image", &image.name);
        let base = lower_image(self, &image.body);
        let overlays = image.on.iter().filter_map(|on| self.overlay(on, lower_image)).collect();
        let only = image.only.iter().filter_map(|selector| self.selector(selector)).collect();
        Some(Image { only, layers: Layers { name, span: image.name.span, base, overlays } })
    }

    /// An `on` with its body.
    pub(super) fn overlay<A, B>(
        &mut self,
        on: &ast::On<A>,
        lower_body: fn(&mut Self, &A) -> B,
    ) -> Option<Overlay<B>> {
        let body = lower_body(self, &on.body);
        Some(Overlay { selector: self.selector(&on.selector)?, body })
    }

    /// A selector whose terms all parse.
    pub(super) fn selector(&mut self, selector: &ast::Selector) -> Option<Selector> {
        let (selector, problems) = Selector::parse(selector);
        let fine = problems.is_empty();
        self.diagnostics.extend(problems);
        fine.then_some(selector)
    }

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
            let fine = glob.ends_with(".ko") && crate::ids::RelPath::parse(&plain).is_ok();
            if fine {
                Ok(())
            } else {
                Err(Invalid("a relative path of A-Z a-z 0-9 . _ + - with `*`, `?` or `[…]`, ending in .ko"))
            }
        })?;
        Some(template)
    }

    /// The project's registry, as written.
    pub(super) fn registry(&self) -> Option<&str> {
        self.project.registry.as_ref().map(|registry| registry.value.as_str())
    }

    /// The source of that name.
    pub(super) fn resolve_source(&mut self, name: &ast::Text) -> Option<SourceId> {
        let found = self.sources.get(&name.value).map(|&(id, _)| id);
        match found {
            Some(id) => drop(self.used_sources.insert(id)),
            None if self.unread.contains(&name.value) => {}
            None => self.diagnostics.push(unknown_name(Code::UnknownSource, "source", name, &self.sources)),
        }
        found
    }

    /// The module of that name.
    pub(super) fn resolve_module(&mut self, name: &ast::Text) -> Option<Spanned<ModuleId>> {
        let found = self.modules.get(&name.value).map(|&(id, _)| id);
        match found {
            Some(id) => drop(self.used_modules.insert(id)),
            None if self.unread.contains(&name.value) => {}
            None => self.diagnostics.push(unknown_name(Code::UnknownModule, "module", name, &self.modules)),
        }
        found.map(|id| Spanned::new(id, name.span))
    }

    /// Where files of an image come from: the source and the module of that name, or an image.
    pub(super) fn extra_from(&mut self, name: &ast::Text) -> Option<ExtraFrom> {
        let source = self.sources.get(&name.value).map(|&(id, _)| id);
        let module = self.modules.get(&name.value).map(|&(id, _)| id);
        self.used_sources.extend(source);
        if source.is_some() || module.is_some() {
            return Some(ExtraFrom::Named { source, module });
        }
        if self.unread.contains(&name.value) {
            return None;
        }
        if name.value.contains(['/', ':', '{']) {
            let image =
                self.patterned("image reference", name, Variable::in_image, crate::ids::ImageRef::parse);
            return image.map(ExtraFrom::Image);
        }
        let mut known = self.sources.clone();
        known.extend(self.modules.iter().map(|(name, &(_, span))| (name.clone(), (SourceId(0), span))));
        let report = unknown_name(Code::UnknownSource, "source or module", name, &known);
        self.diagnostics.push(report);
        None
    }

    /// Reports a password in a URL, where a grammar would only call the URL malformed.
    pub(super) fn refuse_secret_in_url(&mut self, url: &ast::Text) {
        if let Some(problem) = super::secrets::in_url(url) {
            self.diagnostics.push(problem);
        }
    }

    fn warn_unused(&mut self, manifest: &ast::Manifest) {
        if self.diagnostics.has_errors() {
            return;
        }
        let unused_sources = manifest.sources.iter().enumerate();
        let unused_sources = unused_sources.filter(|(at, _)| !self.used_sources.contains(&SourceId(*at)));
        let unused_modules = manifest.modules.iter().enumerate();
        let unused_modules = unused_modules.filter(|(at, _)| !self.used_modules.contains(&ModuleId(*at)));
        let reports: Vec<_> = unused_sources
            .map(|(_, source)| ("source", &source.name, "no module is built from it"))
            .chain(
                unused_modules.map(|(_, module)| ("module", &module.name, "no image and no module has it")),
            )
            .map(|(kind, name, why)| {
                Diagnostic::new(Code::UnusedName, format!("{kind} `{}` is never used", name.value))
                    .label(name.span, why)
                    .help("use it or take it out")
            })
            .collect();
        reports.into_iter().for_each(|report| self.diagnostics.push(report));
    }
}

/// The places of names in their table; a name that comes twice is reported with both places. Case does not
/// tell names apart, because stage names of Dockerfiles have none.
fn collect_names(
    kind: &str,
    names: &[&ast::Text],
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, (usize, Span)> {
    let mut table = BTreeMap::new();
    let mut folded: BTreeMap<String, Span> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(&first) = folded.get(&name.value.to_ascii_lowercase()) {
            diagnostics.push(
                Diagnostic::new(Code::DuplicateName, format!("{kind} `{}` is defined twice", name.value))
                    .label(name.span, "again here")
                    .label(first, "first here")
                    .help(format!("give each {kind} a name of its own; case does not tell them apart")),
            );
            continue;
        }
        folded.insert(name.value.to_ascii_lowercase(), name.span);
        table.insert(name.value.clone(), (at, name.span));
    }
    table
}

fn unknown_name<T>(
    code: Code,
    kind: &str,
    name: &ast::Text,
    known: &BTreeMap<String, (T, Span)>,
) -> Diagnostic {
    let report = Diagnostic::new(code, format!("there is no {kind} `{}`", name.value))
        .label(name.span, format!("no {kind} has this name"));
    match nearest(&name.value, known.keys().map(String::as_str)) {
        Some(near) => {
            let span = known.get(near).map(|&(_, span)| span);
            let report = report.help(format!("did you mean `{near}`?"));
            span.map_or(report.clone(), |span| report.label(span, "a similar name"))
        }
        None if known.is_empty() => report.help(format!("add `{kind} \"{}\" {{ … }}`", name.value)),
        None => {
            let names: Vec<_> = known.keys().take(8).map(|name| format!("`{name}`")).collect();
            report.help(format!("the manifest has {}", names.join(", ")))
        }
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
