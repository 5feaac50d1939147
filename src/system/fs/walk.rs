//! A source directory -> its files with their digests, and whatever in it cannot be taken.
//!
//! 1. [`walk`] reads the `.gitignore` files of the directories above ([`Ignores`]), beneath the manifest only.
//! 2. [`Walk::directory`] lists a directory, adds its own `.gitignore`, and goes through the entries.
//! 3. [`Walk::entry`] drops what is ignored, goes into directories, and digests files.
//!
//! Everything is read through the [`Reader`], so a file that comes or goes is noticed by the next run.

use super::{Entry, FileDigest, Kind, ReadError, Reader};
use crate::text::ids::RelPath;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use std::fmt;

/// A `.gitignore` is text that people write; more than this is not one.
const IGNORE_FILE_LIMIT: u64 = 1 << 20;

/// Which files of a directory belong to a source. The globs are those of `.gitignore`, relative to the directory.
#[derive(Clone, Debug)]
pub struct Rules {
    include: Gitignore,
    ignore: Gitignore,
    never: Vec<RelPath>,
}

/// A glob that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadGlob {
    /// The glob as it was given.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Rules {
    /// Takes the files that `include` matches (all, where it is empty) except those that `ignore` matches.
    ///
    /// # Errors
    /// The first glob that is none.
    pub fn new(include: &[&str], ignore: &[&str]) -> Result<Self, BadGlob> {
        Ok(Self { include: globs(include)?, ignore: globs(ignore)?, never: Vec::new() })
    }

    /// Leaves out this file or directory too; the path is relative to the manifest.
    #[must_use]
    pub fn never(mut self, path: RelPath) -> Self {
        self.never.push(path);
        self
    }
}

fn globs(globs: &[&str]) -> Result<Gitignore, BadGlob> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        let bad = |error: ignore::Error| BadGlob { glob: (*glob).to_owned(), reason: error.to_string() };
        builder.add_line(None, glob).map_err(bad)?;
    }
    builder.build().map_err(|error| BadGlob { glob: globs.join(" "), reason: error.to_string() })
}

/// What [`walk`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Walked {
    /// The files, by path relative to the manifest, sorted by bytes.
    pub files: Vec<(RelPath, FileDigest)>,
    /// What is neither ignored nor can be taken, sorted by path.
    pub refused: Vec<(String, Refusal)>,
}

/// Why something in a source directory cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its name or length is not what drvc takes for a path: [`RelPath::RULE`].
    Name,
    /// It is a symbolic link.
    Link,
    /// It is a FIFO, a device or a socket.
    Special,
    /// It cannot be read.
    Unreadable(ReadError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "its path is not {}", RelPath::RULE),
            Self::Link => f.write_str("a symbolic link is not followed"),
            Self::Special => f.write_str("it is neither a file nor a directory"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

/// Lists the files of `dir` (relative to the manifest) that belong to a source.
///
/// `.git` is left out at any depth, and so is what the `.gitignore` files from the manifest's directory
/// downwards ignore. A directory that cannot be read is among those refused.
pub fn walk(reader: &Reader, dir: &RelPath, rules: &Rules) -> Walked {
    let skip = if dir.is_root() { 0 } else { dir.as_str().len() + 1 };
    let walk = Walk { reader, rules, skip };
    let mut above: Vec<RelPath> = std::iter::successors(dir.parent(), RelPath::parent).collect();
    above.reverse();
    let mut found = walk.beneath(&above, dir, None);
    found.files.par_sort_unstable_by(|a, b| a.0.cmp(&b.0));
    found.refused.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// One `.gitignore`, and those above it.
struct Ignores<'a> {
    above: Option<&'a Self>,
    /// How many bytes of a path lead to its directory.
    skip: usize,
    globs: Gitignore,
}

impl<'a> Ignores<'a> {
    fn read(reader: &Reader, dir: &RelPath, above: Option<&'a Self>) -> Option<Self> {
        let path = dir.join(".gitignore").ok()?;
        let text = reader.read(&path, IGNORE_FILE_LIMIT).ok()?;
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&text).trim_start_matches('\u{feff}').lines() {
            // As in git, a line that is no glob ignores nothing.
            let _ = builder.add_line(None, line);
        }
        let skip = if dir.is_root() { 0 } else { dir.as_str().len() + 1 };
        Some(Self { above, skip, globs: builder.build().ok()? })
    }

    fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let matched = self.globs.matched(path.get(self.skip..).unwrap_or(path), is_dir);
        match self.above {
            Some(above) if matched.is_none() => above.ignores(path, is_dir),
            _ => matched.is_ignore(),
        }
    }
}

struct Walk<'a> {
    reader: &'a Reader<'a>,
    rules: &'a Rules,
    /// How many bytes of a path lead to the source's directory.
    skip: usize,
}

