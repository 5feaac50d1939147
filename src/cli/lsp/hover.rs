//! What stands at a place, in words: a node of the language, a name, a kernel, a release, and what is wrong there.

use super::diagnostics::Places;
use super::names;
use super::protocol::AtPosition;
use super::tree::{self, Slot, Spot};
use super::workspace::{Document, Workspace};
use super::{facts, variables};
use crate::language::schema::{self, Kind};
use crate::text::diag::{Code, explain};
use serde_json::{Value, json};

/// A definition is shown up to so many lines.
const LINES: usize = 12;

pub(super) fn hover(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    let uri = &params.text_document.uri;
    let document = workspace.document(uri)?;
    let offset = document.text.offset(params.position);
    let mut parts = Vec::new();
    parts.extend(variable(document, offset));
    if let Some(spot) = tree::at(document.nodes(), document.language(), offset) {
        parts.extend(name(document, offset));
        parts.extend(facts::at(workspace, document, &spot));
        parts.extend(language(&spot));
    }
    parts.extend(mistakes(workspace, params));
    let text = parts.join("\n\n---\n\n");
    (!text.is_empty()).then(|| json!({ "contents": { "kind": "markdown", "value": text } }))
}

/// What the language says of a node, an argument or a property.
fn language(spot: &Spot<'_>) -> Option<String> {
    let spec = spot.spec?;
    let (kind, description, text) = match spot.slot {
        Slot::Name => return Some(schema::page(spec)),
        Slot::Argument(at, value) => {
            let argument = spec.arguments.get(at).or(spec.arguments.last().filter(|last| last.repeats))?;
            (argument.kind, format!("`{}`: {}", argument.name, argument.description), value.text())
        }
        Slot::Key(property) | Slot::Value(property) => {
            let key = property.key.value.as_str();
            match spec.property(key) {
                Some(found) => {
                    (found.kind, format!("`{key}=`: {}", found.description), property.value.text())
                }
                None => (Kind::TEXT, format!("`{key}=`: {}", spec.free?.description), None),
            }
        }
        Slot::Between => return None,
    };
    let chosen = match (kind, text) {
        (Kind::Enum(choice), Some(text)) => choice.values.iter().find(|(value, _)| *value == text.value),
        _ => None,
    };
    let chosen = chosen.map(|(value, says)| format!("\n\n`\"{value}\"`: {says}")).unwrap_or_default();
    Some(description + &chosen)
}

/// The node that gives the name at a place.
fn name(document: &Document, offset: usize) -> Option<String> {
    let all = names::all(document);
    let named = names::at(&all, offset).filter(|named| !named.is_definition)?;
    let node = names::definition(&all, named)?.node;
    let text = document.text.as_str().get(node.span.start as usize..node.span.end as usize)?;
    let more = if text.lines().count() > LINES { "\n    …" } else { "" };
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    Some(format!("```kdl\n{}{more}\n```", lines.join("\n")))
}

fn variable(document: &Document, offset: usize) -> Option<String> {
    let (name, ..) = variables::at(document.text.as_str(), offset)?;
    Some(format!("`{{{name}}}`: {}", variables::description(name)?))
}

/// What the manual says of the mistakes at a place.
fn mistakes(workspace: &Workspace, params: &AtPosition) -> Vec<String> {
    let uri = &params.text_document.uri;
    let Some(analysis) = workspace.analysis(uri) else { return Vec::new() };
    let places = Places::new(&analysis, workspace);
    let mut codes: Vec<Code> = Vec::new();
    for diagnostic in analysis.compilation.diagnostics.iter() {
        let location = diagnostic.labels.first().and_then(|label| places.of(label.span));
        let is_here = |found: super::protocol::Location| {
            found.uri == *uri && (found.range.start..=found.range.end).contains(&params.position)
        };
        if location.is_some_and(is_here) && !codes.contains(&diagnostic.code) {
            codes.push(diagnostic.code);
        }
    }
    codes.into_iter().map(|code| explain::section(code).to_owned()).collect()
}
