//! Files <-> disk, and the differences between two revisions of a project.

pub mod state;
pub mod emit;
pub mod history;
