//! KDL 2: turns text into a tree of nodes in one pass, reporting every mistake and going on after it.
//!
//! 1. [`lex`] cuts the text into tokens; each byte lies in exactly one.
//! 2. [`word`] and [`text`] read what a bare word or a quoted text means.
//! 3. [`entry`] puts words to values and properties, and [`parse`] all of them to [`Node`]s.
//!
//! 4. [`confirm`] has the `kdl` crate read a sound text too, and compares.
//!
//! Every step is linear in the text, and only blocks recurse, to a bounded depth: hostile text costs no more than
//! honest text. What could not be read stands in the tree as [`Data::Mistake`], already reported, so that the phases
//! after this one can look at everything else.

mod entry;
mod confirm;
pub mod lex;
mod parse;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod word;

pub use parse::parse;
pub use state::{MAX_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_MISTAKES};
pub use text::{MAX_TEXT, is_forbidden, quote};

use crate::text::source::{Span, Spanned};

/// A node: a name, what follows it on the line, and a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: Spanned<String>,
    /// The values without a key, in order.
    pub arguments: Vec<Value>,
    /// The `KEY=VALUE` pairs, in order, repeated ones included.
    pub properties: Vec<Property>,
    /// The nodes between its braces, where it has any.
    pub block: Option<Block>,
    /// From the name to the end of the block or of the line.
    pub span: Span,
}

/// `KEY=VALUE`
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// What stands before the `=`.
    pub key: Spanned<String>,
    /// What stands after it.
    pub value: Value,
}

/// `{ … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub nodes: Vec<Node>,
    /// From brace to brace.
    pub span: Span,
}

/// A value and the place it stands at, quotes included.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub data: Data,
    /// Where it stands.
    pub span: Span,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A text, quoted or bare.
    Text(String),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number; its digits are the text at the value's span.
    Number,
    /// `#true` or `#false`.
    Bool(bool),
    Null,
    /// Something that could not be read and has been reported.
    Mistake,
}

impl Node {
    /// The nodes in the block; none where there is no block.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        self.block.as_ref().map_or(&[], |block| &block.nodes)
    }

    /// The children of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children().iter().filter(move |child| child.name.value == name)
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children().iter().find(|child| child.name.value == name)
    }

    /// The value of the property of this name.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&Value> {
        self.properties.iter().find(|property| property.key.value == key).map(|property| &property.value)
    }

    /// The first argument, where it is a text.
    #[must_use]
    pub fn text(&self) -> Option<Spanned<String>> {
        self.arguments.first().and_then(Value::text)
    }

    /// All arguments that are texts.
    pub fn texts(&self) -> impl Iterator<Item = Spanned<String>> {
        self.arguments.iter().filter_map(Value::text)
    }

    /// The property of this name, where it is a text.
    #[must_use]
    pub fn text_property(&self, key: &str) -> Option<Spanned<String>> {
        self.property(key).and_then(Value::text)
    }
}

impl Value {
    /// The text with its place, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<Spanned<String>> {
        match &self.data {
            Data::Text(text) => Some(Spanned::new(text.clone(), self.span)),
            _ => None,
        }
    }

    /// The whole number with its place, where it is one that fits.
    #[must_use]
    pub fn integer(&self) -> Option<Spanned<u32>> {
        match self.data {
            Data::Integer(number) => Some(Spanned::new(u32::try_from(number).ok()?, self.span)),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }
}
