//! What the manifest names, and what is laid over it: a body that holds everywhere, and overlays for selected cells.

use super::selector::Selector;
use crate::text::source::Span;

/// The place of a source in `Model::sources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub usize);

/// The place of a module in `Model::modules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub usize);

/// A named thing: what holds everywhere, and what is laid over it for the cells that a selector selects.
#[derive(Clone, Debug)]
pub struct Layers<N, B> {
    pub name: N,
    /// Where it was named.
    pub span: Span,
    /// What holds everywhere.
    pub base: B,
    /// What is laid over it, in the order written.
    pub overlays: Vec<Overlay<B>>,
}

/// One `on`.
#[derive(Clone, Debug)]
pub struct Overlay<B> {
    /// Which cells.
    pub selector: Selector,
    /// What changes there.
    pub body: B,
}

/// A body that another can be laid over: single values replace, lists append.
pub trait Merge: Clone {
    /// Lays `over` upon `self`.
    fn merge(&mut self, over: &Self);
}

impl<N, B: Merge> Layers<N, B> {
    /// The body with the overlays at these places laid over it, in order.
    #[must_use]
    pub fn with(&self, overlays: &[usize]) -> B {
        let mut body = self.base.clone();
        for overlay in overlays.iter().filter_map(|&at| self.overlays.get(at)) {
            body.merge(&overlay.body);
        }
        body
    }
}

/// The places of the overlays whose selector passes.
pub fn selected<B>(overlays: &[Overlay<B>], selects: impl Fn(&Selector) -> bool) -> Vec<usize> {
    let selected = overlays.iter().enumerate().filter(|(_, overlay)| selects(&overlay.selector));
    selected.map(|(at, _)| at).collect()
}

/// Replaces a single value where the overlay has one.
pub(super) fn replace<T: Clone>(value: &mut Option<T>, over: &Option<T>) {
    if over.is_some() {
        value.clone_from(over);
    }
}
