//! Texts and places in them, values of narrow grammars, and what is wrong with either; no I/O.

pub mod ids;
mod path;
pub mod source;
pub mod diag;
pub mod error;
