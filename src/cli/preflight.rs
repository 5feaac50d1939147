//! `drvc preflight RELEASE…`: whether every image is there for a kernel that nodes do not run yet.

use super::network::Network;
use super::plan::modules;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::compiler::compile::Compiled;
use crate::compiler::outputs::PlanReuse;
use crate::compiler::outputs::handover::{Inputs, kmm_builds, kmm_regexp};
use crate::compiler::plan::Target;
use crate::images::build::{Ids, Names, Proofs, RegistryLack as Lack, Remote};
use crate::system::oci::Registry;
use crate::text::diag::{Clean, count};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// Ask, before an upgrade, whether every image is there for the kernels of a coming release
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # a release of the matrix
  drvc preflight 4.18.7
  # a kernel, as `uname -r` is going to print it
  drvc preflight 5.14.0-427.62.1.el9_4.x86_64
  drvc preflight 4.18.7 --format json

An image that Kernel Module Management builds itself, as `build` in `kmm` says, counts as there. Where an image has
`reuse`, a column says which earlier kernel's modules `drvc build` tries; KMM compiles.

Exit code 0 if every image is there, 1 with mistakes in the manifest, 3 where something is missing, 4 if a
registry cannot be asked.")]
pub(super) struct Preflight {
    /// A release, or a kernel
    #[arg(value_name = "RELEASE", required = true)]
    releases: Vec<String>,
    /// `human` for people; `json` for programs (`drvc schema preflight`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

/// Images, and whether they are there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "drvc preflight")]
pub(super) struct PreflightJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    version: u32,
    /// How many images are missing, or not known to be there.
    missing: usize,
    /// Each image for each kernel that is meant.
    images: Vec<Expected>,
}

/// An image for a kernel.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Expected {
    /// The release or kernel that was asked for.
    release: String,
    /// The image's name.
    image: String,
    /// The target; absent where the matrix has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The reference that nodes pull; absent where the matrix has no target.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Whether it is there.
    state: State,
    /// Why it is missing, or who builds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether `drvc build` tries an earlier kernel's modules for it; absent where its image has no `reuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reuse: Option<PlanReuse>,
}

/// Whether an image is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// In its registry, as the manifest describes it now.
    Ready,
    /// Kernel Module Management builds it when nodes have the kernel.
    BuiltInCluster,
    /// Not in its registry; `drvc build --push` puts it there.
    ToBuild,
    /// The matrix has no target of it, or its reference names no registry.
    Missing,
    /// Its registry cannot be asked.
    Unknown,
}

pub(super) fn preflight(global: &Global, args: &Preflight, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let compiled = project.compiled(&args.compiling, terminal)?;
    let inputs = compiled.handover();
    let registry = Registry::new(args.network.client_of(&project, terminal)?);
    let images: Vec<_> =
        args.releases.iter().flat_map(|release| expected(release, &compiled, &inputs, &registry)).collect();
    let is_there = |one: &&Expected| matches!(one.state, State::Ready | State::BuiltInCluster);
    let missing = images.len() - images.iter().filter(is_there).count();
    let found = PreflightJson { version: 1, missing, images };
    match args.format {
        Format::Human => terminal.product(&Clean::text(&table(&found)))?,
        Format::Json => terminal.json(&found)?,
    }
    Ok(match missing {
        0 => Exit::Fine,
        _ if found.images.iter().any(|one| one.state == State::Unknown) => Exit::World,
        _ => Exit::OutOfDate,
    })
}

