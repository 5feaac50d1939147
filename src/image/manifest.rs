//! Index, manifest and configuration: from JSON to the one image that is meant.

use super::{Blobs, broken};
use crate::error::Error;
use crate::ids::Arch;
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

/// A part of an image and what it is said to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub digest: String,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    /// Whether the digest is of the bytes; `docker save` names its layers by path alone.
    #[serde(skip, default = "checked")]
    pub checked: bool,
}

const fn checked() -> bool {
    true
}

/// What an image runs on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Platform {
    /// `linux`
    #[serde(default)]
    pub os: String,
    /// Go's name of the architecture.
    #[serde(default)]
    pub architecture: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
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
    #[serde(flatten)]
    platform: Platform,
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
    pub layers: Vec<Descriptor>,
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
        let is_tagged = |one: &Descriptor| {
            let annotations = one.annotations.iter().flatten();
            annotations.into_iter().any(|(key, value)| {
                ["org.opencontainers.image.ref.name", "io.containerd.image.name"].contains(&key.as_str())
                    && (value == tag || value.ends_with(&format!(":{tag}")))
            })
        };
        index.manifests.retain(is_tagged);
        if index.manifests.is_empty() {
            return Err(broken(name, format!("no image in it is tagged `{tag}`")));
        }
    }
    for _ in 0..NESTED {
        let chosen = choose(name, index.manifests, arch)?;
        let bytes = bytes_of(name, blobs, &chosen.digest)?;
        if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) {
            return of_manifest(name, blobs, manifest, arch);
        }
        index = parse(name, &bytes)?;
    }
    Err(broken(name, "its indexes stand in each other"))
}

/// The one of several that is of the architecture.
fn choose(name: &str, from: Vec<Descriptor>, arch: Option<Arch>) -> Result<Descriptor, Error> {
    // Attestations are listed with an unknown platform.
    let real = |one: &Descriptor| one.platform.as_ref().is_none_or(|platform| platform.os != "unknown");
    let mut all: Vec<_> = from.into_iter().filter(real).collect();
    let known: Vec<String> =
        all.iter().filter_map(|one| Some(one.platform.as_ref()?.architecture.clone())).collect();
    let fits = |one: &Descriptor| {
        arch.is_none_or(|arch| {
            one.platform.as_ref().is_none_or(|platform| platform.architecture == arch.oci())
        })
    };
    all.retain(fits);
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

fn of_manifest(
    name: &str,
    blobs: &dyn Blobs,
    manifest: Manifest,
    arch: Option<Arch>,
) -> Result<Found, Error> {
    let config = parse(name, &bytes_of(name, blobs, &manifest.config.digest)?)?;
    Ok(Found { id: manifest.config.digest, config: configured(name, config, arch)?, layers: manifest.layers })
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
    let layer = |path: String| Descriptor { digest: path, platform: None, annotations: None, checked: false };
    let id = format!("sha256:{:x}", HexOf(&bytes));
    Ok(Found { id, config, layers: image.layers.into_iter().map(layer).collect() })
}

fn configured(name: &str, file: ConfigFile, arch: Option<Arch>) -> Result<Config, Error> {
    let architecture = file.platform.architecture;
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
    if format!("sha256:{:x}", HexOf(&bytes)) == digest {
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

/// SHA-256 of some bytes, in hexadecimal.
struct HexOf<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Sha256::digest(self.0).iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
