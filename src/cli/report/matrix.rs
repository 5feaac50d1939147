//! Targets to tables: one for each system, kernels by images.

use super::facts::{Facts, State, anchor};
use crate::compiler::outputs::{PlanExcluded, PlanTarget};
use crate::images::record::{TargetState, tally};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// With more targets than this, a system that needs nobody is folded.
const FOLDED: usize = 200;

/// A system and its kernels.
#[derive(Debug, Serialize)]
pub(super) struct System {
    title: String,
    summary: String,
    is_open: bool,
    is_calm: bool,
    images: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    kernel: String,
    is_calm: bool,
    cells: Vec<Cell>,
}

/// A kernel and an image.
#[derive(Debug, Default, Serialize)]
struct Cell {
    class: &'static str,
    word: &'static str,
    /// Where more is said of the target.
    anchor: Option<String>,
    /// Why it is excluded, or for which other releases it is.
    note: Option<String>,
}

/// The tables, in the manifest's order; `described` are the targets of which the page says more.
pub(super) fn systems(facts: &Facts<'_>, states: &[State], described: &BTreeSet<usize>) -> Vec<System> {
    let targets = &facts.compiled.json().targets;
    let mut order: Vec<(&str, &str, &str)> = Vec::new();
    let mut by_system: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for &at in &facts.chosen {
        let Some(target) = targets.get(at) else { continue };
        let system = (target.os.as_str(), target.release.as_str(), target.arch.as_str());
        by_system
            .entry(system)
            .or_insert_with(|| {
                order.push(system);
                Vec::new()
            })
            .push(at);
    }
    let system = |key: (&str, &str, &str)| {
        let members = by_system.get(&key).map(Vec::as_slice).unwrap_or_default();
        let excluded = facts.compiled.json().excluded.iter().filter(|cell| {
            !facts.is_part && (cell.os.as_str(), cell.release.as_str(), cell.arch.as_str()) == key
        });
        table(key, targets, members, &excluded.collect::<Vec<_>>(), states, described, facts.chosen.len())
    };
    order.into_iter().map(system).collect()
}

fn table(
    (os, release, arch): (&str, &str, &str),
    targets: &[PlanTarget],
    members: &[usize],
    excluded: &[&PlanExcluded],
    states: &[State],
    described: &BTreeSet<usize>,
    all: usize,
) -> System {
    let of = |at: &usize| Some((*at, targets.get(*at)?, *states.get(*at)?));
    let here: Vec<_> = members.iter().filter_map(of).collect();
    let mut images: Vec<&str> = Vec::new();
    here.iter().for_each(|(_, target, _)| add(&mut images, &target.image));
    excluded.iter().filter_map(|cell| cell.image.as_deref()).for_each(|image| add(&mut images, image));
    let mut kernels: Vec<&str> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let named = here.iter().map(|(_, target, _)| target.kernel.as_str());
    for kernel in named.chain(excluded.iter().map(|cell| cell.kernel.as_str())) {
        if known.insert(kernel) {
            kernels.push(kernel);
        }
    }
    let mut cells: BTreeMap<(&str, &str), Cell> = BTreeMap::new();
    for cell in excluded {
        let images =
            images.iter().copied().filter(|name| cell.image.as_deref().is_none_or(|only| only == *name));
        for image in images {
            let note = Some(cell.reason.clone());
            cells.insert((&cell.kernel, image), Cell { class: "x", word: "excluded", note, anchor: None });
        }
    }
    let mut busy: BTreeSet<&str> = BTreeSet::new();
    for (at, target, state) in &here {
        let also = (!target.also.is_empty()).then(|| format!("also for {}", target.also.join(", ")));
        let anchor = described.contains(at).then(|| anchor(*at));
        let cell = Cell { class: state.class(), word: state.word(), note: also, anchor };
        cells.insert((&target.kernel, &target.image), cell);
        if !state.is_calm() {
            busy.insert(&target.kernel);
        }
    }
    let rows = kernels.into_iter().map(|kernel| Row {
        kernel: kernel.to_owned(),
        is_calm: !busy.contains(kernel),
        cells: images.iter().map(|image| cells.remove(&(kernel, image)).unwrap_or_default()).collect(),
    });
    let rows = rows.collect();
    let known: Vec<TargetState> = here.iter().filter_map(|(.., state)| state.known()).collect();
    System {
        title: format!("{os} {release}, {arch}"),
        summary: if known.is_empty() { String::new() } else { tally(&known) },
        is_open: all <= FOLDED || !busy.is_empty() && here.len() <= FOLDED,
        is_calm: busy.is_empty(),
        images: images.into_iter().map(str::to_owned).collect(),
        rows,
    }
}

fn add<'a>(images: &mut Vec<&'a str>, image: &'a str) {
    if !images.contains(&image) {
        images.push(image);
    }
}
