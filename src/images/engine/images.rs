//! What an engine says of the images that it holds, and what it is asked to do with them.

use super::{ANSWER, BASE_LABEL, Engine, KEY_LABEL, Kind};
use crate::text::error::Error;
use crate::text::ids::ImageRef;
use camino::Utf8Path;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The most images that one command line names.
const AT_ONCE: usize = 200;
/// How often images are listed while others remove some.
const TRIES: u32 = 3;
/// What a push or a pull is given.
const TRANSFER: Duration = Duration::from_secs(3600);

/// An image that an engine holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The engine's id of it: 64 hexadecimal digits.
    pub id: String,
    /// The references that name it, as [`same_name`] has them.
    pub names: Vec<String>,
    /// Its architecture, in Go's words.
    pub arch: String,
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// The key that it was built for.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.labels.get(KEY_LABEL).map(String::as_str)
    }

    /// The ids of unpinned base images that it stands on.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.labels.get(BASE_LABEL).map(String::as_str)
    }
}

/// What podman and docker say of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    architecture: String,
    config: Option<InspectedConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedConfig {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// What `buildah images` says of an image.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
}

/// What `buildah inspect` says of an image.
#[derive(Deserialize)]
struct BuildahInspected {
    #[serde(rename = "FromImageID")]
    id: String,
    #[serde(rename = "OCIv1")]
    oci: BuildahImage,
}

#[derive(Deserialize)]
struct BuildahImage {
    architecture: String,
    #[serde(default)]
    config: Option<InspectedConfig>,
}

/// A reference so that two that mean one image are one text: without what engines add to short names.
#[must_use]
pub fn same_name(reference: &str) -> String {
    let rest = reference.strip_prefix("localhost/").unwrap_or(reference);
    let rest = rest.strip_prefix("docker.io/").unwrap_or(rest);
    rest.strip_prefix("library/").unwrap_or(rest).to_owned()
}

/// The reference by which an engine that calls images without a registry `localhost/NAME` knows this one.
#[must_use]
pub fn local_name(reference: &ImageRef, kind: Kind) -> String {
    if kind.facts().localhost && reference.registry().is_none() {
        format!("localhost/{reference}")
    } else {
        reference.to_string()
    }
}

impl Engine {
    /// The images that these references name here. Those that do not exist are left out.
    ///
    /// # Errors
    /// The engine does not answer, or not in a way that is understood.
    pub fn inspect(&self, references: &[ImageRef]) -> Result<Vec<Image>, Error> {
        let names: Vec<_> = references.iter().map(|reference| local_name(reference, self.kind)).collect();
        match self.kind.facts().inspects_many {
            true => self.inspect_many(&names),
            false => self.inspect_listed(&names),
        }
    }

    /// The image of this id or name.
    ///
    /// # Errors
    /// The engine does not answer, or has no such image.
    pub fn inspect_one(&self, name: &str) -> Result<Image, Error> {
        let found = match self.kind.facts().inspects_many {
            true => self.inspect_many(&[name.to_owned()])?,
            false => self.buildah_inspect(name)?.into_iter().collect(),
        };
        found.into_iter().next().ok_or_else(|| Error::new("find", name, "the engine has no such image"))
    }

    /// The images that drvc has built, under whatever names: all, or those of one key.
    ///
    /// # Errors
    /// The engine does not answer, or not in a way that is understood.
    pub fn built(&self, key: Option<&str>) -> Result<Vec<Image>, Error> {
        let filter =
            key.map_or_else(|| format!("label={KEY_LABEL}"), |key| format!("label={KEY_LABEL}={key}"));
        let words = ["images", "--quiet", "--no-trunc", "--filter", &filter];
        let finished = self.tell("list", "images", &words, Some(ANSWER))?;
        let text = String::from_utf8_lossy(&finished.stdout);
        let ids: BTreeSet<_> = text.lines().map(bare_id).filter(|id| !id.is_empty()).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        if ids.is_empty() || self.kind.facts().inspects_many {
            return self.inspect_many(&ids);
        }
        let listed: BTreeMap<_, _> = self.list()?.into_iter().map(|image| (image.id, image.names)).collect();
        let mut images = Vec::new();
        for id in ids {
            let names = listed.get(&id).into_iter().flatten().flatten().map(|name| same_name(name)).collect();
            images.extend(self.buildah_inspect(&id)?.map(|image| Image { names, ..image }));
        }
        Ok(images)
    }

    fn inspect_many(&self, names: &[String]) -> Result<Vec<Image>, Error> {
        let mut images = Vec::new();
        for names in names.chunks(AT_ONCE) {
            let mut words = vec!["image", "inspect"];
            words.extend(names.iter().map(String::as_str));
            let finished = self.ask(&words, Some(ANSWER))?;
            if !finished.is_success() && !only_absent(&finished.stderr) {
                return Err(self.failed("inspect", "images", &finished));
            }
            let found: Vec<Inspected> = self.read(&finished.stdout)?;
            images.extend(found.into_iter().map(Image::from));
        }
        Ok(images)
    }

