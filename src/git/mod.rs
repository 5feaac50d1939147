//! What git knows, asked of the `git` program with fixed words and a named environment.

mod revision;

pub use revision::Revision;
