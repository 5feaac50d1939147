//! Targets to verdicts: what is there already, what is built, what fails, and what is left.

use super::Failure;
use super::builder::{Builder, Done, Outcome, Proof, Watch};
use super::built_file::BuiltFile;
use super::image_status::{ExpectedImage, Ids, Lack, Names, Place, base_ids, in_engine, unpinned_bases};
use super::item::Item;
use super::jobs::{Job, Users, Work, jobs, users_of_toolkits};
use super::proofs::Proofs;
use super::remote::{self, Remote};
use super::schedule;
use super::verdict::{Verdict, Verdicts};
use crate::compiler::compile::Compiled;
use crate::images::engine::{Engine, Secret};
use crate::system::fs::{Dir, Disk};
use crate::system::oci::Registry;
use crate::system::process::Interrupt;
use crate::text::error::Error;
use crate::text::ids::{ImageRef, RelPath};
use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
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

/// Why there is something to build where nothing is known of any image.
pub(super) const NO_IMAGE: &str = "there is no image yet";

/// One run of `drvc build`.
pub struct BuildRun<'a> {
    /// What is built.
    pub compiled: &'a Compiled,
    /// With what; or why there is none, which matters only where something is to be built.
    pub engine: Result<Engine, Error>,
    /// Registries, unless the network is not to be used.
    pub registry: Option<&'a Registry>,
    /// Whether images are to be in their registries.
    pub push: bool,
    /// Words of the user's for every push.
    pub push_arguments: &'a [String],
    /// What images must have attached in their registries to count.
    pub proofs: Proofs,
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
    /// What images that are built have to stand before they count.
    pub proof: Option<&'a dyn Proof>,
    /// Told of what happens.
    pub watch: &'a dyn Watch,
}

/// How far a target is from what it is to be.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// To be built, and why.
    Build(String),
    /// To be pushed: the engine has its image.
    Push,
}

