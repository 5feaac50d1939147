//! From `-C`, `--manifest` and `-o` to the project that is meant: where its manifest lies, and where its outputs.

use super::{Failure, Global};
use crate::compiler::compile::Request;
use crate::system::fs::{Disk, Kind, Tree};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

/// The name that a manifest has unless `--manifest` says otherwise.
pub(super) const MANIFEST: &str = "drivers.kdl";
/// The name that the output directory has unless `-o` says otherwise.
pub(super) const OUT: &str = "drivers.out";
/// So many targets are compiled unless `--max-targets` says otherwise.
pub(super) const MAX_TARGETS: usize = 10_000;

/// Options of every command that compiles.
#[derive(Debug, Args)]
pub(super) struct Compiling {
    #[command(flatten)]
    pub(super) place: Place,
    /// Refuse a matrix of more targets
    #[arg(long, value_name = "N", default_value_t = MAX_TARGETS)]
    max_targets: usize,
}

impl Compiling {
    pub(super) const fn new(place: Place, max_targets: usize) -> Self {
        Self { place, max_targets }
    }
}

/// Where the outputs lie.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The output directory, beneath the manifest's
    #[arg(short, long = "out", value_name = "DIR", default_value = OUT, value_parser = out_dir)]
    #[arg(value_hint = clap::ValueHint::DirPath)]
    pub(super) out: RelPath,
}

/// Where the manifest lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// The manifest's directory as seen from where drvc was started; empty where that is the same.
    pub(super) root: Utf8PathBuf,
    /// The manifest's name in it.
    pub(super) manifest: RelPath,
    /// Values in place of the manifest's.
    pub(super) settings: Vec<String>,
}

impl Project {
    /// The project that the command line means: where no manifest is named and none is there, the nearest one above.
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let here = Self::here(global)?;
        if global.manifest.is_some() || here.exists() {
            return Ok(here);
        }
        Ok(match here.above() {
            Some(root) => Self { root, ..here },
            None => here,
        })
    }

    /// The project in the very directory that the command line means.
    pub(super) fn here(global: &Global) -> Result<Self, Failure> {
        super::threads::start();
        let directory = global.directory.as_deref().unwrap_or(Utf8Path::new(""));
        let path = directory.join(global.manifest.as_deref().unwrap_or(Utf8Path::new(MANIFEST)));
        let name =
            path.file_name().and_then(|name| RelPath::parse(name).ok()).ok_or_else(|| Failure::Usage {
                message: format!("`{path}` cannot be the name of a manifest"),
                help: format!("name a file, such as `{MANIFEST}`"),
            })?;
        let root = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        Ok(Self { root, manifest: name, settings: global.set.clone() })
    }

    /// The manifest as seen from where drvc was started.
    pub(super) fn path(&self) -> Utf8PathBuf {
        self.root.join(self.manifest.as_path())
    }

    /// Whether the manifest is there.
    pub(super) fn exists(&self) -> bool {
        holds(&self.root, &self.manifest)
    }

    /// The nearest directory above that holds a manifest of the same name, such as `../..`.
    pub(super) fn above(&self) -> Option<Utf8PathBuf> {
        let here = std::env::current_dir().ok()?.join(&self.root);
        let levels = 1..here.components().count();
        let mut above = levels.map(|levels| self.root.join(vec![".."; levels].join("/")));
        above.find(|directory| holds(directory, &self.manifest))
    }

    /// The manifest's directory.
    pub(super) fn disk(&self) -> Result<Disk, Error> {
        Disk::open(&self.root)
    }

    /// The manifest's directory, with a manifest in it.
    pub(super) fn open(&self) -> Result<Disk, Error> {
        let disk = self.disk()?;
        if disk.root().status_of(self.manifest.as_str()).is_ok() {
            return Ok(disk);
        }
        let missing = Error::new("read", self.path(), "no such file here, nor in a directory above");
        Err(missing.help("run `drvc init` for a first manifest, or name yours with `--manifest`"))
    }

    /// What is asked of the compiler.
    pub(super) fn request(&self, compiling: &Compiling) -> Request {
        self.asking(compiling.place.out.clone(), compiling.max_targets)
    }

    /// The same, for an output directory and a number of targets.
    pub(super) fn asking(&self, out: RelPath, max_targets: usize) -> Request {
        Request { manifest: self.manifest.clone(), out, max_targets, settings: self.settings.clone() }
    }
}

/// The directory that a file of the command line lies in, as seen from where drvc was started, and its name there.
pub(super) fn file_at(global: &Global, path: &Utf8Path) -> Result<(Utf8PathBuf, RelPath), Failure> {
    let path = global.directory.as_deref().unwrap_or(Utf8Path::new("")).join(path);
    let name = path.file_name().and_then(|name| RelPath::parse(name).ok()).ok_or_else(|| Failure::Usage {
        message: format!("`{path}` cannot be the name of a file"),
        help: "name a file with an ordinary name".into(),
    })?;
    Ok((path.parent().unwrap_or(Utf8Path::new("")).to_owned(), name))
}

/// Whether a file of that name stands in the directory.
fn holds(directory: &Utf8Path, name: &RelPath) -> bool {
    let names = Disk::open(directory).ok().and_then(|disk| disk.list(&RelPath::root()).ok());
    names.is_some_and(|found| {
        found.value.iter().any(|entry| entry.name == name.as_str() && entry.kind == Kind::File)
    })
}

/// A directory beneath the manifest's, and not that one itself.
pub(super) fn out_dir(text: &str) -> Result<RelPath, String> {
    let path = RelPath::parse(text.strip_suffix('/').unwrap_or(text).trim_start_matches("./"));
    match path {
        Ok(path) if !path.is_root() => Ok(path),
        Ok(_) => Err("outputs go into a directory of their own, beneath the manifest's".into()),
        Err(rule) => Err(format!("it lies beneath the manifest's directory: write {rule}")),
    }
}
