//! From `-C` and `--manifest` to the manifest that is meant, and to one above where there is none.

use super::{Failure, Global};
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
        self.path().is_file()
    }

    /// The nearest directory above that holds a manifest of the same name, such as `../..`.
    pub(super) fn above(&self) -> Option<Utf8PathBuf> {
        let start = if self.root.as_str().is_empty() { Utf8Path::new(".") } else { &self.root };
        let depth = start.canonicalize_utf8().ok()?.components().count().saturating_sub(1);
        let above = (1..=depth).map(|levels| self.root.join(vec![".."; levels].join("/")));
        above.into_iter().find(|directory| directory.join(self.manifest.as_path()).is_file())
    }
}
