//! What is said of the matrix by more than one step of the plan.

use super::Inputs;
use crate::compiler::model::Selector;
use crate::compiler::model::selector::{Values, View};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use crate::text::source::Span;

/// At most so many values are listed where none of them is selected.
const MOST_VALUES: usize = 8;

/// Reports selectors that select none of these cells, each with the name of its node.
pub(super) fn dead<'s, 'v, V: Iterator<Item = View<'v>>>(
    selectors: impl Iterator<Item = (&'s Selector, &'static str)>,
    cells: impl FnOnce() -> V,
    diagnostics: &mut Diagnostics,
) {
    let mut selectors = selectors.peekable();
    if selectors.peek().is_some() {
        let values = Values::of(cells());
        selectors.for_each(|(selector, node)| diagnostics.push(dead_among(selector, node, &values)));
    }
}

/// The same of one selector, for cells whose values are known.
pub(super) fn dead_among(selector: &Selector, node: &str, values: &Values<'_>) -> Diagnostic {
    let (label, help) = match values.unmet(selector) {
        Some((key, values)) if (1..=MOST_VALUES).contains(&values.len()) => (
            format!("no cell passes its `{key}`"),
            format!("in this matrix, `{key}` is {}", listed(values, "or")),
        ),
        Some((key, _)) => (format!("no cell passes its `{key}`"), "correct it, or take it out".into()),
        None => ("no cell passes all of its tests".into(), "correct it, or take it out".into()),
    };
    Diagnostic::new(Code::DeadSelector, format!("{node} selects nothing of the matrix"))
        .label(selector.span, label)
        .help(help)
}

pub(super) fn repeated(what: &str, text: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::RepeatedCell, format!("{what} `{text}` comes twice"))
        .label(again, "again here")
        .label(first, "first here")
        .help("take one out")
}

pub(super) fn unlocked(what: &str, label: &str, missing: &[String], span: Span) -> Diagnostic {
    let mut listed = missing.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    if missing.len() > 6 {
        listed.push_str(&format!(" and {} more", missing.len() - 6));
    }
    Diagnostic::new(
        Code::UnlockedKernels,
        format!("the lock file does not say which kernels {what}: {listed}"),
    )
    .label(span, label)
    .help("run `drvc lock`, or name the kernels in full")
}

/// More targets than were allowed.
pub(super) fn too_many(inputs: &Inputs<'_>, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyTargets,
        format!("the matrix gives more than {} targets", inputs.max_targets),
    )
    .label(span, "the limit is passed here")
    .help("narrow the matrix, or raise the limit with `--max-targets`")
}
