//! From diagnostics to SARIF 2.1.0, the interchange format of static analysis that code scanning services read.
//!
//! Only the fields that drvc has something to say in; the standard is published by OASIS at
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use super::{Code, Diagnostic, Label, Report, Severity, Suggestion, explain};
use crate::text::source::Span;
use serde::Serialize;

/// A log: the root of a SARIF file.
#[derive(Debug, Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    pub version: &'static str,
    pub runs: [Run; 1],
}

/// What one run of drvc found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub tool: Tool,
    pub column_kind: &'static str,
    pub results: Vec<SarifResult>,
}

/// drvc, as SARIF describes a tool.
#[derive(Debug, Serialize)]
pub struct Tool {
    pub driver: Driver,
}

/// The tool itself and its rules.
#[derive(Debug, Serialize)]
pub struct Driver {
    pub name: &'static str,
    pub version: &'static str,
    pub rules: Vec<Rule>,
}

/// One diagnostic code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub id: &'static str,
    pub short_description: Message,
    pub help: Message,
    pub default_configuration: Configuration,
}

/// How bad a rule's results are.
#[derive(Debug, Serialize)]
pub struct Configuration {
    pub level: &'static str,
}

/// One diagnostic.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifResult {
    pub rule_id: &'static str,
    pub rule_index: usize,
    pub level: &'static str,
    pub message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

/// A way to mend a result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    pub description: Message,
    pub artifact_changes: Vec<ArtifactChange>,
}

/// The edits in one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactChange {
    pub artifact_location: Artifact,
    pub replacements: Vec<Replacement>,
}

/// One edit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    pub deleted_region: Region,
    pub inserted_content: Message,
}

/// A text.
#[derive(Debug, Serialize)]
pub struct Message {
    pub text: String,
}

/// A place, and why that place.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    pub physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// A region of a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalLocation {
    pub artifact_location: Artifact,
    pub region: Region,
}

/// A file.
#[derive(Debug, Serialize)]
pub struct Artifact {
    pub uri: String,
}

/// Lines and columns from 1, the end exclusive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    pub start_line: u32,
    pub start_column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// The report as a SARIF log. The rules are the codes that occur in it.
#[must_use]
pub fn render(report: &Report<'_>) -> Log {
    let mut codes: Vec<Code> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_by_key(|code| code.name());
    codes.dedup();
    let results = report.diagnostics.iter().map(|diagnostic| result(diagnostic, &codes, report)).collect();
    let rules = codes.iter().map(|&code| rule(code)).collect();
    let driver = Driver { name: "drvc", version: env!("CARGO_PKG_VERSION"), rules };
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    }
}

fn rule(code: Code) -> Rule {
    Rule {
        id: code.name(),
        short_description: Message { text: explain::summary(code) },
        help: Message { text: explain::section(code).to_owned() },
        default_configuration: Configuration { level: level(code.severity()) },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Drift | Severity::Warning => "warning",
    }
}

fn result(diagnostic: &Diagnostic, codes: &[Code], report: &Report<'_>) -> SarifResult {
    let help = diagnostic.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut labels = diagnostic.labels.iter();
    let locations = labels.next().map(|label| location(label, None, report)).into_iter().collect();
    SarifResult {
        rule_id: diagnostic.code.name(),
        rule_index: codes.iter().position(|&code| code == diagnostic.code).unwrap_or_default(),
        level: level(diagnostic.severity()),
        message: message(&format!("{}{help}", diagnostic.message)),
        locations,
        related_locations: labels.enumerate().map(|(id, label)| location(label, Some(id), report)).collect(),
        fixes: fix(diagnostic, report).into_iter().collect(),
    }
}

fn fix(diagnostic: &Diagnostic, report: &Report<'_>) -> Option<Fix> {
    let help = message(diagnostic.help.as_deref()?);
    let change = |edit: &Suggestion| ArtifactChange {
        artifact_location: Artifact { uri: uri(&report.place(edit.span).file) },
        replacements: vec![Replacement {
            deleted_region: region(edit.span, report),
            inserted_content: Message { text: edit.text.clone() },
        }],
    };
    let artifact_changes: Vec<_> = diagnostic.suggestions.iter().map(change).collect();
    (!artifact_changes.is_empty()).then_some(Fix { description: help, artifact_changes })
}

fn region(span: Span, report: &Report<'_>) -> Region {
    let place = report.place(span);
    Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    }
}

fn location(label: &Label, id: Option<usize>, report: &Report<'_>) -> Location {
    let place = report.place(label.span);
    let region = region(label.span, report);
    let message = (!label.text.is_empty()).then(|| message(&label.text));
    let artifact_location = Artifact { uri: uri(&place.file) };
    Location { id, physical_location: PhysicalLocation { artifact_location, region }, message }
}

/// A text in which braces do not begin a placeholder: section 3.11.5 has them doubled.
fn message(text: &str) -> Message {
    Message { text: text.replace('{', "{{").replace('}', "}}") }
}

/// A path as a URI reference: every byte but RFC 3986's unreserved ones and `/` is percent-encoded.
fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
