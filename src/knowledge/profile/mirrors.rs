//! Mirrors: from a release and an architecture to the package repositories in which kernels are looked for.

use super::layer::MirrorRule;
use super::release::{Misrendered, render};
use super::{Profile, ReleaseFacts};
use crate::text::ids::{AbsPath, Arch, Name, RelPath, RepositoryUrl};

/// A package repository that a profile knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Its address.
    pub url: RepositoryUrl,
    /// The suite of an apt repository.
    pub suite: Option<RelPath>,
    /// The components of an apt repository.
    pub components: Vec<Name>,
    /// Whether it asks for the certificate of a subscription.
    pub subscription: bool,
    /// Whether base images do not know it, so that the builder is given it.
    pub archive: bool,
    /// The OpenPGP keys that sign it, in the base image.
    pub key: Option<AbsPath>,
}

impl Profile {
    /// The package repositories that offer kernels of a release for an architecture, as far as the profile knows any:
    /// those of a stream, or of the release's own where none is named.
    #[must_use]
    pub fn mirrors(&self, release: &ReleaseFacts, arch: Arch, stream: Option<&str>) -> Vec<Mirror> {
        let Some(home) = self.home(release.release.as_str()) else { return Vec::new() };
        // A mirror that names no release is the known one's, and not that of a release that is taken to be like it.
        let of_release = |rule: &&MirrorRule| {
            let templates = [Some(&rule.url), rule.suite.as_ref()];
            let mut holes = templates.into_iter().flatten().flat_map(|text| text.value.holes());
            release.like.is_none() || holes.any(|hole| !hole.starts_with("arch"))
        };
        let stream = stream.unwrap_or_else(|| home.stream(""));
        let value = |hole: &str| match hole {
            "tree" => Some(Some(stream).filter(|stream| *stream != "base").unwrap_or("dist")),
            "arch" => Some(arch.name()),
            "arch_name" => self.arch_name(arch),
            _ => home.value(hole),
        };
        let rules = home.rule.settings.mirrors.iter().flatten().filter(of_release);
        let rules = rules.filter(|rule| rule.arches.is_empty() || rule.arches.contains(&arch));
        rules.filter_map(|rule| filled(rule, value).ok()).collect()
    }
}

/// A mirror with its holes filled.
pub(super) fn filled<'v>(
    rule: &MirrorRule,
    value: impl Fn(&str) -> Option<&'v str>,
) -> Result<Mirror, Misrendered> {
    let suite = rule.suite.as_ref().map(|suite| render(suite, &value, RelPath::parse)).transpose()?;
    Ok(Mirror {
        url: render(&rule.url, &value, |url| RepositoryUrl::parse(url.strip_suffix('/').unwrap_or(url)))?,
        suite,
        components: rule.components.clone(),
        subscription: rule.subscription,
        archive: rule.archive,
        key: rule.key.clone(),
    })
}
