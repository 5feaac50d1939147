//! Makes assignments: to variables, to elements of arrays and to whole arrays.

use super::Assigned;
use super::run::{Shell, shown};
use super::variables::Value;
use brush_parser::ast::{Assignment, AssignmentName, AssignmentValue};

/// Elements that an array may have.
const MAX_INDEX: usize = 4096;

impl Shell {
    pub(super) fn assignment(&mut self, assignment: &Assignment) {
        let line = assignment.loc.start.line;
        let (name, index) = match &assignment.name {
            AssignmentName::VariableName(name) => (name.clone(), Some(0)),
            AssignmentName::ArrayElementName(name, index) => {
                let index = self.arithmetic(index).and_then(|index| usize::try_from(index).ok());
                (name.clone(), index.filter(|index| *index < MAX_INDEX))
            }
        };
        let Some(index) = index else {
            self.note(line, format!("`{}` has an index that is not known", shown(&assignment.to_string())));
            return;
        };
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let mut text = self.word(&word.value);
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
                } else {
                    self.variables.unset(&name);
                }
                for (index, word) in elements {
                    if let Some(index) = index {
                        next = self
                            .arithmetic(&index.value)
                            .and_then(|at| usize::try_from(at).ok())
                            .unwrap_or(next);
                    }
                    let texts = self
                        .fields(&word.value)
                        .map_or(vec![None], |texts| texts.into_iter().map(Some).collect());
                    for text in texts {
                        if next < MAX_INDEX {
                            self.assign(&name, next, text, line);
                        }
                        next += 1;
                    }
                }
            }
        }
    }

    pub(super) fn assign(&mut self, name: &str, index: usize, text: Option<String>, line: usize) {
        let text = text.filter(|text| text.len() <= super::MAX_BYTES);
        let value = Value { text, when: self.path.clone(), line };
        self.assigned.push(Assigned { name: name.to_owned(), value: value.clone() });
        self.variables.set(name, index, value);
    }
}
