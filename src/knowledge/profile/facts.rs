//! What is known of one distribution, ready to be asked.

use super::layer::{FlavorRule, Foreign, Rule, Shape};
use super::{Builder, Entitlement, Kernel, PackageManager, Payload, VersionOrder};
use crate::text::ids::{
    AbsPath, Arch, Command, CommandOption, Flavor, ImageRef, OsName, PackageName, Release, RepositoryId,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// A kernel of this distribution, to show people.
    pub example: String,
    /// Where release payloads are.
    pub payload: Option<Payload>,
    pub(super) host: Option<Arc<Profile>>,
    /// The distribution's own names for [`Profile::arches`].
    pub(super) arch_names: Vec<Box<str>>,
    pub(super) open_series: bool,
    pub(super) open_flavors: bool,
    pub(super) shapes: Vec<Shape>,
    pub(super) foreign: Vec<Foreign>,
    pub(super) flavor_rules: Vec<FlavorRule>,
    pub(super) rules: Vec<Rule>,
    /// From a series to the listed releases that ship it, by their place in `rules`.
    pub(super) by_series: BTreeMap<Box<str>, Vec<usize>>,
}

/// What is known of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    pub release: Release,
    /// The day on which its support ended (`2025-05-31`), where that day had passed when the data was written.
    pub end_of_life: Option<String>,
    /// What its nodes run. One entry, or one for each EL minor that they may run (OpenShift 4.22: 9.8 and 10.2).
    pub platforms: Vec<Arc<Platform>>,
    /// What is not known for certain of it: completes "not sure of …".
    pub unverified: Vec<Box<str>>,
    /// The known release that it is taken to be like, where the data does not know it.
    pub like: Option<Release>,
    /// The kernel that this very release runs, without architecture and flavour, where the data knows it.
    pub(super) shipped: Option<Box<str>>,
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
    /// The package manager of the builder.
    pub manager: PackageManager,
    /// The package manager of the minimal runtime image.
    pub runtime_manager: PackageManager,
    /// Packages to compile modules with, in the builder.
    pub tools: Vec<PackageName>,
    /// Packages to fetch and patch sources with, in the builder.
    pub fetch: Vec<PackageName>,
    /// Packages to download, unpack and patch archives and files with, in the builder.
    pub download: Vec<PackageName>,
    /// Packages to prepare source packages of rpm with, in the builder.
    pub srpm: Vec<PackageName>,
    /// Packages to fetch sources by ssh with, in the builder.
    pub ssh: Vec<PackageName>,
    /// Packages of toolkit images that are the same for every kernel; `None` for those of `tools` and `fetch`.
    pub(super) toolkit: Option<Vec<PackageName>>,
    /// Packages that the runtime image needs to load modules.
    pub runtime: Vec<PackageName>,
    /// Options for each `install` of the package manager in the builder, such as `--releasever=9.4`.
    pub install_options: Vec<CommandOption>,
    /// The series of kernels that it ships.
    pub(super) series: Vec<Box<str>>,
}

/// What to install for one kernel, and where it is then found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelPackages {
    /// What compiling against the kernel needs, its compiler included.
    pub build: Vec<PackageName>,
    /// The kernel's own modules, for drivers that depend on some.
    pub in_tree: Vec<PackageName>,
    /// What booting the kernel needs beside these, where a repository has it.
    pub boot: Vec<PackageName>,
    /// What toolkit images have of the kernel beside these.
    pub toolkit: Vec<PackageName>,
    /// Packages that a toolkit has beside those of `in_tree`, installed without their scripts.
    pub toolkit_modules: Vec<PackageName>,
    /// Subscribed repositories that every build needs.
    pub subscription: Vec<RepositoryId>,
    /// Repositories to enable for the kernel's packages beside the default ones.
    pub repositories: Vec<RepositoryId>,
    /// The directory to hand to `make -C`.
    pub kernel_dir: AbsPath,
    /// The directory with the kernel's headers proper; often the same.
    pub kernel_src_dir: AbsPath,
    /// Where kernels are that have left the repositories.
    pub old_kernels: Option<String>,
    /// The compiler where the image's own is not the kernel's.
    pub compiler: Option<Compiler>,
    /// What is not known for certain of kernels of this flavour and series: completes "not sure of …".
    pub unverified: Vec<Box<str>>,
}

/// A compiler beside the image's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Its package, which is in [`KernelPackages::build`] too.
    pub package: PackageName,
    /// The program, to name to make: `CC=gcc-12`.
    pub command: Command,
}

