//! `drvc man [COMMAND]`: a manual page, made from the same words as `--help`.

use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::text::diag::nearest;
use crate::text::error::Error;
use clap::Args;

/// Print a manual page
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc man | man -l -                     read the page of drvc
  drvc man compile > drvc-compile.1       the page of one command, for a package

Exit code 0 if it was printed, 2 for a wrong command line, 4 if it cannot be written.")]
pub(super) struct Man {
    /// The command that the page is about; without it, drvc itself
    command: Option<String>,
}

pub(super) fn man(args: &Man, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let mut page = super::command();
    page.build();
    if let Some(name) = &args.command {
        page = page.find_subcommand(name).cloned().ok_or_else(|| no_command(name, &page))?;
        page = page.display_name(format!("drvc-{name}"));
    }
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(page).source(concat!("drvc ", env!("CARGO_PKG_VERSION"))).manual("drvc");
    page.render(&mut text).map_err(|cause| Error::new("write", "standard output", cause))?;
    // A blank line is a break already, and mandoc says so of one beside it.
    terminal.raw(&String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n"))?;
    Ok(Exit::Fine)
}

fn no_command(name: &str, drvc: &clap::Command) -> Failure {
    let meant = nearest(name, drvc.get_subcommands().map(clap::Command::get_name));
    Failure::Usage {
        message: format!("no command is called `{name}`"),
        help: meant
            .map_or("`drvc --help` lists all commands".into(), |meant| format!("did you mean `{meant}`?")),
    }
}
