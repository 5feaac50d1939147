//! drvc compiles one `drivers.kdl` into a Dockerfile per kernel, and only what changed.
//!
//! The modules stand in the order in which data flows; each uses only what stands above it.

pub mod ids;
pub mod source;
pub mod diag;
pub mod error;
pub mod process;
pub mod unpack;
pub mod fs;
pub mod kdl;
pub mod layout;
pub mod schema;
pub mod syntax;
pub mod profile;
pub mod lock;
pub mod model;
pub mod certificate;
pub mod context;
pub mod plan;
pub mod render;
pub mod fingerprint;
pub mod seal;
pub mod outputs;
pub mod format;
pub mod compile;
pub mod why;
pub mod state;
pub mod emit;
pub mod git;
pub mod http;
pub mod oci;
pub mod repository;
pub mod resolve;
pub mod history;
pub mod package;
pub mod engine;
pub mod image;
pub mod build;
pub mod verify;
pub mod boot;
pub mod import;
pub mod cli;
