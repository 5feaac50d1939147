//! A name on the command line -> the questions that it means, and what of a lock is resolved again.

use super::planned::Planned;
use crate::compiler::model::{Model, Origin};
use crate::knowledge::lock::{Lock, Want, Wants};
use crate::text::diag::Code;
use crate::text::ids::GitUrl;
use crate::text::source::Span;
use std::collections::BTreeSet;

/// The questions that are asked: all, or those that a name means.
pub(super) struct Selection<'a> {
    name: Option<&'a str>,
    urls: BTreeSet<GitUrl>,
}

impl<'a> Selection<'a> {
    /// What a name means, or all.
    ///
    /// # Errors
    /// Nothing that manifest and lock have has this name; these they have.
    pub fn of(name: Option<&'a str>, planned: &Planned) -> Result<Self, Vec<String>> {
        let (Some(name), Some(parts)) = (name, &planned.parts) else {
            return Ok(Self { name: None, urls: BTreeSet::new() });
        };
        let selection = Self { name: Some(name), urls: urls_of(&parts.model, name) };
        let known: BTreeSet<_> = planned.wants.all().into_iter().chain(parts.lock.wants()).collect();
        if known.iter().any(|want| selection.means(want)) {
            return Ok(selection);
        }
        let sources = parts.model.sources.iter().map(|source| source.name.to_string());
        Err(sources.chain(known.iter().map(ToString::to_string)).collect())
    }

    pub fn means(&self, want: &Want) -> bool {
        self.name.is_none_or(|name| is_named(want, name, &self.urls))
    }

    /// Takes out of a lock what is to be resolved again.
    pub fn forget(&self, wants: &Wants, lock: &mut Lock) {
        wants.all().into_iter().filter(|want| self.means(want)).for_each(|want| want.forget(lock));
    }

    /// Takes out of a lock the images of which it does not have every platform: these are asked for again.
    pub fn forget_incomplete(&self, planned: &Planned, lock: &mut Lock) {
        let spans = labelled(planned, |code| code == Code::MissingPlatform);
        lock.images
            .retain(|image, entry| !spans.contains(&entry.span) || !self.means(&Want::Image(image.clone())));
    }
}

/// The places that reports with these codes show.
fn labelled(planned: &Planned, has: impl Fn(Code) -> bool) -> BTreeSet<Span> {
    let reports = planned.diagnostics.iter().filter(|one| has(one.code));
    reports.flat_map(|one| one.labels.iter().map(|label| label.span)).collect()
}

/// Takes out of a lock what is not to be trusted.
pub(super) fn forget_doubtful(planned: &Planned, lock: &mut Lock) {
    let spans = labelled(planned, |code| {
        matches!(code, Code::ContradictingLockEntry | Code::DuplicateLockEntry | Code::EditedLockEntry)
    });
    lock.retain(|span| !spans.contains(&span));
    forget_halves(&planned.wants, lock);
}

/// Packages are resolved together with their kernels: where those are gone, both are asked for again.
fn forget_halves(wants: &Wants, lock: &mut Lock) {
    let packages = &lock.packages;
    lock.kernels.retain(|query, kernels| {
        kernels.value.kernels.iter().all(|kernel| {
            let key = (query.os.clone(), query.release.clone(), kernel.clone(), query.arch);
            !wants.packages.contains(&key) || packages.contains_key(&key)
        })
    });
}

/// The repositories that a source of this name comes from.
fn urls_of(model: &Model, name: &str) -> BTreeSet<GitUrl> {
    let sources = model.sources.iter().filter(|source| source.name.as_str() == name);
    let bodies = sources.flat_map(|source| {
        std::iter::once(&source.base).chain(source.overlays.iter().map(|overlay| &overlay.body))
    });
    let urls = bodies.filter_map(|body| match &body.origin.as_ref()?.value {
        Origin::Git { url, .. } => Some(url.clone()),
        _ => None,
    });
    urls.collect()
}

fn is_named(want: &Want, name: &str, urls: &BTreeSet<GitUrl>) -> bool {
    let system = |os: &str, release: &str| {
        name == os || name == format!("{os} {release}") || name == format!("{os}-{release}")
    };
    match want {
        Want::Git(url, _) if urls.contains(url) => true,
        Want::Kernels(query) if system(query.os.as_str(), query.release.as_str()) => true,
        Want::ZStreams(query) if system("openshift", query.release.as_str()) => true,
        Want::Builder(query) if system(query.kernel.0.as_str(), query.kernel.1.as_str()) => true,
        Want::Headers((os, release, ..)) if system(os.as_str(), release.as_str()) => true,
        Want::OpenShift(release, _) if system("openshift", release.as_str()) => true,
        want => want.to_string().contains(name),
    }
}
