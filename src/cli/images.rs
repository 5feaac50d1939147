//! `drvc images`: every image that is pulled or built, for mirrors and firewalls.

use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::images::build::{copy_list, stock};
use crate::text::diag::Clean;
use clap::{Args, ValueEnum};

/// List every image that builds pull, and every reference that they make
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc images                what is pulled, and what is built
  drvc images --bases        only what is pulled: for a mirror
  drvc images --format json  for programs (`drvc schema images`)

Copy what is pulled into a site without the internet:
  drvc images --format skopeo >images.yaml
  skopeo sync --all --scoped --src yaml --dest docker \\
    images.yaml registry.example.com/hub
  drvc images --format imageset >imageset.yaml
  oc mirror --v2 -c imageset.yaml --workspace file://work \\
    docker://registry.example.com")]
pub(super) struct Images {
    /// Only the images that builds pull
    #[arg(long, conflicts_with = "built")]
    bases: bool,
    /// Only the references that builds make
    #[arg(long)]
    built: bool,
    /// `human`: one reference a line; `json` for programs (`drvc schema images`); `skopeo`: for `skopeo sync --src yaml`,
    /// and `imageset`: for `oc mirror --v2`, what is pulled, or with --built what is built
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
    Skopeo,
    Imageset,
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
        Format::Skopeo => terminal.product(&Clean::text(&copy_list::skopeo(copied(&images, args))))?,
        Format::Imageset => terminal.product(&Clean::text(&copy_list::imageset(copied(&images, args))))?,
        Format::Human => {
            let lines: String =
                images.bases.iter().chain(&images.built).map(|line| format!("{line}\n")).collect();
            terminal.product(&Clean::text(&lines))?;
        }
    }
    Ok(Exit::Fine)
}

/// What a site copies: what it builds with, unless it asks for what was built.
fn copied<'i>(images: &'i stock::Images, args: &Images) -> &'i [String] {
    if args.built { &images.built } else { &images.bases }
}
