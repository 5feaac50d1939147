//! What builds, checks and boots of targets came to <-> `.drvc/builds.json`, so that it can be said later without asking
//! an engine.
//!
//! It is a hint of this machine's: what is built elsewhere is not in it, and one that cannot be read is empty.

use super::build::{Item, Trial, Verdict, Verdicts, unpinned_bases, unpinned_source};
use super::{boot, verify};
use crate::compiler::compile::Compiled;
use crate::compiler::outputs::PlanTarget;
use crate::compiler::plan::Target;
use crate::store::state::HOME;
use crate::system::fs::{Dir, Disk, Tree};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The record's name in `.drvc`.
const NAME: &str = "builds.json";
/// What a record may have, in bytes.
const LIMIT: u64 = 256 << 20;

/// What is known of targets, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Builds(BTreeMap<String, Record>);

/// What is known of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its last build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildRecord>,
    /// What `drvc verify` said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<CheckRecord>,
    /// What `drvc boot` said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<CheckRecord>,
}

/// A build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRecord {
    /// The key that was built.
    pub key: String,
    /// Whether its image is there.
    pub is_good: bool,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// The kernel whose image the modules were taken from, where they were not compiled for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_for: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The last lines of the instruction that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

/// What a check of an image said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The key of the target that was checked.
    pub key: String,
    /// Each finding, worst first.
    pub findings: Vec<FindingRecord>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// `error`, `warning` or `note`
    pub level: String,
    pub code: String,
    /// What is the matter.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How a target stands, as far as that is known without asking an engine or a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetState {
    /// Its last build failed.
    Failed,
    /// Its image has another key.
    Changed,
    /// Nothing is known of an image.
    NotBuilt,
    /// Its image was there; but it depends on something that no digest, commit or checksum pins.
    Unpinned,
    /// Its image was there, with the modules of an earlier kernel.
    Reused,
    /// Its image was there.
    UpToDate,
}

impl TargetState {
    /// All, those first that need somebody.
    pub const ALL: [Self; 6] =
        [Self::Failed, Self::Changed, Self::NotBuilt, Self::Unpinned, Self::Reused, Self::UpToDate];

    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Changed => "changed",
            Self::NotBuilt => "not built",
            Self::Unpinned => "unpinned",
            Self::Reused => "reused",
            Self::UpToDate => "up to date",
        }
    }
}

impl CheckRecord {
    /// What `drvc verify` said of the image of a target with this key.
    #[must_use]
    pub fn of_verify(key: &str, report: &verify::Report) -> Self {
        let finding = |finding: &verify::Finding| FindingRecord {
            level: finding.level.word().to_owned(),
            code: finding.code.code().to_owned(),
            message: finding.message.clone(),
            help: finding.help.clone(),
        };
        Self { key: key.to_owned(), findings: report.findings.iter().map(finding).collect() }
    }

    /// The same of `drvc boot`.
    #[must_use]
    pub fn of_boot(key: &str, report: &boot::Report) -> Self {
        let finding = |problem: &boot::Problem| FindingRecord {
            level: problem.level.word().to_owned(),
            code: problem.code.code().to_owned(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        };
        Self { key: key.to_owned(), findings: report.problems.iter().map(finding).collect() }
    }
}

/// What a check of an image adds to the record of its target.
#[derive(Clone, Debug)]
pub enum Check {
    /// Of `drvc verify`.
    Verify(CheckRecord),
    /// Of `drvc boot`.
    Boot(CheckRecord),
}

impl Builds {
    /// Reads the record beneath the output directory; nothing where none is.
    #[must_use]
    pub fn read(tree: &dyn Tree, out: &RelPath) -> Option<Self> {
        let path = out.join(HOME).and_then(|home| home.join(NAME)).ok()?;
        serde_json::from_slice(&tree.read(&path, LIMIT).ok()?.value).ok()
    }

    /// What is known of a target.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Record> {
        self.0.get(id)
    }

