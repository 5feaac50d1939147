//! Tables of real kernels and wrong ones, of releases, and of what is installed for them.

use super::*;
use crate::ids::Arch;

fn get<'p>(profiles: &'p Profiles, os: &str) -> &'p Profile {
    profiles.get(os).unwrap_or_else(|| panic!("no profile {os}"))
}

#[test]
fn builtin_files_are_right() {
    let profiles = Profiles::builtin();
    for (os, text) in BUILTIN {
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        let file = add_builtin(os, &mut sources).unwrap();
        let layer = profiles.layers(file, &mut sources, &mut found);
        let host = layer.as_ref().and_then(|layer| profiles.shared(layer.runs.as_ref()?.value.as_str()));
        let profile =
            layer.and_then(|layer| build::build(&OsName::parse(os).unwrap(), layer, host, &mut found));
        assert_eq!(found.iter().collect::<Vec<_>>(), Vec::<&Diagnostic>::new(), "{os}");
        let profile = profile.unwrap();
        assert!(profile.kernel(&profile.example).is_ok(), "{os}");
        assert!(!text.contains('\t') && text.lines().all(|line| !line.ends_with(' ')), "{os}");
    }
}

/// Distribution, kernel, architecture, flavour, EL, and a release that it belongs to.
const KERNELS: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("rhel", "4.18.0-80.el8.x86_64", "x86_64", "default", "8.0", "8.0"),
    ("rhel", "4.18.0-80.11.2.el8_0.x86_64", "x86_64", "default", "8.0", "8.0"),
    ("rhel", "4.18.0-147.el8.x86_64", "x86_64", "default", "8.1", "8.1"),
    ("rhel", "4.18.0-193.el8.ppc64le", "ppc64le", "default", "8.2", "8.2"),
    ("rhel", "4.18.0-240.el8.s390x", "s390x", "default", "8.3", "8.3"),
    ("rhel", "4.18.0-305.el8", "-", "default", "8.4", "8.4"),
    ("rhel", "4.18.0-305.17.1.el8_4.x86_64", "x86_64", "default", "8.4", "8.4"),
    ("rhel", "4.18.0-305.17.1.rt7.89.el8_4.x86_64", "x86_64", "rt", "8.4", "8.4"),
    ("rhel", "4.18.0-348.el8.x86_64", "x86_64", "default", "8.5", "8.5"),
    ("rhel", "4.18.0-372.9.1.el8.x86_64", "x86_64", "default", "8.6", "8.6"),
    ("rhel", "4.18.0-372.41.1.rt7.198.el8_6.x86_64", "x86_64", "rt", "8.6", "8.6"),
    ("rhel", "4.18.0-425.3.1.el8.x86_64", "x86_64", "default", "8.7", "8.7"),
    ("rhel", "4.18.0-477.10.1.el8_8.aarch64", "aarch64", "default", "8.8", "8.8"),
    ("rhel", "4.18.0-513.5.1.el8_9.x86_64", "x86_64", "default", "8.9", "8.9"),
    ("rhel", "4.18.0-553.el8_10.x86_64", "x86_64", "default", "8.10", "8.10"),
    ("rhel", "4.18.0-553.16.1.el8_10.x86_64", "x86_64", "default", "8.10", "8.10"),
    ("rhel", "5.14.0-70.13.1.el9_0.x86_64", "x86_64", "default", "9.0", "9.0"),
    ("rhel", "5.14.0-162.6.1.el9_1.x86_64", "x86_64", "default", "9.1", "9.1"),
    ("rhel", "5.14.0-284.11.1.el9_2.x86_64", "x86_64", "default", "9.2", "9.2"),
    ("rhel", "5.14.0-284.16.1.rt14.301.el9_2.x86_64", "x86_64", "rt", "9.2", "9.2"),
    ("rhel", "5.14.0-284.30.1.el9_2.aarch64+64k", "aarch64", "64k", "9.2", "9.2"),
    ("rhel", "5.14.0-362.8.1.el9_3.x86_64+rt", "x86_64", "rt", "9.3", "9.3"),
    ("rhel", "5.14.0-427.13.1.el9_4.x86_64", "x86_64", "default", "9.4", "9.4"),
    ("rhel", "5.14.0-427.13.1.el9_4", "-", "default", "9.4", "9.4"),
    ("rhel", "5.14.0-427.18.1.el9_4.x86_64+rt", "x86_64", "rt", "9.4", "9.4"),
    ("rhel", "5.14.0-427.18.1.el9_4+rt", "-", "rt", "9.4", "9.4"),
    ("rhel", "5.14.0-503.11.1.el9_5.x86_64+debug", "x86_64", "debug", "9.5", "9.5"),
    ("rhel", "5.14.0-503.23.1.el9_5.x86_64+rt-debug", "x86_64", "rt-debug", "9.5", "9.5"),
    ("rhel", "5.14.0-570.73.1.el9_6.aarch64+64k", "aarch64", "64k", "9.6", "9.6"),
    ("rhel", "5.14.0-611.5.1.el9_7.x86_64", "x86_64", "default", "9.7", "9.7"),
    ("rhel", "5.14.0-687.5.3.el9_8.x86_64", "x86_64", "default", "9.8", "9.8"),
    ("rhel", "6.12.0-55.9.1.el10_0.x86_64", "x86_64", "default", "10.0", "10.0"),
    ("rhel", "6.12.0-124.8.1.el10_1.aarch64+64k", "aarch64", "64k", "10.1", "10.1"),
    ("rhel", "6.12.0-211.7.1.el10_2.x86_64+rt", "x86_64", "rt", "10.2", "10.2"),
    ("openshift", "4.18.0-372.46.1.el8_6.x86_64", "x86_64", "default", "8.6", "4.12.6"),
    ("openshift", "4.18.0-372.41.1.rt7.198.el8_6.x86_64", "x86_64", "rt", "8.6", "4.12.6"),
    ("openshift", "5.14.0-284.54.1.el9_2.x86_64", "x86_64", "default", "9.2", "4.14.14"),
    ("openshift", "5.14.0-284.54.1.el9_2.x86_64", "x86_64", "default", "9.2", "4.15.0"),
    ("openshift", "5.14.0-427.50.2.el9_4.x86_64", "x86_64", "default", "9.4", "4.18.1"),
    ("openshift", "5.14.0-427.57.1.el9_4.x86_64", "x86_64", "default", "9.4", "4.18.3"),
    ("openshift", "5.14.0-427.57.1.el9_4.x86_64+rt", "x86_64", "rt", "9.4", "4.18.3"),
    ("openshift", "5.14.0-570.49.1.el9_6.x86_64", "x86_64", "default", "9.6", "4.19.15"),
    ("openshift", "5.14.0-687.35.1.el9_8.x86_64", "x86_64", "default", "9.8", "4.22.9"),
    ("openshift", "6.12.0-211.7.1.el10_2.x86_64", "x86_64", "default", "10.2", "5.0.0"),
    ("debian", "5.10.0-28-amd64", "x86_64", "default", "-", "11"),
    ("debian", "6.1.0-0.deb11.5-amd64", "x86_64", "default", "-", "11"),
    ("debian", "6.1.0-0.deb11.7-powerpc64le", "ppc64le", "default", "-", "11"),
    ("debian", "6.1.0-18-amd64", "x86_64", "default", "-", "12"),
    ("debian", "6.1.0-18-cloud-arm64", "aarch64", "cloud", "-", "12"),
    ("debian", "6.1.0-56-rt-amd64", "x86_64", "rt", "-", "12"),
    ("debian", "6.1.0-56-cloud", "-", "cloud", "-", "12"),
    ("debian", "6.12.111+deb12-rt-amd64", "x86_64", "rt", "-", "12"),
    ("debian", "6.10.11+bpo-amd64", "x86_64", "default", "-", "12"),
    ("debian", "6.12.57+deb13-amd64", "x86_64", "default", "-", "13"),
    ("debian", "6.12.57+deb13-cloud-amd64", "x86_64", "cloud", "-", "13"),
    ("ubuntu", "5.15.0-91-generic", "-", "generic", "-", "20.04"),
    ("ubuntu", "5.15.0-91-generic", "-", "generic", "-", "22.04"),
    ("ubuntu", "6.8.0-1058-nvidia", "-", "nvidia", "-", "24.04"),
    ("ubuntu", "6.8.0-1021-gcp", "-", "gcp", "-", "22.04"),
    ("ubuntu", "6.8.0-31-generic-64k", "-", "generic-64k", "-", "24.04"),
    ("ubuntu", "6.5.0-1025-azure-fde", "-", "azure-fde", "-", "22.04"),
    ("ubuntu", "6.17.0-14-generic", "-", "generic", "-", "24.04"),
    ("ubuntu", "7.0.0-38-generic", "-", "generic", "-", "26.04"),
    ("ubuntu", "6.1.0-1036-oem", "-", "oem", "-", "22.04"),
    ("fedora", "6.8.5-301.fc40.x86_64", "x86_64", "default", "-", "40"),
    ("fedora", "6.8.5-301.fc40.x86_64+debug", "x86_64", "debug", "-", "40"),
    ("fedora", "7.2.7-200.fc77.aarch64", "aarch64", "default", "-", "77"),
];

