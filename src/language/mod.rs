//! The language of manifests and profiles: text -> tree -> checked syntax, and its layout.

pub mod kdl;
pub mod layout;
pub mod schema;
pub mod syntax;
