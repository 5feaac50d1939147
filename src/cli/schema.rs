//! `drvc schema [NAME]`: the shape of what drvc reads and prints, for editors and for programs.

use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::diag::json::ReportJson;
use crate::diag::nearest;
use clap::Args;

/// A name, and what makes the JSON Schema that goes by it.
pub type NamedSchema = (&'static str, fn() -> schemars::Schema);

/// Every JSON that drvc prints.
pub const JSON_SCHEMAS: &[NamedSchema] = &[("report", || schemars::schema_for!(ReportJson))];

/// Print the schema of something that drvc prints
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc schema report       JSON Schema of `drvc check --format json`")]
pub(super) struct Schema {
    /// What to print the schema of: `report`
    name: String,
}

pub(super) fn schema(args: &Schema, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let found = JSON_SCHEMAS.iter().find(|(name, _)| *name == args.name);
    let (_, schema) = found.ok_or_else(|| no_schema(&args.name))?;
    terminal.json(&schema())?;
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
