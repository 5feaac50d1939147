//! A text that an editor changes bit by bit, and the editor's way to name places in it.

use super::protocol::{Change, Position, Range, TextEdit};
use crate::text::difference::by_line;
use similar::DiffOp;
use std::sync::Arc;

/// A text and where its lines begin. Lines end as the protocol has it: `\n`, `\r\n` or `\r`.
#[derive(Debug)]
pub(super) struct Text {
    text: Arc<str>,
    starts: Vec<usize>,
}

impl Text {
    pub(super) fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Makes one edit of the editor's.
    pub(super) fn change(&mut self, change: &Change) {
        let Some(range) = change.range else { return *self = Self::new(change.text.as_str()) };
        let (one, other) = (self.offset(range.start), self.offset(range.end));
        let mut text = self.text.to_string();
        text.replace_range(one.min(other)..one.max(other), &change.text);
        *self = Self::new(text);
    }

    /// The byte at a position. A column past the end of its line is that end; within a character, its beginning.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else { return self.text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let content = self.text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n']);
        let mut units = 0;
        for (at, letter) in content.char_indices() {
            units += letter.len_utf16();
            if units > position.character as usize {
                return start + at;
            }
        }
        start + content.len()
    }

    /// The position of a byte.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let units = before.chars().map(char::len_utf16).sum();
        Position { line: number(line), character: number(units) }
    }

    pub(super) fn range(&self, start: usize, end: usize) -> Range {
        Range { start: self.position(start), end: self.position(end) }
    }

    /// The edits that make another text of this one, by whole lines: what is the same is left alone, and so is the cursor.
    pub(super) fn edits_to(&self, after: &str) -> Vec<TextEdit> {
        let diff = by_line(self.as_str(), after);
        let joined = |slices: Option<&[&str]>| slices.unwrap_or_default().concat();
        let changed = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
        let mut edits = Vec::new();
        for op in changed {
            let before = diff.old_slices().get(..op.old_range().start).unwrap_or_default();
            let start = before.iter().map(|line| line.len()).sum::<usize>();
            let end = start + joined(diff.old_slices().get(op.old_range())).len();
            let new_text = joined(diff.new_slices().get(op.new_range()));
            edits.push(TextEdit { range: self.range(start, end), new_text });
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_are_utf16_and_lines_end_in_three_ways() {
        let text = Text::new("ä\u{1f600}b\r\nx\ry\n");
        for (position, offset) in [
            (at(0, 0), 0),
            (at(0, 1), 2),
            (at(0, 3), 6),
            (at(0, 4), 7),
            (at(1, 1), 10),
            (at(2, 0), 11),
            (at(3, 0), 13),
        ] {
            assert_eq!((text.offset(position), text.position(offset)), (offset, position));
        }
        // Within a character; past the end of a line; past the end of the text.
        assert_eq!([at(0, 2), at(0, 99), at(9, 9)].map(|position| text.offset(position)), [2, 7, 13]);
    }

    #[test]
    fn edits_lead_from_one_text_to_another() {
        for (before, after) in [
            ("a\nb\nc\n", "a\nB\nc\n"),
            ("", "x\n"),
            ("x", ""),
            ("a\nb", "a\nb\n"),
            ("ä\n\n\nb\n", "ä\n\nb\n"),
        ] {
            let mut text = Text::new(before);
            for edit in text.edits_to(after).into_iter().rev() {
                text.change(&Change { range: Some(edit.range), text: edit.new_text });
            }
            assert_eq!(text.as_str(), after);
        }
    }
}
