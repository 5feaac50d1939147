//! A revision of the repository that a project lies in, as a tree of files: nothing is checked out or written.
//!
//! 1. [`Revision::open`] resolves the name to a commit, and lists the files beneath the project's directory.
//! 2. What of them is asked for is read through one `git cat-file --batch`, each blob once.

use crate::system::fs::{Entry, FileDigest, Form, Found, Kind, ReadError, Sig, Tree};
use crate::system::process::{Dialogue, Ended, Environment, Finished, Program};
use crate::text::error::Error;
use crate::text::ids::{Commit, FilePath};
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest list of files that is read, in bytes: some millions of files.
const LIST_LIMIT: usize = 512 << 20;
/// What `git` may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The files of a commit beneath the project's directory.
#[derive(Debug)]
pub struct Revision {
    commit: Commit,
    /// By path relative to the project's directory.
    files: BTreeMap<String, Blob>,
    /// The names in each directory, by its path; `.` is the project's own.
    directories: BTreeMap<String, BTreeMap<String, Kind>>,
    blobs: Mutex<Blobs>,
}

/// A file as a commit has it.
#[derive(Clone, Debug)]
struct Blob {
    object: String,
    /// As git writes it: `100644`, `100755`, `120000` for a link, `160000` for a submodule.
    mode: u32,
}

/// What `git cat-file` told so far.
#[derive(Debug)]
struct Blobs {
    program: Dialogue,
    /// By object; only content is kept here, never the executable bit.
    digests: BTreeMap<String, (crate::system::fs::Hash, u64)>,
}

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

impl Revision {
    /// The commit that `name` (a branch, a tag, a commit, `HEAD~2`, …) stands for in the repository that
    /// `directory` lies in.
    ///
    /// # Errors
    /// There is no git, no repository, or no such revision in it: with what to do about it.
    pub fn open(directory: &Utf8Path, name: &str, environment: &Environment) -> Result<Self, Error> {
        let git = Git { directory, environment };
        let prefix = git.prefix()?;
        let commit = git.commit(name)?;
        let listing = git.listing(&commit, &prefix)?;
        let program = git.program().args(["cat-file", "--batch"]).converse()?;
        let mut revision = Self {
            commit,
            files: BTreeMap::new(),
            directories: BTreeMap::from([(".".to_owned(), BTreeMap::new())]),
            blobs: Mutex::new(Blobs { program, digests: BTreeMap::new() }),
        };
        for record in listing.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let malformed =
                || Error::new("read", format!("the files of {}", revision.commit), "git says nonsense");
            let (path, blob) = entry(record, prefix.len()).ok_or_else(malformed)?;
            revision.add(path, blob);
        }
        Ok(revision)
    }

    /// The commit.
    #[must_use]
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    fn add(&mut self, path: String, blob: Blob) {
        let mut kind = match blob.mode {
            LINK => Kind::Link,
            SUBMODULE => Kind::Directory,
            // A name that is not UTF-8 was made one by a character that stands for nothing else.
            _ if path.contains('\u{fffd}') => Kind::Other,
            _ => Kind::File,
        };
        let mut below = path.as_str();
        while let Some((directory, name)) = split(below) {
            let entries = self.directories.entry(directory.to_owned()).or_default();
            if entries.insert(name.to_owned(), kind).is_some() {
                break;
            }
            (below, kind) = (directory, Kind::Directory);
        }
        self.files.insert(path, blob);
    }

    fn blob(&self, path: &FilePath) -> Result<&Blob, ReadError> {
        let Some(blob) = self.files.get(path.as_str()) else {
            let directory = self.directories.contains_key(path.as_str());
            return Err(if directory { ReadError::WrongKind("it is a directory") } else { self.above(path) });
        };
        match blob.mode {
            LINK => Err(ReadError::Link),
            SUBMODULE => Err(ReadError::WrongKind("it is a directory")),
            _ => Ok(blob),
        }
    }

    /// Why there is nothing at a path: on the way to it may be a link or a submodule.
    fn above(&self, path: &FilePath) -> ReadError {
        let above = std::iter::successors(path.directory(), FilePath::directory);
        let found = above.filter_map(|above| self.files.get(above.as_str())).next();
        match found.map(|blob| blob.mode) {
            Some(LINK) => ReadError::Link,
            Some(SUBMODULE) => submodule(),
            _ => ReadError::Absent,
        }
    }
}