impl Walk<'_> {
    /// Reads the `.gitignore` files of the directories above, outermost first, then goes into `dir`.
    fn beneath(&self, above: &[RelPath], dir: &RelPath, ignores: Option<&Ignores>) -> Walked {
        match above.split_first() {
            None => self.directory(dir, ignores),
            Some((outermost, rest)) => {
                let own = Ignores::read(self.reader, outermost, ignores);
                self.beneath(rest, dir, own.as_ref().or(ignores))
            }
        }
    }

    fn directory(&self, dir: &RelPath, ignores: Option<&Ignores>) -> Walked {
        let entries = match self.reader.list(dir) {
            Ok(entries) => entries,
            Err(error) => return Walked::refused(dir.to_string(), Refusal::Unreadable(error)),
        };
        let has_own = entries.iter().any(|entry| entry.name == ".gitignore" && entry.kind == Kind::File);
        let own = if has_own { Ignores::read(self.reader, dir, ignores) } else { None };
        let ignores = own.as_ref().or(ignores);
        let each = entries.par_iter().with_min_len(16);
        each.map(|entry| self.entry(dir, entry, ignores)).reduce(Walked::default, Walked::and)
    }

    fn entry(&self, dir: &RelPath, entry: &Entry, ignores: Option<&Ignores>) -> Walked {
        let Entry { name, kind } = entry;
        let text = if dir.is_root() { name.clone() } else { format!("{dir}/{name}") };
        let is_dir = *kind == Kind::Directory;
        let in_source = text.get(self.skip..).unwrap_or(&text);
        let ignored = name == ".git"
            || self.rules.never.iter().any(|path| path.as_str() == text)
            || ignores.is_some_and(|ignores| ignores.ignores(&text, is_dir))
            || self.rules.ignore.matched(in_source, is_dir).is_ignore();
        if ignored || !(is_dir || self.includes(in_source)) {
            return Walked::default();
        }
        let Ok(path) = RelPath::parse(&text) else {
            return Walked::refused(text, Refusal::Name);
        };
        match kind {
            Kind::Directory => self.directory(&path, ignores),
            Kind::File => match self.reader.digest(&path) {
                Ok(digest) => Walked { files: vec![(path, digest)], refused: Vec::new() },
                Err(error) => Walked::refused(text, Refusal::Unreadable(error)),
            },
            Kind::Link => Walked::refused(text, Refusal::Link),
            Kind::Other => Walked::refused(text, Refusal::Special),
        }
    }

    fn includes(&self, path: &str) -> bool {
        let include = &self.rules.include;
        include.is_empty() || include.matched_path_or_any_parents(path, false).is_ignore()
    }
}

impl Walked {
    fn refused(path: String, why: Refusal) -> Self {
        Self { files: Vec::new(), refused: vec![(path, why)] }
    }

    fn and(mut self, mut other: Self) -> Self {
        self.files.append(&mut other.files);
        self.refused.append(&mut other.refused);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    /// Files of `dir` in a tree of empty files and `.gitignore` files.
    fn files(tree: &[(&str, &str)], dir: &str, rules: &Rules) -> Vec<String> {
        let mut memory = Memory::new();
        for (file, text) in tree {
            memory.insert(path(file), *text);
        }
        let walked = walk(&Reader::new(&memory), &path(dir), rules);
        assert_eq!(walked.refused, []);
        walked.files.into_iter().map(|(path, _)| path.to_string()).collect()
    }

    const TREE: &[(&str, &str)] = &[
        (".git/HEAD", ""),
        (".gitignore", "*.o\n/drv/local\n"),
        ("drivers.lock", ""),
        ("drv/.gitignore", "!keep.o\nbuild/\n# a comment\n[\n"),
        ("drv/Makefile", ""),
        ("drv/build/x.c", ""),
        ("drv/keep.o", ""),
        ("drv/local", ""),
        ("drv/main.c", ""),
        ("drv/main.o", ""),
        ("drv/sub/.git", ""),
        ("drv/sub/build", ""),
        ("drv/sub/local", ""),
        ("drv/sub-a.c", ""),
        ("drv/sub/b.c", ""),
    ];

    #[test]
    fn honours_every_gitignore_beneath_the_manifest() {
        let all = Rules::new(&[], &[]).unwrap();
        let expected = [
            "drv/.gitignore",
            "drv/Makefile",
            "drv/keep.o",
            "drv/main.c",
            "drv/sub-a.c",
            "drv/sub/b.c",
            "drv/sub/build",
            "drv/sub/local",
        ];
        assert_eq!(files(TREE, "drv", &all), expected);
        let with_root = [&[".gitignore"], &expected[..]].concat();
        assert_eq!(files(TREE, ".", &all.never(path("drivers.lock"))), with_root);
    }

    #[test]
    fn globs_are_relative_to_the_source() {
        for (include, ignore, expected) in [
            (&["*.c"][..], &[][..], &["drv/main.c", "drv/sub-a.c", "drv/sub/b.c"][..]),
            (&["/*.c"], &["main.*"], &["drv/sub-a.c"]),
            (&["sub"], &["build", "local"], &["drv/sub/b.c"]),
            (&["sub/*", "!b.c"], &["build"], &["drv/sub/local"]),
        ] {
            let rules = Rules::new(include, ignore).unwrap();
            assert_eq!(files(TREE, "drv", &rules), expected, "{include:?} {ignore:?}");
        }
        let bad = Rules::new(&["ok", "a{b"], &[]).unwrap_err();
        assert_eq!(bad.glob, "a{b");
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::os::unix::fs::symlink("good", at("link")).unwrap();
        std::fs::write(at("good"), "").unwrap();
        std::fs::write(at("two words"), "").unwrap();
        std::fs::write(at("ignored name"), "").unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RWXU).unwrap();
        let disk = super::super::Disk::open(camino::Utf8Path::from_path(home.path()).unwrap()).unwrap();
        let rules = Rules::new(&[], &["ignored*"]).unwrap();
        let walked = walk(&Reader::new(&disk), &RelPath::root(), &rules);
        assert_eq!(walked.files.len(), 1);
        let refused = [("link", Refusal::Link), ("pipe", Refusal::Special), ("two words", Refusal::Name)];
        assert_eq!(walked.refused, refused.map(|(path, why)| (path.to_owned(), why)));
        let none = walk(&Reader::new(&disk), &path("none"), &rules);
        assert_eq!(none.refused, [("none".to_owned(), Refusal::Unreadable(ReadError::Absent))]);
    }
}
