//! `drvc build`: builds the images that do not exist yet, several at a time.

use super::boot::{Booting, Limits};
use super::compile::{Memo, kept};
use super::network::Network;
use super::progress::Progress;
use super::project::{Compiling, Project};
use super::report::{Verdict as Told, compile as in_memory};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::build::report::{BuildJson, place, position};
use crate::build::{AfterFailure, Choice, Failures, Group, Item, Proof, Session, Verdict, Verdicts, choose};
use crate::compile::{Compilation, Compiled, Request, compile as pure};
use crate::diag::{Code, Diagnostic, count};
use crate::emit::{self, Run};
use crate::engine::{Engine, Kind, Secret, SecretSource};
use crate::error::Error;
use crate::fs::{Dir, Disk, Held};
use crate::ids::RelPath;
use crate::oci::Registry;
use crate::process::{Environment, Interrupt};
use crate::resolve::{self, Resolver, Update, settle};
use crate::source::Sources;
use crate::state::HOME;
use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// In `.drvc`, the file whose lock a build holds.
const LOCK: &str = "build-lock";
/// How much of an instruction is shown, in characters.
const INSTRUCTION: usize = 160;

/// Build the images that do not exist yet, and no other
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc build                                   what changed, with the engine that is installed
  drvc build -j 4 --keep-going                 four at a time; go on when one fails
  drvc build --target 'release=9.4'            some targets; keys and values as in the manifest's `on`
  drvc build --target ticker --sample          oldest and newest kernel of each release: for pull requests
  drvc build --target _toolkit --push          the toolkits alone
  drvc build --dry-run                         what would be built, and why
  drvc build --engine buildah --engine-arg=--isolation=chroot

A target is built unless there is an image of its reference and architecture with its key.

Exit code 0 if every image is there, 1 with mistakes in the manifest, 3 if outputs or the lock file are out
of date, 4 if a build or the engine failed, 130 or 143 when interrupted.")]
pub(super) struct Build {
    /// The engine: podman, buildah, docker or buildx [default: the first that is installed]
    #[arg(long, value_name = "NAME", value_parser = engine)]
    engine: Option<Kind>,
    /// A word for each build's command line, such as --network=host; may be repeated
    #[arg(long = "engine-arg", value_name = "ARG", allow_hyphen_values = true)]
    engine_args: Vec<String>,
    /// How many builds run at a time [default: half of the processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// When a build fails, go on with all that does not stand on it
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
    network: Network,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

pub(super) fn engine(name: &str) -> Result<Kind, String> {
    let names = Kind::ALL.map(|kind| kind.facts().name).join(", ");
    Kind::parse(name).ok_or_else(|| format!("there are {names}"))
}

fn secret(text: &str) -> Result<Secret, String> {
    let (mut id, mut source) = (None, None);
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("src" | "source", value)) => source = Some(SecretSource::File(value.to_owned())),
            Some(("env", value)) => source = Some(SecretSource::Variable(value.to_owned())),
            _ => return Err("write id=ID,src=FILE or id=ID,env=NAME".into()),
        }
    }
    match (id, source) {
        (Some(id), Some(source)) if !id.is_empty() => Ok(Secret { id, source }),
        _ => Err("write id=ID,src=FILE or id=ID,env=NAME".into()),
    }
}

