//! From names to what they stand for: sources and modules by name, and a report for every name that nothing has, that
//! comes twice or that nothing uses.

use super::layers::{ModuleId, SourceId};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics, nearest, pasted};
use crate::text::source::{Span, Spanned};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// The names of a manifest, and which of them were used so far.
pub(super) struct Names<'a> {
    /// Names that were left out of the tree, with a report: that they are not found is no mistake of its own.
    unread: &'a BTreeSet<String>,
    sources: BTreeMap<String, (SourceId, Span)>,
    modules: BTreeMap<String, (ModuleId, Span)>,
    used_sources: BTreeSet<SourceId>,
    used_modules: BTreeSet<ModuleId>,
    /// How many names may yet be looked at for similar ones.
    guesses: Cell<usize>,
}

/// Many unknown names times many known ones: beyond so many comparisons, reports have no "did you mean".
const GUESSES: usize = 400_000;

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
            guesses: Cell::new(GUESSES),
        }
    }

    /// The source of that name.
    pub(super) fn source(&mut self, name: &ast::Text, diagnostics: &mut Diagnostics) -> Option<SourceId> {
        let found = self.sources.get(&name.value).map(|&(id, _)| id);
        self.used_sources.extend(found);
        if found.is_none() && !self.is_unread(name) {
            let report = self.unknown(Code::UnknownSource, "source", name, spans(&self.sources));
            diagnostics.push(match self.with_directory(name) {
                Some(line) => Diagnostic { suggestions: Vec::new(), ..report }
                    .help(format!("write `source {line}`"))
                    .suggest(name.span, line),
                None => report,
            });
        }
        found
    }

    /// A source's name and a directory of it in one text: `source "driver/src"`.
    fn with_directory(&self, name: &ast::Text) -> Option<String> {
        let (source, dir) = name.value.trim_start_matches("./").split_once('/')?;
        let dir = dir.trim_matches('/');
        let known = self.sources.contains_key(source) && !dir.is_empty();
        known.then(|| format!("{} dir={}", quote(source), quote(dir)))
    }

    /// The module of that name.
    pub(super) fn module(
        &mut self,
        name: &ast::Text,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<ModuleId>> {
        let found = self.modules.get(&name.value).map(|&(id, _)| id);
        self.used_modules.extend(found);
        if found.is_none() && !self.is_unread(name) {
            diagnostics.push(self.unknown(Code::UnknownModule, "module", name, spans(&self.modules)));
        }
        found.map(|id| Spanned::new(id, name.span))
    }

    /// The source and the module of a name that may be either's.
    pub(super) fn either(&mut self, name: &ast::Text) -> (Option<SourceId>, Option<ModuleId>) {
        let source = self.sources.get(&name.value).map(|&(id, _)| id);
        self.used_sources.extend(source);
        (source, self.modules.get(&name.value).map(|&(id, _)| id))
    }

    /// The report on a name that neither a source nor a module has.
    pub(super) fn unknown_either(&self, name: &ast::Text) -> Option<Diagnostic> {
        if self.is_unread(name) {
            return None;
        }
        let known = spans(&self.sources).chain(spans(&self.modules));
        Some(self.unknown(Code::UnknownSource, "source or module", name, known))
    }

    fn is_unread(&self, name: &ast::Text) -> bool {
        self.unread.contains(&name.value)
    }

    /// The report on a name that nothing has.
    fn unknown<'k>(
        &self,
        code: Code,
        kind: &str,
        name: &ast::Text,
        known: impl Iterator<Item = (&'k str, Span)> + Clone,
    ) -> Diagnostic {
        let report = Diagnostic::new(code, format!("there is no {kind} `{}`", name.value))
            .label(name.span, format!("no {kind} has this name"));
        let left = self.guesses.get();
        self.guesses.set(left.saturating_sub(known.clone().count()));
        let near = nearest(&name.value, known.clone().take(left).map(|(name, _)| name));
        if let Some((near, span)) = near.and_then(|near| known.clone().find(|(name, _)| *name == near)) {
            return report
                .help(format!("did you mean `{near}`?"))
                .suggest(name.span, quote(near))
                .label(span, "a similar name");
        }
        let names: Vec<_> = known.take(8).map(|(name, _)| format!("`{name}`")).collect();
        report.help(match names.as_slice() {
            [] => {
                let inside = if kind == "source" { "path \"DIR\"" } else { "source \"NAME\"" };
                format!("add {}", pasted(&format!("{kind} {} {{ {inside}; }}", quote(&name.value))))
            }
            names => format!("the manifest has {}", names.join(", ")),
        })
    }

    /// What was named but never used.
    pub(super) fn unused(&self, manifest: &ast::Manifest) -> Diagnostics {
        let mut reports = Diagnostics::default();
        let mut report = |kind, name: &ast::Text, why| {
            reports.push(
                Diagnostic::new(Code::UnusedName, format!("{kind} `{}` is never used", name.value))
                    .label(name.span, why)
                    .help("use it or take it out"),
            );
        };
        for (at, source) in manifest.sources.iter().enumerate() {
            if !self.used_sources.contains(&SourceId(at)) {
                report("source", &source.name, "no module is built from it");
            }
        }
        // One that an image loads and does not have is reported there.
        let loads = |module: &ast::Module| {
            let named =
                |text: &ast::Text| text.value.replace('-', "_") == module.name.value.replace('-', "_");
            manifest.images.iter().any(|image| image.body.load.iter().any(named))
        };
        for (at, module) in manifest.modules.iter().enumerate() {
            if !self.used_modules.contains(&ModuleId(at)) && !loads(module) {
                report("module", &module.name, "no image and no module has it");
            }
        }
        reports
    }
}

/// The names of a table, and where each is given.
fn spans<T>(names: &BTreeMap<String, (T, Span)>) -> impl Iterator<Item = (&str, Span)> + Clone {
    names.iter().map(|(name, (_, span))| (name.as_str(), *span))
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
