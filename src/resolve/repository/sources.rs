//! From the manifest's repositories and the profile's mirrors to everything that they offer for some kernels.

use super::kernels::Search;
use super::{Fetch, Gpgv, Layout, Package, PackageIndex, Repository, Verify, packages};
use crate::compiler::model::RepositoryKey;
use crate::compiler::plan::Places;
use crate::knowledge::profile::{PackageManager, Profile, ReleaseFacts};
use crate::system::threads;
use crate::text::error::Error;
use crate::text::ids::{Arch, PackageName, RelPath};
use std::collections::BTreeSet;

/// A repository to look into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Where it is.
    pub repository: Repository,
    /// The file with the keys that sign it, beside the manifest.
    pub key: Option<RelPath>,
    /// Whether it asks for the certificate of a subscription.
    pub subscription: bool,
}

/// The repositories to look into for kernels of a release and an architecture: the manifest's, and the profile's mirrors.
///
/// # Errors
/// A repository of the manifest that is none for this release and architecture.
pub fn sources(
    profile: &Profile,
    release: &ReleaseFacts,
    arch: Arch,
    places: &Places,
) -> Result<BTreeSet<Source>, Error> {
    let mut sources = BTreeSet::new();
    let at = (profile.os.as_str(), release.release.as_str(), arch.name());
    for repository in &places.repositories {
        let wrong = |rule| Error::new("use", format!("a repository of {} {}", at.0, at.1), rule);
        let url = repository.url(at.0, at.1, at.2).map_err(wrong)?.to_string();
        let suite = repository.suite(at.0, at.1, at.2).map_err(wrong)?;
        let components = repository.components.iter().map(ToString::to_string).collect();
        let key = repository.key.as_ref().and_then(|key| match &key.value {
            RepositoryKey::File(path) => Some(path.clone()),
            // What the base image trusts is known to nobody but the builder.
            RepositoryKey::Builder(_) => None,
        });
        let layout = layout(release.manager(), suite.map(|suite| suite.to_string()), components, &url)?;
        sources.insert(Source { repository: Repository { url, layout }, key, subscription: false });
    }
    let named: Vec<_> = places.streams.iter().map(|stream| Some(stream.as_str())).collect();
    let streams = if named.is_empty() { vec![None] } else { named };
    for mirror in streams.into_iter().flat_map(|stream| profile.mirrors(release, arch, stream)) {
        let url = mirror.url.to_string();
        let components = mirror.components.iter().map(ToString::to_string).collect();
        let layout =
            layout(release.manager(), mirror.suite.map(|suite| suite.to_string()), components, &url)?;
        let repository = Repository { url, layout };
        sources.insert(Source { repository, key: None, subscription: mirror.subscription });
    }
    // One that the manifest gives a key is not also believed without.
    let signed: BTreeSet<_> = sources
        .iter()
        .filter(|source| source.key.is_some())
        .map(|source| source.repository.clone())
        .collect();
    sources.retain(|source| source.key.is_some() || !signed.contains(&source.repository));
    Ok(sources)
}

fn layout(
    manager: PackageManager,
    suite: Option<String>,
    components: Vec<String>,
    url: &str,
) -> Result<Layout, Error> {
    match (manager, suite) {
        (PackageManager::Apt, Some(suite)) => {
            let components = if components.is_empty() { vec!["main".to_owned()] } else { components };
            Ok(Layout::Apt { suite, components })
        }
        (PackageManager::Apt, None) => Err(Error::new("use", url, "a repository of apt needs a suite")
            .help("add `suite`, as `sources.list` has it")),
        _ => Ok(Layout::Dnf),
    }
}

/// What sources offer for the kernels of some searches for one architecture, and of some other packages. All sources are
/// asked side by side.
///
/// # Errors
/// The first source that cannot be read.
pub fn package_index(
    fetch: &dyn Fetch,
    keys: &(dyn Fn(&RelPath) -> Result<Gpgv, Error> + Sync),
    sources: &BTreeSet<Source>,
    searches: &[Search<'_>],
    others: &BTreeSet<PackageName>,
) -> Result<PackageIndex, Error> {
    let Some(first) = searches.first() else { return Ok(PackageIndex::new(PackageManager::Dnf, Vec::new())) };
    let is_other = |name: &str| others.iter().any(|other| other.as_str() == name);
    let wanted = |name: &str| is_other(name) || searches.iter().any(|search| search.wants(name));
    let read = |source: &Source| -> Result<Vec<Package>, Error> {
        let keys = source.key.as_ref().map(keys).transpose()?;
        let keys = keys.as_ref().map(|keys| keys as &dyn Verify);
        packages(fetch, keys, &source.repository, first.arch, &wanted)
    };
    let mut all = Vec::new();
    let sources: Vec<&Source> = sources.iter().collect();
    for packages in threads::map(&sources, sources.len(), |source| read(source)) {
        all.extend(packages?);
    }
    all.sort();
    all.dedup();
    Ok(PackageIndex::new(first.release.manager(), all))
}
