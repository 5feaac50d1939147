//! What stands before a build: a lock that lacks nothing, outputs as they should be, and nobody else in the directory.

use super::Build;
use crate::cli::compile::Memo;
use crate::cli::emitted::kept;
use crate::cli::outcome::{Verdict as Summary, compile as in_memory};
use crate::cli::project::Project;
use crate::cli::secrets::contents;
use crate::cli::terminal::Terminal;
use crate::cli::timings::Clock;
use crate::cli::{Exit, Failure, lock};
use crate::compiler::compile::{Compilation, Compiled, Request, compile_in_phases};
use crate::resolve::{self, Resolver, settle};
use crate::store::emit::{self, Run};
use crate::store::state::HOME;
use crate::system::fs::{Dir, Disk, Held, Reader};
use crate::system::process::{Environment, Interrupt};
use crate::text::diag::{Code, Diagnostic};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use crate::text::source::Sources;
use std::time::{Duration, Instant};

/// In `.drvc`, the file whose lock a build holds.
const LOCK: &str = "build-lock";

/// Adds to the lock what it lacks and what can be resolved. What cannot is said, and is left as it is.
pub(super) fn complete_lock(
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
    let path = RelPath::parse(lock::NAME).map_err(|rule| Error::new("use", lock::NAME, rule.0))?;
    let secrets = contents(&args.secrets, &Environment::of_this_process())?;
    let resolver = Resolver::new(args.network.client_of(project, terminal)?).with_secrets(secrets);
    let settled = settle(&resolve::Job {
        tree: disk,
        request,
        path: &path,
        name: None,
        update: false,
        resolver: Some(&resolver),
        progress: &|_| {},
    });
    match settled {
        Ok(settled) => {
            lock::write(disk, project, &path, &settled)?;
            settled.changes.iter().for_each(|change| terminal.say(&change.to_string()));
            if !settled.unresolved.is_empty() {
                terminal.say("drivers.lock still lacks something: `drvc lock` tells why");
            }
        }
        // Compiling says what is missing then, and whether it can go on without.
        Err(_) => terminal.say("drivers.lock stays as it is: `drvc lock` tells why"),
    }
    Ok(())
}

/// Writes the outputs where they are not what they should be, and gives back what they were made of; or how the run ends
/// without a build.
pub(super) fn compiled(
    project: &Project,
    disk: &Disk,
    request: &Request,
    args: &Build,
    clock: &Clock,
    terminal: &Terminal,
) -> Result<Result<(Sources, Compiled), Exit>, Failure> {
    let phase = |phase| clock.begin(phase);
    let waiting = || terminal.say("waiting for another drvc that writes to the same directory");
    let job = emit::Job {
        root: disk,
        out: &request.out,
        request: request.digest(),
        force: false,
        verify: false,
        patience: Duration::from_secs(args.lock_timeout),
        waiting: &waiting,
        phase: &phase,
    };
    let wanted = |compilation: &Compilation| Memo::of(compilation).verdict.exit(args.locked) == Exit::Fine;
    let run = emit::run(&job, |reader| {
        let compilation = compile_in_phases(reader, request, &phase);
        let outputs = compilation.plan.as_ref().filter(|_| wanted(&compilation));
        let (outputs, memo) = (outputs.map(|plan| plan.outputs().clone()), Memo::of(&compilation).to_text());
        emit::Compiled { outputs, memo, rest: compilation }
    })?;
    let compilation = match run {
        Run::Fresh(_) => {
            let reader = Reader::new(disk).hide(request.out.clone());
            compile_in_phases(&reader, request, &phase)
        }
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
    let aside = Summary::of(&diagnostics).aside();
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

/// `.drvc` in the output directory.
pub(super) fn home(disk: &Disk, request: &Request) -> Result<Dir, Error> {
    let path = format!("{}/{HOME}", request.out);
    disk.root().make_dirs(&path).map_err(|cause| Error::new("write to", path, cause))
}

/// Waits until no other build runs in this directory; nothing where drvc is interrupted meanwhile.
pub(super) fn hold(
    home: &Dir,
    args: &Build,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<Option<Held>, Error> {
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
