//! What git knows, asked of the `git` program with fixed words and a named environment.

mod remote;
mod revision;

pub use remote::{Credentials, Remote};
pub use revision::Revision;
