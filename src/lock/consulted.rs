//! From a lock to answers: what is pinned for a thing, and in the end which entries nothing asked for.

use super::{Entry, ImagePin, KernelQuery, Lock, OpenShiftPin};
use crate::ids::{Arch, Commit, FileUrl, GitUrl, ImageRef, KernelText, OsName, PackageName, Release, Sha256};
use crate::source::Span;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A lock that notes which of its entries were asked for.
#[derive(Debug)]
pub struct Consulted<'a> {
    lock: &'a Lock,
    used: RefCell<BTreeSet<Span>>,
}

impl<'a> Consulted<'a> {
    /// A lock that nobody has asked yet.
    #[must_use]
    pub fn new(lock: &'a Lock) -> Self {
        Self { lock, used: RefCell::default() }
    }

    /// The checksum of a file that a source downloads.
    #[must_use]
    pub fn archive(&self, url: &FileUrl) -> Option<&'a Sha256> {
        self.noted(self.lock.archives.get(url))
    }

    /// The commit of a ref, by its full name.
    #[must_use]
    pub fn commit(&self, url: &GitUrl, reference: &str) -> Option<&'a Commit> {
        self.noted(self.lock.git.get(&(url.clone(), reference.to_owned())))
    }

    /// The digest of an image.
    #[must_use]
    pub fn image(&self, image: &ImageRef) -> Option<&'a ImagePin> {
        self.noted(self.lock.images.get(image))
    }

    /// The kernels that `match` and `latest` stand for.
    #[must_use]
    pub fn kernels(&self, query: &KernelQuery) -> Option<&'a Entry<Vec<KernelText>>> {
        let entry = self.lock.kernels.get(query)?;
        self.noted(Some(entry));
        Some(entry)
    }

    /// What the node streams of an OpenShift release hold, as far as it is `wanted`.
    pub fn openshift(
        &self,
        release: &Release,
        arch: Arch,
        wanted: impl Fn(&OpenShiftPin) -> bool,
    ) -> Vec<&'a OpenShiftPin> {
        let pins = self.lock.openshift.get(&(release.clone(), arch)).into_iter().flatten();
        pins.filter(|pin| wanted(&pin.value)).filter_map(|pin| self.noted(Some(pin))).collect()
    }

    /// The exact packages of a kernel.
    #[must_use]
    pub fn packages(
        &self,
        os: &OsName,
        release: &Release,
        kernel: &KernelText,
        arch: Arch,
    ) -> &'a [PackageName] {
        let key = (os.clone(), release.clone(), kernel.clone(), arch);
        self.noted(self.lock.packages.get(&key)).map_or(&[], Vec::as_slice)
    }

    /// What the entries pin that nobody asked for, and where they stand.
    #[must_use]
    pub fn unused(&self) -> Vec<(String, Span)> {
        let Lock { archives, git, images, kernels, openshift, packages } = self.lock;
        let mut all: Vec<(String, Span)> = Vec::new();
        all.extend(archives.iter().map(|(url, entry)| (format!("`{url}`"), entry.span)));
        all.extend(git.iter().map(|((url, name), entry)| (format!("`{name}` of {url}"), entry.span)));
        all.extend(images.iter().map(|(image, entry)| (format!("image `{image}`"), entry.span)));
        all.extend(kernels.iter().map(|(query, entry)| {
            let KernelQuery { os, release, arch, flavor, .. } = query;
            (format!("kernels of {os} {release}, {arch}, flavour `{flavor}`"), entry.span)
        }));
        all.extend(openshift.iter().flat_map(|((release, arch), pins)| {
            pins.iter().map(move |pin| (format!("openshift {release}, {arch}"), pin.span))
        }));
        all.extend(packages.iter().map(|((os, release, kernel, _), entry)| {
            (format!("packages of {os} {release}, kernel `{kernel}`"), entry.span)
        }));
        let used = self.used.borrow();
        all.retain(|(_, span)| !used.contains(span));
        all
    }

    fn noted<T>(&self, entry: Option<&'a Entry<T>>) -> Option<&'a T> {
        let entry = entry?;
        self.used.borrow_mut().insert(entry.span);
        Some(&entry.value)
    }
}
