//! Many questions -> their answers, asked side by side.

use super::answer::Answer;
use super::repository::Problem;
use super::{Resolver, login};
use crate::compiler::compile::{Parts, Request};
use crate::knowledge::lock::{HeadersPin, Want};
use crate::knowledge::profile::Payload;
use crate::system::fs::Tree;
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef, RelPath, Release};
use crate::text::source::Sources;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// So many questions are under way at once.
const WORKERS: usize = 8;

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// So many questions were answered.
    pub done: usize,
    /// Of so many.
    pub of: usize,
    /// What was answered last.
    pub last: Option<&'a Want>,
}

/// The reference of each toolkit, by distribution, release, kernel and architecture, as `plan.json` has them.
pub(super) type Toolkits = BTreeMap<[String; 4], ImageRef>;

/// What to ask, and what to know for it.
pub(super) struct Work<'a> {
    pub resolver: &'a Resolver,
    pub parts: &'a Parts,
    pub sources: &'a Sources,
    pub request: &'a Request,
    pub tree: &'a dyn Tree,
    /// Where the lock stands.
    pub path: &'a RelPath,
    pub progress: &'a dyn Fn(Progress<'_>),
}

impl Work<'_> {
    /// Asks for everything, and gives back each answer with what it is of, in the order of the questions.
    pub fn ask(&self, wants: Vec<Want>) -> Vec<(Want, Result<Answer, Problem>)> {
        let number = wants.len();
        let (kernels, wants): (Vec<_>, Vec<_>) =
            wants.into_iter().partition(|want| matches!(want, Want::Kernels(_)));
        let (headers, wants): (Vec<_>, Vec<_>) =
            wants.into_iter().partition(|want| matches!(want, Want::Headers(_)));
        let toolkits = self.toolkits(&wants);
        let done = Cell::new(0);
        let show = |last: Option<&Want>| (self.progress)(Progress { done: done.get(), of: number, last });
        show(None);
        let kernels = self.kernels(kernels, &|want| {
            done.set(done.get() + 1);
            show(Some(&want));
        });
        let headers = self.headers(headers, &|want| {
            done.set(done.get() + 1);
            show(Some(want));
        });
        let queue: Mutex<VecDeque<(usize, Want)>> = Mutex::new(wants.into_iter().enumerate().collect());
        let (sender, receiver) = mpsc::channel();
        let mut answers = thread::scope(|scope| {
            for number in 0..WORKERS.min(number) {
                let (sender, queue, toolkits) = (sender.clone(), &queue, &toolkits);
                let (resolver, parts) = (self.resolver, self.parts);
                let worker = move || {
                    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    while let Some((at, want)) = next() {
                        let answer = one(resolver, parts, toolkits.as_ref(), &want);
                        if sender.send((at, want, answer)).is_err() {
                            return;
                        }
                    }
                };
                // Where no thread can be had, this one does all before it shows anything.
                if thread::Builder::new().spawn_scoped(scope, worker.clone()).is_err() {
                    if number == 0 {
                        worker();
                    }
                    break;
                }
            }
            drop(sender);
            let mut answers = Vec::new();
            for (at, want, answer) in receiver {
                done.set(done.get() + 1);
                show(Some(&want));
                answers.push((at, want, answer));
            }
            answers
        });
        answers.sort_by_key(|(at, ..)| *at);
        let together = kernels.into_iter().chain(headers);
        together.chain(answers.into_iter().map(|(_, want, answer)| (want, answer))).collect()
    }
}

fn one(
    resolver: &Resolver,
    parts: &Parts,
    toolkits: Option<&Toolkits>,
    want: &Want,
) -> Result<Answer, Problem> {
    Ok(match want {
        Want::Archive(url) => Answer::Archive(resolver.archive(url, login::of(&parts.model, want))?),
        Want::Builder(query) => Answer::Builder(resolver.builder(parts, toolkits, query)?),
        Want::Git(url, reference) => {
            Answer::Git(resolver.git(url, reference, login::of(&parts.model, want))?)
        }
        Want::Image(image) => Answer::Image(resolver.image(image)?),
        Want::OpenShift(release, arch) => {
            Answer::OpenShift(resolver.openshift(&payload(parts, release, *arch)?, release, *arch)?)
        }
        Want::ZStreams(query) => {
            let payload = payload(parts, &query.release, query.arch)?;
            Answer::ZStreams(resolver.zstreams(&payload.repository, query)?)
        }
        // They are asked for together: `Work::kernels` and `Work::headers`.
        Want::Headers(_) => Answer::Headers(HeadersPin::Unknown(String::new())),
        Want::Kernels(_) => Answer::Kernels { kernels: Vec::new(), other_packages: Vec::new() },
    })
}

/// Where the payloads are of a release's or a minor's distribution.
fn payload(parts: &Parts, release: &Release, arch: Arch) -> Result<Payload, Error> {
    let rules = parts.model.matrix.os.iter();
    let minor = |text: &str| release.as_str() == text || release.as_str().starts_with(&format!("{text}."));
    let rules = rules.filter(|rule| rule.releases.iter().any(|text| minor(&text.value)));
    let mut payloads = rules.filter_map(|rule| parts.profiles.get(&rule.name.value)?.payload.clone());
    payloads.next().ok_or_else(|| {
        Error::new(
            "find",
            format!("the payload of {release} for {arch}"),
            "its profile does not say where it is",
        )
        .help("name the repository with `payload` in the profile")
    })
}
