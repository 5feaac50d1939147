//! `drvc compile --target`: writes the Dockerfiles of some targets, and leaves all others as they are.

use super::emitted::{kept, written};
use super::project::Project;
use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::compiler::compile::{Compiled, Request};
use crate::compiler::outputs::Outputs;
use crate::images::build::{Choice, Item, choose};
use crate::store::emit::{self, Job};
use crate::text::diag::count;
use std::collections::BTreeSet;

/// The directory of the scripts that every target's build may run.
const SCRIPTS: &str = "build";

/// Writes what `selectors` select of what is known.
pub(super) fn some(
    project: &Project,
    job: &Job<'_>,
    request: &Request,
    selectors: &[String],
    compiled: Compiled,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let choice = Choice { selectors: selectors.to_vec(), ..Choice::default() };
    let items = choose(&compiled, &choice)
        .map_err(|misfit| Failure::Usage { message: misfit.message, help: misfit.help })?;
    let targets = &compiled.plan.targets;
    let chosen =
        || items.iter().filter_map(|item| if let Item::Target(at) = item { targets.get(*at) } else { None });
    let ids: BTreeSet<&str> = chosen()
        .flat_map(|target| std::iter::once(&target.id).chain(&target.toolkit))
        .map(|id| id.as_str())
        .collect();
    let is_meant = |path: &str| {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        ids.contains(directory) || directory == SCRIPTS
    };
    let outputs = compiled.outputs().iter().filter(|(path, _)| is_meant(path.as_str()));
    let outputs: Outputs = outputs.map(|(path, output)| (path.clone(), output.clone())).collect();
    let report = emit::write_some(job, &outputs)?;
    terminal.say(&format!(
        "{} of {}: {}; the others, plan.json and what `output` asks for are as they were",
        chosen().count(),
        count(targets.len(), "target"),
        written(&report)
    ));
    Ok(kept(&report.kept, project, request, terminal))
}
