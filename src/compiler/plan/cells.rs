//! From the matrix to cells: each kernel goes to the releases it belongs to, crossed with the architectures.

use super::Inputs;
use super::cell::{Cell, Excluded};
use super::kernels::{self, Named};
use super::reports::{dead, dead_among, repeated, too_many};
use super::rule::{default_arch, written};
use super::setup::Setups;
use super::{doubts, listed, releases};
use crate::compiler::model::selector::{Index, Values};
use crate::compiler::model::{CellBody, OsRule, Overlay};
use crate::knowledge::lock::OpenShiftPin;
use crate::knowledge::profile::{
    Fit, Incompatibility, IncompatibilityKind, Kernel, KernelPackages, Profile, ReleaseFacts,
};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{Arch, KernelText, OsName, Release};
use crate::text::source::{Span, Spanned};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many combinations are looked at and no more: what is beyond was not meant.
const MAX_COMBINATIONS: usize = 20_000_000;
/// So often are globs and comparisons tried, each on every cell.
const MAX_TESTS: usize = 2_000_000;

/// Makes the cells, apart from those that an `exclude` takes out whole.
pub(super) fn expand<'a>(
    inputs: &Inputs<'a>,
    diagnostics: &mut Diagnostics,
) -> (Vec<Cell<'a>>, Vec<Excluded>) {
    if let Some(problem) = too_many_combinations(inputs) {
        diagnostics.push(problem);
        return (Vec::new(), Vec::new());
    }
    let mut expansion = Expansion {
        inputs,
        diagnostics,
        cells: Vec::new(),
        known: BTreeMap::new(),
        setups: Setups::default(),
        doubted: BTreeSet::new(),
    };
    for (at, rule) in inputs.model.matrix.os.iter().enumerate() {
        expansion.rule(at, rule);
    }
    let Expansion { mut cells, setups, .. } = expansion;
    setups.unlocked().for_each(|report| diagnostics.push(report));
    let open = inputs.model.selectors().filter(|selector| selector.is_open()).count();
    if let Some(problem) = too_many_tests(open, cells.len(), inputs.model.matrix.span) {
        diagnostics.push(problem);
        return (Vec::new(), Vec::new());
    }
    warn_dead(&inputs.model.matrix.overlays, &cells, diagnostics);
    let excluded = exclude(inputs, &mut cells, diagnostics);
    if cells.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::new(Code::EmptyMatrix, "the matrix has no cell left")
                .label(inputs.model.matrix.span, "every cell is excluded")
                .help("take an `exclude` out, or narrow it"),
        );
    }
    (cells, excluded)
}

/// Takes out what is excluded for every image.
fn exclude(inputs: &Inputs<'_>, cells: &mut Vec<Cell<'_>>, diagnostics: &mut Diagnostics) -> Vec<Excluded> {
    let excludes = inputs.model.matrix.exclude.iter().filter(|exclude| !exclude.selector.names_image());
    let excludes: Vec<_> = excludes.collect();
    let index = Index::new(excludes.iter().map(|exclude| &exclude.selector));
    let mut seen = BTreeSet::new();
    let mut excluded = Vec::new();
    cells.retain(|cell| {
        let selecting = index.selecting(&cell.view(None));
        let reason = selecting.first().and_then(|&at| excludes.get(at)).map(|exclude| &exclude.reason);
        excluded.extend(reason.map(|reason| cell.excluded(None, reason)));
        seen.extend(selecting);
        reason.is_none()
    });
    if !diagnostics.has_errors() && seen.len() < excludes.len() {
        let values = Values::of(cells.iter().map(|cell| cell.view(None)));
        for (_, exclude) in excludes.iter().enumerate().filter(|(at, _)| !seen.contains(at)) {
            diagnostics.push(dead_among(&exclude.selector, "`exclude`", &values));
        }
    }
    excluded
}

struct Expansion<'a, 'b> {
    inputs: &'b Inputs<'a>,
    diagnostics: &'b mut Diagnostics,
    cells: Vec<Cell<'a>>,
    /// Where each os, release, kernel and architecture came from.
    known: BTreeMap<(OsName, Release, KernelText, Arch), Span>,
    setups: Setups,
    /// What was said not to be known, once for all cells of an os.
    doubted: BTreeSet<(usize, String)>,
}

