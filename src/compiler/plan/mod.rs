//! The plan: cells, the targets built for them, and the graph of stages that the targets are made of.

mod bases;
mod build;
mod builder;
mod cell;
mod cells;
mod doubts;
mod earlier;
mod extras;
mod graph;
mod groups;
mod image;
mod kernel_stage;
mod kernels;
mod links;
mod listed;
pub(super) mod mirrors;
mod modprobe;
mod modules;
mod node;
mod nodes;
mod open;
mod order;
mod releases;
mod reports;
mod reuse;
mod rule;
mod scope;
mod setup;
mod signing;
mod sources;
mod stages;
mod targets;
mod toolkits;
mod zstreams;

pub use builder::Toolkit;
pub use cell::Excluded;
pub use earlier::{Earlier, ReuseStage, keyed};
pub use graph::{Edge, Graph, NodeId};
pub use links::chain;
pub use modprobe::{Modprobe, underscored};
pub use node::Node;
pub use open::{KernelRequest, Places, kernel_requests, places_of, points};
pub use rule::selected as releases_selected;
pub use stages::{
    BuildCommand, ContextPatch, ExtraFiles, Fetched, Gone, ImageStage, KernelStage, KeyHandle, ModuleStage,
    OnBase, PackageInstall, RepositoryFile, Revision, RuntimeBase, SignStage, SigningKey, SourceStage,
    StepCommand, Subscription, ToolkitBase, ToolkitStage,
};
pub use targets::{Other, Target};
pub use toolkits::TOOLKITS;

use crate::compiler::inputs::Contexts;
use crate::compiler::model::Model;
use crate::knowledge::lock::Consulted;
use crate::knowledge::profile::Profiles;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::{Sources, Span};

/// Every target and the stages that it is made of.
#[derive(Debug, Default)]
pub struct Plan {
    /// The stages.
    pub graph: Graph,
    /// The toolkit images that targets stand on, sorted by id.
    pub toolkits: Vec<Toolkit>,
    /// The targets, sorted by id.
    pub targets: Vec<Target>,
    /// What the matrix excludes, in the order of the matrix.
    pub excluded: Vec<Excluded>,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The manifest's meaning.
    pub model: &'a Model,
    /// What was resolved.
    pub lock: &'a Consulted<'a>,
    /// What is known of operating systems.
    pub profiles: &'a Profiles,
    /// Local files.
    pub contexts: &'a Contexts,
    /// Texts, for lists of kernels.
    pub sources: &'a Sources,
    /// More targets than this are refused.
    pub max_targets: usize,
}

/// Expands the matrix into targets and their stages:
///
/// 1. [`cells::expand`] makes a cell of each os, release, kernel and architecture.
/// 2. [`groups::select`] pairs images with cells and merges the pairs that are one build.
/// 3. [`builder::Builder`] makes the stages of each target, once each.
///
/// Kernels that the lock does not name yet, or has no builder for, hold up their own cells only.
pub fn expand(inputs: Inputs<'_>) -> (Plan, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    order::refuse_cycles(inputs.model, &mut diagnostics);
    let (cells, mut excluded) = cells::expand(&inputs, &mut diagnostics);
    if diagnostics.has_errors_beside_open() {
        return (Plan::default(), diagnostics);
    }
    let waits = diagnostics.has_errors();
    let groups = groups::select(&inputs, &cells, &mut excluded, &mut diagnostics);
    let (graph, toolkits, targets) = build::build(&inputs, &groups, &mut diagnostics);
    if !diagnostics.has_errors() {
        inputs.lock.unused().into_iter().for_each(|(what, span)| diagnostics.push(unused(&what, span)));
    }
    // What is missing may be among the kernels that wait.
    let diagnostics = diagnostics.without(|code| waits && code.is_absence() && !code.is_open());
    (Plan { graph, toolkits, targets, excluded }, diagnostics)
}

fn unused(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnusedLockEntry, format!("the lock file pins {what}, which nothing needs"))
        .label(span, "no target is built on it")
        .help("`drvc lock` takes it out")
}
