//! Documents about an image <-> a registry, as artifacts that refer to it (OCI distribution 1.1, "referrers").
//!
//! A registry that knows the referrers API keeps the list itself. For others the list is an index under a tag made of the
//! image's digest, which whoever attaches something keeps up to date: the specification's fallback.

use super::manifest::{Content, Descriptor, IMAGE, ImageManifest, Index, Manifest, digest_of};
use super::registry::{Registry, next_page};
use crate::system::oci::auth::Access;
use crate::text::error::Error;
use crate::text::ids::{Digest, ImageRef, Repository, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// The configuration of an artifact that has none.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Most pages of a list.
const PAGES: usize = 20;
/// What cosign up to version 2 adds to that tag: for the signatures of the image, its statements, and its lists.
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];
/// What a page of a list may have, in bytes.
const SMALL: u64 = 8 << 20;

/// A document to attach to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What it is: a media type.
    pub kind: String,
    /// What a file of it is called.
    pub title: String,
    pub bytes: Vec<u8>,
    /// Free text by name.
    pub annotations: BTreeMap<String, String>,
}

impl Registry {
    /// What is attached to the image of this digest: a descriptor for each artifact, with its type and annotations.
    ///
    /// # Errors
    /// The registry cannot be asked.
    pub fn referrers(&self, repository: &Repository, image: &Digest) -> Result<Vec<Descriptor>, Error> {
        let place = self.place(repository.as_str(), true);
        let mut next = Some(place.url(&self.client, &format!("referrers/{image}"))?);
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(url) = next.take() {
            if !seen.insert(url.path().to_owned()) || seen.len() > PAGES {
                return Err(Error::new("list what is attached at", url.to_string(), "the list has no end"));
            }
            let response = self.send(&place, Access::Pull, &|| self.client.get(&url).limit(SMALL))?;
            if matches!(response.head.status, 400 | 404 | 405) && found.is_empty() {
                return self.fallback(repository, image);
            }
            let response = response.success()?;
            let index: Index = serde_json::from_slice(&response.body)
                .map_err(|_| Error::new("read", url.to_string(), "not a list of artifacts"))?;
            found.extend(index.manifests);
            let link = response.head.all("link").find_map(next_page);
            let stray =
                || Error::new("list what is attached at", url.to_string(), "the next page is elsewhere");
            let same_server = |link| url.join(link).ok().filter(|next| next.host() == url.host());
            next = link.map(|link| same_server(link).ok_or_else(stray)).transpose()?;
        }
        Ok(found)
    }

    /// The list under the tag that is made of the image's digest.
    fn fallback(&self, repository: &Repository, image: &Digest) -> Result<Vec<Descriptor>, Error> {
        let reference = format!("{repository}:{}", fallback_tag(image)?);
        let reference = ImageRef::parse(&reference).map_err(|rule| Error::new("ask for", reference, rule))?;
        Ok(match self.find_manifest(&reference)?.map(|manifest| manifest.content) {
            Some(Content::Index(index)) => index.manifests,
            Some(Content::Image(_)) | None => Vec::new(),
        })
    }

    /// Attaches a document to the image with this manifest, and returns the digest of the artifact. The same document twice
    /// is one artifact.
    ///
    /// # Errors
    /// The registry refuses it.
    pub fn attach(
        &self,
        repository: &Repository,
        image: &Manifest,
        attachment: &Attachment,
    ) -> Result<Digest, Error> {
        let blob = |media_type: &str, bytes: &[u8]| -> Result<Descriptor, Error> {
            Ok(Descriptor {
                media_type: media_type.to_owned(),
                digest: self.put_blob(repository, bytes)?,
                size: bytes.len() as u64,
                platform: None,
                artifact_type: None,
                annotations: BTreeMap::new(),
            })
        };
        let title = ("org.opencontainers.image.title".to_owned(), attachment.title.clone());
        let layer = blob(&attachment.kind, &attachment.bytes)?;
        let content = ImageManifest {
            schema_version: 2,
            media_type: IMAGE[0].to_owned(),
            artifact_type: Some(attachment.kind.clone()),
            config: blob(EMPTY, b"{}")?,
            layers: vec![Descriptor { annotations: BTreeMap::from([title]), ..layer }],
            subject: Some(Box::new(image.descriptor(None))),
            annotations: attachment.annotations.clone(),
        };
        let bytes =
            serde_json::to_vec(&content).map_err(|cause| Error::new("write", "an artifact", cause))?;
        let media_type = content.media_type.clone();
        let manifest =
            Manifest { digest: digest_of(&bytes)?, media_type, bytes, content: Content::Image(content) };
        if !self.put_manifest(repository, None, &manifest)? {
            let listed = Descriptor {
                artifact_type: Some(attachment.kind.clone()),
                annotations: attachment.annotations.clone(),
                ..manifest.descriptor(None)
            };
            self.list(repository, &image.digest, listed)?;
        }
        Ok(manifest.digest)
    }

    /// Adds an artifact to the list under the tag of an image's digest.
    fn list(&self, repository: &Repository, image: &Digest, artifact: Descriptor) -> Result<(), Error> {
        let mut all = self.fallback(repository, image)?;
        if all.iter().all(|other| other.digest != artifact.digest) {
            all.push(artifact);
            self.put_index(repository, Some(&fallback_tag(image)?), all, BTreeMap::new())?;
        }
        Ok(())
    }

    /// Deletes an image with all that is attached to it, and what cosign has put beside it.
    ///
    /// # Errors
    /// The registry refuses.
    pub fn delete_with_attached(&self, repository: &Repository, image: &Digest) -> Result<(), Error> {
        for artifact in self.referrers(repository, image)? {
            self.delete(repository, &artifact.digest)?;
        }
        let list = fallback_tag(image)?;
        for beside in [""].iter().chain(&COSIGN) {
            let name = format!("{repository}:{list}{beside}");
            let name = ImageRef::parse(&name).map_err(|rule| Error::new("ask for", name, rule))?;
            if let Some(digest) = self.digest(&name)? {
                self.delete(repository, &digest)?;
            }
        }
        self.delete(repository, image)
    }

    /// The document in an artifact: its one layer.
    ///
    /// # Errors
    /// It cannot be fetched, is larger than `limit`, or is not what its digest says.
    pub fn attached(
        &self,
        repository: &Repository,
        artifact: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let manifest = self.manifest(&super::registry::by_digest(repository, &artifact.digest)?)?;
        let layers = match &manifest.content {
            Content::Image(image) => image.layers.as_slice(),
            Content::Index(_) => &[],
        };
        let [layer] = layers else {
            let name = format!("{repository}@{}", artifact.digest);
            return Err(Error::new("read", name, "it is not an artifact of one document"));
        };
        self.blob(repository, layer, limit)
    }
}

/// The digest of the image that something under this tag belongs to: a list of what is attached, or something of cosign's.
#[must_use]
pub fn subject_of(tag: &Tag) -> Option<Digest> {
    let name = tag.as_str().split('.').next()?;
    Digest::parse(&name.replacen('-', ":", 1)).ok()
}

/// `sha256-…`, of the digest `sha256:…`.
pub(super) fn fallback_tag(image: &Digest) -> Result<Tag, Error> {
    let text = image.as_str().replace(':', "-");
    Tag::parse(&text).map_err(|rule| Error::new("use", text, rule))
}

#[cfg(test)]
mod tests;
