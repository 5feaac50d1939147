//! From what repositories offer to the kernels in it: newest first, each with its packages, or with what it lacks.
//!
//! A kernel is found by any of its packages: what stands where the profile's template for that package has its first
//! hole is tried as a kernel, alone and with its flavour behind it. That guess need not be clever, for a kernel counts
//! only where the distribution's grammar reads it, it belongs to the release, and every package that the profile then
//! names for it is offered.

use super::{Package, PackageIndex};
use crate::knowledge::profile::{Kernel, Profile, ReleaseFacts, Unknown};
use crate::text::ids::{Arch, Flavor, PackageName};
use std::collections::{BTreeMap, BTreeSet};

/// What kernels are looked for.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// The distribution.
    pub profile: &'a Profile,
    pub release: &'a ReleaseFacts,
    /// The architecture.
    pub arch: Arch,
    /// The flavour.
    pub flavor: &'a Flavor,
    /// What the names of the kernels' packages begin with.
    stems: BTreeSet<String>,
}

/// A kernel that a repository has some packages of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The kernel, with its architecture.
    pub kernel: Kernel,
    /// Its own packages, each as one version.
    pub packages: Vec<PackageName>,
    /// What its targets need, and no repository offers.
    pub missing: Vec<PackageName>,
}

/// What a kernel's packages are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// For its headers and the versions of its symbols.
    Build,
    /// For its image and its own modules.
    Boot,
}

impl<'a> Search<'a> {
    /// A search for the kernels of one flavour.
    #[must_use]
    pub fn new(profile: &'a Profile, release: &'a ReleaseFacts, arch: Arch, flavor: &'a Flavor) -> Self {
        Self { profile, release, arch, flavor, stems: profile.package_stems(release, arch, flavor) }
    }

    /// Whether a package of this name may be one of a kernel's.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.stems.iter().any(|stem| is_near(stem, name))
    }

    /// The kernels that are offered, newest first.
    #[must_use]
    pub fn kernels(&self, offer: &PackageIndex) -> Vec<Found> {
        let mut kernels = BTreeMap::new();
        for word in offer.words() {
            let ends = self.stems.iter().filter_map(|stem| word.strip_prefix(stem.as_str()));
            for kernel in ends.flat_map(|end| self.readings(end)) {
                kernels.entry(kernel.text.clone()).or_insert(kernel);
            }
        }
        let mut found: Vec<_> =
            kernels.into_values().filter_map(|kernel| self.look_up(kernel, offer)).collect();
        found.sort_by(|left, right| self.profile.compare_kernels(&right.kernel, &left.kernel));
        found
    }

    /// The packages of a kernel that are offered for a use, or else the names of those that are not.
    ///
    /// # Errors
    /// Not one of them is offered.
    pub fn packages<'o>(
        &self,
        kernel: &Kernel,
        of: Use,
        offer: &'o PackageIndex,
    ) -> Result<Vec<&'o Package>, Vec<PackageName>> {
        let Ok(needed) = self.profile.packages(kernel, self.release, self.arch) else {
            return Err(Vec::new());
        };
        let compiler = needed.compiler.map(|compiler| compiler.package);
        let names: Vec<_> = match of {
            Use::Build => needed.build.into_iter().filter(|name| Some(name) != compiler.as_ref()).collect(),
            Use::Boot => needed.in_tree.into_iter().chain(needed.boot).collect(),
        };
        let found: Vec<_> = names.iter().filter_map(|name| offer.find(name.as_str())).collect();
        if found.is_empty() { Err(names) } else { Ok(found) }
    }

    /// The kernel of any flavour that a package's exact name stands for, with its architecture.
    #[must_use]
    pub fn read_any(&self, word: &str) -> Option<Kernel> {
        let end = self.stems.iter().filter_map(|stem| word.strip_prefix(stem.as_str())).next()?;
        let kernel = self.profile.kernel(end).ok().filter(|kernel| kernel.unknown != Some(Unknown::Shape))?;
        self.profile.with_arch(&kernel, self.arch).ok()
    }

    /// The kernels of this search that a part of a package's name may stand for.
    fn readings(&self, text: &str) -> Vec<Kernel> {
        let flavor = self.flavor;
        let is_default = *flavor == self.profile.default_flavor;
        let plus = (!is_default).then(|| format!("{text}+{flavor}"));
        let texts = [text.to_owned(), format!("{text}-{flavor}")].into_iter().chain(plus);
        let read = |text: String| {
            let kernel = self.profile.kernel(&text).ok()?;
            // A guess at a name is not what a repository is searched with.
            let kernel = Some(kernel).filter(|kernel| kernel.unknown != Some(Unknown::Shape))?;
            let kernel = self.profile.with_arch(&kernel, self.arch).ok()?;
            let fits =
                kernel.flavor == *flavor && self.profile.check(&kernel, self.release, self.arch).is_ok();
            fits.then_some(kernel)
        };
        texts.filter_map(read).collect()
    }

    /// Looks up everything that a kernel's targets need; `None` where nothing of it is offered.
    fn look_up(&self, kernel: Kernel, offer: &PackageIndex) -> Option<Found> {
        let needed = self.profile.packages(&kernel, self.release, self.arch).ok()?;
        // The compiler is not the kernel's own: it comes from wherever the builder's image gets its tools.
        let own = {
            let compiler = needed.compiler.as_ref().map(|compiler| &compiler.package);
            needed.build.iter().filter(move |package| Some(*package) != compiler)
        };
        let (mut packages, mut missing) = (Vec::new(), Vec::new());
        for package in own.chain(&needed.in_tree) {
            match offer.exact(package) {
                Some(exact) => packages.push(exact),
                None => missing.push(package.clone()),
            }
        }
        (!packages.is_empty()).then_some(Found { kernel, packages, missing })
    }
}

/// Whether a package of this name may be what a template with this stem stands for: `kernel-devel` for
/// `kernel-devel-`, and `linux-headers-6.1.0-9-amd64` for `linux-headers-`.
fn is_near(stem: &str, name: &str) -> bool {
    !name.is_empty() && (name.starts_with(stem) || stem.starts_with(name))
}
