//! The `drvc` program.

use std::process::ExitCode;

/// A compilation makes many small texts on two threads: a third faster with this allocator than with glibc's, and far
/// faster than with musl's, which the static program would have.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    drvc::cli::run(std::env::args_os()).into()
}
