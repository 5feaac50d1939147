//! What a compilation asks of the lock -> what is to be resolved, and which entries are of no use.

use super::{BuilderQuery, KernelKey, KernelQuery, Lock, ZQuery, name};
use crate::text::ids::{Arch, FileUrl, GitUrl, ImageRef, Release};
use crate::text::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a compilation asked a lock for, whether it was there or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Files that sources download.
    pub archives: BTreeSet<FileUrl>,
    /// Cells that name several builders.
    pub builders: BTreeSet<BuilderQuery>,
    /// Refs, by repository and full name.
    pub git: BTreeSet<(GitUrl, String)>,
    /// Kernels whose headers are compared.
    pub headers: BTreeSet<KernelKey>,
    pub images: BTreeSet<ImageRef>,
    /// What `match` and `latest` stand for.
    pub kernels: BTreeSet<KernelQuery>,
    /// OpenShift releases.
    pub openshift: BTreeSet<(Release, Arch)>,
    /// Kernels whose packages would be taken in exactly one version.
    pub packages: BTreeSet<KernelKey>,
    /// The newest releases of OpenShift's minors.
    pub zstreams: BTreeSet<ZQuery>,
}

/// One thing that is to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// What `match` and `latest` stand for.
    Kernels(KernelQuery),
    /// The newest releases of a minor of OpenShift.
    ZStreams(ZQuery),
    /// An OpenShift release.
    OpenShift(Release, Arch),
    /// Which of several builders a kernel takes.
    Builder(BuilderQuery),
    /// A ref, by its full name.
    Git(GitUrl, String),
    Image(ImageRef),
    /// A file that a source downloads.
    Archive(FileUrl),
    /// What the packages of a kernel's headers hold.
    Headers(KernelKey),
}

impl Wants {
    /// What was asked for and must be in a lock, kernels first.
    #[must_use]
    pub fn all(&self) -> Vec<Want> {
        let mut all = Vec::new();
        all.extend(self.kernels.iter().cloned().map(Want::Kernels));
        all.extend(self.zstreams.iter().cloned().map(Want::ZStreams));
        all.extend(self.openshift.iter().map(|(release, arch)| Want::OpenShift(release.clone(), *arch)));
        all.extend(self.builders.iter().cloned().map(Want::Builder));
        all.extend(self.git.iter().map(|(url, name)| Want::Git(url.clone(), name.clone())));
        all.extend(self.images.iter().cloned().map(Want::Image));
        all.extend(self.archives.iter().cloned().map(Want::Archive));
        all.extend(self.headers.iter().cloned().map(Want::Headers));
        all
    }

    /// Takes out of a lock what was not asked for, and says how much that was.
    pub fn prune(&self, lock: &mut Lock) -> usize {
        let before = lock.len();
        lock.archives.retain(|url, _| self.archives.contains(url));
        lock.builders.retain(|query, _| self.builders.contains(query));
        lock.git.retain(|key, _| self.git.contains(key));
        lock.headers.retain(|key, _| self.headers.contains(key));
        lock.images.retain(|image, _| self.images.contains(image));
        lock.kernels.retain(|query, _| self.kernels.contains(query));
        lock.openshift.retain(|key, _| self.openshift.contains(key));
        lock.packages.retain(|key, _| self.packages.contains(key));
        lock.zstreams.retain(|query, _| self.zstreams.contains(query));
        before - lock.len()
    }
}

impl Want {
    /// Whether a lock has it.
    #[must_use]
    pub fn is_in(&self, lock: &Lock) -> bool {
        match self {
            Self::Archive(url) => lock.archives.contains_key(url),
            Self::Builder(query) => lock.builders.contains_key(query),
            Self::Git(url, reference) => lock.git.contains_key(&(url.clone(), reference.clone())),
            Self::Headers(key) => lock.headers.contains_key(key),
            Self::Image(image) => lock.images.contains_key(image),
            Self::Kernels(query) => lock.kernels.contains_key(query),
            Self::OpenShift(release, arch) => lock.openshift.contains_key(&(release.clone(), *arch)),
            Self::ZStreams(query) => lock.zstreams.contains_key(query),
        }
    }

    /// Takes it out of a lock, kernels with their packages, so that it is resolved again.
    pub fn forget(&self, lock: &mut Lock) {
        match self {
            Self::Archive(url) => drop(lock.archives.remove(url)),
            Self::Builder(query) => drop(lock.builders.remove(query)),
            Self::Git(url, reference) => drop(lock.git.remove(&(url.clone(), reference.clone()))),
            Self::Headers(key) => drop(lock.headers.remove(key)),
            Self::Image(image) => drop(lock.images.remove(image)),
            Self::Kernels(query) => {
                let pin = lock.kernels.remove(query);
                for kernel in pin.into_iter().flat_map(|entry| entry.value.kernels) {
                    lock.packages.remove(&(query.os.clone(), query.release.clone(), kernel, query.arch));
                }
            }
            Self::OpenShift(release, arch) => drop(lock.openshift.remove(&(release.clone(), *arch))),
            Self::ZStreams(query) => drop(lock.zstreams.remove(query)),
        }
    }

