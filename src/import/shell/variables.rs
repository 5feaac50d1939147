//! What variables hold in one world: a way through a file on which every open condition is decided.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What the file's outcome depends on, and nobody can know from the file alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// An option of the kernel's configuration is set (`y` or `m`), or is not.
    Config { name: String, set: bool },
    /// Anything else, as it is written.
    Other { text: String, holds: bool },
}

impl Condition {
    /// What holds where this does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Config { name, set } => Self::Config { name, set: !set },
            Self::Other { text, holds } => Self::Other { text, holds: !holds },
        }
    }

    pub(super) fn other(text: &str) -> Self {
        Self::Other { text: text.to_owned(), holds: true }
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
    /// The line of the assignment, from 1.
    pub line: usize,
}

/// A variable: an array, of which a plain variable has element 0 alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Array {
    elements: BTreeMap<usize, Value>,
    /// Where an element was assigned whose index is not known; further ones may be there.
    lost: BTreeSet<usize>,
    /// The keys of an associative array, each at its element's index.
    keys: Option<Vec<String>>,
}

/// All variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, Arc<Array>>);

impl Variables {
    /// The elements of a variable by index; none where it is not set.
    pub fn elements(&self, name: &str) -> impl Iterator<Item = (usize, &Value)> {
        let elements = self.0.get(name).into_iter().flat_map(|array| &array.elements);
        elements.map(|(index, value)| (*index, value))
    }

    /// An element of a variable.
    #[must_use]
    pub fn get(&self, name: &str, index: usize) -> Option<&Value> {
        self.0.get(name)?.elements.get(&index)
    }

    /// The text of a variable, where it is set and known.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name, 0)?.text.as_deref()
    }

    /// The lines on which a variable got elements whose index is not known.
    #[must_use]
    pub fn lost(&self, name: &str) -> Vec<usize> {
        self.0.get(name).map(|array| array.lost.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn array(&self, name: &str) -> Option<Arc<Array>> {
        self.0.get(name).cloned()
    }

    pub(super) fn put(&mut self, name: &str, array: Option<Arc<Array>>) {
        match array {
            Some(array) => drop(self.0.insert(name.to_owned(), array)),
            None => drop(self.0.remove(name)),
        }
    }

    pub(super) fn set(&mut self, name: &str, index: usize, value: Value) {
        self.change(name).elements.insert(index, value);
    }

    pub(super) fn lose(&mut self, name: &str, line: usize) {
        self.change(name).lost.insert(line);
    }

    pub(super) fn unset(&mut self, name: &str, index: Option<usize>) {
        match index {
            Some(index) if self.0.contains_key(name) => drop(self.change(name).elements.remove(&index)),
            _ => drop(self.0.remove(name)),
        }
    }

    pub(super) fn associate(&mut self, name: &str) {
        self.change(name).keys.get_or_insert_default();
    }

    /// The keys of an associative array.
    pub(super) fn keys(&self, name: &str) -> Option<&[String]> {
        self.0.get(name)?.keys.as_deref()
    }

    /// The index at which an associative array has a key, which it gets where it has none.
    pub(super) fn key(&mut self, name: &str, key: &str) -> usize {
        let keys = self.change(name).keys.get_or_insert_default();
        keys.iter().position(|known| known == key).unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        })
    }

    fn change(&mut self, name: &str) -> &mut Array {
        Arc::make_mut(self.0.entry(name.to_owned()).or_default())
    }
}
