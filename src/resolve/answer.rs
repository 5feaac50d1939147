//! What a server said -> an entry of the lock.

use crate::knowledge::lock::{Entry, HeadersPin, ImagePin, KernelsPin, Lock, OpenShiftPin, Want};
use crate::knowledge::profile::Builder;
use crate::text::ids::{Commit, KernelText, PackageName, Release, Sha256};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// What something was resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The checksum of a file.
    Archive(Sha256),
    /// The first of a list that is there.
    Builder(Builder),
    /// The commit of a ref.
    Git(Commit),
    /// What the packages of a kernel's headers hold.
    Headers(HeadersPin),
    /// The digests of an image.
    Image(ImagePin),
    /// What was found for `match` and `latest`.
    Kernels {
        /// The kernels, newest first, and each one's own packages in their exact versions.
        kernels: Vec<(KernelText, Vec<PackageName>)>,
        /// What else is installed for them, in the version that is offered.
        other_packages: Vec<PackageName>,
    },
    /// The node streams of an OpenShift release.
    OpenShift(Vec<OpenShiftPin>),
    /// Releases, newest first.
    ZStreams(Vec<Release>),
}

impl Answer {
    /// Puts it into a lock as what was wanted. An answer of another kind is no answer.
    pub(super) fn put(self, want: &Want, lock: &mut Lock) {
        match (want, self) {
            (Want::Archive(url), Self::Archive(sha256)) => {
                lock.archives.insert(url.clone(), entry(sha256));
            }
            (Want::Builder(query), Self::Builder(builder)) => {
                lock.builders.insert(query.clone(), entry(builder));
            }
            (Want::Git(url, reference), Self::Git(commit)) => {
                lock.git.insert((url.clone(), reference.clone()), entry(commit));
            }
            (Want::Headers(key), Self::Headers(pin)) => {
                lock.headers.insert(key.clone(), entry(pin));
            }
            (Want::Image(image), Self::Image(pin)) => {
                lock.images.insert(image.clone(), entry(pin));
            }
            (Want::Kernels(query), Self::Kernels { kernels: found, other_packages }) => {
                let packages: BTreeMap<_, _> = found.iter().cloned().collect();
                for (kernel, packages) in packages.into_iter().filter(|(_, packages)| !packages.is_empty()) {
                    let key = (query.os.clone(), query.release.clone(), kernel, query.arch);
                    lock.packages.insert(key, entry(packages));
                }
                let kernels = found.into_iter().map(|(kernel, _)| kernel).collect();
                lock.kernels.insert(query.clone(), entry(KernelsPin { kernels, other_packages }));
            }
            (Want::OpenShift(release, arch), Self::OpenShift(pins)) => {
                let pins = pins.into_iter().map(entry).collect();
                lock.openshift.insert((release.clone(), *arch), pins);
            }
            (Want::ZStreams(query), Self::ZStreams(releases)) => {
                lock.zstreams.insert(query.clone(), entry(releases));
            }
            _ => {}
        }
    }
}

/// An entry that stands in no file yet.
fn entry<T>(value: T) -> Entry<T> {
    Entry { value, span: Span::default() }
}
