//! Diagnostics as data: what is wrong with the user's files, where, and what to do about it.
//!
//! A [`Diagnostic`] is about the manifest or another file of the user's and carries a [`Code`] and spans.
//! What goes wrong in the outside world (a disk, a network) is an [`crate::text::error::Error`] instead.
//!
//! A [`Report`] of them is rendered for people ([`human`]), for programs ([`json`], [`sarif`]) and for GitHub
//! ([`github`]). [`clean`] keeps what others wrote from being obeyed by a terminal; [`explain`] knows the manual.

pub mod clean;
mod code;
mod excerpt;
pub mod explain;
pub mod github;
pub mod human;
pub mod json;
mod report;
pub mod sarif;
mod suggest;
mod words;

pub use clean::{Clean, is_hostile};
pub use code::{Basis, Code, Severity};
pub use report::{Place, Report};
pub use suggest::nearest;
pub use words::{article, count, lines, listed, pasted, shown};

use crate::text::source::Span;

/// One place that a diagnostic points at, and why that place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Why here: a lowercase fragment without a full stop; empty to underline only.
    pub text: String,
}

/// What is to stand at a place instead of what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is replaced; an empty span is an insertion.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// One report about the user's files.
///
/// `message` says what is wrong, the labels say why here, `help` says what to do: three different things,
/// each a lowercase fragment with no full stop and names in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// The kind of mistake.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where; the first is the main place. Empty only where no file is to blame.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The edits that do it together, where it is plain which. They never overlap, and leave what is meant elsewhere as it is.
    pub suggestions: Vec<Suggestion>,
}

impl Diagnostic {
    /// A diagnostic with neither label nor help yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: None, suggestions: Vec::new() }
    }

    /// Points at a place too; the first call gives the main place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do by an edit too; several are made together.
    pub fn suggest(mut self, span: Span, text: impl Into<String>) -> Self {
        self.suggestions.push(Suggestion { span, text: text.into() });
        self
    }

    /// Whether this is an error, a warning or drift.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// All diagnostics of a run. Phases push into it and go on, so that one run reports every mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one report.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.all.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        self.all.extend(other.all);
    }

    /// All of these but those of some codes.
    #[must_use]
    pub fn without(mut self, unwanted: impl Fn(Code) -> bool) -> Self {
        self.all.retain(|diagnostic| !unwanted(diagnostic.code));
        self
    }

    /// Replaces every text in them.
    pub(super) fn change_texts(&mut self, change: impl Fn(&str) -> String) {
        for one in &mut self.all {
            let labels = one.labels.iter_mut().map(|label| &mut label.text);
            let texts = labels.chain([&mut one.message]).chain(&mut one.help);
            texts.for_each(|text| *text = change(text));
        }
    }

    /// Whether any is an error, so that nothing may be written.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
    }

    /// Whether any is an error beside what waits for the lock: that holds up its own targets only.
    #[must_use]
    pub fn has_errors_beside_open(&self) -> bool {
        let is_error = |one: &&Diagnostic| one.severity() == Severity::Error && !one.code.is_open();
        self.all.iter().any(|one| is_error(&one))
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// In the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// Reports that differ in their message alone, such as one for each cell of an `os`, become the first of them.
    fn one_for_each_cause(mut self) -> Self {
        let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
        for one in self.all.drain(..) {
            let same = |kept: &Diagnostic| {
                !one.labels.is_empty()
                    && one.help.is_some()
                    && (kept.code, &kept.labels, &kept.help) == (one.code, &one.labels, &one.help)
            };
            match kept.last_mut().filter(|(last, _)| same(last)) {
                Some((_, more)) => *more += 1,
                None => kept.push((one, 0)),
            }
        }
        let told = kept.into_iter().map(|(mut one, more)| {
            if more > 0 {
                one.message = format!("{}; and {more} more like it", one.message);
            }
            one
        });
        Self { all: told.collect() }
    }

    /// Sorted by place (those without a place first), then by code; repeated reports are dropped.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
        self.all.sort_by(|a, b| {
            place(a).cmp(&place(b)).then_with(|| a.code.cmp(&b.code)).then_with(|| a.message.cmp(&b.message))
        });
        self.all.dedup();
        self.one_for_each_cause()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(all: I) -> Self {
        Self { all: all.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests;
