//! What profiles and the lock know of the systems, releases and kernels of a matrix.

use super::tree::{Place, Spot};
use super::workspace::{Document, Workspace};
use crate::compiler::known::Known;
use crate::compiler::plan::releases_selected;
use crate::knowledge::profile::Profile;
use crate::language::kdl::Node;
use crate::text::diag::count;
use std::fmt::Write as _;

/// What is known of what stands at a place.
pub(super) fn at(workspace: &Workspace, document: &Document, spot: &Spot<'_>) -> Option<String> {
    let os = spot.path.iter().rev().find(|node| node.name.value == "os")?;
    let known = workspace.known(document)?;
    let profile = known.profiles.get(&os.text()?.value)?;
    let node = spot.path.last()?;
    match (spot.names().as_slice(), spot.place()) {
        (["matrix", "os"], Some(Place::Argument(0))) => Some(system(profile)),
        (["matrix", "os"], Some(Place::Argument(at))) => {
            releases(profile, &node.arguments.get(at)?.text()?.value)
        }
        (["matrix", "os", "kernel"], Some(Place::Argument(at))) => {
            kernel(profile, &node.arguments.get(at)?.text()?.value)
        }
        (["matrix", "os", "kernel"], place) if place != Some(Place::Property("from")) => {
            resolved(&known, os, node)
        }
        (["matrix", "os", "z"], _) => zstreams(&known, os, node),
        _ => None,
    }
}

fn system(profile: &Profile) -> String {
    let releases: Vec<&str> = profile.listed_releases().collect();
    let flavors: Vec<&str> = profile.flavors().collect();
    format!("{}: releases {}; flavours {}", profile.title, releases.join(", "), flavors.join(", "))
}

/// A release and the end of its support; of a comparison or a pattern, the releases that it stands for.
fn releases(profile: &Profile, text: &str) -> Option<String> {
    let selected = releases_selected(text, profile);
    if !selected.is_empty() {
        let each: Vec<String> =
            selected.iter().filter_map(|release| release_line(profile, release)).collect();
        return Some(format!("Stands for {}:\n\n{}", count(selected.len(), "release"), list(&each)));
    }
    release_line(profile, text)
}

/// `Debian 10: support ended on 2024-06-30`
pub(super) fn release_line(profile: &Profile, release: &str) -> Option<String> {
    let facts = profile.release(release).ok()?;
    let mut line = format!("{} {release}", profile.title);
    let _ = match (&facts.like, &facts.end_of_life) {
        (Some(like), _) => write!(line, ": not known; taken to be like {like}"),
        (None, Some(day)) => write!(line, ": support ended on {day}"),
        (None, None) => write!(line, ": no end of support has passed"),
    };
    line.extend(facts.shipped().map(|kernel| format!("; runs kernel {kernel}")));
    Some(line)
}

fn kernel(profile: &Profile, text: &str) -> Option<String> {
    let kernel = profile.kernel(text).ok()?;
    let releases = profile.releases_of(&kernel);
    let home = match releases.as_slice() {
        [] => "of no release that is known".to_owned(),
        releases => format!("of {} {}", profile.title, releases.join(", ")),
    };
    let arch = kernel.arch.map(|arch| format!(", {}", arch.name())).unwrap_or_default();
    Some(format!("Kernel {home}; flavour {}{arch}", kernel.flavor))
}

/// The kernels that the lock has for `match=` and `latest=`.
fn resolved(known: &Known, os: &Node, node: &Node) -> Option<String> {
    let pattern = node.text_property("match").map(|text| text.value);
    let latest =
        node.property("latest").and_then(crate::language::kdl::Value::integer).map(|number| number.value);
    if pattern.is_none() && latest.is_none() {
        return None;
    }
    let name = os.text()?.value;
    let profile = known.profiles.get(&name)?;
    let releases = written(os, profile);
    let is_asked = |query: &crate::knowledge::lock::KernelQuery| {
        query.os.as_str() == name
            && releases.iter().any(|release| release == query.release.as_str())
            && (&query.pattern, query.latest) == (&pattern, latest)
    };
    let found = known.lock.kernels.iter().filter(|(query, _)| is_asked(query));
    let lines: Vec<String> = found
        .flat_map(|(query, entry)| {
            let of = format!("{} {}, {}, {}", query.os, query.release, query.arch.name(), query.flavor);
            entry.value.kernels.iter().map(move |kernel| format!("`{kernel}` ({of})"))
        })
        .collect();
    Some(stands_for(&lines))
}

fn zstreams(known: &Known, os: &Node, node: &Node) -> Option<String> {
    let latest = node.property("latest").and_then(crate::language::kdl::Value::integer)?.value;
    let minors: Vec<String> = os.texts().skip(1).map(|text| text.value).collect();
    let found = known.lock.zstreams.iter();
    let found = found.filter(|(query, _)| {
        query.latest == latest && minors.iter().any(|minor| minor == query.release.as_str())
    });
    let lines: Vec<String> = found
        .flat_map(|(query, entry)| {
            entry.value.iter().map(move |release| format!("`{release}` ({})", query.arch.name()))
        })
        .collect();
    Some(stands_for(&lines))
}

fn stands_for(lines: &[String]) -> String {
    match lines {
        [] => "Not resolved yet: run `drvc lock`.".to_owned(),
        lines => format!("Stands for, by drivers.lock:\n\n{}", list(lines)),
    }
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("* {line}\n")).collect()
}

/// The releases that an `os` names, comparisons and patterns replaced.
pub(super) fn written(os: &Node, profile: &Profile) -> Vec<String> {
    let each = |text: String| match releases_selected(&text, profile) {
        selected if selected.is_empty() => vec![text],
        selected => selected,
    };
    os.texts().skip(1).flat_map(|text| each(text.value)).collect()
}
