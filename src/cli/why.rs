//! `drvc why TARGET`: what a target's key is made of, and what changed in it first.

use super::project::{Compiling, Project};
use super::target::{Which, find};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::diag::{Clean, human};
use crate::format::ContextFile;
use crate::why::{Change, StageRecipe, why as explain};
use clap::{Args, ValueEnum};
use std::fmt::Write as _;

/// Columns at which instructions are wrapped.
const WIDTH: usize = 100;
/// How much of two instructions is shown around what differs in them, in characters.
const AROUND: usize = 40;

/// Tell what changed in a target since it was compiled, and what its key is made of
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc why rhel-9.4-x86_64                     where only one target is called so
  drvc why ticker 6.1.0-56-rt                  several words narrow it down
  drvc why drivers.out/ticker/debian-12-x86_64/6.1.0-56-amd64/Dockerfile
  drvc why rhel-9.4-x86_64 --format json       for programs (`drvc schema why`)")]
pub(super) struct Why {
    #[command(flatten)]
    which: Which,
    /// `human` for people; `json` for programs
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
}

pub(super) fn why(global: &Global, args: &Why, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let compiled = project.compiled(&args.compiling, terminal)?;
    let target = find(&compiled.plan.targets, &args.which.words)?;
    let why = explain(&compiled, target, &project.disk()?, &args.compiling.place.out);
    match args.format {
        Format::Human => {
            let mut text = format!("{}\nkey {}\n\n{}\n", why.target, why.key, changed(&why.change));
            text.push_str("\nThe key is made of these stages:\n");
            why.stages.iter().for_each(|stage| recipe(&mut text, stage));
            terminal.product(&Clean::text(&text))?;
        }
        Format::Json => terminal.json(&why)?,
    }
    Ok(Exit::Fine)
}

fn changed(change: &Change) -> String {
    match change {
        Change::Nothing => "Nothing changed: the outputs have this key.".into(),
        Change::NoOutputs { reason } => format!("There is nothing to compare with: {reason}."),
        Change::NewStage { stage } => format!("Changed first: `{stage}` is a new stage."),
        Change::Untold { stage } => {
            format!("Changed first: stage `{stage}`, in a way that the outputs do not tell.")
        }
        Change::Instruction { stage, before, after } => {
            let (before, after) = apart(before.as_deref(), after.as_deref());
            format!(
                "Changed first: an instruction of stage `{stage}`.\n  before  {before}\n  after   {after}"
            )
        }
        Change::File { stage, before, after } => {
            let path = after.as_ref().or(before.as_ref()).map_or("", |file| &file.path);
            let (before, after) = (file_state(before.as_ref()), file_state(after.as_ref()));
            format!("Changed first: file `{path}` of stage `{stage}`.\n  before  {before}\n  after   {after}")
        }
    }
}

fn file_state(file: Option<&ContextFile>) -> String {
    let Some(file) = file else { return "not there".into() };
    let executable = if file.executable { ", executable" } else { "" };
    format!("{}{executable}", short(&file.digest))
}

fn recipe(text: &mut String, stage: &StageRecipe) {
    let _ = writeln!(text, "\n{}  {}", stage.fingerprint, stage.name);
    for input in &stage.inputs {
        let _ = writeln!(text, "    {:8} {}  {}", input.edge, input.fingerprint, input.stage);
    }
    for file in &stage.files {
        let executable = if file.executable { "x" } else { " " };
        let _ = writeln!(text, "    file   {executable} {}  {}", short(&file.digest), file.path);
    }
    for instruction in &stage.instructions {
        for (at, line) in human::wrap(instruction, WIDTH).lines().enumerate() {
            let _ = writeln!(text, "    {}{line}", if at > 0 { "    " } else { "" });
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// Two instructions, what both begin and end with cut short.
fn apart(before: Option<&str>, after: Option<&str>) -> (String, String) {
    let (Some(before), Some(after)) = (before, after) else {
        let whole = |text: Option<&str>| text.unwrap_or("not there").to_owned();
        return (whole(before), whole(after));
    };
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = end.min(old.len().min(new.len()) - start);
    let cut = |text: &[char]| {
        let (from, to) = (start.saturating_sub(AROUND), (text.len() - end + AROUND).min(text.len()));
        let middle: String = text.iter().take(to).skip(from).collect();
        let (lead, tail) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
        format!("{lead}{middle}{tail}")
    };
    (cut(&old), cut(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_a_little_around_it() {
        let long = "x".repeat(60);
        let cases = [
            (Some("RUN a"), Some("RUN b"), "RUN a", "RUN b"),
            (None, Some("RUN b"), "not there", "RUN b"),
            (Some("RUN aa"), Some("RUN aaa"), "RUN aa", "RUN aaa"),
        ];
        for (before, after, old, new) in cases {
            assert_eq!(apart(before, after), (old.to_owned(), new.to_owned()));
        }
        let around = "x".repeat(AROUND);
        let (old, new) = apart(Some(&format!("{long}1{long}")), Some(&format!("{long}22{long}")));
        assert_eq!((old, new), (format!("…{around}1{around}…"), format!("…{around}22{around}…")));
    }
}
