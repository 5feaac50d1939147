//! Every image that a plan has to do with: those that it stands on, those that it names, and those that it named once.

use super::image_status::Names;
use crate::compiler::compile::Compiled;
use crate::compiler::plan::Node;
use crate::images::engine::{Engine, KEY_LABEL, same_name};
use crate::system::oci::{Registry, subject_of};
use crate::text::error::Error;
use crate::text::ids::{Arch, Digest, ImageRef, Repository, Tag};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The images of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "drvc images")]
pub struct Images {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// What is pulled: the images that builds stand on, sorted.
    pub bases: Vec<String>,
    /// What is built: the references of all targets, sorted.
    pub built: Vec<String>,
}

/// Lists the images of a plan.
#[must_use]
pub fn images(compiled: &Compiled) -> Images {
    let graph = &compiled.plan.graph;
    let bases = graph.ids().filter_map(|id| match graph.node(id) {
        Node::Base(image) => Some(image.to_string()),
        _ => None,
    });
    let bases: BTreeSet<_> = bases.collect();
    let toolkits = compiled.json().toolkits.iter();
    let toolkits = toolkits.flat_map(|toolkit| toolkit.tag.iter().chain([&toolkit.reference]).cloned());
    let toolkits: BTreeSet<_> = toolkits.collect();
    let targets = compiled.json().targets.iter().flat_map(|target| target.tags.iter().cloned());
    let built: BTreeSet<_> = targets.chain(toolkits.iter().cloned()).collect();
    let bases = bases.into_iter().filter(|base| !toolkits.contains(base)).collect();
    Images { version: 1, bases, built: built.into_iter().collect() }
}

/// The references that targets have now: their tags, and their own images' where several share a tag.
fn current(compiled: &Compiled) -> BTreeSet<ImageRef> {
    let names = Names::of(&compiled.plan.targets);
    let both = (0..compiled.plan.targets.len()).flat_map(|at| names.tags(at).collect::<Vec<_>>());
    let both: Vec<_> = both.flat_map(|(tag, own)| [tag.clone(), own.clone()]).collect();
    let toolkits = compiled.json().toolkits.iter();
    let toolkits = toolkits.flat_map(|toolkit| toolkit.tag.iter().chain([&toolkit.reference]));
    let toolkits = toolkits.filter_map(|name| ImageRef::parse(name).ok());
    both.into_iter().chain(toolkits).collect()
}

/// The names of images in the engine that drvc has built in the repositories of this plan, and that no target has.
///
/// # Errors
/// The engine does not answer.
pub fn stale_in_engine(compiled: &Compiled, engine: &Engine) -> Result<Vec<String>, Error> {
    let current = current(compiled);
    let repositories: BTreeSet<_> = current.iter().map(|name| same_name(name.repository())).collect();
    let current: BTreeSet<_> = current.iter().map(|name| same_name(name.as_str())).collect();
    let built = engine.built(None)?;
    let names = built.iter().flat_map(|image| &image.names).filter_map(|name| ImageRef::parse(name).ok());
    let stale = names.filter(|name| {
        repositories.contains(&same_name(name.repository())) && !current.contains(&same_name(name.as_str()))
    });
    let stale: BTreeSet<_> =
        stale.map(|name| crate::images::engine::local_name(&name, engine.kind())).collect();
    Ok(stale.into_iter().collect())
}

/// An image in a registry that no target names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stale {
    /// Where it lies.
    pub repository: Repository,
    /// Its digest, by which it is deleted.
    pub digest: Digest,
    /// The tags that name it.
    pub tags: Vec<Tag>,
}

/// The images in registries that drvc has built in the repositories of this plan, and that no target names: neither by
/// their tags nor by another tag with the same digest. Those without a tag are known by what belongs to them.
///
/// # Errors
/// A registry cannot be asked.
pub fn stale_in_registry(compiled: &Compiled, registry: &Registry) -> Result<Vec<Stale>, Error> {
    let current = current(compiled);
    let repositories = current.iter().filter(|name| name.registry().is_some());
    let repositories: BTreeSet<_> =
        repositories.filter_map(|name| Repository::parse(name.repository()).ok()).collect();
    let mut stale = Vec::new();
    for repository in repositories {
        let mut by_digest: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
        let (mut kept, mut subjects) = (BTreeSet::new(), BTreeSet::new());
        for tag in registry.tags(&repository)? {
            if let Some(subject) = subject_of(&tag) {
                subjects.insert(subject);
                continue;
            }
            let text = format!("{repository}:{tag}");
            let Ok(reference) = ImageRef::parse(&text) else { continue };
            let Some(manifest) = registry.find_manifest(&reference)? else { continue };
            if current.contains(&reference) {
                kept.insert(manifest.digest);
                if let crate::system::oci::Content::Index(index) = &manifest.content {
                    kept.extend(index.manifests.iter().map(|image| image.digest.clone()));
                }
            } else if is_ours(registry, &reference)? {
                by_digest.entry(manifest.digest).or_default().push(tag);
            }
        }
        by_digest.retain(|digest, _| !kept.contains(digest));
        for subject in subjects.difference(&kept) {
            let Ok(image) = ImageRef::parse(&format!("{repository}@{subject}")) else { continue };
            if is_ours(registry, &image)? {
                by_digest.entry(subject.clone()).or_default();
            }
        }
        let of = |(digest, tags)| Stale { repository: repository.clone(), digest, tags };
        stale.extend(by_digest.into_iter().map(of));
    }
    Ok(stale)
}

/// Whether drvc has built an image: for any architecture.
fn is_ours(registry: &Registry, reference: &ImageRef) -> Result<bool, Error> {
    for arch in Arch::ALL {
        if let Some(labels) = registry.labels(reference, arch)? {
            return Ok(labels.contains_key(KEY_LABEL));
        }
    }
    Ok(false)
}
