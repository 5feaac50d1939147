//! The `drvc` program.

fn main() {}
