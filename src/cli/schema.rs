//! `drvc schema [NAME]`: the shape of what drvc reads and prints, for editors and for programs.

use super::init::InitJson;
use super::kernels::KernelsJson;
use super::lock::LockJson;
use super::matrix::MatrixJson;
use super::preflight::PreflightJson;
use super::terminal::Terminal;
use super::timings::TimingsJson;
use super::{Exit, Failure};
use crate::compiler::outputs::{GraphJson, NodesJson, PlanJson};
use crate::compiler::why::Why;
use crate::images::boot::Report as Booted;
use crate::images::build::report::BuildJson;
use crate::images::build::stock::Images;
use crate::images::verify::Report as Verified;
use crate::language::schema::manifest;
use crate::store::history::Diff;
use crate::text::diag::json::ReportJson;
use crate::text::diag::{Clean, nearest};
use clap::Args;

/// A name, and what makes the JSON Schema that goes by it.
pub type NamedSchema = (&'static str, fn() -> schemars::Schema);

/// Every JSON that drvc prints.
pub const JSON_SCHEMAS: &[NamedSchema] = &[
    ("boot", || schemars::schema_for!(Booted)),
    ("build", || schemars::schema_for!(BuildJson)),
    ("diff", || schemars::schema_for!(Diff)),
    ("graph", || schemars::schema_for!(GraphJson)),
    ("images", || schemars::schema_for!(Images)),
    ("init", || schemars::schema_for!(InitJson)),
    ("kernels", || schemars::schema_for!(KernelsJson)),
    ("lock", || schemars::schema_for!(LockJson)),
    ("matrix", || schemars::schema_for!(MatrixJson)),
    ("nodes", || schemars::schema_for!(NodesJson)),
    ("plan", || schemars::schema_for!(PlanJson)),
    ("preflight", || schemars::schema_for!(PreflightJson)),
    ("report", || schemars::schema_for!(ReportJson)),
    ("timings", || schemars::schema_for!(TimingsJson)),
    ("verify", || schemars::schema_for!(Verified)),
    ("why", || schemars::schema_for!(Why)),
];

/// Print the schema of the manifest, or of a JSON that drvc prints
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # the manifest's, in the KDL Schema Language
  drvc schema
  # JSON Schema of `drvc check --format json`
  drvc schema report
  # of `drvc plan --format json`, and of drivers.out/plan.json
  drvc schema plan
  # of `drvc build --format json`
  drvc schema build
  # of `drvc why TARGET --format json`
  drvc schema why
  # of `drvc kernels OS RELEASE --format json`
  drvc schema kernels
  # of `drvc init --format json`
  drvc schema init
  # of `drvc lock --format json`
  drvc schema lock
  # of `drvc graph --format json`
  drvc schema graph
  # of `drvc diff REV --format json`
  drvc schema diff
  # of `drvc plan --nodes FILE --format json`
  drvc schema nodes
  # of `drvc matrix --format json`
  drvc schema matrix
  # of `drvc preflight RELEASE --format json`
  drvc schema preflight
  # of `drvc images --format json`
  drvc schema images
  # of `drvc verify --format json`
  drvc schema verify
  # of `drvc boot --format json`
  drvc schema boot
  # of `--timings=FILE`
  drvc schema timings

Exit code 0 if it was printed, 2 for a wrong command line, 4 if it cannot be written.")]
pub(super) struct Schema {
    /// What to print the JSON Schema of: `boot`, `build`, `diff`, `graph`, `images`, `init`, `kernels`, `lock`, `matrix`,
    /// `nodes`, `plan`, `preflight`, `report` (of `drvc check`), `timings`, `verify` or `why`; without it, the manifest's schema
    name: Option<String>,
}

pub(super) fn schema(args: &Schema, terminal: &mut Terminal) -> Result<Exit, Failure> {
    match &args.name {
        None => terminal.product(&Clean::text(&manifest::schema()))?,
        Some(name) => {
            let found = JSON_SCHEMAS.iter().find(|(known, _)| known == name);
            let (_, schema) = found.ok_or_else(|| no_schema(name))?;
            terminal.json(&schema())?;
        }
    }
    Ok(Exit::Fine)
}

fn no_schema(name: &str) -> Failure {
    let names: Vec<&str> = JSON_SCHEMAS.iter().map(|(name, _)| *name).collect();
    Failure::Usage {
        message: format!("no schema is called `{name}`"),
        help: nearest(name, names.iter().copied()).map_or_else(
            || format!("there are: {}", names.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        ),
    }
}
