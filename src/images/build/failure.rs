//! Builds that failed, put together by what went wrong first, and where in the kernels' order that begins or ends.

use super::item::Item;
use super::log::Step;
use crate::compiler::plan::Target;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// How a build failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened: how the engine ended, or what was wrong with what it made.
    pub reason: String,
    /// What to do, where that is known.
    pub help: Option<String>,
    /// The instruction that failed.
    pub step: Option<Step>,
    /// The first error that was told.
    pub error: Option<String>,
    /// The last lines of that instruction.
    pub tail: Vec<String>,
    /// The log, relative to the manifest's directory.
    pub log: Option<String>,
}

impl Failure {
    /// Of something that has no log: `reason`, and what to do.
    #[must_use]
    pub const fn plain(reason: String, help: Option<String>) -> Self {
        Self { reason, help, step: None, error: None, tail: Vec::new(), log: None }
    }

    /// What it is put together with others by.
    #[must_use]
    pub fn headline(&self) -> &str {
        self.error.as_deref().unwrap_or(&self.reason)
    }
}

/// Failures with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What went wrong.
    pub headline: String,
    /// The targets that it hit, and the toolkits that were asked for.
    pub items: Vec<Item>,
    /// From or up to which kernel it goes wrong, and what may settle that; a line for each image that has a boundary.
    pub boundaries: Vec<String>,
}

/// All failures of a run.
#[derive(Clone, Debug, Default)]
pub struct Failures(Vec<Group>);

impl Failures {
    /// Puts together what failed, each with its failure. `good` says which have their image.
    #[must_use]
    pub fn of(targets: &[Target], failed: &[(Item, &Failure)], good: impl Fn(Item) -> bool) -> Self {
        let mut groups: BTreeMap<String, (BTreeSet<&str>, Vec<Item>)> = BTreeMap::new();
        for (item, failure) in failed {
            let cause = cause(targets, *item, failure.headline());
            let (headlines, items) = groups.entry(cause).or_default();
            headlines.insert(failure.headline());
            items.push(*item);
        }
        let group = |(cause, (headlines, items)): (String, (BTreeSet<&str>, Vec<Item>))| Group {
            headline: match headlines.first() {
                Some(headline) if headlines.len() == 1 => (*headline).to_owned(),
                _ => cause,
            },
            boundaries: boundaries(targets, &items, &good),
            items,
        };
        let mut groups: Vec<_> = groups.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.items.len()));
        Self(groups)
    }

    /// The groups, those that hit most first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.0.iter()
    }
}

/// A headline without the kernel that it is about: a package that is missing for each of twelve kernels is one cause.
fn cause(targets: &[Target], item: Item, headline: &str) -> String {
    let Item::Target(at) = item else { return headline.to_owned() };
    let Some(target) = targets.get(at) else { return headline.to_owned() };
    let kernel = target.at.kernel.as_str();
    // Names of RPMs' versions go without the architecture.
    let version = kernel.split_once(&format!(".{}", target.at.arch)).map_or(kernel, |(version, _)| version);
    headline.replace(kernel, "{kernel}").replace(version, "{kernel}")
}

/// What kernels must have in common to be compared: image, distribution, architecture and flavour.
fn line(target: &Target) -> (&str, &str, &str, &str) {
    (target.image.as_str(), target.at.os.as_str(), target.at.arch.name(), target.at.flavor.as_str())
}

fn boundaries(targets: &[Target], hit: &[Item], good: impl Fn(Item) -> bool) -> Vec<String> {
    let mut lines: BTreeMap<_, (Vec<&Target>, Vec<&Target>)> = BTreeMap::new();
    for (at, target) in targets.iter().enumerate() {
        let (bad, fine) = lines.entry(line(target)).or_default();
        if hit.contains(&Item::Target(at)) {
            bad.push(target);
        } else if good(Item::Target(at)) {
            fine.push(target);
        }
    }
    lines.into_values().filter_map(|(bad, fine)| boundary(bad, fine)).collect()
}

fn boundary(mut bad: Vec<&Target>, mut fine: Vec<&Target>) -> Option<String> {
    let by_kernel = |a: &&Target, b: &&Target| compare(a, b);
    bad.sort_by(by_kernel);
    fine.sort_by(by_kernel);
    let (first_bad, last_bad) = (bad.first()?, bad.last()?);
    let (first_fine, last_fine) = (fine.first()?, fine.last()?);
    if compare(last_fine, first_bad) == Ordering::Less {
        let bound = shortest_above(first_bad, last_fine);
        return Some(format!("fails from {} on: an `on kernel=\">={bound}\"` patch?", first_bad.at.kernel));
    }
    if compare(last_bad, first_fine) == Ordering::Less {
        let bound = shortest_above(first_fine, last_bad);
        return Some(format!("fails up to {}: an `on kernel=\"<{bound}\"` patch?", last_bad.at.kernel));
    }
    None
}

fn compare(a: &Target, b: &Target) -> Ordering {
    a.order.compare(a.at.kernel.as_str(), b.at.kernel.as_str())
}

/// The shortest beginning of a kernel that is still above another one.
fn shortest_above<'k>(kernel: &'k Target, below: &Target) -> &'k str {
    let text = kernel.at.kernel.as_str();
    let ends = text.match_indices(['.', '-', '+', '~', '_']).map(|(at, _)| at);
    let beginnings = ends.filter_map(|end| text.get(..end));
    let above = |start: &&str| kernel.order.compare(start, below.at.kernel.as_str()) == Ordering::Greater;
    beginnings.filter(|start| !start.is_empty()).find(above).unwrap_or(text)
}
