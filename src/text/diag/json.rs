//! From diagnostics to drvc's own JSON report, whose shape is `schema/report.schema.json`.

use super::{Diagnostic, Report, Severity};
use crate::text::source::{Position, Span};
use schemars::JsonSchema;
use serde::Serialize;

/// The whole report of one run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "drvc diagnostics report")]
pub struct ReportJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// How many diagnostics are errors: nothing is written then.
    pub errors: usize,
    /// How many say that lock file and manifest disagree.
    pub drift: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// All diagnostics, by place.
    pub diagnostics: Vec<DiagnosticJson>,
}

/// One diagnostic.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiagnosticJson {
    /// The kind of mistake, such as `unknown-node`; `drvc explain CODE` tells more.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where, and why there; the first is the main place.
    pub labels: Vec<LabelJson>,
    /// What to do.
    pub help: Option<String>,
    /// The edits that do it, all together, where it is plain which: `drvc check --fix` makes them.
    pub suggestions: Vec<SuggestionJson>,
}

/// One edit: what is between two points becomes another text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuggestionJson {
    /// Path of the file, as seen from the directory in which drvc was started.
    pub file: String,
    /// The first character that goes.
    pub start: PointJson,
    /// One past the last; equal to `start` where nothing goes.
    pub end: PointJson,
    /// What comes in its place.
    pub text: String,
}

/// One place that a diagnostic points at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LabelJson {
    /// Path of the file, as seen from the directory in which drvc was started.
    pub file: String,
    /// The first character.
    pub start: PointJson,
    /// One past the last character.
    pub end: PointJson,
    /// Why here; may be empty.
    pub text: String,
}

/// A point in a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PointJson {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Byte, from 0.
    pub offset: u32,
}

/// The report as a value of its JSON shape.
#[must_use]
pub fn render(report: &Report<'_>) -> ReportJson {
    ReportJson {
        version: 1,
        errors: report.count(Severity::Error),
        drift: report.count(Severity::Drift),
        warnings: report.count(Severity::Warning),
        diagnostics: report.diagnostics.iter().map(|one| diagnostic(one, report)).collect(),
    }
}

fn diagnostic(diagnostic: &Diagnostic, report: &Report<'_>) -> DiagnosticJson {
    let points = |span: Span| {
        let place = report.place(span);
        let point = |at: Position, offset| PointJson { line: at.line, column: at.column, offset };
        (place.file, point(place.start, span.start), point(place.end, span.end))
    };
    let label = |label: &super::Label| {
        let (file, start, end) = points(label.span);
        LabelJson { file, start, end, text: label.text.clone() }
    };
    let suggestion = |edit: &super::Suggestion| {
        let (file, start, end) = points(edit.span);
        SuggestionJson { file, start, end, text: edit.text.clone() }
    };
    DiagnosticJson {
        code: diagnostic.code.name().to_owned(),
        severity: diagnostic.severity(),
        message: diagnostic.message.clone(),
        labels: diagnostic.labels.iter().map(label).collect(),
        help: diagnostic.help.clone(),
        suggestions: diagnostic.suggestions.iter().map(suggestion).collect(),
    }
}
