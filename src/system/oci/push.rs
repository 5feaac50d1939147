//! Manifests, indexes and small blobs -> a registry.

use super::auth::Access;
use super::manifest::{Content, Descriptor, IMAGE, INDEX, Index, Manifest, digest_of};
use super::place::Place;
use super::registry::Registry;
use crate::system::http::{Method, Response, Url};
use crate::text::error::Error;
use crate::text::ids::{Digest, Repository, Tag};
use std::collections::BTreeMap;

impl Registry {
    /// Puts a manifest into a repository, under a tag or under its digest alone; whether the registry says that it lists it
    /// with the image that it refers to.
    ///
    /// # Errors
    /// The registry refuses it, cannot be reached, or says that it has another digest.
    pub fn put_manifest(
        &self,
        repository: &Repository,
        tag: Option<&Tag>,
        manifest: &Manifest,
    ) -> Result<bool, Error> {
        let place = Place::of(repository.as_str());
        let name = tag.map_or(manifest.digest.as_str(), Tag::as_str);
        let url = place.url(&self.client, &format!("manifests/{name}"))?;
        let ask = || {
            let request = self.client.request(Method::Put, &url).body(&manifest.bytes);
            request.header("content-type", manifest.media_type.clone())
        };
        let response = self.send(&place, Access::Push, &ask)?.success()?;
        check(&url, &response, &manifest.digest)?;
        Ok(response.head.header("oci-subject").is_some())
    }

    /// Gives a manifest one more tag in the same repository, and returns its digest.
    ///
    /// # Errors
    /// It is not there, or the registry refuses.
    pub fn tag(&self, image: &crate::text::ids::ImageRef, tag: &Tag) -> Result<Digest, Error> {
        let manifest = self.manifest(image)?;
        let repository = super::registry::repository_of(image)?;
        self.put_manifest(&repository, Some(tag), &manifest)?;
        Ok(manifest.digest)
    }

    /// Puts an index of these images, each with its platform, under a tag, and returns it. It is an OCI index unless
    /// every image is Docker's.
    ///
    /// # Errors
    /// The registry refuses it.
    pub fn put_index(
        &self,
        repository: &Repository,
        tag: Option<&Tag>,
        manifests: Vec<Descriptor>,
        annotations: BTreeMap<String, String>,
    ) -> Result<Manifest, Error> {
        let docker = IMAGE.last().is_some_and(|docker| manifests.iter().all(|one| one.media_type == *docker));
        let [oci_index, docker_index] = INDEX;
        let media_type = if docker && annotations.is_empty() { docker_index } else { oci_index }.to_owned();
        let index = Index { schema_version: 2, media_type: media_type.clone(), manifests, annotations };
        let bytes = serde_json::to_vec(&index).map_err(|cause| Error::new("write", "an index", cause))?;
        let digest = digest_of(&bytes)?;
        let manifest = Manifest { digest, media_type, bytes, content: Content::Index(index) };
        self.put_manifest(repository, tag, &manifest)?;
        Ok(manifest)
    }

    /// Puts a small blob into a repository, unless it is there.
    ///
    /// # Errors
    /// The registry refuses it.
    pub fn put_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Digest, Error> {
        let place = Place::of(repository.as_str());
        let digest = digest_of(bytes)?;
        let there = place.url(&self.client, &format!("blobs/{digest}"))?;
        if self.send(&place, Access::Push, &|| self.client.request(Method::Head, &there))?.head.is_success() {
            return Ok(digest);
        }
        let start = place.url(&self.client, "blobs/uploads/")?;
        let response =
            self.send(&place, Access::Push, &|| self.client.request(Method::Post, &start))?.success()?;
        let location = response.head.header("location").unwrap_or_default();
        let upload = start.join(location).ok().filter(|upload| upload.host() == start.host());
        let stray = || Error::new("send to", start.to_string(), "it names no place on its own server");
        let upload = upload.ok_or_else(stray)?.with_query("digest", digest.as_str());
        let ask = || {
            let request = self.client.request(Method::Put, &upload).body(bytes);
            request.header("content-type", "application/octet-stream")
        };
        let response = self.send(&place, Access::Push, &ask)?.success()?;
        check(&upload, &response, &digest)?;
        Ok(digest)
    }

    /// Deletes a manifest by its digest; one that is not there is no error.
    ///
    /// # Errors
    /// The registry refuses.
    pub fn delete(&self, repository: &Repository, digest: &Digest) -> Result<(), Error> {
        let place = Place::of(repository.as_str());
        let url = place.url(&self.client, &format!("manifests/{digest}"))?;
        let response = self.send(&place, Access::Delete, &|| self.client.request(Method::Delete, &url))?;
        if response.head.status == 404 { Ok(()) } else { response.success().map(drop) }
    }
}

/// What a registry says it took must be what was sent.
fn check(url: &Url, response: &Response, digest: &Digest) -> Result<(), Error> {
    match response.head.header("docker-content-digest") {
        Some(said) if said != digest.as_str() => {
            let cause = format!("it took {said}, not the {digest} that was sent");
            Err(Error::new("send to", url.to_string(), cause))
        }
        _ => Ok(()),
    }
}