    /// buildah inspects one image at a time, and has a list of all.
    fn inspect_listed(&self, names: &[String]) -> Result<Vec<Image>, Error> {
        let wanted: Vec<_> = names.iter().map(|name| same_name(name)).collect();
        let mut images = Vec::new();
        for listed in self.list()? {
            let names: Vec<_> = listed.names.iter().flatten().map(|name| same_name(name)).collect();
            if !names.iter().any(|name| wanted.contains(name)) {
                continue;
            }
            let image = self.buildah_inspect(&listed.id)?;
            images.extend(image.map(|image| Image { names, ..image }));
        }
        Ok(images)
    }

    fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut left = TRIES;
        let finished = loop {
            left -= 1;
            let finished = self.ask(&["images", "--json", "--no-trunc"], Some(ANSWER))?;
            match finished.is_success() {
                true => break finished,
                // Somebody has removed an image while the list was made.
                false if left > 0 && only_absent(&finished.stderr) => {}
                false => return Err(self.failed("list", "images", &finished)),
            }
        };
        let mut listed: Vec<Listed> = self.read(&finished.stdout)?;
        listed.iter_mut().for_each(|image| image.id = bare_id(&image.id));
        Ok(listed)
    }

    fn buildah_inspect(&self, name: &str) -> Result<Option<Image>, Error> {
        let finished = self.ask(&["inspect", "--type", "image", "--", name], Some(ANSWER))?;
        if !finished.is_success() {
            return match only_absent(&finished.stderr) {
                true => Ok(None),
                false => Err(self.failed("inspect", name, &finished)),
            };
        }
        let found: BuildahInspected = self.read(&finished.stdout)?;
        let labels = found.oci.config.and_then(|config| config.labels).unwrap_or_default();
        Ok(Some(Image { id: bare_id(&found.id), names: Vec::new(), arch: found.oci.architecture, labels }))
    }

    /// Gives an image another name.
    ///
    /// # Errors
    /// What the engine says.
    pub fn tag(&self, id: &str, reference: &ImageRef) -> Result<(), Error> {
        let name = local_name(reference, self.kind);
        self.tell("tag", &name, &["tag", id, &name], Some(ANSWER)).map(drop)
    }

    /// Takes a name from an image, and removes the image with its last name.
    ///
    /// # Errors
    /// What the engine says.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.tell("remove", name, &["rmi", name], Some(ANSWER)).map(drop)
    }

    /// Writes an image into a file, as an archive of Docker's kind.
    ///
    /// # Errors
    /// What the engine says.
    pub fn save(&self, name: &str, file: &Utf8Path) -> Result<(), Error> {
        let archive = format!("docker-archive:{file}");
        let words: &[&str] = match self.kind {
            Kind::Podman => {
                &["save", "--quiet", "--format", "docker-archive", "--output", file.as_str(), name]
            }
            Kind::Buildah => &["push", "--quiet", name, &archive],
            Kind::Docker | Kind::Buildx => &["save", "--output", file.as_str(), name],
        };
        self.tell("save", name, words, Some(TRANSFER)).map(drop)
    }

    /// Uploads an image under the name that it has here.
    ///
    /// # Errors
    /// What the engine says.
    pub fn push(&self, reference: &ImageRef, arguments: &[String]) -> Result<(), Error> {
        let mut words = vec!["push"];
        words.extend(arguments.iter().map(String::as_str));
        words.push(reference.as_str());
        self.tell("push", reference.as_str(), &words, Some(TRANSFER)).map(drop)
    }

    /// Fetches an image.
    ///
    /// # Errors
    /// What the engine says.
    pub fn pull(&self, reference: &ImageRef, arch: &str) -> Result<(), Error> {
        let platform = format!("linux/{arch}");
        let words = ["pull", "--platform", &platform, reference.as_str()];
        self.tell("pull", reference.as_str(), &words, Some(TRANSFER)).map(drop)
    }

    fn read<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(json).map_err(|cause| Error::new("understand", self.kind.facts().name, cause))
    }
}

impl From<Inspected> for Image {
    fn from(found: Inspected) -> Self {
        let names = found.repo_tags.iter().flatten().map(|name| same_name(name)).collect();
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        Self { id: bare_id(&found.id), names, arch: found.architecture, labels }
    }
}

/// An id without the name of its digest.
pub(super) fn bare_id(id: &str) -> String {
    id.trim().strip_prefix("sha256:").unwrap_or(id.trim()).to_owned()
}

/// Whether all that went wrong is that images are not there.
fn only_absent(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let absent = ["image not known", "no such image", "image not found", "failed to find image"];
    lines.peek().is_some() && lines.all(|line| absent.iter().any(|phrase| line.contains(phrase)))
}
