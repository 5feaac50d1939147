//! Kernels that repositories offered when they were asked last, and that the matrix misses. Only the cache is asked.

use crate::cli::Failure;
use crate::cli::kernels::{Cover, Manifest, View, keys};
use crate::cli::project::Project;
use crate::cli::terminal::Terminal;
use crate::compiler::compile::Compiled;
use crate::compiler::plan::Places;
use crate::resolve::repository::kernels::Search;
use crate::resolve::repository::{self, Fetch};
use crate::system::http::{Client, Options, Url};
use crate::system::process::Environment;
use crate::text::error::Error;
use crate::text::ids::{Arch, Flavor, OsName, RelPath, Release};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many kernels of a system are named, the newest.
const MOST: usize = 20;

/// What is offered, and where nothing is known of that.
#[derive(Debug, Default, Serialize)]
pub(in crate::cli) struct Offers {
    systems: Vec<Offer>,
    /// Commands that would ask.
    unknown: Vec<String>,
}

/// The kernels of a system that the matrix misses.
#[derive(Debug, Serialize)]
struct Offer {
    title: String,
    missed: Vec<String>,
    more: usize,
}

impl Offers {
    /// The kernels that the matrix misses.
    pub(in crate::cli) fn missed(&self) -> impl Iterator<Item = &String> {
        self.systems.iter().flat_map(|system| &system.missed)
    }
}

/// What servers said before, and nothing new.
struct Kept<'c>(&'c Client);

impl Fetch for Kept<'_> {
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let address = Url::parse(url).map_err(|rule| Error::new("fetch", url, format!("write {rule}")))?;
        Ok(Client::get(self.0, &address).limit(limit).kept())
    }

    /// What was kept does not expire: it is told as what it was.
    fn now(&self) -> u64 {
        0
    }
}

type Systems<'a> = BTreeMap<(&'a OsName, &'a Release, Arch), BTreeSet<&'a Flavor>>;

/// Looks into the cache for every system and flavour of the plan.
pub(in crate::cli) fn offers(
    project: &Project,
    compiled: &Compiled,
    terminal: &Terminal,
) -> Result<Offers, Failure> {
    let mut offers = Offers::default();
    let Some(manifest) = Manifest::read(project, terminal)? else { return Ok(offers) };
    let mut systems = Systems::new();
    for target in &compiled.plan.targets {
        systems
            .entry((&target.at.os, &target.at.release, target.at.arch))
            .or_default()
            .insert(&target.at.flavor);
    }
    let client = Client::new(Options::new(Environment::of_this_process()));
    for ((os, release, arch), flavors) in systems {
        let profiles = &manifest.parts.profiles;
        let profile = profiles.get(os.as_str()).filter(|profile| profile.kernels_of.is_none());
        let Some(profile) = profile else { continue };
        let Ok(facts) = profile.release(release.as_str()) else { continue };
        let view = View::of(Some(&manifest), profile, &facts);
        let mut places = Places::default();
        places.extend(flavors.iter().map(|flavor| view.places(arch, flavor)));
        let sources = repository::sources(profile, &facts, arch, &places)?;
        let searches: Vec<_> =
            flavors.iter().map(|flavor| Search::new(profile, &facts, arch, flavor)).collect();
        let keys = |path: &RelPath| keys(project, path, &client);
        match repository::package_index(&Kept(&client), &keys, &sources, &searches, &BTreeSet::new()) {
            Ok(index) if !sources.is_empty() => {
                let found = searches.iter().flat_map(|search| search.kernels(&index));
                let buildable = found.filter(|found| found.missing.is_empty());
                let missed =
                    buildable.filter(|found| view.cover(&found.kernel.text, arch) == Some(Cover::Missed));
                let mut missed: Vec<String> = missed.map(|found| found.kernel.text.to_string()).collect();
                let more = missed.len().saturating_sub(MOST);
                missed.truncate(MOST);
                offers.systems.push(Offer { title: format!("{os} {release}, {arch}"), missed, more });
            }
            _ => offers.unknown.push(format!("drvc kernels {os} {release} --arch {arch}")),
        }
    }
    Ok(offers)
}
