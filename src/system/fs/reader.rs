//! A tree whose every answer is logged, so that a later run can tell whether any of them would differ.

use super::{Entry, FileDigest, Found, Hash, Kind, ReadError, Sig, Tree};
use crate::text::ids::{FilePath, RelPath};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Mutex, PoisonError};

/// What a [`Reader`] said about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A file with this content.
    File(Sig, FileDigest),
    /// A directory with these names in it ([`listing_digest`]).
    Dir(Sig, Hash),
    /// Nothing stands there.
    Absent,
    /// Neither: an error, or two answers in one run that contradict each other. It never holds again.
    Unsettled,
}

impl Answer {
    /// Whether the two say the same about the content, whatever the signatures.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(_, a), Self::File(_, b)) => a == b,
            (Self::Dir(_, a), Self::Dir(_, b)) => a == b,
            (Self::Absent, Self::Absent) => true,
            _ => false,
        }
    }
}

/// Reads a [`Tree`] and logs every answer: file digests, directory listings, absence.
///
/// One directory, the outputs', is hidden: no listing shows it and nothing in it can be read, so outputs are
/// never inputs.
pub struct Reader<'a> {
    tree: &'a dyn Tree,
    hidden: Option<RelPath>,
    log: Mutex<BTreeMap<FilePath, Answer>>,
}

impl<'a> Reader<'a> {
    /// A reader of the whole tree.
    #[must_use]
    pub fn new(tree: &'a dyn Tree) -> Self {
        Self { tree, hidden: None, log: Mutex::default() }
    }

    /// The same reader with the output directory hidden.
    #[must_use]
    pub fn hide(mut self, outputs: RelPath) -> Self {
        self.hidden = Some(outputs);
        self
    }

    /// The bytes of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, ReadError> {
        let found = self.visible(path).and_then(|()| self.tree.read(path, limit));
        self.log(path, answer(&found, |bytes, sig| FileDigest::of(bytes, sig.mode).answer(sig)));
        found.map(|found| found.value)
    }

    /// Digest and executable bit of a regular file of any size.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn digest(&self, path: &FilePath) -> Result<FileDigest, ReadError> {
        let found = self.ask_digest(path);
        self.log(path, answer(&found, |digest, sig| digest.answer(sig)));
        found.map(|found| found.value)
    }

    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn link(&self, path: &FilePath) -> Result<String, ReadError> {
        let found = self.visible(path).and_then(|()| self.tree.link(path));
        self.log(path, answer(&found, |target, sig| FileDigest::of_link(target).answer(sig)));
        found.map(|found| found.value)
    }

    /// The names in a directory, sorted by bytes, without the output directory.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn list(&self, path: &FilePath) -> Result<Vec<Entry>, ReadError> {
        let found = self.ask_list(path);
        self.log(path, answer(&found, |entries, sig| Answer::Dir(sig, listing_digest(entries))));
        found.map(|found| found.value)
    }

    /// Asks again what an earlier run was answered, without logging it.
    #[must_use]
    pub fn again(&self, path: &FilePath, before: &Answer) -> Answer {
        match before {
            Answer::File(_, FileDigest { form, .. }) => {
                let found = self.visible(path).and_then(|()| self.tree.again(path, *form));
                answer(&found, |digest, sig| digest.answer(sig))
            }
            Answer::Absent => answer(&self.ask_digest(path), |digest, sig| digest.answer(sig)),
            Answer::Dir(..) => {
                answer(&self.ask_list(path), |entries, sig| Answer::Dir(sig, listing_digest(entries)))
            }
            Answer::Unsettled => Answer::Unsettled,
        }
    }

    /// Every answer given so far, sorted by path.
    #[must_use]
    pub fn answers(&self) -> Vec<(FilePath, Answer)> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().map(|(path, answer)| (path.clone(), *answer)).collect()
    }

    fn visible(&self, path: &FilePath) -> Result<(), ReadError> {
        match &self.hidden {
            Some(hidden) if path.is_within(hidden) => Err(ReadError::Hidden),
            _ => Ok(()),
        }
    }

    fn ask_digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        self.visible(path).and_then(|()| self.tree.digest(path))
    }

    fn ask_list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        let mut found = self.visible(path).and_then(|()| self.tree.list(path))?;
        if let Some(hidden) = &self.hidden
            && hidden.directory().as_ref() == Some(path)
        {
            found.value.retain(|entry| Some(entry.name.as_str()) != hidden.as_path().file_name());
        }
        Ok(found)
    }

    fn log(&self, path: &FilePath, answer: Answer) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        match log.entry(path.clone()) {
            Slot::Vacant(slot) => drop(slot.insert(answer)),
            Slot::Occupied(slot) if slot.get().agrees(&answer) => {}
            Slot::Occupied(mut slot) => drop(slot.insert(Answer::Unsettled)),
        }
    }
}

fn answer<T>(found: &Result<Found<T>, ReadError>, of: impl FnOnce(&T, Sig) -> Answer) -> Answer {
    match found {
        Ok(found) => of(&found.value, found.sig),
        Err(ReadError::Absent) => Answer::Absent,
        Err(_) => Answer::Unsettled,
    }
}

impl FileDigest {
    fn answer(self, sig: Sig) -> Answer {
        Answer::File(sig, self)
    }
}

/// BLAKE3 over kind and name of each entry, in the order given.
#[must_use]
pub fn listing_digest(entries: &[Entry]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("drvc directory listing v1");
    for Entry { name, kind } in entries {
        let tag = match kind {
            Kind::File => b'f',
            Kind::Directory => b'd',
            Kind::Link => b'l',
            Kind::Other => b'o',
        };
        hasher.update(&[tag]).update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn logs_every_answer_once_and_sorted() {
        let mut tree = Memory::new();
        tree.insert(path("a/x"), "x");
        tree.insert(path("out/y"), "y");
        let reader = Reader::new(&tree).hide(path("out"));
        assert_eq!(reader.read(&path("a/x"), 10).unwrap(), b"x");
        assert_eq!(reader.digest(&path("a/x")).unwrap().digest, *blake3::hash(b"x").as_bytes());
        assert_eq!(reader.read(&path("nothing"), 10), Err(ReadError::Absent));
        assert_eq!(reader.digest(&path("out/y")), Err(ReadError::Hidden));
        assert_eq!(reader.list(&RelPath::root()).unwrap().len(), 1);
        let said: Vec<(String, &str)> = reader
            .answers()
            .into_iter()
            .map(|(path, answer)| {
                let kind = match answer {
                    Answer::File(..) => "file",
                    Answer::Dir(..) => "dir",
                    Answer::Absent => "absent",
                    Answer::Unsettled => "unsettled",
                };
                (path.to_string(), kind)
            })
            .collect();
        let expected = [(".", "dir"), ("a/x", "file"), ("nothing", "absent"), ("out/y", "unsettled")];
        assert_eq!(said, expected.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn listings_differ_by_kind_and_by_where_names_end() {
        let entry = |name: &str, kind| Entry { name: name.to_owned(), kind };
        let listings = [
            vec![],
            vec![entry("ab", Kind::File)],
            vec![entry("ab", Kind::Directory)],
            vec![entry("a", Kind::File), entry("b", Kind::File)],
        ];
        let digests: std::collections::BTreeSet<Hash> = listings.iter().map(|l| listing_digest(l)).collect();
        assert_eq!(digests.len(), listings.len());
    }
}
