//! Kernels that do not go with a release or an architecture, and what is said of them.

use super::get;
use crate::knowledge::profile::{IncompatibilityKind, Profiles};
use crate::text::ids::Arch;

#[test]
fn misfits_are_explained() {
    use IncompatibilityKind::{
        Arch as OfArch, Release, UnknownArch, UnknownFlavor as FlavorOfRelease,
        UnknownFlavorOfArch as FlavorOfArch,
    };
    let cases = [
        (
            ("rhel", "5.14.0-284.11.1.el9_2.x86_64", "9.4", Arch::X86_64),
            Release,
            "`5.14.0-284.11.1.el9_2.x86_64` is a kernel of RHEL 9.2, not of 9.4",
            "ask for 9.2, or write a kernel of 9.4's series `5.14.0-427`",
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
            "drvc knows no `rt` kernels of RHEL for aarch64",
            "no repository of real-time kernels for other architectures is known: name yours with `repository`",
        ),
        (
            ("openshift", "5.14.0-427.57.1.el9_4+rt", "4.18.2", Arch::Aarch64),
            FlavorOfArch,
            "drvc knows no `rt` kernels of OpenShift for aarch64",
            "the Driver Toolkit installs real-time kernels on x86_64 alone",
        ),
        (
            ("rhel", "5.14.0-427.18.1.el9_4+64k", "9.4", Arch::X86_64),
            FlavorOfArch,
            "drvc knows no `64k` kernels of RHEL for x86_64",
            "kernels with pages of 64k are built for aarch64 alone",
        ),
        (
            ("rhel", "5.14.0-162.6.1.el9_1.aarch64+64k", "9.1", Arch::Aarch64),
            FlavorOfRelease,
            "drvc knows no `64k` kernels of RHEL 9.1",
            "the first kernels of flavour 64k are 9.2's",
        ),
        (
            ("rhel", "5.14.0-427.13.1.el9_4.aarch64", "9.4", Arch::X86_64),
            OfArch,
            "`5.14.0-427.13.1.el9_4.aarch64` is a kernel for aarch64, not for x86_64",
            "write `5.14.0-427.13.1.el9_4` to have it for each `arch`, or ask for aarch64",
        ),
        (
            ("rocky", "5.14.0-427.13.1.el9_4", "9.4", Arch::Riscv64),
            UnknownArch,
            "drvc does not know kernels of Rocky Linux for riscv64",
            "known are x86_64, aarch64, ppc64le and s390x; the build fails where there are none",
        ),
        (
            ("debian", "6.12.57+deb13-amd64", "12", Arch::X86_64),
            Release,
            "`6.12.57+deb13-amd64` is a kernel of Debian 13, not of 12",
            "ask for 13, or write a kernel of 12's series `6.1`, `deb12` or `bpo`",
        ),
        (
            ("debian", "6.1.0-18-amd64", "13", Arch::X86_64),
            Release,
            "`6.1.0-18-amd64` is a kernel of Debian 12, not of 13",
            "ask for 12, or write a kernel of 13's series `deb13`",
        ),
        (
            ("ubuntu", "6.5.0-35-generic", "24.04", Arch::X86_64),
            Release,
            "`6.5.0-35-generic` is a kernel of Ubuntu 22.04 and 23.10, not of 24.04",
            "ask for 22.04 or 23.10, or write a kernel of 24.04's series `6.8.0`, `6.11.0`, `6.14.0`, `6.17.0` or `7.0.0`",
        ),
        (
            ("ubuntu", "6.8.0-31-generic-64k", "24.04", Arch::X86_64),
            FlavorOfArch,
            "drvc knows no `generic-64k` kernels of Ubuntu for x86_64",
            "kernels with pages of 64k are built for aarch64 alone",
        ),
        (
            ("ubuntu", "6.5.0-1025-azure-fde", "22.04", Arch::Aarch64),
            FlavorOfArch,
            "drvc knows no `azure-fde` kernels of Ubuntu for aarch64",
            "azure-fde kernels are not built for other architectures",
        ),
        (
            ("fedora", "6.8.5-301.fc40.x86_64", "41", Arch::X86_64),
            Release,
            "`6.8.5-301.fc40.x86_64` is a kernel of Fedora 40, not of 41",
            "ask for 40, or write a kernel of 41's series `fc41`",
        ),
    ];
    let profiles = Profiles::builtin();
    for ((os, text, release, arch), kind, message, help) in cases {
        let profile = get(&profiles, os);
        let (kernel, facts) = (profile.kernel(text).unwrap(), profile.release(release).unwrap());
        let misfit = profile.check(&kernel, &facts, arch).err();
        let misfit = misfit.or_else(|| profile.doubts(&kernel, &facts, arch).pop()).unwrap();
        assert_eq!((misfit.kind, misfit.message.as_str(), misfit.help.as_str()), (kind, message, help));
        assert_eq!(kind == Release, !profile.belongs(&kernel, &facts), "{text} in {release}");
    }
}