impl BuildRun<'_> {
    /// Sees to it that each of these has its image: in the engine or its registry, or under `--push` in its registry.
    ///
    /// # Errors
    /// The engine or, under `--push`, a registry does not answer. A build that fails is a verdict.
    pub fn run(&self, items: &[Item]) -> Result<Verdicts, Error> {
        let targets: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::Target(at) => Some(*at),
                Item::Toolkit(_) => None,
            })
            .collect();
        let targets = targets.as_slice();
        let names = Names::of(&self.compiled.plan.targets);
        let remote = self.registry;
        let remote = remote.map(|registry| Remote::new(registry, self.compiled, &names, self.proofs));
        let mut verdicts = Verdicts::new();
        let mut ids = self.bases(targets)?;
        let mut open: Vec<usize> = targets.to_vec();
        let mut reasons = BTreeMap::new();
        if self.push {
            let remote = remote.as_ref().ok_or_else(no_registry)?;
            self.require_registries(&names, targets)?;
            self.ask_registries(remote, &mut open, &ids, &mut verdicts, &mut reasons)?;
        }
        let mut tasks = self.ask_engine(&names, &open, &mut ids, &mut verdicts, &mut reasons)?;
        if let (false, Some(remote)) = (self.push, &remote) {
            let mut open: Vec<_> = tasks.keys().copied().collect();
            self.ask_registries(remote, &mut open, &ids, &mut verdicts, &mut reasons)?;
            tasks.retain(|target, _| open.contains(target));
        }
        self.add_firsts(&mut tasks, &mut verdicts)?;
        let toolkits = self.toolkits_asked_for(items, &mut verdicts)?;
        if self.dry_run {
            verdicts
                .extend(toolkits.into_keys().map(|at| (Item::Toolkit(at), Verdict::Would(NO_IMAGE.into()))));
            verdicts.extend(tasks.into_iter().map(|(target, task)| match task {
                Task::Build(reason) => {
                    (Item::Target(target), Verdict::Would(reasons.remove(&target).unwrap_or(reason)))
                }
                Task::Push => (Item::Target(target), Verdict::Would("it is not pushed yet".into())),
            }));
        } else if !tasks.is_empty() || !toolkits.is_empty() {
            verdicts.extend(self.build(&tasks, toolkits, &names, ids, remote.as_ref())?);
        }
        Ok(verdicts)
    }

    /// The engine, where one is needed.
    fn engine(&self) -> Result<&Engine, Error> {
        self.engine.as_ref().map_err(|error| {
            let again = Error::new("find", "a container engine", error.to_string());
            error.next_step().map_or_else(
                || Error::new("find", "a container engine", error.to_string()),
                |help| again.help(help.to_owned()),
            )
        })
    }

    /// The ids that the engine has for base images that no digest pins.
    fn bases(&self, targets: &[usize]) -> Result<Ids, Error> {
        let targets = targets.iter().filter_map(|&at| self.compiled.plan.targets.get(at));
        let bases: BTreeSet<_> = targets.flat_map(|target| unpinned_bases(self.compiled, target)).collect();
        match &self.engine {
            Ok(engine) if !bases.is_empty() => base_ids(engine, bases),
            _ => Ok(Ids::new()),
        }
    }

    fn require_registries(&self, names: &Names, targets: &[usize]) -> Result<(), Error> {
        let mut tags = targets.iter().flat_map(|&at| names.tags(at)).map(|(tag, _)| tag);
        match tags.find(|tag| tag.registry().is_none()) {
            None => Ok(()),
            Some(tag) => Err(Error::new("push", tag.as_str(), "it names no registry").help(
                "say where images go: `registry \"quay.io/you\"` in `project`, or `repository` in `image`",
            )),
        }
    }

    /// Takes out of `open` what registries have. One that cannot be asked is an error only where images go there.
    fn ask_registries(
        &self,
        remote: &Remote<'_>,
        open: &mut Vec<usize>,
        ids: &Ids,
        verdicts: &mut Verdicts,
        reasons: &mut BTreeMap<usize, String>,
    ) -> Result<(), Error> {
        let mut silent = None;
        for (target, lack) in remote.image_status(open, ids) {
            let verdict = match lack {
                Ok(()) => Verdict::UpToDate(Place::Registry),
                Err(remote::Lack::Tags { .. }) if !self.push => Verdict::UpToDate(Place::Registry),
                Err(remote::Lack::Tags { .. }) if self.dry_run => Verdict::Would("it has a new tag".into()),
                Err(remote::Lack::Tags { source, tags }) => {
                    remote.copy(target, &source, &tags)?;
                    Verdict::Named
                }
                Err(remote::Lack::Image { reason, absent }) => {
                    let wanted =
                        ExpectedImage::of(self.compiled, target, ids).filter(|_| absent && self.push);
                    let source =
                        wanted.and_then(|wanted| remote.by_key(target, &wanted).transpose()).transpose()?;
                    let tags: Vec<_> = self.tags(target);
                    match source {
                        Some(_) if self.dry_run => Verdict::Would("it has a new tag".into()),
                        Some(source) => {
                            remote.copy(target, &source, &tags)?;
                            Verdict::Named
                        }
                        None => {
                            reasons.insert(target, reason);
                            continue;
                        }
                    }
                }
                Err(remote::Lack::Unknown(cause)) => {
                    silent.get_or_insert(cause);
                    continue;
                }
            };
            verdicts.insert(Item::Target(target), verdict);
        }
        open.retain(|target| !verdicts.contains_key(&Item::Target(*target)));
        match silent {
            Some(cause) if self.push => Err(Error::new("ask", "the registry", cause)),
            Some(cause) => {
                self.watch.aside(&format!("{cause}; only images of the engine count"));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn tags(&self, target: usize) -> Vec<ImageRef> {
        self.compiled.plan.targets.get(target).map(|target| target.tags.clone()).unwrap_or_default()
    }

    /// What is left to do, as far as the engine knows.
    fn ask_engine(
        &self,
        names: &Names,
        open: &[usize],
        ids: &mut Ids,
        verdicts: &mut Verdicts,
        reasons: &mut BTreeMap<usize, String>,
    ) -> Result<BTreeMap<usize, Task>, Error> {
        if open.is_empty() {
            return Ok(BTreeMap::new());
        }
        let Ok(engine) = &self.engine else {
            return Ok(open.iter().map(|&at| (at, Task::Build(NO_IMAGE.into()))).collect());
        };
        let (status, found) = in_engine(self.compiled, engine, names, open)?;
        ids.extend(found);
        let mut tasks = BTreeMap::new();
        for (target, lack) in status {
            let task = match lack {
                _ if self.proofs.any() => Task::Build(reasons.remove(&target).unwrap_or_default()),
                Err(Lack::Image(reason)) => Task::Build(reasons.remove(&target).unwrap_or(reason)),
                Err(Lack::Names { .. }) if self.dry_run => {
                    verdicts.insert(Item::Target(target), Verdict::Would("it has a new name".into()));
                    continue;
                }
                Err(Lack::Names { id, names }) => {
                    names.iter().try_for_each(|name| engine.tag(&id, name))?;
                    if !self.push {
                        verdicts.insert(Item::Target(target), Verdict::Named);
                        continue;
                    }
                    Task::Push
                }
                Ok(()) if self.push => Task::Push,
                Ok(()) => {
                    verdicts.insert(Item::Target(target), Verdict::UpToDate(Place::Engine));
                    continue;
                }
            };
            tasks.insert(target, task);
        }
        Ok(tasks)
    }

    fn build(
        &self,
        tasks: &BTreeMap<usize, Task>,
        mut toolkits: Users,
        names: &Names,
        bases: Ids,
        remote: Option<&Remote<'_>>,
    ) -> Result<Verdicts, Error> {
        let engine = self.engine()?;
        let share = self.workers > 1 && !engine.kind().facts().joins_builds;
        let of = |wanted: fn(&Task) -> bool| -> Vec<usize> {
            tasks.iter().filter(|(_, task)| wanted(task)).map(|(&target, _)| target).collect()
        };
        let targets = of(|task| matches!(task, Task::Build(_)));
        let asked_for: BTreeSet<_> = toolkits.keys().copied().collect();
        toolkits.extend(self.missing_toolkits(users_of_toolkits(self.compiled, &targets))?);
        let mut jobs = jobs(self.compiled, &targets, toolkits, share);
        let pushes = of(|task| matches!(task, Task::Push));
        jobs.extend(pushes.into_iter().map(|at| Job { work: Work::Push(at), needs: Vec::new() }));
        let builder = Builder {
            compiled: self.compiled,
            engine,
            remote: remote.filter(|_| self.push),
            push_arguments: self.push_arguments,
            proofs: self.proofs,
            disk: self.disk,
            directory: self.directory,
            out: self.out,
            home: self.home,
            names,
            bases: Mutex::new(bases),
            secrets: self.secrets,
            timeout: self.timeout,
            interrupt: self.interrupt,
            proof: self.proof,
            watch: self.watch,
        };
        self.home.remove_dead_temporaries();
        BuiltFile::clear(self.home);
        let halted = AtomicBool::new(false);
        let stop = || self.interrupt.is_set() || halted.load(Ordering::Relaxed);
        let needs: Vec<_> = jobs.iter().map(|job| job.needs.clone()).collect();
        let outcomes = schedule::run(&needs, self.workers, stop, |at| {
            let outcome = jobs.get(at).map_or(Outcome::Interrupted, |job| builder.job(at, &job.work));
            let is_done = matches!(outcome, Outcome::Done(..));
            if !is_done {
                match self.after {
                    AfterFailure::GoOn => {}
                    AfterFailure::Finish => halted.store(true, Ordering::Relaxed),
                    AfterFailure::Halt => self.interrupt.halt(),
                }
            }
            (is_done, outcome)
        });
        Ok(verdicts_of(self.compiled, &jobs, &outcomes, &asked_for, self.interrupt))
    }
}

fn no_registry() -> Error {
    Error::new("push to", "a registry", "the network is not to be used").help("leave `--offline` out")
}

/// What the outcomes of jobs mean for targets: one whose shared stage failed has failed with it.
fn verdicts_of(
    compiled: &Compiled,
    jobs: &[Job],
    outcomes: &[Option<Outcome>],
    asked_for: &BTreeSet<usize>,
    interrupt: &Interrupt,
) -> Verdicts {
    let why_not = match interrupt.signal() {
        Some(_) => "interrupted",
        None => "nothing more was built after a failure",
    };
    let mut stages: BTreeMap<usize, &Failure> = BTreeMap::new();
    let failed: BTreeSet<usize> = jobs
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| !matches!(outcome, Some(Outcome::Done(..))))
        .filter(|(job, _)| matches!(job.work, Work::Target(_)))
        .map(|(job, _)| job.work.target())
        .collect();
    let mut verdicts = Verdicts::new();
    let verdict = |outcome: &Option<Outcome>, below: Option<&Failure>| match outcome {
        Some(Outcome::Done(done, time)) => match done {
            Done::Built => Verdict::Built(*time),
            Done::Tried(trial) => Verdict::Tried(trial.clone(), *time),
            Done::Pushed => Verdict::Pushed(*time),
            Done::Named => Verdict::Named,
        },
        Some(Outcome::Failed(failure)) => Verdict::Failed(failure.clone()),
        Some(Outcome::Interrupted) => Verdict::NotBuilt(why_not.into()),
        None => match below {
            Some(failure) => Verdict::Failed(Box::new(failure.clone())),
            None => Verdict::NotBuilt(why_not.into()),
        },
    };
    for (job, outcome) in jobs.iter().zip(outcomes) {
        if let Work::Toolkit { at, .. } = job.work
            && asked_for.contains(&at)
        {
            verdicts.insert(Item::Toolkit(at), verdict(outcome, None));
        }
        match (&job.work, outcome) {
            (Work::Stage { users, .. } | Work::Toolkit { users, .. }, Some(Outcome::Failed(failure))) => {
                for &user in users {
                    stages.entry(user).or_insert(failure);
                }
            }
            (Work::Stage { .. } | Work::Toolkit { .. }, _) => {}
            (Work::Target(target) | Work::Push(target), outcome) => {
                let failure = stages.get(target).copied();
                let first = compiled.json().first_of(*target).filter(|first| failed.contains(first));
                let without_first = first.and_then(|first| compiled.json().targets.get(first));
                let verdict = match (outcome, failure, without_first) {
                    (None, None, Some(first)) => Verdict::NotBuilt(format!(
                        "it would try the modules of {}, which has no image",
                        first.id
                    )),
                    _ => verdict(outcome, failure),
                };
                verdicts.insert(Item::Target(*target), verdict);
            }
        }
    }
    verdicts
}
