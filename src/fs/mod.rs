//! The one seam to the file system: trees of files to read, a reader that logs every answer, and a writer.

use crate::ids::RelPath;

/// What [`Tree::list`] says of one name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without its directory. Names that are not UTF-8 are given lossily and as [`Kind::Other`].
    pub name: String,
    /// What stands there; links are never followed.
    pub kind: Kind,
}

/// The kinds of file that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, FIFO, device, socket, or a name that is not UTF-8.
    Other,
}

/// A file's content as a key sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileDigest {
    /// BLAKE3 of the bytes.
    pub digest: [u8; 32],
    /// Whether the owner may execute it.
    pub executable: bool,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing stands at that path.
    #[error("no such file or directory")]
    Absent,
    /// A symbolic link at the path or on the way to it.
    #[error("a symbolic link is not followed")]
    Link,
    /// A directory where a file was asked for, a file where a directory was, or a device.
    #[error("not a regular file")]
    WrongKind,
    /// More bytes than the limit that the caller set.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Anything else that the system says.
    #[error("{0}")]
    Io(String),
}

/// Files beneath one directory (the manifest's), never outside it and never through a link.
pub trait Tree: Sync {
    /// The bytes of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn read(&self, path: &RelPath, limit: u64) -> Result<Vec<u8>, ReadError>;

    /// Digest and executable bit of a regular file of any size.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn digest(&self, path: &RelPath) -> Result<FileDigest, ReadError>;

    /// The names in a directory, sorted by bytes. [`RelPath::root`] is the tree itself.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn list(&self, path: &RelPath) -> Result<Vec<Entry>, ReadError>;
}
