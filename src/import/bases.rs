//! Base images and kernels that a file names into the matrix of systems that they are of.

use super::draft::Os;
use super::matrix;
use crate::knowledge::profile::Profiles;

/// Real kernels, for releases of which the input names none; of each system the newest release first.
const EXAMPLES: [(&str, &str, &str); 57] = [
    ("rhel", "9.4", "5.14.0-427.13.1.el9_4.x86_64"),
    ("rhel", "9.5", "5.14.0-503.11.1.el9_5.x86_64"),
    ("rhel", "9.3", "5.14.0-362.8.1.el9_3.x86_64"),
    ("rhel", "9.2", "5.14.0-284.11.1.el9_2.x86_64"),
    ("rhel", "9.6", "5.14.0-570.12.1.el9_6.x86_64"),
    ("rhel", "9.7", "5.14.0-611.5.1.el9_7.x86_64"),
    ("rhel", "9.1", "5.14.0-162.6.1.el9_1.x86_64"),
    ("rhel", "9.0", "5.14.0-70.13.1.el9_0.x86_64"),
    ("rhel", "10.0", "6.12.0-55.9.1.el10_0.x86_64"),
    ("rhel", "10.1", "6.12.0-124.8.1.el10_1.x86_64"),
    ("rhel", "8.10", "4.18.0-553.el8_10.x86_64"),
    ("rhel", "8.9", "4.18.0-513.5.1.el8_9.x86_64"),
    ("rhel", "8.8", "4.18.0-477.10.1.el8_8.x86_64"),
    ("rhel", "8.7", "4.18.0-425.3.1.el8.x86_64"),
    ("rhel", "8.6", "4.18.0-372.9.1.el8.x86_64"),
    ("rhel", "8.5", "4.18.0-348.12.2.el8_5.x86_64"),
    ("rhel", "8.4", "4.18.0-305.3.1.el8_4.x86_64"),
    ("rhel", "8.3", "4.18.0-240.15.1.el8_3.x86_64"),
    ("rhel", "8.2", "4.18.0-193.1.2.el8_2.x86_64"),
    ("rocky", "9.6", "5.14.0-570.39.1.el9_6.x86_64"),
    ("rocky", "9.5", "5.14.0-503.14.1.el9_5.x86_64"),
    ("rocky", "9.4", "5.14.0-427.24.1.el9_4.x86_64"),
    ("rocky", "9.3", "5.14.0-362.8.1.el9_3.x86_64"),
    ("rocky", "9.2", "5.14.0-284.11.1.el9_2.x86_64"),
    ("rocky", "8.10", "4.18.0-553.5.1.el8_10.x86_64"),
    ("rocky", "8.8", "4.18.0-477.27.1.el8_8.x86_64"),
    ("rocky", "10.0", "6.12.0-55.21.1.el10_0.x86_64"),
    ("almalinux", "9.4", "5.14.0-427.13.1.el9_4.x86_64"),
    ("almalinux", "9.2", "5.14.0-284.62.1.el9_2.x86_64"),
    ("almalinux", "9.0", "5.14.0-70.97.1.el9_0.x86_64"),
    ("almalinux", "10.2", "6.12.0-211.22.1.el10_2.x86_64"),
    ("almalinux", "8.10", "4.18.0-553.5.1.el8_10.x86_64"),
    ("oracle", "9.4", "5.14.0-427.13.1.el9_4.x86_64"),
    ("oracle", "9.5", "5.14.0-503.11.1.el9_5.x86_64"),
    ("oracle", "8.5", "4.18.0-348.12.2.el8_5.x86_64"),
    ("centos", "9", "5.14.0-503.el9.x86_64"),
    ("centos", "10", "6.12.0-39.el10.x86_64"),
    ("debian", "12", "6.1.0-56-amd64"),
    ("debian", "13", "6.12.57+deb13-amd64"),
    ("debian", "11", "5.10.0-34-amd64"),
    ("ubuntu", "24.04", "6.8.0-31-generic"),
    ("ubuntu", "22.04", "5.15.0-91-generic"),
    ("ubuntu", "20.04", "5.4.0-174-generic"),
    ("fedora", "42", "6.14.0-63.fc42.x86_64"),
    ("fedora", "40", "6.8.5-301.fc40.x86_64"),
    ("amazon", "2023", "6.1.66-91.160.amzn2023.x86_64"),
    ("amazon", "2", "5.4.129-62.227.amzn2.x86_64"),
    ("azurelinux", "3.0", "6.6.96.2-2.azl3"),
    ("leap", "15.3", "5.3.18-150300.59.106-default"),
    ("leap", "16.0", "6.12.0-160000.9-default"),
    ("sles", "15.5", "5.14.21-150500.55.83-default"),
    ("sles", "15.6", "6.4.0-150600.23.7-default"),
    ("sles", "15.4", "5.14.21-150400.24.11-default"),
    ("sles", "15.3", "5.3.18-59.5-default"),
    ("sles", "15.2", "5.3.18-24.9-default"),
    ("sles", "16.0", "6.12.0-160000.5-default"),
    ("sles", "12.5", "4.12.14-122.12-default"),
];

