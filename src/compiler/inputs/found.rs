//! What a walk through a source's directory finds: the files that are taken, what is left out and why, what cannot be taken.

use crate::system::fs::{FileDigest, ReadError};
use crate::text::ids::{FilePath, RelPath};
use std::fmt;

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Walked {
    /// The files, by path relative to the manifest, sorted by bytes.
    pub files: Vec<(FilePath, FileDigest)>,
    /// What is there and is not taken, sorted by path: of a directory that is left out whole only that itself.
    pub left: Vec<LeftOut>,
    /// What is neither ignored nor can be taken, sorted by path.
    pub refused: Vec<(String, Refusal)>,
    /// Whether a `.gitattributes` names files that Git LFS holds.
    pub lfs: bool,
    pub(super) links: Vec<(FilePath, String)>,
}

/// Something in a source's directory that is not part of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Its path, relative to the manifest.
    pub path: String,
    /// The reason.
    pub why: Why,
    /// Nothing speaks for it; it deserves a warning.
    pub doubtful: bool,
    /// Of a link that leaves the source, where beside it in the project it leads.
    pub leads: Option<RelPath>,
}

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// By `include`, `ignore` or a `.gitignore`.
    Ignored,
    /// By a `.gitignore`, though it says how the directory is built.
    GitIgnored,
    /// drvc reads or writes it.
    Drvc,
    /// git and its kin.
    VersionControl,
    /// CI, and tools around the repository.
    Ci,
    /// What people read.
    Documentation,
    /// One that no `patch` names, or that is copied by itself.
    Patch,
    /// A build or an editor left it.
    Leftover,
    /// A link that leads out of the source, or nowhere.
    Link,
    /// It is reported as an error.
    Refused,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignored => "`include`, `ignore` or a .gitignore leaves it out",
            Self::GitIgnored => "a .gitignore leaves it out",
            Self::Drvc => "drvc's own: read or written by it",
            Self::VersionControl => "version control",
            Self::Ci => "CI and tools around the repository",
            Self::Documentation => "documentation",
            Self::Patch => "a patch: those that are named are copied by themselves",
            Self::Leftover => "left by a build or an editor",
            Self::Link => "a link that leads to nothing in this source",
            Self::Refused => "it cannot be part of a source",
        })
    }
}

/// Why something in a source directory cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its name or length is not what drvc takes for a path: [`FilePath::RULE`].
    Name,
    /// Its name is not UTF-8, and is given with U+FFFD for what is not.
    Encoding,
    /// It is a FIFO, a device or a socket.
    Special,
    /// Git LFS has its content.
    LfsPointer,
    /// It is for nobody to see.
    PrivateKey,
    /// It cannot be read.
    Unreadable(ReadError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "its path is not {}", FilePath::RULE),
            Self::Encoding => f.write_str("its name is not UTF-8"),
            Self::Special => f.write_str("it is neither a file nor a directory"),
            Self::LfsPointer => f.write_str("Git LFS has not fetched it: this is a pointer, not its content"),
            Self::PrivateKey => f.write_str("it is a private key, which would be in a layer of the build"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl Walked {
    pub(super) fn refused(path: String, why: Refusal) -> Self {
        let left = vec![LeftOut { path: path.clone(), why: Why::Refused, doubtful: false, leads: None }];
        Self { refused: vec![(path, why)], left, ..Self::default() }
    }

    pub(super) fn left(path: String, why: Why) -> Self {
        Self { left: vec![LeftOut { path, why, doubtful: false, leads: None }], ..Self::default() }
    }

    pub(super) fn and(mut self, mut other: Self) -> Self {
        self.files.append(&mut other.files);
        self.left.append(&mut other.left);
        self.refused.append(&mut other.refused);
        self.links.append(&mut other.links);
        self.lfs |= other.lfs;
        self
    }
}
