//! Targets to verdicts: what is there already, what is built, what fails, and what is left.

use super::Failure;
use super::builder::{Builder, Outcome, Watch};
use super::jobs::{Job, Work, jobs};
use super::report::Verdict;
use super::schedule;
use super::standing::{Ids, Lack, Names, Place, in_engine};
use crate::compile::Compiled;
use crate::engine::{Engine, Secret};
use crate::error::Error;
use crate::fs::{Dir, Disk};
use crate::ids::RelPath;
use crate::process::Interrupt;
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What to do after a build has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Start everything that does not stand on it.
    GoOn,
    /// Start nothing more, and let those end that run.
    Finish,
    /// End those that run as well.
    Halt,
}

/// What became of each target, by its place in the plan.
pub type Verdicts = BTreeMap<usize, Verdict>;

/// One run of `drvc build`.
pub struct Session<'a> {
    /// What is built.
    pub compiled: &'a Compiled,
    /// With what.
    pub engine: &'a Engine,
    /// The manifest's directory.
    pub disk: &'a Disk,
    /// The same, as a path to start the engine in.
    pub directory: &'a Utf8Path,
    /// The output directory beneath it.
    pub out: &'a RelPath,
    /// `.drvc` in the output directory.
    pub home: &'a Dir,
    /// What secret mounts are given.
    pub secrets: &'a [Secret],
    /// What one build is given.
    pub timeout: Option<Duration>,
    /// How many builds run at a time.
    pub workers: usize,
    /// What to do after one has failed.
    pub after: AfterFailure,
    /// Build nothing, and say what would be built.
    pub dry_run: bool,
    /// Whether drvc was interrupted.
    pub interrupt: &'a Interrupt,
    /// Told of what happens.
    pub watch: &'a dyn Watch,
}

impl Session<'_> {
    /// Sees to it that each of these targets has its image.
    ///
    /// # Errors
    /// The engine does not answer. A build that fails is a verdict.
    pub fn run(&self, targets: &[usize]) -> Result<Verdicts, Error> {
        let names = Names::of(&self.compiled.plan.targets);
        let (standing, bases) = in_engine(self.compiled, self.engine, &names, targets)?;
        let mut verdicts = Verdicts::new();
        let mut missing = BTreeMap::new();
        for (target, lack) in standing {
            let verdict = match lack {
                Ok(()) => Verdict::UpToDate(Place::Engine),
                Err(Lack::Names { .. }) if self.dry_run => Verdict::Would("it has a new name".into()),
                Err(Lack::Names { id, names }) => {
                    names.iter().try_for_each(|name| self.engine.tag(&id, name))?;
                    Verdict::Named
                }
                Err(Lack::Image(reason)) if self.dry_run => Verdict::Would(reason),
                Err(Lack::Image(reason)) => {
                    missing.insert(target, reason);
                    continue;
                }
            };
            verdicts.insert(target, verdict);
        }
        let missing: Vec<_> = missing.into_keys().collect();
        if !missing.is_empty() {
            verdicts.extend(self.build(&missing, &names, bases));
        }
        Ok(verdicts)
    }

    fn build(&self, targets: &[usize], names: &Names, bases: Ids) -> Verdicts {
        let share = self.workers > 1 && !self.engine.kind().facts().joins_builds;
        let jobs = jobs(self.compiled, targets, share);
        let builder = Builder {
            compiled: self.compiled,
            engine: self.engine,
            disk: self.disk,
            directory: self.directory,
            out: self.out,
            home: self.home,
            names,
            bases: Mutex::new(bases),
            secrets: self.secrets,
            timeout: self.timeout,
            interrupt: self.interrupt,
            watch: self.watch,
        };
        let halted = AtomicBool::new(false);
        let stop = || self.interrupt.is_set() || halted.load(Ordering::Relaxed);
        let needs: Vec<_> = jobs.iter().map(|job| job.needs.clone()).collect();
        let outcomes = schedule::run(&needs, self.workers, stop, |at| {
            let outcome = jobs.get(at).map_or(Outcome::Interrupted, |job| builder.job(at, &job.work));
            let is_done = matches!(outcome, Outcome::Built(_));
            if !is_done {
                match self.after {
                    AfterFailure::GoOn => {}
                    AfterFailure::Finish => halted.store(true, Ordering::Relaxed),
                    AfterFailure::Halt => self.interrupt.halt(),
                }
            }
            (is_done, outcome)
        });
        verdicts(&jobs, &outcomes, self.interrupt)
    }
}

/// What the outcomes of jobs mean for targets: one whose shared stage failed has failed with it.
fn verdicts(jobs: &[Job], outcomes: &[Option<Outcome>], interrupt: &Interrupt) -> Verdicts {
    let why_not = match interrupt.signal() {
        Some(_) => "interrupted",
        None => "nothing more was built after a failure",
    };
    let mut stages: BTreeMap<usize, &Failure> = BTreeMap::new();
    let mut verdicts = Verdicts::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        match (&job.work, outcome) {
            (Work::Stage { users, .. }, Some(Outcome::Failed(failure))) => {
                for &user in users {
                    stages.entry(user).or_insert(failure);
                }
            }
            (Work::Stage { .. }, _) => {}
            (Work::Target(target), outcome) => {
                let verdict = match outcome {
                    Some(Outcome::Built(time)) => Verdict::Built(*time),
                    Some(Outcome::Failed(failure)) => Verdict::Failed(failure.clone()),
                    Some(Outcome::Interrupted) => Verdict::NotBuilt(why_not.into()),
                    None => match stages.get(target) {
                        Some(&failure) => Verdict::Failed(Box::new(failure.clone())),
                        None => Verdict::NotBuilt(why_not.into()),
                    },
                };
                verdicts.insert(*target, verdict);
            }
        }
    }
    verdicts
}
