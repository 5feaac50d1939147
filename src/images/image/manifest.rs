//! Index, manifest and configuration: from JSON to the one image that is meant.

use super::{Blobs, broken};
use crate::system::oci::{Content, Descriptor, Index, Manifest, Platform};
use crate::text::error::Error;
use crate::text::ids::Arch;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read as _;

/// Largest index, manifest or configuration, as registries limit them (4 MiB).
const DOCUMENT: u64 = 4 << 20;
/// Most layers of an image; engines stop at 127 of one build, squashed bases add theirs.
const LAYERS: usize = 512;
/// How many indexes may stand in each other.
const NESTED: usize = 4;

/// A layer of an image.
pub(super) struct LayerName {
    /// Its digest, or in an archive of `docker save` its path.
    pub name: String,
    /// Whether the name is a digest of the bytes.
    pub checked: bool,
}

/// One image of `docker save`'s `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    config: Option<Config>,
}

/// What an image is configured to be.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// Its labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// Its environment, as `NAME=value`.
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// Its command.
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// What its command is given to.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// The directory that it starts in.
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
    /// Go's name of its architecture.
    #[serde(skip)]
    pub architecture: String,
}

/// Engines write `null` for what is empty.
fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Config {
    /// The architecture, by the kernel's name; nothing for one that drvc does not know.
    #[must_use]
    pub fn arch(&self) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.oci() == self.architecture)
    }
}

/// The image that was meant.
pub(super) struct Found {
    pub id: String,
    pub config: Config,
    pub layers: Vec<LayerName>,
}

/// Finds the image of an architecture, and of a tag where there are several.
pub(super) fn find(
    name: &str,
    blobs: &dyn Blobs,
    arch: Option<Arch>,
    tag: Option<&str>,
) -> Result<Found, Error> {
    let found = match document::<Index>(name, blobs, "index.json")? {
        Some(index) => in_index(name, blobs, index, arch, tag)?,
        None => saved(name, blobs, tag)?,
    };
    if found.layers.len() > LAYERS {
        return Err(broken(name, format!("it has more than {LAYERS} layers")));
    }
    Ok(found)
}

fn in_index(
    name: &str,
    blobs: &dyn Blobs,
    mut index: Index,
    arch: Option<Arch>,
    tag: Option<&str>,
) -> Result<Found, Error> {
    if let Some(tag) = tag {
        index.manifests.retain(|one| is_tagged(one, tag));
        if index.manifests.is_empty() {
            return Err(broken(name, format!("no image in it is tagged `{tag}`")));
        }
    }
    for _ in 0..NESTED {
        let chosen = choose(name, index.manifests, arch)?;
        match manifest(name, blobs, &chosen)? {
            Content::Index(inner) => index = inner,
            Content::Image(image) => {
                let id = image.config.digest.to_string();
                let config = configured(name, parse(name, &bytes_of(name, blobs, &id)?)?, arch)?;
                let layer = |layer: Descriptor| LayerName { name: layer.digest.to_string(), checked: true };
                return Ok(Found { id, config, layers: image.layers.into_iter().map(layer).collect() });
            }
        }
    }
    Err(broken(name, "its indexes contain each other"))
}

/// Whether a layout names one of its images so; `containerd` keeps whole references.
fn is_tagged(one: &Descriptor, tag: &str) -> bool {
    let names = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];
    let mut values = names.iter().filter_map(|name| one.annotations.get(*name));
    values.any(|value| value == tag || value.ends_with(&format!(":{tag}")))
}

