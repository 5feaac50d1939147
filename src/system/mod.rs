//! The only doors outward: files, processes, packages, HTTP, registries and git.

pub mod threads;
pub mod process;
pub mod unpack;
pub mod fs;
pub mod cpio;
pub mod package;
pub mod http;
pub mod oci;
pub mod git;
