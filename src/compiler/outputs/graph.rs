//! The graph of stages as a picture, in DOT or Mermaid, and as JSON for programs.

use crate::compiler::keys::Fingerprint;
use crate::compiler::plan::{Graph, Node, NodeId, Plan};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Stages and how they use each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "drvc graph")]
pub struct GraphJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// The stages, each after those that it uses.
    pub stages: Vec<GraphStage>,
    /// The targets, and the stage that is the image of each.
    pub targets: Vec<GraphRoot>,
}

/// A stage, or the image from a registry that stages stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphStage {
    /// The number by which others refer to it.
    pub id: usize,
    /// What it is for: `base`, `tools`, `fetch`, `download`, `kernel`, `toolkit`, `source`, `reuse`, `module`, `sign`, `root`
    /// or `image`.
    pub kind: String,
    /// What it is of: the image, the kernel, or a name in the manifest.
    pub name: String,
    /// The first 16 digits of its fingerprint.
    pub fingerprint: String,
    /// What it uses.
    pub uses: Vec<GraphUse>,
}

/// A use of one stage by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphUse {
    /// The stage that is used.
    pub stage: usize,
    /// How: `from`, `toolkit`, `runtime`, `reuse`, `files` or `symbols`.
    pub edge: String,
}

/// A target in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphRoot {
    /// The target's id.
    pub id: String,
    /// The stage that is its image.
    pub stage: usize,
}

/// The part of a plan's graph that the targets stand on whose ids are wanted.
#[must_use]
pub fn graph(plan: &Plan, keys: &[Fingerprint], wanted: impl Fn(&str) -> bool) -> GraphJson {
    let graph = &plan.graph;
    let targets: Vec<_> = plan.targets.iter().filter(|target| wanted(target.id.as_str())).collect();
    let own = targets.iter().map(|target| target.root);
    let toolkits = plan
        .toolkits
        .iter()
        .filter(|toolkit| targets.iter().any(|target| target.toolkit.as_ref() == Some(&toolkit.id)));
    let roots = own.chain(toolkits.map(|toolkit| toolkit.root));
    let seen: BTreeSet<NodeId> = roots.flat_map(|root| graph.ancestry(root)).collect();
    let stages = seen.into_iter().map(|id| GraphStage {
        id: id.index(),
        kind: graph.node(id).kind().into(),
        name: name(graph, id),
        fingerprint: keys.get(id.index()).map(Fingerprint::short).unwrap_or_default(),
        uses: uses(graph, id),
    });
    let roots =
        targets.iter().map(|target| GraphRoot { id: target.id.to_string(), stage: target.root.index() });
    GraphJson { version: 1, stages: stages.collect(), targets: roots.collect() }
}

fn uses(graph: &Graph, id: NodeId) -> Vec<GraphUse> {
    let inputs = graph.inputs(id).iter().copied();
    inputs.map(|(stage, edge)| GraphUse { stage: stage.index(), edge: edge.name().into() }).collect()
}

fn name(graph: &Graph, id: NodeId) -> String {
    match graph.node(id) {
        Node::Base(image) => image.to_string(),
        Node::ToolkitBase(image) => image.pinned.to_string(),
        Node::Tools(stage) | Node::Fetch(stage) | Node::Download(stage) => {
            stage.install.manager.name().into()
        }
        Node::Root(install) => install.manager.name().into(),
        Node::Toolkit(stage) => stage.kernel.to_string(),
        Node::Kernel(stage) => stage.kernel.to_string(),
        Node::Reuse(stage) => format!("of {}", stage.kernel),
        Node::Source(stage) => stage.name.to_string(),
        Node::Module(stage) => {
            let below = graph.inputs(id).iter().copied().map(|(input, _)| input);
            let on_kernel = |input: NodeId| match graph.node(input) {
                Node::Reuse(_) => graph.inputs(input).first().map_or(input, |(kernel, _)| *kernel),
                _ => input,
            };
            let below = below.map(|input| graph.node(on_kernel(input)));
            let kernel = below.filter_map(|node| match node {
                Node::Kernel(kernel) => Some(kernel.kernel.as_str()),
                _ => None,
            });
            format!("{} for {}", stage.name, kernel.collect::<String>())
        }
        Node::Sign(stage) => stage.certificate.0.to_string(),
        Node::Image(stage) => format!("{} for {}", stage.name, stage.kernel),
    }
}

impl GraphJson {
    /// For Graphviz.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph drvc {\n    rankdir=LR;\n    node [shape=box];\n");
        for GraphStage { id, kind, name, fingerprint, uses } in &self.stages {
            let _ = writeln!(text, "    n{id} [label=\"{kind}\\n{}\\n{fingerprint}\"];", quoted(name));
            for used in uses {
                let _ = writeln!(text, "    n{} -> n{id} [label=\"{}\"];", used.stage, used.edge);
            }
        }
        text + "}\n"
    }

    /// For Mermaid, which many web pages draw.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for GraphStage { id, kind, name, fingerprint, uses } in &self.stages {
            let _ = writeln!(text, "    n{id}[\"{kind}<br>{}<br>{fingerprint}\"]", quoted(name));
            for used in uses {
                let _ = writeln!(text, "    n{} -->|{}| n{id}", used.stage, used.edge);
            }
        }
        text
    }
}

/// A name between double quotes. Names have narrow grammars; a quote in one would be a mistake of ours.
fn quoted(name: &str) -> String {
    name.replace(['"', '\\'], "?")
}
