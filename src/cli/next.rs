//! `drvc` alone: what to do next.

use super::outcome::Verdict;
use super::project::{MAX_TARGETS, OUT, Project};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::compile::{Compilation, compile_known};
use crate::images::record::{Builds, TargetState, states, tally};
use crate::store::history::uncompiled;
use crate::system::fs::Reader;
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use serde::Serialize;

/// A manifest to begin with; the words in capitals are to be replaced.
const FIRST_MANIFEST: &str = r#"
    drvc edition=1
    project "NAME" {
        registry "REGISTRY/NAMESPACE"
    }
    source "driver" {
        git "https://HOST/REPOSITORY.git" branch="main"
    }
    module "KMOD" {                  // builds KMOD.ko with the kernel's own build system
        source "driver"
    }
    image "NAME" {
        module "KMOD"
        load "KMOD"
    }
    matrix {
        os "rhel" "9.4" {
            kernel "5.14.0-427.13.1.el9_4.x86_64"
        }
    }
"#;

pub(super) fn next(global: &Global, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let text = if project.exists() { with_manifest(&project)? } else { without_manifest(&project) };
    terminal.product(&Clean::text(&text))?;
    Ok(Exit::Fine)
}

/// A command, and what it is good for now.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) command: &'static str,
    pub(super) why: String,
}

impl Step {
    const fn new(command: &'static str, why: String) -> Self {
        Self { command, why }
    }
}

/// What the project waits for, in the order in which it is to be done; `waiting` targets are not compiled.
pub(super) fn steps(compilation: &Compilation, waiting: usize, states: Option<&[TargetState]>) -> Vec<Step> {
    let verdict = Verdict::of(&compilation.diagnostics);
    let Some(compiled) = &compilation.plan else {
        return vec![Step::new("drvc check", count(verdict.errors, "mistake") + " to mend")];
    };
    let targets = compiled.plan.targets.len();
    let mut steps = Vec::new();
    if compilation.diagnostics.has_errors() {
        steps.push(Step::new("drvc lock", "some kernels are not looked up yet".to_owned()));
    } else if verdict.drift > 0 {
        let why = "pin what builds depend on: images, packages, sources";
        steps.push(Step::new("drvc lock", why.to_owned()));
    }
    if waiting > 0 {
        let why = format!("{waiting} of {} to write", count(targets, "Dockerfile"));
        steps.push(Step::new("drvc compile", why));
    }
    let is_missing = |state: &&TargetState| **state < TargetState::Unpinned;
    match states.map(|states| states.iter().filter(is_missing).count()) {
        None => steps.push(Step::new("drvc build", "build the images that are not there yet".to_owned())),
        Some(0) => {}
        Some(missing) => {
            let why = format!("{missing} of {} to build", count(targets, "image"));
            steps.push(Step::new("drvc build", why));
        }
    }
    if steps.is_empty() {
        let why = "every image is built; a page about all of them".to_owned();
        steps.push(Step::new("drvc report", why));
    }
    steps
}

/// What the project waits for, found without a network and without writing anything.
fn with_manifest(project: &Project) -> Result<String, Failure> {
    let disk = project.open()?;
    let out = RelPath::parse(OUT).map_err(|rule| Error::new("use", OUT, rule))?;
    let request = project.asking(out.clone(), MAX_TARGETS);
    let compilation = compile_known(&Reader::new(&disk).hide(out.clone()), &request);
    let plan = compilation.plan.as_ref();
    let waiting = plan.map_or(0, |compiled| uncompiled(compiled, &disk, &out).len());
    let states = plan.and_then(|compiled| states(compiled, Builds::read(&disk, &out).as_ref()));
    let known = match (plan, &states) {
        (None, _) => String::new(),
        (Some(compiled), None) => format!(": {}", count(compiled.plan.targets.len(), "target")),
        (Some(compiled), Some(states)) => {
            format!(": {}: {}", count(compiled.plan.targets.len(), "target"), tally(states))
        }
    };
    let steps = steps(&compilation, waiting, states.as_deref());
    let steps = steps.into_iter().enumerate().map(|(at, Step { command, why })| {
        format!("{}  {command:15} {why}\n", if at == 0 { "next:" } else { "then:" })
    });
    Ok(format!(
        "{path}{known}\n\n{steps}\n\
         \x20      {plan:15} every target and its state\n\
         \x20      {why_word:15} what changed in the one with WORD in its name\n\
         \x20      {help:15} all commands; `drvc help COMMAND` has examples\n",
        path = project.path(),
        steps = steps.collect::<String>(),
        plan = "drvc plan",
        why_word = "drvc why WORD",
        help = "drvc help",
    ))
}

fn without_manifest(project: &Project) -> String {
    let path = project.path();
    format!(
        "There is no {path} here, nor in a directory above.\n\
         \n\
         next:  drvc init          makes one of the dkms.conf, Makefile or Dockerfile that is here\n\
         \x20      drvc init --from PATH   of one that is elsewhere\n\
         \x20      drvc help          all commands\n\
         \n\
         By hand, it begins like this; `drvc check` tells what is missing:\n{FIRST_MANIFEST}"
    )
}
