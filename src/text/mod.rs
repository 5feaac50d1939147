//! Texts and places in them, values of narrow grammars, and what is wrong with either; no I/O.

mod grammar;
mod path;
pub mod ids;
pub mod coordinates;
pub mod mirrors;
mod git_url;
pub mod source;
pub mod difference;
pub mod diag;
pub mod session;
pub mod error;
