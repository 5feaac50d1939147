//! From the matrix to cells: each kernel goes to the releases it belongs to, crossed with the architectures.

use super::Inputs;
use super::cell::{Cell, Excluded, Setup};
use super::kernels::{self, Named, default_arch};
use super::{doubts, releases};
use crate::compiler::model::selector::{Index, Values, View};
use crate::compiler::model::{Access, CellBody, OsRule, Overlay, Selector};
use crate::knowledge::profile::{
    Builder, Fit, Incompatibility, IncompatibilityKind, Kernel, Profile, ReleaseFacts,
};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use crate::text::ids::Arch;
use crate::text::source::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many combinations are looked at and no more: what is beyond was not meant.
const MAX_COMBINATIONS: usize = 20_000_000;

/// At most so many values are listed where none of them is selected.
const MOST_VALUES: usize = 8;

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
        setups: BTreeMap::new(),
        doubted: BTreeSet::new(),
    };
    for (at, rule) in inputs.model.matrix.os.iter().enumerate() {
        expansion.rule(at, rule);
    }
    let mut cells = expansion.cells;
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

pub(super) struct Expansion<'a, 'b> {
    pub(super) inputs: &'b Inputs<'a>,
    pub(super) diagnostics: &'b mut Diagnostics,
    pub(super) cells: Vec<Cell<'a>>,
    /// Where each os, release, kernel and architecture came from.
    pub(super) known: BTreeMap<(String, String, String, Arch), Span>,
    /// By os rule and by the overlays that hold.
    pub(super) setups: BTreeMap<(usize, Vec<usize>), Arc<Setup>>,
    /// What was said not to be known, once for all cells of an os.
    pub(super) doubted: BTreeSet<(usize, String)>,
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
        for kernel in named {
            // An `exclude` may take some out again, but not nine of ten.
            if self.cells.len() > self.inputs.max_targets.saturating_mul(10) {
                self.diagnostics.push(too_many(self.inputs, rule.name.span));
                return;
            }
            self.kernel(at, rule, profile, &releases, &kernel);
        }
    }

    /// Says once for an os what is not known of its kernels.
    fn doubt(&mut self, at: usize, report: Diagnostic) {
        if self.doubted.insert((at, report.message.clone())) {
            self.diagnostics.push(report);
        }
    }

    /// Gives a kernel to the releases it belongs to.
    fn kernel(
        &mut self,
        at: usize,
        rule: &'a OsRule,
        profile: &'a Profile,
        releases: &[(Arc<ReleaseFacts>, Span)],
        named: &Named<'a>,
    ) {
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
        self.check_listed(rule, named);
        for (facts, release_span) in homes.into_iter().filter_map(|home| releases.get(home)) {
            for arch in &arches {
                self.cell(at, rule, profile, facts, *release_span, named, arch);
            }
        }
    }

    /// A kernel in full must be of an architecture and flavour that the `os` lists, where it lists some.
    fn check_listed(&mut self, rule: &OsRule, named: &Named<'_>) {
        if let (Some(arch), Some(first)) = (named.kernel.arch, rule.arches.first())
            && !rule.arches.iter().any(|listed| listed.value == arch)
        {
            self.diagnostics.push(
                Diagnostic::new(Code::ArchMismatch, format!("kernel `{}` is for {arch}", named.kernel.text))
                    .label(named.span, format!("a kernel for {arch}"))
                    .label(first.span, "not among the architectures here")
                    .help(format!(
                        "add `{arch}` to `arch`, or leave the architecture out of the kernel to cross the two"
                    )),
            );
        }
        if let Some(first) = rule.flavors.first()
            && !rule.flavors.iter().any(|listed| listed.value == named.kernel.flavor)
        {
            let flavor = &named.kernel.flavor;
            self.diagnostics.push(
                Diagnostic::new(
                    Code::FlavorMismatch,
                    format!("kernel `{}` is of flavour `{flavor}`", named.kernel.text),
                )
                .label(named.span, format!("flavour `{flavor}`"))
                .label(first.span, "not among the flavours here")
                .help(format!("add `{flavor}` to `flavor`")),
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the coordinates of one cell")]
    fn cell(
        &mut self,
        at: usize,
        rule: &'a OsRule,
        profile: &'a Profile,
        release: &Arc<ReleaseFacts>,
        release_span: Span,
        named: &Named<'a>,
        arch: &Spanned<Arch>,
    ) {
        let kernel = match profile.with_arch(&named.kernel, arch.value) {
            Ok(kernel) => kernel,
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::new(Code::MalformedKernel, error.message)
                        .label(named.span, error.label)
                        .help(error.help),
                );
                return;
            }
        };
        let misfit = profile.check(&kernel, release, arch.value).err();
        let lifted =
            |misfit: &Incompatibility| named.unchecked && misfit.kind == IncompatibilityKind::Release;
        if let Some(misfit) = misfit.filter(|misfit| !lifted(misfit)) {
            self.diagnostics.push(match named.release {
                Some(_) => doubts::locked_misfit(&misfit, named.span, release_span),
                None => doubts::misfit_report(&misfit, rule, named.span, release_span, arch.span),
            });
            return;
        }
        let packages = match profile.packages(&kernel, release, arch.value) {
            Ok(packages) => packages,
            Err(unusable) => {
                self.diagnostics.push(
                    Diagnostic::new(Code::BrokenProfile, unusable.to_string())
                        .label(named.span, "of this kernel")
                        .label(rule.name.span, "by this profile")
                        .help(format!("write {}", unusable.rule)),
                );
                return;
            }
        };
        let mut doubts = Vec::new();
        for doubt in profile.doubts(&kernel, release, arch.value) {
            let report = doubts::report(&doubt, rule, named.span, release_span, arch.span);
            self.doubt(at, report);
            doubts.push(doubt.message);
        }
        if !packages.unverified.is_empty() {
            let title = format!("{} {}", profile.title, kernel.text);
            self.diagnostics.push(doubts::unverified(&title, &packages.unverified, named.span));
        }
        doubts.extend(release.like.iter().map(|like| format!("taken after {} {like}", profile.title)));
        doubts.extend(
            release.unverified.iter().chain(&packages.unverified).map(|what| format!("not sure of {what}")),
        );
        if named.unchecked {
            doubts.push("unchecked".into());
        }
        let Some(platform) = release.platform(&kernel) else { return };
        let key = (profile.os.to_string(), release.release.to_string(), kernel.text.to_string(), arch.value);
        if let Some(&first) = self.known.get(&key) {
            self.diagnostics.push(repeated("kernel", kernel.text.as_str(), named.span, first));
            return;
        }
        self.known.insert(key, named.span);
        let openshift = named.openshift.or_else(|| {
            if !kernels::brings_kernels(profile, &release.release) {
                return None;
            }
            let mut pins = self.inputs.lock.openshift(&release.release, arch.value);
            pins.find(|pin| pin.kernel == kernel.text || pin.realtime.as_ref() == Some(&kernel.text))
        });
        let mut cell = Cell {
            id: self.cells.len(),
            profile,
            release: Arc::clone(release),
            platform: Arc::new(platform.clone()),
            el: kernel.el.map(|el| el.to_string()),
            kernel,
            arch: arch.value,
            packages: Arc::new(packages),
            doubts,
            openshift,
            setup: Arc::new(Setup {
                builder: Builder::Distro,
                base: None,
                access: Access::None,
                stream: None,
                repositories: Vec::new(),
            }),
            span: named.span,
            arch_span: rule
                .arches
                .iter()
                .find(|one| one.value == arch.value)
                .map_or(arch.span, |one| one.span),
            release_span,
        };
        cell.setup = self.setup(at, rule, &cell);
        if let Some(stream) = &cell.setup.stream
            && let Ok(packages) = profile.packages_of_stream(&cell.kernel, release, arch.value, Some(stream))
        {
            cell.packages = Arc::new(packages);
        }
        self.cells.push(cell);
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

/// The places of the overlays whose selector passes.
pub(super) fn selected<B>(overlays: &[Overlay<B>], selects: impl Fn(&Selector) -> bool) -> Vec<usize> {
    let selected = overlays.iter().enumerate().filter(|(_, overlay)| selects(&overlay.selector));
    selected.map(|(at, _)| at).collect()
}

fn warn_dead(overlays: &[Overlay<CellBody>], cells: &[Cell<'_>], diagnostics: &mut Diagnostics) {
    if diagnostics.has_errors() {
        return;
    }
    for overlay in overlays {
        if !cells.iter().any(|cell| overlay.selector.selects(&cell.view(None))) {
            diagnostics.push(dead(&overlay.selector, "`on`", cells.iter().map(|cell| cell.view(None))));
        }
    }
}

/// A selector that selects none of these cells.
pub(super) fn dead<'v>(selector: &Selector, node: &str, cells: impl Iterator<Item = View<'v>>) -> Diagnostic {
    dead_among(selector, node, &Values::of(cells))
}

/// The same of many selectors, for cells whose values are looked at once.
pub(super) fn dead_among(selector: &Selector, node: &str, values: &Values<'_>) -> Diagnostic {
    let (label, help) = match values.unmet(selector) {
        Some((key, values)) if (1..=MOST_VALUES).contains(&values.len()) => (
            format!("no cell passes its `{key}`"),
            format!("in this matrix, `{key}` is {}", listed(values, "or")),
        ),
        Some((key, _)) => (format!("no cell passes its `{key}`"), "correct it, or take it out".into()),
        None => ("no cell passes all of its tests".into(), "correct it, or take it out".into()),
    };
    Diagnostic::new(Code::DeadSelector, format!("{node} selects nothing of the matrix"))
        .label(selector.span, label)
        .help(help)
}

pub(super) fn repeated(what: &str, text: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::RepeatedCell, format!("{what} `{text}` comes twice"))
        .label(again, "again here")
        .label(first, "first here")
        .help("take one out")
}

/// How many releases an `os` names.
fn releases_of(inputs: &Inputs<'_>, rule: &OsRule) -> usize {
    let profile = inputs.profiles.get(&rule.name.value);
    profile.map_or(rule.releases.len(), |profile| releases::written(rule, profile).len())
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
    total = total.saturating_mul(inputs.model.images.len());
    (total > MAX_COMBINATIONS).then(|| {
        Diagnostic::new(Code::TooManyTargets, format!("the matrix has up to {total} combinations"))
            .label(inputs.model.matrix.span, "releases x kernels x architectures x images")
            .help(format!("drvc looks at {MAX_COMBINATIONS} at most: split the manifest"))
    })
}

/// More targets than were allowed.
pub(super) fn too_many(inputs: &Inputs<'_>, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyTargets,
        format!("the matrix gives more than {} targets", inputs.max_targets),
    )
    .label(span, "the limit is passed here")
    .help("narrow the matrix, or raise the limit with `--max-targets`")
}