    /// Puts it into a lock as another one has it, kernels with their packages.
    pub fn keep(&self, old: &Lock, lock: &mut Lock) {
        match self {
            Self::Archive(url) => copy(url, &old.archives, &mut lock.archives),
            Self::Builder(query) => copy(query, &old.builders, &mut lock.builders),
            Self::Git(url, reference) => copy(&(url.clone(), reference.clone()), &old.git, &mut lock.git),
            Self::Headers(key) => copy(key, &old.headers, &mut lock.headers),
            Self::Image(image) => copy(image, &old.images, &mut lock.images),
            Self::Kernels(query) => {
                copy(query, &old.kernels, &mut lock.kernels);
                for kernel in old.kernels.get(query).iter().flat_map(|entry| &entry.value.kernels) {
                    let key = (query.os.clone(), query.release.clone(), kernel.clone(), query.arch);
                    copy(&key, &old.packages, &mut lock.packages);
                }
            }
            Self::OpenShift(release, arch) => {
                copy(&(release.clone(), *arch), &old.openshift, &mut lock.openshift);
            }
            Self::ZStreams(query) => copy(query, &old.zstreams, &mut lock.zstreams),
        }
    }
}

/// Takes over an entry that another lock has.
fn copy<K: Ord + Clone, V: Clone>(key: &K, from: &BTreeMap<K, V>, to: &mut BTreeMap<K, V>) {
    if let Some(entry) = from.get(key) {
        to.insert(key.clone(), entry.clone());
    }
}

impl std::fmt::Display for Want {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&match self {
            Self::Archive(url) => name::archive(url.as_str()),
            Self::Builder(BuilderQuery { kernel: (os, release, kernel, arch), .. }) => {
                name::builder(os.as_str(), release.as_str(), kernel.as_str(), arch.name())
            }
            Self::Git(url, reference) => name::git(url.as_str(), reference),
            Self::Headers((os, release, kernel, arch)) => {
                name::headers(os.as_str(), release.as_str(), kernel.as_str(), arch.name())
            }
            Self::Image(image) => name::image(image.as_str()),
            Self::Kernels(KernelQuery { os, release, arch, flavor, .. }) => {
                name::kernels(os.as_str(), release.as_str(), arch.name(), flavor.as_str())
            }
            Self::OpenShift(release, arch) => name::openshift(release.as_str(), arch.name()),
            Self::ZStreams(query) => name::zstreams(query.release.as_str(), query.arch.name()),
        })
    }
}

impl Lock {
    /// What its entries are of, but packages: those come with kernels.
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        let wants = Wants {
            archives: self.archives.keys().cloned().collect(),
            builders: self.builders.keys().cloned().collect(),
            git: self.git.keys().cloned().collect(),
            headers: self.headers.keys().cloned().collect(),
            images: self.images.keys().cloned().collect(),
            kernels: self.kernels.keys().cloned().collect(),
            openshift: self.openshift.keys().cloned().collect(),
            packages: BTreeSet::new(),
            zstreams: self.zstreams.keys().cloned().collect(),
        };
        wants.all()
    }

    /// Takes out the entries at the places that `keep` refuses, and what was resolved together with them.
    pub fn retain(&mut self, keep: impl Fn(Span) -> bool) {
        self.archives.retain(|_, entry| keep(entry.span));
        self.builders.retain(|_, entry| keep(entry.span));
        self.git.retain(|_, entry| keep(entry.span));
        self.headers.retain(|_, entry| keep(entry.span));
        self.images.retain(|_, entry| keep(entry.span));
        self.kernels.retain(|_, entry| keep(entry.span));
        self.openshift.retain(|_, pins| pins.iter().all(|pin| keep(pin.span)));
        self.zstreams.retain(|_, entry| keep(entry.span));
        self.packages.retain(|_, entry| keep(entry.span));
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let Self { archives, builders, git, headers, images, kernels, openshift, packages, zstreams } = self;
        let pins: usize = openshift.values().map(Vec::len).sum();
        archives.len()
            + builders.len()
            + git.len()
            + headers.len()
            + images.len()
            + kernels.len()
            + pins
            + packages.len()
            + zstreams.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
