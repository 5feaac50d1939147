//! From `-C` and `--manifest` to the manifest that is meant, and to one above where there is none.

use super::{Failure, Global};
use crate::fs::{Disk, Kind, Tree};
use crate::ids::RelPath;
use camino::{Utf8Path, Utf8PathBuf};

/// The name that a manifest has unless `--manifest` says otherwise.
pub(super) const MANIFEST: &str = "drivers.kdl";

/// Where the manifest lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// The manifest's directory as seen from where drvc was started; empty where that is the same.
    pub(super) root: Utf8PathBuf,
    /// The manifest's name in it.
    pub(super) manifest: RelPath,
}

impl Project {
    /// The project that the command line means.
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let directory = global.directory.as_deref().unwrap_or(Utf8Path::new(""));
        let path = directory.join(global.manifest.as_deref().unwrap_or(Utf8Path::new(MANIFEST)));
        let name =
            path.file_name().and_then(|name| RelPath::parse(name).ok()).ok_or_else(|| Failure::Usage {
                message: format!("`{path}` cannot be the name of a manifest"),
                help: format!("name a file, such as `{MANIFEST}`"),
            })?;
        let root = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        Ok(Self { root, manifest: name })
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
}

/// Whether a file of that name stands in the directory.
fn holds(directory: &Utf8Path, name: &RelPath) -> bool {
    let names = Disk::open(directory).ok().and_then(|disk| disk.list(&RelPath::root()).ok());
    names.is_some_and(|found| {
        found.value.iter().any(|entry| entry.name == name.as_str() && entry.kind == Kind::File)
    })
}
