//! A manifest and its lock -> the lock as it should be.
//!
//! 1. [`Planned::of`] plans with the lock as it is. What contradicts the manifest, was changed by hand or is to be
//!    updated is forgotten first.
//! 2. What the plan asked for and the lock lacks is resolved: kernels and releases first, then everything else.
//! 3. It is planned again, until nothing is missing; then what nothing asked for is taken out.

use super::answer::{Answer, Problem};
use super::work::{Progress, Work};
use super::{Change, Resolver, changes};
use crate::compiler::compile::{Parts, Request};
use crate::compiler::model::{Model, Origin};
use crate::knowledge::lock::{Consulted, Lock, Want, Wants, to_text};
use crate::system::fs::{Overlay, Reader, Tree};
use crate::text::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::text::error::Error;
use crate::text::ids::{GitUrl, RelPath};
use crate::text::source::{Sources, Span};
use std::collections::BTreeSet;

/// Kernels bring images, images nothing more: so many rounds are more than enough.
const ROUNDS: usize = 8;

/// What to do.
pub struct Job<'a> {
    /// The manifest's directory.
    pub tree: &'a dyn Tree,
    /// What would be compiled.
    pub request: &'a Request,
    /// Where the lock stands, right in the directory.
    pub path: &'a RelPath,
    /// What to resolve anew.
    pub update: Update<'a>,
    /// Who asks; without one, nothing is resolved.
    pub resolver: Option<&'a Resolver>,
    /// Told of each answer.
    pub progress: &'a dyn Fn(Progress<'_>),
}

/// What is resolved anew though the lock has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update<'a> {
    /// Nothing.
    Nothing,
    /// Everything.
    All,
    /// What has this name: a source, an os with or without a release, or a part of an entry's own name.
    Named(&'a str),
}

/// A lock as it should be.
#[derive(Debug)]
pub struct Settled {
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// What is still to be said of manifest and lock: warnings, and what is missing where nobody was asked.
    pub diagnostics: Diagnostics,
    /// The lock.
    pub lock: Lock,
    /// What moved.
    pub changes: Vec<Change>,
}

