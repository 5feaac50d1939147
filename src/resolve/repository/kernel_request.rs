//! From what `match` and `latest` ask for to kernels with their packages, or to why there are none.

use super::kernels::{Found, Search};
use super::{Fetch, Gpgv, Source, package_index, sources};
use crate::compiler::plan::{KernelRequest, Places};
use crate::knowledge::lock::KernelQuery;
use crate::system::threads;
use crate::text::diag::{Code, Diagnostic};
use crate::text::error::Error;
use crate::text::ids::{Arch, Flavor, KernelText, OsName, PackageName, RelPath, Release};
use std::collections::{BTreeMap, BTreeSet};

/// What one question is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The kernels, newest first, and the own packages of each as one version.
    pub kernels: Vec<(KernelText, Vec<PackageName>)>,
    /// What else their targets install, as `NAME=VERSION`, where it is offered.
    pub other_packages: Vec<PackageName>,
    /// Kernels that would have been among them, and what they lack.
    pub passed_over: Vec<(KernelText, Vec<PackageName>)>,
}

/// Why something was not resolved.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The world failed.
    World(Error),
    /// The manifest asks for what is not there, or does not say where to look.
    User(Box<Diagnostic>),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::World(error)
    }
}

/// A question with its answer, or with why there is none.
pub type Answer = (KernelQuery, Result<Answered, Problem>);

/// Whom to ask, and how.
pub struct KernelLookup<'a> {
    /// What brings files.
    pub fetch: &'a dyn Fetch,
    /// What reads the keys in a file beside the manifest.
    pub keys: &'a (dyn Fn(&RelPath) -> Result<Gpgv, Error> + Sync),
    /// Whether repositories that ask for a subscription can be asked.
    pub subscribed: bool,
    /// Told of each question that is answered.
    pub answered: &'a dyn Fn(&KernelQuery),
}

/// Of so many releases and architectures the repositories are read at once.
const AT_ONCE: usize = 4;

impl KernelLookup<'_> {
    /// The answer to each question, in their order. A repository is read once for all flavours of a release; those of
    /// several releases are read side by side. Where one cannot be read, no question about its release is answered.
    pub fn answer(&self, kernel_requests: &[KernelRequest<'_>]) -> Vec<Answer> {
        let mut places: BTreeMap<(&OsName, &Release, Arch), Vec<usize>> = BTreeMap::new();
        for (at, request) in kernel_requests.iter().enumerate() {
            let KernelQuery { os, release, arch, .. } = &request.query;
            places.entry((os, release, *arch)).or_default().push(at);
        }
        let mut answers = BTreeMap::new();
        let readers = Readers { fetch: self.fetch, keys: self.keys, subscribed: self.subscribed };
        let places: Vec<Vec<usize>> = places.into_values().collect();
        for some in places.chunks(AT_ONCE) {
            let read = threads::map(some, AT_ONCE, |place| {
                let here: Vec<_> = place.iter().filter_map(|&at| kernel_requests.get(at)).collect();
                readers.answer(&here)
            });
            for (place, found) in some.iter().zip(read) {
                found.iter().for_each(|(query, _)| (self.answered)(query));
                answers.extend(place.iter().copied().zip(found));
            }
        }
        answers.into_values().collect()
    }
}

/// What may be asked from several threads.
#[derive(Clone, Copy)]
struct Readers<'a> {
    fetch: &'a dyn Fetch,
    keys: &'a (dyn Fn(&RelPath) -> Result<Gpgv, Error> + Sync),
    subscribed: bool,
}

