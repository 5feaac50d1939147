//! From packages to an answer: whether what somebody wants to install is among them.

use super::sum::Sum;
use crate::knowledge::profile::PackageManager;
use crate::text::ids::{PackageName, PackageVersion};
use std::collections::BTreeMap;

/// A package that a repository offers, for the architecture that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    pub name: PackageName,
    /// Its version, with epoch where that is not 0 and, for rpm, with release.
    pub version: PackageVersion,
    /// Its architecture, in the repository's own word; it may be the one for all.
    pub arch: Box<str>,
    /// Other versions under which it offers its own name.
    pub also: Vec<PackageVersion>,
    /// Its file; nothing where the repository does not say what to hold it to.
    pub file: Option<PackageFile>,
}

/// Where a package's file lies, and what it is held to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageFile {
    /// Its address.
    pub url: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum.
    pub sum: Sum,
}

/// All packages that were kept, by every word under which a package manager would find them.
#[derive(Debug)]
pub struct PackageIndex {
    manager: PackageManager,
    packages: Vec<Package>,
    words: BTreeMap<String, usize>,
}

impl PackageIndex {
    /// What a package manager can install of these packages. Of two that it finds by one word it takes the newer.
    #[must_use]
    pub fn new(manager: PackageManager, packages: Vec<Package>) -> Self {
        let mut words = BTreeMap::new();
        for (at, package) in packages.iter().enumerate() {
            for word in words_of(manager, package) {
                let newest = words.entry(word).or_insert(at);
                let known = packages.get(*newest);
                if known.is_some_and(|known| is_newer(manager, package, known)) {
                    *newest = at;
                }
            }
        }
        Self { manager, packages, words }
    }

    /// The package that a word of an installation stands for.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<&Package> {
        self.packages.get(*self.words.get(word)?)
    }

    /// The word that installs exactly the package that `word` finds now.
    #[must_use]
    pub fn exact(&self, word: &PackageName) -> Option<PackageName> {
        let package = self.find(word.as_str())?;
        let Package { name, version, .. } = package;
        let exact = match self.manager {
            PackageManager::Apt | PackageManager::Zypper => format!("{name}={version}"),
            _ => return Some(word.clone()),
        };
        PackageName::parse(&exact).ok()
    }

    /// `NAME=VERSION` of a package that nobody has to install in just this version.
    #[must_use]
    pub fn version_of(&self, name: &PackageName) -> Option<PackageName> {
        let Package { name, version, .. } = self.find(name.as_str())?;
        PackageName::parse(&format!("{name}={version}")).ok()
    }

    /// The words by which the packages are asked for exactly, and so the ones that a kernel can be read from.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.packages.iter().flat_map(|package| exact_words(self.manager, package))
    }

    /// How many packages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }
}

fn is_newer(manager: PackageManager, package: &Package, than: &Package) -> bool {
    manager.order().compare(package.version.as_str(), than.version.as_str()).is_gt()
}

/// The words by which a package manager finds a package.
fn words_of(manager: PackageManager, package: &Package) -> Vec<String> {
    let Package { name, version, arch, also, .. } = package;
    let bare = version.without_epoch();
    match manager {
        PackageManager::Apt => vec![name.to_string(), format!("{name}={version}")],
        PackageManager::Zypper => {
            let versions = also.iter().map(PackageVersion::without_epoch).chain([bare, version.as_str()]);
            let mut words: Vec<_> = versions.map(|version| format!("{name}={version}")).collect();
            words.push(name.to_string());
            words
        }
        _ => {
            let upstream = bare.split('-').next().unwrap_or(bare);
            let mut words = vec![name.to_string(), format!("{name}.{arch}"), format!("{name}-{upstream}")];
            for version in [bare, version.as_str()] {
                words.extend([format!("{name}-{version}"), format!("{name}-{version}.{arch}")]);
            }
            words
        }
    }
}

/// The words that name a package together with what tells it from its other versions.
fn exact_words(manager: PackageManager, package: &Package) -> Vec<String> {
    let Package { name, version, arch, also, .. } = package;
    let bare = version.without_epoch();
    match manager {
        PackageManager::Apt => vec![name.to_string()],
        // Where a build counter is part of the version, the version without it is offered too, and that one is the kernel's.
        PackageManager::Zypper if !also.is_empty() => {
            also.iter().map(|version| format!("{name}={}", version.without_epoch())).collect()
        }
        PackageManager::Zypper => vec![format!("{name}={bare}")],
        // The kernels of some distributions carry no architecture.
        _ => vec![format!("{name}-{bare}.{arch}"), format!("{name}-{bare}")],
    }
}
