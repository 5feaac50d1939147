//! From cells to groups: an image and the cells that are one build of it, which become one target.

use super::Inputs;
use super::cell::{Cell, Excluded};
use super::reports::{dead, dead_among, too_many};
use crate::compiler::model::selector::{Index, Values};
use crate::compiler::model::{Image, Model, Selector};
use crate::knowledge::profile::Builder;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::Arch;
use std::collections::{BTreeMap, BTreeSet};

/// An image and the cells that make one target of it; the first is the one it is built for.
pub(super) struct Group<'a> {
    pub image: &'a Image,
    pub cells: Vec<&'a Cell<'a>>,
}

/// Pairs every image with the cells it is for, merged.
pub(super) fn select<'a>(
    inputs: &Inputs<'a>,
    cells: &'a [Cell<'a>],
    excluded: &mut Vec<Excluded>,
    diagnostics: &mut Diagnostics,
) -> Vec<Group<'a>> {
    let model = inputs.model;
    let excludes: Vec<_> =
        model.matrix.exclude.iter().filter(|exclude| exclude.selector.names_image()).collect();
    let index = Index::new(excludes.iter().map(|exclude| &exclude.selector));
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for image in &model.images {
        let name = image.layers.name.as_str();
        warn_dead(image, cells, diagnostics);
        let only = Index::new(image.only.iter());
        let mut by_build: BTreeMap<(&str, &str, Arch, &str, &str), Vec<&Cell<'_>>> = BTreeMap::new();
        for cell in cells {
            let view = cell.view(Some(name));
            let is_wanted = image.only.is_empty() || !only.selecting(&view).is_empty();
            let selecting = index.selecting(&view);
            let reason = selecting.first().and_then(|&at| excludes.get(at)).map(|exclude| &exclude.reason);
            seen.extend(selecting);
            match reason {
                _ if !is_wanted => {}
                Some(reason) => excluded.push(cell.excluded(Some(&image.layers.name), reason)),
                None => by_build.entry(build_key(cell)).or_default().push(cell),
            }
        }
        for (_, mut merged) in by_build {
            merged.sort_by(|a, b| precedence(a, b));
            groups.push(Group { image, cells: merged });
            if groups.len() > inputs.max_targets {
                diagnostics.push(too_many(inputs, model.matrix.span));
                return Vec::new();
            }
        }
    }
    if seen.len() < excludes.len() {
        let names = model.images.iter().map(|image| image.layers.name.as_str());
        let views = names.flat_map(|name| cells.iter().map(move |cell| cell.view(Some(name))));
        let values = Values::of(views);
        for (_, exclude) in excludes.iter().enumerate().filter(|(at, _)| !seen.contains(at)) {
            diagnostics.push(dead_among(&exclude.selector, "`exclude`", &values));
        }
    }
    if groups.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::new(Code::EmptyMatrix, "no image is built for any cell")
                .label(model.matrix.span, "nothing of it is left")
                .help("widen `only`, or take an `exclude` out"),
        );
    }
    groups
}

/// What makes cells one build: OpenShift's and RHEL's kernels are the same ones, all others are their own
/// distribution's and release's.
fn build_key<'c>(cell: &'c Cell<'_>) -> (&'c str, &'c str, Arch, &'c str, &'c str) {
    let shared = cell.kernel_family() == "rhel";
    let (os, release) =
        if shared { ("", "") } else { (cell.profile.os.as_str(), cell.release.release.as_str()) };
    (cell.kernel_family(), cell.kernel.text.as_str(), cell.arch, os, release)
}

/// Driver Toolkit before toolkit before distribution, then the lowest release.
fn precedence(a: &Cell<'_>, b: &Cell<'_>) -> std::cmp::Ordering {
    let rank = |cell: &Cell<'_>| match cell.setup.builder {
        Builder::Dtk => 0,
        Builder::Toolkit => 1,
        Builder::Distro => 2,
    };
    rank(a)
        .cmp(&rank(b))
        .then_with(|| a.profile.os.cmp(&b.profile.os))
        .then_with(|| a.profile.compare_releases(a.release.release.as_str(), b.release.release.as_str()))
}

impl Group<'_> {
    /// Cells that are merged must be built the same way.
    pub fn differing_overlays(&self, model: &Model) -> Option<Diagnostic> {
        let (first, others) = self.cells.split_first().filter(|(_, others)| !others.is_empty())?;
        let image = self.image.layers.name.as_str();
        let selectors = model
            .sources
            .iter()
            .flat_map(|source| source.overlays.iter().map(|overlay| &overlay.selector))
            .chain(
                model
                    .modules
                    .iter()
                    .flat_map(|module| module.overlays.iter().map(|overlay| &overlay.selector)),
            )
            .chain(self.image.layers.overlays.iter().map(|overlay| &overlay.selector));
        let selectors: Vec<_> = selectors.collect();
        for other in others {
            let differs = |selector: &&&Selector| {
                selector.selects(&first.view(Some(image))) != selector.selects(&other.view(Some(image)))
            };
            if let Some(selector) = selectors.iter().find(differs) {
                let name = |cell: &Cell<'_>| format!("{} {}", cell.profile.os, cell.release.release);
                let label = |cell: &Cell<'_>| match selector.selects(&cell.view(Some(image))) {
                    true => "selected by it",
                    false => "not selected by it",
                };
                return Some(
                    Diagnostic::new(
                        Code::MergedCellsDiffer,
                        format!("{} and {} run one kernel, so they share one image", name(first), name(other)),
                    )
                    .label(selector.span, "holds for one of them only")
                    .label(first.release_span, label(first))
                    .label(other.release_span, label(other))
                    .help("select by `kernel`, `el` or `family`, which both have in common, or exclude one of them"),
                );
            }
        }
        None
    }
}

/// Reports what of an image's `only` and `on` selects no cell.
fn warn_dead(image: &Image, cells: &[Cell<'_>], diagnostics: &mut Diagnostics) {
    let name = image.layers.name.as_str();
    let views = || cells.iter().map(|cell| cell.view(Some(name)));
    let only = image.only.iter().map(|selector| (selector, "`only`"));
    let overlays = image.layers.overlays.iter().map(|overlay| (&overlay.selector, "`on`"));
    let unmet = only.chain(overlays).filter(|(selector, _)| !views().any(|view| selector.selects(&view)));
    dead(unmet, views, diagnostics);
}
