//! `drvc why TARGET`: what a target's key is made of, and what changed in it first.

use super::change::{sentence, short};
use super::project::{Compiling, Project};
use super::target::{Which, find};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::compiler::why::{StageRecipe, why as explain};
use crate::text::diag::{Clean, count, human};
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// So many names are shown of what is left out for one reason; JSON has all.
const NAMES: usize = 5;

/// Tell what changed in a target since it was compiled, and what its key is made of
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # where only one target is called so
  drvc why rhel-9.4-x86_64
  # several words narrow it down
  drvc why ticker 6.1.0-56-rt
  drvc why drivers.out/ticker/debian-12-x86_64/6.1.0-56-amd64/Dockerfile
  # for programs (`drvc schema why`)
  drvc why rhel-9.4-x86_64 --format json")]
pub(super) struct Why {
    #[command(flatten)]
    which: Which,
    /// The stages that the key is made of, and what each depends on
    #[arg(long)]
    full: bool,
    /// `human` for people; `json` for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn why(global: &Global, args: &Why, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let compiled = project.in_part(&args.compiling, terminal)?;
    let target = find(&compiled.plan.targets, &args.which.words)?;
    let why = explain(&compiled, target, &project.disk()?, &args.compiling.place.out);
    match args.format {
        Format::Human => {
            let width = terminal.columns();
            let mut text = format!("{}\n{}\n\n", why.target, human::wrap(&sentence(&why.change), width));
            if args.full {
                let _ = writeln!(text, "key {}, made of these stages:", why.key);
                why.stages.iter().for_each(|stage| recipe(&mut text, stage, width));
            } else {
                let stages = count(why.stages.len(), "stage");
                let _ =
                    writeln!(text, "key {}\nmade of {stages}: `--full` lists what each depends on", why.key);
            }
            terminal.product(&Clean::text(&text))?;
        }
        Format::Json => terminal.json(&why)?,
    }
    Ok(Exit::Fine)
}

fn recipe(text: &mut String, stage: &StageRecipe, width: usize) {
    let _ = writeln!(text, "\n{}  {}", stage.fingerprint, stage.name);
    for input in &stage.inputs {
        let _ = writeln!(text, "    {:8} {}  {}", input.edge, input.fingerprint, input.stage);
    }
    for file in &stage.files {
        let executable = if file.executable { "x" } else { " " };
        let _ = writeln!(text, "    file   {executable} {}  {}", short(&file.digest), file.path);
    }
    let reasons: BTreeSet<_> = stage.left_out.iter().map(|left| left.reason.as_str()).collect();
    for reason in reasons {
        let of = stage.left_out.iter().filter(|left| left.reason == reason).map(|left| left.path.as_str());
        let (names, all) = (of.clone().take(NAMES).collect::<Vec<_>>().join(", "), of.count());
        let more = if all > NAMES { format!(" and {} more", all - NAMES) } else { String::new() };
        let _ = writeln!(text, "    without  {names}{more}  ({reason})");
    }
    for instruction in &stage.instructions {
        for (at, line) in human::wrap(instruction, width.saturating_sub(8)).lines().enumerate() {
            let _ = writeln!(text, "    {}{line}", if at > 0 { "    " } else { "" });
        }
    }
}
