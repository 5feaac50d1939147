//! `drivers.lock`: what was resolved for what the manifest leaves open, as data.
//!
//! TOML, one entry a paragraph, sorted, so that two branches' changes merge line by line. The file is as untrusted
//! as the manifest: every value goes through the same types. Nothing here resolves anything.

mod consulted;
mod name;
mod read;
mod seal;
mod wants;
mod write;

pub use consulted::Consulted;
pub use name::{headers as headers_name, packages as packages_name};
pub use read::parse;
pub use wants::{Want, Wants};
pub use write::to_text;

use crate::knowledge::profile::Builder;
use crate::text::ids::{
    Arch, Commit, Digest, FileUrl, Flavor, GitUrl, ImageRef, KernelText, OsName, PackageName, Release, Sha256,
};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// The version of the file's format that this drvc reads and writes.
pub const VERSION: u32 = 1;
/// The longest lock, in bytes: 10,000 kernels with packages and headers take some 10 MiB.
pub const MAX_BYTES: u64 = 16 << 20;

/// Everything that was resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Checksums of files that sources download (`archive`, `file` and `srpm`), by URL.
    pub archives: BTreeMap<FileUrl, Entry<Sha256>>,
    /// Where cells are built that name several builders.
    pub builders: BTreeMap<BuilderQuery, Entry<Builder>>,
    /// Commits, by repository and full name of the ref.
    pub git: BTreeMap<(GitUrl, String), Entry<Commit>>,
    /// Digests, by reference.
    pub images: BTreeMap<ImageRef, Entry<ImagePin>>,
    /// What the packages of kernels' headers hold, by distribution, release and kernel.
    pub headers: BTreeMap<KernelKey, Entry<HeadersPin>>,
    /// Kernels, by what asks for them.
    pub kernels: BTreeMap<KernelQuery, Entry<KernelsPin>>,
    /// What OpenShift releases hold, by release, architecture and kernel.
    pub openshift: BTreeMap<(Release, Arch), Vec<Entry<OpenShiftPin>>>,
    /// Exact versions of kernels' own packages, by distribution, release and kernel.
    pub packages: BTreeMap<KernelKey, Entry<Vec<PackageName>>>,
    /// The newest releases of OpenShift's minors, newest first.
    pub zstreams: BTreeMap<ZQuery, Entry<Vec<Release>>>,
}

/// A kernel of a distribution's release.
pub type KernelKey = (OsName, Release, KernelText, Arch);

/// An ordered list of builders, for one kernel of a distribution's release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuilderQuery {
    pub kernel: KernelKey,
    /// The list as the manifest has it: a changed one is another question.
    pub of: Vec<Builder>,
}

/// What the packages of a kernel's headers hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadersPin {
    /// Digests of it.
    Known(HeaderDigests),
    /// Nobody can tell, and why.
    Unknown(String),
}

/// Digests of what two kernels have to have in common for modules of one to serve the other. They tell what is worth a trial;
/// whether modules serve is found out in the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderDigests {
    /// Of the header files, without the kernel's release.
    pub headers: Sha256,
    /// Of the options (`auto.conf`), without version strings.
    pub options: Sha256,
    /// Of all exported symbols with version, owner, class and namespace.
    pub symbols: Sha256,
    /// The version of the structure that every module has; nothing where symbols have none.
    pub layout: Option<String>,
    /// The packages, as `NAME=VERSION CHECKSUM`.
    pub packages: Vec<String>,
}

/// `z latest=` of an `os "openshift"`, for one minor and architecture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZQuery {
    /// The minor, such as `4.18`.
    pub release: Release,
    /// The architecture.
    pub arch: Arch,
    pub latest: u32,
}

/// A resolved value and the place of its paragraph in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// What was resolved.
    pub value: T,
    /// The paragraph.
    pub span: Span,
}

/// An image's digest: of the index where there are several architectures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePin {
    /// Digest of the index or manifest that the tag named.
    pub digest: Digest,
    /// Digest of each architecture's manifest.
    pub platforms: BTreeMap<Arch, Digest>,
}

/// `kernel match= latest=` of one `os` for one release, architecture and flavour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelQuery {
    /// The distribution.
    pub os: OsName,
    pub release: Release,
    /// The architecture.
    pub arch: Arch,
    /// The flavour.
    pub flavor: Flavor,
    /// `match=`
    pub pattern: Option<String>,
    pub latest: Option<u32>,
}

/// What `match` and `latest` were resolved to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelsPin {
    /// The kernels, newest first.
    pub kernels: Vec<KernelText>,
    /// What else the kernels' targets install, as `NAME=VERSION`, in the version that the repositories offered when
    /// they were asked. Nothing is made from it: versions of tools leave the repositories before kernels do.
    pub other_packages: Vec<PackageName>,
}

/// What one node stream of an OpenShift release holds for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenShiftPin {
    /// The nodes' kernel.
    pub kernel: KernelText,
    /// The nodes' real-time kernel, where there is one.
    pub realtime: Option<KernelText>,
    /// The Driver Toolkit image, by digest.
    pub driver_toolkit: ImageRef,
}
