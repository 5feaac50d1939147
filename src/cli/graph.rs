//! `drvc graph`: the stages of all targets and how they use each other.

use super::project::{Compiling, Project};
use super::target::find;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::outputs::graph as draw;
use crate::text::diag::Clean;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;

/// Draw the stages of all targets, or of one, and how they use each other
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # with Graphviz
  drvc graph | dot -Tsvg > graph.svg
  # of one target, for a page that draws Mermaid
  drvc graph rhel-9.4 --format mermaid
  # for programs (`drvc schema graph`)
  drvc graph --format json")]
pub(super) struct Graph {
    /// One target: its id as `drvc plan` lists it, or words that only its id holds; without it, all
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(super::completions::targets))]
    words: Vec<String>,
    /// The language of the picture
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Dot,
    Mermaid,
    Json,
}

pub(super) fn graph(global: &Global, args: &Graph, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let compiled = Project::new(global)?.in_part(&args.compiling, terminal)?;
    let only = match args.words.as_slice() {
        [] => None,
        words => Some(find(&compiled.plan.targets, words)?.id.as_str()),
    };
    let picture = draw(&compiled.plan, &compiled.fingerprints, |id| only.is_none_or(|only| only == id));
    match args.format {
        Format::Dot => terminal.product(&Clean::text(&picture.to_dot()))?,
        Format::Mermaid => terminal.product(&Clean::text(&picture.to_mermaid()))?,
        Format::Json => terminal.json(&picture)?,
    }
    Ok(Exit::Fine)
}
