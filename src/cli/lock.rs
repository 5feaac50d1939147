//! `drvc lock`: resolves what the manifest leaves open into `drivers.lock`, and says what moved.

use super::chains::{ChainJson, of_plan, text};
use super::network::Network;
use super::outcome::{Verdict, compile};
use super::project::{Compiling, Project};
use super::secrets::{contents, secret};
use super::terminal::Terminal;
use super::timings::{Clock, Timings};
use super::{Exit, Failure, Format, Global};
use crate::compiler::compile::compile_known;
use crate::images::engine::Secret;
use crate::knowledge::lock::{MAX_BYTES, to_text};
use crate::resolve::{Change, ChangeKind, Job, Progress, Refusal, Resolver, Settled, Unresolved, settle};
use crate::system::fs::{Disk, Reader, Tree};
use crate::system::http::Statistics;
use crate::text::diag::{Clean, Diagnostics, count, listed, nearest};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use clap::Args;
use clap_complete::ArgValueCandidates;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Instant;

/// The lock's name, right beside the manifest.
pub(super) const NAME: &str = "drivers.lock";

/// Resolve what the manifest leaves open into drivers.lock, and say what moved
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # add what is missing, take out what nothing needs
  drvc lock
  # resolve everything again: new kernels, commits, images
  drvc lock --update
  # only this source, os, or entry with this in its name
  drvc lock accelerator
  drvc lock --update accelerator
  # in CI: does drivers.lock have all that the manifest asks for?
  drvc lock --check
  # a private source, with its deploy key
  drvc lock --secret id=deploy-key,src=key
  # a server in a private network
  drvc lock --allow-host git.lan
  # what moved, and which kernels share their modules (`reuse`), for programs
  drvc lock --format json

Branches, tags of images, `match`, `latest` and OpenShift releases are resolved; after that, every machine
compiles the same files without a network. Commit drivers.lock.

Exit code 0 if all is well, 1 with mistakes in the manifest, 3 if drivers.lock is out of date (--check,
--offline), 4 if a server failed; then drivers.lock has what the others answered, and all else as it
was.")]
pub(super) struct Lock {
    /// Ask only for this: a source, an os with or without its release, or part of an entry's name
    #[arg(add = ArgValueCandidates::new(super::completions::pinned))]
    name: Option<String>,
    /// Resolve again what is there already
    #[arg(long)]
    update: bool,
    /// Write nothing and ask nobody; report what is missing or unused, or contradicts the manifest
    #[arg(long, conflicts_with_all = ["name", "update", "offline"])]
    check: bool,
    /// Ask nobody: only take out what nothing needs
    #[arg(long, conflicts_with_all = ["name", "update"])]
    offline: bool,
    /// `human` for people; `json` for programs (`drvc schema lock`)
    #[arg(long, value_enum, default_value_t, conflicts_with = "check")]
    format: Format,
    /// The secret of a private source: id=ID,src=FILE or id=ID,env=NAME; may be repeated
    #[arg(long = "secret", value_name = "SECRET", value_parser = secret)]
    secrets: Vec<Secret>,
    #[command(flatten)]
    timings: Timings,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

/// What `drvc lock` did.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LockJson {
    /// How many entries drivers.lock has.
    entries: usize,
    /// What moved.
    changes: Vec<ChangeJson>,
    /// What was asked for in vain.
    unresolved: Vec<String>,
    /// Which kernels are compiled and which tried on an earlier one, for images with `reuse`.
    chains: Vec<ChainJson>,
}

/// What happened to one entry.
#[derive(Debug, Serialize, JsonSchema)]
struct ChangeJson {
    /// What it is of.
    name: String,
    /// `added`, `moved` or `removed`.
    change: &'static str,
    /// What it is now, or what became of what.
    detail: String,
}

pub(super) fn lock(global: &Global, args: &Lock, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let clock = Clock::default();
    let exit = timed(global, args, &clock, terminal)?;
    clock.tell(&args.timings, terminal)?;
    Ok(exit)
}