/// Why there is no such lock.
#[derive(Debug)]
pub enum Refusal {
    /// The manifest has errors, or asks for what is not there.
    Manifest(Sources, Diagnostics),
    /// Servers failed.
    World(Vec<Error>),
    /// Nothing has the name that is to be updated; these there are.
    Name {
        /// What was to be updated.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// A manifest with a lock, planned.
struct Planned {
    sources: Sources,
    diagnostics: Diagnostics,
    parts: Option<Parts>,
    wants: Wants,
}

impl Planned {
    fn of(tree: &dyn Tree, request: &Request) -> Self {
        let reader = Reader::new(tree).hide(request.out.clone());
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let parts = Parts::read(&reader, request, &mut sources, &mut diagnostics);
        let mut wants = Wants::default();
        if let Some(parts) = &parts {
            let consulted = Consulted::new(&parts.lock);
            parts.expand(&consulted, &sources, request, &mut diagnostics);
            wants = consulted.wants();
        }
        Self { sources, diagnostics: diagnostics.sorted(), parts, wants }
    }

    fn with(job: &Job<'_>, lock: &Lock) -> Self {
        let text = to_text(lock).into_bytes();
        Self::of(&Overlay::new(job.tree, job.path.clone(), text), job.request)
    }

    /// Whether something is wrong that no lock settles.
    fn is_hopeless(&self) -> bool {
        let worse = |one: &Diagnostic| one.severity() == Severity::Error && !one.code.is_drift();
        self.parts.is_none() || self.diagnostics.iter().any(worse)
    }

    fn refusal(self) -> Refusal {
        Refusal::Manifest(self.sources, self.diagnostics)
    }
}

/// Makes a lock what it should be.
///
/// # Errors
/// See [`Refusal`]. Nothing was written in any case.
pub fn settle(job: &Job<'_>) -> Result<Settled, Refusal> {
    let mut planned = Planned::of(job.tree, job.request);
    if planned.is_hopeless() {
        return Err(planned.refusal());
    }
    let before = planned.parts.as_ref().map(|parts| parts.lock.clone()).unwrap_or_default();
    let mut lock = before.clone();
    if let Some(resolver) = job.resolver {
        forget(job, &planned, &mut lock)?;
        let mut checked = false;
        for _ in 0..ROUNDS {
            planned = Planned::with(job, &lock);
            if planned.is_hopeless() {
                return Err(planned.refusal());
            }
            let Some(parts) = &planned.parts else { break };
            let mut wants = missing(&planned.wants, &lock);
            let tags = if checked { Vec::new() } else { tags(&planned.wants, &lock) };
            checked = true;
            wants.extend(tags);
            if wants.is_empty() {
                break;
            }
            let work = Work {
                resolver,
                parts,
                sources: &planned.sources,
                request: job.request,
                tree: job.tree,
                progress: job.progress,
            };
            let answers = work.ask(wants);
            put(answers, &mut lock).map_err(|problem| problem.refusal(planned))?;
            planned = Planned::with(job, &lock);
        }
    }
    if !planned.diagnostics.has_errors() {
        planned.wants.prune(&mut lock);
        planned = Planned::with(job, &lock);
    }
    // Where everything was asked for, what is still wrong is what there is not.
    if job.resolver.is_some() && planned.diagnostics.has_errors() {
        return Err(planned.refusal());
    }
    let changes = changes(&before, &lock);
    Ok(Settled { sources: planned.sources, diagnostics: planned.diagnostics, lock, changes })
}

/// What is to be resolved next: what decides over what else is needed comes alone.
fn missing(wants: &Wants, lock: &Lock) -> Vec<Want> {
    let missing: Vec<_> = wants.all().into_iter().filter(|want| !want.is_in(lock)).collect();
    let decides = |want: &&Want| matches!(want, Want::Kernels(_) | Want::ZStreams(_) | Want::OpenShift(..));
    let first: Vec<_> = missing.iter().filter(decides).cloned().collect();
    if first.is_empty() { missing } else { first }
}

/// Tags that the lock has: they are looked at again, since a tag that moves is something that somebody did.
fn tags(wants: &Wants, lock: &Lock) -> Vec<Want> {
    let known = wants.all().into_iter().filter(|want| want.is_in(lock));
    known.filter(|want| matches!(want, Want::Git(_, name) if name.starts_with("refs/tags/"))).collect()
}

/// What could not be put into the lock.
struct Failed {
    world: Vec<Error>,
    user: Vec<Diagnostic>,
}

impl Failed {
    fn refusal(self, planned: Planned) -> Refusal {
        if !self.world.is_empty() {
            return Refusal::World(Error::one_for_each_cause(self.world));
        }
        let mut diagnostics = Diagnostics::default();
        self.user.into_iter().for_each(|one| diagnostics.push(one));
        Refusal::Manifest(planned.sources, diagnostics.sorted())
    }
}

fn put(answers: Vec<(Want, Result<Answer, Problem>)>, lock: &mut Lock) -> Result<(), Failed> {
    let mut failed = Failed { world: Vec::new(), user: Vec::new() };
    for (want, answer) in answers {
        match answer {
            Ok(answer) => match moved(&want, &answer, lock) {
                Some(error) => failed.world.push(error),
                None => answer.put(&want, lock),
            },
            Err(Problem::World(error)) => failed.world.push(error),
            Err(Problem::User(diagnostic)) => failed.user.push(*diagnostic),
        }
    }
    if failed.world.is_empty() && failed.user.is_empty() { Ok(()) } else { Err(failed) }
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

/// Takes out of the lock what is not to be trusted or to be resolved anew.
fn forget(job: &Job<'_>, planned: &Planned, lock: &mut Lock) -> Result<(), Refusal> {
    let doubtful = |code| {
        matches!(
            code,
            Code::ContradictingLockEntry
                | Code::DuplicateLockEntry
                | Code::EditedLockEntry
                | Code::MissingPlatform
        )
    };
    let spans: BTreeSet<Span> = planned
        .diagnostics
        .iter()
        .filter(|one| doubtful(one.code))
        .flat_map(|one| one.labels.iter().map(|label| label.span))
        .collect();
    lock.retain(|span| !spans.contains(&span));
    forget_halves(&planned.wants, lock);
    let Some(parts) = &planned.parts else { return Ok(()) };
    let named = match job.update {
        Update::Nothing => return Ok(()),
        Update::All => {
            *lock = Lock::default();
            return Ok(());
        }
        Update::Named(name) => name,
    };
    let urls = urls_of(&parts.model, named);
    let all = planned.wants.all();
    let known: Vec<_> =
        all.iter().chain(&lock.wants()).cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let meant: Vec<_> = known.iter().filter(|want| is_named(want, named, &urls)).collect();
    if meant.is_empty() {
        let sources = parts.model.sources.iter().map(|source| source.name.to_string());
        let known = sources.chain(known.iter().map(ToString::to_string)).collect();
        return Err(Refusal::Name { name: named.to_owned(), known });
    }
    meant.into_iter().for_each(|want| want.forget(lock));
    Ok(())
}

/// Packages are resolved together with their kernels: where those are gone, both are asked for again.
fn forget_halves(wants: &Wants, lock: &mut Lock) {
    let packages = &lock.packages;
    lock.kernels.retain(|query, kernels| {
        kernels.value.kernels.iter().all(|kernel| {
            let key = (query.os.clone(), query.release.clone(), kernel.clone(), query.arch);
            !wants.packages.contains(&key) || packages.contains_key(&key)
        })
    });
}

/// The repositories that a source of this name comes from.
fn urls_of(model: &Model, name: &str) -> BTreeSet<GitUrl> {
    let sources = model.sources.iter().filter(|source| source.name.as_str() == name);
    let bodies = sources.flat_map(|source| {
        std::iter::once(&source.base).chain(source.overlays.iter().map(|overlay| &overlay.body))
    });
    let urls = bodies.filter_map(|body| match &body.origin.as_ref()?.value {
        Origin::Git { url, .. } => Some(url.clone()),
        _ => None,
    });
    urls.collect()
}

fn is_named(want: &Want, name: &str, urls: &BTreeSet<GitUrl>) -> bool {
    let system = |os: &str, release: &str| {
        name == os || name == format!("{os} {release}") || name == format!("{os}-{release}")
    };
    match want {
        Want::Git(url, _) if urls.contains(url) => true,
        Want::Kernels(query) if system(query.os.as_str(), query.release.as_str()) => true,
        Want::ZStreams(query) if system("openshift", query.release.as_str()) => true,
        Want::Headers((os, release, ..)) if system(os.as_str(), release.as_str()) => true,
        Want::OpenShift(release, _) if system("openshift", release.as_str()) => true,
        want => want.to_string().contains(name),
    }
}
