//! `drvc check`: looks for mistakes, and writes nothing.

use super::project::{Compiling, Project};
use super::report::{Verdict, compile};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::text::diag::{count, github, json, sarif};
use clap::{Args, ValueEnum};

/// Look for mistakes, and write nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc check                                   every mistake, in one run
  drvc check --format github                   annotations in a GitHub workflow
  drvc check --format sarif > drvc.sarif       for a code scanning service
  drvc check --format json | jq '.diagnostics[].code'

Exit code 0 without errors, 1 with some.")]
pub(super) struct Check {
    /// How to report: `human` on standard error, the others on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
    Sarif,
    Github,
}

pub(super) fn check(global: &Global, args: &Check, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let disk = project.open()?;
    let compilation = compile(&disk, &project.request(&args.compiling));
    let verdict = Verdict::of(&compilation.diagnostics);
    let targets = compilation.plan.as_ref().map(|compiled| compiled.plan.targets.len());
    let report = project.report(&compilation.sources, compilation.diagnostics);
    match args.format {
        Format::Human => {
            terminal.diagnostics(&report);
            if let Some(targets) = targets {
                terminal.say(&format!("{}{}", count(targets, "target"), verdict.aside()));
            }
        }
        Format::Json => terminal.json(&json::render(&report))?,
        Format::Sarif => terminal.json(&sarif::render(&report))?,
        Format::Github => terminal.raw(&github::render(&report))?,
    }
    Ok(verdict.exit(false))
}
