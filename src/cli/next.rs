//! `drvc` alone: what to do next.

use super::project::{MAX_TARGETS, OUT, Project};
use super::report::Verdict;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::compile::compile_known;
use crate::store::history::uncompiled;
use crate::system::fs::Reader;
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use crate::text::ids::RelPath;

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

/// What the project waits for, found without a network and without writing anything.
fn with_manifest(project: &Project) -> Result<String, Failure> {
    let disk = project.open()?;
    let out = RelPath::parse(OUT).map_err(|rule| Error::new("use", OUT, rule))?;
    let request = project.asking(out.clone(), MAX_TARGETS);
    let compilation = compile_known(&Reader::new(&disk).hide(out.clone()), &request);
    let verdict = Verdict::of(&compilation.diagnostics);
    let (next, why, targets) = match &compilation.plan {
        None => ("drvc check", count(verdict.errors, "mistake") + " to mend", None),
        Some(compiled) => {
            let targets = compiled.plan.targets.len();
            let waiting = uncompiled(compiled, &disk, &out).len();
            let (next, why) = if compilation.diagnostics.has_errors() {
                ("drvc lock", "some kernels are not looked up yet".to_owned())
            } else if verdict.drift > 0 {
                ("drvc lock", "pin what builds depend on: images, packages, sources".to_owned())
            } else if waiting > 0 {
                ("drvc compile", format!("{waiting} of {} to write", count(targets, "Dockerfile")))
            } else {
                ("drvc build", "build the images that are not there yet".to_owned())
            };
            (next, why, Some(targets))
        }
    };
    let known = targets.map(|targets| format!(": {}", count(targets, "target"))).unwrap_or_default();
    Ok(format!(
        "{path}{known}\n\
         \n\
         next:  {next:15} {why}\n\
         \n\
         \x20      {plan:15} every target and its state\n\
         \x20      {why_word:15} what changed in the one with WORD in its name\n\
         \x20      {help:15} all commands; `drvc help COMMAND` has examples\n",
        path = project.path(),
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
