//! `drvc` alone: what to do next.

use super::project::Project;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::text::diag::Clean;

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
    let text = if project.exists() { with_manifest(&project) } else { without_manifest(&project) };
    terminal.product(&Clean::text(&text))?;
    Ok(Exit::Fine)
}

fn with_manifest(project: &Project) -> String {
    format!(
        "drvc compiles {} into one Dockerfile per image and kernel.\n\
         \n\
         drvc check      look for mistakes, write nothing\n\
         drvc compile    write what changed below drivers.out/\n\
         drvc plan       list every image that the manifest stands for\n\
         drvc fmt        bring the manifest into canonical layout\n\
         drvc why WORD   tell what changed in the one with WORD in its name\n\
         drvc --help     everything else\n",
        project.path()
    )
}

fn without_manifest(project: &Project) -> String {
    let path = project.path();
    if let Some(above) = project.above() {
        return format!(
            "There is no {path} here, but there is one in {above}:\n\
             \n\
             drvc -C {above} check\n"
        );
    }
    format!(
        "There is no {path} here. `drvc init` makes one of a dkms.conf, Makefile, Dockerfile or KMM Module.\n\
         By hand, it begins like this:\n{FIRST_MANIFEST}\n\
         Then run `drvc check`, which tells what is missing, and `drvc compile`.\n\
         With the manifest elsewhere, use `-C DIR` or `--manifest FILE`; `drvc --help` lists all commands.\n"
    )
}
