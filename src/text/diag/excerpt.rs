//! From a diagnostic's labels to the few lines of source that are shown with it, sanitised, spans moved along.
//!
//! miette asks for text by byte offsets in one document. An [`Excerpt`] is such a document, made for one diagnostic:
//! only the lines around its labels, of however many files, already escaped. That makes a report cost the same in a
//! file of any size, and lets its carets stand right under text that grew when it was escaped.

use super::{Label, clean};
use crate::text::source::{FileId, Position, SourceFile, Sources, Span};
use camino::Utf8Path;
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::collections::{BTreeMap, BTreeSet};

/// Longest piece of a line that is shown, in bytes; longer lines are cut around their first label.
const LONGEST_LINE: usize = 160;
/// How much of a cut line stands before the first label, in bytes.
const BEFORE_LABEL: usize = 60;

/// The lines of source that are shown with one diagnostic.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    text: String,
    parts: Vec<Part>,
    marks: Vec<Mark>,
}

/// Successive lines of one file.
#[derive(Debug)]
struct Part {
    /// The file's path as it is shown.
    name: String,
    /// The first line, from 0.
    line: usize,
    /// Where the lines begin and end in the excerpt.
    start: usize,
    end: usize,
    lines: usize,
}

/// Where a label stands in the excerpt, and where it stood in its file.
#[derive(Debug)]
struct Mark {
    label: usize,
    text: String,
    start: usize,
    end: usize,
    position: Position,
}

impl Excerpt {
    /// Collects the lines around `labels`. `root` is put before each path.
    pub(super) fn new(sources: &Sources, labels: &[Label], root: &Utf8Path) -> Self {
        let mut excerpt = Self::default();
        let mut files: Vec<FileId> = Vec::new();
        for label in labels {
            if !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        for file in files {
            excerpt.add_file(sources.get(file), file, labels, root);
        }
        excerpt
    }

    /// The labels, at their places in the excerpt; the first one of the diagnostic is the main one.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.marks.iter().map(|mark| {
            let text = (!mark.text.is_empty()).then(|| mark.text.clone());
            let span = SourceSpan::from((mark.start, mark.end - mark.start));
            if mark.label == 0 {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })
    }

    fn add_file(&mut self, file: &SourceFile, id: FileId, labels: &[Label], root: &Utf8Path) {
        let mut wanted = BTreeSet::new();
        let mut labels_of: BTreeMap<usize, Vec<(usize, &Label)>> = BTreeMap::new();
        for (index, label) in labels.iter().enumerate().filter(|(_, label)| label.span.file == id) {
            let line = file.line_of(label.span.start);
            labels_of.entry(line).or_default().push((index, label));
            wanted.extend(line.saturating_sub(1)..=line);
            wanted.extend(
                Some(line + 1).filter(|&next| next < file.line_count() && !line_text(file, next).is_empty()),
            );
        }
        let mut previous = None;
        for line in wanted {
            if previous.is_none_or(|previous| previous + 1 != line) {
                let name = clean::escape(root.join(&file.path).as_str()).into_owned();
                let start = self.text.len();
                self.parts.push(Part { name, line, start, end: start, lines: 0 });
            }
            self.add_line(file, line, labels_of.get(&line).map_or(&[], Vec::as_slice));
            previous = Some(line);
        }
    }

    /// Appends one line, escaped and cut where it is long, and marks the labels that begin on it.
    fn add_line(&mut self, file: &SourceFile, line: usize, labels: &[(usize, &Label)]) {
        let raw = &*clean::without_passwords(line_text(file, line));
        let begin = file.line_start(line);
        let first = labels.iter().map(|(_, label)| label.span.start as usize).min();
        let window = shown_window(raw, first.map(|first| first.saturating_sub(begin)));
        if window.start > 0 {
            self.text.push('…');
        }
        let mut moved = BTreeMap::from([(window.start, self.text.len())]);
        for (at, character) in raw.get(window.clone()).unwrap_or_default().char_indices() {
            if character == '\t' {
                self.text.push('\t')
            } else {
                clean::push_escaped(&mut self.text, character)
            }
            moved.insert(window.start + at + character.len_utf8(), self.text.len());
        }
        for &(index, label) in labels {
            let place = |offset: u32| {
                let offset = (offset as usize).saturating_sub(begin).clamp(window.start, window.end);
                moved.range(..=offset).next_back().map_or(0, |(_, &at)| at)
            };
            let Span { start, end, .. } = label.span;
            self.marks.push(Mark {
                label: index,
                text: clean::escape(&label.text).into_owned(),
                start: place(start),
                end: place(end),
                position: file.position(start),
            });
        }
        if window.end < raw.len() {
            self.text.push('…');
        }
        self.text.push('\n');
        let end = self.text.len();
        if let Some(part) = self.parts.last_mut() {
            part.end = end;
            part.lines += 1;
        }
    }
}

/// A line without its end; empty past the last one.
fn line_text(file: &SourceFile, line: usize) -> &str {
    let text = file.text.get(file.line_start(line)..file.line_start(line + 1)).unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Which bytes of a line are shown, given where its first label begins.
fn shown_window(line: &str, label: Option<usize>) -> std::ops::Range<usize> {
    if line.len() <= LONGEST_LINE {
        return 0..line.len();
    }
    let label = label.unwrap_or(0).min(line.len());
    let start = line.floor_char_boundary(label.saturating_sub(BEFORE_LABEL));
    start..line.floor_char_boundary(start + LONGEST_LINE)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let part = self.parts.iter().find(|part| part.start <= start && end <= part.end && start < part.end);
        let part = part.ok_or(MietteError::OutOfBounds)?;
        let data = self.text.as_bytes().get(part.start..part.end).ok_or(MietteError::OutOfBounds)?;
        let whole = SourceSpan::from((part.start, part.end - part.start));
        // Without context around it, miette wants to know where a label stands in the file, for the heading.
        let heading = lines_before == 0 && lines_after == 0;
        let mark = self.marks.iter().find(|mark| heading && mark.start == start && mark.end == end);
        let (line, column) = mark.map_or((part.line, 0), |mark| {
            (mark.position.line as usize - 1, mark.position.column as usize - 1)
        });
        Ok(Box::new(MietteSpanContents::new_named(part.name.clone(), data, whole, line, column, part.lines)))
    }
}