pub(super) fn build(global: &Global, args: &Build, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let start = Instant::now();
    let project = Project::new(global)?;
    let disk = project.open()?;
    let request = project.request(&args.compiling);
    let interrupt = Interrupt::of_signals()?;
    if !args.locked && !args.offline {
        complete_lock(&project, &disk, &request, args, terminal)?;
    }
    let (sources, compiled) = match compiled(&project, &disk, &request, args, terminal)? {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let changed = match &args.since {
        Some(revision) => Some(project.since(&args.compiling, revision, &compiled, terminal)?),
        None => None,
    };
    let changed = changed.map(|diff| diff.targets.into_iter().map(|target| target.target).collect());
    let choice = Choice { selectors: args.targets.clone(), among: changed, sample: args.sample };
    let items = choose(&compiled, &choice)
        .map_err(|misfit| Failure::Usage { message: misfit.message, help: misfit.help })?;
    let environment = Environment::of_this_process();
    let secrets = absolute(&args.secrets, &environment)?;
    let secrets = required(secrets, &compiled, &items)?;
    let engine = Engine::find(args.engine, &args.engine_args, &environment, &interrupt);
    let engine_name = engine.as_ref().ok().map(|engine| engine.kind().to_string());
    let registry = match args.offline {
        true => None,
        false => Some(Registry::new(args.network.client(terminal)?)),
    };
    let home = home(&disk, &request)?;
    let Some(_held) = hold(&home, args, &interrupt, terminal)? else { return Ok(signal(&interrupt)) };
    let directory = if project.root.as_str().is_empty() { ".".into() } else { project.root.clone() };
    let booting = match args.boot {
        true => Some(Booting::new(global, &args.network, &args.limits, &interrupt, terminal)?),
        false => None,
    };
    let progress = Progress::new(terminal);
    let session = Session {
        compiled: &compiled,
        engine,
        registry: registry.as_ref(),
        push: args.push,
        push_arguments: &args.push_args,
        disk: &disk,
        directory: &directory,
        out: &request.out,
        home: &home,
        secrets: &secrets,
        timeout: args.build_timeout.map(Duration::from_secs),
        workers: args.jobs.map_or_else(workers, usize::from),
        after: match (args.keep_going, args.fail_fast) {
            (true, _) => AfterFailure::GoOn,
            (_, true) => AfterFailure::Halt,
            _ => AfterFailure::Finish,
        },
        dry_run: args.dry_run,
        proof: booting.as_ref().map(|booting| booting as &dyn Proof),
        interrupt: &interrupt,
        watch: &progress,
    };
    let verdicts = session.run(&items)?;
    let told = Telling { project: &project, sources: &sources, compiled: &compiled, verdicts: &verdicts };
    told.everything(args, engine_name, start.elapsed(), terminal)?;
    Ok(match () {
        () if interrupt.signal().is_some() => signal(&interrupt),
        () if verdicts.values().all(|verdict| verdict.is_good() || args.dry_run) => Exit::Fine,
        () => Exit::World,
    })
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

/// Adds to the lock what it lacks and what can be resolved. What cannot is said, and is left as it is.
fn complete_lock(
    project: &Project,
    disk: &Disk,
    request: &Request,
    args: &Build,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let lacks =
        |diagnostic: &Diagnostic| diagnostic.code.is_drift() && diagnostic.code != Code::UnusedLockEntry;
    if !in_memory(disk, request).diagnostics.iter().any(lacks) {
        return Ok(());
    }
    terminal.say("drivers.lock lacks something: asking for it");
    let path =
        RelPath::parse(super::lock::NAME).map_err(|rule| Error::new("use", super::lock::NAME, rule.0))?;
    let resolver = Resolver::new(args.network.client(terminal)?);
    let settled = settle(&resolve::Job {
        tree: disk,
        request,
        path: &path,
        update: Update::Nothing,
        resolver: Some(&resolver),
        progress: &|_| {},
    });
    match settled {
        Ok(settled) => {
            super::lock::write(disk, project, &path, &settled)?;
            settled.changes.iter().for_each(|change| terminal.say(&change.to_string()));
        }
        // Compiling says what is missing then, and whether it can go on without.
        Err(_) => terminal.say("drivers.lock stays as it is: `drvc lock` tells why"),
    }
    Ok(())
}

/// Writes the outputs where they are not what they should be, and gives back what they were made of; or how the run ends
/// without a build.
fn compiled(
    project: &Project,
    disk: &Disk,
    request: &Request,
    args: &Build,
    terminal: &Terminal,
) -> Result<Result<(Sources, Compiled), Exit>, Failure> {
    let waiting = || terminal.say("waiting for another drvc that writes to the same directory");
    let job = emit::Job {
        root: disk,
        out: &request.out,
        request: request.digest(),
        force: false,
        verify: false,
        patience: Duration::from_secs(args.lock_timeout),
        waiting: &waiting,
    };
    let wanted = |compilation: &Compilation| Memo::of(compilation).verdict.exit(args.locked) == Exit::Fine;
    let run = emit::run(&job, |reader| {
        let compilation = pure(reader, request);
        let outputs = compilation.plan.as_ref().filter(|_| wanted(&compilation));
        let (outputs, memo) = (outputs.map(|plan| plan.outputs.clone()), Memo::of(&compilation).to_text());
        emit::Compiled { outputs, memo, rest: compilation }
    })?;
    let compilation = match run {
        Run::Fresh(_) => in_memory(disk, request),
        Run::Refused(compilation) => compilation,
        Run::Done { rest, report, .. } => {
            let exit = kept(&report.kept, project, request, terminal);
            if exit != Exit::Fine {
                return Ok(Err(exit));
            }
            rest
        }
    };
    let exit = Memo::of(&compilation).verdict.exit(args.locked);
    let Compilation { sources, diagnostics, plan } = compilation;
    let quiet = exit == Exit::Fine && !diagnostics.has_errors();
    let aside = Told::of(&diagnostics).aside();
    match plan.filter(|_| quiet) {
        Some(plan) => {
            if !aside.is_empty() {
                terminal.say(&format!("{}{aside}; `drvc check` tells more", project.path()));
            }
            Ok(Ok((sources, plan)))
        }
        None => {
            terminal.diagnostics(&project.report(&sources, diagnostics));
            terminal.say("nothing was built");
            Ok(Err(exit))
        }
    }
}

/// The secrets, if they are all that the builds of these targets need.
fn required(secrets: Vec<Secret>, compiled: &Compiled, items: &[Item]) -> Result<Vec<Secret>, Failure> {
    let targets = items.iter().filter_map(|item| match item {
        Item::Target(at) => compiled.json.targets.get(*at),
        Item::Toolkit(_) => None,
    });
    let below = targets.clone().filter_map(|target| target.toolkit.as_deref());
    let named = items.iter().filter(|item| matches!(item, Item::Toolkit(_)));
    let toolkits: BTreeSet<&str> = named.map(|item| item.id(compiled)).chain(below).collect();
    let toolkits = compiled.json.toolkits.iter().filter(|toolkit| toolkits.contains(toolkit.id.as_str()));
    let of_targets = targets.flat_map(|target| target.secrets.iter().map(|secret| (secret, &target.id)));
    let of_toolkits = toolkits.flat_map(|toolkit| toolkit.secrets.iter().map(|secret| (secret, &toolkit.id)));
    let mut missing = of_targets
        .chain(of_toolkits)
        .filter(|(needed, _)| secrets.iter().all(|secret| secret.id != needed.id));
    match missing.next() {
        None => Ok(secrets),
        Some((needed, user)) => Err(Failure::Usage {
            message: format!("the secret `{}` ({}) is missing: `{user}` needs it", needed.id, needed.purpose),
            help: format!(
                "hand it over: `--secret id={0},src=FILE` or `--secret id={0},env=NAME`",
                needed.id
            ),
        }),
    }
}

/// Files of secrets by absolute paths: engines are started in the manifest's directory. One that is missing is named.
fn absolute(secrets: &[Secret], environment: &Environment) -> Result<Vec<Secret>, Failure> {
    let here = std::env::current_dir().ok().and_then(|here| Utf8PathBuf::from_path_buf(here).ok());
    let here = here.unwrap_or_default();
    let absolute = |secret: &Secret| {
        let source = match &secret.source {
            SecretSource::File(path) => {
                let path = here.join(path);
                if !path.is_file() {
                    let help = format!("write it, or name another with `--secret id={},src=FILE`", secret.id);
                    return Err(Error::new("read", path, "no such file").help(help).into());
                }
                SecretSource::File(path.into_string())
            }
            SecretSource::Variable(name) if environment.get(name).is_none() => {
                let help = format!("set {name} to the value of the secret `{}`", secret.id);
                return Err(Error::new("read", name.as_str(), "this variable is not set").help(help).into());
            }
            SecretSource::Variable(name) => SecretSource::Variable(name.clone()),
        };
        Ok(Secret { id: secret.id.clone(), source })
    };
    secrets.iter().map(absolute).collect()
}

/// `.drvc` in the output directory.
fn home(disk: &Disk, request: &Request) -> Result<Dir, Error> {
    let path = format!("{}/{HOME}", request.out);
    disk.root().make_dirs(&path).map_err(|cause| Error::new("write to", path, cause))
}

/// Waits until no other build runs in this directory; nothing where drvc is interrupted meanwhile.
fn hold(home: &Dir, args: &Build, interrupt: &Interrupt, terminal: &Terminal) -> Result<Option<Held>, Error> {
    let began = Instant::now();
    let mut told = false;
    while interrupt.signal().is_none() {
        let held = home.try_lock(LOCK).map_err(|cause| Error::new("lock", HOME, cause))?;
        if held.is_some() {
            return Ok(held);
        }
        if began.elapsed() >= Duration::from_secs(args.lock_timeout) {
            let cause = format!("another `drvc build` has held it for {} s", began.elapsed().as_secs());
            let help = "wait until it is done, or be more patient with `--lock-timeout`";
            return Err(Error::new("lock", HOME, cause).help(help));
        }
        if !told {
            terminal.say("waiting for another `drvc build` in the same directory");
            told = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(None)
}

/// What is to be told of a run.
struct Telling<'a> {
    project: &'a Project,
    sources: &'a Sources,
    compiled: &'a Compiled,
    verdicts: &'a Verdicts,
}

impl Telling<'_> {
    fn everything(
        &self,
        args: &Build,
        engine: Option<String>,
        time: Duration,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let failed: Vec<_> = self
            .verdicts
            .iter()
            .filter_map(|(&item, verdict)| match verdict {
                Verdict::Failed(failure) => Some((item, &**failure)),
                _ => None,
            })
            .collect();
        let good = |item: Item| self.verdicts.get(&item).is_some_and(Verdict::is_good);
        let failures = Failures::of(&self.compiled.plan.targets, &failed, good);
        for (item, verdict) in self.verdicts {
            if let Verdict::Would(reason) = verdict {
                terminal.say(&format!("would build {}: {reason}", item.id(self.compiled)));
            }
        }
        failures.iter().for_each(|group| self.group(group, terminal));
        terminal.say(&self.summary(time));
        let json = BuildJson::new(self.compiled, self.sources, engine, self.verdicts, &failures);
        if let Some(path) = &args.junit {
            crate::fs::write(path, json.junit()?.as_bytes())
                .map_err(|cause| Error::new("write", path.as_str(), cause))?;
        }
        if args.format == Format::Json {
            terminal.json(&json)?;
        }
        Ok(())
    }

    /// Everything about failures with one cause: what, which targets, where in the manifest, and the last lines.
    fn group(&self, group: &Group, terminal: &Terminal) {
        let Some(&first) = group.items.first() else { return };
        let Some(Verdict::Failed(failure)) = self.verdicts.get(&first) else { return };
        terminal.say(&format!("\nfailed: {}", group.headline));
        for item in &group.items {
            terminal.say(&format!("  {}", item.id(self.compiled)));
        }
        if let Some(step) = &failure.step {
            let stage =
                if step.stage.is_empty() { String::new() } else { format!(" of stage {}", step.stage) };
            terminal.say(&format!(
                "  instruction {} of {}{stage}: {}",
                step.at,
                step.of,
                short(&step.instruction)
            ));
        }
        if let Some(span) = place(self.compiled, first, failure) {
            let line =
                self.sources.get(span.file).text.lines().nth(self.sources.get(span.file).line_of(span.start));
            let path = self.project.root.join(position(self.sources, span));
            terminal.say(&format!("  from {path}: {}", line.unwrap_or_default().trim()));
        }
        group.boundaries.iter().for_each(|boundary| terminal.say(&format!("  {boundary}")));
        if failure.error.is_some() {
            terminal.say(&format!("  {}", failure.reason));
        }
        if !failure.tail.is_empty() {
            terminal.say("  its last lines:");
            failure.tail.iter().for_each(|line| terminal.say(&format!("    {line}")));
        }
        if let Some(log) = &failure.log {
            terminal.say(&format!("  log: {}", self.project.root.join(log)));
        }
        if let Some(help) = &failure.help {
            terminal.say(&format!("  help: {help}"));
        }
    }

    /// `3 targets: 1 built, 2 up to date, in 12.3 s`
    fn summary(&self, time: Duration) -> String {
        let number =
            |counts: fn(&Verdict) -> bool| self.verdicts.values().filter(|verdict| counts(verdict)).count();
        let parts = [
            (number(|verdict| matches!(verdict, Verdict::Built(_))), "built"),
            (number(|verdict| matches!(verdict, Verdict::Pushed(_))), "pushed"),
            (number(|verdict| matches!(verdict, Verdict::Named)), "named"),
            (number(|verdict| matches!(verdict, Verdict::UpToDate(_))), "up to date"),
            (number(|verdict| matches!(verdict, Verdict::Would(_))), "to build"),
            (number(|verdict| matches!(verdict, Verdict::Failed(_))), "failed"),
            (number(|verdict| matches!(verdict, Verdict::NotBuilt(_))), "not built"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> = parts.map(|(number, word)| format!("{number} {word}")).collect();
        let toolkits = self.verdicts.keys().filter(|item| matches!(item, Item::Toolkit(_))).count();
        let counts = [(toolkits, "toolkit"), (self.verdicts.len() - toolkits, "target")];
        let counts =
            counts.into_iter().filter(|(number, noun)| *number > 0 || *noun == "target" && toolkits == 0);
        let counts: Vec<_> = counts.map(|(number, noun)| count(number, noun)).collect();
        format!("{}: {}, in {:.1} s", counts.join(", "), parts.join(", "), time.as_secs_f64())
    }
}

/// The beginning of an instruction.
fn short(instruction: &str) -> String {
    let start: String = instruction.chars().take(INSTRUCTION).collect();
    let more = if start.len() < instruction.len() { "…" } else { "" };
    start + more
}
