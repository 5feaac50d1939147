//! What every format of report needs: diagnostics in order, the texts that they point into, and where those lie.

use super::{Diagnostics, Severity, clean};
use crate::text::source::{Position, Sources, Span};
use camino::Utf8Path;

/// The diagnostics of a run, sorted, with the files that they are about.
#[derive(Debug)]
pub struct Report<'a> {
    pub(super) sources: &'a Sources,
    pub(super) diagnostics: Diagnostics,
    pub(super) root: &'a Utf8Path,
}

/// A span as people and tools know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path of the file, from where drvc was started.
    pub file: String,
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

impl<'a> Report<'a> {
    /// A report of `diagnostics`. `root` is the manifest's directory as seen from where drvc was started (empty where
    /// they are the same): paths are shown beneath it.
    #[must_use]
    pub fn new(sources: &'a Sources, diagnostics: Diagnostics, root: &'a Utf8Path) -> Self {
        let mut diagnostics = diagnostics.sorted();
        diagnostics.change_texts(|text| clean::without_passwords(text).into_owned());
        Self { sources, diagnostics, root }
    }

    /// How many there are of one severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity() == severity).count()
    }

    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Where a span lies.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let file = self.sources.get(span.file);
        Place {
            file: self.root.join(&file.path).into_string(),
            start: file.position(span.start),
            end: file.position(span.end),
        }
    }
}
