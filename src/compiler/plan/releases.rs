//! What is known of the releases that an `os` names.

use super::reports::repeated;
use super::rule::is_range;
use super::{Inputs, doubts, zstreams};
use crate::compiler::model::OsRule;
use crate::compiler::model::selector::release_test;
use crate::knowledge::profile::{Profile, ReleaseFacts, UnknownRelease};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use crate::text::source::Span;

/// What is known of the releases of an `os`, with the places where they are named; what is not known is reported.
pub(super) fn known(
    inputs: &Inputs<'_>,
    rule: &OsRule,
    profile: &Profile,
    diagnostics: &mut Diagnostics,
) -> Vec<(ReleaseFacts, Span)> {
    let mut known: Vec<(ReleaseFacts, Span)> = Vec::new();
    for text in zstreams::releases(inputs, rule, profile, diagnostics).iter() {
        if let Some(report) = distribution(inputs, profile, text) {
            diagnostics.push(report);
            continue;
        }
        let facts = match profile.release(&text.value) {
            Ok(facts) => facts,
            Err(unknown) => {
                diagnostics.push(unknown_release(profile, &unknown, text));
                continue;
            }
        };
        if let Some((_, first)) = known.iter().find(|(one, _)| one.release == facts.release) {
            diagnostics.push(repeated("release", &text.value, text.span, *first));
            continue;
        }
        if let Some(report) = doubts::release(profile, &facts, text.span) {
            diagnostics.push(report);
        }
        if !facts.unverified.is_empty() {
            let title = format!("{} {}", profile.title, facts.release);
            diagnostics.push(doubts::unverified(&title, &facts.unverified, text.span));
        }
        known.push((facts, text.span));
    }
    diagnostics.extend(ended(profile, &known));
    known
}

/// The name of a distribution in the place of a release.
fn distribution(inputs: &Inputs<'_>, profile: &Profile, text: &ast::Text) -> Option<Diagnostic> {
    let other = inputs.profiles.get(&text.value).filter(|other| other.os != profile.os)?;
    let message = format!("`{}` is a distribution, not a release of {}", text.value, profile.title);
    let report = Diagnostic::new(Code::UnknownRelease, message).label(text.span, other.title.to_string());
    Some(report.help(format!(
        "write one more `os` for it: `os \"{}\" \"RELEASE\" {{ kernel latest=2; }}`",
        text.value
    )))
}

/// One report for all releases of an `os` that are past their end of life.
fn ended(profile: &Profile, known: &[(ReleaseFacts, Span)]) -> Diagnostics {
    let mut places: Vec<(Span, Vec<String>)> = Vec::new();
    for (facts, span) in known {
        let Some(day) = &facts.end_of_life else { continue };
        let text = format!("{} since {day}", facts.release);
        match places.iter_mut().find(|(place, _)| place == span) {
            Some((_, texts)) => texts.push(text),
            None => places.push((*span, vec![text])),
        }
    }
    let mut diagnostics = Diagnostics::default();
    let names = known.iter().filter(|(facts, _)| facts.end_of_life.is_some());
    let names: Vec<&str> = names.map(|(facts, _)| facts.release.as_str()).collect();
    let message = match names.as_slice() {
        [] => return diagnostics,
        [only] => format!("{} {only} is past its end of life", profile.title),
        several => format!(
            "{} {} are past their end of life",
            profile.title,
            listed(several.iter().copied(), "and").replace('`', "")
        ),
    };
    let report = Diagnostic::new(Code::EndOfLifeRelease, message);
    let report = places.into_iter().fold(report, |report, (span, texts)| {
        let label = match texts.as_slice() {
            [only] => format!("unsupported since {}", only.rsplit(' ').next().unwrap_or_default()),
            several => format!("unsupported: {}", several.join(", ")),
        };
        report.label(span, label)
    });
    diagnostics.push(
        report.help("its packages may have left the repositories: take it out when nobody runs it any more"),
    );
    diagnostics
}

fn unknown_release(profile: &Profile, unknown: &UnknownRelease, text: &ast::Text) -> Diagnostic {
    let value = text.value.as_str();
    let report = Diagnostic::new(Code::UnknownRelease, unknown.to_string());
    if is_range(value) {
        let report = report.label(text.span, "selects no release that the profile lists");
        return report.help(match release_test(value) {
            Err(rule) => rule,
            Ok(_) if profile.payload.is_some() => {
                format!("{}; name a minor, and follow it with `z latest=1`", unknown.help)
            }
            Ok(_) => unknown.help.clone(),
        });
    }
    let report = report.label(text.span, "not a release that the profile knows");
    let parts: Vec<&str> = value.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 && parts.iter().all(|part| profile.release(part).is_ok()) {
        let words = parts.into_iter().map(quote).collect::<Vec<_>>().join(" ");
        return report.help(format!("write each for itself: `{words}`")).suggest(text.span, words);
    }
    let minor =
        value.trim_end_matches(".z").trim_end_matches(".Z").trim_end_matches(".x").trim_end_matches(".X");
    let is_minor = minor.split('.').count() == 2 && profile.release(&format!("{minor}.0")).is_ok();
    if profile.payload.is_some() && is_minor {
        return report.help(format!(
            "a minor: name a release of it, `{minor}.Z` where Z is a number, or write `\"{minor}\"` and follow the newest with `z latest=1` in the block of this `os`"
        ));
    }
    if let Some(line) = value.strip_suffix(".x").or_else(|| value.strip_suffix(".X")) {
        let pattern = format!("{line}.*");
        return report
            .help(format!("write `{pattern}` for all that drvc knows; {}", unknown.help))
            .suggest(text.span, quote(&pattern));
    }
    match &unknown.nearest {
        Some(near) => report
            .help(format!("did you mean `{near}`? {}", unknown.help).trim())
            .suggest(text.span, quote(near.as_str())),
        None => report.help(unknown.help.trim()),
    }
}