fn timed(global: &Global, args: &Lock, clock: &Clock, terminal: &mut Terminal) -> Result<Exit, Failure> {
    clock.begin("read manifest and lock");
    let project = Project::new(global)?;
    let disk = project.open()?;
    if args.check {
        return Ok(check(&project, &disk, args, terminal));
    }
    let started = Instant::now();
    let client = args.network.client_of(&project, terminal)?;
    let resolver = match args.offline {
        true => None,
        false => {
            let client = client.clone();
            let repositories = args.network.for_repositories(&client)?;
            let secrets = contents(&args.secrets, client.environment())?;
            let resolver = Resolver::new(client).with_secrets(secrets);
            Some(resolver.with_repositories(repositories, args.network.has_subscription()))
        }
    };
    let path = RelPath::parse(NAME).map_err(|rule| Error::new("use", NAME, rule))?;
    let bar = Bar::new(terminal);
    let settled = settle(&Job {
        tree: &disk,
        request: &project.request(&args.compiling),
        path: &path,
        name: args.name.as_deref(),
        update: args.update,
        resolver: resolver.as_ref(),
        progress: &|progress| {
            clock.begin("ask servers");
            bar.show(progress);
        },
    });
    bar.end();
    clock.begin("write and report");
    resolver.iter().flat_map(Resolver::notes).for_each(|note| terminal.say(&note));
    let settled = settled.map_err(|refusal| refused(refusal, &project, terminal))?;
    write(&disk, &project, &path, &settled)?;
    let chains = match settled.lock.headers.is_empty() {
        true => Vec::new(),
        false => {
            let compiled = compile_known(&Reader::new(&disk), &project.request(&args.compiling)).plan;
            compiled.map(|plan| of_plan(&plan, &settled.lock, client.cache())).unwrap_or_default()
        }
    };
    if args.format == Format::Json {
        terminal.json(&json(&settled, chains))?;
    } else {
        terminal.product(&Clean::text(&text(&chains)))?;
    }
    let statistics = resolver.map(|resolver| resolver.client().statistics());
    Ok(told(settled, &project, statistics, started, terminal))
}

fn json(settled: &Settled, chains: Vec<ChainJson>) -> LockJson {
    let changes = settled.changes.iter().map(|change| ChangeJson {
        name: change.name.clone(),
        change: change.kind.name(),
        detail: change.detail.clone(),
    });
    LockJson {
        entries: settled.lock.len(),
        changes: changes.collect(),
        unresolved: settled.unresolved.iter().map(|one| one.name.clone()).collect(),
        chains,
    }
}

/// `--check`: what compiling finds out about the lock.
fn check(project: &Project, disk: &Disk, args: &Lock, terminal: &Terminal) -> Exit {
    let compilation = compile(disk, &project.request(&args.compiling));
    let verdict = Verdict::of(&compilation.diagnostics);
    terminal.some_diagnostics(&project.report(&compilation.sources, compilation.diagnostics), true);
    let exit = verdict.exit(true);
    match exit {
        Exit::Fine => terminal.say(&format!("{NAME} is up to date{}", verdict.aside())),
        Exit::OutOfDate => terminal.say(&format!("{NAME} is out of date; `drvc lock` settles it")),
        _ => {}
    }
    exit
}

/// Puts the lock in its place, whole and on the disk, unless these very bytes stand there.
pub(super) fn write(disk: &Disk, project: &Project, path: &RelPath, settled: &Settled) -> Result<(), Error> {
    let text = to_text(&settled.lock);
    let known = disk.read(path, MAX_BYTES).map(|found| found.value);
    let nothing = (known.is_err() && settled.lock.is_empty())
        || (settled.changes.is_empty() && !settled.unresolved.is_empty());
    if nothing || known.is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    let place = project.root.join(NAME);
    disk.root().remove_dead_temporaries();
    let written = disk.root().replace_durably(NAME, text.as_bytes());
    written.map(drop).map_err(|cause| Error::new("write", place, cause))
}

