//! drvc compiles one `drivers.kdl` into a Dockerfile per kernel, and only what changed.
//!
//! The rooms stand in the order in which data flows; each uses only what stands above it, and so do the modules in a
//! room (`docs/architecture.md`).

pub mod text;
pub mod system;
pub mod language;
pub mod knowledge;
pub mod compiler;
pub mod store;
pub mod resolve;
pub mod images;
pub mod import;
pub mod cli;
