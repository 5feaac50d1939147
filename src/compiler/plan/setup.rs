//! How a cell is built: the words of its `os`, of each `on` that selects it, and the defaults, into a [`Setup`].

use super::Inputs;
use super::cell::{Cell, Setup};
use crate::compiler::model::{
    Access, CellBody, Entitlement as Entitled, Merge, OsRule, PackageRepository, selected,
};
use crate::knowledge::lock::BuilderQuery;
use crate::knowledge::profile::{Builder, Entitlement, PackageManager, Profile};
use crate::language::kdl::quote;
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use crate::text::source::{Span, Spanned};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How cells are built, by their os rule and by the overlays that hold, and by the builder that the lock has of several.
#[derive(Default)]
pub(super) struct Setups {
    bodies: BTreeMap<(usize, Vec<usize>), CellBody>,
    setups: BTreeMap<(usize, Vec<usize>, Option<Builder>), Arc<Setup>>,
    /// Cells for which the lock names none, by the place of their list.
    open: BTreeMap<Span, Open>,
}

/// Cells whose builder is open.
#[derive(Default)]
struct Open {
    cells: Vec<String>,
    /// The list that the lock's choice was made from, where it is another one.
    other: Option<Vec<Builder>>,
}

impl Setups {
    /// How a cell is built: the rule's own words, then each `on` that selects it, then the defaults. Nothing where only the
    /// lock can tell.
    pub fn of(
        &mut self,
        inputs: &Inputs<'_>,
        diagnostics: &mut Diagnostics,
        (at, rule): (usize, &OsRule),
        cell: &Cell<'_>,
    ) -> Option<Arc<Setup>> {
        let all = &inputs.model.matrix.overlays;
        let overlays = selected(all, |selector| selector.selects(&cell.view(None)));
        let body = self.bodies.entry((at, overlays.clone())).or_insert_with(|| {
            let mut body = rule.body.clone();
            overlays.iter().filter_map(|&at| all.get(at)).for_each(|overlay| body.merge(&overlay.body));
            Resolver { inputs, diagnostics }.check(rule, cell, &mut body);
            body
        });
        let builder = match body.builders.as_slice() {
            [first, _, ..] => Some(chosen(inputs, cell, body, first.span, &mut self.open)?),
            [one] => Some(one.value),
            [] => None,
        };
        let key = (at, overlays, builder);
        if let Some(setup) = self.setups.get(&key) {
            return Some(Arc::clone(setup));
        }
        let setup = Resolver { inputs, diagnostics }.resolve(rule, cell, body.clone(), builder);
        Some(Arc::clone(self.setups.entry(key).or_insert_with(|| Arc::new(setup))))
    }

    /// A report for each list of builders of which the lock does not say which is taken.
    pub fn unlocked(self) -> impl Iterator<Item = Diagnostic> {
        self.open.into_iter().map(|(span, open)| unlocked(span, &open))
    }
}

/// What the lock has for a cell of the builders that it names.
fn chosen(
    inputs: &Inputs<'_>,
    cell: &Cell<'_>,
    body: &CellBody,
    span: Span,
    open: &mut BTreeMap<Span, Open>,
) -> Option<Builder> {
    let Coordinates { os, release, arch, kernel, .. } = cell.coordinates();
    let named = format!("{os} {release}, kernel `{kernel}`, {arch}");
    let of = body.builders.iter().map(|one| one.value).collect();
    let query = BuilderQuery { kernel: (os, release, kernel, arch), of };
    let found = inputs.lock.builder(&query).filter(|found| query.of.contains(found));
    if found.is_none() {
        let open = open.entry(span).or_default();
        open.cells.push(named);
        open.other = open.other.take().or_else(|| inputs.lock.other_builders(&query).map(<[_]>::to_vec));
    }
    found
}

fn unlocked(span: Span, open: &Open) -> Diagnostic {
    let mut cells = open.cells.iter().take(4).cloned().collect::<Vec<_>>().join("; ");
    if open.cells.len() > 4 {
        cells.push_str(&format!("; and {} more", open.cells.len() - 4));
    }
    let label = match &open.other {
        Some(other) => {
            let names: Vec<_> = other.iter().map(|one| quote(one.name())).collect();
            format!("it chose from {}", names.join(" "))
        }
        None => "the first of these that is there".into(),
    };
    Diagnostic::new(
        Code::UnlockedBuilder,
        format!("the lock file does not say which of these builders is taken for {cells}"),
    )
    .label(span, label)
    .help("run `drvc lock`, or name one builder")
}

struct Resolver<'a, 'b> {
    inputs: &'b Inputs<'a>,
    diagnostics: &'b mut Diagnostics,
}

