//! Syntax -> meaning -> targets -> stages -> files; pure.

pub mod model;
pub mod needs;
pub mod inputs;
pub mod plan;
pub mod render;
pub mod keys;
pub mod seal;
pub mod outputs;
mod described;
pub mod compile;
pub mod known;
pub mod why;
