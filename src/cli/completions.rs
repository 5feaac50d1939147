//! `drvc completions SHELL`: the script with which a shell completes drvc's command line, and the words of the project at
//! hand that it asks drvc for.

use super::project::{MAX_TARGETS, OUT, Project};
use super::report::offers::offers;
use super::terminal::{ColorWhen, Terminal};
use super::{Exit, Failure, Global};
use crate::compiler::compile::{Compilation, compile_known};
use crate::system::fs::Reader;
use crate::text::diag::Code;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use clap::Args;
use clap_complete::{CompleteEnv, CompletionCandidate, Shell, env::Shells};
use std::collections::BTreeSet;
use std::ffi::OsString;

/// What tells drvc that a shell asks it for words; its value is the shell's name.
const VARIABLE: &str = "DRVC_COMPLETE";

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc completions bash > ~/.local/share/bash-completion/completions/drvc
  drvc completions fish > ~/.config/fish/completions/drvc.fish
  drvc completions zsh > ~/.zfunc/_drvc          (with ~/.zfunc in fpath)

The script asks drvc itself, so targets and names of the project at hand are completed too. Write it again
after an update of drvc.

Exit code 0 if it was printed, 2 for a wrong command line, 4 if it cannot be written.")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Completions, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let wrong = |cause: &str| Error::new("make", "a completion script", cause);
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell.to_string()).ok_or_else(|| wrong("the shell is not known"))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "drvc", "drvc", "drvc", &mut script);
    written.map_err(|cause| wrong(&cause.to_string()))?;
    terminal.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

/// Answers a shell that asks for words; `false` where none does.
pub(super) fn answer(args: &[OsString]) -> clap::error::Result<bool> {
    match args {
        [] => Ok(false),
        args => CompleteEnv::with_factory(super::command).var(VARIABLE).try_complete(args, None),
    }
}

/// The ids of the project's targets.
pub(super) fn targets() -> Vec<CompletionCandidate> {
    let plan = compiled().and_then(|compilation| compilation.plan);
    let targets = plan.iter().flat_map(|compiled| &compiled.plan.targets);
    targets.map(|target| CompletionCandidate::new(target.id.as_str())).collect()
}

/// What `drvc lock --update` can be given: sources, and systems.
pub(super) fn pinned() -> Vec<CompletionCandidate> {
    let plan = compiled().and_then(|compilation| compilation.plan);
    let names: BTreeSet<String> = plan
        .iter()
        .flat_map(|compiled| {
            let sources = compiled.model.sources.iter().map(|source| source.name.to_string());
            sources.chain(compiled.plan.targets.iter().map(|target| target.at.os.to_string()))
        })
        .collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Kernels: those of the project, and those that its repositories offered when they were asked last.
pub(super) fn kernels() -> Vec<CompletionCandidate> {
    let Some(compiled) = compiled().and_then(|compilation| compilation.plan) else { return Vec::new() };
    let offered = Project::new(&Global::default())
        .and_then(|project| offers(&project, &compiled, &Terminal::new(ColorWhen::Never)))
        .unwrap_or_default();
    let own = compiled.plan.targets.iter().map(|target| target.at.kernel.to_string());
    let all: BTreeSet<String> = own.chain(offered.missed().cloned()).collect();
    all.into_iter().map(CompletionCandidate::new).collect()
}

/// The codes of diagnostics.
pub(super) fn codes() -> Vec<CompletionCandidate> {
    Code::ALL.iter().map(|code| CompletionCandidate::new(code.name())).collect()
}

/// The project in whose directory the shell is, as far as it is known.
fn compiled() -> Option<Compilation> {
    let project = Project::new(&Global::default()).ok()?;
    let disk = project.open().ok()?;
    let out = RelPath::parse(OUT).ok()?;
    let request = project.asking(out.clone(), MAX_TARGETS);
    Some(compile_known(&Reader::new(&disk).hide(out), &request))
}
