//! What servers said before -> what need not be fetched again: files in the user's cache directory.
//!
//! A file is a line of JSON and the body, whose SHA-256 stands in that line: one that was cut off or changed is not
//! there. Nothing depends on the cache: what cannot be read or written is fetched again.

use super::message::Head;
use super::url::Url;
use crate::system::fs::Dir;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the line at the top of a file may have, in bytes.
const LINE: usize = 16 << 10;

/// The name of something in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Of an answer: by its address, and what was said about the answer that is wanted.
    pub(super) fn of(url: &Url, headers: &[(&'static str, String)]) -> Self {
        let mut text = format!("answer\n{}\n", url.full());
        for (_, value) in headers.iter().filter(|(name, _)| *name == "accept") {
            text.push_str(value);
        }
        Self(hex(&Sha256::digest(text)))
    }

    /// Of something that follows from content with a digest, and from nothing else.
    #[must_use]
    pub fn of_digest(kind: &str, digest: &str) -> Self {
        Self(hex(&Sha256::digest(format!("{kind}\n{digest}"))))
    }
}

/// What stands in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(default)]
    url: String,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    modified: Option<String>,
    sha256: String,
}

/// A directory of what servers said before.
#[derive(Debug)]
pub struct Cache(Option<Utf8PathBuf>);

impl Cache {
    /// In this directory; without one, nothing is kept.
    #[must_use]
    pub fn new(directory: Option<Utf8PathBuf>) -> Self {
        Self(directory.map(|directory| directory.join("http")))
    }

    /// What was kept under a key by [`keep`](Self::keep), if it is whole and has at most `limit` bytes.
    #[must_use]
    pub fn kept(&self, key: &Key, limit: u64) -> Option<Vec<u8>> {
        self.get(key, limit).map(|entry| entry.body)
    }

    /// Keeps something under a key.
    pub fn keep(&self, key: &Key, body: &[u8]) {
        self.write(key, Line { url: String::new(), etag: None, modified: None, sha256: sum(body) }, body);
    }

    pub(super) fn get(&self, key: &Key, limit: u64) -> Option<Entry> {
        let dir = Dir::open_root(self.0.as_ref()?.as_str()).ok()?;
        let mut bytes = dir.open_file(&key.0).ok()?.read(limit.saturating_add(LINE as u64)).ok()?;
        let end = bytes.iter().take(LINE).position(|byte| *byte == b'\n')?;
        let body = bytes.split_off(end + 1);
        let line: Line = serde_json::from_slice(&bytes).ok()?;
        let whole = line.sha256 == sum(&body) && body.len() as u64 <= limit;
        whole.then_some(Entry { etag: line.etag, modified: line.modified, body })
    }

    pub(super) fn put(&self, key: &Key, head: &Head, body: &[u8]) {
        let text = |name: &str| head.header(name).map(str::to_owned);
        let (etag, modified) = (text("etag"), text("last-modified"));
        if etag.is_none() && modified.is_none() {
            return;
        }
        self.write(key, Line { url: head.url.to_string(), etag, modified, sha256: sum(body) }, body);
    }

    fn write(&self, key: &Key, line: Line, body: &[u8]) {
        let Some(directory) = &self.0 else { return };
        let Ok(mut bytes) = serde_json::to_vec(&line) else { return };
        if bytes.len() >= LINE {
            return;
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        // What cannot be kept is fetched again.
        let _ = Dir::make_private(directory.as_str()).and_then(|dir| dir.replace(&key.0, &bytes));
    }
}

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as text of `0-9 a-f`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_not_there() {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from(home.path().to_str().unwrap()).join("below");
        let (cache, key) = (Cache::new(Some(root.clone())), Key::of_digest("test", "sha256:0"));
        assert_eq!(cache.kept(&key, 100), None);
        cache.keep(&key, b"content\n");
        assert_eq!(cache.kept(&key, 100).unwrap(), b"content\n");
        assert_eq!(cache.kept(&key, 3), None);
        let dir = Dir::open_root(root.join("http").as_str()).unwrap();
        let text = String::from_utf8(dir.open_file(&key.0).unwrap().read(1000).unwrap()).unwrap();
        for broken in [text.replace("content", "contend"), text[..text.len() - 1].to_owned(), String::new()] {
            dir.replace(&key.0, broken.as_bytes()).unwrap();
            assert_eq!(cache.kept(&key, 100), None);
        }
        Cache::new(None).keep(&key, b"");
    }
}
