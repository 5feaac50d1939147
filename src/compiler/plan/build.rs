//! From groups of cells to targets and their graph.

use super::builder::Builder;
use super::groups::Group;
use super::nodes::finish;
use super::reuse::{Made, try_earlier};
use super::targets::{Target, refuse_shared_tags, target};
use super::{Graph, Inputs, Toolkit};
use crate::text::diag::Diagnostics;

/// Makes the stages of every group.
pub(super) fn build(
    inputs: &Inputs<'_>,
    groups: &[Group<'_>],
    diagnostics: &mut Diagnostics,
) -> (Graph, Vec<Toolkit>, Vec<Target>) {
    let mut builder = Builder::new(inputs);
    let mut made = Vec::with_capacity(groups.len());
    for group in groups {
        let Some(cell) = group.cells.first() else { continue };
        if let Some(problem) = group.differing_overlays(inputs.model) {
            diagnostics.push(problem);
            continue;
        }
        let body = builder.image_body(group.image, cell);
        let root = builder.image(group.image, &body, cell);
        match target(&builder, group, cell, &body, root) {
            Ok(target) => made.push(Made { image: group.image, cell, body, target }),
            Err(problem) => diagnostics.push(problem),
        }
    }
    try_earlier(&mut builder, &mut made);
    let mut targets: Vec<_> = made.into_iter().map(|made| made.target).collect();
    let (graph, toolkits, problems) = finish(builder, groups);
    diagnostics.extend(problems);
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    refuse_shared_tags(&targets, diagnostics);
    (graph, toolkits, targets)
}
