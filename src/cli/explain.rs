//! `drvc explain [CODE]`: what the manual says about a diagnostic.

use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::text::diag::{Clean, Code, explain as manual, nearest};
use clap::Args;
use clap_complete::ArgValueCandidates;
use std::fmt::Write as _;

/// Explain what a diagnostic means and how to fix it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc explain                    all codes, with a line on each
  drvc explain unknown-node       the page about one

Exit code 0 if it was printed, 2 for a wrong command line, 4 if it cannot be written.")]
pub(super) struct Explain {
    /// The code, as reports show it in brackets; without it, all codes are listed
    #[arg(add = ArgValueCandidates::new(super::completions::codes))]
    code: Option<String>,
}

pub(super) fn explain(args: &Explain, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let text = match &args.code {
        None => list(),
        Some(name) => section(name)?,
    };
    terminal.product(&Clean::text(&text))?;
    Ok(Exit::Fine)
}

fn list() -> String {
    let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or_default();
    Code::ALL.iter().fold(String::new(), |mut out, code| {
        let _ =
            writeln!(out, "{:width$}  {:7}  {}", code.name(), code.severity().name(), manual::summary(*code));
        out
    })
}

fn section(name: &str) -> Result<String, Failure> {
    let names = || Code::ALL.iter().map(|code| code.name());
    let code = Code::ALL.iter().find(|code| code.name() == name).ok_or_else(|| Failure::Usage {
        message: format!("no diagnostic is called `{name}`"),
        help: nearest(name, names())
            .map_or("`drvc explain` lists all codes".into(), |meant| format!("did you mean `{meant}`?")),
    })?;
    Ok(format!("{}\n\nSeverity: {}.\n", manual::section(*code), code.severity().name()))
}
