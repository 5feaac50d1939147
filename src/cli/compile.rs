//! `drvc compile`: writes one Dockerfile per target, where it is not what it should be.

use super::emitted::{kept, written};
use super::outcome::{Verdict, compile as in_memory};
use super::project::{Compiling, Project};
use super::some::some;
use super::terminal::Terminal;
use super::timings::{Clock, Timings};
use super::{Exit, Failure, Global};
use crate::compiler::compile::{Compilation, Compiled, Request, compile_in_phases};
use crate::compiler::outputs::Outputs;
use crate::store::emit::{self, Drift, DriftKind, Job, Run};
use crate::system::fs::{Disk, Reader};
use crate::text::diag::{Diagnostics, count};
use crate::text::error::Error;
use crate::text::source::Sources;
use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A `plan.json` has at most so many bytes.
const PLAN_LIMIT: u64 = 256 << 20;

/// Write a Dockerfile for every target, and touch only what is not up to date
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # write what changed below drivers.out/
  drvc compile
  # in CI: is what was checked in what would be written?
  drvc compile --check
  # refuse to go on where drivers.lock lacks something
  drvc compile --locked
  # some targets, while others wait for drivers.lock
  drvc compile --target os=debian
  # write elsewhere, beneath the manifest's directory
  drvc compile -o build/images

Files that drvc did not write, or that were edited since, are kept unless --force is given.

Exit code 0 if all is well, 1 with mistakes in the manifest, 3 if something is out of date: under
--check an output, under --check and --locked an entry of the lock file, otherwise a file that was
kept in an output's place.")]
pub(super) struct Compile {
    /// Write nothing; show how the output directory differs from what would be written
    #[arg(long, conflicts_with_all = ["force", "verify"])]
    check: bool,
    /// Write nothing where drivers.lock lacks, contradicts or no longer needs an entry
    #[arg(long)]
    locked: bool,
    /// Read every input and output again, whatever their timestamps say
    #[arg(long)]
    verify: bool,
    /// Overwrite files in an output's place that drvc did not write, or that were edited
    #[arg(long)]
    force: bool,
    /// Only targets that this selects, as `drvc build --target` does, of those that are known; may be repeated
    #[arg(long = "target", value_name = "SELECTOR", conflicts_with_all = ["check", "locked"])]
    #[arg(add = ArgValueCandidates::new(super::completions::targets))]
    targets: Vec<String>,
    /// How long to wait for another drvc that writes to the same directory
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    lock_timeout: u64,
    #[command(flatten)]
    timings: Timings,
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn compile(global: &Global, args: &Compile, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let clock = Clock::default();
    let exit = timed(global, args, &clock, terminal)?;
    clock.tell(&args.timings, terminal)?;
    Ok(exit)
}

fn timed(global: &Global, args: &Compile, clock: &Clock, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let disk = project.open()?;
    let request = project.request(&args.compiling);
    if args.check {
        return check(&project, &disk, &request, clock, terminal);
    }
    let phase = |phase| clock.begin(phase);
    let waiting = || terminal.say("waiting for another drvc that writes to the same directory");
    let job = Job {
        root: &disk,
        out: &request.out,
        request: request.digest(),
        force: args.force,
        verify: args.verify,
        patience: Duration::from_secs(args.lock_timeout),
        waiting: &waiting,
        phase: &phase,
    };
    if !args.targets.is_empty() {
        let compiled = project.in_part(&args.compiling, terminal)?;
        return some(&project, &job, &request, &args.targets, compiled, terminal);
    }
    let run =
        emit::run(&job, |reader| Summary::of(compile_in_phases(reader, &request, &phase), args.locked))?;
    match run {
        Run::Fresh(memo) => {
            let memo: Memo = serde_json::from_str(&memo).unwrap_or_default();
            if memo.verdict.exit(args.locked) != Exit::Fine {
                let summary = Summary::of(in_memory(&disk, &request), args.locked).rest;
                return Ok(refused(&project, summary, args.locked, terminal));
            }
            let aside = memo.verdict.aside();
            terminal.say(&format!("nothing changed: {}{aside}", count(memo.targets, "target")));
            Ok(Exit::Fine)
        }
        Run::Refused(summary) => Ok(refused(&project, summary, args.locked, terminal)),
        Run::Done { rest: summary, report, .. } => {
            let (targets, aside) = (count(summary.memo.targets, "target"), summary.memo.verdict.aside());
            terminal.diagnostics(&project.report(&summary.sources, summary.diagnostics));
            terminal.say(&format!("{targets}: {}{aside}", written(&report)));
            terminal.say(&now(&summary.memo, &project, &request));
            Ok(kept(&report.kept, &project, &request, terminal))
        }
    }
}

/// What the next run is told that finds nothing to do.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memo {
    targets: usize,
    images: usize,
    kernels: usize,
    pub(super) verdict: Verdict,
}

impl Memo {
    pub(super) fn of(compilation: &Compilation) -> Self {
        let targets = compilation.plan.iter().flat_map(|compiled| &compiled.plan.targets);
        let images: BTreeSet<_> = targets.clone().map(|target| &target.image).collect();
        let kernels: BTreeSet<_> =
            targets.clone().map(|target| (&target.at.kernel, target.at.arch)).collect();
        Self {
            targets: targets.count(),
            images: images.len(),
            kernels: kernels.len(),
            verdict: Verdict::of(&compilation.diagnostics),
        }
    }

