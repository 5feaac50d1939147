//! Kernels that distributions have shipped, from `tests/data/kernels/`: each is accepted by exactly the releases that
//! shipped it, has the right flavour, and installs its own packages.

use super::get;
use crate::knowledge::profile::{Profile, Profiles};
use crate::text::ids::Arch;

const FILES: &[(&str, &str)] = &[
    ("almalinux", include_str!("../../../../tests/data/kernels/almalinux.txt")),
    ("amazon", include_str!("../../../../tests/data/kernels/amazon.txt")),
    ("azurelinux", include_str!("../../../../tests/data/kernels/azurelinux.txt")),
    ("centos", include_str!("../../../../tests/data/kernels/centos.txt")),
    ("debian", include_str!("../../../../tests/data/kernels/debian.txt")),
    ("fedora", include_str!("../../../../tests/data/kernels/fedora.txt")),
    ("leap", include_str!("../../../../tests/data/kernels/leap.txt")),
    ("openshift", include_str!("../../../../tests/data/kernels/openshift.txt")),
    ("oracle", include_str!("../../../../tests/data/kernels/oracle.txt")),
    ("rhel", include_str!("../../../../tests/data/kernels/rhel.txt")),
    ("rocky", include_str!("../../../../tests/data/kernels/rocky.txt")),
    ("sles", include_str!("../../../../tests/data/kernels/sles.txt")),
    ("ubuntu", include_str!("../../../../tests/data/kernels/ubuntu.txt")),
];

/// `[RELEASE,… FLAVOR PACKAGE]`: what holds for the kernels of the lines below it. `8.*` is each of 8. In the package,
/// `*` is the kernel's text and `@` the same without its flavour.
struct Expected<'t> {
    releases: Vec<&'t str>,
    flavor: &'t str,
    package: &'t str,
}

impl<'t> Expected<'t> {
    fn parse(line: &'t str) -> Self {
        let words: Vec<&str> = line.trim_matches(['[', ']']).split(' ').collect();
        let &[releases, flavor, package] = words.as_slice() else { panic!("{line}") };
        Self { releases: releases.split(',').collect(), flavor, package }
    }

    fn includes(&self, release: &str) -> bool {
        self.releases.iter().any(|one| match one.strip_suffix('*') {
            Some(line) => release.starts_with(line),
            None => *one == release,
        })
    }

    fn package(&self, kernel: &str) -> String {
        let cut = |sign| kernel.strip_suffix(self.flavor).and_then(|text| text.strip_suffix(sign));
        let bare = cut('+').or_else(|| cut('-')).unwrap_or(kernel);
        self.package.replace('*', kernel).replace('@', bare)
    }
}

/// `a{b,c}d` is `abd` and `acd`.
fn expand(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return vec![text.into()] };
    let (choices, after) = rest.split_once('}').unwrap();
    let expanded = |choice| expand(after).into_iter().map(move |after| format!("{before}{choice}{after}"));
    choices.split(',').flat_map(expanded).collect()
}

fn check(profile: &Profile, text: &str, expected: &Expected<'_>) {
    let os = &profile.os;
    let kernel = profile.kernel(text).unwrap_or_else(|error| panic!("{os} {text}: {error:?}"));
    assert_eq!(kernel.flavor.as_str(), expected.flavor, "{os} {text}");
    // A release that follows a pattern is not listed; those of the section stand for the others.
    let listed = profile.rules.iter().filter_map(|rule| rule.listed.as_deref());
    let all: Vec<&str> =
        listed.chain(expected.releases.iter().copied().filter(|one| !one.contains('*'))).collect();
    for release in all {
        let facts = profile.release(release).unwrap();
        let belongs = profile.belongs(&kernel, &facts);
        assert_eq!(belongs, expected.includes(release), "{os} {release} {text}");
        if !belongs {
            continue;
        }
        let arch = kernel.arch.unwrap_or(if text.ends_with("64kb") { Arch::Aarch64 } else { Arch::X86_64 });
        assert_eq!(profile.check(&kernel, &facts, arch), Ok(()), "{os} {release} {text}");
        let packages = profile.packages(&kernel, &facts, arch).unwrap();
        let package = expected.package(text);
        assert!(
            packages.build.iter().any(|name| name.as_str() == package),
            "{text}: {package} in {packages:?}"
        );
    }
}

#[test]
fn shipped_kernels_are_accepted() {
    let profiles = Profiles::builtin();
    let mut count = 0;
    for (os, text) in FILES {
        let mut expected = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line.starts_with('[') {
                expected = Some(Expected::parse(line));
                continue;
            }
            let kernels = expand(line);
            count += kernels.len();
            kernels.iter().for_each(|kernel| check(get(&profiles, os), kernel, expected.as_ref().unwrap()));
        }
    }
    assert!(count > 800, "only {count} kernels are looked at");
}

/// A kernel of one distribution is not a kernel of another, but for those that rebuild or run it.
#[test]
fn shipped_kernels_are_told_apart() {
    let profiles = Profiles::builtin();
    let kin = [["rhel", "openshift", "rocky", "almalinux", "oracle"].as_slice(), ["sles", "leap"].as_slice()];
    for (os, text) in FILES {
        let sections = text.split('[').filter_map(|section| section.lines().nth(1));
        for kernel in sections.filter_map(|line| expand(line).into_iter().next()) {
            for (other, _) in FILES {
                // RHEL 8's first kernels look like CentOS Stream 8's.
                let related = other == os
                    || (*other == "centos" && kernel.contains(".el8."))
                    || kin.iter().any(|kin| kin.contains(os) && kin.contains(other));
                let read = profiles.kernel(get(&profiles, other), &kernel);
                assert!(
                    related || read.is_err() || read.is_ok_and(|own| own.unknown.is_some()),
                    "{kernel} of {os} in {other}"
                );
            }
        }
    }
}
