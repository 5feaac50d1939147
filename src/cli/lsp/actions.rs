//! Edits that the editor may make: what diagnostics suggest, and the canonical layout.

use super::diagnostics::Places;
use super::protocol::{InRange, OfDocument, TextEdit};
use super::workspace::{Analysis, Workspace};
use crate::cli::fix::mended;
use crate::language::{kdl, layout};
use crate::text::diag::{Diagnostic, count};
use crate::text::source::FileId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What can be mended in a part of a document, and all that can be mended in it without a decision.
pub(super) fn actions(workspace: &Workspace, params: &InRange) -> Option<Value> {
    let uri = &params.text_document.uri;
    let analysis = workspace.analysis(uri)?;
    let places = Places::new(&analysis, workspace);
    let here = |diagnostic: &&Diagnostic| {
        let location = diagnostic.labels.first().and_then(|label| places.of(label.span));
        location.is_some_and(|location| location.uri == *uri && location.range.touches(params.range))
    };
    let suggested = analysis.compilation.diagnostics.iter().filter(|one| !one.suggestions.is_empty());
    let mut actions: Vec<Value> = suggested.filter(here).filter_map(|one| quick_fix(one, &places)).collect();
    actions.extend(all_fixes(&analysis, workspace, uri));
    Some(actions.into())
}

fn quick_fix(diagnostic: &Diagnostic, places: &Places<'_>) -> Option<Value> {
    let mut changes: BTreeMap<String, Vec<TextEdit>> = BTreeMap::new();
    for edit in &diagnostic.suggestions {
        let location = places.of(edit.span)?;
        let edit = TextEdit { range: location.range, new_text: edit.text.clone() };
        changes.entry(location.uri).or_default().push(edit);
    }
    let title = match diagnostic.suggestions.as_slice() {
        [only] if only.text.is_empty() => "drvc: take this out".to_owned(),
        [only] if only.text.len() <= 60 && !only.text.contains('\n') => format!("drvc: write {}", only.text),
        several => format!("drvc: make the {} that help", count(several.len(), "edit")),
    };
    Some(json!({
        "title": title,
        "kind": "quickfix",
        "isPreferred": true,
        "edit": { "changes": changes },
    }))
}

/// As `drvc check --fix` does it, in one go.
fn all_fixes(analysis: &Analysis, workspace: &Workspace, uri: &str) -> Option<Value> {
    let document = workspace.document(uri)?;
    if document.path != analysis.root.join(analysis.manifest.as_path()) {
        return None;
    }
    let (after, edits) = mended(&analysis.compilation, &analysis.manifest)?;
    let changes = BTreeMap::from([(uri, document.text.edits_to(&after))]);
    Some(json!({
        "title": format!("drvc: {} that {} no decision", count(edits, "edit"), if edits == 1 { "needs" } else { "need" }),
        "kind": "source.fixAll",
        "edit": { "changes": changes },
    }))
}

/// The edits that bring a document into canonical layout; none where it cannot be read.
pub(super) fn layout(workspace: &Workspace, params: &OfDocument) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let text = document.text.as_str();
    let (_, mistakes) = kdl::parse(FileId::default(), text);
    if !mistakes.is_empty() {
        return None;
    }
    let laid_out = layout::format(text).ok()?;
    Some(json!(document.text.edits_to(&laid_out)))
}
