//! Images: built, proven and booted.

pub mod engine;
pub mod image;
pub mod build;
pub mod verify;
pub mod attest;
pub mod boot;
pub mod record;
