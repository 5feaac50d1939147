//! Lists of files with the digest of all that keys see of them, and the trees that path sources take in.

use super::found::LeftOut;
use super::rules;
use crate::system::fs::{FileDigest, Form, Hash};
use crate::text::ids::{FilePath, RelPath};
use std::hash::{Hash as Hashed, Hasher};
use std::sync::Arc;

/// Files by path relative to the manifest's directory, sorted, and the digest of all that keys see of them.
#[derive(Clone, Debug)]
pub struct Files {
    files: Arc<[(FilePath, FileDigest)]>,
    digest: Hash,
}

impl Files {
    /// The digest of the whole list.
    #[must_use]
    pub const fn digest(&self) -> &Hash {
        &self.digest
    }
}

impl From<Vec<(FilePath, FileDigest)>> for Files {
    fn from(files: Vec<(FilePath, FileDigest)>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("drvc context files, version 1");
        for (path, content) in &files {
            let kind = u8::from(content.executable) | (u8::from(content.form == Form::Link) << 1);
            hasher.update(&(path.as_str().len() as u64).to_le_bytes()).update(path.as_str().as_bytes());
            hasher.update(&[kind]).update(&content.digest);
        }
        Self { files: files.into(), digest: hasher.finalize().into() }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl std::ops::Deref for Files {
    type Target = [(FilePath, FileDigest)];
    fn deref(&self) -> &Self::Target {
        &self.files
    }
}

/// Lists are the same where their digests are: a list of ten thousand files is compared for every target.
impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Files {}

impl Hashed for Files {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// What a path source takes in, and what it leaves out. Of one directory, the one says the other.
#[derive(Clone, Debug, Default)]
pub struct SourceTree {
    /// What is taken in.
    pub files: Files,
    /// What is left out.
    pub left: Arc<[LeftOut]>,
}

impl SourceTree {
    /// The first link, as seen from the source's directory, that a glob matches or goes through.
    #[must_use]
    pub fn link_on(&self, dir: &RelPath, glob: &str) -> Option<String> {
        let links = self.files.iter().filter(|(_, content)| content.form == Form::Link);
        let mut links = links.filter_map(|(path, _)| path.beneath(dir));
        links.find(|link| rules::goes_through(glob, link)).map(str::to_owned)
    }
}

impl PartialEq for SourceTree {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for SourceTree {}

impl Hashed for SourceTree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.files.hash(state);
    }
}
