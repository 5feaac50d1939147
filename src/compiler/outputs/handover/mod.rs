//! `output`: the same plan in the words of engines, services and clusters that take over from here.

mod bake;
mod buildconfig;
mod fill;
mod github;
mod gitlab;
mod install;
mod jobs;
mod kmm;
mod pipeline;
mod yaml;

pub use bake::bake;
pub use github::matrix as github_matrix;
pub use gitlab::child as gitlab_child;
pub use jobs::{Job, Jobs, jobs, without_runner};
pub use kmm::{kmm_builds, kmm_regexp};

use super::plan_json::PlanJson;
use crate::compiler::inputs::Checkout;
use crate::compiler::model::Model;
use crate::compiler::outputs::Rope;
use crate::compiler::plan::{Plan, Target};
use crate::compiler::render::{Stage, with_inline_scripts};
use crate::text::diag::Diagnostics;
use crate::text::ids::RelPath;
use std::collections::BTreeMap;

/// What outputs are made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The manifest's meaning: which outputs, and their settings.
    pub model: &'a Model,
    /// The targets.
    pub plan: &'a Plan,
    /// The text of each node, by its place in the graph.
    pub stages: &'a [Stage],
    /// What a checkout must bring.
    pub checkout: Checkout,
    /// The plan as programs read it.
    pub json: &'a PlanJson,
    /// The manifest's name.
    pub manifest: &'a RelPath,
    /// The output directory.
    pub out: &'a RelPath,
}

/// Every file that `output` asks for, by its path in the output directory, and what of the manifest they cannot say.
#[must_use]
pub fn handover(inputs: Inputs<'_>) -> (BTreeMap<RelPath, Rope>, Diagnostics) {
    let mut files = Files::default();
    let output = &inputs.model.output;
    if let Some(settings) = &output.bake {
        bake::files(&inputs, settings, &mut files);
    }
    if let Some(settings) = &output.github {
        github::files(&inputs, settings, &mut files);
    }
    if let Some(settings) = &output.gitlab {
        gitlab::files(&inputs, settings, &mut files);
    }
    if let Some(settings) = &output.buildconfig {
        buildconfig::files(&inputs, settings, &mut files);
    }
    if let Some(settings) = &output.kmm {
        kmm::files(&inputs, settings, &mut files);
    }
    (files.all, files.diagnostics)
}

/// What outputs are collected in.
#[derive(Debug, Default)]
struct Files {
    all: BTreeMap<RelPath, Rope>,
    diagnostics: Diagnostics,
}

impl Files {
    fn insert(&mut self, path: &str, text: String) {
        // Paths are made of names that are parts of targets' paths, which fit.
        self.all.extend(RelPath::parse(path).map(|path| (path, Rope::from(text))));
    }
}

/// The first lines of an output that has comments, after its seal.
fn header(manifest: &RelPath, use_it: &str) -> String {
    format!("# Made by drvc from {manifest}: do not edit, run `drvc compile`. {use_it}\n")
}

/// The text of a target's Dockerfile, without seal and header, for one kernel or, opened, for many, so without a key;
/// and with its scripts in it, since no build context goes along. A cluster has no image of an earlier kernel to try.
fn dockerfile(inputs: &Inputs<'_>, target: &Target) -> String {
    let stages = inputs.plan.graph.ancestry(target.compiled);
    let texts = stages.iter().filter_map(|id| Some(inputs.stages.get(id.index())?.text.as_ref()));
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    with_inline_scripts(&texts.join("\n"), inputs.out)
}
