//! From the address of a package repository to the packages that it offers, as its metadata lists them.
//!
//! 1. [`packages`] reads the file that a repository begins with: `repomd.xml` of dnf, `InRelease` or `Release` of apt.
//! 2. That file names the list of packages, with its checksum; what is not what was named is refused.
//! 3. [`list`] goes through the unpacked list once, and only packages that are wanted are kept.
//! 4. [`PackageIndex`] answers whether a package that somebody wants to install is among them.
//!
//! Everything here comes from a server: sizes are bounded, names and versions pass the types of [`crate::text::ids`], and what
//! does not is an [`Error`] that names the address.

mod apt;
mod date;
mod dnf;
mod download;
mod gpgv;
pub mod kernels;
mod list;
mod package_index;
mod sources;
mod sum;
mod kernel_request;
mod web;
mod xml;
#[cfg(test)]
mod tests;

pub use download::download;
pub use gpgv::Gpgv;
pub use kernel_request::{Answer, Answered, KernelLookup, Problem};
pub use package_index::{Package, PackageFile, PackageIndex};
pub use sources::{Source, package_index, sources};
pub use sum::Sum;

use crate::text::error::Error;
use crate::text::ids::Arch;
use std::fmt;

/// The first file of a repository is smaller than this, in bytes.
const INDEX_LIMIT: u64 = 16 << 20;
/// A packed list of packages is smaller than this, in bytes.
const PACKED_LIMIT: u64 = 256 << 20;
/// An unpacked list of packages is smaller than this, in bytes; it is never held as a whole.
const UNPACKED_LIMIT: u64 = 4 << 30;
/// So many packages of one list are kept and no more.
const PACKAGES_LIMIT: usize = 200_000;

/// What brings files from servers, and knows how late it is.
pub trait Fetch: Sync {
    /// The file at an address, of at most `limit` bytes; `None` where the server has none there.
    ///
    /// # Errors
    /// Everything else that keeps it from coming, with the address.
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error>;

    /// The time, in seconds since 1970.
    fn now(&self) -> u64;
}

/// What tells whether a text was signed by one of a user's keys.
pub trait Verify: Sync {
    /// The signed text of a clear-signed file from `url`.
    ///
    /// # Errors
    /// It is signed by none of the keys, or the check cannot be made.
    fn clear_signed(&self, url: &str, bytes: &[u8]) -> Result<Vec<u8>, Error>;

    /// Whether `signature`, a file of its own, is one of `bytes` from `url`.
    ///
    /// # Errors
    /// It is signed by none of the keys, or the check cannot be made.
    fn detached(&self, url: &str, bytes: &[u8], signature: &[u8]) -> Result<(), Error>;
}

/// Where packages are offered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// Its address, with every variable filled in.
    pub url: String,
    /// How it is laid out.
    pub layout: Layout,
}

/// The two kinds of repositories.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// `repodata/repomd.xml` beneath the address: of dnf, yum, tdnf and zypper.
    Dnf,
    /// `dists/SUITE/Release` beneath the address.
    Apt {
        /// Such as `bookworm-security`.
        suite: String,
        /// Such as `main`.
        components: Vec<String>,
    },
}

/// As people name it: the address, and for apt suite and components.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        match &self.layout {
            Layout::Dnf => Ok(()),
            Layout::Apt { suite, components } => write!(f, " {suite} {}", components.join(" ")),
        }
    }
}

impl Repository {
    /// An address beneath this one's.
    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.url.trim_end_matches('/'))
    }
}

/// The packages for an architecture whose name is `wanted`, in no particular order.
///
/// With `keys`, the file that the repository begins with must be signed by one of them.
///
/// # Errors
/// A file that is missing, damaged, not signed, too large, or not what the repository said of it.
pub fn packages(
    fetch: &dyn Fetch,
    keys: Option<&dyn Verify>,
    repository: &Repository,
    arch: Arch,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Package>, Error> {
    match &repository.layout {
        Layout::Dnf => dnf::packages(fetch, keys, repository, arch, wanted),
        Layout::Apt { suite, components } => {
            apt::packages(&apt::Archive { fetch, keys, repository, suite }, components, arch, wanted)
        }
    }
}

/// A file that is not what it should be.
fn damaged(url: &str, why: impl Into<String>) -> Error {
    Error::new("read", url, why.into()).help(
        "the repository may be changing at this moment: try again; if it stays so, tell those who run it",
    )
}

/// A signature that is not there.
fn unsigned(url: &str) -> Error {
    Error::new("read", url, "the server has no such file, so that no key can have signed the repository")
        .help("take the keyring out of the manifest, if the repository is not signed")
}

/// Whether a path that a repository names stays beneath its address and needs no quoting.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+~@:,=/-".contains(&b);
    path.len() <= 512
        && path.bytes().all(plain)
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
