//! A cell: one OS release, kernel and architecture, and how its targets are built.

use crate::compiler::model::selector::View;
use crate::compiler::model::{Access, PackageRepository};
use crate::knowledge::lock::OpenShiftPin;
use crate::knowledge::profile::{Builder, Kernel, KernelPackages, Platform, Profile, ReleaseFacts};
use crate::text::coordinates::Coordinates;
use crate::text::ids::{Arch, ImageRef, Name};
use crate::text::source::Span;
use std::sync::Arc;

/// One point of the matrix.
#[derive(Clone, Debug)]
pub(super) struct Cell<'a> {
    /// Its place in the order of expansion.
    pub id: usize,
    /// The distribution.
    pub profile: &'a Profile,
    pub release: Arc<ReleaseFacts>,
    /// What of the release the kernel runs on.
    pub platform: Arc<Platform>,
    /// The kernel, with its architecture.
    pub kernel: Kernel,
    /// The kernel's EL minor as text, for selectors.
    pub el: Option<String>,
    /// The architecture.
    pub arch: Arch,
    /// What to install for the kernel.
    pub packages: Arc<KernelPackages>,
    /// What is not known for certain of it.
    pub doubts: Vec<String>,
    /// What the lock says of the OpenShift release.
    pub openshift: Option<&'a OpenShiftPin>,
    /// How it is built.
    pub setup: Arc<Setup>,
    /// Where the kernel was named.
    pub span: Span,
    /// Where its architecture was asked for.
    pub arch_span: Span,
    /// Where the release was named.
    pub release_span: Span,
}

/// How cells are built, with every default applied.
#[derive(Debug)]
pub(super) struct Setup {
    /// Where the builder comes from.
    pub builder: Builder,
    /// The builder's base image, where it is not the profile's.
    pub base: Option<ImageRef>,
    /// How subscribed repositories are reached.
    pub access: Access,
    /// The stream of subscribed repositories, where the manifest names one.
    pub stream: Option<String>,
    /// Package repositories to add or enable.
    pub repositories: Vec<PackageRepository>,
}

impl Default for Setup {
    fn default() -> Self {
        let (builder, access) = (Builder::Distro, Access::None);
        Self { builder, base: None, access, stream: None, repositories: Vec::new() }
    }
}

/// A cell that an `exclude` takes out, for one image or for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The image that is not built; every one where there is none.
    pub image: Option<Name>,
    pub at: Coordinates,
    /// Why, in the manifest's words.
    pub reason: String,
}

impl Cell<'_> {
    /// The cell as one that is left out.
    pub fn excluded(&self, image: Option<&Name>, reason: &str) -> Excluded {
        Excluded { image: image.cloned(), at: self.coordinates(), reason: reason.into() }
    }

    pub fn coordinates(&self) -> Coordinates {
        Coordinates {
            os: self.profile.os.clone(),
            release: self.release.release.clone(),
            arch: self.arch,
            flavor: self.kernel.flavor.clone(),
            kernel: self.kernel.text.clone(),
        }
    }

    /// What selectors see of it.
    pub fn view<'v>(&'v self, image: Option<&'v str>) -> View<'v> {
        View {
            os: self.profile.os.as_str(),
            family: self.profile.family.as_str(),
            release: self.release.release.as_str(),
            el: self.el.as_deref(),
            kernel: self.kernel.text.as_str(),
            arch: self.arch.name(),
            flavor: self.kernel.flavor.as_str(),
            image,
            order: self.profile.order,
        }
    }

    /// Whose kernels it runs: cells of one kernel family with one kernel are one build.
    pub fn kernel_family(&self) -> &str {
        self.profile.kernels_of.as_ref().unwrap_or(&self.profile.os).as_str()
    }
}
