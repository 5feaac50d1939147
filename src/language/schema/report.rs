//! What is wrong with one file, as far as it was reported.

use super::table::Body;
use crate::text::diag::{Diagnostic, Diagnostics, nearest};
use crate::text::source::Sources;

/// Reports after which no more are made.
pub(super) const MAX_REPORTS: usize = 200;

/// One run of the validator over one file.
pub(super) struct Check<'a> {
    pub(super) language: &'static Body,
    pub(super) sources: &'a Sources,
    pub(super) found: Diagnostics,
    /// Whether every node of the file could be read, so that one that is not there is missing.
    pub(super) complete: bool,
    /// The name of the first source, for examples.
    pub(super) source: Option<String>,
}

impl Check<'_> {
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MAX_REPORTS
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.found.push(diagnostic);
        }
    }
}

/// The word among `candidates` that was probably meant; nothing is near a very long word.
pub(super) fn similar(word: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if word.len() > 64 {
        return None;
    }
    let candidates: Vec<_> = candidates.collect();
    let begins =
        |name: &&&str| name.len() > 3 && word.strip_prefix(**name).is_some_and(|rest| rest.starts_with('-'));
    nearest(word, candidates.iter().copied()).or_else(|| candidates.iter().find(begins).copied())
}
