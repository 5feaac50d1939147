//! What every format of report needs: diagnostics in order, the texts that they point into, and where those lie.

use super::{Code, Diagnostic, Diagnostics, Severity, clean};
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

    /// The same with the most serious last, where a terminal's prompt is. Drift is counted only, unless `drift` says that
    /// all of it is to be shown: one command settles it. What was edited by hand is always shown.
    #[must_use]
    pub fn for_people(&self, drift: bool) -> (Self, usize) {
        let (sources, root) = (self.sources, self.root);
        let settled_by_lock =
            |one: &Diagnostic| one.severity() == Severity::Drift && one.code != Code::EditedLockEntry;
        let (counted, mut shown): (Vec<_>, Vec<_>) =
            self.diagnostics.iter().cloned().partition(|one| !drift && settled_by_lock(one));
        shown.sort_by_key(|one| std::cmp::Reverse(one.severity()));
        let mut diagnostics = Diagnostics::default();
        shown.into_iter().for_each(|one| diagnostics.push(one));
        (Self { sources, diagnostics, root }, counted.len())
    }

    /// Whether a file of this path was read.
    #[must_use]
    pub fn has_read(&self, path: &str) -> bool {
        self.sources.find(Utf8Path::new(path)).is_some()
    }

    /// The codes of what is worst in it.
    #[must_use]
    pub fn worst(&self) -> Vec<&'static str> {
        let worst = self.diagnostics.iter().map(Diagnostic::severity).min();
        let mut codes: Vec<_> = self
            .diagnostics
            .iter()
            .filter(|one| Some(one.severity()) == worst)
            .map(|one| one.code.name())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
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