/// The images for a release or a kernel.
fn expected(release: &str, compiled: &Compiled, inputs: &Inputs<'_>, registry: &Registry) -> Vec<Expected> {
    let targets = &compiled.plan.targets;
    let is_meant = |target: &Target| {
        let merged = target.merged.iter().any(|other| other.release.as_str() == release);
        merged || target.at.release.as_str() == release || target.at.kernel.as_str() == release
    };
    let meant: Vec<_> =
        targets.iter().enumerate().filter(|(_, target)| is_meant(target)).map(|(at, _)| at).collect();
    let names = Names::of(targets);
    let status = Remote::new(registry, compiled, &names, Proofs::default()).image_status(&meant, &Ids::new());
    let mut images: Vec<_> = meant
        .into_iter()
        .filter_map(|at| Some((targets.get(at)?, compiled.json().targets.get(at)?, status.get(&at))))
        .map(|(target, json, found)| {
            let (state, reason) = state(found, kmm_builds(inputs, target));
            Expected {
                release: release.to_owned(),
                image: target.image.to_string(),
                target: Some(target.id.to_string()),
                reference: target.tags.first().map(ToString::to_string),
                state,
                reason,
                reuse: json.reuse.clone(),
            }
        })
        .collect();
    // An image that the matrix has nothing of for it.
    for image in &compiled.model.images {
        let name = image.layers.name.as_str();
        if images.iter().any(|one| one.image == name) {
            continue;
        }
        let (state, reason) = match kmm_regexp(inputs, name, release) {
            Some(regexp) => (State::BuiltInCluster, format!("by `build regexp=` {regexp}")),
            None => (State::Missing, "the matrix has no target of it".to_owned()),
        };
        let (release, image) = (release.to_owned(), name.to_owned());
        let reason = Some(reason);
        images.push(Expected { release, image, target: None, reference: None, state, reason, reuse: None });
    }
    images
}

/// What a registry's answer means for nodes. `in_cluster`: KMM builds what the registry lacks, and takes what it has.
fn state(found: Option<&Result<(), Lack>>, in_cluster: bool) -> (State, Option<String>) {
    match found {
        Some(Ok(())) => (State::Ready, None),
        Some(Err(Lack::Image { absent: false, .. })) if in_cluster => (State::Ready, None),
        Some(Err(Lack::Image { .. })) if in_cluster => {
            (State::BuiltInCluster, Some("the registry has none yet".to_owned()))
        }
        Some(Err(Lack::Image { reason, .. })) => (State::ToBuild, Some(reason.clone())),
        Some(Err(Lack::Tags { .. })) => (State::ToBuild, Some("it is there by another tag".to_owned())),
        Some(Err(Lack::Unknown(why))) => (State::Unknown, Some(why.clone())),
        None => (State::Missing, Some("its reference names no registry".to_owned())),
    }
}

fn table(found: &PreflightJson) -> String {
    let reuses = found.images.iter().any(|one| one.reuse.is_some());
    let mut head = vec!["RELEASE", "IMAGE", "STATE", "WHY"];
    head.extend(reuses.then_some("MODULES"));
    let mut table = blank(&head);
    for one in &found.images {
        let state = match one.state {
            State::Ready => "ready",
            State::BuiltInCluster => "built by KMM",
            State::ToBuild => "to build",
            State::Missing => "missing",
            State::Unknown => "unknown",
        };
        let name = one.reference.as_ref().or(one.target.as_ref()).unwrap_or(&one.image);
        let mut row = vec![one.release.clone(), name.clone(), state.to_owned()];
        row.push(one.reason.clone().unwrap_or_else(|| "-".to_owned()));
        if reuses {
            row.push(match (one.state, &one.reuse) {
                (State::BuiltInCluster, _) => "compiled".to_owned(),
                (_, Some(reuse)) => modules(reuse),
                (_, None) => "-".to_owned(),
            });
        }
        table.add_row(row);
    }
    format!("{}\n{}", lines(&table), verdict(found))
}

/// How many are missing, and who makes them.
fn verdict(found: &PreflightJson) -> String {
    let all = count(found.images.len(), "image");
    if found.missing == 0 {
        return format!("all {all} are there\n");
    }
    let of = |state| found.images.iter().filter(|one| one.state == state).count();
    let makers = [
        (of(State::ToBuild), "`drvc build --push` builds"),
        (of(State::Missing), "the matrix, or a registry, lacks"),
        (of(State::Unknown), "registries do not say of"),
    ];
    let makers: Vec<_> = makers.iter().filter(|(number, _)| *number > 0).collect();
    let makers: Vec<_> = makers.iter().map(|(number, who)| format!("{who} {number}")).collect();
    format!("{} of {all} are missing: {}\n", found.missing, makers.join(", "))
}
