//! What is known of distributions and pinned for this project, and what kernels and modules say of themselves.

pub mod profile;
pub mod lock;
pub mod certificate;
pub mod signature;
