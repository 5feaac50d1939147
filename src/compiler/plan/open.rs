//! From the matrix to what it leaves open: the kernels that `match` and `latest` ask for, and where to look for them.

use super::cell::Cell;
use super::rule::{arches_and_flavors, written};
use super::{Inputs, cells};
use crate::compiler::model::selector::View;
use crate::compiler::model::{AddedRepository, KernelRule, Merge, OsRule, PackageRepository};
use crate::knowledge::lock::KernelQuery;
use crate::knowledge::profile::{Profile, ReleaseFacts};
use crate::text::coordinates::Coordinates;
use crate::text::diag::Diagnostics;
use crate::text::ids::{Arch, Flavor, PackageName};
use crate::text::source::Span;
use std::collections::BTreeSet;

/// One question that only package repositories can answer.
#[derive(Clone, Debug)]
pub struct KernelRequest<'a> {
    /// What is asked for.
    pub query: KernelQuery,
    /// The distribution.
    pub profile: &'a Profile,
    pub release: ReleaseFacts,
    /// Where the manifest has its kernels looked for.
    pub places: Places,
    /// What else is installed in the builder, as far as it is known before the kernels are.
    pub other_packages: BTreeSet<PackageName>,
    /// The `kernel` node.
    pub span: Span,
}

/// Where kernels are looked for, as far as a manifest says it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Its own repositories.
    pub repositories: Vec<AddedRepository>,
    /// The streams of subscribed repositories that it names; none for the release's own.
    pub streams: BTreeSet<String>,
}

impl Extend<Self> for Places {
    fn extend<T: IntoIterator<Item = Self>>(&mut self, more: T) {
        for places in more {
            self.repositories.extend(places.repositories);
            self.streams.extend(places.streams);
        }
    }
}

/// Every question that the matrix asks, in its order.
#[must_use]
pub fn kernel_requests<'a>(inputs: &Inputs<'a>) -> Vec<KernelRequest<'a>> {
    let mut kernel_requests = Vec::new();
    for rule in &inputs.model.matrix.os {
        let Some(profile) = inputs.profiles.get(&rule.name.value) else { continue };
        let releases: Vec<_> =
            written(rule, profile).iter().filter_map(|text| profile.release(&text.value).ok()).collect();
        for kernels in &rule.kernels {
            let KernelRule::Locked { pattern, latest, span, .. } = kernels else { continue };
            for release in &releases {
                for (arch, flavor) in arches_and_flavors(rule, profile) {
                    let places = places(inputs, rule, profile, release, arch, &flavor);
                    let query = KernelQuery {
                        os: profile.os.clone(),
                        release: release.release.clone(),
                        arch,
                        flavor,
                        pattern: pattern.as_ref().map(|text| text.value.clone()),
                        latest: *latest,
                    };
                    kernel_requests.push(KernelRequest {
                        query,
                        profile,
                        release: release.clone(),
                        places,
                        other_packages: other_packages(inputs, release),
                        span: *span,
                    });
                }
            }
        }
    }
    kernel_requests
}

/// The tools of a release, and the packages of modules whose names have no variables.
fn other_packages(inputs: &Inputs<'_>, release: &ReleaseFacts) -> BTreeSet<PackageName> {
    let tools = release.platforms.iter().flat_map(|platform| &platform.tools).cloned();
    let of_modules = inputs.model.modules.iter().flat_map(|module| &module.base.packages);
    let of_modules = of_modules.filter_map(|name| PackageName::parse(name.as_literal()?).ok());
    tools.chain(of_modules).collect()
}

/// Where kernels of a release, an architecture and a flavour are looked for: what each `os` says that names the release.
#[must_use]
pub fn places_of(
    inputs: &Inputs<'_>,
    profile: &Profile,
    release: &ReleaseFacts,
    arch: Arch,
    flavor: &Flavor,
) -> Places {
    let names = |rule: &&OsRule| {
        rule.name.value == profile.os.as_str()
            && written(rule, profile).iter().any(|text| text.value == release.release.as_str())
    };
    let rules = inputs.model.matrix.os.iter().filter(names);
    let mut all = Places::default();
    all.extend(rules.map(|rule| places(inputs, rule, profile, release, arch, flavor)));
    all
}

/// Of one `os`, with each `on` that selects whatever kernel is found there.
fn places(
    inputs: &Inputs<'_>,
    rule: &OsRule,
    profile: &Profile,
    release: &ReleaseFacts,
    arch: Arch,
    flavor: &Flavor,
) -> Places {
    let view = View {
        os: profile.os.as_str(),
        family: profile.family.as_str(),
        release: release.release.as_str(),
        el: None,
        kernel: "",
        arch: arch.name(),
        flavor: flavor.as_str(),
        image: None,
        order: profile.order,
    };
    let mut body = rule.body.clone();
    for overlay in inputs.model.matrix.overlays.iter().filter(|overlay| overlay.selector.selects(&view)) {
        body.merge(&overlay.body);
    }
    let entitlements = [body.entitlement, inputs.model.entitlement.clone()].into_iter().flatten();
    let stream = entitlements.filter_map(|entitlement| entitlement.stream).next();
    let added = body.repositories.into_iter().filter_map(|repository| match repository {
        PackageRepository::Add(added) => Some(added),
        PackageRepository::Enable(_) => None,
    });
    Places { repositories: added.collect(), streams: stream.into_iter().collect() }
}

/// The points of the matrix with what is known now: those that are built, and those that are excluded for every image.
/// What is wrong with the matrix is not told here.
#[must_use]
pub fn points(inputs: &Inputs<'_>) -> (Vec<Coordinates>, Vec<Coordinates>) {
    let (cells, excluded) = cells::expand(inputs, &mut Diagnostics::default());
    let built = cells.iter().map(Cell::coordinates).collect();
    (built, excluded.into_iter().map(|cell| cell.at).collect())
}
