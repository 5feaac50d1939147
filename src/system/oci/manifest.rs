//! Bytes by digest -> an image's manifest, the index of several, or a configuration.

use crate::text::error::Error;
use crate::text::ids::{Arch, Digest};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The media types of an index, OCI's and Docker's.
pub(super) const INDEX: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// The media types of an image's manifest, OCI's and Docker's.
pub(super) const IMAGE: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// At most so many images in an index, and layers in an image.
const MOST: usize = 1024;

/// A manifest as a registry sent it, whose bytes have its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The digest of the bytes.
    pub digest: Digest,
    /// What it says it is.
    pub media_type: String,
    /// The very bytes.
    pub bytes: Vec<u8>,
    /// What they mean.
    pub content: Content,
}

/// What a manifest is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Of several images, one for each platform.
    Index(Index),
    Image(ImageManifest),
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What this is.
    #[serde(default)]
    pub media_type: String,
    /// The images.
    pub manifests: Vec<Descriptor>,
    /// Free text by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The manifest of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// What this is.
    #[serde(default)]
    pub media_type: String,
    /// What it is an artifact of, where it is no image to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers, the lowest first.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The image that an artifact is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<Descriptor>>,
    /// Free text by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What stands for some content: its digest, size and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// In an index: what machine it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// In a list of what is attached to an image: what the artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free text by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What machine an image is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor, by Go's name.
    pub architecture: String,
    /// The operating system, by Go's name.
    pub os: String,
    /// Which one of its kind, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The configuration of an image, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ImageConfig {
    /// The processor, by Go's name.
    #[serde(default)]
    pub architecture: String,
    /// The operating system, by Go's name.
    #[serde(default)]
    pub os: String,
    /// When it was made, as RFC 3339 has it.
    #[serde(default)]
    pub created: Option<String>,
    /// What a container is made with.
    #[serde(default)]
    pub config: ContainerConfig,
}

/// What a container is made with, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// The image's labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
}

/// Go writes an empty map as `null`.
fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

impl Platform {
    /// Of an architecture, on Linux.
    #[must_use]
    pub fn linux(arch: Arch) -> Self {
        Self { architecture: arch.oci().to_owned(), os: "linux".to_owned(), variant: None }
    }

    /// The architecture that it is, where it is Linux on one that drvc knows.
    #[must_use]
    pub fn arch(&self) -> Option<Arch> {
        let arch = Arch::ALL.into_iter().find(|arch| arch.oci() == self.architecture);
        arch.filter(|_| self.os == "linux")
    }
}

impl Index {
    /// The images by architecture: the first of each that is Linux.
    #[must_use]
    pub fn platforms(&self) -> BTreeMap<Arch, Descriptor> {
        let mut found = BTreeMap::new();
        for manifest in &self.manifests {
            if let Some(arch) = manifest.platform.as_ref().and_then(Platform::arch) {
                found.entry(arch).or_insert_with(|| manifest.clone());
            }
        }
        found
    }
}

impl Manifest {
    /// Reads a manifest and computes its digest. `media_type` is what the registry called it.
    ///
    /// # Errors
    /// What is wrong with it, for an error about its address.
    pub fn parse(bytes: Vec<u8>, media_type: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            #[serde(default)]
            schema_version: u32,
            #[serde(default)]
            media_type: Option<String>,
        }
        let kind: Kind =
            serde_json::from_slice(&bytes).map_err(|error| format!("not a manifest: {error}"))?;
        if kind.schema_version != 2 {
            return Err(format!("a manifest of version {}, which registries gave up", kind.schema_version));
        }
        let said = media_type.split(';').next().unwrap_or_default().trim();
        let media_type = kind.media_type.unwrap_or_else(|| said.to_owned());
        let content = if INDEX.contains(&media_type.as_str()) {
            serde_json::from_slice(&bytes).map(Content::Index)
        } else if IMAGE.contains(&media_type.as_str()) {
            serde_json::from_slice(&bytes).map(Content::Image)
        } else {
            return Err(format!("neither an image nor an index but `{media_type}`"));
        };
        let content = content.map_err(|error| format!("not a manifest: {error}"))?;
        let number = match &content {
            Content::Index(index) => index.manifests.len(),
            Content::Image(image) => image.layers.len(),
        };
        if number > MOST {
            return Err(format!("{number} entries, more than {MOST}"));
        }
        let digest = digest_of(&bytes).map_err(|error| error.to_string())?;
        Ok(Self { digest, media_type, bytes, content })
    }

    /// What stands for it in an index.
    #[must_use]
    pub fn descriptor(&self, platform: Option<Platform>) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest: self.digest.clone(),
            size: self.bytes.len() as u64,
            platform,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// The digest of some bytes.
///
/// # Errors
/// None that can happen; the type asks.
pub(super) fn digest_of(bytes: &[u8]) -> Result<Digest, Error> {
    finished(Sha256::new_with_prefix(bytes))
}

pub(super) fn finished(hasher: Sha256) -> Result<Digest, Error> {
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::parse(&format!("sha256:{hex}")).map_err(|rule| Error::new("compute", "a digest", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_and_images_are_told_apart() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let index = format!(
            r#"{{"schemaVersion": 2, "mediaType": "{}", "manifests": [
                {{"mediaType": "{}", "digest": "{digest}", "size": 1, "platform": {{"architecture": "arm64", "os": "linux", "variant": "v8"}}}},
                {{"mediaType": "{}", "digest": "{digest}", "size": 1, "platform": {{"architecture": "unknown", "os": "unknown"}}}}
            ]}}"#,
            INDEX[0], IMAGE[0], IMAGE[0]
        );
        let manifest = Manifest::parse(index.into_bytes(), "text/plain").unwrap();
        let Content::Index(index) = &manifest.content else { panic!("{manifest:?}") };
        assert_eq!(index.platforms().into_keys().collect::<Vec<_>>(), [Arch::Aarch64]);

        let image = format!(
            r#"{{"schemaVersion": 2, "config": {{"mediaType": "x", "digest": "{digest}", "size": 1}}, "layers": []}}"#
        );
        assert!(matches!(
            Manifest::parse(image.clone().into_bytes(), &format!("{}; charset=utf-8", IMAGE[1]))
                .unwrap()
                .content,
            Content::Image(_)
        ));
        for (bytes, media_type) in [
            (image.as_str(), "text/html"),
            ("<html>", IMAGE[0]),
            ("{}", IMAGE[0]),
            (&image.replace("sha256", "md5"), IMAGE[0]),
            (&image.replace(": 2", ": 1"), IMAGE[0]),
        ] {
            assert!(Manifest::parse(bytes.as_bytes().to_vec(), media_type).is_err(), "{bytes}");
        }
    }

    #[test]
    fn labels_may_be_null() {
        let config: ImageConfig =
            serde_json::from_str(r#"{"config": {"Labels": null}, "os": "linux"}"#).unwrap();
        assert!(config.config.labels.is_empty());
    }
}
