//! `drvc init`: writes a first manifest, from what a driver has today.

use super::format::Format;
use super::outcome::{Verdict, compile};
use super::project::Project;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::import::{self, Draft, Place};
use crate::knowledge::profile::Profiles;
use crate::system::fs::Disk;
use crate::text::diag::count;
use crate::text::error::Error;
use crate::text::ids::{KernelText, RelPath};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// Write a first manifest, from what the driver has today
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # from the Makefile or Kbuild file that is here
  drvc init
  # from a dkms.conf, with everything that drvc has a word for
  drvc init --from dkms.conf
  # from an installed dkms source, which is copied here
  drvc init --from /usr/src/v4l2loopback-0.12.7
  # from a hand-written driver container; its mistakes are named
  drvc init --from Dockerfile
  # from a Module of the Kernel Module Management operator
  drvc init --from module.yaml
  # with this kernel in the matrix instead of an example
  drvc init --kernel 6.1.0-56-amd64
  # what could not be taken over, for a program
  drvc init --format json

Nothing is run, and nothing that exists is overwritten. What cannot be taken over becomes a comment in the manifest
and a warning on the screen.")]
pub(super) struct Init {
    /// What to make it from: a dkms.conf, a Dockerfile, a KMM Module in YAML, or a directory with one of them
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    from: Option<Utf8PathBuf>,
    /// A kernel for the matrix, as `uname -r` prints it on the node; may be given several times
    #[arg(long, value_name = "KERNEL")]
    kernel: Vec<String>,
    /// The system of the kernels, where their names do not tell
    #[arg(long, value_name = "NAME")]
    os: Option<String>,
    /// `human` for people; `json` for programs (`drvc schema init`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `init` wrote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "drvc init")]
pub(super) struct InitJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    version: u32,
    /// The manifest that was written.
    manifest: String,
    /// How many errors `drvc check` finds in it.
    errors: usize,
    /// What could not be taken over as it was.
    warnings: Vec<String>,
}

pub(super) fn init(global: &Global, args: &Init, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::here(global)?;
    let disk = project.disk()?;
    if disk.root().status_of(project.manifest.as_str()).is_ok() {
        let message = format!("`{}` exists, and is not overwritten", project.path());
        let help = "name another with `--manifest`, or move it away".to_owned();
        return Err(Failure::Usage { message, help });
    }
    let profiles = Profiles::builtin();
    let matrix = match args.kernel.as_slice() {
        [] => None,
        kernels => {
            let nodes = import::matrix::of(kernels, args.os.as_deref(), &profiles);
            Some(nodes.map_err(|(message, help)| Failure::Usage { message, help })?)
        }
    };
    let (place, left_out) = place(&project, &disk, args.from.as_deref(), terminal)?;
    let mut draft = draft(&disk, &project, &place)?;
    draft.warnings.splice(..0, left_out);
    let matrices = matrix.map_or_else(import::matrix::examples, |matrix| vec![matrix]);
    let given = !draft.matrix.is_empty() && args.kernel.is_empty();
    let mut matrices = if given { vec![draft.matrix.clone()] } else { matrices };
    if args.kernel.is_empty() {
        this_machine(&mut matrices);
    }
    let out = RelPath::parse("drivers.out").unwrap_or_else(|_| RelPath::root());
    let target = import::Target { tree: &disk, manifest: &project.manifest, out: &out };
    let text = import::settled(&target, &mut draft, matrices);
    write(&disk, &project, &text)?;
    told(&disk, &project, draft.warnings, args.format, terminal)
}

/// Says the kernel of this machine beside the kernels that are an example.
fn this_machine(matrices: &mut [Vec<import::Os>]) {
    let kernels = Disk::open(Utf8Path::new("/proc/sys/kernel")).ok();
    let name = RelPath::parse("osrelease").ok();
    let running = kernels.zip(name).and_then(|(disk, name)| import::text(&disk, &name).ok());
    let Some(running) = running.filter(|text| KernelText::parse(text.trim()).is_ok()) else { return };
    for os in matrices.iter_mut().flatten().filter(|os| !os.notes.is_empty()) {
        os.notes.push(format!("This machine runs `{}`.", running.trim()));
    }
}

