//! From a lock to answers: what is pinned for a thing, and in the end what was asked for and what was not.

use super::{
    BuilderQuery, Entry, HeadersPin, ImagePin, KernelKey, KernelQuery, KernelsPin, Lock, OpenShiftPin, Wants,
    ZQuery, name,
};
use crate::knowledge::profile::Builder;
use crate::text::ids::{
    Arch, Commit, FileUrl, GitUrl, ImageRef, KernelText, OsName, PackageName, Release, Sha256,
};
use crate::text::source::Span;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A lock that notes what it was asked for.
#[derive(Debug)]
pub struct Consulted<'a> {
    lock: &'a Lock,
    used: RefCell<BTreeSet<Span>>,
    wants: RefCell<Wants>,
}

impl<'a> Consulted<'a> {
    /// A lock that nobody has asked yet.
    #[must_use]
    pub fn new(lock: &'a Lock) -> Self {
        Self { lock, used: RefCell::default(), wants: RefCell::default() }
    }

    /// The checksum of a file that a source downloads.
    #[must_use]
    pub fn archive(&self, url: &FileUrl) -> Option<&'a Sha256> {
        self.wants.borrow_mut().archives.insert(url.clone());
        self.noted(self.lock.archives.get(url))
    }

    /// Which of several builders is taken.
    #[must_use]
    pub fn builder(&self, query: &BuilderQuery) -> Option<Builder> {
        self.wants.borrow_mut().builders.insert(query.clone());
        self.noted(self.lock.builders.get(query)).copied()
    }

    /// The list that the lock's choice for the same kernel was made from, where it is another one.
    #[must_use]
    pub fn other_builders(&self, query: &BuilderQuery) -> Option<&'a [Builder]> {
        let first = BuilderQuery { of: Vec::new(), ..query.clone() };
        let (other, _) = self.lock.builders.range(first..).next()?;
        (other.kernel == query.kernel).then_some(&other.of)
    }

    /// The commit of a ref, by its full name.
    #[must_use]
    pub fn commit(&self, url: &GitUrl, reference: &str) -> Option<&'a Commit> {
        let key = (url.clone(), reference.to_owned());
        self.wants.borrow_mut().git.insert(key.clone());
        self.noted(self.lock.git.get(&key))
    }

    /// The digest of an image.
    #[must_use]
    pub fn image(&self, image: &ImageRef) -> Option<&'a Entry<ImagePin>> {
        self.wants.borrow_mut().images.insert(image.clone());
        let entry = self.lock.images.get(image)?;
        self.noted(Some(entry));
        Some(entry)
    }

    /// The digest of an image that nothing needs pinned, such as one that drvc itself builds: what is there is wanted.
    #[must_use]
    pub fn known_image(&self, image: &ImageRef) -> Option<&'a ImagePin> {
        self.lock.images.contains_key(image).then(|| self.image(image)).flatten().map(|entry| &entry.value)
    }

    /// The kernels that `match` and `latest` stand for.
    #[must_use]
    pub fn kernels(&self, query: &KernelQuery) -> Option<&'a Entry<KernelsPin>> {
        self.wants.borrow_mut().kernels.insert(query.clone());
        let entry = self.lock.kernels.get(query)?;
        self.noted(Some(entry));
        Some(entry)
    }

    /// What the node streams of an OpenShift release hold.
    pub fn openshift(&self, release: &Release, arch: Arch) -> impl Iterator<Item = &'a OpenShiftPin> {
        let key = (release.clone(), arch);
        let pins = self.lock.openshift.get(&key).into_iter().flatten();
        let pins: Vec<_> = pins.filter_map(|pin| self.noted(Some(pin))).collect();
        self.wants.borrow_mut().openshift.insert(key);
        pins.into_iter()
    }

    /// The newest releases of a minor of OpenShift, newest first.
    #[must_use]
    pub fn zstreams(&self, query: &ZQuery) -> Option<&'a Entry<Vec<Release>>> {
        self.wants.borrow_mut().zstreams.insert(query.clone());
        let entry = self.lock.zstreams.get(query)?;
        self.noted(Some(entry));
        Some(entry)
    }

    /// The exact packages of a kernel.
    #[must_use]
    pub fn packages(
        &self,
        os: &OsName,
        release: &Release,
        kernel: &KernelText,
        arch: Arch,
    ) -> Option<&'a [PackageName]> {
        let key = (os.clone(), release.clone(), kernel.clone(), arch);
        let packages = self.noted(self.lock.packages.get(&key)).map(Vec::as_slice);
        self.wants.borrow_mut().packages.insert(key);
        packages
    }

    /// What the packages of a kernel's headers hold.
    #[must_use]
    pub fn headers(&self, key: &KernelKey) -> Option<&'a HeadersPin> {
        self.wants.borrow_mut().headers.insert(key.clone());
        self.noted(self.lock.headers.get(key))
    }

    /// Whether a kernel is here for `match` or `latest`: then its packages belong here too.
    #[must_use]
    pub fn is_resolved(&self, os: &OsName, release: &Release, kernel: &KernelText, arch: Arch) -> bool {
        self.lock.kernels.iter().any(|(query, entry)| {
            (&query.os, &query.release, query.arch) == (os, release, arch)
                && entry.value.kernels.contains(kernel)
        })
    }

    /// What the entries pin that nobody asked for, and where they stand.
    #[must_use]
    pub fn unused(&self) -> Vec<(String, Span)> {
        let Lock { archives, builders, git, headers, images, kernels, openshift, packages, zstreams } =
            self.lock;
        let mut all: Vec<(String, Span)> = Vec::new();
        all.extend(archives.iter().map(|(url, entry)| (name::archive(url.as_str()), entry.span)));
        all.extend(builders.iter().map(|(query, entry)| {
            let (os, release, kernel, arch) = &query.kernel;
            (name::builder(os.as_str(), release.as_str(), kernel.as_str(), arch.name()), entry.span)
        }));
        all.extend(
            git.iter().map(|((url, reference), entry)| (name::git(url.as_str(), reference), entry.span)),
        );
        all.extend(headers.iter().map(|((os, release, kernel, arch), entry)| {
            (name::headers(os.as_str(), release.as_str(), kernel.as_str(), arch.name()), entry.span)
        }));
        all.extend(images.iter().map(|(image, entry)| (name::image(image.as_str()), entry.span)));
        all.extend(kernels.iter().map(|(query, entry)| {
            let KernelQuery { os, release, arch, flavor, .. } = query;
            (name::kernels(os.as_str(), release.as_str(), arch.name(), flavor.as_str()), entry.span)
        }));
        all.extend(openshift.iter().flat_map(|((release, arch), pins)| {
            pins.iter().map(move |pin| (name::openshift(release.as_str(), arch.name()), pin.span))
        }));
        all.extend(packages.iter().map(|((os, release, kernel, arch), entry)| {
            (name::packages(os.as_str(), release.as_str(), kernel.as_str(), arch.name()), entry.span)
        }));
        all.extend(
            zstreams.iter().map(|(query, entry)| {
                (name::zstreams(query.release.as_str(), query.arch.name()), entry.span)
            }),
        );
        let used = self.used.borrow();
        all.retain(|(_, span)| !used.contains(span));
        all
    }

    /// Everything that was asked for.
    #[must_use]
    pub fn wants(&self) -> Wants {
        self.wants.borrow().clone()
    }

    fn noted<T>(&self, entry: Option<&'a Entry<T>>) -> Option<&'a T> {
        let entry = entry?;
        self.used.borrow_mut().insert(entry.span);
        Some(&entry.value)
    }
}
