//! What is said of kernels and releases that a profile contradicts, and of those that it does not know.

use super::Inputs;
use crate::compiler::model::OsRule;
use crate::knowledge::profile::{Incompatibility, IncompatibilityKind, Profile, ReleaseFacts};
use crate::language::kdl::quote;
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed, nearest};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// The help of what contradicts a profile's knowledge: the knowledge may be wrong.
pub(super) fn or_unchecked(help: &str) -> String {
    let lifted = "where drvc is wrong, `unchecked=#true` beside the kernel lets it through";
    if help.is_empty() { lifted.into() } else { format!("{help}; {lifted}") }
}

/// A warning of what a profile does not know of a kernel.
pub(super) fn report(
    doubt: &Incompatibility,
    rule: &OsRule,
    kernel: Span,
    release: Span,
    arch: Span,
) -> Diagnostic {
    let arch = if arch == kernel { rule.name.span } else { arch };
    let (code, there) = match doubt.kind {
        IncompatibilityKind::UnknownArch => (Code::UnverifiedArch, Some(arch)),
        IncompatibilityKind::UnknownFlavor => (Code::UnverifiedFlavor, Some(release)),
        IncompatibilityKind::UnknownFlavorOfArch => (Code::UnverifiedFlavor, Some(arch)),
        _ => (Code::UnverifiedKernel, None),
    };
    let report = Diagnostic::new(code, doubt.message.clone()).label(kernel, doubt.here.clone());
    let report = match there {
        Some(there) => report.label(there, doubt.there.clone()),
        None => report,
    };
    report.help(doubt.help.clone())
}

/// A warning of a release that the profile does not know.
pub(super) fn release(profile: &Profile, facts: &ReleaseFacts, place: Span) -> Option<Diagnostic> {
    let like = facts.like.as_ref()?;
    let unknown = profile.unknown_release(facts.release.as_str());
    // A number that is not known is a newer release more often than a mistyped one.
    let is_number = facts.release.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let help = match unknown.nearest.as_ref().filter(|_| !is_number) {
        Some(near) => format!("did you mean `{near}`? {}", unknown.help),
        None => unknown.help.clone(),
    };
    let image =
        facts.platforms.first().map(|platform| format!(", on `{}`", platform.base)).unwrap_or_default();
    Some(
        Diagnostic::new(
            Code::UnverifiedRelease,
            format!("drvc does not know {} {}", profile.title, facts.release),
        )
        .label(place, format!("built as {like} is{image}"))
        .help(help),
    )
}

/// What a profile is not sure of.
pub(super) fn unverified(title: &str, what: &[Box<str>], place: Span) -> Diagnostic {
    let what: Vec<&str> = what.iter().map(|what| &**what).collect();
    Diagnostic::new(Code::UnverifiedProfile, format!("some of what drvc knows of {title} is not verified"))
        .label(place, format!("not sure of: {}", what.join("; ")))
        .help("look at the first build; what is wrong, a profile that extends the built-in one can put right")
}

/// What images, installers and vendors call a distribution.
fn other_name(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    Some(match name {
        "ubi" | "redhat" | "red-hat" | "el" | "redhat-enterprise-linux" => "rhel",
        "ocp" | "rhcos" | "rhocp" => "openshift",
        "scos" => "okd",
        "fcos" | "coreos" => "fedora-coreos",
        "centos-stream" | "centosstream" | "stream" => "centos",
        "rockylinux" => "rocky",
        "alma" => "almalinux",
        "ol" | "oraclelinux" | "oracle-linux" => "oracle",
        "suse" | "sle" | "bci" => "sles",
        "opensuse" | "opensuse-leap" => "leap",
        "al" | "amzn" | "amazonlinux" | "amazon-linux" => "amazon",
        "mariner" | "cbl-mariner" | "azure" | "azure-linux" => "azurelinux",
        _ => return None,
    })
}

pub(super) fn unknown_os(inputs: &Inputs<'_>, rule: &OsRule) -> Diagnostic {
    let names = inputs.profiles.names();
    let near = other_name(&rule.name.value).or_else(|| nearest(&rule.name.value, names.iter().copied()));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names = listed(names.iter().copied(), "and");
            format!(
                "there are profiles of {names}; describe another here with `base`, `manager` and `headers`, or in a file with `profile \"NAME\" \"FILE\"`"
            )
        }
    };
    let report = Diagnostic::new(Code::UnknownOs, format!("unknown distribution `{}`", rule.name.value))
        .label(rule.name.span, "no profile has this name")
        .help(help);
    match near {
        Some(near) => report.suggest(rule.name.span, quote(near)),
        None => report,
    }
}

/// A kernel that the lock names and that cannot be of its release.
pub(super) fn locked_misfit(misfit: &Incompatibility, kernel: Span, release: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ContradictingLockEntry,
        format!("the lock file contradicts the manifest: {}", misfit.message),
    )
    .label(kernel, "resolved to that kernel in the lock file")
    .label(release, misfit.there.clone())
    .help("`drvc lock` resolves it again; or correct the manifest")
}

/// At most so many places are shown where many kernels have one mistake.
const MOST_PLACES: usize = 4;

/// One report for all kernels of an `os` that are of another release, where the same is to be done about each.
pub(super) fn one_for_each_release(misfits: Vec<Diagnostic>) -> Diagnostics {
    let mut reports: Vec<(Diagnostic, usize)> = Vec::new();
    let mut known = BTreeMap::new();
    for misfit in misfits {
        let mistake = (misfit.help.clone(), misfit.labels.last().map(|label| label.span));
        let first = known.get(&mistake).and_then(|&at: &usize| reports.get_mut(at));
        match first.filter(|_| misfit.code == Code::KernelOfAnotherRelease) {
            Some((report, others)) => {
                *others += 1;
                if let Some(place) = misfit.labels.into_iter().next().filter(|_| *others < MOST_PLACES) {
                    report.labels.insert(*others, place);
                }
            }
            None => {
                known.insert(mistake, reports.len());
                reports.push((misfit, 0));
            }
        }
    }
    let mut diagnostics = Diagnostics::default();
    for (mut report, others) in reports {
        if others > 0 {
            report.message.push_str(&format!(", and {others} more like it"));
        }
        diagnostics.push(report);
    }
    diagnostics
}

pub(super) fn misfit_report(
    misfit: &Incompatibility,
    rule: &OsRule,
    kernel: Span,
    release: Span,
    arch: Span,
) -> Diagnostic {
    let arch = if arch == kernel { rule.name.span } else { arch };
    let (code, there) = match misfit.kind {
        IncompatibilityKind::Release => (Code::KernelOfAnotherRelease, release),
        _ => (Code::ArchMismatch, arch),
    };
    let report = Diagnostic::new(code, misfit.message.clone())
        .label(kernel, misfit.here.clone())
        .label(there, misfit.there.clone());
    report.help(match misfit.kind {
        IncompatibilityKind::Release => or_unchecked(&misfit.help),
        _ => misfit.help.clone(),
    })
}
