//! Tables of real kernels, and of wrong ones with what is said of them.

use super::get;
use crate::knowledge::profile::{KernelErrorKind, Profiles};
use crate::text::ids::Arch;

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
            assert_eq!(profile.check(&kernel, &facts, arch), Ok(()), "{text}");
            assert_eq!(profile.doubts(&kernel, &facts, arch), [], "{text}");
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
    use KernelErrorKind::{Contradictory, Foreign, Malformed};
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
            "6.8.5-301.fc40.x86_64",
            Foreign,
            "a kernel of Fedora or Fedora CoreOS",
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
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
            "write a kernel of RHEL, such as `5.14.0-427.13.1.el9_4.x86_64`",
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
            "5.15.0-91-generic",
            Foreign,
            "a kernel of Ubuntu",
            "write a kernel of Debian, such as `6.1.0-18-amd64`",
        ),
        (
            "ubuntu",
            "6.1.0-18-amd64",
            Foreign,
            "a kernel of Debian",
            "write a kernel of Ubuntu, such as `6.8.0-31-generic`",
        ),
        (
            "fedora",
            "5.14.0-427.13.1.el9_4.x86_64",
            Foreign,
            "a kernel of AlmaLinux, Oracle Linux, RHEL or Rocky Linux",
            "write a kernel of Fedora, such as `6.8.5-301.fc40.x86_64`",
        ),
    ];
    let profiles = Profiles::builtin();
    for (os, text, kind, label, help) in cases {
        let error = profiles.kernel(get(&profiles, os), text).unwrap_err();
        assert_eq!((error.kind, error.label.as_str(), error.help.as_str()), (kind, label, help), "{text}");
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