/// Names of releases that tags have.
const ALIASES: [(&str, &str, &str); 9] = [
    ("debian", "bullseye", "11"),
    ("debian", "bookworm", "12"),
    ("debian", "trixie", "13"),
    ("debian", "stable", "12"),
    ("ubuntu", "focal", "20.04"),
    ("ubuntu", "jammy", "22.04"),
    ("ubuntu", "noble", "24.04"),
    ("amazon", "latest", "2023"),
    ("leap", "latest", "16.0"),
];

/// The RHEL that the nodes of OpenShift's minors run.
const OPENSHIFT: [(&str, &str); 15] = [
    ("4.7", "8.4"),
    ("4.8", "8.4"),
    ("4.9", "8.4"),
    ("4.10", "8.4"),
    ("4.11", "8.6"),
    ("4.12", "8.6"),
    ("4.13", "9.2"),
    ("4.14", "9.2"),
    ("4.15", "9.2"),
    ("4.16", "9.4"),
    ("4.17", "9.4"),
    ("4.18", "9.4"),
    ("4.19", "9.6"),
    ("4.20", "9.6"),
    ("4.21", "9.6"),
];

/// A system, and the text of the release as the image's tag has it; empty where it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct System {
    pub(super) os: &'static str,
    release: String,
}

/// What a base image is of; nothing, where it is of no system with a profile.
pub(super) fn system(image: &str) -> Option<System> {
    let image = image.split('@').next().unwrap_or_default().to_lowercase();
    let (path, tag) = match image.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (image.as_str(), ""),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let last = parts.last().copied().unwrap_or_default();
    let is = |os, release: String| Some(System { os, release });
    let first = tag.split(['-', '_']).next().unwrap_or_default().trim_start_matches('v');
    if path.contains("driver-toolkit") {
        let minor: Vec<&str> = first.split('.').take(2).collect();
        let known = OPENSHIFT.iter().find(|(openshift, _)| *openshift == minor.join("."));
        let release = known.map_or(if path.ends_with("rhel8") { "8.6" } else { "9.4" }, |(_, rhel)| rhel);
        return is("rhel", release.to_owned());
    }
    let numbered = |stem: &str| {
        parts.iter().find_map(|part| {
            let digits = number(part.strip_prefix(stem)?);
            (!digits.is_empty()).then_some(digits)
        })
    };
    if let Some(major) = numbered("ubi").or_else(|| numbered("rhel")) {
        let minor = number(first);
        return is("rhel", if minor.starts_with(&format!("{major}.")) { minor } else { major });
    }
    match last {
        "ubuntu" => is("ubuntu", first.to_owned()),
        "debian" => is("debian", first.to_owned()),
        "fedora" | "fedora-minimal" | "fedora-toolbox" => is("fedora", first.to_owned()),
        "rockylinux" | "rocky" => is("rocky", number(first)),
        "almalinux" => is("almalinux", number(first)),
        _ if parts.contains(&"almalinux") => is("almalinux", number(last)),
        "centos" | "centos-stream" => is("centos", number(first.trim_start_matches("stream"))),
        "oraclelinux" => is("oracle", number(first)),
        "amazonlinux" | "al2023" => {
            is("amazon", if first.starts_with("2.") { "2" } else { first }.to_owned())
        }
        "leap" => is("leap", first.to_owned()),
        _ if path.contains("azurelinux") => is("azurelinux", number(first)),
        _ if last.starts_with("sles12") => {
            is("sles", format!("12.{}", number(last.trim_start_matches("sles12sp"))))
        }
        _ if last.starts_with("bci-sle16") => is("sles", "16".to_owned()),
        _ if last.starts_with("bci-") || last == "sle15" || parts.contains(&"bci") => {
            is("sles", number(first))
        }
        _ => None,
    }
}