    pub(super) fn to_text(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// What is to be told of a compilation, once its outputs are written.
struct Summary {
    sources: Sources,
    diagnostics: Diagnostics,
    memo: Memo,
}

impl Summary {
    /// Parts a compilation into outputs and what is to be summary. With `locked`, drift leaves no outputs.
    fn of(compilation: Compilation, locked: bool) -> emit::Compiled<Self> {
        let memo = Memo::of(&compilation);
        let wanted = memo.verdict.exit(locked) == Exit::Fine;
        emit::Compiled {
            outputs: compilation.plan.filter(|_| wanted).map(Compiled::into_outputs),
            memo: memo.to_text(),
            rest: Self { sources: compilation.sources, diagnostics: compilation.diagnostics, memo },
        }
    }
}

fn refused(project: &Project, summary: Summary, locked: bool, terminal: &Terminal) -> Exit {
    let exit = summary.memo.verdict.exit(locked);
    terminal.some_diagnostics(&project.report(&summary.sources, summary.diagnostics), locked);
    terminal.say(match exit {
        Exit::OutOfDate => "nothing was written: drivers.lock is out of date",
        _ => "nothing was written",
    });
    exit
}

/// What there is now, and what comes next.
fn now(memo: &Memo, project: &Project, request: &Request) -> String {
    let out = project.root.join(request.out.as_path());
    let (images, kernels) = (count(memo.images, "image"), count(memo.kernels, "kernel"));
    let files = if memo.targets == 1 { "its Dockerfile is" } else { "their Dockerfiles are" };
    let next = if memo.verdict.drift > 0 { "`drvc lock`, then `drvc build`" } else { "`drvc build`" };
    format!("{images} for {kernels}: {files} beneath {out}/\nnext: {next}; `drvc plan` lists the targets")
}

/// `--check`: compares every byte, takes no lock, and writes nothing.
fn check(
    project: &Project,
    disk: &Disk,
    request: &Request,
    clock: &Clock,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let reader = Reader::new(disk).hide(request.out.clone());
    let compilation = compile_in_phases(&reader, request, &|phase| clock.begin(phase));
    clock.begin("compare with the output directory");
    let verdict = Verdict::of(&compilation.diagnostics);
    terminal.some_diagnostics(&project.report(&compilation.sources, compilation.diagnostics), true);
    let Some(compiled) = compilation.plan else { return Ok(verdict.exit(true)) };
    let drift = emit::check(disk, &request.out, compiled.outputs())?;
    if !drift.is_empty()
        && let Some(others) = other_settings(disk, request)
    {
        terminal.say(&others);
        return Ok(Exit::OutOfDate);
    }
    for file in &drift {
        show(file, compiled.outputs(), project, disk, request, terminal)?;
    }
    let targets = count(compiled.plan.targets.len(), "target");
    let aside = verdict.aside();
    if drift.is_empty() {
        let exit = verdict.exit(true);
        let but = if exit == Exit::OutOfDate { ", but drivers.lock is not" } else { "" };
        terminal.say(&format!("{targets}: all files are up to date{but}{aside}"));
        return Ok(exit);
    }
    terminal.say(&format!("{targets}: {}{aside}; `drvc compile` settles it", kinds(&drift)));
    Ok(Exit::OutOfDate)
}

/// What to say where the outputs were compiled with other values of the command line: they are not stale, but another's.
pub(super) fn other_settings(disk: &Disk, request: &Request) -> Option<String> {
    #[derive(Deserialize)]
    struct Recorded {
        #[serde(default)]
        set: Vec<String>,
    }
    let path = request.out.join("plan.json").ok()?;
    let bytes = Reader::new(disk).read(&path, PLAN_LIMIT).ok()?;
    let recorded = serde_json::from_slice::<Recorded>(&bytes).ok()?.set;
    let words = |settings: &[String]| match settings {
        [] => "without `--set`".to_owned(),
        some => {
            format!("with `{}`", some.iter().map(|one| format!("--set {one}")).collect::<Vec<_>>().join(" "))
        }
    };
    (recorded != request.settings).then(|| {
        format!(
            "{} was compiled {}, and this is {}: give the same, or run `drvc compile`",
            request.out,
            words(&recorded),
            words(&request.settings)
        )
    })
}

fn show(
    drift: &Drift,
    outputs: &Outputs,
    project: &Project,
    disk: &Disk,
    request: &Request,
    terminal: &Terminal,
) -> Result<(), Error> {
    let path = project.root.join(request.out.as_path()).join(&drift.path);
    let diff = emit::diff(disk, &request.out, outputs, drift)?;
    terminal.say(&format!("{}: {path}\n{diff}", drift.kind));
    Ok(())
}

/// `2 stale, 1 missing`
fn kinds(drift: &[Drift]) -> String {
    let mut kinds: BTreeMap<DriftKind, usize> = BTreeMap::new();
    drift.iter().for_each(|file| *kinds.entry(file.kind).or_default() += 1);
    let parts: Vec<_> = kinds.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
    parts.join(", ")
}
