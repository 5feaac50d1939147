//! `drvc plan`: every target that the manifest stands for, and every cell that it excludes.

use super::compile::other_settings;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global, nodes};
use crate::compiler::outputs::{PlanExcluded, PlanJson, PlanReuse};
use crate::images::record::{Builds, TargetState, states, tally};
use crate::store::history::uncompiled;
use crate::text::diag::{Clean, clean, count};
use camino::Utf8PathBuf;
use clap::Args;
use std::collections::BTreeSet;

/// List every target: what is built, for which kernel, under which tags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc plan                    every target, and what is excluded and why
  drvc plan --full             builder, key and tags of each too
  drvc plan --format json | jq -r '.targets[].tags[]'
  kubectl get nodes -o json | drvc plan --nodes -

The key of a target changes exactly when what is built changes; the table of --full shows its first
16 digits. What waits for `drvc lock` is named behind the targets that are known. Where `drvc build` ran,
each target's state is that of its image, as it was found last; elsewhere, that of its Dockerfile.

Exit code 0 when listed, 1 with mistakes in the manifest, 3 with --nodes where a node is not covered.")]
pub(super) struct Plan {
    /// `human` for people; `json` for programs (`drvc schema plan`), a target a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Builder, key and tags of each target too
    #[arg(long)]
    full: bool,
    /// Compare with the nodes of a cluster, as `kubectl get nodes -o json` prints them (`-`: standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    nodes: Option<Utf8PathBuf>,
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn plan(global: &Global, args: &Plan, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let whole = args.format == Format::Json || args.nodes.is_some();
    let (compiled, open) = match whole {
        true => (project.compiled(&args.compiling, terminal)?, Vec::new()),
        false => project.known(&args.compiling, terminal)?,
    };
    let plan = compiled.json();
    if let Some(file) = &args.nodes {
        let found = nodes::compare(plan, file)?;
        match args.format {
            Format::Human => terminal.product(&Clean::text(&nodes::table(&found)))?,
            Format::Json => terminal.json(&found)?,
        }
        return Ok(nodes::exit(&found));
    }
    match args.format {
        Format::Human => {
            let (disk, out) = (project.disk()?, &args.compiling.place.out);
            let changed = uncompiled(&compiled, &disk, out);
            let states = states(&compiled, Builds::read(&disk, out).as_ref());
            let text = match args.full {
                true => full(plan),
                false => short(plan, &changed, states.as_deref(), terminal.columns()),
            };
            let others = other_settings(&project.disk()?, &project.request(&args.compiling));
            let others = others.map(|others| format!("\n{others}\n")).unwrap_or_default();
            terminal.product(&Clean::text(
                &(others
                    + &text
                    + &excluded(plan)
                    + &unverified(plan)
                    + &ending(plan, &changed, states.as_deref(), &open)),
            ))?;
        }
        Format::Json => terminal.raw(&clean::escape_json(&plan.to_rope().to_string()))?,
    }
    Ok(Exit::Fine)
}

/// A target a line, in as many columns as the terminal has.
fn short(
    plan: &PlanJson,
    changed: &BTreeSet<String>,
    states: Option<&[TargetState]>,
    columns: usize,
) -> String {
    let ids = plan.targets.iter().map(|target| target.id.as_str());
    let width = ids.clone().map(str::len).max().unwrap_or_default().min(columns.saturating_sub(12));
    let lines = plan.targets.iter().enumerate().map(|(at, target)| {
        let state = match states.and_then(|states| states.get(at)) {
            Some(state) => state.word(),
            None if changed.contains(target.id.as_str()) => "to compile",
            None => "compiled",
        };
        let first = target.reuse.as_ref().and_then(|reuse| reuse.first.as_deref()?.rsplit('/').next());
        let tries = first.map(|first| format!(", tries the modules of {first}")).unwrap_or_default();
        format!("{:width$}  {state}{tries}\n", target.id)
    });
    lines.collect()
}

fn full(plan: &PlanJson) -> String {
    let reuses = plan.targets.iter().any(|target| target.reuse.is_some());
    let mut head = vec!["TARGET", "BUILDER", "KEY", "TAGS"];
    head.extend(reuses.then_some("MODULES"));
    let mut targets = blank(&head);
    for target in &plan.targets {
        let key: String = target.key.chars().take(16).collect();
        let mut row = vec![target.id.clone(), target.builder.clone(), key, target.tags.join("\n")];
        if reuses {
            row.push(target.reuse.as_ref().map(modules).unwrap_or_default());
        }
        targets.add_row(row);
    }
    lines(&targets)
}

/// Where a target's modules come from.
pub(super) fn modules(reuse: &PlanReuse) -> String {
    let PlanReuse { level, first, reason, .. } = reuse;
    let first = first.as_deref().and_then(|first| first.rsplit('/').next());
    match (first, reason) {
        (Some(first), _) => format!("those of {first} are tried ({level})"),
        (None, Some(why)) => format!("compiled: {why}"),
        (None, None) => "compiled".to_owned(),
    }
}

fn excluded(plan: &PlanJson) -> String {
    if plan.excluded.is_empty() {
        return String::new();
    }
    let mut excluded = blank(&["EXCLUDED", "REASON"]);
    for cell in &plan.excluded {
        excluded.add_row([cell_name(cell), cell.reason.clone()]);
    }
    format!("\n{}", lines(&excluded))
}

/// Targets of which not all is known for certain.
fn unverified(plan: &PlanJson) -> String {
    let doubted = || plan.targets.iter().filter(|target| !target.unverified.is_empty());
    if doubted().next().is_none() {
        return String::new();
    }
    let mut table = blank(&["UNVERIFIED", "WHAT IS NOT KNOWN"]);
    for target in doubted() {
        table.add_row([&target.id, &target.unverified.join("\n")]);
    }
    format!("\n{}", lines(&table))
}

/// What waits, and how many targets there are of each kind: by their images where builds are on record, or else by their
/// Dockerfiles.
fn ending(
    plan: &PlanJson,
    changed: &BTreeSet<String>,
    states: Option<&[TargetState]>,
    open: &[String],
) -> String {
    let waiting: String = open.iter().map(|what| format!("open: {what}\n")).collect();
    let waiting =
        if waiting.is_empty() { waiting } else { format!("\n{waiting}run `drvc lock` to know these\n") };
    let left_out = plan.excluded.len();
    let excluded = if left_out > 0 { format!(", {left_out} excluded") } else { String::new() };
    let (all, changed) = (plan.targets.len(), changed.len());
    let known = match states {
        Some(states) if changed > 0 => {
            format!(
                "{}{excluded}; {} to write: run `drvc compile`",
                tally(states),
                count(changed, "Dockerfile")
            )
        }
        Some(states) => format!("{}{excluded}", tally(states)),
        None => format!("{changed} to compile, {} up to date{excluded}", all.saturating_sub(changed)),
    };
    format!("{waiting}\n{}: {known}\n", count(all, "target"))
}

/// As a target's id, with a `*` for "every image".
fn cell_name(cell: &PlanExcluded) -> String {
    let image = cell.image.as_deref().unwrap_or("*");
    format!("{image}/{}-{}-{}/{}", cell.os, cell.release, cell.arch, cell.kernel)
}
