//! `drvc plan`: every target that the manifest stands for, and every cell that it excludes.

use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global, nodes};
use crate::compiler::outputs::{PlanExcluded, PlanJson};
use crate::text::diag::{Clean, clean, count};
use camino::Utf8PathBuf;
use clap::Args;

/// List every target: what is built, for which kernel, under which tags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc plan                                    a table of targets, and what is excluded and why
  drvc plan --format json | jq -r '.targets[].tags[]'
  kubectl get nodes -o json | drvc plan --nodes -
                                               which nodes are covered, before a cluster is upgraded

The key of a target changes exactly when what is built changes; the table shows its first 16 digits.
With `--nodes` the exit code is 3 where a node is not covered.")]
pub(super) struct Plan {
    /// `human` for people; `json` for programs (`drvc schema plan`), a target a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Compare with the nodes of a cluster, as `kubectl get nodes -o json` prints them (`-`: standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    nodes: Option<Utf8PathBuf>,
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn plan(global: &Global, args: &Plan, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let plan = Project::new(global)?.compiled(&args.compiling, terminal)?.json;
    if let Some(file) = &args.nodes {
        let found = nodes::compare(&plan, file)?;
        match args.format {
            Format::Human => terminal.product(&Clean::text(&nodes::table(&found)))?,
            Format::Json => terminal.json(&found)?,
        }
        return Ok(nodes::exit(&found));
    }
    match args.format {
        Format::Human => terminal.product(&Clean::text(&table(&plan)))?,
        Format::Json => terminal.raw(&clean::escape_json(&plan.to_rope().to_string()))?,
    }
    Ok(Exit::Fine)
}

fn table(plan: &PlanJson) -> String {
    let mut targets = blank(&["TARGET", "BUILDER", "KEY", "TAGS"]);
    for target in &plan.targets {
        let key: String = target.key.chars().take(16).collect();
        targets.add_row([&target.id, &target.builder, &key, &target.tags.join("\n")]);
    }
    let mut text = lines(&targets);
    if !plan.excluded.is_empty() {
        let mut excluded = blank(&["EXCLUDED", "REASON"]);
        for cell in &plan.excluded {
            excluded.add_row([cell_name(cell), cell.reason.clone()]);
        }
        text = text + "\n" + &lines(&excluded);
    }
    let (built, left_out) = (count(plan.targets.len(), "target"), plan.excluded.len());
    text + "\n" + &built + &if left_out > 0 { format!(", {left_out} excluded\n") } else { "\n".into() }
}

/// As a target's id, with a `*` for "every image".
fn cell_name(cell: &PlanExcluded) -> String {
    let image = cell.image.as_deref().unwrap_or("*");
    format!("{image}/{}-{}-{}/{}", cell.os, cell.release, cell.arch, cell.kernel)
}
