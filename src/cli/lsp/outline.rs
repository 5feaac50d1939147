//! What a document consists of: its nodes as symbols, and the blocks that can be folded.

use super::document::Text;
use super::protocol::OfDocument;
use super::workspace::Workspace;
use crate::language::kdl::Node;
use serde_json::{Value, json};

/// The nodes of a document, in each other as they are written.
pub(super) fn symbols(workspace: &Workspace, params: &OfDocument) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    Some(document.nodes().iter().map(|node| symbol(node, &document.text)).collect())
}

fn symbol(node: &Node, text: &Text) -> Value {
    let words = node.texts().map(|word| word.value).collect::<Vec<_>>().join(" ");
    let words: String = words.chars().take(80).collect();
    let range = |span: crate::text::source::Span| text.range(span.start as usize, span.end as usize);
    let children: Value = node.children().iter().map(|child| symbol(child, text)).collect();
    json!({
        "name": if node.name.value.is_empty() { "?" } else { &node.name.value },
        "detail": words,
        "kind": kind(&node.name.value),
        "range": range(node.span),
        "selectionRange": range(node.name.span),
        "children": children,
    })
}

/// The protocol's number for what a node is most like; a property, unless it has a name of its own.
fn kind(name: &str) -> u32 {
    const MODULE: u32 = 2;
    const PACKAGE: u32 = 4;
    const CLASS: u32 = 5;
    const PROPERTY: u32 = 7;
    const ENUM_MEMBER: u32 = 22;
    match name {
        "module" => MODULE,
        "source" | "project" | "profile" => PACKAGE,
        "image" | "matrix" | "line" => CLASS,
        "os" | "kernel" | "release" => ENUM_MEMBER,
        _ => PROPERTY,
    }
}

/// The blocks of a document that have several lines.
pub(super) fn folds(workspace: &Workspace, params: &OfDocument) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let mut folds = Vec::new();
    let mut waiting: Vec<&Node> = document.nodes().iter().collect();
    while let Some(node) = waiting.pop() {
        let lines = document.text.range(node.span.start as usize, node.span.end as usize);
        if lines.end.line > lines.start.line {
            // The line of the brace stays to be seen.
            let last = if node.block.is_some() { lines.end.line - 1 } else { lines.end.line };
            folds.push((lines.start.line, last));
        }
        waiting.extend(node.children());
    }
    folds.sort_unstable();
    Some(folds.into_iter().map(|(start, end)| json!({ "startLine": start, "endLine": end })).collect())
}