#[test]
fn kernels_are_read() {
    let profiles = Profiles::builtin();
    for &(os, text, arch, flavor, el, release) in KERNELS {
        let profile = get(&profiles, os);
        let kernel = profile.kernel(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(kernel.text.as_str(), text);
        assert_eq!(kernel.arch.map_or("-", Arch::name), arch, "{text}");
        assert_eq!(kernel.flavor.as_str(), flavor, "{text}");
        assert_eq!(kernel.el.map_or("-".into(), |el| el.to_string()), el, "{text}");
        let facts = profile.release(release).unwrap_or_else(|error| panic!("{release}: {error:?}"));
        assert!(profile.belongs(&kernel, &facts), "{text} in {release}");
        assert!(facts.platform(&kernel).is_some(), "{text} in {release}");
        if let Some(arch) = kernel.arch {
            let allowed = profile.check(&kernel, &facts, arch);
            assert!(allowed.is_ok() || (os, release, flavor) == ("rhel", "8.6", "rt"), "{text}: {allowed:?}");
        }
    }
}

#[test]
fn architectures_are_added() {
    let cases = [
        ("rhel", "5.14.0-427.13.1.el9_4", Arch::Aarch64, "5.14.0-427.13.1.el9_4.aarch64"),
        ("rhel", "5.14.0-427.13.1.el9_4+64k", Arch::Aarch64, "5.14.0-427.13.1.el9_4.aarch64+64k"),
        ("rhel", "5.14.0-284.16.1.rt14.301.el9_2", Arch::X86_64, "5.14.0-284.16.1.rt14.301.el9_2.x86_64"),
        ("rhel", "5.14.0-427.13.1.el9_4.x86_64", Arch::Aarch64, "5.14.0-427.13.1.el9_4.x86_64"),
        ("openshift", "5.14.0-427.13.1.el9_4+rt", Arch::X86_64, "5.14.0-427.13.1.el9_4.x86_64+rt"),
        ("debian", "6.1.0-56", Arch::X86_64, "6.1.0-56-amd64"),
        ("debian", "6.1.0-56-cloud", Arch::Aarch64, "6.1.0-56-cloud-arm64"),
        ("debian", "6.12.57+deb13-rt", Arch::X86_64, "6.12.57+deb13-rt-amd64"),
        ("ubuntu", "5.15.0-91-generic", Arch::Aarch64, "5.15.0-91-generic"),
        ("fedora", "6.8.5-301.fc40+debug", Arch::X86_64, "6.8.5-301.fc40.x86_64+debug"),
    ];
    let profiles = Profiles::builtin();
    for (os, text, arch, expected) in cases {
        let profile = get(&profiles, os);
        let kernel = profile.with_arch(&profile.kernel(text).unwrap(), arch).unwrap();
        assert_eq!(kernel.text.as_str(), expected);
        assert!(kernel.arch.is_some(), "{text}");
    }
}

#[test]
fn wrong_kernels_are_explained() {
    use KernelErrorKind::{Contradictory, Foreign, Malformed, Unreleased};
    let cases = [
        (
            "rhel",
            "5.14.0-284.11.1.el9_4.x86_64",
            Contradictory,
            "`5.14.0-284` is 9.2's, `el9_4` is 9.4's",
            "a kernel of 9.2 ends in `el9_2`, one of 9.4 begins with `5.14.0-427`",
        ),
        (
            "rhel",
            "4.18.0-372.9.1.el8_4.x86_64",
            Contradictory,
            "`4.18.0-372` is 8.6's, `el8_4` is 8.4's",
            "a kernel of 8.6 ends in `el8_6`, one of 8.4 begins with `4.18.0-305`",
        ),
        (
            "rhel",
            "5.14.0-427.el9_77.x86_64",
            Contradictory,
            "`5.14.0-427` is 9.4's, `el9_77` is not",
            "a kernel of 9.4 ends in `el9_4`",
        ),
        (
            "rhel",
            "5.14.0-427.18.1.rt14.301.el9_4.x86_64",
            Contradictory,
            "begins as 9.4's kernels do, ends as others'",
            "from 9.3 on, real-time kernels end in `+rt`, as `5.14.0-427.18.1.el9_4.x86_64+rt` does",
        ),
        (
            "rhel",
            "5.14.0-284.11.1.el9_2.x86_64+rt",
            Contradictory,
            "begins as 9.2's kernels do, ends as others'",
            "before 9.3, real-time kernels say so inside, as `5.14.0-284.16.1.rt14.301.el9_2.x86_64` does",
        ),
        (
            "rhel",
            "5.14.0-500.el9.x86_64",
            Foreign,
            "a kernel of CentOS Stream, which has no minor after its `el`",
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "5.14.0-427.el9.x86_64",
            Foreign,
            "a kernel of CentOS Stream, which has no minor after its `el`",
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "openshift",
            "5.14.0-290.el9.x86_64+rt-debug",
            Foreign,
            "a kernel of CentOS Stream, which has no minor after its `el`",
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "5.15.0-200.131.27.el8uek.x86_64",
            Foreign,
            "a kernel of Oracle Linux's UEK",
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "6.8.5-301.fc40.x86_64",
            Foreign,
            "a kernel of Fedora",
            "write what `uname -r` prints on the node, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "5.14.0-420.1.1.el9_4.x86_64",
            Unreleased,
            "one of the kernels `5.14.0-420`",
            "kernels of RHEL 9.4 begin with `5.14.0-427`",
        ),
        (
            "rhel",
            "5.14.0-750.1.1.el9_9.x86_64",
            Unreleased,
            "one of the kernels `5.14.0-750`",
            "if a newer release does, a profile that extends `rhel` can add it",
        ),
        (
            "rhel",
            "kernel-devel-5.14.0-427.13.1.el9_4.x86_64.rpm",
            Malformed,
            "not what `uname -r` prints there",
            "write `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "6.12.0-211.4.el10nv.aarch64+64k",
            Malformed,
            "not what `uname -r` prints there",
            "write what `uname -r` prints on the node, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "",
            Malformed,
            "not what `uname -r` prints there",
            "write what `uname -r` prints on the node, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "rhel",
            "5.15.0-91-generic",
            Foreign,
            "a kernel of Ubuntu",
            "write what `uname -r` prints on the node, such as `5.14.0-427.13.1.el9_4.x86_64`",
        ),
        (
            "debian",
            "linux-image-6.1.0-18-amd64",
            Malformed,
            "not what `uname -r` prints there",
            "write `6.1.0-18-amd64`",
        ),
        (
            "debian",
            "5.19.0-2-amd64",
            Unreleased,
            "one of the kernels `5.19`",
            "if a newer release does, a profile that extends `debian` can add it",
        ),
        (
            "debian",
            "5.15.0-91-generic",
            Foreign,
            "a kernel of Ubuntu",
            "write what `uname -r` prints on the node, such as `6.1.0-18-amd64`",
        ),
        (
            "debian",
            "6.1.0-18-x86_64",
            Malformed,
            "not what `uname -r` prints there",
            "write what `uname -r` prints on the node, such as `6.1.0-18-amd64`",
        ),
        (
            "ubuntu",
            "6.1.0-18-amd64",
            Foreign,
            "a kernel of Debian",
            "write a kernel of Ubuntu, such as `6.8.0-31-generic`",
        ),
        (
            "ubuntu",
            "6.8.0-31",
            Malformed,
            "not what `uname -r` prints there",
            "write what `uname -r` prints on the node, such as `6.8.0-31-generic`",
        ),
        (
            "fedora",
            "5.14.0-427.13.1.el9_4.x86_64",
            Foreign,
            "a kernel of RHEL",
            "write what `uname -r` prints on the node, such as `6.8.5-301.fc40.x86_64`",
        ),
    ];
    let profiles = Profiles::builtin();
    for (os, text, kind, label, help) in cases {
        let error = profiles.kernel(get(&profiles, os), text).unwrap_err();
        assert_eq!((error.kind, error.label.as_str(), error.help.as_str()), (kind, label, help), "{text}");
    }
}

#[test]
fn misfits_are_explained() {
    use MisfitKind::{Arch as OfArch, FlavorOfArch, FlavorOfRelease, Release};
    let cases = [
        (
            ("rhel", "5.14.0-284.11.1.el9_2.x86_64", "9.4", Arch::X86_64),
            Release,
            "`5.14.0-284.11.1.el9_2.x86_64` is a kernel of RHEL 9.2, not of 9.4",
            "ask for 9.2, or for a kernel of 9.4: one of `5.14.0-427`",
        ),
        (
            ("openshift", "5.14.0-284.54.1.el9_2.x86_64", "4.16.3", Arch::X86_64),
            Release,
            "`5.14.0-284.54.1.el9_2.x86_64` is a kernel of RHEL 9.2, but OpenShift 4.16.3 runs 9.4",
            "OpenShift 4.13.Z, 4.14.Z and 4.15.Z run RHEL 9.2",
        ),
        (
            ("openshift", "5.14.0-427.13.1.el9_4.x86_64", "4.22.9", Arch::X86_64),
            Release,
            "`5.14.0-427.13.1.el9_4.x86_64` is a kernel of RHEL 9.4, but OpenShift 4.22.9 runs 9.8 or 10.2",
            "OpenShift 4.16.Z, 4.17.Z and 4.18.Z run RHEL 9.4",
        ),
        (
            ("openshift", "5.14.0-362.8.1.el9_3.x86_64", "4.16.3", Arch::X86_64),
            Release,
            "`5.14.0-362.8.1.el9_3.x86_64` is a kernel of RHEL 9.3, but OpenShift 4.16.3 runs 9.4",
            "no known release of OpenShift runs RHEL 9.3",
        ),
        (
            ("openshift", "5.14.0-427.59.1.el9_4.x86_64", "4.18.3", Arch::X86_64),
            Release,
            "OpenShift 4.18.3 runs `5.14.0-427.57.1.el9_4`, not `5.14.0-427.59.1.el9_4`",
            "write `5.14.0-427.57.1.el9_4`, or ask for 4.18.4",
        ),
        (
            ("openshift", "5.14.0-427.13.1.el9_4.x86_64", "4.18.3", Arch::X86_64),
            Release,
            "OpenShift 4.18.3 runs `5.14.0-427.57.1.el9_4`, not `5.14.0-427.13.1.el9_4`",
            "write `5.14.0-427.57.1.el9_4`",
        ),
        (
            ("rhel", "5.14.0-427.18.1.el9_4+rt", "9.4", Arch::Aarch64),
            FlavorOfArch,
            "RHEL has no `rt` kernels for aarch64",
            "Red Hat's Driver Toolkit installs real-time kernels on x86_64 alone",
        ),
        (
            ("openshift", "5.14.0-427.57.1.el9_4+rt", "4.18.2", Arch::Aarch64),
            FlavorOfArch,
            "OpenShift has no `rt` kernels for aarch64",
            "the Driver Toolkit installs real-time kernels on x86_64 alone",
        ),
        (
            ("rhel", "4.18.0-372.41.1.rt7.198.el8_6.x86_64", "8.6", Arch::X86_64),
            FlavorOfRelease,
            "RHEL 8.6 has no `rt` kernels",
            "the EUS repositories of 8.6 have no kernel-rt; on OpenShift 4.12 it comes with the nodes",
        ),
        (
            ("rhel", "5.14.0-427.18.1.el9_4+64k", "9.4", Arch::X86_64),
            FlavorOfArch,
            "RHEL has no `64k` kernels for x86_64",
            "kernels with pages of 64k are built for aarch64 alone",
        ),
        (
            ("rhel", "5.14.0-162.6.1.el9_1.aarch64+64k", "9.1", Arch::Aarch64),
            FlavorOfRelease,
            "RHEL 9.1 has no `64k` kernels",
            "the first kernels of flavour 64k are 9.2's",
        ),
        (
            ("rhel", "5.14.0-427.13.1.el9_4.aarch64", "9.4", Arch::X86_64),
            OfArch,
            "`5.14.0-427.13.1.el9_4.aarch64` is a kernel for aarch64, not for x86_64",
            "write `5.14.0-427.13.1.el9_4` to have it for each `arch`, or ask for aarch64",
        ),
        (
            ("debian", "6.1.0-18", "12", Arch::S390x),
            OfArch,
            "Debian has no kernels for s390x",
            "it has kernels for x86_64, aarch64 and ppc64le",
        ),
        (
            ("debian", "6.12.57+deb13-amd64", "12", Arch::X86_64),
            Release,
            "`6.12.57+deb13-amd64` is a kernel of Debian 13, not of 12",
            "ask for 13, or for a kernel of 12: one of `6.1`, `deb12` or `bpo`",
        ),
        (
            ("debian", "6.1.0-18-amd64", "13", Arch::X86_64),
            Release,
            "`6.1.0-18-amd64` is a kernel of Debian 12, not of 13",
            "ask for 12, or for a kernel of 13: one of `deb13`",
        ),
        (
            ("ubuntu", "6.5.0-35-generic", "24.04", Arch::X86_64),
            Release,
            "`6.5.0-35-generic` is a kernel of Ubuntu 22.04, not of 24.04",
            "ask for 22.04, or for a kernel of 24.04: one of `6.8.0`, `6.11.0`, `6.17.0`, `7.0.0` or `6.14.0`",
        ),
        (
            ("ubuntu", "6.8.0-31-generic-64k", "24.04", Arch::X86_64),
            FlavorOfArch,
            "Ubuntu has no `generic-64k` kernels for x86_64",
            "kernels with pages of 64k are built for aarch64 alone",
        ),
        (
            ("ubuntu", "6.5.0-1025-azure-fde", "22.04", Arch::Aarch64),
            FlavorOfArch,
            "Ubuntu has no `azure-fde` kernels for aarch64",
            "azure-fde kernels are not built for other architectures",
        ),
        (
            ("fedora", "6.8.5-301.fc40.x86_64", "41", Arch::X86_64),
            Release,
            "`6.8.5-301.fc40.x86_64` is a kernel of Fedora 40, not of 41",
            "ask for 40, or for a kernel of 41: one of `fc41`",
        ),
    ];
    let profiles = Profiles::builtin();
    for ((os, text, release, arch), kind, message, help) in cases {
        let profile = get(&profiles, os);
        let (kernel, facts) = (profile.kernel(text).unwrap(), profile.release(release).unwrap());
        let misfit = profile.check(&kernel, &facts, arch).unwrap_err();
        assert_eq!((misfit.kind, misfit.message.as_str(), misfit.help.as_str()), (kind, message, help));
        assert_eq!(kind == Release, !profile.belongs(&kernel, &facts), "{text} in {release}");
    }
}

#[test]
fn releases_are_known() {
    let cases = [
        (
            "rhel",
            "8.6",
            "8.6",
            "registry.access.redhat.com/ubi8/ubi:8.6",
            "registry.access.redhat.com/ubi8/ubi-minimal:8.6",
        ),
        (
            "rhel",
            "10.2",
            "10.2",
            "registry.access.redhat.com/ubi10/ubi:10.2",
            "registry.access.redhat.com/ubi10/ubi-minimal:10.2",
        ),
        (
            "openshift",
            "4.18.3",
            "9.4",
            "registry.access.redhat.com/ubi9/ubi:9.4",
            "registry.access.redhat.com/ubi9/ubi-minimal:9.4",
        ),
        (
            "openshift",
            "4.12.0",
            "8.6",
            "registry.access.redhat.com/ubi8/ubi:8.6",
            "registry.access.redhat.com/ubi8/ubi-minimal:8.6",
        ),
        (
            "openshift",
            "4.22.9",
            "9.8 10.2",
            "registry.access.redhat.com/ubi9/ubi:9.8",
            "registry.access.redhat.com/ubi9/ubi-minimal:9.8",
        ),
        ("debian", "12", "12", "docker.io/library/debian:12", "docker.io/library/debian:12-slim"),
        ("ubuntu", "22.04", "22.04", "docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
        ("fedora", "43", "43", "quay.io/fedora/fedora:43", "quay.io/fedora/fedora-minimal:43"),
        ("fedora", "100", "100", "quay.io/fedora/fedora:100", "quay.io/fedora/fedora-minimal:100"),
    ];
    let profiles = Profiles::builtin();
    for (os, release, runs, base, minimal) in cases {
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
    assert_eq!(dtk("4.22.9", "6.12.0-211.7.1.el10_2.x86_64"), None);
    assert_eq!(dtk("5.0.1", "6.12.0-211.7.1.el10_2.x86_64"), image("openshift5/driver-toolkit-rhel10:v5.0"));
}

#[test]
fn unknown_releases_are_explained() {
    let cases = [
        ("rhel", "9.44", "did you mean `9.4`? RHEL has 8.0 to 8.10, 9.0 to 9.8 and 10.0 to 10.2"),
        ("rhel", "9", "write the whole release: 9.0 to 9.8"),
        ("rhel", "7.9", "RHEL has 8.0 to 8.10, 9.0 to 9.8 and 10.0 to 10.2"),
        ("debian", "Bookworm", "`Bookworm` is 12: write `12`"),
        ("debian", "12; rm", "Debian has 11, 12 and 13"),
        ("fedora", "rawhide", "Fedora has 38 to N"),
    ];
    let profiles = Profiles::builtin();
    for (os, release, help) in cases {
        let unknown = get(&profiles, os).release(release).unwrap_err();
        assert_eq!(unknown.help, help);
        assert_eq!(unknown.to_string(), format!("{} has no release `{release}`", get(&profiles, os).title));
    }
    let openshift = |release: &str| get(&profiles, "openshift").release(release).unwrap_err().help;
    assert_eq!(openshift("4.18"), "write the whole release: 4.18.Z");
    assert!(openshift("4.8.1").starts_with("OpenShift has 4.12.Z, 4.13.Z,"));
}

#[test]
fn packages_are_named() {
    let cases = [
        (
            "rhel",
            "9.4",
            "5.14.0-427.13.1.el9_4",
            "kernel-devel-5.14.0-427.13.1.el9_4.x86_64",
            "kernel-core-5.14.0-427.13.1.el9_4.x86_64 kernel-modules-5.14.0-427.13.1.el9_4.x86_64 \
             kernel-modules-extra-5.14.0-427.13.1.el9_4.x86_64",
            "rhel-9-for-x86_64-appstream-eus-rpms rhel-9-for-x86_64-baseos-eus-rpms",
            "/usr/src/kernels/5.14.0-427.13.1.el9_4.x86_64",
            "",
        ),
        (
            "rhel",
            "9.3",
            "5.14.0-362.8.1.el9_3.x86_64+rt",
            "kernel-rt-devel-5.14.0-362.8.1.el9_3.x86_64",
            "kernel-rt-core-5.14.0-362.8.1.el9_3.x86_64 kernel-rt-modules-5.14.0-362.8.1.el9_3.x86_64 \
             kernel-rt-modules-extra-5.14.0-362.8.1.el9_3.x86_64",
            "rhel-9-for-x86_64-rt-rpms",
            "/usr/src/kernels/5.14.0-362.8.1.el9_3.x86_64+rt",
            "",
        ),
        (
            "openshift",
            "4.12.6",
            "4.18.0-372.41.1.rt7.198.el8_6.x86_64",
            "kernel-rt-devel-4.18.0-372.41.1.rt7.198.el8_6.x86_64",
            "kernel-rt-core-4.18.0-372.41.1.rt7.198.el8_6.x86_64 kernel-rt-modules-4.18.0-372.41.1.rt7.198.el8_6.x86_64 \
             kernel-rt-modules-extra-4.18.0-372.41.1.rt7.198.el8_6.x86_64",
            "rhel-8-for-x86_64-rt-rpms",
            "/usr/src/kernels/4.18.0-372.41.1.rt7.198.el8_6.x86_64",
            "",
        ),
        (
            "debian",
            "12",
            "6.1.0-56-amd64",
            "linux-headers-6.1.0-56-amd64",
            "linux-image-6.1.0-56-amd64",
            "",
            "/usr/src/linux-headers-6.1.0-56-amd64",
            "/usr/src/linux-headers-6.1.0-56-common",
        ),
        (
            "debian",
            "12",
            "6.1.0-56-rt",
            "linux-headers-6.1.0-56-rt-amd64",
            "linux-image-6.1.0-56-rt-amd64",
            "",
            "/usr/src/linux-headers-6.1.0-56-rt-amd64",
            "/usr/src/linux-headers-6.1.0-56-common-rt",
        ),
        (
            "debian",
            "12",
            "6.12.111+deb12-cloud-amd64",
            "linux-headers-6.12.111+deb12-cloud-amd64",
            "linux-image-6.12.111+deb12-cloud-amd64",
            "",
            "/usr/src/linux-headers-6.12.111+deb12-cloud-amd64",
            "/usr/src/linux-headers-6.12.111+deb12-common",
        ),
        (
            "ubuntu",
            "24.04",
            "6.8.0-31-generic",
            "linux-headers-6.8.0-31-generic",
            "linux-modules-6.8.0-31-generic linux-modules-extra-6.8.0-31-generic",
            "",
            "/usr/src/linux-headers-6.8.0-31-generic",
            "",
        ),
        (
            "ubuntu",
            "22.04",
            "6.8.0-1021-gcp",
            "linux-headers-6.8.0-1021-gcp gcc-12",
            "linux-modules-6.8.0-1021-gcp linux-modules-extra-6.8.0-1021-gcp",
            "",
            "/usr/src/linux-headers-6.8.0-1021-gcp",
            "",
        ),
        (
            "fedora",
            "40",
            "6.8.5-301.fc40.x86_64+debug",
            "kernel-debug-devel-6.8.5-301.fc40.x86_64",
            "kernel-debug-core-6.8.5-301.fc40.x86_64 kernel-debug-modules-6.8.5-301.fc40.x86_64 \
             kernel-debug-modules-extra-6.8.5-301.fc40.x86_64",
            "",
            "/usr/src/kernels/6.8.5-301.fc40.x86_64+debug",
            "",
        ),
    ];
    fn all(names: &[impl AsRef<str>]) -> String {
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
    }
    let profiles = Profiles::builtin();
    for (os, release, text, build, in_tree, repositories, dir, src) in cases {
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
fn kernels_are_ordered() {
    let profiles = Profiles::builtin();
    for (os, texts) in [
        (
            "rhel",
            ["4.18.0-372.9.1.el8.x86_64", "4.18.0-372.13.1.el8_6.x86_64", "5.14.0-70.13.1.el9_0.x86_64"],
        ),
        ("debian", ["6.1.0-9-amd64", "6.1.0-18-amd64", "6.12.57+deb13-amd64"]),
        ("ubuntu", ["5.15.0-91-generic", "5.15.0-1001-gcp", "6.8.0-31-generic"]),
    ] {
        let profile = get(&profiles, os);
        let kernels = texts.map(|text| profile.kernel(text).unwrap());
        let mut sorted = kernels.clone();
        sorted.reverse();
        sorted.sort_by(|left, right| profile.compare_kernels(left, right));
        assert_eq!(sorted, kernels);
    }
}
