//! A tree with one file in place of another, or where there is none.

use super::{Entry, FileDigest, Found, Kind, ReadError, Sig, Tree};
use crate::text::ids::{FilePath, RelPath};

/// Another tree, and a file right in its root that only this one has.
#[derive(Debug)]
pub struct Overlay<'a, T: ?Sized> {
    below: &'a T,
    path: RelPath,
    bytes: Vec<u8>,
}

impl<'a, T: Tree + ?Sized> Overlay<'a, T> {
    /// `below` with a file of these bytes at `path`, which is a name without directories.
    pub fn new(below: &'a T, path: RelPath, bytes: Vec<u8>) -> Self {
        Self { below, path, bytes }
    }
}

impl<T: Tree + ?Sized> Tree for Overlay<'_, T> {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError> {
        match path.as_str() == self.path.as_str() {
            true if self.bytes.len() as u64 > limit => Err(ReadError::TooLarge { limit }),
            true => Ok(Found { value: self.bytes.clone(), sig: Sig::default() }),
            false => self.below.read(path, limit),
        }
    }

    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        match path.as_str() == self.path.as_str() {
            true => Ok(Found { value: FileDigest::of(&self.bytes, 0o644), sig: Sig::default() }),
            false => self.below.digest(path),
        }
    }

    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        let mut found = self.below.list(path)?;
        if path.is_root() && !found.value.iter().any(|entry| entry.name == self.path.as_str()) {
            found.value.push(Entry { name: self.path.to_string(), kind: Kind::File });
            found.value.sort_unstable();
        }
        Ok(found)
    }

    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError> {
        match path.as_str() == self.path.as_str() {
            true => Err(ReadError::WrongKind("it is not a symbolic link")),
            false => self.below.link(path),
        }
    }
}
