//! Where a kernel stands in the matrix.

use super::ids::{Arch, Flavor, KernelText, OsName, Release};
use std::fmt;

/// A point of the matrix: one kernel of one release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    pub os: OsName,
    pub release: Release,
    pub arch: Arch,
    pub flavor: Flavor,
    pub kernel: KernelText,
}

impl Coordinates {
    /// `OS-RELEASE-ARCH`, the directory of what runs one system.
    #[must_use]
    pub fn system(&self) -> String {
        format!("{}-{}-{}", self.os, self.release, self.arch)
    }
}

/// `OS-RELEASE-ARCH/KERNEL`, a path: no two points of a matrix have the same.
impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, release, arch, kernel, .. } = self;
        write!(f, "{os}-{release}-{arch}/{kernel}")
    }
}
