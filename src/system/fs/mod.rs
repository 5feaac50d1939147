//! The one seam to the file system: trees of files to read, a reader that logs every answer, and a writer.
//!
//! * [`Tree`] is a directory full of files: [`Disk`] is a real one, [`Memory`] one made of values.
//! * [`Reader`] is what `compile` gets: a tree whose every answer is logged, so that a later run can tell
//!   whether any of them would differ.
//! * [`Dir`] makes every system call, for reading and writing; none follows a symbolic link.

mod aside;
mod dir;
mod disk;
mod folders;
pub mod form;
mod lock;
mod memory;
mod overlay;
mod reader;
mod user;
mod writer;

pub use dir::{Dir, OpenFile, Status};
pub use disk::Disk;
pub use folders::{Folder, path_in};
pub use lock::Held;
pub use memory::Memory;
pub use overlay::Overlay;
pub use reader::{Answer, Reader, listing_digest};
pub use user::{UserFile, open_user_file, read_user_file};
pub use writer::{Temporary, is_temporary, write};

use crate::text::ids::FilePath;
use serde::{Deserialize, Serialize};

/// BLAKE3 of some bytes.
pub type Hash = [u8; 32];

/// What [`Tree::list`] says of one name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without its directory. A name that is not UTF-8 is given lossily and as [`Kind::Other`].
    pub name: String,
    /// What stands there; links are never followed.
    pub kind: Kind,
}

/// The kinds of file that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, device or socket, or anything whose name is not UTF-8.
    Other,
}

/// A file's content as a key sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileDigest {
    /// BLAKE3 of the bytes.
    pub digest: Hash,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// What its bytes show.
    pub form: Form,
}

/// What a file is, as far as its bytes show that it is no ordinary one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Form {
    /// No more than a file.
    #[default]
    Plain,
    /// A symbolic link; its content is where it leads.
    Link,
    /// What git checks out in place of a file that Git LFS has not fetched.
    LfsPointer,
    /// A private key as PEM, or as OpenPGP armours it.
    PrivateKey,
    /// An output of drvc: it begins with a seal.
    Sealed,
}

/// A file's or directory's signature: it stays the same for as long as the content does.
///
/// The change time is set by the kernel alone, so an edit shows in it even where size and modification time
/// were put back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sig {
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch.
    pub mtime: i64,
    /// Change time in nanoseconds since the epoch.
    pub ctime: i64,
    /// Inode number.
    pub inode: u64,
    /// Type and permissions, as `st_mode` has them.
    pub mode: u32,
}

/// An answer of a [`Tree`] and the signature that it was given under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// The answer.
    pub value: T,
    /// The signature of the file or directory, taken before its content was read.
    pub sig: Sig,
}

/// Why a file or directory could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing stands at that path.
    #[error("no such file or directory")]
    Absent,
    /// A symbolic link at the path or on the way to it.
    #[error("a symbolic link is not followed")]
    Link,
    /// A directory where a file was asked for, a file where a directory was, or a device.
    #[error("{0}")]
    WrongKind(&'static str),
    /// The path lies in the output directory, which is never an input.
    #[error("it is in the output directory")]
    Hidden,
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
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError>;

    /// Digest and executable bit of a regular file of any size.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError>;

    /// The names in a directory, sorted by bytes. [`RelPath::root`] is the tree itself.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError>;

    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// See [`ReadError`]; a text that is not UTF-8 cannot be read.
    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError>;

    /// What stands at a path that was a link before, or was none.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn again(&self, path: &FilePath, form: Form) -> Result<Found<FileDigest>, ReadError> {
        if form != Form::Link {
            return self.digest(path);
        }
        let Found { value, sig } = self.link(path)?;
        Ok(Found { value: FileDigest::of_link(&value), sig })
    }
}

impl FileDigest {
    /// Of a file with these bytes and this `st_mode`.
    #[must_use]
    pub fn of(bytes: &[u8], mode: u32) -> Self {
        Self::new(blake3::hash(bytes).into(), mode, form::of(bytes))
    }

    /// Of a link that leads there.
    #[must_use]
    pub fn of_link(target: &str) -> Self {
        Self { digest: blake3::hash(target.as_bytes()).into(), executable: false, form: Form::Link }
    }

    /// Of a file whose bytes have this digest and are of this form.
    #[must_use]
    pub const fn new(digest: Hash, mode: u32, form: Form) -> Self {
        Self { digest, executable: mode & 0o100 != 0, form }
    }
}
