//! Releases, their images, and what is installed for a kernel.

use super::{get, table};
use crate::knowledge::profile::Profiles;
use crate::text::ids::Arch;

const RELEASES: &str = include_str!("../../../../tests/data/profiles/releases.tsv");
const PACKAGES: &str = include_str!("../../../../tests/data/profiles/packages.tsv");

#[test]
fn releases_are_known() {
    let profiles = Profiles::builtin();
    for [os, release, runs, base, minimal] in table(RELEASES) {
        let facts = get(&profiles, os).release(release).unwrap();
        let platforms: Vec<&str> = facts.platforms.iter().map(|platform| platform.release.as_str()).collect();
        assert_eq!(platforms.join(" "), runs, "{os} {release}");
        let first = &facts.platforms[0];
        assert_eq!((first.base.as_str(), first.minimal.as_str()), (base, minimal));
        assert!(!first.tools.is_empty() && !first.fetch.is_empty() && !first.runtime.is_empty());
    }
    let ended = |os: &str, release: &str| get(&profiles, os).release(release).unwrap().end_of_life;
    assert_eq!(ended("ubuntu", "20.04").as_deref(), Some("2025-05-31"));
    assert_eq!(ended("openshift", "4.13.9").as_deref(), Some("2024-11-17"));
    assert_eq!(ended("fedora", "43"), None);
}

#[test]
fn each_node_stream_has_its_own_toolkit() {
    let profiles = Profiles::builtin();
    let openshift = get(&profiles, "openshift");
    let dtk = |release: &str, kernel: &str| {
        let (facts, kernel) = (openshift.release(release).unwrap(), openshift.kernel(kernel).unwrap());
        facts.platform(&kernel).unwrap().dtk.as_ref().map(ToString::to_string)
    };
    let image = |path: &str| Some(format!("registry.redhat.io/{path}"));
    assert_eq!(dtk("4.12.6", "4.18.0-372.46.1.el8_6.x86_64"), image("openshift4/driver-toolkit-rhel8:v4.12"));
    assert_eq!(dtk("4.18.3", "5.14.0-427.57.1.el9_4.x86_64"), image("openshift4/driver-toolkit-rhel9:v4.18"));
    assert_eq!(dtk("4.22.9", "5.14.0-687.35.1.el9_8.x86_64"), image("openshift4/driver-toolkit-rhel9:v4.22"));
    assert_eq!(
        dtk("4.22.9", "6.12.0-211.7.1.el10_2.x86_64"),
        image("openshift4/driver-toolkit-rhel10:v4.22")
    );
    assert_eq!(dtk("5.0.1", "6.12.0-211.7.1.el10_2.x86_64"), image("openshift5/driver-toolkit-rhel10:v5.0"));
}

#[test]
fn unknown_releases_are_explained() {
    let cases = [
        ("rhel", "9.44", "RHEL has 8.0 to 8.10, 9.0 to 9.8 and 10.0 to 10.2"),
        ("rhel", "9", "write the whole release: 9.0 to 9.8"),
        ("rhel", "7.9", "RHEL has 8.0 to 8.10, 9.0 to 9.8 and 10.0 to 10.2"),
        ("debian", "Bookworm", "`Bookworm` is 12: write `12`"),
        ("debian", "12; rm", "Debian has 10, 11, 12, 13 and 14"),
        ("fedora", "rawhide", "Fedora has 38 to N"),
    ];
    let profiles = Profiles::builtin();
    for (os, release, help) in cases {
        let unknown = get(&profiles, os).unknown_release(release);
        assert_eq!(unknown.help, help);
        assert_eq!(unknown.to_string(), format!("{} has no release `{release}`", get(&profiles, os).title));
    }
    let nearest = |release: &str| get(&profiles, "rhel").unknown_release(release).nearest;
    assert_eq!(nearest("9.44").unwrap().as_str(), "9.4");
    assert_eq!(nearest("7.9"), None);
    let openshift = |release: &str| get(&profiles, "openshift").release(release).unwrap_err().help;
    assert_eq!(openshift("4.18"), "write the whole release: 4.18.Z, where Z is a number");
    let like = |os: &str, release: &str| {
        get(&profiles, os).release(release).map(|facts| facts.like.unwrap().to_string())
    };
    assert_eq!(like("openshift", "4.8.1"), Ok("4.9.Z".into()));
    assert_eq!(like("openshift", "4.24.1"), Ok("4.23.Z".into()));
    assert_eq!(like("rhel", "8.11"), Ok("8.10".into()));
    assert_eq!(like("rhel", "7.9"), Ok("8.0".into()));
    assert_eq!(like("debian", "sid"), Ok("14".into()));
    assert!(
        get(&profiles, "rhel").release("9").is_err() && get(&profiles, "debian").release("bookworm").is_err()
    );
}

#[test]
fn packages_are_named() {
    fn all(names: &[impl AsRef<str>]) -> String {
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
    }
    let profiles = Profiles::builtin();
    for [os, release, text, build, in_tree, repositories, dir, src] in table(PACKAGES) {
        let profile = get(&profiles, os);
        let (kernel, facts) = (profile.kernel(text).unwrap(), profile.release(release).unwrap());
        let packages = profile.packages(&kernel, &facts, Arch::X86_64).unwrap();
        assert_eq!(all(&packages.build), build);
        assert_eq!(all(&packages.in_tree), in_tree);
        assert_eq!(all(&packages.repositories), repositories);
        assert_eq!(packages.kernel_dir.as_str(), dir);
        assert_eq!(packages.kernel_src_dir.as_str(), if src.is_empty() { dir } else { src });
        assert_eq!(packages.compiler.is_some(), build.ends_with("gcc-12"));
    }
}

#[test]
fn mirrors_are_of_the_stream_that_is_asked_for() {
    let profiles = Profiles::builtin();
    let rhel = profiles.get("rhel").unwrap();
    let release = rhel.release("9.4").unwrap();
    let first = |stream| rhel.mirrors(&release, Arch::X86_64, stream).first().unwrap().url.to_string();
    for (stream, tree) in [(None, "eus"), (Some("e4s"), "e4s"), (Some("base"), "dist")] {
        assert_eq!(
            first(stream),
            format!("https://cdn.redhat.com/content/{tree}/rhel9/9.4/x86_64/baseos/os")
        );
    }
}
