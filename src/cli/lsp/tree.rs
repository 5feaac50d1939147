//! From a place in a document to the node, argument or property that stands there, with its row in the language's table.

use crate::language::kdl::{Node, Property, Value};
use crate::language::schema::{Body, Node as Spec};
use crate::text::source::Span;

/// What stands at a place.
pub(super) struct Spot<'a> {
    /// The nodes around it, outermost first; the last is the one that it belongs to.
    pub(super) path: Vec<&'a Node>,
    /// The row of the last node, where the language has it.
    pub(super) spec: Option<&'static Spec>,
    pub(super) slot: Slot<'a>,
}

/// A part of a node's line.
#[derive(Clone, Copy)]
pub(super) enum Slot<'a> {
    Name,
    Argument(usize, &'a Value),
    Key(&'a Property),
    Value(&'a Property),
    /// Between two of these, or in the block.
    Between,
}

/// Where on a node's line a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Argument(usize),
    Property(&'a str),
}

impl<'a> Spot<'a> {
    /// Where on the line of its node it is.
    pub(super) fn place(&self) -> Option<Place<'a>> {
        match self.slot {
            Slot::Argument(at, _) => Some(Place::Argument(at)),
            Slot::Key(property) | Slot::Value(property) => Some(Place::Property(&property.key.value)),
            Slot::Name | Slot::Between => None,
        }
    }

    /// As [`Visit::names`].
    pub(super) fn names(&self) -> Vec<&'a str> {
        names(&self.path)
    }
}

/// One node with those around it.
pub(super) struct Visit<'a> {
    pub(super) path: Vec<&'a Node>,
}

impl<'a> Visit<'a> {
    pub(super) fn node(&self) -> Option<&'a Node> {
        self.path.last().copied()
    }

    /// The names of the nodes from the outermost to this one, without those that only say for which cells, and for all.
    pub(super) fn names(&self) -> Vec<&'a str> {
        names(&self.path)
    }
}

fn names<'a>(path: &[&'a Node]) -> Vec<&'a str> {
    let (last, around) =
        path.split_last().map_or((None, [].as_slice()), |(last, around)| (Some(last), around));
    let around = around.iter().filter(|node| !matches!(node.name.value.as_str(), "on" | "defaults"));
    around.chain(last).map(|node| node.name.value.as_str()).collect()
}

/// Every node of a document, each before those in its block.
pub(super) fn visits(nodes: &[Node]) -> Vec<Visit<'_>> {
    let mut all = Vec::new();
    collect(nodes, &mut Vec::new(), &mut all);
    all
}

fn collect<'a>(nodes: &'a [Node], around: &mut Vec<&'a Node>, all: &mut Vec<Visit<'a>>) {
    for node in nodes {
        around.push(node);
        all.push(Visit { path: around.clone() });
        collect(node.children(), around, all);
        around.pop();
    }
}

/// What stands at a byte of a document.
pub(super) fn at<'a>(nodes: &'a [Node], language: &'static Body, offset: usize) -> Option<Spot<'a>> {
    let (mut nodes, mut body) = (nodes, Some(language));
    let (mut path, mut spec) = (Vec::new(), None);
    while let Some(node) = nodes.iter().find(|node| holds(node.span, offset)) {
        spec = body.and_then(|body| body.node(&node.name.value));
        body = spec.map(|spec| spec.body);
        path.push(node);
        nodes = node.children();
    }
    let slot = slot(path.last()?, offset);
    Some(Spot { path, spec, slot })
}

fn slot(node: &Node, offset: usize) -> Slot<'_> {
    if holds(node.name.span, offset) {
        return Slot::Name;
    }
    let mut arguments = node.arguments.iter().enumerate();
    if let Some((at, value)) = arguments.find(|(_, value)| holds(value.span, offset)) {
        return Slot::Argument(at, value);
    }
    let mut properties = node.properties.iter();
    match properties.find(|one| holds(one.key.span, offset) || holds(one.value.span, offset)) {
        Some(property) if holds(property.value.span, offset) => Slot::Value(property),
        Some(property) => Slot::Key(property),
        None => Slot::Between,
    }
}

/// Whether a place is in a span or right behind it, where a cursor stands after a word.
pub(super) fn holds(span: Span, offset: usize) -> bool {
    (span.start as usize..=span.end as usize).contains(&offset)
}
