//! A manifest and its lock -> the lock as it should be.
//!
//! 1. [`Planned::of`] plans with the lock as it is. What contradicts the manifest, was changed by hand or is to be
//!    updated is forgotten first.
//! 2. What the plan asked for and the lock lacks is resolved: kernels and releases first, then which builders they take,
//!    then everything else.
//! 3. It is planned again, until nothing is missing; then what nothing asked for is taken out.
//!
//! A question that fails holds up no other: its entry stays as it was, whole, and the failure is handed back.

use super::answer::Answer;
use super::planned::Planned;
use super::repository::Problem;
use super::selection::{Selection, forget_doubtful};
use super::work::{Progress, Work};
use super::{Change, Resolver, changes};
use crate::compiler::compile::Request;
use crate::knowledge::lock::{Lock, Want, Wants};
use crate::system::fs::Tree;
use crate::text::diag::{Diagnostic, Diagnostics};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use crate::text::source::Sources;

/// Kernels bring builders, builders images, and images nothing more: so many rounds are more than enough.
const ROUNDS: usize = 8;

/// What to do.
pub struct Job<'a> {
    /// The manifest's directory.
    pub tree: &'a dyn Tree,
    /// What would be compiled.
    pub request: &'a Request,
    /// Where the lock stands, right in the directory.
    pub path: &'a RelPath,
    /// Asks only for what has this name: a source, an os with or without a release, or a part of an entry's own name.
    pub name: Option<&'a str>,
    /// Asks for what the lock has, too.
    pub update: bool,
    /// Who asks; without one, nothing is resolved.
    pub resolver: Option<&'a Resolver>,
    /// Told of each answer.
    pub progress: &'a dyn Fn(Progress<'_>),
}

/// A lock as it should be, as far as servers answered.
#[derive(Debug)]
pub struct Settled {
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// What is still to be said of manifest and lock: warnings, what is not offered, and what is missing where nobody was asked.
    pub diagnostics: Diagnostics,
    pub lock: Lock,
    /// What moved.
    pub changes: Vec<Change>,
    /// Servers that failed, once for each cause.
    pub failures: Vec<Error>,
    /// What was asked for in vain.
    pub unresolved: Vec<Unresolved>,
    /// So many things are open that nobody asked for, as they have another name.
    pub open: usize,
}

/// What was asked for in vain.
#[derive(Debug)]
pub struct Unresolved {
    pub name: String,
    /// Whether the lock has it, as it was.
    pub kept: bool,
}

