//! From what the compiler reports to what the editor shows in each file.

use super::document::Text;
use super::protocol::{Location, Range};
use super::workspace::{Analysis, Workspace};
use crate::text::diag::{Code, Diagnostic, Label, Severity};
use crate::text::source::{FileId, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many are shown in a file, and no more.
const MOST: usize = 1000;

/// The diagnostics of every file of a project, by the file's address. The manifest is always among them.
pub(super) fn by_file(analysis: &Analysis, workspace: &Workspace) -> BTreeMap<String, Vec<Value>> {
    let places = Places::new(analysis, workspace);
    let mut files = BTreeMap::from([(places.manifest(), Vec::new())]);
    for diagnostic in analysis.compilation.diagnostics.iter() {
        let location = diagnostic.labels.first().and_then(|label| places.of(label.span));
        let Location { uri, range } = location.unwrap_or_else(|| places.top());
        let shown = files.entry(uri).or_default();
        if shown.len() < MOST {
            shown.push(one(diagnostic, range, &places));
        }
    }
    files
}

fn one(diagnostic: &Diagnostic, range: Range, places: &Places<'_>) -> Value {
    let severity = match diagnostic.severity() {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Drift => 3,
    };
    let first = diagnostic.labels.first().map(|label| label.text.as_str()).filter(|text| !text.is_empty());
    let mut message = diagnostic.message.clone();
    message.extend(first.map(|text| format!(": {text}")));
    message.extend(diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")));
    let other = diagnostic.labels.iter().skip(1);
    let related = other.filter_map(|Label { span, text }| {
        let message = if text.is_empty() { "here" } else { text };
        Some(json!({ "location": places.of(*span)?, "message": message }))
    });
    let mut shown = json!({
        "range": range,
        "severity": severity,
        "code": diagnostic.code.name(),
        "source": "drvc",
        "message": message,
        "relatedInformation": related.collect::<Vec<_>>(),
    });
    if diagnostic.code == Code::UnusedName {
        shown["tags"] = json!([1]);
    }
    shown
}

/// Where spans are, as the editor names places. The lines of each text are looked for once.
pub(super) struct Places<'a> {
    analysis: &'a Analysis,
    workspace: &'a Workspace,
    texts: std::cell::RefCell<BTreeMap<FileId, std::rc::Rc<Text>>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(analysis: &'a Analysis, workspace: &'a Workspace) -> Self {
        Self { analysis, workspace, texts: std::cell::RefCell::default() }
    }

    /// Where a span is; nowhere, if its file comes with drvc.
    pub(super) fn of(&self, span: Span) -> Option<Location> {
        let uri = self.workspace.uri(&self.analysis.path(span.file)?);
        let mut texts = self.texts.borrow_mut();
        let text =
            || std::rc::Rc::new(Text::new(self.analysis.compilation.sources.get(span.file).text.clone()));
        let text = texts.entry(span.file).or_insert_with(text);
        Some(Location { uri, range: text.range(span.start as usize, span.end as usize) })
    }

    fn manifest(&self) -> String {
        self.workspace.uri(&self.analysis.root.join(self.analysis.manifest.as_path()))
    }

    fn top(&self) -> Location {
        Location { uri: self.manifest(), range: Text::new("").range(0, 0) }
    }
}
