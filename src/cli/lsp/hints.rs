//! How much is built, behind what says so: `6 targets, 2 changed`.

use super::protocol::{InRange, Range};
use super::workspace::{Analysis, Document, Workspace};
use crate::compiler::plan::Target;
use crate::images::record::tally;
use crate::language::kdl::Node;
use crate::text::diag::count;
use serde_json::{Value, json};

/// The hints of a part of a manifest; none while something is wrong with it.
pub(super) fn hints(workspace: &Workspace, params: &InRange) -> Option<Value> {
    let uri = &params.text_document.uri;
    let analysis = workspace.analysis(uri)?;
    let document = workspace.document(uri)?;
    if document.path != analysis.root.join(analysis.manifest.as_path()) {
        return None;
    }
    let mut hints = Vec::new();
    for node in document.nodes() {
        match node.name.value.as_str() {
            "image" => hints.extend(of_image(node, &analysis, document)),
            "matrix" => {
                hints.extend(hint(node, &analysis, document, |_| true));
                let systems: Vec<&Node> = node.all("os").collect();
                hints.extend(systems.iter().filter_map(|os| of_system(os, &systems, &analysis, document)));
            }
            _ => {}
        }
    }
    Some(hints.into_iter().filter(|(range, _)| range.touches(params.range)).map(|(_, hint)| hint).collect())
}

fn of_image(node: &Node, analysis: &Analysis, document: &Document) -> Option<(Range, Value)> {
    let name = node.text()?.value;
    hint(node, analysis, document, |target| target.image.as_str() == name)
}

/// Of the only `os` of its name: which of several a target is of is not told.
fn of_system(node: &Node, all: &[&Node], analysis: &Analysis, document: &Document) -> Option<(Range, Value)> {
    let name = node.text()?.value;
    let same = |other: &&&Node| other.text().is_some_and(|text| text.value == name);
    if all.iter().filter(same).count() > 1 {
        return None;
    }
    let is_of = |target: &Target| {
        target.at.os.as_str() == name || target.merged.iter().any(|other| other.os.as_str() == name)
    };
    hint(node, analysis, document, is_of)
}

fn hint(
    node: &Node,
    analysis: &Analysis,
    document: &Document,
    is_of: impl Fn(&Target) -> bool,
) -> Option<(Range, Value)> {
    let plan = &analysis.compilation.plan.as_ref()?.plan;
    let here = || plan.targets.iter().enumerate().filter(|(_, target)| is_of(target));
    let targets = count(here().count(), "target");
    let label = match analysis.states() {
        Some(states) => {
            let states: Vec<_> = here().filter_map(|(at, _)| states.get(at).copied()).collect();
            format!("{targets}: {}", tally(&states))
        }
        None => match here().filter(|(_, target)| analysis.changed().contains(target.id.as_str())).count() {
            0 => targets,
            changed => format!("{targets}, {changed} changed"),
        },
    };
    let end = node.arguments.last().map_or(node.name.span.end, |value| value.span.end) as usize;
    let place = document.text.range(end, end);
    Some((place, json!({ "position": place.start, "label": label, "paddingLeft": true })))
}
