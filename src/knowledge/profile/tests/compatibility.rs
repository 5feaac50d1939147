//! Kernels that do not go with a release or an architecture, and what is said of them.

use super::{get, table};
use crate::knowledge::profile::Profiles;
use crate::text::ids::Arch;

const COMPATIBILITY: &str = include_str!("../../../../tests/data/profiles/compatibility.tsv");

#[test]
fn misfits_are_explained() {
    let profiles = Profiles::builtin();
    for [os, text, release, arch, kind, message, help] in table(COMPATIBILITY) {
        let profile = get(&profiles, os);
        let (kernel, facts) = (profile.kernel(text).unwrap(), profile.release(release).unwrap());
        let arch = Arch::parse(arch).unwrap();
        let misfit = profile.check(&kernel, &facts, arch).err();
        let misfit = misfit.or_else(|| profile.doubts(&kernel, &facts, arch).pop()).unwrap();
        assert_eq!((misfit.message.as_str(), misfit.help.as_str()), (message, help));
        assert_eq!(format!("{:?}", misfit.kind), kind, "{text}");
        assert_eq!(kind == "Release", !profile.belongs(&kernel, &facts), "{text} in {release}");
    }
}
