//! `drvc prune`: removes images that drvc has built and no target names any more.

use super::network::Network;
use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::images::build::stock;
use crate::images::engine::{Engine, Kind};
use crate::system::oci::Registry;
use crate::system::process::{Environment, Interrupt};
use crate::text::diag::count;
use clap::Args;

/// Remove images that drvc has built and that no target names any more
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc prune --dry-run           what would be removed from the engine
  drvc prune                     remove it
  drvc prune --registry          what could be removed from registries as well
  drvc prune --registry --yes    remove that too

Only images with drvc's label in the repositories of this manifest are looked at. In a registry an image is
removed with all its tags, by its digest, unless a current tag names it too.")]
pub(super) struct Prune {
    /// The engine: podman, buildah, docker or buildx [default: the first that is installed]
    #[arg(long, value_name = "NAME", value_parser = super::image_arg::engine)]
    engine: Option<Kind>,
    /// Remove nothing; list what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Look into registries too
    #[arg(long)]
    registry: bool,
    /// Remove images from registries too, for good
    #[arg(long, requires = "registry", conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

pub(super) fn prune(global: &Global, args: &Prune, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let compiled = Project::new(global)?.compiled(&args.compiling, terminal)?;
    let (environment, interrupt) = (Environment::of_this_process(), Interrupt::of_signals()?);
    let engine = Engine::find(args.engine, &[], &environment, &interrupt)?;
    let stale = stock::stale_in_engine(&compiled, &engine)?;
    for name in &stale {
        if args.dry_run {
            terminal.say(&format!("would remove {name} from {}", engine.kind()));
        } else {
            engine.remove(name)?;
            terminal.say(&format!("removed {name} from {}", engine.kind()));
        }
    }
    let mut told = format!("{} in {}", count(stale.len(), "image"), engine.kind());
    if args.registry {
        let registry = Registry::new(args.network.client_of(&Project::new(global)?, terminal)?);
        let stale = stock::stale_in_registry(&compiled, &registry)?;
        for image in &stale {
            let tags: Vec<_> = image.tags.iter().map(ToString::to_string).collect();
            let tags = if tags.is_empty() { "no tag".to_owned() } else { tags.join(", ") };
            let name = format!("{}@{} ({tags})", image.repository, image.digest);
            if args.yes {
                registry.delete_with_attached(&image.repository, &image.digest)?;
                terminal.say(&format!("removed {name}"));
            } else {
                terminal.say(&format!("would remove {name}"));
            }
        }
        told = format!("{told}, {} in registries", count(stale.len(), "image"));
        if !args.yes && !stale.is_empty() {
            terminal
                .say("  help: `drvc prune --registry --yes` removes them from their registries, for good");
        }
    }
    terminal.say(&format!("{told} that no target names"));
    Ok(Exit::Fine)
}
