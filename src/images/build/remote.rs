//! What registries hold of targets, and how images get there: by push, by copy of a manifest, and into an index.

use super::image_status::{ExpectedImage, Ids, Names, unpinned_bases, unpinned_source};
use super::proofs::Proofs;
use crate::compiler::compile::Compiled;
use crate::images::engine::{BASE_LABEL, KEY_LABEL};
use crate::system::oci::{Content, Descriptor, Platform, Registry};
use crate::text::error::Error;
use crate::text::ids::{Arch, Digest, ImageRef, Repository, Tag};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// How many requests are under way at a time: they wait for servers, not for processors.
const AT_ONCE: usize = 16;
/// The most tags of a repository that are looked through for a key.
const MOST_TAGS: usize = 1000;
/// How often an index is written that somebody else writes too.
const TRIES: u32 = 3;

/// What a registry lacks of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The image, and why; `absent` where it has nothing of that name at all.
    Image {
        /// Why it is not the target's.
        reason: String,
        /// Whether the registry has nothing of that name.
        absent: bool,
    },
    /// Some tags of an image that it has.
    Tags {
        /// The image, by its digest.
        source: ImageRef,
        /// The tags that are missing.
        tags: Vec<ImageRef>,
    },
    /// It cannot be asked, and why.
    Unknown(String),
}

/// What registries lack of targets, by their places: nothing of those that are `Ok`.
pub type ImageStatus = BTreeMap<usize, Result<(), Lack>>;

/// The images of a repository by key and architecture: their digests, and the ids of their unpinned bases.
type ByKey = BTreeMap<(String, String), (Digest, Option<String>)>;

/// Registries, with what is known of them in one run.
pub struct Remote<'a> {
    registry: &'a Registry,
    compiled: &'a Compiled,
    names: &'a Names,
    /// What images must have attached to count.
    proofs: Proofs,
    /// One index is changed at a time.
    indexing: Mutex<()>,
    /// The images of a repository by key and architecture, once they were looked through.
    by_key: Mutex<BTreeMap<Repository, ByKey>>,
}

impl<'a> Remote<'a> {
    /// Registries as this client reaches them.
    #[must_use]
    pub fn new(registry: &'a Registry, compiled: &'a Compiled, names: &'a Names, proofs: Proofs) -> Self {
        Self { registry, compiled, names, proofs, indexing: Mutex::default(), by_key: Mutex::default() }
    }

    /// What registries lack of each of these targets, asked side by side. `ids` are those of unpinned base images; what is
    /// missing in it is asked of the bases' own registries. Targets without a registry are left out.
    #[must_use]
    pub fn image_status(&self, targets: &[usize], ids: &Ids) -> ImageStatus {
        let ids = self.all_bases(targets, ids);
        let judge = |&at: &usize| Some((at, self.judge(at, &ids)?));
        let work = || targets.par_iter().filter_map(judge).collect();
        match rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build() {
            Ok(pool) => pool.install(work),
            Err(_) => work(),
        }
    }

    /// The ids of all unpinned bases; a base whose registry does not tell stays unknown.
    fn all_bases(&self, targets: &[usize], ids: &Ids) -> Ids {
        let mut ids = ids.clone();
        let mut unknown = BTreeSet::new();
        for target in targets.iter().filter_map(|&at| self.compiled.plan.targets.get(at)) {
            let bases = unpinned_bases(self.compiled, target).into_iter();
            unknown.extend(bases.map(|base| (base, target.at.arch)));
        }
        unknown.retain(|(base, arch)| !ids.contains_key(&(base.clone(), arch.oci().to_owned())));
        for (base, arch) in unknown {
            if let Ok(Some((_, image, _))) = self.registry.image_for(&base, arch) {
                let id = image.config.digest.as_str().trim_start_matches("sha256:").to_owned();
                ids.insert((base, arch.oci().to_owned()), id);
            }
        }
        ids
    }

