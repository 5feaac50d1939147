//! Kernels into the `os` nodes that they belong under, as far as the profiles know them.

use super::draft::Os;
use crate::knowledge::profile::Profiles;

/// What a manifest is made for when nothing is said: real kernels, and the profile and release that each belongs to.
const EXAMPLES: [(&str, &str, &str); 3] = [
    ("rhel", "9.4", "5.14.0-427.13.1.el9_4.x86_64"),
    ("rhel", "10.0", "6.12.0-55.9.1.el10_0.x86_64"),
    ("rhel", "8.10", "4.18.0-553.el8_10.x86_64"),
];

/// The matrices to choose from when nothing is said, the best first.
#[must_use]
pub fn examples() -> Vec<Vec<Os>> {
    let one = |(name, release, kernel): &(&str, &str, &str)| {
        vec![Os {
            notes: vec![
                "An example: put the kernels of your nodes here, as `uname -r` prints them.".to_owned(),
            ],
            name: (*name).to_owned(),
            releases: vec![(*release).to_owned()],
            kernels: vec![(*kernel).to_owned()],
        }]
    };
    EXAMPLES.iter().map(one).collect()
}

/// The `os` nodes for some kernels, in the order in which their releases come up.
///
/// # Errors
/// A kernel that no profile knows, or that several do where `os` names none: what is wrong, and what to do.
pub fn of(kernels: &[String], os: Option<&str>, profiles: &Profiles) -> Result<Vec<Os>, (String, String)> {
    let mut nodes: Vec<Os> = Vec::new();
    for kernel in kernels {
        let (name, release) = home(kernel, os, None, profiles)?;
        put(&mut nodes, name, release, kernel);
    }
    Ok(nodes)
}

/// Puts a kernel under the node of its system and release.
pub(super) fn put(nodes: &mut Vec<Os>, name: String, release: String, kernel: &str) {
    match nodes.iter_mut().find(|node| node.name == name && node.releases == [release.clone()]) {
        Some(node) if node.kernels.iter().any(|known| known == kernel) => {}
        Some(node) => node.kernels.push(kernel.to_owned()),
        None => nodes.push(Os {
            notes: Vec::new(),
            name,
            releases: vec![release],
            kernels: vec![kernel.to_owned()],
        }),
    }
}

/// The system and the release that a kernel belongs to, `prefer` where it may be several. RHEL's kernels are
/// also those of what is rebuilt from it, so the one that gives its family the name is taken unless another is named.
pub(super) fn home(
    kernel: &str,
    os: Option<&str>,
    prefer: Option<&str>,
    profiles: &Profiles,
) -> Result<(String, String), (String, String)> {
    let wanted = profiles.names().into_iter().filter(|name| os.is_none_or(|os| os == *name));
    let mut homes: Vec<(String, String)> = wanted
        .filter_map(|name| {
            let profile = profiles.get(name)?;
            let known = profiles.kernel(profile, kernel).ok()?;
            let releases = profile.releases_of(&known);
            let preferred = releases.iter().find(|release| Some(release.as_str()) == prefer);
            // An older release has a newer one's kernel as an extra (Ubuntu's HWE): that one's own is meant.
            let release = preferred.or_else(|| releases.last())?.clone();
            Some((name.to_owned(), release))
        })
        .collect();
    let family = |name: &str| profiles.get(name).map(|profile| profile.family.to_string());
    if let Some(first) = homes.first().and_then(|(name, _)| family(name))
        && homes.iter().all(|(name, _)| family(name).as_deref() == Some(&first))
        && homes.iter().any(|(name, _)| *name == first)
    {
        homes.retain(|(name, _)| *name == first);
    }
    match homes.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err((
            format!("no release is known that kernel `{kernel}` belongs to"),
            "write it as `uname -r` prints it on the node, or name no kernel and put it into the matrix yourself".into(),
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            Err((format!("kernel `{kernel}` may belong to {}", names.join(" or ")), "say which with `--os`".into()))
        }
    }
}
