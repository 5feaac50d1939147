//! The keys of an entry -> what it is called in messages, wherever it is spoken of.

pub(super) fn archive(url: &str) -> String {
    format!("`{url}`")
}

pub(super) fn git(url: &str, reference: &str) -> String {
    format!("`{reference}` of {url}")
}

pub(super) fn image(reference: &str) -> String {
    format!("image `{reference}`")
}

pub(super) fn kernels(os: &str, release: &str, arch: &str, flavor: &str) -> String {
    format!("kernels of {os} {release}, {arch}, flavour `{flavor}`")
}

pub(super) fn openshift(release: &str, arch: &str) -> String {
    format!("openshift {release}, {arch}")
}

pub(super) fn builder(os: &str, release: &str, kernel: &str, arch: &str) -> String {
    format!("builder of {os} {release}, kernel `{kernel}`, {arch}")
}

/// Of the headers of one kernel.
#[must_use]
pub fn headers(os: &str, release: &str, kernel: &str, arch: &str) -> String {
    format!("headers of {os} {release}, kernel `{kernel}`, {arch}")
}

/// Of the packages of one kernel.
#[must_use]
pub fn packages(os: &str, release: &str, kernel: &str, arch: &str) -> String {
    format!("packages of {os} {release}, kernel `{kernel}`, {arch}")
}

pub(super) fn zstreams(release: &str, arch: &str) -> String {
    format!("z-streams of openshift {release}, {arch}")
}