    fn judge(&self, at: usize, ids: &Ids) -> Option<Result<(), Lack>> {
        let target = self.compiled.plan.targets.get(at)?;
        let tags: Vec<_> = self.names.tags(at).filter(|(tag, _)| tag.registry().is_some()).collect();
        if tags.is_empty() {
            return None;
        }
        if let Some(reason) = unpinned_source(self.compiled, target) {
            return Some(Err(Lack::Image { reason, absent: false }));
        }
        let wanted = ExpectedImage::of(self.compiled, at, ids)?;
        let (mut source, mut missing, mut lack) = (None, Vec::new(), None);
        for (tag, _) in tags {
            match self.look(tag, target.at.arch, &wanted).and_then(|found| self.proven(found)) {
                Ok(Ok(found)) => source = Some(found),
                Ok(Err((reason, absent))) => {
                    missing.push(tag.clone());
                    lack.get_or_insert(Lack::Image { reason, absent });
                }
                Err(error) => return Some(Err(Lack::Unknown(error.to_string()))),
            }
        }
        Some(match (source, lack) {
            (Some(_), None) => Ok(()),
            (Some(source), Some(_)) => Err(Lack::Tags { source, tags: missing }),
            (None, Some(lack)) => Err(lack),
            (None, None) => Ok(()),
        })
    }

    /// The same, where the image has the proofs that are asked for.
    fn proven(
        &self,
        found: Result<ImageRef, (String, bool)>,
    ) -> Result<Result<ImageRef, (String, bool)>, Error> {
        let Ok(image) = found else { return Ok(found) };
        Ok(match self.proofs.lack(self.registry, &image)? {
            None => Ok(image),
            Some(reason) => Err((reason, false)),
        })
    }

    /// The target's image under this reference, by its digest; or why what is there is not it, and whether nothing is.
    fn look(
        &self,
        reference: &ImageRef,
        arch: Arch,
        wanted: &ExpectedImage,
    ) -> Result<Result<ImageRef, (String, bool)>, Error> {
        let Some((digest, _, config)) = self.registry.image_for(reference, arch)? else {
            let there = self.registry.find_manifest(reference)?.is_some();
            let registry = reference.registry().unwrap_or_default();
            let reason = match there {
                true => format!("`{reference}` has no image for {}", wanted.arch),
                false => format!("{registry} has no image yet"),
            };
            return Ok(Err((reason, !there)));
        };
        let label = |name: &str| config.config.labels.get(name).map(String::as_str);
        match wanted.lacks(&config.architecture, label(KEY_LABEL), label(BASE_LABEL)) {
            None => Ok(Ok(by_digest(reference, &digest)?)),
            Some(reason) => Ok(Err((reason, false))),
        }
    }

