//! Formats: what a plan, its stages and their keys look like as files.

mod dockerfile;
mod graph;
mod nodes;
pub mod output;
mod plan_json;

pub use dockerfile::outputs;
pub use graph::{GraphJson, GraphRoot, GraphStage, GraphUse, graph};
pub use nodes::{NodeImage, NodeKernel, NodeList, NodesJson, nodes};
pub use plan_json::{
    ContextFile, PlanExcluded, PlanJson, PlanSecret, PlanStage, PlanTarget, PlanToolkit, plan_json,
};
