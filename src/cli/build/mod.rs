//! `drvc build`: builds the images that do not exist yet, several at a time.

mod attest;
mod ready;
mod summary;

use super::boot::{Booting, Limits};
use super::network::Network;
use super::progress::Progress;
use super::project::{Compiling, Project};
use super::secrets::{absolute, required, secret};
use super::terminal::Terminal;
use super::timings::{Clock, Timings};
use super::{Exit, Failure, Format, Global};
use crate::images::build::{AfterFailure, BuildRun, Choice, Proof, choose};
use crate::images::engine::{Engine, Kind, Secret};
use crate::images::record::keep_builds;
use crate::system::oci::Registry;
use crate::system::process::{Environment, Interrupt};
use attest::Attesting;
use camino::Utf8PathBuf;
use clap::Args;
use clap_complete::ArgValueCandidates;
use ready::{compiled, complete_lock, hold, home};
use std::time::{Duration, Instant};
use summary::BuildSummary;

/// Build the images that do not exist yet, and no other
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # what changed, with the engine that is installed
  drvc build
  # four at a time; go on when one fails
  drvc build -j 4 --keep-going
  # some targets; keys and values as in the manifest's `on`
  drvc build --target 'release=9.4'
  # oldest and newest kernel of each release: for pull requests
  drvc build --target ticker --sample
  # the toolkits alone
  drvc build --target _toolkit --push
  # what would be built, and why
  drvc build --dry-run
  drvc build --engine buildah --engine-arg=--isolation=chroot
  # with proofs of where each image comes from
  drvc build --push --sbom --provenance=https://ci.example.com/drivers

A target is built unless there is an image of its reference and architecture with its key.