impl<'a> Expansion<'a, '_> {
    fn rule(&mut self, at: usize, rule: &'a OsRule) {
        let Some(profile) = self.inputs.profiles.get(&rule.name.value) else {
            // A profile that could not be read has been reported.
            if !self.inputs.profiles.is_broken(&rule.name.value) {
                self.diagnostics.push(doubts::unknown_os(self.inputs, rule));
            }
            return;
        };
        let releases = releases::known(self.inputs, rule, profile, self.diagnostics);
        let named = kernels::of_rule(self.inputs, rule, profile, &releases, self.diagnostics);
        let releases: Vec<_> = releases.into_iter().map(|(facts, span)| (Arc::new(facts), span)).collect();
        self.diagnostics.extend(listed::arches(rule, &named));
        let mut spots = Vec::with_capacity(named.len());
        for kernel in &named {
            // An `exclude` may take some out again, but not nine of ten.
            if self.cells.len() + spots.len() > self.inputs.max_targets.saturating_mul(10) {
                self.diagnostics.push(too_many(self.inputs, rule.name.span));
                break;
            }
            self.diagnostics.extend(listed::kernel(rule, kernel));
            spots.extend(Spot::all(at, rule, profile, &releases, kernel));
        }
        // What asks the profile alone is done side by side, and what comes out taken in order.
        let fitting: Vec<_> = spots.par_iter().map(Spot::fitting).collect();
        let mut misfits = Vec::new();
        for (spot, fitting) in spots.iter().zip(fitting) {
            match fitting {
                Ok(fitting) => self.cell(spot, fitting),
                Err(report) => misfits.push(report),
            }
        }
        self.diagnostics.extend(doubts::one_for_each_release(misfits));
    }

    fn cell(&mut self, spot: &Spot<'a, '_>, fitting: Fitting) {
        let Spot { profile, facts, named, arch, arch_span, .. } = *spot;
        let Fitting { kernel, packages, doubts } = fitting;
        let doubts = self.doubts(spot, &kernel, &packages, doubts);
        let Some(platform) = facts.platform(&kernel) else { return };
        let span = named.span;
        let key = (profile.os.clone(), facts.release.clone(), kernel.text.clone(), arch);
        if let Some(&first) = self.known.get(&key) {
            self.diagnostics.push(repeated("kernel", kernel.text.as_str(), span, first));
            return;
        }
        self.known.insert(key, span);
        let listed = spot.rule.arches.iter().find(|one| one.value == arch);
        let mut cell = Cell {
            id: self.cells.len(),
            profile,
            release: Arc::clone(facts),
            platform: Arc::clone(platform),
            el: kernel.el.map(|el| el.to_string()),
            openshift: named.openshift.or_else(|| self.openshift(spot, &kernel)),
            kernel,
            arch,
            packages: Arc::new(packages),
            doubts,
            setup: Arc::default(),
            span,
            arch_span: listed.map_or(arch_span, |one| one.span),
            release_span: spot.release_span,
        };
        let Some(setup) = self.setups.of(self.inputs, self.diagnostics, (spot.at, spot.rule), &cell) else {
            return;
        };
        cell.setup = setup;
        if let Some(stream) = &cell.setup.stream
            && let Ok(packages) = profile.packages_of_stream(&cell.kernel, facts, arch, Some(stream))
        {
            cell.packages = Arc::new(packages);
        }
        self.cells.push(cell);
    }

    /// What is not known for certain of a cell, each thing reported.
    fn doubts(
        &mut self,
        spot: &Spot<'a, '_>,
        kernel: &Kernel,
        packages: &KernelPackages,
        found: Vec<Incompatibility>,
    ) -> Vec<String> {
        let Spot { rule, profile, facts, release_span, named, arch_span, .. } = *spot;
        let mut doubts = Vec::new();
        for doubt in found {
            let report = doubts::report(&doubt, rule, named.span, release_span, arch_span);
            // Once for all cells of an `os`.
            if self.doubted.insert((spot.at, report.message.clone())) {
                self.diagnostics.push(report);
            }
            doubts.push(doubt.message);
        }
        if !packages.unverified.is_empty() {
            let title = format!("{} {}", profile.title, kernel.text);
            self.diagnostics.push(doubts::unverified(&title, &packages.unverified, named.span));
        }
        doubts.extend(facts.like.iter().map(|like| format!("taken after {} {like}", profile.title)));
        let unverified = facts.unverified.iter().chain(&packages.unverified);
        doubts.extend(unverified.map(|what| format!("not sure of {what}")));
        if named.unchecked {
            doubts.push("unchecked".into());
        }
        doubts
    }

    /// What the lock says of the OpenShift release that brings this kernel.
    fn openshift(&self, spot: &Spot<'a, '_>, kernel: &Kernel) -> Option<&'a OpenShiftPin> {
        let release = &spot.facts.release;
        let brings = kernels::brings_kernels(spot.profile, release);
        let mut pins = brings.then(|| self.inputs.lock.openshift(release, spot.arch))?;
        pins.find(|pin| pin.kernel == kernel.text || pin.realtime.as_ref() == Some(&kernel.text))
    }
}

