//! What became of each target, for programs: as JSON, and as JUnit's XML, which every CI reads.

use super::failure::{Failure, Failures};
use super::item::Item;
use super::log::Trial;
use super::verdict::{Verdict, Verdicts};
use crate::compiler::compile::Compiled;
use crate::text::error::Error;
use crate::text::source::{Sources, Span};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A run of `drvc build`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BuildJson {
    /// Version of this format.
    pub version: u32,
    /// The engine that built; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Every target that was meant, and every toolkit that was named, sorted by id.
    pub targets: Vec<BuildTarget>,
    /// Failures by their first error, those that hit most targets first.
    pub failures: Vec<BuildFailure>,
}

/// A target or a toolkit, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BuildTarget {
    /// `image/os-release-arch/kernel`; for a toolkit `_toolkit/os-release-arch/kernel`
    pub id: String,
    /// Its key.
    pub key: String,
    /// The references of its image.
    pub tags: Vec<String>,
    /// `built`, `reused` (an earlier kernel's modules serve), `tried-and-built` (they do not), `up-to-date`, `pushed` (the engine had it), `named` (only names were missing), `failed`, `not-built` or `would-build`
    pub outcome: &'static str,
    /// Where its image was found: `engine` or `registry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// How long its own build took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The kernel that its modules were built for, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_for: Option<String>,
    /// Why it was not built, would be built, or failed; or why another kernel's modules do not serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The stage that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The instruction that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// Where that stage comes from: `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The log, relative to the manifest's directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// Targets that failed for one reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BuildFailure {
    /// The first error.
    pub error: String,
    /// The ids of the targets.
    pub targets: Vec<String>,
    /// From or up to which kernel it fails, where that can be told.
    pub boundaries: Vec<String>,
}

/// Where the failing stage of a target comes from: the module, source or image of that name, or else the kernel.
#[must_use]
pub fn place(compiled: &Compiled, item: Item, failure: &Failure) -> Option<Span> {
    let target = match item {
        Item::Target(at) => compiled.plan.targets.get(at)?,
        Item::Toolkit(_) => {
            return compiled.plan.targets.get(item.target(compiled)?).map(|target| target.span);
        }
    };
    let stage = failure.step.as_ref()?.stage.as_str();
    let image = format!("image-{}", target.image);
    let stage = if stage == "pack" { image.as_str() } else { stage };
    Some(compiled.places.get(stage).copied().unwrap_or(target.span))
}

/// `file:line:column` of a place.
#[must_use]
pub fn position(sources: &Sources, span: Span) -> String {
    let at = sources.get(span.file).position(span.start);
    format!("{}:{}:{}", sources.path(span), at.line, at.column)
}

impl BuildJson {
    /// Describes a run.
    #[must_use]
    pub fn new(
        compiled: &Compiled,
        sources: &Sources,
        engine: Option<String>,
        verdicts: &Verdicts,
        failures: &Failures,
    ) -> Self {
        let failures = failures.iter().map(|group| BuildFailure {
            error: group.headline.clone(),
            targets: group.items.iter().map(|item| item.id(compiled).to_owned()).collect(),
            boundaries: group.boundaries.clone(),
        });
        let targets =
            verdicts.iter().filter_map(|(&item, verdict)| describe(compiled, sources, item, verdict));
        let mut targets: Vec<_> = targets.collect();
        targets.sort_by(|a, b| a.id.cmp(&b.id));
        Self { version: 1, engine, failures: failures.collect(), targets }
    }

    /// The same as JUnit's XML: a suite for each image, a case for each target.
    ///
    /// # Errors
    /// A text that XML cannot hold.
    pub fn junit(&self) -> Result<String, Error> {
        let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
        for target in &self.targets {
            let (image, rest) = target.id.split_once('/').unwrap_or((&target.id, ""));
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let message = || target.error.clone().or_else(|| target.reason.clone()).unwrap_or_default();
            let status = match target.outcome {
                "failed" => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(message());
                    let lines = [&target.reason, &target.place, &target.instruction, &target.log];
                    let lines: Vec<_> = lines.into_iter().flatten().map(String::as_str).collect();
                    status.set_description(lines.join("\n"));
                    status
                }
                "not-built" | "would-build" => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(text(&target.reason));
                    status
                }
                _ => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(rest, status);
            case.set_classname(image);
            if let Some(seconds) = target.seconds {
                case.set_time(Duration::from_secs_f64(seconds));
            }
            suites.entry(image).or_insert_with(|| TestSuite::new(image)).add_test_case(case);
        }
        let mut report = quick_junit::Report::new("drvc build");
        report.add_test_suites(suites.into_values());
        report.to_string().map_err(|cause| Error::new("write", "the JUnit report", cause))
    }
}

fn describe(compiled: &Compiled, sources: &Sources, item: Item, verdict: &Verdict) -> Option<BuildTarget> {
    let (key, tags) = match item {
        Item::Target(at) => {
            compiled.json().targets.get(at).map(|target| (&target.key, target.tags.clone()))?
        }
        Item::Toolkit(at) => {
            let toolkit = compiled.json().toolkits.get(at)?;
            (&toolkit.key, vec![toolkit.reference.clone()])
        }
    };
    let mut described = BuildTarget {
        id: item.id(compiled).to_owned(),
        key: key.clone(),
        tags,
        outcome: verdict.word(),
        found: None,
        seconds: None,
        reason: None,
        built_for: None,
        error: None,
        stage: None,
        instruction: None,
        place: None,
        log: None,
    };
    match verdict {
        Verdict::UpToDate(place) => described.found = Some(place.to_string()),
        Verdict::Named => {}
        Verdict::Built(time) | Verdict::Pushed(time) => described.seconds = Some(time.as_secs_f64()),
        Verdict::Tried(trial, time) => {
            described.seconds = Some(time.as_secs_f64());
            match trial {
                Trial::Reused(kernel) => described.built_for = Some(kernel.clone()),
                Trial::Compiled(why) => described.reason = Some(why.clone()),
            }
        }
        Verdict::NotBuilt(reason) | Verdict::Would(reason) => described.reason = Some(reason.clone()),
        Verdict::Failed(failure) => {
            described.reason = Some(failure.reason.clone());
            described.error.clone_from(&failure.error);
            described.stage = failure.step.as_ref().map(|step| step.stage.clone());
            described.instruction = failure.step.as_ref().map(|step| step.instruction.clone());
            described.place = place(compiled, item, failure).map(|span| position(sources, span));
            described.log.clone_from(&failure.log);
        }
    }
    Some(described)
}