fn number(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The release of the profile that a tag's text stands for, with a kernel of it.
fn example(system: &System) -> Option<(&'static str, &'static str)> {
    let of = || EXAMPLES.iter().filter(|(os, ..)| *os == system.os);
    let alias = ALIASES.iter().find(|(os, name, _)| *os == system.os && *name == system.release);
    let mut text = alias.map_or(system.release.as_str(), |(_, _, release)| release);
    if text.is_empty() || text == "latest" || text == "rolling" {
        return of().next().map(|(_, release, kernel)| (*release, *kernel));
    }
    loop {
        let line = format!("{text}.");
        let exact = of().find(|(_, release, _)| *release == text);
        if let Some((_, release, kernel)) =
            exact.or_else(|| of().find(|(_, release, _)| release.starts_with(&line)))
        {
            return Some((release, kernel));
        }
        // `12.5` of Debian is 12; `9.99` of Rocky is no other minor of it.
        text = text
            .rsplit_once('.')
            .map(|(line, _)| line)
            .filter(|line| of().any(|(_, release, _)| release == line))?;
    }
}

/// The matrix of what the files names: kernels as `uname -r` prints them, and base images, the most telling first.
/// What cannot be said of them is in the notes.
pub(super) fn matrix(kernels: &[String], images: &[String]) -> (Vec<Os>, Vec<String>) {
    let profiles = Profiles::builtin();
    let systems: Vec<(&String, System)> =
        images.iter().filter_map(|image| Some((image, system(image)?))).collect();
    let mut notes = Vec::new();
    let mut nodes: Vec<Os> = Vec::new();
    for kernel in kernels {
        let (os, release) = match systems.first() {
            Some((_, system)) => (Some(system.os), example(system).map(|(release, _)| release)),
            None => (None, None),
        };
        let found = matrix::home(kernel, os, release, &profiles).or_else(|error| {
            let (name, release) = matrix::home(kernel, None, None, &profiles).map_err(|_| error)?;
            let image = systems.first().map(|(image, _)| image.as_str()).unwrap_or_default();
            notes.push(format!(
                "kernel `{kernel}` is none that is known of the system of `{image}`: it is taken for one of {name} {release}"
            ));
            Ok((name, release))
        });
        match found {
            Ok((name, release)) => matrix::put(&mut nodes, name, release, kernel),
            Err((message, _)) => notes.push(format!("{message}: put it into the matrix")),
        }
    }
    if !nodes.is_empty() {
        return (nodes, notes);
    }
    let Some((image, system)) = systems.first() else {
        if let Some(image) = images.first().filter(|image| !image.contains('$')) {
            notes.push(format!("no system is known that `{image}` is of: the matrix is an example"));
        }
        return (nodes, notes);
    };
    let known = example(system);
    if known.is_none() {
        notes.push(format!("no kernel is known for the release of `{image}`: say which in the matrix"));
    }
    let other =
        || EXAMPLES.iter().find(|(os, ..)| *os == system.os).map(|(_, release, kernel)| (*release, *kernel));
    if let Some((release, kernel)) = known.or_else(other) {
        nodes.push(Os {
            notes: vec![format!(
                "The system is that of `{image}`, the kernel an example: put those of your nodes here, as `uname -r` prints them."
            )],
            name: system.os.to_owned(),
            releases: vec![release.to_owned()],
            kernels: vec![kernel.to_owned()],
        });
    }
    (nodes, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_kernel_of_its_release() {
        let profiles = Profiles::builtin();
        for (os, release, kernel) in EXAMPLES {
            let profile = profiles.get(os).unwrap();
            let known = profile.kernel(kernel).unwrap_or_else(|error| panic!("{os} {kernel}: {error:?}"));
            let facts = profile.release(release).unwrap();
            assert!(profile.belongs(&known, &facts), "{os} {release} {kernel}");
        }
    }

    #[test]
    fn base_images_name_a_system_and_a_release() {
        for (image, expected) in [
            ("ubuntu:22.04", Some(("ubuntu", "22.04"))),
            ("docker.io/library/ubuntu:jammy-20240125", Some(("ubuntu", "22.04"))),
            ("debian:12-slim", Some(("debian", "12"))),
            ("debian:12.5", Some(("debian", "12"))),
            ("debian:bookworm-slim@sha256:00", Some(("debian", "12"))),
            ("fedora:40", Some(("fedora", "40"))),
            ("registry.fedoraproject.org/fedora-minimal:40", Some(("fedora", "40"))),
            ("registry.access.redhat.com/ubi8", Some(("rhel", "8.10"))),
            ("registry.access.redhat.com/ubi8/ubi:8.6-754", Some(("rhel", "8.6"))),
            ("ubi9-minimal:9.2", Some(("rhel", "9.2"))),
            ("registry.redhat.io/rhel9/rhel-bootc:9.4", Some(("rhel", "9.4"))),
            ("rockylinux:9", Some(("rocky", "9.6"))),
            ("rockylinux/rockylinux:8.8-minimal", Some(("rocky", "8.8"))),
            ("almalinux/9-base:9.4", Some(("almalinux", "9.4"))),
            ("almalinux:9", Some(("almalinux", "9.4"))),
            ("quay.io/centos/centos:stream9", Some(("centos", "9"))),
            ("oraclelinux:8-slim", Some(("oracle", "8.5"))),
            ("amazonlinux:2", Some(("amazon", "2"))),
            ("amazonlinux:2.0.20230307.0", Some(("amazon", "2"))),
            ("public.ecr.aws/amazonlinux/amazonlinux:2023", Some(("amazon", "2023"))),
            ("mcr.microsoft.com/azurelinux/base/core:3.0", Some(("azurelinux", "3.0"))),
            ("registry.suse.com/bci/bci-base:15.6", Some(("sles", "15.6"))),
            ("registry.suse.com/suse/sle15:15.5", Some(("sles", "15.5"))),
            ("opensuse/leap:15.3", Some(("leap", "15.3"))),
            ("registry.redhat.io/openshift4/driver-toolkit-rhel9:v4.14", Some(("rhel", "9.2"))),
            ("localhost:5000/ubuntu", Some(("ubuntu", "24.04"))),
            ("alpine:3.19", None),
        ] {
            let (nodes, _) = matrix(&[], &[image.to_owned()]);
            let found = nodes.first().map(|os| (os.name.as_str(), os.releases[0].as_str()));
            assert_eq!(found, expected, "{image}");
        }
        let (nodes, notes) = matrix(&[], &["debian:10".to_owned()]);
        assert_eq!((nodes[0].name.as_str(), notes.len()), ("debian", 1));
        let (nodes, _) = matrix(&["5.15.0-91-generic".to_owned()], &["ubuntu:22.04".to_owned()]);
        assert_eq!(
            (nodes[0].releases[0].as_str(), nodes[0].kernels[0].as_str()),
            ("22.04", "5.15.0-91-generic")
        );
    }
}