/// The one of several that is of the architecture.
fn choose(name: &str, from: Vec<Descriptor>, arch: Option<Arch>) -> Result<Descriptor, Error> {
    // Attestations are listed with an unknown platform.
    let real = |one: &Descriptor| one.platform.as_ref().is_none_or(|platform| platform.os != "unknown");
    let mut all: Vec<_> = from.into_iter().filter(real).collect();
    let known: Vec<String> =
        all.iter().filter_map(|one| Some(one.platform.as_ref()?.architecture.clone())).collect();
    let fits = |platform: &Platform| arch.is_none_or(|arch| platform.architecture == arch.oci());
    all.retain(|one| one.platform.as_ref().is_none_or(fits));
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            Err(broken(name, format!("it has no image for that architecture; it has {}", known.join(", "))))
        }
        (Some(_), Some(_)) => {
            let help = "say which one is meant with `--arch`, or with `:TAG` after the path";
            Err(broken(name, "it holds several images").help(help))
        }
    }
}

fn manifest(name: &str, blobs: &dyn Blobs, descriptor: &Descriptor) -> Result<Content, Error> {
    let bytes = bytes_of(name, blobs, descriptor.digest.as_str())?;
    Manifest::parse(bytes, &descriptor.media_type)
        .map(|manifest| manifest.content)
        .map_err(|cause| broken(name, cause))
}

/// An image that `docker save` wrote without an index.
fn saved(name: &str, blobs: &dyn Blobs, tag: Option<&str>) -> Result<Found, Error> {
    let Some(mut images) = document::<Vec<Saved>>(name, blobs, "manifest.json")? else {
        return Err(broken(name, "it has neither index.json nor manifest.json, so it holds no image"));
    };
    if let Some(tag) = tag {
        let ending = format!(":{tag}");
        let is_tagged = |name: &String| name == tag || name.ends_with(&ending);
        images.retain(|image| image.repo_tags.iter().flatten().any(is_tagged));
    }
    let mut images = images.into_iter();
    let (Some(image), None) = (images.next(), images.next()) else {
        return Err(
            broken(name, "it does not hold exactly one image").help("say which with `:TAG` after the path")
        );
    };
    let bytes = read(name, blobs, &image.config)?;
    let bytes = bytes.ok_or_else(|| broken(name, format!("{} is missing in it", image.config)))?;
    let config = configured(name, parse(name, &bytes)?, None)?;
    let layer = |path: String| LayerName { name: path, checked: false };
    let id = digest_of(&bytes);
    Ok(Found { id, config, layers: image.layers.into_iter().map(layer).collect() })
}

fn configured(name: &str, file: ConfigFile, arch: Option<Arch>) -> Result<Config, Error> {
    let architecture = file.architecture;
    if let Some(arch) = arch.filter(|arch| !architecture.is_empty() && arch.oci() != architecture) {
        return Err(broken(name, format!("it is an image for {architecture}, not for {}", arch.oci())));
    }
    Ok(Config { architecture, ..file.config.unwrap_or_default() })
}

fn document<T: DeserializeOwned>(name: &str, blobs: &dyn Blobs, part: &str) -> Result<Option<T>, Error> {
    read(name, blobs, part)?.map(|bytes| parse(name, &bytes)).transpose()
}

fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|cause| broken(name, cause))
}

/// A document by its digest, which its bytes must have.
fn bytes_of(name: &str, blobs: &dyn Blobs, digest: &str) -> Result<Vec<u8>, Error> {
    let bytes = read(name, blobs, digest)?;
    let bytes = bytes.ok_or_else(|| broken(name, format!("{digest} is missing in it")))?;
    if digest_of(&bytes) == digest {
        Ok(bytes)
    } else {
        Err(broken(name, format!("{digest} does not have the content that its digest says")))
    }
}

fn read(name: &str, blobs: &dyn Blobs, part: &str) -> Result<Option<Vec<u8>>, Error> {
    let Some(blob) = blobs.blob(part)? else { return Ok(None) };
    let mut bytes = Vec::new();
    blob.take(DOCUMENT + 1).read_to_end(&mut bytes).map_err(|cause| broken(name, cause))?;
    if bytes.len() as u64 > DOCUMENT {
        return Err(broken(name, format!("{part} is larger than {DOCUMENT} bytes")));
    }
    Ok(Some(bytes))
}

/// The digest of some bytes, as registries write it.
fn digest_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// A SHA-256 as registries write it.
pub(super) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
