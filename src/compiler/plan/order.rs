//! Orders that modules impose: what must be built before what, and that there is such an order at all.

use super::graph::shortest_cycle;
use crate::compiler::model::{Model, ModuleId};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::Span;
use std::collections::BTreeSet;

/// Reports modules that need each other. An `on` counts as if it held everywhere.
pub(super) fn refuse_cycles(model: &Model, diagnostics: &mut Diagnostics) {
    let needs: Vec<(usize, usize, Span)> = all_needs(model).collect();
    let edges: Vec<_> = needs.iter().map(|&(from, to, _)| (from, to)).collect();
    let Some(cycle) = shortest_cycle(model.modules.len(), &edges) else { return };
    let name = |at: usize| model.modules.get(at).map_or("", |module| module.name.as_str());
    let closed: Vec<usize> = cycle.iter().chain(cycle.first()).copied().collect();
    let path: Vec<_> = closed.iter().map(|&at| name(at)).collect();
    let (message, help) = match cycle.as_slice() {
        [only] => (format!("module `{}` needs itself", name(*only)), "take this `needs` out"),
        _ => (
            format!("modules need each other: {}", path.join(" -> ")),
            "take one of these `needs` out, or build them as one module with several outputs",
        ),
    };
    let mut report = Diagnostic::new(Code::DependencyCycle, message);
    for pair in closed.windows(2) {
        let [from, to] = pair else { continue };
        let edge = needs.iter().find(|&&(a, b, _)| (a, b) == (*from, *to));
        if let Some(&(.., span)) = edge {
            report = report.label(span, format!("`{}` needs `{}`", name(*from), name(*to)));
        }
    }
    diagnostics.push(report.help(help));
}

fn all_needs(model: &Model) -> impl Iterator<Item = (usize, usize, Span)> {
    model.modules.iter().enumerate().flat_map(|(at, module)| {
        let overlays = module.overlays.iter().flat_map(|overlay| &overlay.body.needs);
        module.base.needs.iter().chain(overlays).map(move |need| (at, need.value.0, need.span))
    })
}

/// These modules and all that they need, each after all that it needs, otherwise in the order given.
pub(super) fn build_order(
    roots: &[ModuleId],
    mut needs: impl FnMut(ModuleId) -> Vec<ModuleId>,
) -> Vec<ModuleId> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    let mut open: Vec<_> = roots.iter().rev().map(|&root| (root, false)).collect();
    while let Some((module, needs_done)) = open.pop() {
        if needs_done {
            order.push(module);
        } else if seen.insert(module) {
            open.push((module, true));
            open.extend(needs(module).into_iter().rev().map(|need| (need, false)));
        }
    }
    order
}
