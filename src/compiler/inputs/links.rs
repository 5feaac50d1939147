//! Symbolic links of a source -> those that lead to a file or directory of the same source, which are carried as links.

use super::found::{LeftOut, Walked, Why};
use crate::system::fs::FileDigest;
use crate::text::ids::{FilePath, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// As many links on one way as the kernel follows.
const MAX_LINKS: u32 = 40;

/// Adds the links that are carried to the files, sorted; leaves out the others.
pub(super) fn settle(dir: &RelPath, found: &mut Walked) {
    let links = std::mem::take(&mut found.links);
    if links.is_empty() {
        return;
    }
    let taken = Taken::new(dir, &found.files, &links);
    let (carried, left): (Vec<_>, Vec<_>) =
        links.iter().partition(|(path, target)| taken.leads_inside(path, target));
    let left = left.into_iter().map(|(path, target)| LeftOut {
        path: path.to_string(),
        why: Why::Link,
        doubtful: true,
        leads: beside(dir, path, target),
    });
    found.left.extend(left);
    found.files.extend(carried.into_iter().map(|(path, target)| (path.clone(), FileDigest::of_link(target))));
    found.files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
}

/// Where in the project, but not in the source, a link leads by its text.
fn beside(dir: &RelPath, path: &FilePath, target: &str) -> Option<RelPath> {
    let path = path.to_string();
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/').filter(|part| *part != ".") {
        match part {
            // An absolute one begins so.
            "" if parts.is_empty() || target.starts_with('/') => return None,
            "" => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    RelPath::parse(&parts.join("/")).ok().filter(|end| !end.is_within(dir))
}

/// The files, directories and links of a source, by their path in it; the source itself is the empty path.
struct Taken<'a> {
    dir: &'a RelPath,
    files: BTreeSet<&'a str>,
    directories: BTreeSet<&'a str>,
    links: BTreeMap<&'a str, &'a str>,
}

impl<'a> Taken<'a> {
    fn new(dir: &'a RelPath, files: &'a [(FilePath, FileDigest)], links: &'a [(FilePath, String)]) -> Self {
        let files: BTreeSet<_> = files.iter().filter_map(|(path, _)| path.beneath(dir)).collect();
        let mut directories = BTreeSet::from([""]);
        let linked = links.iter().filter_map(|(path, _)| path.beneath(dir));
        for file in files.iter().copied().chain(linked) {
            let mut above = file;
            while let Some((directory, _)) = above.rsplit_once('/') {
                if !directories.insert(directory) {
                    break;
                }
                above = directory;
            }
        }
        let links = links.iter().filter_map(|(path, target)| Some((path.beneath(dir)?, target.as_str())));
        Self { dir, files, directories, links: links.collect() }
    }

    fn leads_inside(&self, path: &FilePath, target: &str) -> bool {
        let start =
            path.beneath(self.dir).and_then(|path| path.rsplit_once('/')).map_or("", |(above, _)| above);
        let end = self.resolve(start.to_owned(), target, MAX_LINKS);
        end.is_some_and(|end| self.files.contains(end.as_str()) || self.directories.contains(end.as_str()))
    }

    /// Where a text leads from a directory, as the kernel goes; nothing where it leaves the source.
    fn resolve(&self, from: String, target: &str, left: u32) -> Option<String> {
        if target.starts_with('/') || left == 0 {
            return None;
        }
        let mut at = from;
        for part in target.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if !self.directories.contains(at.as_str()) {
                return None;
            }
            if part == ".." {
                let above = if at.is_empty() {
                    None
                } else {
                    Some(at.rsplit_once('/').map_or("", |(above, _)| above))
                };
                at = above?.to_owned();
                continue;
            }
            let next = if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
            at = match self.links.get(next.as_str()) {
                Some(target) => self.resolve(at, target, left.checked_sub(1)?)?,
                None => next,
            };
        }
        Some(at)
    }
}
