//! What variables hold, and what is left of them where two ways through a file meet.

use std::collections::BTreeMap;
use std::fmt;

/// What has to hold for an assignment to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An option of the kernel's configuration is set (`y` or `m`), or is not.
    Config {
        /// The option.
        name: String,
        /// Whether it must be set.
        set: bool,
    },
    /// Anything else, as it is written.
    Other {
        /// The command.
        text: String,
        /// Whether it must succeed.
        holds: bool,
    },
}

impl Condition {
    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Config { name, set } => Self::Config { name, set: !set },
            Self::Other { text, holds } => Self::Other { text, holds: !holds },
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { name, set: true } => write!(f, "{name} is set"),
            Self::Config { name, set: false } => write!(f, "{name} is not set"),
            Self::Other { text, holds: true } => write!(f, "`{text}`"),
            Self::Other { text, holds: false } => write!(f, "not `{text}`"),
        }
    }
}

/// What a variable, or an element of an array, holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text; `None` where it cannot be known.
    pub text: Option<String>,
    /// What has to hold for it to be assigned; nothing where it always is.
    pub when: Vec<Condition>,
    /// The line of the assignment, from 1.
    pub line: usize,
}

/// All variables: each is an array, of which a plain variable has element 0 alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, BTreeMap<usize, Value>>);

impl Variables {
    /// The elements of a variable by index; none where it is not set.
    pub fn elements(&self, name: &str) -> impl Iterator<Item = (usize, &Value)> {
        self.0.get(name).into_iter().flatten().map(|(index, value)| (*index, value))
    }

    /// An element of a variable.
    #[must_use]
    pub fn get(&self, name: &str, index: usize) -> Option<&Value> {
        self.0.get(name)?.get(&index)
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, index: usize, value: Value) {
        self.0.entry(name.to_owned()).or_default().insert(index, value);
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// What is left behind where one of two ways was taken from `self`, and it is not known which.
    ///
    /// What only one way changed has that way's value, whose conditions say when; what both changed differently is
    /// unknown.
    pub(super) fn join(&self, one: Self, other: Self) -> Self {
        let mut joined = one;
        for (name, elements) in other.0 {
            for (index, value) in elements {
                let base = self.get(&name, index);
                let merged = match joined.get(&name, index) {
                    None => value,
                    Some(mine) if mine.text == value.text && mine.when == value.when => continue,
                    Some(mine) if Some(mine) == base => value,
                    Some(_) if Some(&value) == base => continue,
                    Some(mine) if mine.text == value.text => Value { when: base_when(base), ..value },
                    Some(_) => Value { text: None, when: base_when(base), line: value.line },
                };
                joined.set(&name, index, merged);
            }
        }
        joined
    }
}

fn base_when(base: Option<&Value>) -> Vec<Condition> {
    base.map(|value| value.when.clone()).unwrap_or_default()
}