Exit code 0 if every image is there, 1 with mistakes in the manifest, 3 if outputs or the lock file are out
of date, 4 if a build or the engine failed, 130 or 143 when interrupted.")]
pub(super) struct Build {
    /// The engine: podman, buildah, docker or buildx [default: the first that is installed]
    #[arg(long, value_name = "NAME", value_parser = super::image_arg::engine)]
    engine: Option<Kind>,
    /// A word for each build's command line, such as --network=host; may be repeated
    #[arg(long = "engine-arg", value_name = "ARG", allow_hyphen_values = true)]
    engine_args: Vec<String>,
    /// How many builds run at a time [default: half of the processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// When a build fails, go on with all that does not depend on it
    #[arg(short, long, conflicts_with = "fail_fast")]
    keep_going: bool,
    /// When a build fails, end those that run as well
    #[arg(long)]
    fail_fast: bool,
    /// Build nothing; list what would be built, and why
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Push images to their registries, and count only what is there
    #[arg(long)]
    push: bool,
    /// A word for each push's command line, such as --tls-verify=false; may be repeated
    #[arg(long = "push-arg", value_name = "ARG", allow_hyphen_values = true)]
    push_args: Vec<String>,
    /// Ask neither registries nor servers: no image counts but the engine's
    #[arg(long, conflicts_with = "push")]
    offline: bool,
    /// Only targets that this selects, such as 'os=rhel release=">=9.2"', or a piece of their id; may be repeated
    #[arg(long = "target", value_name = "SELECTOR")]
    #[arg(add = ArgValueCandidates::new(crate::cli::completions::targets))]
    targets: Vec<String>,
    /// Only targets that are not what they were in this git revision
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// Only the oldest and the newest kernel of each release
    #[arg(long)]
    sample: bool,
    /// A build secret: id=ID,src=FILE or id=ID,env=NAME; may be repeated
    #[arg(long = "secret", value_name = "SECRET", value_parser = secret)]
    secrets: Vec<Secret>,
    /// End a build that takes longer
    #[arg(long, value_name = "SECONDS")]
    build_timeout: Option<u64>,
    /// Refuse to go on where drivers.lock lacks something
    #[arg(long)]
    locked: bool,
    /// How long to wait for another drvc that works in the same directory
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    lock_timeout: u64,
    /// Boot each image that was built, in QEMU with its own kernel; one whose modules do not load is not built
    #[arg(long, conflicts_with = "offline")]
    boot: bool,
    #[command(flatten)]
    limits: Limits,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    junit: Option<Utf8PathBuf>,
    /// `human` for people; `json` for programs (`drvc schema build`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    attesting: Attesting,
    #[command(flatten)]
    timings: Timings,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

pub(super) fn build(global: &Global, args: &Build, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let clock = Clock::default();
    let exit = timed(global, args, &clock, terminal)?;
    clock.tell(&args.timings, terminal)?;
    Ok(exit)
}

fn timed(global: &Global, args: &Build, clock: &Clock, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let (start, began) = (Instant::now(), now());
    let project = Project::new(global)?;
    let disk = project.open()?;
    let request = project.request(&args.compiling);
    let interrupt = Interrupt::of_signals()?;
    clock.begin("complete the lock");
    if !args.locked && !args.offline {
        complete_lock(&project, &disk, &request, args, terminal)?;
    }
    let (sources, compiled) = match compiled(&project, &disk, &request, args, clock, terminal)? {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    clock.begin("choose targets");
    let since = |revision| project.since(&args.compiling, revision, &compiled, terminal);
    let changed = args.since.as_deref().map(since).transpose()?;
    let changed = changed.map(|diff| diff.targets.into_iter().map(|target| target.target).collect());
    let choice = Choice { selectors: args.targets.clone(), among: changed, sample: args.sample };
    let items = choose(&compiled, &choice)
        .map_err(|misfit| Failure::Usage { message: misfit.message, help: misfit.help })?;
    let environment = Environment::of_this_process();
    let secrets = absolute(&args.secrets, &environment)?;
    let secrets = required(secrets, &compiled, &items)?;
    let engine = Engine::find(args.engine, &args.engine_args, &environment, &interrupt);
    let cosign = args.attesting.cosign(&environment, &interrupt)?;
    let engine_name = engine.as_ref().ok().map(|engine| engine.kind().to_string());
    let registry = match args.offline {
        true => None,
        false => Some(Registry::new(args.network.client_of(&project, terminal)?)),
    };
    let home = home(&disk, &request)?;
    let Some(_held) = hold(&home, args, &interrupt, terminal)? else { return Ok(signal(&interrupt)) };
    let directory = if project.root.as_str().is_empty() { ".".into() } else { project.root.clone() };
    let booting = match args.boot {
        true => Some(Booting::new(global, &args.network, &args.limits, &interrupt, terminal)?),
        false => None,
    };
    clock.begin("ask engine and registry");
    let progress = Progress::new(terminal, clock);
    let builds = BuildRun {
        compiled: &compiled,
        engine,
        registry: registry.as_ref(),
        push: args.push,
        push_arguments: &args.push_args,
        proofs: args.attesting.proofs(),
        disk: &disk,
        directory: &directory,
        out: &request.out,
        home: &home,
        secrets: &secrets,
        timeout: args.build_timeout.map(Duration::from_secs),
        workers: args.jobs.map_or_else(workers, usize::from),
        after: args.after(),
        dry_run: args.dry_run,
        proof: booting.as_ref().map(|booting| booting as &dyn Proof),
        interrupt: &interrupt,
        watch: &progress,
    };
    let mut verdicts = builds.run(&items)?;
    if args.attesting.any() && !args.dry_run {
        clock.begin("attest");
        let run = attest::Run { project: &project, sources: &sources, builds: &builds, cosign, began };
        args.attesting.attest(&run, args, &mut verdicts);
    }
    let boots = booting.as_ref().map(Booting::said).unwrap_or_default();
    keep_builds(&disk, &home, &request.out, &compiled, &verdicts, boots)?;
    clock.begin("report");
    progress.say_warnings();
    let summary =
        BuildSummary { project: &project, sources: &sources, compiled: &compiled, verdicts: &verdicts };
    summary.everything(args, engine_name, start.elapsed(), terminal)?;
    Ok(match () {
        () if interrupt.signal().is_some() => signal(&interrupt),
        () if verdicts.values().all(|verdict| verdict.is_good() || args.dry_run) => Exit::Fine,
        () => Exit::World,
    })
}

impl Build {
    const fn after(&self) -> AfterFailure {
        match (self.keep_going, self.fail_fast) {
            (true, _) => AfterFailure::GoOn,
            (_, true) => AfterFailure::Halt,
            _ => AfterFailure::Finish,
        }
    }
}

/// The time, as RFC 3339 has it.
#[expect(
    clippy::disallowed_methods,
    reason = "when a build began and ended is a fact that its provenance states"
)]
fn now() -> String {
    let now = der::DateTime::from_system_time(std::time::SystemTime::now());
    now.map_or_else(|_| String::new(), |now| now.to_string())
}

/// Half of the processors: a build uses several itself.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

fn signal(interrupt: &Interrupt) -> Exit {
    match interrupt.signal() {
        Some(15) => Exit::Terminated,
        _ => Exit::Interrupted,
    }
}
