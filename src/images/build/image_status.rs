//! Whether a target's image exists: for its reference and architecture, with its key in its label.

use crate::compiler::compile::Compiled;
use crate::compiler::plan::{Fetched, Node, Revision, Target};
use crate::images::engine::{Engine, Image, same_name};
use crate::text::error::Error;
use crate::text::ids::ImageRef;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Where an image was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the engine on this machine.
    Engine,
    Registry,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Registry => "registry",
        })
    }
}

/// What the images of a plan are called.
#[derive(Clone, Debug)]
pub struct Names {
    /// For each target, the tags that it has in the manifest and those that its own image has: they differ where several
    /// architectures share a tag.
    targets: Vec<Vec<(ImageRef, ImageRef)>>,
}

impl Names {
    /// Of all targets of a plan.
    #[must_use]
    pub fn of(targets: &[Target]) -> Self {
        let mut owners: BTreeMap<&ImageRef, usize> = BTreeMap::new();
        targets.iter().flat_map(|target| &target.tags).for_each(|tag| *owners.entry(tag).or_default() += 1);
        let own = |tag: &ImageRef, target: &Target| {
            let shared = owners.get(tag).is_some_and(|owners| *owners > 1);
            let apart = || ImageRef::parse(&format!("{tag}-{}", target.at.arch.oci())).ok();
            let own = if shared { apart() } else { None };
            (tag.clone(), own.unwrap_or_else(|| tag.clone()))
        };
        let names =
            targets.iter().map(|target| target.tags.iter().map(|tag| own(tag, target)).collect()).collect();
        Self { targets: names }
    }

    /// The references of a target's own image.
    pub fn own(&self, target: usize) -> impl Iterator<Item = &ImageRef> {
        self.targets.get(target).into_iter().flatten().map(|(_, own)| own)
    }

    /// The tags of a target, each with the reference of its own image.
    pub fn tags(&self, target: usize) -> impl Iterator<Item = (&ImageRef, &ImageRef)> {
        self.targets.get(target).into_iter().flatten().map(|(tag, own)| (tag, own))
    }
}

/// Why a target's image can never be told to be up to date: it stands on a source that may be
/// another one tomorrow.
#[must_use]
pub fn unpinned_source(compiled: &Compiled, target: &Target) -> Option<String> {
    let graph = &compiled.plan.graph;
    graph.ancestry(target.root).into_iter().find_map(|id| match graph.node(id) {
        Node::Source(source) => match &source.origin {
            Fetched::Git { revision: Revision::Unpinned(reference), .. } => {
                Some(format!("source `{}` follows `{reference}`, which no commit pins", source.name))
            }
            Fetched::Download { url, sha256: None, .. } => {
                Some(format!("source `{}` downloads {url}, which no checksum pins", source.name))
            }
            Fetched::Image { image, .. } if image.digest().is_none() => {
                Some(format!("source `{}` is of `{image}`, which no digest pins", source.name))
            }
            _ => None,
        },
        _ => None,
    })
}

/// The base images of a target that no digest pins, as its Dockerfile names them.
#[must_use]
pub fn unpinned_bases(compiled: &Compiled, target: &Target) -> BTreeSet<ImageRef> {
    let graph = &compiled.plan.graph;
    let bases = graph.ancestry(target.root).into_iter().filter_map(|id| match graph.node(id) {
        Node::Base(image) if image.digest().is_none() => Some(image.clone()),
        _ => None,
    });
    // The tag of a toolkit holds its key.
    let is_toolkit =
        |base: &ImageRef| compiled.json().toolkits.iter().any(|one| one.reference == base.as_str());
    bases.filter(|base| !is_toolkit(base)).map(|base| compiled.mirrors.image(&base)).collect()
}

/// The ids of base images, by reference and architecture (in Go's words).
pub type Ids = BTreeMap<(ImageRef, String), String>;

