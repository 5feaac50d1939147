//! `matrix`: which operating systems, releases, kernels and architectures, and how their cells are built.

use super::context::Lower;
use super::entitlement::{Entitlement, lower_entitlement};
use super::layers::{Merge, Overlay, replace};
use super::repository::{PackageRepository, lower_repository};
use super::selector::Selector;

use crate::knowledge::profile::Builder;
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Arch, Flavor, ImageRef, RelPath};
use crate::text::source::{Span, Spanned};
use std::collections::BTreeSet;

/// `matrix { … }`
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The node's name.
    pub span: Span,
    /// Each `os`.
    pub os: Vec<OsRule>,
    /// Cells that are left out.
    pub exclude: Vec<Exclude>,
    /// What is laid over the cells selected.
    pub overlays: Vec<Overlay<CellBody>>,
}

/// `exclude SELECTOR reason=`
#[derive(Clone, Debug)]
pub struct Exclude {
    /// Which cells.
    pub selector: Selector,
    /// Why.
    pub reason: String,
}

/// `os NAME RELEASE… { … }`; the name and the releases are looked up in the profiles by the plan.
#[derive(Clone, Debug)]
pub struct OsRule {
    pub name: ast::Text,
    pub releases: Vec<ast::Text>,
    pub kernels: Vec<KernelRule>,
    /// Whether kernels may contradict what the profile knows; true where each `kernel` says so too.
    pub unchecked: bool,
    pub arches: Vec<Spanned<Arch>>,
    pub flavors: Vec<Spanned<Flavor>>,
    /// `z latest=`
    pub z: Option<Spanned<u32>>,
    pub body: CellBody,
}

/// One way in which an `os` names its kernels.
#[derive(Clone, Debug)]
pub enum KernelRule {
    /// A kernel in full, with or without architecture, and whether it is `unchecked`.
    Explicit(ast::Text, bool),
    /// `match=` and `latest=`: what the lock holds for them.
    Locked {
        /// `match=GLOB`
        pattern: Option<ast::Text>,
        /// `latest=N`
        latest: Option<u32>,
        /// Whether what the lock has for it is `unchecked`.
        unchecked: bool,
        /// The node's name.
        span: Span,
    },
    /// `from=FILE`: one kernel a line, where `#` begins a comment, and whether they are `unchecked`.
    File(Spanned<RelPath>, bool),
}

/// How cells are built.
#[derive(Clone, Debug, Default)]
pub struct CellBody {
    /// In the order in which they are preferred; none for the distribution's own.
    pub builders: Vec<Spanned<Builder>>,
    pub entitlement: Option<Entitlement>,
    pub base: Option<Spanned<ImageRef>>,
    pub repositories: Vec<PackageRepository>,
}

impl Merge for CellBody {
    fn merge(&mut self, over: &Self) {
        if !over.builders.is_empty() {
            self.builders.clone_from(&over.builders);
        }
        replace(&mut self.entitlement, &over.entitlement);
        replace(&mut self.base, &over.base);
        self.repositories.extend(over.repositories.iter().cloned());
    }
}

/// Lowers the whole `matrix`.
pub(super) fn lower_matrix(lower: &mut Lower<'_>, matrix: &ast::Matrix) -> Matrix {
    Matrix {
        span: matrix.span,
        os: matrix.os.iter().map(|os| lower_os(lower, os)).collect(),
        exclude: matrix.exclude.iter().filter_map(|exclude| lower_exclude(lower, exclude)).collect(),
        overlays: matrix.on.iter().filter_map(|on| lower.overlay(on, lower_cell)).collect(),
    }
}

fn lower_exclude(lower: &mut Lower<'_>, exclude: &ast::Exclude) -> Option<Exclude> {
    Some(Exclude { selector: lower.selector(&exclude.selector)?, reason: exclude.reason.value.clone() })
}

