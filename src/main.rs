//! The `drvc` program.

use std::process::ExitCode;

/// A compilation makes many small texts on two threads: with this allocator it takes about 30 % less processor time than
/// with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    drvc::cli::run(std::env::args_os()).into()
}
