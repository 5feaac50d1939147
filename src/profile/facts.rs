//! What is known of one distribution: from a release's text to its images and packages.

use super::{Kernel, KernelError, Misfit, VersionOrder};
use crate::ids::{AbsPath, Arch, Flavor, ImageRef, Name, OsName, PackageName, Release};
use std::cmp::Ordering;

/// A distribution, as its data file describes it.
#[derive(Debug)]
pub struct Profile {
    /// Its name in the manifest.
    pub os: OsName,
    /// Its name in messages, such as `Debian`.
    pub title: String,
    /// What it is one of, for selectors: `rhel` covers RHEL, OpenShift and the rebuilds.
    pub family: OsName,
    /// How its versions are ordered.
    pub order: VersionOrder,
    /// The package manager of its builder images.
    pub manager: PackageManager,
    /// The package manager of its minimal runtime images.
    pub runtime_manager: PackageManager,
    /// How its targets can be built; the first is the default.
    pub builders: Vec<Builder>,
    /// How its package repositories can be reached; the first is the default.
    pub entitlements: Vec<Entitlement>,
    /// The architectures it has kernels for.
    pub arches: Vec<Arch>,
    /// The distribution whose kernels it runs: OpenShift's are RHEL's.
    pub kernels_of: Option<OsName>,
    /// The flavour that is meant where none is named.
    pub default_flavor: Flavor,
}

/// The families of package managers, each with its own command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named after its program")]
pub enum PackageManager {
    Apt,
    Dnf,
    Microdnf,
    Tdnf,
    Yum,
    Zypper,
}

/// Where the builder image of a target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Builder {
    /// The distribution's base image, and packages installed in it.
    Distro,
    /// OpenShift's Driver Toolkit image.
    Dtk,
    /// A toolkit image of drvc's own.
    Toolkit,
}

/// How subscribed package repositories are reached while building.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entitlement {
    /// No subscription is needed, or none is used.
    None,
    /// The engine's host mounts its own certificates.
    Host,
    /// Organisation and activation key, as build secrets.
    Rhsm,
    /// Certificates, as build secrets.
    Certs,
}

/// What is known of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The release.
    pub release: Release,
    /// The day on which its support ended (`2024-06-30`), where that day had passed when the data was written.
    pub end_of_life: Option<String>,
    /// What its nodes run. One entry, or one for each EL minor that they may run (OpenShift 4.22: 9.8 and 10.2).
    pub platforms: Vec<Platform>,
}

/// The system that a release's nodes run: its images and the packages to install in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The release that the images and packages are of; for OpenShift a release of RHEL.
    pub release: Release,
    /// Base image of the builder `distro`.
    pub base: ImageRef,
    /// The small runtime image, with a package manager.
    pub minimal: ImageRef,
    /// The smallest runtime image, without one.
    pub micro: Option<ImageRef>,
    /// The Driver Toolkit image.
    pub dtk: Option<ImageRef>,
    /// Packages to compile modules with, in the builder.
    pub tools: Vec<PackageName>,
    /// Packages to fetch and patch sources with, in the builder.
    pub fetch: Vec<PackageName>,
    /// Packages that the runtime image needs to load modules.
    pub runtime: Vec<PackageName>,
    /// Options for each `install` of the package manager in the builder, such as `--releasever=9.4`.
    pub install_options: Vec<String>,
}

/// What to install for one kernel, and where it is then found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelPackages {
    /// What compiling against the kernel needs.
    pub build: Vec<PackageName>,
    /// The kernel's own modules, for drivers that depend on some.
    pub in_tree: Vec<PackageName>,
    /// Repositories to enable for them beside the default ones.
    pub repositories: Vec<Name>,
    /// The directory to hand to `make -C`.
    pub kernel_dir: AbsPath,
    /// The directory with the kernel's headers proper; often the same.
    pub kernel_src_dir: AbsPath,
}

/// A release that the profile does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title} has no release `{text}`")]
pub struct UnknownRelease {
    /// The distribution's title.
    pub title: String,
    /// What was written.
    pub text: String,
    /// The most similar known release.
    pub nearest: Option<Release>,
    /// What to do: names the releases there are.
    pub help: String,
}

impl ReleaseFacts {
    /// The platform that runs this kernel: the one of the kernel's EL minor, or the only one.
    #[must_use]
    pub fn platform(&self, kernel: &Kernel) -> Option<&Platform> {
        let _ = kernel;
        self.platforms.first()
    }
}

impl Profile {
    /// What is known of a release, whether it is listed or follows a pattern.
    ///
    /// # Errors
    /// Where the profile knows no such release.
    pub fn release(&self, text: &str) -> Result<ReleaseFacts, UnknownRelease> {
        Err(UnknownRelease {
            title: self.title.clone(),
            text: text.into(),
            nearest: None,
            help: String::new(),
        })
    }

    /// Reads what `uname -r` prints, with its architecture or without, by the grammar of this distribution.
    ///
    /// # Errors
    /// Where it is none of its kernels.
    pub fn kernel(&self, text: &str) -> Result<Kernel, KernelError> {
        Err(KernelError::malformed(text))
    }

    /// The kernel with the architecture that its text left out.
    ///
    /// # Errors
    /// Where the text that results is no kernel.
    pub fn with_arch(&self, kernel: &Kernel, arch: Arch) -> Result<Kernel, KernelError> {
        let _ = arch;
        self.kernel(kernel.text.as_str())
    }

    /// Whether a release ships this kernel, as far as the data knows: quick, for choosing among releases.
    #[must_use]
    pub fn belongs(&self, kernel: &Kernel, release: &ReleaseFacts) -> bool {
        let _ = (kernel, release);
        true
    }

    /// Whether kernel, release and architecture go together.
    ///
    /// # Errors
    /// The first reason why they do not, with what would be right.
    pub fn check(&self, kernel: &Kernel, release: &ReleaseFacts, arch: Arch) -> Result<(), Misfit> {
        let _ = (kernel, release, arch);
        Ok(())
    }

    /// What to install for a kernel.
    ///
    /// # Errors
    /// Where a package name or path made from the profile's template is none.
    pub fn packages(
        &self,
        kernel: &Kernel,
        release: &ReleaseFacts,
        arch: Arch,
    ) -> Result<KernelPackages, Misfit> {
        let _ = (kernel, release, arch);
        Err(Misfit::default())
    }

    /// Orders two releases as the distribution does.
    #[must_use]
    pub fn compare_releases(&self, left: &str, right: &str) -> Ordering {
        self.order.compare(left, right)
    }

    /// Orders two kernels from old to new; equal ones of different flavour or architecture by their text.
    #[must_use]
    pub fn compare_kernels(&self, left: &Kernel, right: &Kernel) -> Ordering {
        self.order.compare(left.text.as_str(), right.text.as_str())
    }
}
