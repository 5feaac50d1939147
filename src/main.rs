//! The `drvc` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    drvc::cli::run(std::env::args_os()).into()
}
