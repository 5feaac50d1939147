//! The last word on what a text says: the `kdl` crate reads a sound one too, and both must have read the same.
//!
//! The reader here goes on after every mistake, keeps the place of every value and is linear in hostile text; the crate
//! knows the language as editors and other programs do. A document that the two read differently could show one
//! thing to a reviewer and another to the compiler, so it is refused.

use super::{Data, Node, Value};
use crate::text::diag::{Code, Diagnostic};
use crate::text::source::{FileId, Span};
use ::kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

/// Reads `text` with the `kdl` crate and compares.
///
/// # Errors
/// What the crate reports first, or the first node that it reads differently.
pub(super) fn confirm(file: FileId, text: &str, nodes: &[Node]) -> Result<(), Diagnostic> {
    let document = KdlDocument::parse_v2(text).map_err(|error| {
        let first = error.diagnostics.first();
        let span = first.map_or(Span::new(file, 0, 0), |one| {
            Span::new(file, one.span.offset(), one.span.offset() + one.span.len().max(1))
        });
        let reason = first.and_then(|one| one.message.clone().or_else(|| one.label.clone()));
        differs(span, &reason.unwrap_or_else(|| "not KDL 2".into()))
    })?;
    match different(nodes, document.nodes()) {
        Some(span) => Err(differs(span.unwrap_or(Span::new(file, 0, 0)), "read as something else")),
        None => Ok(()),
    }
}

fn differs(span: Span, reason: &str) -> Diagnostic {
    Diagnostic::new(Code::AmbiguousText, format!("other programs read this differently: {reason}"))
        .label(span, "here")
        .help("put each node on a line of its own, and comments between them")
}

/// The first node that is not the same in both; `Some(None)` where one has more nodes than the other.
fn different(ours: &[Node], theirs: &[KdlNode]) -> Option<Option<Span>> {
    let pairs = ours.iter().zip(theirs);
    let unlike = pairs.filter_map(|(ours, theirs)| node(ours, theirs)).next().map(Some);
    unlike.or_else(|| (ours.len() != theirs.len()).then(|| ours.last().map(|node| node.span)))
}

fn node(ours: &Node, theirs: &KdlNode) -> Option<Span> {
    let (properties, arguments): (Vec<_>, Vec<_>) =
        theirs.entries().iter().partition(|entry| entry.name().is_some());
    let named = |(ours, theirs): (&super::Property, &&KdlEntry)| {
        theirs.name().is_some_and(|name| name.value() == ours.key.value) && value(&ours.value, theirs.value())
    };
    let same = ours.name.value == theirs.name().value()
        && ours.arguments.len() == arguments.len()
        && ours.arguments.iter().zip(&arguments).all(|(ours, theirs)| value(ours, theirs.value()))
        && ours.properties.len() == properties.len()
        && ours.properties.iter().zip(&properties).all(named);
    if !same {
        return Some(ours.name.span);
    }
    let children = theirs.children().map_or(&[][..], KdlDocument::nodes);
    different(ours.children(), children).map(|span| span.unwrap_or(ours.name.span))
}

fn value(ours: &Value, theirs: &KdlValue) -> bool {
    match (&ours.data, theirs) {
        (Data::Text(ours), KdlValue::String(theirs)) => ours == theirs,
        (Data::Integer(ours), KdlValue::Integer(theirs)) => i128::from(*ours) == *theirs,
        (Data::Number, KdlValue::Float(_) | KdlValue::Integer(_)) => true,
        (Data::Bool(ours), KdlValue::Bool(theirs)) => ours == theirs,
        (Data::Null, KdlValue::Null) => true,
        _ => false,
    }
}