/// What a project in a submodule's directory would need is in another repository.
fn submodule() -> ReadError {
    ReadError::Io("it is in a git submodule, whose files are not in this repository's history".into())
}

/// Directory and name of a path; nothing of `.`.
fn split(path: &str) -> Option<(&str, &str)> {
    if path == "." {
        return None;
    }
    Some(path.rsplit_once('/').unwrap_or((".", path)))
}

/// One record of `git ls-tree`: `MODE TYPE OBJECT<tab>PATH`, the path from `skip` on.
fn entry(record: &[u8], skip: usize) -> Option<(String, Blob)> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let (words, path) = record.split_at_checked(tab)?;
    let mut words = std::str::from_utf8(words).ok()?.split(' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let object = words.nth(1).filter(|object| Commit::parse(object).is_ok())?.to_owned();
    let path = String::from_utf8_lossy(path.get(1 + skip..)?).into_owned();
    Some((path, Blob { object, mode }))
}

impl Blobs {
    /// The content of a blob, piece by piece, and its size.
    fn read(&mut self, object: &str, mut each: impl FnMut(u64, &[u8])) -> Result<u64, ReadError> {
        let failed = |error: std::io::Error| ReadError::Io(format!("git cannot read {object}: {error}"));
        self.program.ask(&format!("{object}\n")).map_err(failed)?;
        let header = self.program.line(200).map_err(failed)?;
        let header = String::from_utf8_lossy(&header);
        let size = header.strip_prefix(object).and_then(|rest| rest.strip_prefix(" blob "));
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
            return Err(ReadError::Io(
                "its content is not in this clone, which was made without some (`git clone --filter`)".into(),
            ));
        };
        self.program.bytes(size, |piece| each(size, piece)).map_err(failed)?;
        // Behind the content stands a line feed.
        self.program.bytes(1, |_| ()).map_err(failed)?;
        Ok(size)
    }

    fn digest(&mut self, object: &str) -> Result<(crate::system::fs::Hash, u64), ReadError> {
        if let Some(known) = self.digests.get(object) {
            return Ok(*known);
        }
        let mut hasher = blake3::Hasher::new();
        let size = self.read(object, |_, piece| {
            hasher.update(piece);
        })?;
        let found = (hasher.finalize().into(), size);
        self.digests.insert(object.to_owned(), found);
        Ok(found)
    }
}

/// A file has no times in a commit, and no inode.
fn sig(blob: &Blob, size: u64) -> Sig {
    Sig { size, mode: blob.mode, ..Sig::default() }
}

impl Tree for Revision {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError> {
        let blob = self.blob(path)?;
        let mut bytes = Vec::new();
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let size = blobs.read(&blob.object, |size, piece| {
            if size <= limit {
                bytes.extend_from_slice(piece);
            }
        })?;
        if size > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok(Found { value: bytes, sig: sig(blob, size) })
    }

    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        let blob = self.blob(path)?;
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (digest, size) = blobs.digest(&blob.object)?;
        Ok(Found { value: FileDigest::new(digest, blob.mode, Form::Plain), sig: sig(blob, size) })
    }

    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        let Some(entries) = self.directories.get(path.as_str()) else {
            return Err(match self.files.get(path.as_str()).map(|blob| blob.mode) {
                Some(LINK) => ReadError::Link,
                Some(SUBMODULE) => submodule(),
                Some(_) => ReadError::WrongKind("it is not a directory"),
                None => self.above(path),
            });
        };
        let entries = entries.iter().map(|(name, kind)| Entry { name: name.clone(), kind: *kind });
        Ok(Found { value: entries.collect(), sig: Sig::default() })
    }

    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError> {
        let blob = match self.files.get(path.as_str()) {
            Some(blob) if blob.mode == LINK => blob,
            Some(_) => return Err(ReadError::WrongKind("it is not a symbolic link")),
            None => return Err(self.above(path)),
        };
        let mut target = Vec::new();
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let size = blobs.read(&blob.object, |_, piece| target.extend_from_slice(piece))?;
        let target = String::from_utf8(target)
            .map_err(|_| ReadError::Io("where it leads is not UTF-8 text".into()))?;
        Ok(Found { value: target, sig: sig(blob, size) })
    }
}

