//! The structure of drvc's files as data, and one validator that holds any file to it.
//!
//! A language is a [`Body`]: the nodes that may stand at the top of its files, each with its arguments, properties and
//! the body between its braces. [`read`] reports every way in which a file differs; what it returns has the shape that
//! the typed readers rely on.
//!
//! ```
//! use drvc::language::schema::{Argument, Body, Count, Kind, Node, Property, read};
//!
//! static BASE: Node = Node {
//!     arguments: &[Argument::one("IMAGE", Kind::TEXT, "the image")],
//!     properties: &[Property::optional("arch", Kind::TEXT, "for this architecture only")],
//!     ..Node::new("base", Count::AtMostOne, "The base image.")
//! };
//! static LANGUAGE: Body = Body { nodes: &[&BASE], ..Body::EMPTY };
//!
//! let mut sources = drvc::text::source::Sources::default();
//! let file = sources.add("os.kdl", "base \"ubi9\" arhc=\"x86_64\"");
//! let mut found = drvc::text::diag::Diagnostics::default();
//! assert!(read(file, &LANGUAGE, &sources, &mut found).is_none());
//! assert_eq!(found.iter().next().unwrap().message, "unknown property `arhc` of `base`");
//! ```

mod braces;
mod entries;
mod examples;
mod habits;
pub mod manifest;
mod print;
mod reference;
mod report;
mod table;
mod unknown;
mod validate;

pub use print::kdl_schema;
pub use reference::{page, reference};
pub use table::{Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property, Rule, RuleKind};
pub use validate::{nodes, read, validate};
