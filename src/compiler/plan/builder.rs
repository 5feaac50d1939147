//! What makes the stages of targets: the graph so far, and what was reported once; each kind of stage has a file of its own.

use super::cell::Cell;
use super::scope::Scope;
use super::{Graph, Inputs, NodeId, RepositoryFile};
use crate::compiler::model::{
    Image, ImageBody, Layers, Merge, ModuleBody, ModuleId, Selector, SourceBody, SourceId, Template, selected,
};
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic, Diagnostics, article};
use crate::text::ids::{AbsPath, Arch, ImageRef, Invalid, OsName, PackageName, RelPath, Release};
use crate::text::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Makes the stages of targets.
pub(super) struct Builder<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) graph: Graph,
    pub(super) diagnostics: Diagnostics,
    /// Module stages by module, cell and image; the image counts only where a selector names one.
    pub(super) modules: BTreeMap<(ModuleId, usize, usize), (NodeId, AbsPath)>,
    /// Bodies with their overlays laid over, so that most cells share one.
    pub(super) module_bodies: Bodies<ModuleId, ModuleBody>,
    pub(super) source_bodies: Bodies<SourceId, SourceBody>,
    /// Directories of local sources that were looked up.
    pub(super) directories: BTreeSet<RelPath>,
    /// What was already warned about.
    pub(super) warned: BTreeSet<String>,
    /// Images without a digest, by the release that they are for.
    pub(super) unpinned: BTreeMap<Span, BTreeSet<ImageRef>>,
    /// Names of the packages that are not pinned though their kernels are, by the `kernel` that asks for them.
    pub(super) unpinned_packages: BTreeMap<Span, BTreeSet<String>>,
    /// Toolkits by their ids.
    pub(super) toolkits: BTreeMap<RelPath, Toolkit>,
    /// The archives that profiles have for a release and architecture, and whether its own base is taken.
    pub(super) archives: BTreeMap<(OsName, Release, Arch, bool), Vec<RepositoryFile>>,
    /// Kernel stages by cell.
    pub(super) kernels: BTreeMap<usize, NodeId>,
    pub(super) images_matter: bool,
    /// How often modules of the image at hand are copied to others.
    pub(super) copies: usize,
}

/// Bodies by what they are of and the overlays laid over, and which overlays ever were.
pub(super) struct Bodies<I, B> {
    made: BTreeMap<(I, Vec<usize>), Rc<B>>,
    pub(super) used: BTreeSet<(I, usize)>,
    pub(super) seen: BTreeSet<I>,
}

impl<I: Ord + Copy, B: Merge> Bodies<I, B> {
    const fn new() -> Self {
        Self { made: BTreeMap::new(), used: BTreeSet::new(), seen: BTreeSet::new() }
    }

    pub(super) fn get<N>(
        &mut self,
        id: I,
        layers: &Layers<N, B>,
        selects: impl Fn(&Selector) -> bool,
    ) -> Rc<B> {
        let overlays = selected(&layers.overlays, selects);
        self.seen.insert(id);
        self.used.extend(overlays.iter().map(|&at| (id, at)));
        let made = self.made.entry((id, overlays));
        let overlays = made.key().1.clone();
        Rc::clone(made.or_insert_with(|| Rc::new(layers.with(&overlays))))
    }
}

impl<'a> Builder<'a> {
    pub fn new(inputs: &Inputs<'a>) -> Self {
        let model = inputs.model;
        let selectors = model
            .modules
            .iter()
            .flat_map(|module| module.overlays.iter().map(|overlay| &overlay.selector))
            .chain(
                model
                    .sources
                    .iter()
                    .flat_map(|source| source.overlays.iter().map(|overlay| &overlay.selector)),
            );
        Self {
            inputs: *inputs,
            graph: Graph::default(),
            diagnostics: Diagnostics::default(),
            modules: BTreeMap::new(),
            module_bodies: Bodies::new(),
            source_bodies: Bodies::new(),
            directories: BTreeSet::new(),
            warned: BTreeSet::new(),
            unpinned: BTreeMap::new(),
            unpinned_packages: BTreeMap::new(),
            toolkits: BTreeMap::new(),
            archives: BTreeMap::new(),
            kernels: BTreeMap::new(),
            copies: 0,
            images_matter: selectors.into_iter().any(Selector::names_image),
        }
    }

    pub(super) fn image_index(&self, image: &Image) -> usize {
        self.inputs.model.images.iter().position(|known| known.layers.name == image.layers.name).unwrap_or(0)
    }

    pub(super) fn image_body(&self, image: &Image, cell: &Cell<'_>) -> ImageBody {
        let view = cell.view(Some(image.layers.name.as_str()));
        image.layers.with(&selected(&image.layers.overlays, |selector| selector.selects(&view)))
    }

    pub(super) fn module_body(
        &mut self,
        module: ModuleId,
        cell: &Cell<'_>,
        image: &Image,
    ) -> Option<Rc<ModuleBody>> {
        let layers = self.inputs.model.modules.get(module.0)?;
        let view = cell.view(Some(image.layers.name.as_str()));
        Some(self.module_bodies.get(module, layers, |selector| selector.selects(&view)))
    }

    pub(super) fn needs(&mut self, module: ModuleId, cell: &Cell<'_>, image: &Image) -> Vec<ModuleId> {
        let body = self.module_body(module, cell, image);
        body.map_or_else(Vec::new, |body| body.needs.iter().map(|need| need.value).collect())
    }

    /// Package names with their variables replaced.
    pub(super) fn packages(&self, templates: &[Template], scope: &Scope<'_>) -> Vec<PackageName> {
        let names = templates.iter().filter_map(|template| PackageName::parse(&scope.text(template)).ok());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn parse<T>(
        &mut self,
        text: &str,
        span: Span,
        kind: &str,
        parse: fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let rule = match parse(text) {
            Ok(value) => return Some(value),
            Err(rule) => rule,
        };
        self.diagnostics.push(
            Diagnostic::new(Code::MalformedValue, format!("`{text}` is not {}", article(kind)))
                .label(span, "gives this")
                .help(format!("write {rule}")),
        );
        None
    }

    /// Adds a report that many targets would repeat.
    pub(super) fn report_once(&mut self, report: Diagnostic) {
        let place = report.labels.first().map(|label| label.span);
        if self.warned.insert(format!("{} {place:?}", report.code)) {
            self.diagnostics.push(report);
        }
    }

    pub(super) fn scope<'s>(&self, cell: &'s Cell<'_>) -> Scope<'s>
    where
        'a: 's,
    {
        Scope::new(&self.inputs.model.project, cell)
    }
}

/// A toolkit image: one Dockerfile.
#[derive(Clone, Debug)]
pub struct Toolkit {
    /// `_toolkit/os-release-arch/kernel`, the directory of its outputs.
    pub id: RelPath,
    /// Of a release that runs another distribution's kernels, that one and its release.
    pub at: Coordinates,
    /// The user's own name of it.
    pub tag: Option<ImageRef>,
    /// Its last stage in the graph.
    pub root: NodeId,
    /// Where its kernel was named.
    pub span: Span,
}