impl Readers<'_> {
    /// The questions of one release and architecture.
    fn answer(&self, kernel_requests: &[&KernelRequest<'_>]) -> Vec<Answer> {
        self.read(kernel_requests).unwrap_or_else(|error| {
            let failed =
                |request: &&KernelRequest<'_>| (request.query.clone(), Err(Problem::World(error.clone())));
            kernel_requests.iter().map(failed).collect()
        })
    }

    fn read(&self, kernel_requests: &[&KernelRequest<'_>]) -> Result<Vec<Answer>, Error> {
        let Some(first) = kernel_requests.first() else { return Ok(Vec::new()) };
        let mut places = Places::default();
        places.extend(kernel_requests.iter().map(|request| request.places.clone()));
        let mut sources = sources(first.profile, &first.release, first.query.arch, &places)?;
        let closed = sources.iter().any(|source| source.subscription) && !self.subscribed;
        sources.retain(|source| !source.subscription || self.subscribed);
        if sources.is_empty() {
            let refused = |request: &&KernelRequest<'_>| {
                (request.query.clone(), Err(Problem::User(Box::new(no_repository(request, closed)))))
            };
            return Ok(kernel_requests.iter().map(refused).collect());
        }
        let flavors: BTreeSet<&Flavor> =
            kernel_requests.iter().map(|request| &request.query.flavor).collect();
        let search = |flavor| Search::new(first.profile, &first.release, first.query.arch, flavor);
        let searches: Vec<_> = flavors.into_iter().map(search).collect();
        let others = kernel_requests.iter().flat_map(|request| &request.other_packages).cloned().collect();
        let offer = package_index(self.fetch, self.keys, &sources, &searches, &others)?;
        let found: BTreeMap<&Flavor, Vec<Found>> =
            searches.iter().map(|search| (search.flavor, search.kernels(&offer))).collect();
        let answer = |request: &&KernelRequest<'_>| {
            let found = found.get(&request.query.flavor).map_or(&[][..], Vec::as_slice);
            let chosen = choose(request, found, &sources).map(|mut answered| {
                let others = request.other_packages.iter();
                answered.other_packages = others.filter_map(|name| offer.version_of(name)).collect();
                answered
            });
            (request.query.clone(), chosen.map_err(|report| Problem::User(Box::new(report))))
        };
        Ok(kernel_requests.iter().map(answer).collect())
    }
}

/// The kernels that were asked for, among those that were found.
fn choose(
    request: &KernelRequest<'_>,
    found: &[Found],
    sources: &BTreeSet<Source>,
) -> Result<Answered, Diagnostic> {
    let KernelQuery { pattern, latest, .. } = &request.query;
    // Whether the pattern is one was said when the manifest was read.
    let glob = pattern.as_deref().and_then(|glob| globset::Glob::new(glob).ok());
    let glob = glob.map(|glob| glob.compile_matcher());
    let most = latest.map_or(usize::MAX, |latest| usize::try_from(latest).unwrap_or(usize::MAX));
    let mut answered = Answered::default();
    for one in found {
        let text = &one.kernel.text;
        if glob.as_ref().is_some_and(|glob| !glob.is_match(text.as_str())) {
            continue;
        }
        if answered.kernels.len() == most {
            break;
        }
        if one.missing.is_empty() {
            answered.kernels.push((text.clone(), one.packages.clone()));
        } else {
            answered.passed_over.push((text.clone(), one.missing.clone()));
        }
    }
    if answered.kernels.is_empty() {
        return Err(unavailable(request, &answered, found.first(), sources));
    }
    Ok(answered)
}

/// `Debian 12, x86_64, flavour rt`
fn place(request: &KernelRequest<'_>) -> String {
    let KernelQuery { release, arch, flavor, .. } = &request.query;
    format!("{} {release}, {arch}, flavour `{flavor}`", request.profile.title)
}

fn no_repository(request: &KernelRequest<'_>, closed: bool) -> Diagnostic {
    let repository = request.release.manager().example_repository();
    let name_one = format!("add one that you have to the `os`: `{repository}`");
    let report = Diagnostic::new(
        Code::MissingRepository,
        format!("no package repository is known for {}", place(request)),
    );
    if closed {
        report
            .label(request.span, "its kernels are in repositories that ask for a subscription")
            .help(format!("run `drvc lock --client-cert FILE --client-key FILE --repository-ca FILE` with those of a subscription, or {name_one}"))
    } else {
        report.label(request.span, "where are its kernels to be looked for?").help(name_one)
    }
}

fn unavailable(
    request: &KernelRequest<'_>,
    answered: &Answered,
    newest: Option<&Found>,
    sources: &BTreeSet<Source>,
) -> Diagnostic {
    let place = place(request);
    let places: Vec<_> = sources.iter().map(|source| source.repository.to_string()).collect();
    let places = places.join(", ");
    if let Some((kernel, missing)) = answered.passed_over.first() {
        let missing: Vec<_> = missing.iter().map(|package| format!("`{package}`")).collect();
        return Diagnostic::new(
            Code::UnavailableKernel,
            format!("no kernel of {place} has all the packages that its targets need"),
        )
        .label(request.span, format!("the newest, `{kernel}`, lacks {}", missing.join(", ")))
        .help(format!("add a `repository` that has them; looked into: {places}"));
    }
    let (label, help) = match (newest, &request.query.pattern) {
        (Some(newest), Some(pattern)) => (
            format!("`{pattern}` matches none of them"),
            format!("the newest is `{}`; `drvc kernels` lists all", newest.kernel.text),
        ),
        _ => (
            "none was found".to_owned(),
            format!("add a `repository` that has some, or name kernels in full; looked into: {places}"),
        ),
    };
    Diagnostic::new(Code::UnavailableKernel, format!("no kernel of {place} is offered"))
        .label(request.span, label)
        .help(help)
}
