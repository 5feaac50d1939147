//! No kernel is refused under its own distribution: neither those that shipped nor those that no profile knows, and each
//! has its own package of headers, in exactly its version.

use super::get;
use crate::knowledge::profile::Profiles;
use crate::text::ids::Arch;
use std::collections::BTreeMap;

const SHIPPED: &str = include_str!("../../../../tests/data/shipped.tsv");
const UNKNOWN: &str = include_str!("../../../../tests/data/unknown.tsv");

/// What is wrong with a line of a table.
fn fault(profiles: &Profiles, line: &str) -> Option<String> {
    let cells: Vec<&str> = line.split('\t').collect();
    let &[os, release, text, package] = cells.as_slice() else {
        return Some(format!("{line}: not four cells"));
    };
    let profile = get(profiles, os);
    let kernel = match profiles.kernel(profile, text) {
        Ok(kernel) => kernel,
        Err(error) => return Some(format!("{line}: {error}: {}", error.label)),
    };
    let facts = match profile.release(release) {
        Ok(facts) => facts,
        Err(error) => return Some(format!("{line}: {error}")),
    };
    let arch = kernel.arch.unwrap_or(Arch::X86_64);
    if let Err(misfit) = profile.check(&kernel, &facts, arch) {
        return Some(format!("{line}: {misfit}"));
    }
    let packages = match profile.packages(&kernel, &facts, arch) {
        Ok(packages) => packages,
        Err(unusable) => return Some(format!("{line}: {unusable}")),
    };
    let bare = |name: &str| {
        let name = name.replacen('=', "-", 1);
        let own = Arch::ALL.iter().map(|arch| arch.name()).chain(["armv7hl"]);
        let mut ends = own.filter_map(|arch| name.strip_suffix(arch)?.strip_suffix('.').map(str::to_owned));
        ends.next_back().unwrap_or(name)
    };
    let exists = packages.build.iter().any(|name| bare(name.as_str()) == bare(package));
    (!exists).then(|| format!("{line}: {:?}", packages.build))
}

fn faults(table: &str) -> (BTreeMap<&str, usize>, Vec<String>) {
    let profiles = Profiles::builtin();
    let mut counts = BTreeMap::new();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter_map(|line| {
        *counts.entry(line.split('\t').next().unwrap_or_default()).or_insert(0) += 1;
        fault(&profiles, line)
    });
    let found = found.collect();
    (counts, found)
}

#[test]
fn what_shipped_is_never_refused() {
    let (counts, found) = faults(SHIPPED);
    assert!(found.is_empty(), "{} of {counts:?}:\n{}", found.len(), found.join("\n"));
    assert!(counts.values().sum::<usize>() > 300, "{counts:?}");
}

#[test]
fn what_is_not_known_is_never_refused() {
    let (counts, found) = faults(UNKNOWN);
    assert!(found.is_empty(), "{} of {counts:?}:\n{}", found.len(), found.join("\n"));
}

/// A guess never crosses vendors: whatever a rebuild is asked for, its repositories are its own.
#[test]
fn guesses_stay_with_their_vendor() {
    let profiles = Profiles::builtin();
    let lines = UNKNOWN.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let &[os, release, text, _] = cells.as_slice() else { panic!("{line}") };
        let profile = get(&profiles, os);
        let (kernel, facts) = (profile.kernel(text).unwrap(), profile.release(release).unwrap());
        let packages = profile.packages(&kernel, &facts, kernel.arch.unwrap_or(Arch::X86_64)).unwrap();
        let of_red_hat = packages
            .repositories
            .iter()
            .chain(&packages.subscription)
            .any(|id| id.as_str().starts_with("rhel-") || id.as_str().starts_with("rhocp-"));
        assert!(!of_red_hat || ["rhel", "openshift"].contains(&os), "{line}");
        for mirror in profile.mirrors(&facts, Arch::X86_64, None) {
            assert!(os == "rhel" || !mirror.url.as_str().contains("redhat.com"), "{line}");
        }
    }
}
