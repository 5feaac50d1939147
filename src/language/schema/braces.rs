//! A manifest whose blocks are only indented: one report, in place of one for each node that stands outside of its block.

use super::table::{Body, Node as Spec};
use crate::language::kdl::Node;
use crate::text::diag::{Code, Diagnostic, pasted};
use crate::text::source::Sources;

/// Reports a file in which no node has a block, though what follows two of them or more belongs in one.
pub(super) fn missing(nodes: &[Node], language: &'static Body, sources: &Sources) -> Option<Diagnostic> {
    if nodes.iter().any(|node| node.block.is_some()) {
        return None;
    }
    let openers = openers(nodes, language);
    let (first, others) = openers.split_first().filter(|(_, others)| !others.is_empty())?;
    let line = sources.slice(first.span).trim_end();
    let report = Diagnostic::new(Code::UnknownNode, "the blocks of this manifest have no braces")
        .label(first.name.span, "what belongs in this node is outside of it");
    let report =
        others.iter().take(3).fold(report, |report, other| report.label(other.name.span, "and in this"));
    let begin = pasted(&format!("{line} {{"));
    Some(
        report.help(format!("write {begin}, and `}}` behind what belongs in it: indentation makes no block")),
    )
}

/// The nodes in whose block a later one belongs, before the next that may stand where they do.
fn openers<'n>(nodes: &'n [Node], language: &'static Body) -> Vec<&'n Node> {
    let mut open: Vec<(&'static Spec, &Node)> = Vec::new();
    let mut openers: Vec<&Node> = Vec::new();
    for node in nodes {
        let name = node.name.value.as_str();
        while open.last().is_some_and(|(spec, _)| spec.body.node(name).is_none()) {
            open.pop();
        }
        let around = open.last().copied();
        let Some(spec) = around.map_or(language, |(spec, _)| spec.body).node(name) else { continue };
        if let Some((_, opener)) = around
            && !openers.iter().any(|known| known.span == opener.span)
        {
            openers.push(opener);
        }
        open.push((spec, node));
    }
    openers
}
