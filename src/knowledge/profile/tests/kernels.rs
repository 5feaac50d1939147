//! Tables of real kernels, and of wrong ones with what is said of them.

use super::{get, table};
use crate::knowledge::profile::Profiles;
use crate::text::ids::Arch;

const KERNELS: &str = include_str!("../../../../tests/data/profiles/kernels.tsv");
const WRONG: &str = include_str!("../../../../tests/data/profiles/wrong-kernels.tsv");

#[test]
fn kernels_are_read() {
    let profiles = Profiles::builtin();
    for [os, text, arch, flavor, el, release] in table(KERNELS) {
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
    let profiles = Profiles::builtin();
    for [os, text, kind, label, help] in table(WRONG) {
        let error = profiles.kernel(get(&profiles, os), text).unwrap_err();
        let seen = (format!("{:?}", error.kind), error.label.as_str(), error.help.as_str());
        assert_eq!(seen, (kind.to_owned(), label, help), "{text}");
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