    /// Takes in what a run of builds came to. What a dry run would build is not there.
    fn take(&mut self, compiled: &Compiled, verdicts: &Verdicts, mut boots: BTreeMap<String, CheckRecord>) {
        for (item, verdict) in verdicts {
            let Item::Target(at) = *item else { continue };
            let Some(target) = compiled.json().targets.get(at) else { continue };
            let record = self.0.entry(target.id.clone()).or_default();
            let booted = boots.remove(&target.id);
            record.boot =
                booted.map(|boot| CheckRecord { key: target.key.clone(), ..boot }).or(record.boot.take());
            let before = record.build.take().filter(|before| before.key == target.key);
            let (key, is_good) = (target.key.clone(), true);
            let good = |time: &Duration, built_for| {
                let milliseconds = u64::try_from(time.as_millis()).ok();
                Some(BuildRecord {
                    key: key.clone(),
                    is_good,
                    milliseconds,
                    built_for,
                    ..BuildRecord::default()
                })
            };
            record.build = match verdict {
                Verdict::Built(time) | Verdict::Tried(Trial::Compiled(_), time) => good(time, None),
                Verdict::Tried(Trial::Reused(kernel), time) => good(time, Some(kernel.clone())),
                Verdict::UpToDate(_) | Verdict::Named | Verdict::Pushed(_) => {
                    let (milliseconds, built_for) =
                        before.map(|before| (before.milliseconds, before.built_for)).unwrap_or_default();
                    Some(BuildRecord { key, is_good, milliseconds, built_for, ..BuildRecord::default() })
                }
                Verdict::NotBuilt(_) | Verdict::Would(_) => before.filter(|before| !before.is_good),
                Verdict::Failed(failure) => Some(BuildRecord {
                    key: target.key.clone(),
                    error: Some(failure.headline().to_owned()),
                    help: failure.help.clone(),
                    tail: failure.tail.clone(),
                    ..BuildRecord::default()
                }),
            };
        }
        self.0.retain(|_, record| *record != Record::default());
    }

    fn write(&self, home: &Dir) -> Result<(), Error> {
        let text = serde_json::to_string(self).unwrap_or_default();
        let written = home.replace(NAME, text.as_bytes());
        written.map(|_| ()).map_err(|cause| Error::new("write", NAME, cause))
    }
}

/// Adds what a run of builds came to, and what booting its images by their targets' ids said, in `.drvc` (`home`) of the output directory.
///
/// # Errors
/// The record cannot be written.
pub fn keep_builds(
    disk: &Disk,
    home: &Dir,
    out: &RelPath,
    compiled: &Compiled,
    verdicts: &Verdicts,
    boots: BTreeMap<String, CheckRecord>,
) -> Result<(), Error> {
    let mut builds = Builds::read(disk, out).unwrap_or_default();
    builds.take(compiled, verdicts, boots);
    builds.write(home)
}

/// Adds what a check of a target's image said, where there is a `.drvc` to keep it in.
///
/// # Errors
/// The record cannot be written.
pub fn keep_check(disk: &Disk, out: &RelPath, id: &str, check: Check) -> Result<(), Error> {
    let Ok(home) = disk.root().open_dir(&format!("{out}/{HOME}")) else { return Ok(()) };
    let mut builds = Builds::read(disk, out).unwrap_or_default();
    let record = builds.0.entry(id.to_owned()).or_default();
    match check {
        Check::Verify(said) => record.verify = Some(said),
        Check::Boot(said) => record.boot = Some(said),
    }
    builds.write(&home)
}

/// How each target stands, in the plan's order; nothing where no build is on record.
#[must_use]
pub fn states(compiled: &Compiled, builds: Option<&Builds>) -> Option<Vec<TargetState>> {
    let builds = builds.filter(|builds| builds.0.values().any(|record| record.build.is_some()))?;
    let targets = compiled.plan.targets.iter().zip(&compiled.json().targets);
    let state = |(target, described): (&Target, &PlanTarget)| match builds
        .get(&described.id)
        .and_then(|record| record.build.as_ref())
    {
        None => TargetState::NotBuilt,
        Some(build) if build.key != described.key => match build.is_good {
            true => TargetState::Changed,
            false => TargetState::NotBuilt,
        },
        Some(build) if !build.is_good => TargetState::Failed,
        Some(_) if unpinned_source(compiled, target).is_some() => TargetState::Unpinned,
        Some(_) if !unpinned_bases(compiled, target).is_empty() => TargetState::Unpinned,
        Some(build) if build.built_for.is_some() => TargetState::Reused,
        Some(_) => TargetState::UpToDate,
    };
    Some(targets.map(state).collect())
}

/// How many targets stand how: `1 failed, 4 to build, 1 changed, 23 up to date`.
#[must_use]
pub fn tally(states: &[TargetState]) -> String {
    let number = |wanted| states.iter().filter(|state| **state == wanted).count();
    let part = |state: TargetState| {
        let word = if state == TargetState::NotBuilt { "to build" } else { state.word() };
        (number(state) > 0).then(|| format!("{} {word}", number(state)))
    };
    TargetState::ALL.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
}