/// What is imported, and where it lies in the project; a tree from elsewhere is copied into it, but for what is named.
fn place(
    project: &Project,
    disk: &Disk,
    from: Option<&Utf8Path>,
    terminal: &Terminal,
) -> Result<(Place, Vec<String>), Failure> {
    let Some(from) = from else {
        let found = found(disk, &project.root)?.ok_or_else(|| Failure::Usage {
            message: format!(
                "nothing to begin with in `{}`: no dkms.conf, Kbuild, Makefile or Dockerfile",
                shown(&project.root)
            ),
            help: "name it with `--from`, or go where the driver's Makefile lies".into(),
        })?;
        return Ok((found, Vec::new()));
    };
    let outside = Failure::Usage {
        message: format!("`{from}` is nothing that can be imported"),
        help: "name a dkms.conf, a Dockerfile, a KMM Module in YAML, or a directory with one of them".into(),
    };
    let (root, name) = match Disk::open(from) {
        Ok(directory) => match found(&directory, from)? {
            Some(place) => (from.to_owned(), place.file),
            None => return Err(outside),
        },
        Err(_) => {
            let name = from.file_name().and_then(|name| RelPath::parse(name).ok());
            (from.parent().unwrap_or(Utf8Path::new("")).to_owned(), name.ok_or(outside)?)
        }
    };
    let source = Disk::open(&root)?;
    let text =
        import::text(&source, &name).map_err(|error| Error::new("read", root.join(name.as_path()), error))?;
    let kind = import::kind(&name, &text);
    if let Some(dir) = beneath(&root, &project.root) {
        let file = dir.join(name.as_str()).map_err(|_| Failure::Usage {
            message: format!("`{from}` has a name that a manifest cannot hold"),
            help: "rename its directory".into(),
        })?;
        return Ok((Place { kind, file, dir, text }, Vec::new()));
    }
    if !kind.has_sources() {
        return Ok((Place { kind, file: name, dir: RelPath::root(), text }, Vec::new()));
    }
    let dir = RelPath::parse("driver").unwrap_or_else(|_| RelPath::root());
    let copied = import::copy(&source, disk, &dir).map_err(|(path, error)| {
        let help = match disk.root().status_of(dir.as_str()) {
            Ok(_) => {
                format!("begin with what is there: `drvc init --from {}`", project.root.join(dir.as_path()))
            }
            Err(_) => "the sources have to lie beneath the manifest; copy them yourself".to_owned(),
        };
        Error::new("copy", path, error).help(help)
    })?;
    let target = project.root.join(dir.as_path());
    terminal.say(&format!("{} copied from `{root}` to `{target}`", count(copied.files, "file")));
    let left_out = copied.left_out.into_iter().map(|(path, why)| format!("`{path}` is left out: {why}"));
    let file = dir.join(name.as_str()).unwrap_or(name);
    Ok((Place { kind, file, dir, text }, left_out.collect()))
}

/// What there is to import in a directory.
fn found(disk: &Disk, dir: &Utf8Path) -> Result<Option<Place>, Error> {
    import::find(disk, &RelPath::root())
        .map_err(|(file, error)| Error::new("read", dir.join(file.as_path()), error))
}

/// A directory as seen from another that holds it.
fn beneath(directory: &Utf8Path, root: &Utf8Path) -> Option<RelPath> {
    let whole = |path: &Utf8Path| {
        if path.as_str().is_empty() { Utf8Path::new(".") } else { path }.canonicalize_utf8().ok()
    };
    let (directory, root) = (whole(directory)?, whole(root)?);
    let below = directory.strip_prefix(&root).ok()?;
    if below.as_str().is_empty() { Some(RelPath::root()) } else { RelPath::parse(below.as_str()).ok() }
}

fn draft(disk: &Disk, project: &Project, place: &Place) -> Result<Draft, Failure> {
    let whole = shown(&project.root).canonicalize_utf8().ok();
    let hint = whole.as_deref().and_then(Utf8Path::file_name).unwrap_or("driver").to_owned();
    import::draft(disk, place, &hint).map_err(|refusal| {
        Failure::World(
            Error::new("import", place.file.to_string(), refusal.0)
                .help("write the manifest by hand: `drvc` alone shows one to begin with"),
        )
    })
}

fn write(disk: &Disk, project: &Project, text: &str) -> Result<(), Failure> {
    disk.root().remove_dead_temporaries();
    let written = disk.root().create_new(project.manifest.as_str(), text.as_bytes());
    Ok(written.map_err(|error| Error::new("write", project.path(), error))?)
}

/// Says what was written, and what is to be done next.
fn told(
    disk: &Disk,
    project: &Project,
    warnings: Vec<String>,
    format: Format,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let out = RelPath::parse("drivers.out").unwrap_or_else(|_| RelPath::root());
    let request = project.asking(out, 10_000);
    let errors = Verdict::of(&compile(disk, &request).diagnostics).errors;
    if format == Format::Json {
        terminal.json(&InitJson { version: 1, manifest: project.path().to_string(), errors, warnings })?;
        return Ok(Exit::Fine);
    }
    for warning in &warnings {
        terminal.say(&format!("warning: {warning}"));
    }
    let warned = match warnings.len() {
        0 => String::new(),
        some => format!(" ({})", count(some, "warning")),
    };
    terminal.say(&format!("{} written{warned}", project.path()));
    terminal.say(match errors {
        0 => "next: read it, put your kernels into its matrix, and run `drvc check`",
        _ => "next: run `drvc check`, which says what is left to settle",
    });
    Ok(Exit::Fine)
}

fn shown(root: &Utf8Path) -> &Utf8Path {
    if root.as_str().is_empty() { Utf8Path::new(".") } else { root }
}
