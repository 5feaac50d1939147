//! A tree with some files in place of others, or where there are none.

use super::{Entry, FileDigest, Found, Kind, ReadError, Sig, Tree};
use crate::text::ids::{FilePath, RelPath};
use std::collections::BTreeMap;

/// Another tree, and files that only this one has.
#[derive(Debug)]
pub struct Overlay<'a, T: ?Sized> {
    below: &'a T,
    files: BTreeMap<FilePath, Vec<u8>>,
}

impl<'a, T: Tree + ?Sized> Overlay<'a, T> {
    /// `below` with a file of these bytes at `path`.
    pub fn new(below: &'a T, path: RelPath, bytes: Vec<u8>) -> Self {
        Self::of(below, BTreeMap::from([(path.into(), bytes)]))
    }

    /// `below` with these files.
    pub fn of(below: &'a T, files: BTreeMap<FilePath, Vec<u8>>) -> Self {
        Self { below, files }
    }
}

impl<T: Tree + ?Sized> Tree for Overlay<'_, T> {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError> {
        match self.files.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(ReadError::TooLarge { limit }),
            Some(bytes) => Ok(Found { value: bytes.clone(), sig: Sig::default() }),
            None => self.below.read(path, limit),
        }
    }

    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        match self.files.get(path) {
            Some(bytes) => Ok(Found { value: FileDigest::of(bytes, 0o644), sig: Sig::default() }),
            None => self.below.digest(path),
        }
    }

    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        let mut found = self.below.list(path)?;
        for file in self.files.keys().filter(|file| file.directory().as_ref() == Some(path)) {
            let name = file.as_path().file_name().unwrap_or_default();
            if !found.value.iter().any(|entry| entry.name == name) {
                found.value.push(Entry { name: name.to_owned(), kind: Kind::File });
            }
        }
        found.value.sort_unstable();
        Ok(found)
    }

    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError> {
        match self.files.contains_key(path) {
            true => Err(ReadError::WrongKind("it is not a symbolic link")),
            false => self.below.link(path),
        }
    }
}