/// A kernel, a release that it is given to and an architecture, with the places where they are named.
#[derive(Clone, Copy)]
struct Spot<'a, 's> {
    /// The place of the rule among those of the matrix.
    at: usize,
    rule: &'a OsRule,
    profile: &'a Profile,
    facts: &'s Arc<ReleaseFacts>,
    release_span: Span,
    named: &'s Named<'a>,
    arch: Arch,
    arch_span: Span,
}

/// What a profile says of a kernel that fits release and architecture.
struct Fitting {
    /// With its architecture.
    kernel: Kernel,
    packages: KernelPackages,
    doubts: Vec<Incompatibility>,
}

impl<'a, 's> Spot<'a, 's> {
    /// A kernel at the releases it belongs to, for each architecture.
    fn all(
        at: usize,
        rule: &'a OsRule,
        profile: &'a Profile,
        releases: &'s [(Arc<ReleaseFacts>, Span)],
        named: &'s Named<'a>,
    ) -> impl Iterator<Item = Self> {
        let mut homes: Vec<usize> = match named.release {
            Some(release) => vec![release],
            None if releases.len() == 1 => vec![0],
            None => homes(profile, &named.kernel, releases),
        };
        if homes.is_empty() && !releases.is_empty() {
            homes.push(0);
        }
        let arches = match named.kernel.arch {
            Some(arch) => vec![Spanned::new(arch, named.span)],
            None if rule.arches.is_empty() => vec![Spanned::new(default_arch(profile), named.span)],
            None => rule.arches.clone(),
        };
        let homes = homes.into_iter().filter_map(|home| releases.get(home));
        homes.flat_map(move |(facts, span)| {
            let release_span = *span;
            let spot = move |arch: Spanned<Arch>| {
                let (arch, arch_span) = (arch.value, arch.span);
                Self { at, rule, profile, facts, release_span, named, arch, arch_span }
            };
            arches.clone().into_iter().map(spot)
        })
    }

    /// The kernel and its packages, where they fit the release and the architecture.
    fn fitting(&self) -> Result<Fitting, Diagnostic> {
        let Self { rule, profile, facts, release_span, named, arch, arch_span, .. } = *self;
        let kernel = profile.with_arch(&named.kernel, arch).map_err(|error| {
            let report = Diagnostic::new(Code::MalformedKernel, error.message);
            report.label(named.span, error.label).help(error.help)
        })?;
        let misfit = profile.check(&kernel, facts, arch).err();
        let lifted =
            |misfit: &Incompatibility| named.unchecked && misfit.kind == IncompatibilityKind::Release;
        if let Some(misfit) = misfit.filter(|misfit| !lifted(misfit)) {
            return Err(match named.release {
                Some(_) => doubts::locked_misfit(&misfit, named.span, release_span),
                None => doubts::misfit_report(&misfit, rule, named.span, release_span, arch_span),
            });
        }
        let packages = profile.packages(&kernel, facts, arch).map_err(|unusable| {
            Diagnostic::new(Code::BrokenProfile, unusable.to_string())
                .label(named.span, "of this kernel")
                .label(rule.name.span, "by this profile")
                .help(format!("write {}", unusable.rule))
        })?;
        let doubts = profile.doubts(&kernel, facts, arch);
        Ok(Fitting { kernel, packages, doubts })
    }
}

