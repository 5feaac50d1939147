//! `defaults`: what is written there once is read as if it were written first in every `module` and every `image`.

use crate::language::kdl::{Block, Node};
use crate::language::schema::{Body, Count, manifest::MANIFEST};
use std::borrow::Cow;

/// Ways to build: a module that has one of them takes none from the defaults.
const BUILDS: &[&str] = &["make", "run", "script", "build"];

/// The nodes of a file with the defaults laid beneath each module and image. What is not sound in them is left out.
pub(super) fn laid<'n>(nodes: &'n [Node], is_sound: &dyn Fn(&Node) -> bool) -> Cow<'n, [Node]> {
    let Some(defaults) = nodes.iter().find(|node| node.name.value == "defaults") else {
        return Cow::Borrowed(nodes);
    };
    let with = |node: &Node| match defaults.child(&node.name.value).zip(MANIFEST.node(&node.name.value)) {
        Some((below, spec)) => beneath(node, below, spec.body, is_sound),
        None => node.clone(),
    };
    Cow::Owned(nodes.iter().map(with).collect())
}

/// A node with the children of another before its own. What may stand there once is the node's own.
fn beneath(node: &Node, below: &Node, body: &Body, is_sound: &dyn Fn(&Node) -> bool) -> Node {
    let builds = node.children().iter().any(|child| BUILDS.contains(&child.name.value.as_str()));
    let gives_way = |child: &Node| {
        let name = child.name.value.as_str();
        let single =
            body.node(name).is_some_and(|spec| matches!(spec.count, Count::AtMostOne | Count::ExactlyOne));
        (single && node.child(name).is_some()) || (builds && BUILDS.contains(&name))
    };
    let first = below.children().iter().filter(|child| is_sound(child) && !gives_way(child));
    let nodes = first.chain(node.children()).cloned().collect();
    let span = node.block.as_ref().map_or(node.span, |block| block.span);
    Node { block: Some(Block { nodes, span }), ..node.clone() }
}
