//! `drvc clean`: deletes what drvc wrote, and nothing else.

use super::project::{Place, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::store::emit::{self, Job};
use crate::text::diag::count;
use clap::Args;
use std::time::Duration;

/// Delete what drvc wrote, and nothing else
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc clean                       everything of drvc's below drivers.out/
  drvc clean -o build/images       in another output directory

Files that drvc did not write, or that were edited since, are kept and named.")]
pub(super) struct Clean {
    /// How long to wait for another drvc that writes to the same directory
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    lock_timeout: u64,
    #[command(flatten)]
    place: Place,
}

pub(super) fn clean(global: &Global, args: &Clean, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let disk = project.disk()?;
    let waiting = || terminal.say("waiting for another drvc that writes to the same directory");
    let job = Job {
        root: &disk,
        out: &args.place.out,
        request: [0; 32],
        force: false,
        verify: false,
        patience: Duration::from_secs(args.lock_timeout),
        waiting: &waiting,
        phase: &|_| {},
    };
    let cleaned = emit::clean(&job)?;
    let out = project.root.join(args.place.out.as_path());
    for path in &cleaned.kept {
        terminal.say(&format!("kept `{}`: not written by drvc, or edited since", out.join(path)));
    }
    terminal.say(&format!("{} deleted in `{out}`", count(cleaned.deleted, "file")));
    Ok(Exit::Fine)
}
