//! What an `os` says, with comparisons and patterns of releases replaced and defaults put in.

use crate::compiler::model::OsRule;
use crate::compiler::model::selector::release_test;
use crate::knowledge::profile::Profile;
use crate::language::syntax::ast;
use crate::text::ids::{Arch, Flavor};
use crate::text::source::Spanned;
use std::borrow::Cow;

/// The texts of an `os` with comparisons and patterns replaced by the releases that they select. One that selects nothing
/// stays, and is no release.
pub(super) fn written<'a>(rule: &'a OsRule, profile: &Profile) -> Cow<'a, [ast::Text]> {
    if !rule.releases.iter().any(|text| is_range(&text.value)) {
        return Cow::Borrowed(&rule.releases);
    }
    let expand = |text: &ast::Text| match selected(&text.value, profile) {
        found if found.is_empty() => vec![text.clone()],
        found => found.into_iter().map(|release| Spanned::new(release, text.span)).collect(),
    };
    Cow::Owned(rule.releases.iter().flat_map(expand).collect())
}

pub(super) fn is_range(text: &str) -> bool {
    text.starts_with(['<', '>', '=']) || text.contains(['*', '?', '[', '{'])
}

/// The releases that a comparison or a pattern selects of those that the profile lists; none for any other text.
#[must_use]
pub fn selected(text: &str, profile: &Profile) -> Vec<String> {
    let Some(passes) = is_range(text).then(|| release_test(text).ok()).flatten() else { return Vec::new() };
    let listed = profile.listed_releases().filter(|release| passes(release, profile.order));
    listed.map(str::to_owned).collect()
}

/// What `match` and `latest` are counted per.
pub(super) fn arches_and_flavors(rule: &OsRule, profile: &Profile) -> Vec<(Arch, Flavor)> {
    let arches = rule.arches.iter().map(|arch| arch.value);
    let arches = if rule.arches.is_empty() { vec![default_arch(profile)] } else { arches.collect() };
    let flavors: Vec<_> = rule.flavors.iter().map(|flavor| flavor.value.clone()).collect();
    let flavors = if flavors.is_empty() { vec![profile.default_flavor.clone()] } else { flavors };
    let pairs = arches.iter().flat_map(|&arch| flavors.iter().map(move |flavor| (arch, flavor.clone())));
    pairs.collect()
}

/// The architecture that is meant where none is named.
pub(super) fn default_arch(profile: &Profile) -> Arch {
    profile.arches.first().copied().unwrap_or(Arch::X86_64)
}