/// Questions to `git` about the repository that a directory lies in.
struct Git<'a> {
    directory: &'a Utf8Path,
    environment: &'a Environment,
}

impl Git<'_> {
    /// `git` with the user's own settings, and nothing in it that starts other programs or the network.
    fn program(&self) -> Program {
        let program =
            Program::new("git", self.environment).inherit(self.environment, &["HOME", "XDG_CONFIG_HOME"]);
        let quiet = [
            ("LC_ALL", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_ALLOW_PROTOCOL", ""),
        ];
        let program = quiet.into_iter().fold(program, |program, (name, value)| program.env(name, value));
        let here = if self.directory.as_str().is_empty() { Utf8Path::new(".") } else { self.directory };
        let words = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager"];
        program.directory(here).timeout(TIMEOUT).args(words)
    }

    fn ask(&self, words: &[&str]) -> Result<Finished, Error> {
        self.program().limit(LIST_LIMIT).args(words).output()
    }

    fn place(&self) -> String {
        if self.directory.as_str().is_empty() { ".".into() } else { self.directory.to_string() }
    }

    /// The directory as seen from the top of its repository, with a slash at its end; empty for the top itself.
    fn prefix(&self) -> Result<String, Error> {
        let finished = self.ask(&["rev-parse", "--show-prefix"])?;
        let Some(text) = line(&finished) else {
            let error = Error::new("find the git repository of", self.place(), said(&finished));
            return Err(
                error.help("a revision is read from the history of the repository that the manifest is in")
            );
        };
        Ok(text)
    }

    fn commit(&self, name: &str) -> Result<Commit, Error> {
        let meant = format!("{name}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &meant];
        let found = if name.contains(char::is_control) { None } else { line(&self.ask(&words)?) };
        match found.map(|commit| Commit::parse(&commit)) {
            Some(Ok(commit)) => Ok(commit),
            _ => Err(self.unknown(name)),
        }
    }

    /// What to say of a revision that is not there.
    fn unknown(&self, name: &str) -> Error {
        let error = Error::new("find the revision", name, "this clone does not have it");
        let is = |words: &[&str]| self.ask(words).ok().and_then(|finished| line(&finished));
        let at_remote = format!("refs/remotes/origin/{name}");
        let is_known = is(&["rev-parse", "--verify", "--quiet", "--end-of-options", &at_remote]).is_some();
        let is_shallow = is(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true");
        error.help(match (is_known, is_shallow) {
            (true, _) => format!("`origin/{name}` is there: name that"),
            (false, true) => format!(
                "the clone is shallow: `git fetch --depth=1 origin {name}` fetches a branch, a tag or a full commit, \
                 `git fetch --unshallow` everything (in a workflow of GitHub: `fetch-depth: 0`; in GitLab: \
                 `GIT_DEPTH: 0`)"
            ),
            (false, false) => "name a branch, a tag or a commit; `git fetch` fetches what is new".into(),
        })
    }

    /// Every file of the commit beneath the directory, as `git ls-tree -z` lists them.
    fn listing(&self, commit: &Commit, prefix: &str) -> Result<Vec<u8>, Error> {
        let words = ["ls-tree", "-r", "-z", "--full-tree", commit.as_str()];
        let path: &[&str] = if prefix.is_empty() { &[] } else { &["--", prefix] };
        let finished = self.ask(&[&words[..], path].concat())?;
        if !finished.is_success() {
            return Err(Error::new("list the files of", commit.to_string(), said(&finished)));
        }
        Ok(finished.stdout)
    }
}

/// The one line that a program said, where it ended well.
fn line(finished: &Finished) -> Option<String> {
    let text = String::from_utf8(finished.stdout.clone()).ok().filter(|_| finished.is_success())?;
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Why a program failed, in its own words.
fn said(finished: &Finished) -> String {
    let text = String::from_utf8_lossy(&finished.stderr);
    let first = text.lines().find(|line| !line.trim().is_empty());
    match (finished.ended, first) {
        (Ended::TimedOut, _) => "git does not come to an end".into(),
        (_, Some(line)) => line.trim_start_matches("fatal: ").to_owned(),
        (..) => "git fails without a word".into(),
    }
}
