//! `drvc check`: looks for mistakes, and with `--fix` mends those whose edit is plain.

use super::outcome::{Verdict, compile};
use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::needs::missing_needs;
use crate::system::fs::Reader;
use crate::text::diag::{count, github, json, sarif};
use clap::{Args, ValueEnum};

/// Look for mistakes, and write nothing; with `--fix`, mend what is plain
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # every mistake, in one run
  drvc check
  # make the edits that are plain, report the rest
  drvc check --fix
  # every entry that drivers.lock lacks
  drvc check --drift
  # annotations in a GitHub workflow
  drvc check --format github
  # for a code scanning service
  drvc check --format sarif > drvc.sarif
  drvc check --format json | jq '.diagnostics[].code'

Exit code 0 without errors, 1 with some.")]
pub(super) struct Check {
    /// How to report: `human` on standard error, the others on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Make the edits that the reports suggest, in the manifest, and report what is left
    #[arg(long)]
    fix: bool,
    /// Show every entry that drivers.lock lacks or contradicts, rather than their number
    #[arg(long)]
    drift: bool,
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
    let request = project.request(&args.compiling);
    if args.fix {
        let edits = super::fix::fix(&project, &disk, &request)?;
        terminal.say(&match edits {
            0 => "nothing to mend without a decision".to_owned(),
            edits => format!("{} made in {}", count(edits, "edit"), project.path()),
        });
    }
    let mut compilation = compile(&disk, &request);
    if let Some(compiled) = &compilation.plan {
        compilation.diagnostics.extend(missing_needs(&compiled.model, &Reader::new(&disk)));
    }
    let verdict = Verdict::of(&compilation.diagnostics);
    let targets = compilation.plan.as_ref().map(|compiled| compiled.plan.targets.len());
    // The command ends here: to free a large plan piece by piece would take a twentieth of its time.
    std::mem::forget(compilation.plan);
    let report = project.report(&compilation.sources, compilation.diagnostics);
    match args.format {
        Format::Human => {
            terminal.some_diagnostics(&report, args.drift);
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
