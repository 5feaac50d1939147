//! A tree of files made of values: for tests, and for a revision read out of git.

use super::{Entry, FileDigest, Found, Kind, ReadError, Sig, Tree};
use crate::text::ids::FilePath;
use std::collections::{BTreeMap, BTreeSet};

/// The mode of a symbolic link.
const LINK: u32 = 0o120_777;

/// Files by path; directories exist where a file lies beneath them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<FilePath, (Vec<u8>, Sig)>,
}

impl Memory {
    /// A tree without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file that is not executable; one that stands there is replaced.
    pub fn insert(&mut self, path: impl Into<FilePath>, bytes: impl Into<Vec<u8>>) {
        self.insert_with_mode(path, bytes, 0o644);
    }

    /// Puts a file with these permissions; one that stands there is replaced.
    pub fn insert_with_mode(&mut self, path: impl Into<FilePath>, bytes: impl Into<Vec<u8>>, mode: u32) {
        let bytes = bytes.into();
        let sig = Sig { size: bytes.len() as u64, mode: 0o100_000 | mode, ..Sig::default() };
        self.files.insert(path.into(), (bytes, sig));
    }

    /// Puts a symbolic link that leads there.
    pub fn insert_link(&mut self, path: impl Into<FilePath>, target: &str) {
        let sig = Sig { size: target.len() as u64, mode: LINK, ..Sig::default() };
        self.files.insert(path.into(), (target.as_bytes().to_vec(), sig));
    }

    /// Takes a file away and returns its bytes.
    pub fn remove(&mut self, path: &FilePath) -> Option<Vec<u8>> {
        self.files.remove(path).map(|(bytes, _)| bytes)
    }

    fn file(&self, path: &FilePath) -> Result<&(Vec<u8>, Sig), ReadError> {
        match self.files.get(path) {
            Some((_, sig)) if sig.mode == LINK => Err(ReadError::Link),
            Some(file) => Ok(file),
            None if self.has_beneath(path) => Err(ReadError::WrongKind("it is a directory")),
            None => Err(ReadError::Absent),
        }
    }

    fn has_beneath(&self, path: &FilePath) -> bool {
        path.is_root() || self.files.keys().any(|file| file.is_within(path))
    }
}

impl Tree for Memory {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError> {
        let (bytes, sig) = self.file(path)?;
        if sig.size > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok(Found { value: bytes.clone(), sig: *sig })
    }

    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        let (bytes, sig) = self.file(path)?;
        Ok(Found { value: FileDigest::of(bytes, sig.mode), sig: *sig })
    }

    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        if let Some((_, sig)) = self.files.get(path) {
            let link = sig.mode == LINK;
            return Err(if link { ReadError::Link } else { ReadError::WrongKind("it is not a directory") });
        }
        if !self.has_beneath(path) {
            return Err(ReadError::Absent);
        }
        let prefix = if path.is_root() { String::new() } else { format!("{path}/") };
        let below = self
            .files
            .iter()
            .filter_map(|(file, (_, sig))| Some((file.as_str().strip_prefix(&prefix)?, sig)));
        let entry = |(rest, sig): (&str, &Sig)| match rest.split_once('/') {
            Some((name, _)) => Entry { name: name.to_owned(), kind: Kind::Directory },
            None if sig.mode == LINK => Entry { name: rest.to_owned(), kind: Kind::Link },
            None => Entry { name: rest.to_owned(), kind: Kind::File },
        };
        let entries: BTreeSet<Entry> = below.map(entry).collect();
        Ok(Found { value: entries.into_iter().collect(), sig: Sig::default() })
    }

    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError> {
        match self.files.get(path) {
            Some((target, sig)) if sig.mode == LINK => {
                Ok(Found { value: String::from_utf8_lossy(target).into_owned(), sig: *sig })
            }
            Some(_) => Err(ReadError::WrongKind("it is not a symbolic link")),
            None => Err(ReadError::Absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::ids::RelPath;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn lists_files_and_directories_sorted() {
        let mut tree = Memory::new();
        for file in ["b/c/d", "b-x", "b/a", "a"] {
            tree.insert(path(file), file);
        }
        let names = |at: &RelPath| -> Vec<String> {
            tree.list(at).unwrap().value.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(&RelPath::root()), ["a", "b", "b-x"]);
        assert_eq!(names(&path("b")), ["a", "c"]);
        assert_eq!(tree.list(&path("a")), Err(ReadError::WrongKind("it is not a directory")));
        assert_eq!(tree.list(&path("z")), Err(ReadError::Absent));
        assert_eq!(tree.read(&path("b"), 9).unwrap_err(), ReadError::WrongKind("it is a directory"));
        assert_eq!(tree.read(&path("b/a"), 2).unwrap_err(), ReadError::TooLarge { limit: 2 });
        assert_eq!(tree.remove(&path("a")), Some(b"a".to_vec()));
    }
}
