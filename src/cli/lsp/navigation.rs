//! From a name to its other places, and from the path of a file to that file.

use super::names::{self, Named};
use super::protocol::{AtPosition, Location, OfDocument, Range, TextEdit};
use super::tree::{Visit, holds, visits};
use super::workspace::{Document, Workspace};
use crate::language::kdl::Value as Written;
use crate::language::schema::manifest::MANIFEST;
use crate::system::fs::{Dir, Disk};
use crate::text::ids::RelPath;
use crate::text::source::Span;
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the name at a place is given, or the file that is named there.
pub(super) fn definition(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let offset = document.text.offset(params.position);
    if let Some((_, path)) = files(document).into_iter().find(|(span, _)| holds(*span, offset)) {
        let top = super::document::Text::new("").range(0, 0);
        return Some(json!(Location { uri: workspace.uri(&path), range: top }));
    }
    let all = names::all(document);
    let found = names::definition(&all, names::at(&all, offset)?)?;
    Some(json!(Location { uri: document.uri.clone(), range: range(document, found.span) }))
}

/// Every place of the name at a place.
pub(super) fn references(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let with_definition = params.context.as_ref().is_none_or(|context| context.include_declaration);
    let all = names::all(document);
    let found = names::places(&all, names::at(&all, document.text.offset(params.position))?);
    let found = found.into_iter().filter(|named| with_definition || !named.is_definition);
    let location =
        |named: &Named<'_>| Location { uri: document.uri.clone(), range: range(document, named.span) };
    Some(json!(found.map(location).collect::<Vec<_>>()))
}

/// The same, for the editor to mark.
pub(super) fn highlights(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    const READ: u32 = 2;
    const WRITE: u32 = 3;
    let document = workspace.document(&params.text_document.uri)?;
    let all = names::all(document);
    let found = names::places(&all, names::at(&all, document.text.offset(params.position))?);
    let mark = |named: &Named<'_>| json!({ "range": range(document, named.span), "kind": if named.is_definition { WRITE } else { READ } });
    Some(found.into_iter().map(mark).collect())
}

/// The name that would be changed.
pub(super) fn prepare_rename(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let all = names::all(document);
    let named = names::at(&all, document.text.offset(params.position))?;
    names::definition(&all, named)?;
    Some(json!({ "range": range(document, named.span), "placeholder": named.name }))
}

/// Gives the name at a place another one, wherever it stands.
pub(super) fn rename(workspace: &Workspace, params: &AtPosition) -> Result<Option<Value>, String> {
    let Some(document) = workspace.document(&params.text_document.uri) else { return Ok(None) };
    let all = names::all(document);
    let offset = document.text.offset(params.position);
    let named = names::at(&all, offset)
        .ok_or("only names of sources, modules, images and profiles can be changed")?;
    let to = params.new_name.as_deref().unwrap_or_default();
    let edits = names::rename(document, &all, named, to)?;
    let edits = edits.into_iter().map(|(span, new_text)| TextEdit { range: range(document, span), new_text });
    let edits: Vec<_> = edits.collect();
    Ok(Some(json!({ "changes": BTreeMap::from([(document.uri.as_str(), edits)]) })))
}

/// The files that a manifest names, as links.
pub(super) fn links(workspace: &Workspace, params: &OfDocument) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let link = |(span, path): (Span, Utf8PathBuf)| json!({ "range": range(document, span), "target": workspace.uri(&path) });
    Some(files(document).into_iter().map(link).collect())
}

/// The files and directories that a manifest names and that are there, with the places of their paths.
fn files(document: &Document) -> Vec<(Span, Utf8PathBuf)> {
    if !std::ptr::eq(document.language(), &raw const MANIFEST) {
        return Vec::new();
    }
    let Some(root) = document.path.parent() else { return Vec::new() };
    let disk = Disk::open(root).ok();
    let is_there =
        |path: &RelPath| disk.as_ref().is_some_and(|disk| Dir::status_of(disk.root(), path.as_str()).is_ok());
    let paths = visits(document.nodes()).into_iter().flat_map(|visit| paths(&visit));
    let paths = paths.filter_map(|value| {
        let path = RelPath::parse(&value.text()?.value).ok().filter(is_there)?;
        Some((inside(value.span, document), root.join(path.as_path())))
    });
    paths.collect()
}

/// The values on a node's line that are paths from the manifest on.
fn paths<'a>(visit: &Visit<'a>) -> Vec<&'a Written> {
    let Some(node) = visit.node() else { return Vec::new() };
    let argument = |at: usize| node.arguments.get(at).into_iter().collect();
    match visit.names().as_slice() {
        ["source", "patch" | "path"] | ["signing", "certificate"] => argument(0),
        ["profile" | "template"] => argument(1),
        ["matrix", "os", "kernel"] => node.property("from").into_iter().collect(),
        ["matrix", "repository"] | ["matrix", "os", "repository"] => {
            node.property("key").into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A span without the quotes around it.
fn inside(span: Span, document: &Document) -> Span {
    let spelled = document.text.as_str().get(span.start as usize..span.end as usize).unwrap_or_default();
    match spelled.starts_with('"') && spelled.len() > 1 {
        true => Span { start: span.start + 1, end: span.end - 1, ..span },
        false => span,
    }
}

fn range(document: &Document, span: Span) -> Range {
    document.text.range(span.start as usize, span.end as usize)
}