    /// An image of this key in the target's own repository, under whatever tag: one that only has to be given a name.
    ///
    /// # Errors
    /// The registry cannot be asked.
    pub fn by_key(&self, at: usize, wanted: &ExpectedImage) -> Result<Option<ImageRef>, Error> {
        let Some((tag, _)) = self.names.tags(at).next() else { return Ok(None) };
        let repository = repository(tag)?;
        let mut known = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&repository) {
            let found = self.look_through(&repository);
            known.insert(repository.clone(), found);
        }
        let found =
            known.get(&repository).and_then(|keys| keys.get(&(wanted.key.clone(), wanted.arch.clone())));
        match found {
            Some((digest, base)) if wanted.base.as_ref().is_ok_and(|wanted| wanted == base) => {
                let image = by_digest(tag, digest)?;
                Ok(self.proofs.lack(self.registry, &image)?.is_none().then_some(image))
            }
            _ => Ok(None),
        }
    }

    /// Every image of drvc's in a repository. What cannot be read is not there.
    fn look_through(&self, repository: &Repository) -> ByKey {
        let tags = self.registry.tags(repository).unwrap_or_default();
        let look = |tag: Tag| {
            let reference = ImageRef::parse(&format!("{repository}:{tag}")).ok()?;
            let found =
                Arch::ALL.into_iter().find_map(|arch| self.registry.image_for(&reference, arch).ok()?);
            let (digest, _, config) = found?;
            let key = config.config.labels.get(KEY_LABEL)?.clone();
            let base = config.config.labels.get(BASE_LABEL).cloned();
            Some(((key, config.architecture), (digest, base)))
        };
        tags.into_par_iter().take(MOST_TAGS).filter_map(look).collect()
    }

    /// Gives an image that the registry has these tags of the target at this place.
    ///
    /// # Errors
    /// The registry refuses.
    pub fn copy(&self, at: usize, source: &ImageRef, tags: &[ImageRef]) -> Result<(), Error> {
        for (tag, own) in self.names.tags(at).filter(|(tag, _)| tags.contains(tag)) {
            self.registry.tag(source, &tag_of(own)?)?;
            self.index(at, tag, own)?;
        }
        Ok(())
    }

    /// Makes sure that the registry has the target's image under all its tags, once `push` has put it there under the
    /// first of its own.
    ///
    /// # Errors
    /// It does not, or cannot be asked.
    pub fn spread(&self, at: usize, wanted: &ExpectedImage) -> Result<(), Error> {
        let Some(target) = self.compiled.plan.targets.get(at) else { return Ok(()) };
        let mut names = self.names.tags(at);
        let Some((first, own)) = names.next() else { return Ok(()) };
        let not_there = |reason: (String, bool)| {
            Error::new("push", own.as_str(), format!("the registry took it, and yet {}", reason.0))
        };
        let source = self.look(own, target.at.arch, wanted)?.map_err(not_there)?;
        self.index(at, first, own)?;
        for (tag, own) in names {
            self.registry.tag(&source, &tag_of(own)?)?;
            self.index(at, tag, own)?;
        }
        Ok(())
    }

    /// Puts the target's own image into the index of a tag that several architectures share. What other architectures have
    /// there stays.
    fn index(&self, at: usize, tag: &ImageRef, own: &ImageRef) -> Result<(), Error> {
        let Some(target) = self.compiled.plan.targets.get(at).filter(|_| tag != own) else { return Ok(()) };
        let _alone = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
        let image = self.registry.manifest(own)?.descriptor(Some(Platform::linux(target.at.arch)));
        let repository = repository(tag)?;
        // Another machine may write the same index at this moment: then it is read and written again.
        for _ in 0..TRIES {
            let mut images = self.indexed(tag, target.at.arch)?;
            if images.contains(&image) {
                return Ok(());
            }
            images.retain(|other| other.platform.as_ref().and_then(Platform::arch) != Some(target.at.arch));
            images.push(image.clone());
            images.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
            self.registry.put_index(&repository, Some(&tag_of(tag)?), images, BTreeMap::new())?;
        }
        let images = self.indexed(tag, target.at.arch)?;
        match images.contains(&image) {
            true => Ok(()),
            false => {
                Err(Error::new("write", tag.as_str(), "somebody else writes the same index all the time"))
            }
        }
    }

    /// The images that a tag names now, each with its platform: those of an index, or the one image.
    fn indexed(&self, tag: &ImageRef, arch: Arch) -> Result<Vec<Descriptor>, Error> {
        let Some(manifest) = self.registry.find_manifest(tag)? else { return Ok(Vec::new()) };
        let descriptor = |platform| manifest.descriptor(platform);
        Ok(match &manifest.content {
            Content::Index(index) => index.manifests.clone(),
            Content::Image(image) => {
                let config = self.registry.config(&repository(tag)?, image)?;
                let own = Arch::ALL.into_iter().find(|known| known.oci() == config.architecture);
                // An image of the architecture that is written now gives way.
                own.filter(|own| *own != arch)
                    .map(|own| descriptor(Some(Platform::linux(own))))
                    .into_iter()
                    .collect()
            }
        })
    }
}

fn key_of(image: &Descriptor) -> (&str, &str) {
    (image.platform.as_ref().map_or("", |platform| platform.architecture.as_str()), image.digest.as_str())
}

fn repository(reference: &ImageRef) -> Result<Repository, Error> {
    let rule = |rule: crate::text::ids::Invalid| Error::new("use", reference.as_str(), rule.0);
    Repository::parse(reference.repository()).map_err(rule)
}

fn tag_of(reference: &ImageRef) -> Result<Tag, Error> {
    Tag::parse(reference.tag().unwrap_or("latest"))
        .map_err(|rule| Error::new("use", reference.as_str(), rule.0))
}

fn by_digest(reference: &ImageRef, digest: &Digest) -> Result<ImageRef, Error> {
    let text = format!("{}@{digest}", reference.repository());
    ImageRef::parse(&text).map_err(|rule| Error::new("use", text, rule.0))
}
