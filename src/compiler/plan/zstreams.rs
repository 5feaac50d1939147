//! `z latest=`: from minors of OpenShift to the releases that the lock has for them.

use super::Inputs;
use super::reports::unlocked;
use super::rule::{arches_and_flavors, written};
use crate::compiler::model::OsRule;
use crate::knowledge::lock::{Entry, ZQuery};
use crate::knowledge::profile::Profile;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{Arch, Release};
use crate::text::source::{Span, Spanned};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The releases that an `os` means: those written, or the newest of the minors written.
pub(super) fn releases<'a>(
    inputs: &Inputs<'_>,
    rule: &'a OsRule,
    profile: &Profile,
    diagnostics: &mut Diagnostics,
) -> Cow<'a, [ast::Text]> {
    let Some(latest) = &rule.z else { return written(rule, profile) };
    if !profile.payload.as_ref().is_some_and(|payload| payload.by_arch) {
        diagnostics.push(misplaced(
            latest.span,
            rule.name.span,
            "its releases have no payloads that tell which is the newest",
        ));
        return written(rule, profile);
    }
    let mut found = Vec::new();
    for text in &rule.releases {
        if text.value.split('.').count() != 2 {
            diagnostics.push(misplaced(latest.span, text.span, "this is not a minor"));
            continue;
        }
        let mut numbers: BTreeMap<u32, String> = BTreeMap::new();
        let mut missing = Vec::new();
        for arch in arches(rule, profile) {
            let Ok(release) = Release::parse(&text.value) else { continue };
            match inputs.lock.zstreams(&ZQuery { release, arch, latest: latest.value }) {
                None => missing.push(format!("{} {arch}", text.value)),
                Some(entry) => match contradiction(entry, &text.value, latest.value) {
                    Some(problem) => diagnostics.push(contradicting(&problem, entry.span, latest.span)),
                    None => numbers.extend(entry.value.iter().filter_map(numbered)),
                },
            }
        }
        if !missing.is_empty() {
            diagnostics.push(unlocked("these releases run", "not resolved", &missing, latest.span));
        }
        found.extend(numbers.into_values().map(|release| Spanned::new(release, text.span)));
    }
    Cow::Owned(found)
}

/// Whether a release is among those that are meant for an architecture: the newest may not be the same for all.
pub(super) fn includes(inputs: &Inputs<'_>, rule: &OsRule, release: &Release, arch: Arch) -> bool {
    let Some(latest) = &rule.z else { return true };
    let minor = release.as_str().rsplit_once('.').and_then(|(minor, _)| Release::parse(minor).ok());
    let entry =
        minor.and_then(|release| inputs.lock.zstreams(&ZQuery { release, arch, latest: latest.value }));
    entry.is_some_and(|entry| entry.value.contains(release))
}

fn arches(rule: &OsRule, profile: &Profile) -> BTreeSet<Arch> {
    arches_and_flavors(rule, profile).into_iter().map(|(arch, _)| arch).collect()
}

/// A release by its last number.
fn numbered(release: &Release) -> Option<(u32, String)> {
    Some((release.as_str().rsplit_once('.')?.1.parse().ok()?, release.to_string()))
}

fn contradiction(entry: &Entry<Vec<Release>>, minor: &str, latest: u32) -> Option<String> {
    if entry.value.is_empty() {
        return Some("it holds no release".into());
    }
    if entry.value.len() > latest as usize {
        return Some(format!("it holds {} releases, more than `latest` asks for", entry.value.len()));
    }
    let of_minor =
        |release: &&Release| release.as_str().rsplit_once('.').is_some_and(|(head, _)| head == minor);
    let stray = entry.value.iter().find(|release| !of_minor(release) || numbered(release).is_none())?;
    Some(format!("`{stray}` is not a release of {minor}"))
}

fn contradicting(problem: &str, entry: Span, latest: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ContradictingLockEntry,
        format!("the lock file contradicts the manifest: {problem}"),
    )
    .label(entry, "resolved to this")
    .label(latest, "asked for by this")
    .help("`drvc lock` resolves it again; or correct the manifest")
}

fn misplaced(z: Span, place: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::MisplacedZ, "`z` asks for the newest releases of minors of OpenShift")
        .label(z, "asked for here")
        .label(place, why)
        .help("write minors such as `os \"openshift\" \"4.18\"`, or take `z` out")
}