/// The value of the label that says which base images a target stands on: nothing where all are pinned.
///
/// # Errors
/// The id of this one is not known.
pub fn base_label(bases: &BTreeSet<ImageRef>, arch: &str, ids: &Ids) -> Result<Option<String>, ImageRef> {
    let id = |base: &ImageRef| ids.get(&(base.clone(), arch.to_owned()));
    let words = bases.iter().map(|base| match id(base) {
        Some(id) => Ok(format!("{base}={id}")),
        None => Err(base.clone()),
    });
    let words = words.collect::<Result<Vec<_>, _>>()?;
    Ok((!words.is_empty()).then(|| words.join(" ")))
}

/// What an image must be to be a target's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedImage {
    pub key: String,
    /// Its architecture, in Go's words.
    pub arch: String,
    /// The label of its bases; or the base whose id is not known.
    pub base: Result<Option<String>, ImageRef>,
}

impl ExpectedImage {
    /// What the image of the target at this place must be.
    #[must_use]
    pub fn of(compiled: &Compiled, target: usize, ids: &Ids) -> Option<Self> {
        let described = compiled.json().targets.get(target)?;
        let target = compiled.plan.targets.get(target)?;
        let arch = target.at.arch.oci();
        let base = base_label(&unpinned_bases(compiled, target), arch, ids);
        Some(Self { key: described.key.clone(), arch: arch.to_owned(), base })
    }

    /// Why an image with this architecture and these labels is not it; nothing where it is.
    #[must_use]
    pub fn lacks(&self, arch: &str, key: Option<&str>, base: Option<&str>) -> Option<String> {
        if arch != self.arch {
            return Some(format!("the image is for {arch}, not {}", self.arch));
        }
        match key {
            None => return Some("the image was not built by drvc".into()),
            Some(key) if key != self.key => return Some("its key has changed".into()),
            Some(_) => {}
        }
        match &self.base {
            Ok(wanted) if wanted.as_deref() == base => None,
            Ok(_) => Some("a base image that no digest pins has changed".into()),
            Err(unknown) => Some(format!("`{unknown}`, which no digest pins, is not here to compare with")),
        }
    }

    /// Whether one of the engine's images is the target's, under each of these names; or why not.
    ///
    /// # Errors
    /// Why the target has to be built.
    pub fn among<'n>(
        &self,
        images: &BTreeMap<String, Image>,
        names: impl Iterator<Item = &'n ImageRef>,
    ) -> Result<(), Lack> {
        let mut untagged = Vec::new();
        let mut source = None;
        let mut reason = None;
        for name in names {
            let Some(image) = images.get(&same_name(name.as_str())) else {
                untagged.push(name.clone());
                continue;
            };
            match self.lacks(&image.arch, image.key(), image.base()) {
                None => source = Some(image.id.clone()),
                Some(why) => {
                    reason = Some(why);
                    untagged.push(name.clone());
                }
            }
        }
        match source {
            Some(_) if untagged.is_empty() => Ok(()),
            Some(id) => Err(Lack::Names { id, names: untagged }),
            None => Err(Lack::Image(reason.unwrap_or_else(|| "there is no image yet".into()))),
        }
    }
}

/// The ids that an engine has for these base images.
///
/// # Errors
/// The engine does not answer.
pub fn base_ids(engine: &Engine, bases: BTreeSet<ImageRef>) -> Result<Ids, Error> {
    let bases: Vec<_> = bases.into_iter().collect();
    let mut ids = Ids::new();
    for image in engine.inspect(&bases)? {
        for base in bases.iter().filter(|base| image.names.contains(&same_name(base.as_str()))) {
            ids.insert((base.clone(), image.arch.clone()), image.id.clone());
        }
    }
    Ok(ids)
}

/// What an engine lacks of targets, by their places: nothing of those that are `Ok`.
pub type ImageStatus = BTreeMap<usize, Result<(), Lack>>;