impl Resolver<'_, '_> {
    /// Reports builders that cannot be. Of a list that an `on` has for several distributions, those that this one does not
    /// know are no mistake: they are taken out, as long as another is left.
    fn check(&mut self, rule: &OsRule, cell: &Cell<'_>, body: &mut CellBody) {
        let profile = cell.profile;
        let known = |builder: &Spanned<Builder>| profile.builders.contains(&builder.value);
        let own = rule.body.builders.first().map(|first| first.span);
        if body.builders.first().map(|first| first.span) != own && body.builders.iter().any(known) {
            body.builders.retain(known);
        }
        for builder in body.builders.iter().filter(|builder| !known(builder)) {
            let (code, help) = match &body.base {
                Some(_) => {
                    (Code::UnverifiedBuilder, "`base` is taken as the image that has the kernel's packages")
                }
                None => (
                    Code::UnavailableBuilder,
                    "use `builder \"distro\"`, or name the image that has the kernel's packages with `base`",
                ),
            };
            let problem = format!("drvc knows no builder `{}` of {}", builder.value.name(), profile.title);
            let report = Diagnostic::new(code, problem)
                .label(builder.span, "asked for here")
                .label(rule.name.span, "for this distribution");
            self.report_once(report.help(help));
        }
        if let Some(builder) = body.builders.iter().find(|builder| builder.value == Builder::Toolkit)
            && self.inputs.model.toolkit.is_none()
        {
            self.report_once(
                Diagnostic::new(Code::MissingToolkit, "the manifest has no `toolkit`")
                    .label(builder.span, "asked for here")
                    .help("add `toolkit \"toolkit\"` to the top of the file; a `repository` in it keeps its images elsewhere than `registry` of the project"),
            );
        }
    }

    fn resolve(&mut self, rule: &OsRule, cell: &Cell<'_>, body: CellBody, builder: Option<Builder>) -> Setup {
        let profile = cell.profile;
        let access = self.access(rule, profile, &body);
        let said = |it: Option<&Entitled>| it.and_then(|it| it.stream.clone());
        let stream = said(body.entitlement.as_ref()).or_else(|| said(self.inputs.model.entitlement.as_ref()));
        for repository in &body.repositories {
            self.check_repository(cell, repository);
        }
        let default_builder = profile.builders.first().copied().unwrap_or(Builder::Distro);
        Setup {
            builder: builder.unwrap_or(default_builder),
            base: body.base.map(|base| base.value),
            access,
            stream,
            repositories: body.repositories,
        }
    }

    /// How subscribed repositories are reached: what the matrix says, then what the manifest says for all, where the
    /// distribution knows that way, then the distribution's own way.
    fn access(&mut self, rule: &OsRule, profile: &Profile, body: &CellBody) -> Access {
        let default = profile.entitlements.first().copied().unwrap_or(Entitlement::None);
        let known = |access: &Access| profile.entitlements.contains(&access.kind());
        if let Some(own) = body.entitlement.as_ref().filter(|own| !known(&own.access)) {
            let name = own.access.kind().name();
            let message = format!("drvc knows no `entitlement \"{name}\"` of {}", profile.title);
            let report = Diagnostic::new(Code::UnverifiedEntitlement, message)
                .label(own.span, "asked for here")
                .label(rule.name.span, "for this distribution");
            let ways = profile.entitlements.iter().map(|way| way.name());
            self.report_once(report.help(match profile.entitlements.as_slice() {
                [] | [Entitlement::None] => {
                    "its package repositories are open to everyone; the build does as this says".into()
                }
                _ => format!("known are {}; the build does as this says", listed(ways, "and")),
            }));
            return own.access.clone();
        }
        let all = self.inputs.model.entitlement.as_ref().filter(|all| known(&all.access));
        let access = body.entitlement.as_ref().or(all).map(|it| it.access.clone());
        if access == Some(Access::None) && default != Entitlement::None && body.base.is_none() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingEntitlement,
                    format!("the kernel packages of {} come from subscribed repositories", profile.title),
                )
                .label(rule.name.span, "built without a subscription")
                .help("use `entitlement \"host\"`, or a `base` that brings repositories of its own"),
            );
        }
        access.unwrap_or_else(|| Access::of(default))
    }

    /// An apt repository has a suite, and no other has one; not every package manager can enable one that is off.
    fn check_repository(&mut self, cell: &Cell<'_>, repository: &PackageRepository) {
        let is_apt = cell.platform.manager == PackageManager::Apt;
        let (span, message, label, help) = match repository {
            PackageRepository::Enable(id) if is_apt => (
                id.span,
                format!("{} has no repositories to enable: apt uses all that it knows", cell.profile.title),
                "nothing to enable",
                "write `repository \"URL\" suite=\"SUITE\"` with the repository's address",
            ),
            // zypper(8): `install` knows no option for it.
            PackageRepository::Enable(id) if cell.platform.manager == PackageManager::Zypper => (
                id.span,
                "zypper cannot enable a repository for one installation".into(),
                "nothing to enable it with",
                "write `repository \"URL\"` with its address, or enable it in a `base` of your own",
            ),
            PackageRepository::Add(added) if is_apt && added.suite.is_none() => (
                added.span,
                format!("a repository for {} has suites", cell.profile.title),
                "which of them?",
                "add `suite=`, such as `suite=\"bookworm\"`",
            ),
            PackageRepository::Add(added)
                if !is_apt && (added.suite.is_some() || !added.components.is_empty()) =>
            {
                (
                    added.span,
                    format!("repositories for {} have neither suites nor components", cell.profile.title),
                    "they are for apt",
                    "write the whole address in the URL",
                )
            }
            _ => return,
        };
        self.report_once(Diagnostic::new(Code::UnfitRepository, message).label(span, label).help(help));
    }

    /// Adds a report, unless the same was said of the same place.
    fn report_once(&mut self, report: Diagnostic) {
        if !self
            .diagnostics
            .iter()
            .any(|known| known.message == report.message && known.labels == report.labels)
        {
            self.diagnostics.push(report);
        }
    }
}
