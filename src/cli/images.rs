//! `drvc images`: every image that is pulled or built, for mirrors and firewalls.

use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::images::build::stock;
use crate::text::diag::Clean;
use clap::Args;

/// List every image that builds pull, and every reference that they make
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc images                what is pulled, and what is built
  drvc images --bases        only what is pulled: for a mirror
  drvc images --format json  for programs (`drvc schema images`)")]
pub(super) struct Images {
    /// Only the images that builds pull
    #[arg(long, conflicts_with = "built")]
    bases: bool,
    /// Only the references that builds make
    #[arg(long)]
    built: bool,
    /// `human`: one reference a line; `json` for programs (`drvc schema images`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn images(global: &Global, args: &Images, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let compiled = Project::new(global)?.compiled(&args.compiling, terminal)?;
    let mut images = stock::images(&compiled);
    if args.bases {
        images.built.clear();
    }
    if args.built {
        images.bases.clear();
    }
    match args.format {
        Format::Json => terminal.json(&images)?,
        Format::Human => {
            let lines: String =
                images.bases.iter().chain(&images.built).map(|line| format!("{line}\n")).collect();
            terminal.product(&Clean::text(&lines))?;
        }
    }
    Ok(Exit::Fine)
}
