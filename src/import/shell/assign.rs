//! Makes assignments: to variables, to elements of arrays and to whole arrays.

use super::run::{Shell, shown};
use brush_parser::ast::{Assignment, AssignmentName, AssignmentValue};

/// Elements that an array may have.
const MAX_INDEX: usize = 4096;

impl Shell {
    pub(super) fn assignment(&mut self, assignment: &Assignment) {
        let line = if assignment.loc.start.line > 0 { assignment.loc.start.line } else { self.line };
        // A value is expanded before its index is calculated.
        let scalar = match &assignment.value {
            AssignmentValue::Scalar(word) => self.word(&word.value),
            AssignmentValue::Array(_) => None,
        };
        let (name, index) = match &assignment.name {
            AssignmentName::VariableName(name) => (name.clone(), Some(0)),
            AssignmentName::ArrayElementName(name, index) => {
                let index = self.index_of(name, index);
                (name.clone(), index.filter(|index| *index < MAX_INDEX))
            }
        };
        let Some(index) = index else {
            self.lost(&name, line, &assignment.to_string());
            return;
        };
        match &assignment.value {
            AssignmentValue::Scalar(_) => {
                let mut text = scalar;
                if assignment.append {
                    let old = self.look_up(&name, index).map(Option::unwrap_or_default);
                    text = old.zip(text).map(|(old, new)| old + &new);
                }
                self.assign(&name, index, text, line);
            }
            AssignmentValue::Array(elements) => {
                let mut next = 0;
                if assignment.append {
                    next = self.variables.elements(&name).last().map_or(0, |(last, _)| last + 1);
                } else if self.variables.keys(&name).is_some() {
                    self.variables.unset(&name, None);
                    self.variables.associate(&name);
                } else {
                    self.variables.unset(&name, None);
                }
                for (index, word) in elements {
                    if let Some(index) = index {
                        match self.index_of(&name, &index.value) {
                            Some(at) => next = at,
                            None => {
                                self.lost(&name, line, &assignment.to_string());
                                continue;
                            }
                        }
                        let text = self.word(&word.value);
                        self.element(&name, next, text, line);
                        next += 1;
                        continue;
                    }
                    let Some(texts) = self.fields(&word.value) else {
                        self.lost(&name, line, &assignment.to_string());
                        continue;
                    };
                    for text in texts {
                        self.element(&name, next, Some(text), line);
                        next += 1;
                    }
                }
            }
        }
    }

    fn element(&mut self, name: &str, index: usize, text: Option<String>, line: usize) {
        if index < MAX_INDEX {
            self.assign(name, index, text, line);
        } else {
            self.lost(name, line, name);
        }
    }

    /// An assignment that is not made, since nobody knows to which element.
    pub(super) fn lost(&mut self, name: &str, line: usize, text: &str) {
        self.variables.lose(name, line);
        self.note(line, format!("`{}` has an index or words that are not known", shown(text)));
    }

    /// `printf -v NAME`, `read NAME` and the like: a name that may be an element of an array.
    pub(super) fn assign_to(&mut self, target: &str, text: Option<String>, line: usize) {
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (name, index) = match target.split_once('[') {
            Some((name, index)) => (name, self.index_of(name, index.trim_end_matches(']'))),
            None => (target, Some(0)),
        };
        match index.filter(|index| *index < MAX_INDEX) {
            _ if !plain(name) => self.note(line, format!("`{}` is not a variable", shown(target))),
            Some(index) => self.assign(name, index, text, line),
            None => self.lost(name, line, target),
        }
    }
}
