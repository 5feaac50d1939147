//! How a cell is built: the words of its `os`, of each `on` that selects it, and the defaults, into a [`Setup`].

use super::Inputs;
use super::cell::{Cell, Setup};
use crate::compiler::model::{
    Access, CellBody, Entitlement as Entitled, Merge, OsRule, PackageRepository, selected,
};
use crate::knowledge::profile::{Builder, Entitlement, PackageManager, Profile};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How cells are built, by their os rule and by the overlays that hold.
#[derive(Default)]
pub(super) struct Setups(BTreeMap<(usize, Vec<usize>), Arc<Setup>>);

impl Setups {
    /// How a cell is built: the rule's own words, then each `on` that selects it, then the defaults.
    pub fn of(
        &mut self,
        inputs: &Inputs<'_>,
        diagnostics: &mut Diagnostics,
        (at, rule): (usize, &OsRule),
        cell: &Cell<'_>,
    ) -> Arc<Setup> {
        let all = &inputs.model.matrix.overlays;
        let overlays = selected(all, |selector| selector.selects(&cell.view(None)));
        if let Some(setup) = self.0.get(&(at, overlays.clone())) {
            return Arc::clone(setup);
        }
        let mut body = rule.body.clone();
        for overlay in overlays.iter().filter_map(|&at| all.get(at)) {
            body.merge(&overlay.body);
        }
        let setup = Arc::new(Resolver { inputs, diagnostics }.resolve(rule, cell, body));
        self.0.insert((at, overlays), Arc::clone(&setup));
        setup
    }
}

struct Resolver<'a, 'b> {
    inputs: &'b Inputs<'a>,
    diagnostics: &'b mut Diagnostics,
}

impl Resolver<'_, '_> {
    fn resolve(&mut self, rule: &OsRule, cell: &Cell<'_>, body: CellBody) -> Setup {
        let profile = cell.profile;
        if let Some(builder) = &body.builder
            && !profile.builders.contains(&builder.value)
        {
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
        let access = self.access(rule, profile, &body);
        let said = |it: Option<&Entitled>| it.and_then(|it| it.stream.clone());
        let stream = said(body.entitlement.as_ref()).or_else(|| said(self.inputs.model.entitlement.as_ref()));
        for repository in &body.repositories {
            self.check_repository(cell, repository);
        }
        if let Some(builder) = body.builder.as_ref().filter(|builder| builder.value == Builder::Toolkit)
            && self.inputs.model.toolkit.is_none()
        {
            self.report_once(
                Diagnostic::new(Code::MissingToolkit, "the manifest has no `toolkit`")
                    .label(builder.span, "asked for here")
                    .help("add `toolkit \"toolkit\"` to the top of the file; a `repository` in it keeps its images elsewhere than `registry` of the project"),
            );
        }
        let default_builder = profile.builders.first().copied().unwrap_or(Builder::Distro);
        Setup {
            builder: body.builder.map_or(default_builder, |builder| builder.value),
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
                "write `repository \"https://…\" suite=\"…\"` with the repository's address",
            ),
            // zypper(8): `install` knows no option for it.
            PackageRepository::Enable(id) if cell.platform.manager == PackageManager::Zypper => (
                id.span,
                "zypper cannot enable a repository for one installation".into(),
                "nothing to enable it with",
                "write `repository \"https://…\"` with its address, or enable it in a `base` of your own",
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
