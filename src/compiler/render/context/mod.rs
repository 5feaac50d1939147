//! What the template of each kind of node is given: flags, lists and strings.

mod builder;
mod image;
mod module;
mod sign;
pub(super) mod site;
mod source;

use super::Site;
use super::scripts::{self, Script};
use crate::compiler::plan::{Edge, Graph, Node, NodeId};
use crate::text::ids::{ImageRef, RelPath};
use builder::{Kernel, OnBase, Toolkit};
use image::{Image, Root};
use module::{Module, Reuse};
use serde::Serialize;
use sign::Sign;
use site::{GitMirror, Mirrors, Uses};
use source::Source;

/// The context of a template, the script that its packages are installed with, and what takes the place of the internet.
#[derive(Serialize)]
struct WithMeans {
    with_subscription: Option<String>,
    mirrors: Option<Mirrors>,
    git_mirrors: Vec<GitMirror>,
    #[serde(flatten)]
    context: Context,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Context {
    Root(Root),
    Sign(Sign),
    OnBase(OnBase),
    Toolkit(Toolkit),
    Kernel(Kernel),
    Source(Source),
    Module(Module),
    Reuse(Reuse),
    Image(Box<Image>),
}

/// The template of a node and what it is given; `None` for an image from a registry, which has no text. `toolkit` is the
/// reference of the toolkit, or of the earlier image, that it stands on, where it does. Without `site` it is what keys see.
pub(super) fn of(
    graph: &Graph,
    id: NodeId,
    toolkit: Option<&ImageRef>,
    out: &RelPath,
    site: Option<&Site<'_>>,
) -> Option<(&'static str, impl Serialize)> {
    let name = |node: &Node| match (node, site) {
        (Node::Base(image), Some(site)) => site.mirrors.image(image).to_string(),
        (Node::ToolkitBase(image), Some(site)) => site.mirrors.image(&image.pinned).to_string(),
        _ => node.stage(),
    };
    let below = |edge: Edge| {
        let found = graph.inputs(id).iter().find(|(_, found)| *found == edge);
        found.map(|(input, _)| name(graph.node(*input))).unwrap_or_default()
    };
    let scripts =
        || rows(scripts::words(&Script::of(graph.node(id)), out).into_iter(), |word| word.len() + 1, 2);
    let on_base = |stage| Context::OnBase(OnBase::new(below(Edge::From), stage));
    let (template, context) = match graph.node(id) {
        Node::Base(_) | Node::ToolkitBase(_) => return None,
        Node::Root(install) => {
            ("root", Context::Root(Root::new(below(Edge::From), below(Edge::Files), install)))
        }
        Node::Sign(stage) => ("sign", Context::Sign(Sign::new(stage, scripts()))),
        Node::Tools(stage) => ("tools", on_base(stage)),
        Node::Fetch(stage) => ("fetch", on_base(stage)),
        Node::Download(stage) => ("download", on_base(stage)),
        Node::Toolkit(stage) => {
            ("toolkit", Context::Toolkit(Toolkit::new(below(Edge::From), stage, scripts())))
        }
        Node::Kernel(stage) => {
            let from = toolkit.map_or_else(|| below(Edge::From), ImageRef::to_string);
            ("kernel", Context::Kernel(Kernel::new(from, stage, scripts())))
        }
        Node::Source(stage) => ("source", Context::Source(Source::new(stage, scripts(), site))),
        Node::Reuse(stage) => {
            let first = toolkit.map(ImageRef::to_string).unwrap_or_default();
            ("reuse", Context::Reuse(Reuse::new(first, stage, scripts())))
        }
        Node::Module(stage) => ("module", Context::Module(Module::new(stage, scripts()))),
        Node::Image(stage) => {
            let mut image = Image::new(below(Edge::Runtime), stage, scripts());
            if let Some(site) = site {
                let images = graph.inputs(id).iter().map(|(input, _)| graph.node(*input));
                image.mirrored(site, images.filter(|node| matches!(node, Node::Base(_))).map(Node::stage));
            }
            ("image", Context::Image(Box::new(image)))
        }
    };
    let script = Script::before_packages(graph, id);
    let with_subscription = script.map(|script| format!("{out}/{}", script.path()));
    let Uses { mirrors, git_mirrors } = Uses::of(graph, id, site, out);
    Some((template, WithMeans { with_subscription, mirrors, git_mirrors, context }))
}

/// Items in rows that keep lines within 100 columns; the first row begins at column `start` of its line.
pub(super) fn rows<T>(
    items: impl Iterator<Item = T>,
    width_of: impl Fn(&T) -> usize,
    start: usize,
) -> Vec<Vec<T>> {
    let mut rows = vec![Vec::new()];
    let mut width = start;
    for item in items {
        let item_width = width_of(&item);
        match rows.last_mut() {
            Some(row) if width + item_width <= 95 => row.push(item),
            _ => {
                width = 8;
                rows.push(vec![item]);
            }
        }
        width += item_width;
    }
    rows
}

#[derive(Serialize)]
struct Pair {
    name: String,
    value: String,
}

impl Pair {
    /// Pairs in rows, the first of which begins at column `start`.
    fn rows(pairs: Vec<Self>, start: usize) -> Vec<Vec<Self>> {
        rows(pairs.into_iter(), |pair| pair.name.len() + pair.value.len() + 4, start)
    }

    fn all<'p>(pairs: impl IntoIterator<Item = (&'p (impl ToString + 'p), &'p String)>) -> Vec<Self> {
        pairs.into_iter().map(|(name, value)| Self { name: name.to_string(), value: value.clone() }).collect()
    }
}
