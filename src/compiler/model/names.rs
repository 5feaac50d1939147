//! From names to what they stand for: sources and modules by name, and a report for every name that nothing has, that
//! comes twice or that nothing uses.

use super::lower::Lower;
use super::{ExtraFrom, ModuleId, SourceId, Variable};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics, nearest};
use crate::text::ids::ImageRef;
use crate::text::source::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};

/// The names of a manifest, and which of them were used so far.
pub(super) struct Names<'a> {
    /// Names that were left out of the tree, with a report: that they are not found is no mistake of its own.
    unread: &'a BTreeSet<String>,
    sources: BTreeMap<String, (SourceId, Span)>,
    modules: BTreeMap<String, (ModuleId, Span)>,
    used_sources: BTreeSet<SourceId>,
    used_modules: BTreeSet<ModuleId>,
}

impl<'a> Names<'a> {
    /// The names of a manifest; those that come twice are reported.
    pub(super) fn new(manifest: &'a ast::Manifest, diagnostics: &mut Diagnostics) -> Self {
        let names = |kind, names: Vec<&ast::Text>, diagnostics: &mut Diagnostics| {
            collect_names(kind, &names, diagnostics)
        };
        let sources = names("source", manifest.sources.iter().map(|s| &s.name).collect(), diagnostics);
        let modules = names("module", manifest.modules.iter().map(|m| &m.name).collect(), diagnostics);
        names("image", manifest.images.iter().map(|i| &i.name).collect(), diagnostics);
        Self {
            unread: &manifest.unread,
            sources: sources.into_iter().map(|(name, (at, span))| (name, (SourceId(at), span))).collect(),
            modules: modules.into_iter().map(|(name, (at, span))| (name, (ModuleId(at), span))).collect(),
            used_sources: BTreeSet::new(),
            used_modules: BTreeSet::new(),
        }
    }
}

impl Lower<'_> {
    /// The source of that name.
    pub(super) fn resolve_source(&mut self, name: &ast::Text) -> Option<SourceId> {
        let found = self.names.sources.get(&name.value).map(|&(id, _)| id);
        match found {
            Some(id) => drop(self.names.used_sources.insert(id)),
            None if self.names.unread.contains(&name.value) => {}
            None => {
                self.diagnostics.push(unknown_name(Code::UnknownSource, "source", name, &self.names.sources))
            }
        }
        found
    }

    /// The module of that name.
    pub(super) fn resolve_module(&mut self, name: &ast::Text) -> Option<Spanned<ModuleId>> {
        let found = self.names.modules.get(&name.value).map(|&(id, _)| id);
        match found {
            Some(id) => drop(self.names.used_modules.insert(id)),
            None if self.names.unread.contains(&name.value) => {}
            None => {
                self.diagnostics.push(unknown_name(Code::UnknownModule, "module", name, &self.names.modules))
            }
        }
        found.map(|id| Spanned::new(id, name.span))
    }

    /// Where files of an image come from: the source and the module of that name, or an image.
    pub(super) fn extra_from(&mut self, name: &ast::Text) -> Option<ExtraFrom> {
        let source = self.names.sources.get(&name.value).map(|&(id, _)| id);
        let module = self.names.modules.get(&name.value).map(|&(id, _)| id);
        self.names.used_sources.extend(source);
        if source.is_some() || module.is_some() {
            return Some(ExtraFrom::Named { source, module });
        }
        if self.names.unread.contains(&name.value) {
            return None;
        }
        if name.value.contains(['/', ':', '{']) {
            let image = self.patterned("image reference", name, Variable::in_image, ImageRef::parse);
            return image.map(ExtraFrom::Image);
        }
        let mut known = self.names.sources.clone();
        known.extend(self.names.modules.iter().map(|(name, &(_, span))| (name.clone(), (SourceId(0), span))));
        let report = unknown_name(Code::UnknownSource, "source or module", name, &known);
        self.diagnostics.push(report);
        None
    }

    /// Points out what was named but never used, unless something is wrong: then its use may be what was left out.
    pub(super) fn warn_unused(&mut self, manifest: &ast::Manifest) {
        if self.diagnostics.has_errors() {
            return;
        }
        let unused_sources = manifest.sources.iter().enumerate();
        let unused_sources =
            unused_sources.filter(|(at, _)| !self.names.used_sources.contains(&SourceId(*at)));
        let unused_modules = manifest.modules.iter().enumerate();
        let unused_modules =
            unused_modules.filter(|(at, _)| !self.names.used_modules.contains(&ModuleId(*at)));
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
