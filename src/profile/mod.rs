//! What drvc knows of operating systems: one data file for each, read into [`Profile`]s.
//!
//! A profile says how the kernels of its distribution are named, which releases there are and which kernels each of
//! them ships, which packages hold what a build of kernel modules needs, and on which images it stands. All of that
//! is data (`data/<os>.kdl`); the code here knows no distribution by name.

mod facts;
mod kernel;
mod misfit;
mod version;

pub use facts::{
    Builder, Entitlement, KernelPackages, PackageManager, Platform, Profile, ReleaseFacts, UnknownRelease,
};
pub use kernel::{El, Kernel, KernelError, KernelErrorKind};
pub use misfit::{Misfit, MisfitKind};
pub use version::VersionOrder;

use crate::diag::Diagnostics;
use crate::ids::OsName;
use crate::source::{FileId, Sources, Spanned};
use std::collections::BTreeMap;

/// All profiles of a run: the built-in ones, each read when it is first asked for, and the user's own.
#[derive(Debug, Default)]
pub struct Profiles {
    user: BTreeMap<OsName, Profile>,
}

impl Profiles {
    /// The built-in profiles alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Reads a profile of the user's own (`profile NAME FILE`); one with a built-in one's name takes its place.
    /// What is wrong with the file goes to `diagnostics`, and the profile is then left out.
    pub fn add_user(
        &mut self,
        name: &Spanned<OsName>,
        file: FileId,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) {
        let _ = (name, file, sources, diagnostics);
    }

    /// The profile with this name.
    #[must_use]
    pub fn get(&self, os: &str) -> Option<&Profile> {
        self.user.values().find(|profile| profile.os.as_str() == os)
    }

    /// The names of all profiles, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.user.keys().map(OsName::as_str).collect()
    }

    /// The profiles by whose grammar this is a kernel of theirs: for "that is a kernel of Ubuntu".
    #[must_use]
    pub fn readers_of(&self, kernel: &str) -> Vec<&Profile> {
        self.user.values().filter(|profile| profile.kernel(kernel).is_ok()).collect()
    }
}