impl Platform {
    /// Packages of toolkit images that are the same for every kernel.
    #[must_use]
    pub fn toolkit(&self) -> Vec<PackageName> {
        let packages = self.toolkit.clone();
        packages.unwrap_or_else(|| self.tools.iter().chain(&self.fetch).cloned().collect())
    }
}

impl ReleaseFacts {
    /// The very kernel that this release runs, without architecture and flavour, where the data knows it: only for
    /// some z-streams of OpenShift.
    #[must_use]
    pub fn shipped(&self) -> Option<&str> {
        self.shipped.as_deref()
    }

    /// The package manager of its builder images.
    #[must_use]
    pub fn manager(&self) -> PackageManager {
        self.platforms.first().map_or(PackageManager::Dnf, |platform| platform.manager)
    }

    /// The platform that runs this kernel: the one that ships its series, or else the nearest one.
    #[must_use]
    pub fn platform(&self, kernel: &Kernel) -> Option<&Arc<Platform>> {
        let (major, el) = match kernel.el {
            Some(el) => (format!("{}.", el.major), el.to_string()),
            None => (String::new(), String::new()),
        };
        let of = |test: &dyn Fn(&Platform) -> bool| self.platforms.iter().find(|platform| test(platform));
        of(&|platform| platform.series.contains(&kernel.series))
            .or_else(|| of(&|platform| platform.release.as_str() == el))
            .or_else(|| of(&|platform| !major.is_empty() && platform.release.as_str().starts_with(&major)))
            .or(self.platforms.first())
    }
}

impl Profile {
    /// Orders two releases as the distribution does.
    #[must_use]
    pub fn compare_releases(&self, left: &str, right: &str) -> Ordering {
        self.order.compare(left, right)
    }

    /// Orders two kernels from old to new; equal ones of different flavour or architecture by their text.
    #[must_use]
    pub fn compare_kernels(&self, left: &Kernel, right: &Kernel) -> Ordering {
        let (left, right) = (left.text.as_str(), right.text.as_str());
        self.order.compare(left, right).then_with(|| left.cmp(right))
    }

    /// The flavours that the data names.
    pub fn flavors(&self) -> impl Iterator<Item = &str> {
        let own = self.flavor_rules.iter();
        let rules = own.chain(self.host.iter().flat_map(|host| &host.flavor_rules));
        let mut names: Vec<&str> =
            rules.map(|rule| &*rule.name).filter(|name| !name.starts_with('*')).collect();
        names.push(self.default_flavor.as_str());
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    /// Whether there are kernels of this flavour.
    #[must_use]
    pub fn has_flavor(&self, flavor: &str) -> bool {
        self.open_flavors || self.flavors().any(|known| known == flavor) || self.flavor_rule(flavor).is_some()
    }

    /// What holds for a flavour: this profile's own rule first, then that of the profile it runs.
    pub(super) fn flavor_rule(&self, flavor: &str) -> Option<&FlavorRule> {
        self.own_flavor_rule(flavor).or_else(|| self.host.as_ref()?.own_flavor_rule(flavor))
    }

    /// The rule with this name, then one for its end, then the one for all flavours but the default one.
    pub(super) fn own_flavor_rule(&self, flavor: &str) -> Option<&FlavorRule> {
        let by_end = |rule: &&FlavorRule| {
            rule.name.strip_prefix('*').is_some_and(|end| !end.is_empty() && flavor.ends_with(end))
        };
        let rules = || self.flavor_rules.iter();
        let other =
            || rules().find(|rule| *rule.name == *"*").filter(|_| flavor != self.default_flavor.as_str());
        rules().find(|rule| *rule.name == *flavor).or_else(|| rules().find(by_end)).or_else(other)
    }

    /// Whether the data speaks of a flavour by its name or its end.
    pub(super) fn names_flavor(&self, flavor: &str) -> bool {
        let named = |rule: &FlavorRule| *rule.name != *"*";
        flavor == self.grammar().default_flavor.as_str() || self.flavor_rule(flavor).is_some_and(named)
    }

    /// The architecture by the distribution's own name for it.
    pub(super) fn arch_named(&self, name: &str) -> Option<Arch> {
        let index = self.arch_names.iter().position(|known| **known == *name)?;
        self.arches.get(index).copied()
    }

    /// The distribution's own name for an architecture.
    pub(super) fn arch_name(&self, arch: Arch) -> Option<&str> {
        let index = self.arches.iter().position(|known| *known == arch)?;
        self.arch_names.get(index).map(|name| &**name)
    }
}
