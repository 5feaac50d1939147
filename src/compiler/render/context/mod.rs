//! What the template of each kind of node is given: flags, lists and strings.

mod builder;
mod image;
mod module;
mod sign;
mod source;

use super::scripts::{self, Script};
use crate::compiler::plan::{Edge, Graph, Node, NodeId};
use crate::text::ids::{ImageRef, RelPath};
use builder::{Kernel, OnBase, Toolkit};
use image::{Image, Root};
use module::Module;
use serde::Serialize;
use serde_json::Value;
use sign::Sign;
use source::Source;

/// The template of a node; `None` for an image from a registry, which has no text.
pub(super) const fn template(node: &Node) -> Option<&'static str> {
    match node {
        Node::Base(_) | Node::ToolkitBase(_) => None,
        Node::Tools(_) => Some("tools"),
        Node::Toolkit(_) => Some("toolkit"),
        Node::Fetch(_) => Some("fetch"),
        Node::Download(_) => Some("download"),
        Node::Root(_) => Some("root"),
        Node::Sign(_) => Some("sign"),
        Node::Kernel(_) => Some("kernel"),
        Node::Source(_) => Some("source"),
        Node::Module(_) => Some("module"),
        Node::Image(_) => Some("image"),
    }
}

/// What the template of a node is given. `toolkit` is the reference of the toolkit that it stands on, where it does.
pub(super) fn of(graph: &Graph, id: NodeId, toolkit: Option<&ImageRef>, out: &RelPath) -> Value {
    let below = |edge: Edge| {
        let inputs = graph.inputs(id);
        let found = inputs.into_iter().find(|(_, found)| *found == edge);
        found.map(|(input, _)| graph.node(input).stage()).unwrap_or_default()
    };
    let scripts =
        || rows(scripts::words(Script::of(graph.node(id)), out).into_iter(), |word| word.len() + 1, 4);
    let context = match graph.node(id) {
        Node::Base(_) | Node::ToolkitBase(_) => Ok(Value::Null),
        Node::Root(install) => {
            serde_json::to_value(Root::new(below(Edge::From), below(Edge::Files), install))
        }
        Node::Sign(stage) => serde_json::to_value(Sign::new(stage, scripts())),
        Node::Tools(stage) | Node::Fetch(stage) | Node::Download(stage) => {
            serde_json::to_value(OnBase::new(below(Edge::From), stage))
        }
        Node::Toolkit(stage) => serde_json::to_value(Toolkit::new(below(Edge::From), stage)),
        Node::Kernel(stage) => {
            let from = toolkit.map_or_else(|| below(Edge::From), ImageRef::to_string);
            serde_json::to_value(Kernel::new(from, stage, scripts()))
        }
        Node::Source(stage) => serde_json::to_value(Source::new(stage)),
        Node::Module(stage) => serde_json::to_value(Module::new(stage)),
        Node::Image(stage) => serde_json::to_value(Image::new(below(Edge::Runtime), stage, scripts())),
    };
    // Structs of strings, flags and lists always serialize.
    context.unwrap_or(Value::Null)
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
