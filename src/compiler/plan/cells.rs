//! From the matrix to cells: each kernel goes to the releases it belongs to, crossed with the architectures.

use super::Inputs;
use super::cell::{Cell, Excluded, Setup};
use super::kernels::{self, Named, default_arch, supported_arches};
use super::releases;
use crate::compiler::model::selector::{Index, Values, View};
use crate::compiler::model::{Access, CellBody, OsRule, Overlay, Selector};
use crate::knowledge::profile::{Builder, Incompatibility, IncompatibilityKind, Profile, ReleaseFacts};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed, nearest};
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
    let mut expansion =
        Expansion { inputs, diagnostics, cells: Vec::new(), known: BTreeMap::new(), setups: BTreeMap::new() };
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
}

impl<'a> Expansion<'a, '_> {
    fn rule(&mut self, at: usize, rule: &'a OsRule) {
        let Some(profile) = self.inputs.profiles.get(&rule.name.value) else {
            // A profile that could not be read has been reported.
            if !self.inputs.profiles.is_broken(&rule.name.value) {
                self.diagnostics.push(unknown_os(self.inputs, rule));
            }
            return;
        };
        let releases = releases::known(self.inputs, rule, profile, self.diagnostics);
        self.check_arches(rule, profile);
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

    fn check_arches(&mut self, rule: &OsRule, profile: &Profile) {
        for arch in &rule.arches {
            if !profile.arches.contains(&arch.value) {
                let known = profile.arches.iter().map(|arch| arch.name());
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::UnsupportedArch,
                        format!("{} has no kernels for {}", profile.title, arch.value),
                    )
                    .label(arch.span, "an architecture that it is not built for")
                    .help(format!("there are {}", listed(known, "and"))),
                );
            }
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
            None => (0..releases.len())
                .filter(|&at| {
                    releases.get(at).is_some_and(|(facts, _)| profile.belongs(&named.kernel, facts))
                })
                .collect(),
        };
        if homes.is_empty() && !releases.is_empty() {
            homes.push(0);
        }
        let arches = match named.kernel.arch {
            Some(arch) => vec![Spanned::new(arch, named.span)],
            None if rule.arches.is_empty() => vec![Spanned::new(default_arch(profile), named.span)],
            None => supported_arches(rule, profile),
        };
        self.check_listed(rule, profile, named);
        for (facts, release_span) in homes.into_iter().filter_map(|home| releases.get(home)) {
            for arch in &arches {
                self.cell(at, rule, profile, facts, *release_span, named, arch);
            }
        }
    }

    /// A kernel in full must be of an architecture and flavour that the `os` lists, where it lists some.
    fn check_listed(&mut self, rule: &OsRule, profile: &Profile, named: &Named<'_>) {
        if let (Some(arch), Some(first)) = (named.kernel.arch, supported_arches(rule, profile).first())
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
        if let Err(misfit) = profile.check(&kernel, release, arch.value) {
            self.diagnostics.push(match named.release {
                Some(_) => locked_misfit(&misfit, named.span, release_span),
                None => misfit_report(&misfit, rule, named.span, release_span, arch.span),
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
        if !packages.unverified.is_empty() {
            let title = format!("{} {}", profile.title, kernel.text);
            self.diagnostics.push(unverified(&title, &packages.unverified, named.span));
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
            openshift,
            setup: Arc::new(Setup {
                builder: Builder::Distro,
                base: None,
                access: Access::None,
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
        self.cells.push(cell);
    }
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

/// What a profile is not sure of.
pub(super) fn unverified(title: &str, what: &[Box<str>], place: Span) -> Diagnostic {
    let what: Vec<&str> = what.iter().map(|what| &**what).collect();
    Diagnostic::new(Code::UnverifiedProfile, format!("not all that drvc knows of {title} is verified"))
        .label(place, format!("not sure of: {}", what.join("; ")))
        .help("look at the first build; what is wrong, a profile that extends the built-in one can put right")
}

pub(super) fn repeated(what: &str, text: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::RepeatedCell, format!("{what} `{text}` comes twice"))
        .label(again, "again here")
        .label(first, "first here")
        .help("take one out")
}

fn unknown_os(inputs: &Inputs<'_>, rule: &OsRule) -> Diagnostic {
    let names = inputs.profiles.names();
    let help = match nearest(&rule.name.value, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names = listed(names.iter().copied(), "and");
            format!("there are profiles of {names}; add one of your own with `profile \"NAME\" \"FILE\"`")
        }
    };
    Diagnostic::new(Code::UnknownOs, format!("unknown distribution `{}`", rule.name.value))
        .label(rule.name.span, "no profile has this name")
        .help(help)
}

/// A kernel that the lock names and that cannot be of its release.
fn locked_misfit(misfit: &Incompatibility, kernel: Span, release: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ContradictingLockEntry,
        format!("the lock file contradicts the manifest: {}", misfit.message),
    )
    .label(kernel, "resolved to that kernel in the lock file")
    .label(release, misfit.there.clone())
    .help("`drvc lock` resolves it anew; or correct the manifest")
}

fn misfit_report(
    misfit: &Incompatibility,
    rule: &OsRule,
    kernel: Span,
    release: Span,
    arch: Span,
) -> Diagnostic {
    let arch = if arch == kernel { rule.name.span } else { arch };
    let (code, there) = match misfit.kind {
        IncompatibilityKind::Release => (Code::KernelOfAnotherRelease, release),
        IncompatibilityKind::Arch => (Code::ArchMismatch, arch),
        IncompatibilityKind::FlavorOfRelease => (Code::ImpossibleFlavor, release),
        IncompatibilityKind::FlavorOfArch => (Code::ImpossibleFlavor, arch),
    };
    let report = Diagnostic::new(code, misfit.message.clone())
        .label(kernel, misfit.here.clone())
        .label(there, misfit.there.clone());
    if misfit.help.is_empty() { report } else { report.help(misfit.help.clone()) }
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
                crate::compiler::model::KernelRule::File(file) => lines(&file.value),
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
