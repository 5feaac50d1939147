//! What a driver's source tree says about itself: version, licence, and where it comes from.

use super::draft::Origin;
use super::files::text;
use crate::system::fs::{Kind, Tree};
use crate::text::ids::{GitRef, GitUrl, RelPath};
use std::collections::BTreeMap;

/// Files that are looked into.
const MAX_FILES: usize = 300;

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// `MODULE_VERSION`, where all files that have one agree.
    pub(super) version: Option<String>,
    /// The `SPDX-License-Identifier` of most source files.
    pub(super) license: Option<String>,
    /// The remote `origin` of git, as drvc takes it.
    pub(super) remote: Option<String>,
    /// The branch of git that is checked out.
    pub(super) branch: Option<String>,
    /// Whether git has submodules in it.
    pub(super) submodules: bool,
}

impl Facts {
    /// What was pushed, as the origin of a source.
    pub(super) fn origin(self) -> Option<Origin> {
        let reference = self.branch.map(|branch| ("branch", branch));
        self.remote.map(|url| Origin::Git { url, reference, submodules: self.submodules })
    }
}

/// Looks into the source files of a directory and right beneath it, and into git's files.
pub(super) fn facts(tree: &impl Tree, dir: &RelPath) -> Facts {
    let (mut versions, mut licenses) = (BTreeMap::new(), BTreeMap::new());
    for file in sources(tree, dir) {
        let Ok(text) = text(tree, &file) else { continue };
        let license = text.lines().take(5).find_map(|line| line.split_once("SPDX-License-Identifier:"));
        if let Some((_, license)) = license {
            let license = license.trim().trim_end_matches("*/").trim().to_owned();
            *licenses.entry(license).or_insert(0_usize) += 1;
        }
        let version = text.split_once("MODULE_VERSION(\"").and_then(|(_, rest)| rest.split_once('"'));
        if let Some((version, _)) = version {
            *versions.entry(version.to_owned()).or_insert(0_usize) += 1;
        }
    }
    // What lies deeper is not what that remote has at its top.
    let (remote, branch) = if dir.is_root() { git(tree) } else { (None, None) };
    Facts {
        version: (versions.len() == 1).then(|| versions.into_keys().next()).flatten(),
        license: licenses.into_iter().max_by_key(|(_, count)| *count).map(|(license, _)| license),
        remote,
        branch,
        submodules: RelPath::parse(".gitmodules").is_ok_and(|file| text(tree, &file).is_ok()),
    }
}

fn sources(tree: &impl Tree, dir: &RelPath) -> Vec<RelPath> {
    let mut found = Vec::new();
    let mut open = vec![(dir.clone(), 0)];
    while let Some((at, depth)) = open.pop() {
        for entry in tree.list(&at).map(|found| found.value).unwrap_or_default() {
            let Ok(path) = at.join(&entry.name) else { continue };
            match entry.kind {
                Kind::File if entry.name.ends_with(".c") || entry.name.ends_with(".h") => found.push(path),
                Kind::Directory
                    if depth < 2 && !entry.name.starts_with('.') && entry.name != "drivers.out" =>
                {
                    open.push((path, depth + 1));
                }
                _ => {}
            }
            if found.len() >= MAX_FILES {
                return found;
            }
        }
    }
    found.sort();
    found
}

/// The remote and the branch that git's own files name.
fn git(tree: &impl Tree) -> (Option<String>, Option<String>) {
    let read = |path: &str| RelPath::parse(path).ok().and_then(|path| text(tree, &path).ok());
    let config = read(".git/config").unwrap_or_default();
    let section = config
        .split_once("[remote \"origin\"]")
        .map(|(_, rest)| rest.split("\n[").next().unwrap_or_default());
    let url = section.and_then(|section| {
        section
            .lines()
            .find_map(|line| line.trim().strip_prefix("url")?.trim().strip_prefix('=').map(str::trim))
    });
    let head = read(".git/HEAD").unwrap_or_default();
    let branch = head.trim().strip_prefix("ref: refs/heads/").filter(|branch| GitRef::parse(branch).is_ok());
    (url.and_then(git_url), branch.map(str::to_owned))
}

/// An address of git as drvc takes it; that of ssh without a scheme is given one.
pub(super) fn git_url(url: &str) -> Option<String> {
    if GitUrl::parse(url).is_ok() {
        return Some(url.to_owned());
    }
    let (host, path) =
        url.split_once(':').filter(|(host, path)| host.contains('@') && !path.starts_with("//"))?;
    let url = format!("ssh://{host}/{}", path.trim_start_matches('/'));
    GitUrl::parse(&url).is_ok().then_some(url)
}
