//! Formats: what a plan, its stages and their keys look like as files.

mod dockerfile;
mod plan_json;

pub use dockerfile::outputs;
pub use plan_json::{ContextFile, PlanJson, PlanStage, PlanTarget, plan_json};