/// Why there is no such lock.
#[derive(Debug)]
pub enum Refusal {
    /// The manifest has errors, or asks for what is not there.
    Manifest(Sources, Diagnostics),
    /// Nothing has the name that was asked for; these there are.
    Name {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// Makes a lock what it should be, as far as servers answer.
///
/// # Errors
/// See [`Refusal`]. Nothing was written in any case.
pub fn settle(job: &Job<'_>) -> Result<Settled, Refusal> {
    let mut planned = Planned::of(job.tree, job.request);
    if planned.is_hopeless() {
        return Err(Refusal::Manifest(planned.sources, planned.diagnostics));
    }
    let before = planned.parts.as_ref().map(|parts| parts.lock.clone()).unwrap_or_default();
    let mut lock = before.clone();
    let mut failed = Failed::default();
    let planned_with = |lock: &Lock| Planned::with(job.tree, job.request, job.path, lock);
    let selection = Selection::of(job.name, &planned).map_err(|known| {
        let name = job.name.unwrap_or_default().to_owned();
        Refusal::Name { name, known }
    })?;
    if let Some(resolver) = job.resolver {
        forget_doubtful(&planned, &mut lock);
        failed.old = lock.clone();
        selection.forget_incomplete(&planned, &mut lock);
        if job.update {
            selection.forget(&planned.wants, &mut lock);
        }
        for round in 0..ROUNDS {
            planned = planned_with(&lock);
            if planned.is_hopeless() {
                return Err(Refusal::Manifest(planned.sources, planned.diagnostics));
            }
            let Some(parts) = &planned.parts else { break };
            let asked = |want: &Want| selection.means(want) && !failed.wants.contains(want);
            let mut wants = missing(&planned.wants, &lock, asked);
            if round == 0 {
                wants.extend(tags(&planned.wants, &lock).into_iter().filter(asked));
            }
            if wants.is_empty() {
                break;
            }
            let work = Work {
                resolver,
                parts,
                sources: &planned.sources,
                request: job.request,
                tree: job.tree,
                path: job.path,
                progress: job.progress,
            };
            failed.put(work.ask(wants), &mut lock);
        }
        planned = planned_with(&lock);
    }
    // What a question that failed would still need is not known.
    if failed.wants.is_empty() && !planned.diagnostics.has_errors() {
        planned.wants.prune(&mut lock);
        planned = planned_with(&lock);
    }
    let complete = job.resolver.is_some() && job.name.is_none() && failed.wants.is_empty();
    // Where everything was asked for, what is still wrong is what there is not.
    if complete && planned.diagnostics.has_errors() {
        return Err(Refusal::Manifest(planned.sources, planned.diagnostics));
    }
    Ok(failed.settled(job, planned, &before, lock))
}

/// What is to be resolved next of what was asked for: what decides over what else is needed comes alone.
fn missing(wants: &Wants, lock: &Lock, asked: impl Fn(&Want) -> bool) -> Vec<Want> {
    let missing: Vec<_> = wants.all().into_iter().filter(|want| !want.is_in(lock) && asked(want)).collect();
    let decides = |want: &&Want| matches!(want, Want::Kernels(_) | Want::ZStreams(_) | Want::OpenShift(..));
    let builds = |want: &&Want| matches!(want, Want::Builder(_));
    let first: Vec<_> = missing.iter().filter(decides).cloned().collect();
    let then: Vec<_> = missing.iter().filter(builds).cloned().collect();
    [first, then].into_iter().find(|some| !some.is_empty()).unwrap_or(missing)
}

/// Tags that the lock has: they are looked at again, since a tag that moves is something that somebody did.
fn tags(wants: &Wants, lock: &Lock) -> Vec<Want> {
    let known = wants.all().into_iter().filter(|want| want.is_in(lock));
    known.filter(|want| matches!(want, Want::Git(_, name) if name.starts_with("refs/tags/"))).collect()
}

/// What could not be put into the lock, and the lock whose entries stay in its place.
#[derive(Default)]
struct Failed {
    old: Lock,
    wants: Vec<Want>,
    world: Vec<Error>,
    user: Vec<Diagnostic>,
}

impl Failed {
    /// Puts the answers into the lock; where there is none, the entry as it was.
    fn put(&mut self, answers: Vec<(Want, Result<Answer, Problem>)>, lock: &mut Lock) {
        for (want, answer) in answers {
            match answer {
                Ok(answer) => match moved(&want, &answer, lock) {
                    Some(error) => self.world.push(error),
                    None => {
                        answer.put(&want, lock);
                        continue;
                    }
                },
                Err(Problem::World(error)) => self.world.push(error),
                Err(Problem::User(diagnostic)) => self.user.push(*diagnostic),
            }
            want.keep(&self.old, lock);
            self.wants.push(want);
        }
    }

    /// What is to be said at the end. What is missing because a question failed, or was not asked, is no report of its own.
    fn settled(self, job: &Job<'_>, planned: Planned, before: &Lock, lock: Lock) -> Settled {
        let asked_for_all = job.name.is_none() && self.wants.is_empty();
        let follows = |one: &Diagnostic| job.resolver.is_some() && !asked_for_all && one.code.is_drift();
        let mut diagnostics: Diagnostics =
            planned.diagnostics.into_iter().filter(|one| !follows(one)).collect();
        self.user.into_iter().for_each(|one| diagnostics.push(one));
        let open =
            planned.wants.all().into_iter().filter(|want| !want.is_in(&lock) && !self.wants.contains(want));
        let open = open.count();
        let unresolved =
            self.wants.iter().map(|want| Unresolved { name: want.to_string(), kept: want.is_in(&lock) });
        Settled {
            sources: planned.sources,
            diagnostics: diagnostics.sorted(),
            changes: changes(before, &lock),
            failures: Error::one_for_each_cause(self.world),
            unresolved: unresolved.collect(),
            open,
            lock,
        }
    }
}

/// The error for a tag that is not what the lock has.
fn moved(want: &Want, answer: &Answer, lock: &Lock) -> Option<Error> {
    let (Want::Git(url, reference), Answer::Git(now)) = (want, answer) else { return None };
    let known = &lock.git.get(&(url.clone(), reference.clone()))?.value;
    if known == now {
        return None;
    }
    let name = reference.trim_start_matches("refs/tags/");
    let cause = format!("the tag `{name}` was {known} and is {now} now");
    Some(Error::new("trust", url.as_str(), cause).help(format!(
        "somebody moved it: ask why, and if the new commit is meant, `drvc lock --update {name}`"
    )))
}
