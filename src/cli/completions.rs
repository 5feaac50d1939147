//! `drvc completions SHELL`: the script that completes drvc's command line in a shell.

use super::terminal::Terminal;
use super::{Exit, Failure};
use clap::Args;
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc completions bash > ~/.local/share/bash-completion/completions/drvc
  drvc completions fish > ~/.config/fish/completions/drvc.fish
  drvc completions zsh > ~/.zfunc/_drvc          (with ~/.zfunc in fpath)")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Completions, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "drvc", &mut script);
    terminal.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
