//! From a cell to its stages: every variable replaced, every pin put in, each stage made once.

use super::bases::{unpinned_images, unpinned_packages};
use super::cell::Cell;
use super::cells::{dead, selected};
use super::image::Parts;
use super::order::build_order;
use super::scope::Scope;
use super::targets::Group;
use super::{Edge, Graph, Inputs, Node, NodeId, RuntimeBase, Toolkit};
use crate::compiler::model::{
    Image, ImageBody, Layers, Merge, ModuleBody, ModuleId, Selector, SourceBody, SourceId, Template,
};
use crate::text::diag::{Code, Diagnostic, Diagnostics, article};
use crate::text::ids::{AbsPath, ImageRef, PackageName, RelPath, Tag};
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
    pub(super) images_matter: bool,
    /// How often modules of the image at hand are copied to others.
    pub(super) copies: usize,
}

/// Bodies by what they are of and the overlays laid over, and which overlays ever were.
pub(super) struct Bodies<I, B> {
    made: BTreeMap<(I, Vec<usize>), Rc<B>>,
    used: BTreeSet<(I, usize)>,
    seen: BTreeSet<I>,
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
            copies: 0,
            images_matter: selectors.into_iter().any(Selector::names_image),
        }
    }

    /// The graph, and what was found wrong while it was made.
    pub fn finish(mut self, groups: &[Group<'_>]) -> (Graph, Vec<Toolkit>, Diagnostics) {
        let model = self.inputs.model;
        let views = || {
            groups.iter().flat_map(|group| {
                let name = group.image.layers.name.as_str();
                group.cells.iter().map(move |cell| cell.view(Some(name)))
            })
        };
        for &id in &self.module_bodies.seen {
            let overlays =
                model.modules.get(id.0).into_iter().flat_map(|module| module.overlays.iter().enumerate());
            for (_, overlay) in overlays.filter(|(at, _)| !self.module_bodies.used.contains(&(id, *at))) {
                self.diagnostics.push(dead(&overlay.selector, "`on`", views()));
            }
        }
        for &id in &self.source_bodies.seen {
            let overlays =
                model.sources.get(id.0).into_iter().flat_map(|source| source.overlays.iter().enumerate());
            for (_, overlay) in overlays.filter(|(at, _)| !self.source_bodies.used.contains(&(id, *at))) {
                self.diagnostics.push(dead(&overlay.selector, "`on`", views()));
            }
        }
        self.diagnostics.extend(unpinned_images(&self.unpinned));
        self.diagnostics.extend(unpinned_packages(&self.unpinned_packages));
        (self.graph, self.toolkits.into_values().collect(), self.diagnostics)
    }

    /// Cells that are merged must be built the same way.
    pub fn differing_overlays(&self, group: &Group<'_>) -> Option<Diagnostic> {
        let (first, others) = group.cells.split_first()?;
        let image = group.image.layers.name.as_str();
        let model = self.inputs.model;
        let selectors = model
            .sources
            .iter()
            .flat_map(|source| source.overlays.iter().map(|overlay| &overlay.selector))
            .chain(
                model
                    .modules
                    .iter()
                    .flat_map(|module| module.overlays.iter().map(|overlay| &overlay.selector)),
            )
            .chain(group.image.layers.overlays.iter().map(|overlay| &overlay.selector));
        let selectors: Vec<_> = selectors.collect();
        for other in others {
            let differs = |selector: &&&Selector| {
                selector.selects(&first.view(Some(image))) != selector.selects(&other.view(Some(image)))
            };
            if let Some(selector) = selectors.iter().find(differs) {
                let name = |cell: &Cell<'_>| format!("{} {}", cell.profile.os, cell.release.release);
                let label = |cell: &Cell<'_>| match selector.selects(&cell.view(Some(image))) {
                    true => "selected by it",
                    false => "not selected by it",
                };
                return Some(
                    Diagnostic::new(
                        Code::MergedCellsDiffer,
                        format!("{} and {} run one kernel, so they share one image", name(first), name(other)),
                    )
                    .label(selector.span, "holds for one of them only")
                    .label(first.release_span, label(first))
                    .label(other.release_span, label(other))
                    .help("select by `kernel`, `el` or `family`, which both have in common, or exclude one of them"),
                );
            }
        }
        None
    }

    /// The reference that an image is pushed as for a cell.
    pub fn reference(&mut self, image: &Image, cell: &Cell<'_>) -> Result<ImageRef, Diagnostic> {
        let body = self.image_body(image, cell);
        let scope = self.scope(cell).image(&image.layers.name);
        let span = image.layers.span;
        let repository = match &body.repository {
            Some(template) => scope.text(template),
            None => match &self.inputs.model.project.registry {
                Some(registry) => format!("{registry}/{}", image.layers.name),
                None => image.layers.name.to_string(),
            },
        };
        let tag =
            body.tag.as_ref().map_or_else(|| cell.kernel.text.to_string(), |template| scope.text(template));
        let tag = tag.replace(['+', '~'], "_");
        let problem = |part: &str, rule: &str, place: Span| {
            Diagnostic::new(
                Code::MalformedReference,
                format!("`{repository}:{tag}` is not an image reference"),
            )
            .label(place, format!("gives this {part}"))
            .help(format!("a {part} is {rule}"))
        };
        let tag_span = body.tag.as_ref().map_or(span, |template| template.span);
        Tag::parse(&tag).map_err(|rule| problem("tag", rule.0, tag_span))?;
        let repository_span = body.repository.as_ref().map_or(span, |template| template.span);
        crate::text::ids::Repository::parse(&repository)
            .map_err(|rule| problem("repository", rule.0, repository_span))?;
        ImageRef::parse(&format!("{repository}:{tag}")).map_err(|rule| problem("reference", rule.0, span))
    }

    /// The stages of an image for a cell.
    pub fn image(&mut self, image: &Image, cell: &Cell<'_>) -> NodeId {
        let body = self.image_body(image, cell);
        self.copies = 0;
        let at = if self.images_matter { self.image_index(image) } else { 0 };
        let roots: Vec<_> = body.modules.iter().map(|module| module.value).collect();
        let order = build_order(&roots, |module| self.needs(module, cell, image));
        for &module in &order {
            self.module(module, cell, image, at);
        }
        let names = order.iter().filter_map(|module| self.inputs.model.modules.get(module.0));
        let names: Vec<_> = names.map(|module| module.name.clone()).collect();
        let made = |&module: &ModuleId| Some((module, self.modules.get(&(module, cell.id, at))?.0));
        let made: Vec<_> = order.iter().filter_map(made).collect();
        let built: Vec<_> = made.iter().map(|&(_, node)| (node, Edge::Files)).collect();
        let signed = self.sign(cell, &names, &built);
        let mut inputs = vec![(self.kernel(cell), Edge::From)];
        inputs.extend(signed.map_or(built, |signed| vec![(signed, Edge::Files)]));
        let mut parts = Parts { modules: names, signed: signed.is_some(), files: Vec::new() };
        for extra in body.firmware.iter().chain(&body.files) {
            let Some((files, node)) = self.extra(extra, image, cell, &made) else { continue };
            parts.files.push(files);
            if !inputs.contains(&(node, Edge::Files)) {
                inputs.push((node, Edge::Files));
            }
        }
        // Where there is no such image, that has been reported.
        let Some(runtime) = self.runtime(image, &body, cell) else { return self.kernel(cell) };
        let runtime_node = self.graph.intern(Node::Base(runtime.pinned.clone()), &[]);
        inputs.push((runtime_node, Edge::Runtime));
        if runtime.kind == RuntimeBase::Micro {
            let install = self.open_install(cell, self.runtime_packages(image, &body, cell));
            let below = [(self.base(cell), Edge::From), (runtime_node, Edge::Files)];
            inputs.push((self.graph.intern(Node::Root(install), &below), Edge::Files));
        }
        let stage = self.image_stage(image, &body, cell, &order, &runtime, parts);
        self.graph.intern(Node::Image(Box::new(stage)), &inputs)
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
        parse: fn(&str) -> Result<T, crate::text::ids::Invalid>,
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
