//! `drvc matrix`: the targets that differ, or all, as jobs for a service that runs many machines.

use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::compile::Compiled;
use crate::compiler::model::{Bake, Pipeline, Service};
use crate::compiler::outputs::handover::{self, Job, Jobs, jobs, without_runner};
use crate::store::history::{Difference, Status, uncompiled};
use crate::text::diag::clean;
use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Print the targets that differ, or all, as jobs for a CI service or for bake
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
#[command(after_help = "\
Examples:
  # for `strategy.matrix` of GitHub Actions
  drvc matrix --since origin/main --format github
  # the child pipeline of GitLab
  drvc matrix --since \"$BASE\" --format gitlab --push
  # and then `docker buildx bake -f changed.json`
  drvc matrix --changed --format bake > changed.json
  # for programs (`drvc schema matrix`)
  drvc matrix --all --format json

Targets that are gone are not in it: there is nothing to build. At most 256 jobs for GitHub and 200 for GitLab come out:
targets for one kernel stay together, and beyond that neighbours share a job.")]
pub(super) struct Matrix {
    /// The targets whose outputs in the output directory are not what `compile` would make
    #[arg(long, group = "which")]
    changed: bool,
    /// The targets that differ from a git revision's, as `drvc diff` lists them
    #[arg(long, value_name = "REV", group = "which")]
    since: Option<String>,
    /// Every target
    #[arg(long, group = "which")]
    all: bool,
    /// Whose words: those of GitHub Actions, GitLab CI, `docker buildx bake`, or JSON for other programs
    #[arg(long, value_enum)]
    format: Format,
    /// The jobs push what they build (`gitlab` alone; in a workflow of GitHub the job decides)
    #[arg(long)]
    push: bool,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Github,
    Gitlab,
    Bake,
    Json,
}

/// How many jobs a service runs for one matrix.
const MOST_GITHUB: usize = 256;
const MOST_GITLAB: usize = 200;
/// The longest output of a job that GitHub takes, in bytes.
const LONGEST_GITHUB: usize = 1 << 20;

/// Targets as jobs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "drvc matrix")]
pub(super) struct MatrixJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    version: u32,
    /// The targets, sorted by id.
    targets: Vec<String>,
    /// The jobs that build the toolkits that these targets stand on.
    toolkits: Vec<Job>,
    /// The jobs that build the targets.
    images: Vec<Job>,
}

pub(super) fn matrix(global: &Global, args: &Matrix, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let compiled = project.compiled(&args.compiling, terminal)?;
    let wanted = wanted(&project, args, &compiled, terminal)?;
    let all = |most| jobs(compiled.json(), &wanted, most);
    match args.format {
        Format::Github => {
            let github = compiled.model.output.github.clone();
            let pipeline = pipeline(Service::Github, github, &compiled);
            let matrix = handover::github_matrix(&checked(all(MOST_GITHUB), &pipeline, "github")?, &pipeline);
            let text = clean::escape_json(&matrix.to_string());
            if text.len() >= LONGEST_GITHUB {
                return Err(Failure::Usage {
                    message: format!(
                        "{} targets are more than the output of one job of GitHub holds",
                        wanted.len()
                    ),
                    help: "build in several workflows, each with a manifest of its own".into(),
                });
            }
            terminal.raw(&(text + "\n"))?;
        }
        Format::Gitlab => {
            let gitlab = compiled.model.output.gitlab.clone();
            let pipeline = pipeline(Service::Gitlab, gitlab, &compiled);
            let jobs = checked(all(MOST_GITLAB), &pipeline, "gitlab")?;
            terminal.raw(&handover::gitlab_child(compiled.json(), &jobs, &pipeline, args.push))?;
        }
        Format::Bake => {
            let none = Bake { cache_from: Vec::new(), cache_to: Vec::new() };
            let settings = compiled.model.output.bake.as_ref().unwrap_or(&none);
            let inputs = compiled.handover();
            terminal.json(&handover::bake(&inputs, settings, &wanted))?;
        }
        Format::Json => {
            let Jobs { toolkits, images } = all(MOST_GITHUB);
            let targets = wanted.into_iter().collect();
            terminal.json(&MatrixJson { version: 1, targets, toolkits, images })?;
        }
    }
    Ok(Exit::Fine)
}

/// The ids of the targets that are asked for.
fn wanted(
    project: &Project,
    args: &Matrix,
    compiled: &Compiled,
    terminal: &Terminal,
) -> Result<BTreeSet<String>, Failure> {
    if let Some(revision) = &args.since {
        let diff = project.since(&args.compiling, revision, compiled, terminal)?;
        let here = diff.targets.into_iter().filter(|one| one.status != Status::Gone);
        return Ok(here.map(|Difference { target, .. }| target).collect());
    }
    if args.changed {
        return Ok(uncompiled(compiled, &project.disk()?, &args.compiling.place.out));
    }
    Ok(compiled.json().ids())
}

/// The settings of the manifest, or the defaults where it has none.
fn pipeline(service: Service, settings: Option<Pipeline>, compiled: &Compiled) -> Pipeline {
    settings.unwrap_or_else(|| Pipeline::default_of(service, compiled.model.matrix.span))
}

/// The jobs, where there is a runner for each.
fn checked(jobs: Jobs, pipeline: &Pipeline, service: &str) -> Result<Jobs, Failure> {
    match without_runner(&jobs, pipeline) {
        None => Ok(jobs),
        Some(arch) => Err(Failure::Usage {
            message: format!("no runner is known for {arch}"),
            help: format!(
                "add `output {{ {service} {{ runner \"LABEL\" arch=\"{arch}\"; }}; }}` to the manifest"
            ),
        }),
    }
}
