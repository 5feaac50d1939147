//! The stages of an image for a cell, one on top of the other; and what was found wrong with all of them.

use super::bases::{unpinned_images, unpinned_packages};
use super::builder::Builder;
use super::cell::Cell;
use super::groups::Group;
use super::image::Parts;
use super::order::build_order;
use super::reports::dead;
use super::{Edge, Graph, Node, NodeId, RuntimeBase, Toolkit};
use crate::compiler::model::{Image, ImageBody, ModuleId, Overlay, Selector};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{ImageRef, Repository, Tag};
use crate::text::source::Span;
use std::collections::BTreeSet;

impl Builder<'_> {
    /// The reference that an image is pushed as for a cell.
    pub fn reference(
        &self,
        image: &Image,
        body: &ImageBody,
        cell: &Cell<'_>,
    ) -> Result<ImageRef, Diagnostic> {
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
            .help(match part == "tag" && tag.contains('/') {
                true => "write only what follows the `:`; `registry` of the project and the image's name, or `repository` in the image, say what precedes it".to_owned(),
                false => format!("a {part} is {rule}"),
            })
        };
        let tag_span = body.tag.as_ref().map_or(span, |template| template.span);
        Tag::parse(&tag).map_err(|rule| problem("tag", rule.0, tag_span))?;
        let reference = [&repository, ":", &tag].concat();
        ImageRef::parse(&reference).map_err(|rule| match Repository::parse(&repository) {
            Ok(_) => problem("reference", rule.0, span),
            Err(rule) => {
                let place = body.repository.as_ref().map_or(span, |template| template.span);
                problem("repository", rule.0, place)
            }
        })
    }

    /// The stages of an image for a cell.
    pub fn image(&mut self, image: &Image, body: &ImageBody, cell: &Cell<'_>) -> NodeId {
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
        let Some(runtime) = self.runtime(image, body, cell) else { return self.kernel(cell) };
        let runtime_node = self.graph.intern(Node::Base(runtime.pinned.clone()), &[]);
        inputs.push((runtime_node, Edge::Runtime));
        if runtime.kind == RuntimeBase::Micro {
            let install = self.open_install(cell, self.runtime_packages(image, body, cell));
            let below = [(self.base(cell), Edge::From), (runtime_node, Edge::Files)];
            inputs.push((self.graph.intern(Node::Root(install), &below), Edge::Files));
        }
        let stage = self.image_stage(image, body, cell, &order, &runtime, parts);
        self.graph.intern(Node::Image(Box::new(stage)), &inputs)
    }
}

/// The graph, and what was found wrong while it was made.
pub(super) fn finish(mut builder: Builder<'_>, groups: &[Group<'_>]) -> (Graph, Vec<Toolkit>, Diagnostics) {
    let model = builder.inputs.model;
    let views = || {
        groups.iter().flat_map(|group| {
            let name = group.image.layers.name.as_str();
            group.cells.iter().map(move |cell| cell.view(Some(name)))
        })
    };
    let Builder { module_bodies, source_bodies, diagnostics, .. } = &mut builder;
    let modules = module_bodies.seen.iter().filter_map(|&id| Some((id, model.modules.get(id.0)?)));
    let of_modules = modules.flat_map(|(id, module)| unused(&module.overlays, id, &module_bodies.used));
    let sources = source_bodies.seen.iter().filter_map(|&id| Some((id, model.sources.get(id.0)?)));
    let of_sources = sources.flat_map(|(id, source)| unused(&source.overlays, id, &source_bodies.used));
    dead(of_modules.chain(of_sources).map(|selector| (selector, "`on`")), views, diagnostics);
    builder.diagnostics.extend(unpinned_images(&builder.unpinned));
    builder.diagnostics.extend(unpinned_packages(&builder.unpinned_packages));
    (builder.graph, builder.toolkits.into_values().collect(), builder.diagnostics)
}

/// The selectors of overlays that were never laid over.
fn unused<'o, I: Ord + Copy, B>(
    overlays: &'o [Overlay<B>],
    id: I,
    used: &BTreeSet<(I, usize)>,
) -> impl Iterator<Item = &'o Selector> {
    let overlays = overlays.iter().enumerate();
    overlays.filter(move |(at, _)| !used.contains(&(id, *at))).map(|(_, overlay)| &overlay.selector)
}
