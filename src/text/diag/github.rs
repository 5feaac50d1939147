//! From diagnostics to GitHub's workflow commands, which its runner shows as annotations beside the lines.
//!
//! The syntax and its escapes are those of `src/Runner.Common/ActionCommand.cs` in github.com/actions/runner.

use super::clean::escape;
use super::{Diagnostic, Report, Severity};
use std::fmt::Write as _;

/// One `::error` or `::warning` line per diagnostic.
#[must_use]
pub fn render(report: &Report<'_>) -> String {
    report.diagnostics.iter().map(|diagnostic| annotation(diagnostic, report)).collect()
}

fn annotation(diagnostic: &Diagnostic, report: &Report<'_>) -> String {
    let kind = match diagnostic.severity() {
        Severity::Error => "error",
        Severity::Drift | Severity::Warning => "warning",
    };
    let mut out = format!("::{kind} ");
    if let Some(label) = diagnostic.labels.first() {
        let place = report.place(label.span);
        let (start, end) = (place.start, place.end);
        let _ = write!(out, "file={},line={},endLine={},", property(&place.file), start.line, end.line);
        if start.line == end.line {
            let _ = write!(out, "col={},endColumn={},", start.column, end.column);
        }
    }
    let _ = writeln!(out, "title={}::{}", property(diagnostic.code.name()), data(&body(diagnostic)));
    out
}

/// Message, the main label's text and help, a line each.
fn body(diagnostic: &Diagnostic) -> String {
    let label = diagnostic.labels.first().map(|label| label.text.as_str()).filter(|text| !text.is_empty());
    let help = diagnostic.help.as_ref().map(|help| format!("help: {help}"));
    let lines = [Some(diagnostic.message.as_str()), label, help.as_deref()];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn data(text: &str) -> String {
    escape(text).replace('%', "%25").replace('\n', "%0A").replace("##[", "##\\u{5b}")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