fn lower_os(lower: &mut Lower<'_>, os: &ast::Os) -> OsRule {
    OsRule {
        name: os.name.clone(),
        releases: os.releases.clone(),
        kernels: os.kernels.iter().flat_map(|kernel| lower_kernel(lower, kernel, os.unchecked)).collect(),
        arches: os.arches.iter().filter_map(arch).collect(),
        flavors: os
            .flavors
            .iter()
            .filter_map(|text| Some(Spanned::new(lower.parse("flavour", text, Flavor::parse)?, text.span)))
            .collect(),
        z: os.z.clone(),
        unchecked: os.unchecked,
        body: lower_cell(lower, &os.body),
    }
}

/// The validator lets only the names of architectures through.
fn arch(text: &ast::Text) -> Option<Spanned<Arch>> {
    Some(Spanned::new(Arch::parse(&text.value)?, text.span))
}

fn lower_kernel(lower: &mut Lower<'_>, kernel: &ast::Kernel, unchecked: bool) -> Vec<KernelRule> {
    let unchecked = unchecked || kernel.unchecked;
    let explicit = kernel.explicit.iter().cloned();
    let mut rules: Vec<_> = explicit.map(|text| KernelRule::Explicit(text, unchecked)).collect();
    if kernel.pattern.is_some() || kernel.latest.is_some() {
        if let Some(pattern) = &kernel.pattern {
            lower.glob(pattern);
        }
        let latest = kernel.latest.as_ref().map(|latest| latest.value);
        let (pattern, span) = (kernel.pattern.clone(), kernel.span);
        rules.push(KernelRule::Locked { pattern, latest, unchecked, span });
    }
    if let Some(file) = &kernel.from {
        let path = lower.parse("path", file, RelPath::parse);
        rules.extend(path.map(|path| KernelRule::File(Spanned::new(path, file.span), unchecked)));
    }
    rules
}

/// Lowers how cells are built: of an `os`, or of an `on` in the matrix.
fn lower_cell(lower: &mut Lower<'_>, body: &ast::CellBody) -> CellBody {
    // The validator lets only the names of builders through.
    let builders = body.builders.iter();
    let builders = builders.filter_map(|name| Some(Spanned::new(Builder::parse(&name.value)?, name.span)));
    let builders: Vec<_> = builders.collect();
    dead_builder(&builders).into_iter().for_each(|report| lower.diagnostics.push(report));
    let base = body.base.as_ref().and_then(|base| {
        Some(Spanned::new(lower.parse("image reference", base, ImageRef::parse)?, base.span))
    });
    let repositories = body.repositories.iter();
    let repositories = repositories.filter_map(|repository| lower_repository(lower, repository)).collect();
    let entitlement = body.entitlement.as_ref().and_then(|it| lower_entitlement(lower, it));
    CellBody { builders, entitlement, base, repositories }
}

/// A builder that is never taken: it was named before, or the distribution's, which is always there.
fn dead_builder(builders: &[Spanned<Builder>]) -> Option<Diagnostic> {
    let mut alive: Vec<&Spanned<Builder>> = Vec::new();
    let mut dead = None;
    for one in builders {
        match alive.iter().find(|known| [one.value, Builder::Distro].contains(&known.value)) {
            Some(before) => dead = dead.or(Some((*before, one))),
            None => alive.push(one),
        }
    }
    let (before, one) = dead?;
    let mut wanted: Vec<_> = builders.iter().map(|one| one.value).collect();
    // The distribution's goes last, and what is named twice stays where it was first.
    wanted.sort_by_key(|one| *one == Builder::Distro);
    let mut names: Vec<_> = wanted.iter().map(|one| quote(one.name())).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let label = if before.value == one.value { "named before" } else { "always there" };
    Some(
        Diagnostic::new(Code::DeadBuilder, format!("builder `{}` is never taken", one.value.name()))
            .label(one.span, "never reached")
            .label(before.span, label)
            .help(format!("write `builder {}`", names.join(" "))),
    )
}
