//! What lowering knows while it goes through the tree: the manifest's names, its text, and what was reported so far.

use super::layers::Overlay;
use super::names::Names;
use super::selector::Selector;
use crate::language::syntax::ast;
use crate::text::diag::Diagnostics;
use crate::text::source::Sources;

/// What lowering needs to know while it goes through the tree.
pub(super) struct Lower<'a> {
    pub(super) text: &'a Sources,
    pub(super) project: &'a ast::Project,
    pub(super) names: Names<'a>,
    pub(super) diagnostics: Diagnostics,
}

impl<'a> Lower<'a> {
    pub(super) fn new(manifest: &'a ast::Manifest, text: &'a Sources) -> Self {
        let mut diagnostics = Diagnostics::default();
        let names = Names::new(manifest, &mut diagnostics);
        Self { text, project: &manifest.project, names, diagnostics }
    }

    /// An `on` with its body.
    pub(super) fn overlay<A, B>(
        &mut self,
        on: &ast::On<A>,
        lower_body: fn(&mut Self, &A) -> B,
    ) -> Option<Overlay<B>> {
        let body = lower_body(self, &on.body);
        Some(Overlay { selector: self.selector(&on.selector)?, body })
    }

    /// A selector whose terms all parse.
    pub(super) fn selector(&mut self, selector: &ast::Selector) -> Option<Selector> {
        let (selector, problems) = Selector::parse(selector);
        let fine = problems.is_empty();
        self.diagnostics.extend(problems);
        fine.then_some(selector)
    }

    /// The project's registry, as written.
    pub(super) fn registry(&self) -> Option<&str> {
        self.project.registry.as_ref().map(|registry| registry.value.as_str())
    }
}