fn told(
    settled: Settled,
    project: &Project,
    statistics: Option<Statistics>,
    started: Instant,
    terminal: &Terminal,
) -> Exit {
    let Settled { sources, diagnostics, lock, changes, failures, unresolved, open } = settled;
    let verdict = Verdict::of(&diagnostics);
    let drift = diagnostics.iter().any(|one| one.code.is_drift());
    if drift || verdict.errors > 0 {
        terminal.some_diagnostics(&project.report(&sources, diagnostics), true);
    }
    let away = !failures.is_empty();
    for failure in failures {
        let _ = terminal.failure(&Failure::World(failure));
    }
    changes.iter().for_each(|change| terminal.say(&change.to_string()));
    for Unresolved { name, kept } in unresolved {
        terminal.say(&format!("not resolved: {name}{}", if kept { ", which stays as it was" } else { "" }));
    }
    let asked = statistics.map(|statistics| asked(statistics, started)).unwrap_or_default();
    terminal.say(&format!("{NAME}: {}{asked}", summary(&changes, lock.len())));
    if drift {
        terminal.say(&format!("{NAME} is out of date; `drvc lock` without --offline settles it"));
    }
    if open > 0 && !drift {
        let entries = if open == 1 { "1 entry is".to_owned() } else { format!("{open} entries are") };
        terminal.say(&format!("{entries} missing; `drvc lock` asks for all"));
    }
    if away { Exit::World } else { verdict.exit(true) }
}

/// `12 entries, 2 added, 1 moved`
fn summary(changes: &[Change], entries: usize) -> String {
    let of = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let kinds =
        [(ChangeKind::Added, "added"), (ChangeKind::Moved, "moved"), (ChangeKind::Removed, "removed")];
    let kinds: Vec<_> =
        kinds.into_iter().map(|(kind, word)| (of(kind), word)).filter(|(n, _)| *n > 0).collect();
    let first = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    if kinds.is_empty() {
        return format!("{first}, nothing moved");
    }
    kinds.iter().fold(first, |text, (number, word)| format!("{text}, {number} {word}"))
}

/// `; 14 requests, 3 answers from the cache, 1.2 s`
fn asked(statistics: Statistics, started: Instant) -> String {
    let Statistics { requests, cached, .. } = statistics;
    let cached = if cached > 0 { format!(", {cached} unchanged since the last one") } else { String::new() };
    format!(
        "; {}{cached}, {:.1} s",
        count(usize::try_from(requests).unwrap_or(usize::MAX), "request"),
        started.elapsed().as_secs_f64()
    )
}

fn refused(refusal: Refusal, project: &Project, terminal: &Terminal) -> Failure {
    match refusal {
        Refusal::Manifest(sources, diagnostics) => {
            let diagnostics: Diagnostics = diagnostics;
            terminal.diagnostics(&project.report(&sources, diagnostics));
            terminal.say(&format!("{NAME} is as it was"));
            Failure::Refused
        }
        Refusal::Name { name, known } => Failure::Usage {
            message: format!("nothing that the manifest leaves open is called `{name}`"),
            help: match nearest(&name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "the manifest leaves nothing open".into(),
                None => format!("there is {}", listed(known.iter().map(String::as_str), "and")),
            },
        },
    }
}

/// How far it is: a bar on a terminal, a line for each answer elsewhere.
struct Bar<'a> {
    bar: Option<ProgressBar>,
    terminal: &'a Terminal,
}

impl<'a> Bar<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        let bar = terminal.is_live().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("resolving {pos}/{len} {wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, terminal }
    }

    fn show(&self, progress: Progress<'_>) {
        let last =
            progress.last.map(|want| Clean::text(&want.to_string()).as_str().to_owned()).unwrap_or_default();
        match &self.bar {
            Some(bar) => {
                bar.set_length(progress.of as u64);
                bar.set_position(progress.done as u64);
                bar.set_message(last);
            }
            None if progress.last.is_none() => {}
            None => self.terminal.say(&format!("asked for {last} ({} of {})", progress.done, progress.of)),
        }
    }

    fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}