/// What the engine lacks of each of these targets (by their places), and the ids of their unpinned bases.
///
/// # Errors
/// The engine does not answer.
pub fn in_engine(
    compiled: &Compiled,
    engine: &Engine,
    names: &Names,
    targets: &[usize],
) -> Result<(ImageStatus, Ids), Error> {
    let of = |at: &usize| compiled.plan.targets.get(*at);
    let bases: BTreeSet<_> =
        targets.iter().filter_map(of).flat_map(|t| unpinned_bases(compiled, t)).collect();
    let mut asked: Vec<_> = targets.iter().flat_map(|&at| names.own(at).cloned()).collect();
    asked.extend(bases.iter().cloned());
    let mut images = BTreeMap::new();
    for image in engine.inspect(&asked)? {
        images.extend(image.names.iter().map(|name| (name.clone(), image.clone())));
    }
    let mut ids = Ids::new();
    for base in bases {
        if let Some(image) = images.get(&same_name(base.as_str())) {
            ids.insert((base, image.arch.clone()), image.id.clone());
        }
    }
    let judged = targets.iter().filter_map(|&at| {
        let wanted = ExpectedImage::of(compiled, at, &ids)?;
        let found = match of(&at).and_then(|target| unpinned_source(compiled, target)) {
            Some(reason) => Err(Lack::Image(reason)),
            None => wanted.among(&images, names.own(at)),
        };
        Some((at, found))
    });
    Ok((judged.collect(), ids))
}

/// What an engine lacks of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The image, and why.
    Image(String),
    /// Some names of an image that is there.
    Names {
        /// The engine's id of it.
        id: String,
        /// What it is not called yet.
        names: Vec<ImageRef>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::engine::{BASE_LABEL, KEY_LABEL};

    fn image(id: &str, arch: &str, key: &str, base: Option<&str>) -> Image {
        let base = base.map(|base| (BASE_LABEL.to_owned(), base.to_owned()));
        let labels = base.into_iter().chain([(KEY_LABEL.to_owned(), key.to_owned())]).collect();
        Image { id: id.into(), names: Vec::new(), arch: arch.into(), labels }
    }

    #[test]
    fn a_name_alone_is_never_enough() {
        let name = ImageRef::parse("quay.io/x/y:1").unwrap();
        let other = ImageRef::parse("y:2").unwrap();
        let wanted = |base: Result<Option<&str>, ImageRef>| ExpectedImage {
            key: "k".into(),
            arch: "amd64".into(),
            base: base.map(|base| base.map(str::to_owned)),
        };
        let judge = |wanted: &ExpectedImage, image: Image, names: &[&ImageRef]| {
            let images = BTreeMap::from([("quay.io/x/y:1".to_owned(), image)]);
            wanted.among(&images, names.iter().copied())
        };
        let plain = wanted(Ok(None));
        assert_eq!(judge(&plain, image("i", "amd64", "k", None), &[&name]), Ok(()));
        let names = vec![other.clone()];
        assert_eq!(
            judge(&plain, image("i", "amd64", "k", None), &[&name, &other]),
            Err(Lack::Names { id: "i".into(), names })
        );
        for (wanted, image, why) in [
            (&plain, image("i", "arm64", "k", None), "the image is for arm64, not amd64"),
            (&plain, image("i", "amd64", "old", None), "its key has changed"),
            (&plain, image("i", "amd64", "k", Some("b=1")), "a base image that no digest pins has changed"),
            (
                &wanted(Ok(Some("b=2"))),
                image("i", "amd64", "k", Some("b=1")),
                "a base image that no digest pins has changed",
            ),
            (
                &wanted(Err(other.clone())),
                image("i", "amd64", "k", Some("b=1")),
                "`y:2`, which no digest pins, is not here to compare with",
            ),
        ] {
            assert_eq!(judge(wanted, image, &[&name]), Err(Lack::Image(why.into())));
        }
        assert_eq!(
            judge(&plain, image("i", "amd64", "k", None), &[&other]),
            Err(Lack::Image("there is no image yet".into()))
        );
        let same = wanted(Ok(Some("b=1")));
        assert_eq!(judge(&same, image("i", "amd64", "k", Some("b=1")), &[&name]), Ok(()));
    }
}