/// The releases that a kernel is given to: those that it belongs to; where it is not known of any, the last that it may
/// be one of.
fn homes(profile: &Profile, kernel: &Kernel, releases: &[(Arc<ReleaseFacts>, Span)]) -> Vec<usize> {
    let fits = |fit: &dyn Fn(&ReleaseFacts) -> bool| {
        let all = releases.iter().enumerate().filter(|(_, (facts, _))| fit(facts));
        all.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let belongs = fits(&|facts| profile.belongs(kernel, facts));
    if !belongs.is_empty() {
        return belongs;
    }
    let may = fits(&|facts| profile.fit(kernel, facts) == Fit::Unknown);
    let unknown = fits(&|facts| facts.like.is_some());
    may.iter().rev().find(|at| unknown.contains(at)).or(may.last()).copied().into_iter().collect()
}

fn warn_dead(overlays: &[Overlay<CellBody>], cells: &[Cell<'_>], diagnostics: &mut Diagnostics) {
    if diagnostics.has_errors() {
        return;
    }
    let views = || cells.iter().map(|cell| cell.view(None));
    let unmet = overlays.iter().map(|overlay| &overlay.selector);
    let unmet = unmet.filter(|selector| !views().any(|view| selector.selects(&view)));
    dead(unmet.map(|selector| (selector, "`on`")), views, diagnostics);
}

/// How many releases an `os` names.
fn releases_of(inputs: &Inputs<'_>, rule: &OsRule) -> usize {
    let profile = inputs.profiles.get(&rule.name.value);
    profile.map_or(rule.releases.len(), |profile| written(rule, profile).len())
}

/// An upper bound of what expansion would look at, before anything is allocated for it.
fn too_many_combinations(inputs: &Inputs<'_>) -> Option<Diagnostic> {
    let mut total: usize = 0;
    for rule in &inputs.model.matrix.os {
        let lines = |file| inputs.contexts.kernels(file).map_or(0, |id| inputs.sources.get(id).line_count());
        let kernels: usize = rule
            .kernels
            .iter()
            .map(|kernels| match kernels {
                crate::compiler::model::KernelRule::File(file, _) => lines(&file.value),
                _ => 1,
            })
            .fold(0, usize::saturating_add);
        let combinations =
            kernels.max(1).saturating_mul(releases_of(inputs, rule)).saturating_mul(rule.arches.len().max(1));
        total = total.saturating_add(combinations);
    }
    most_combinations(total.saturating_mul(inputs.model.images.len()), inputs.model.matrix.span)
}

fn most_combinations(total: usize, matrix: Span) -> Option<Diagnostic> {
    (total > MAX_COMBINATIONS).then(|| {
        Diagnostic::new(Code::TooManyTargets, format!("the matrix has up to {total} combinations"))
            .label(matrix, "releases x kernels x architectures x images")
            .help(format!("drvc looks at {MAX_COMBINATIONS} at most: split the manifest"))
    })
}

/// What is said where so many globs and comparisons meet so many cells.
fn too_many_tests(open: usize, cells: usize, matrix: Span) -> Option<Diagnostic> {
    (open.saturating_mul(cells) > MAX_TESTS).then(|| {
        Diagnostic::new(Code::ExceededLimit, "the matrix is too large for so many globs and comparisons")
            .label(matrix, format!("{cells} kernels, for {open} `on`, `only` and `exclude` that are no plain values"))
            .help(format!(
                "the product of both is at most {MAX_TESTS}: write values in place of globs, or split the manifest"
            ))
    })
}

#[cfg(test)]
mod tests {
    use crate::text::source::{Sources, Span};

    #[test]
    fn globs_times_cells_are_bounded() {
        let span = Span::new(Sources::default().add("t", ""), 0, 0);
        assert!(super::too_many_tests(2_000, 1_000, span).is_none());
        assert!(super::too_many_tests(2_000, 1_001, span).is_some());
        assert!(super::too_many_tests(usize::MAX, 2, span).is_some());
    }

    #[test]
    fn combinations_are_bounded() {
        let span = Span::new(Sources::default().add("t", ""), 0, 0);
        assert!(super::most_combinations(20_000_000, span).is_none());
        assert!(super::most_combinations(20_000_001, span).is_some());
    }
}
