//! Questions about images -> requests to a registry, with its answers checked by their digests.

use super::auth::{Access, Authority};
use super::credentials::Credentials;
use super::manifest::{
    Content, Descriptor, IMAGE, INDEX, ImageConfig, ImageManifest, Manifest, digest_of, finished,
};
use super::place::Place;
use crate::system::http::{Client, Head, Key, Method, Request, Response, Url};
use crate::text::error::Error;
use crate::text::ids::{Arch, Digest, ImageRef, Repository, Tag};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

/// What a manifest or configuration may have, in bytes.
const SMALL: u64 = 8 << 20;
/// At most so many pages of tags, and so many tags.
const PAGES: usize = 200;
const MOST_TAGS: usize = 200_000;

/// Registries, as the user may use them.
#[derive(Debug)]
pub struct Registry {
    pub(super) client: Client,
    authority: Authority,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registry {
    /// Registries behind a client, with the credentials of its environment.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let credentials = Credentials::new(client.environment(), client.interrupt());
        Self { client, authority: Authority::new(credentials) }
    }

    /// The client that asks.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The manifest of an image, by its digest or else its tag (`latest`, if it has neither).
    ///
    /// # Errors
    /// It is not there, cannot be fetched, or is not what its digest says.
    pub fn manifest(&self, image: &ImageRef) -> Result<Manifest, Error> {
        match self.find(image)? {
            Ok(manifest) => Ok(manifest),
            Err(response) => Err(response.error()),
        }
    }

    /// The manifest of an image, or nothing where the registry has none.
    ///
    /// # Errors
    /// As for [`manifest`](Self::manifest), but that it is not there.
    pub fn find_manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        match self.find(image)? {
            Ok(manifest) => Ok(Some(manifest)),
            Err(response) if response.head.status == 404 => Ok(None),
            Err(response) => Err(response.error()),
        }
    }

    /// Where a repository is, or its mirror.
    pub(super) fn place(&self, repository: &str, by_digest: bool) -> Place {
        Place::of(&self.client.site().mirrors.image_name(repository, by_digest))
    }

    fn find(&self, image: &ImageRef) -> Result<Result<Manifest, Response>, Error> {
        let place = self.place(image.repository(), image.digest().is_some());
        let url = place.url(&self.client, &format!("manifests/{}", target(image)))?;
        // What has a digest is always the same.
        let key = image.digest().map(|digest| Key::of_digest("manifest", digest));
        let kept = key.as_ref().and_then(|key| self.client.cache().kept(key, SMALL));
        if let (Some(bytes), Some(digest)) = (kept, image.digest())
            && let Ok(manifest) = Manifest::parse(bytes, "")
            && manifest.digest.as_str() == digest
        {
            return Ok(Ok(manifest));
        }
        let response = self.send(&place, Access::Pull, &|| accepting(self.client.get(&url)).limit(SMALL))?;
        if !response.head.is_success() {
            return Ok(Err(response));
        }
        let media_type = response.head.header("content-type").unwrap_or_default().to_owned();
        let manifest = Manifest::parse(response.body, &media_type).map_err(|cause| {
            Error::new("read", url.to_string(), cause).help("check that a registry answers there")
        })?;
        let said = response.head.header("docker-content-digest");
        let expected = image.digest().or(said.filter(|said| said.starts_with("sha256:")));
        if let Some(expected) = expected.filter(|expected| *expected != manifest.digest.as_str()) {
            return Err(wrong_digest(&url, expected, &manifest.digest));
        }
        if let Some(key) = key {
            self.client.cache().keep(&key, &manifest.bytes);
        }
        Ok(Ok(manifest))
    }

    /// The digest that an image's tag names now, without its manifest; nothing where the registry has none.
    ///
    /// # Errors
    /// The registry cannot be asked.
    pub fn digest(&self, image: &ImageRef) -> Result<Option<Digest>, Error> {
        let place = self.place(image.repository(), image.digest().is_some());
        let url = place.url(&self.client, &format!("manifests/{}", target(image)))?;
        let ask = || accepting(self.client.request(Method::Head, &url));
        let response = self.send(&place, Access::Pull, &ask)?;
        if response.head.status == 404 {
            return Ok(None);
        }
        let response = response.success()?;
        match response.head.header("docker-content-digest").and_then(|text| Digest::parse(text).ok()) {
            Some(digest) => Ok(Some(digest)),
            // A registry need not send that header.
            None => Ok(self.find_manifest(image)?.map(|manifest| manifest.digest)),
        }
    }

    /// All tags of a repository, as the registry orders them; nothing that is no tag.
    ///
    /// # Errors
    /// The repository is not there, or the registry cannot be asked.
    pub fn tags(&self, repository: &Repository) -> Result<Vec<Tag>, Error> {
        let place = self.place(repository.as_str(), false);
        let mut next = Some(place.url(&self.client, "tags/list")?.with_query("n", "1000"));
        let (mut tags, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(url) = next {
            if !seen.insert(url.path().to_owned()) || seen.len() > PAGES || tags.len() > MOST_TAGS {
                return Err(Error::new("list the tags at", url.to_string(), "the list has no end"));
            }
            let response = self
                .send(&place, Access::Pull, &|| self.client.get(&url).limit(SMALL).cached())?
                .success()?;
            let page: Tags = serde_json::from_slice(&response.body)
                .map_err(|_| Error::new("read", url.to_string(), "not a list of tags"))?;
            tags.extend(page.tags.unwrap_or_default().iter().filter_map(|text| Tag::parse(text).ok()));
            next = match response.head.all("link").find_map(next_page) {
                Some(link) => {
                    let joined = url.join(link).ok().filter(|next| next.host() == url.host());
                    let stray =
                        || Error::new("list the tags at", url.to_string(), "the next page is elsewhere");
                    Some(joined.ok_or_else(stray)?)
                }
                None => None,
            };
        }
        Ok(tags)
    }

    /// The manifest of an image for one architecture: that of its index, or its own. Nothing, where the image is not
    /// there or not for that architecture.
    ///
    /// # Errors
    /// The registry cannot be asked, or what it sends is not what its digest says.
    pub fn image_for(
        &self,
        image: &ImageRef,
        arch: Arch,
    ) -> Result<Option<(Digest, ImageManifest, ImageConfig)>, Error> {
        let Some(manifest) = self.find_manifest(image)? else { return Ok(None) };
        let repository = repository_of(image)?;
        let (digest, image) = match manifest.content {
            Content::Image(own) => (manifest.digest, own),
            Content::Index(index) => {
                let Some(descriptor) = index.platforms().remove(&arch) else { return Ok(None) };
                let by_digest = by_digest(&repository, &descriptor.digest)?;
                match self.manifest(&by_digest)?.content {
                    Content::Image(image) => (descriptor.digest, image),
                    Content::Index(_) => return Ok(None),
                }
            }
        };
        let config = self.config(&repository, &image)?;
        Ok((config.architecture == arch.oci()).then_some((digest, image, config)))
    }

    /// The labels of an image for one architecture; nothing, where it is not there or not for that architecture.
    ///
    /// # Errors
    /// As for [`image_for`](Self::image_for).
    pub fn labels(&self, image: &ImageRef, arch: Arch) -> Result<Option<BTreeMap<String, String>>, Error> {
        Ok(self.image_for(image, arch)?.map(|(_, _, config)| config.config.labels))
    }

    /// The configuration of an image.
    ///
    /// # Errors
    /// It cannot be fetched, or is not what its digest says.
    pub fn config(&self, repository: &Repository, image: &ImageManifest) -> Result<ImageConfig, Error> {
        let bytes = self.blob(repository, &image.config, SMALL)?;
        serde_json::from_slice(&bytes).map_err(|_| {
            Error::new(
                "read",
                format!("{repository}@{}", image.config.digest),
                "not an image's configuration",
            )
        })
    }

    /// A blob of at most `limit` bytes, whole; small ones are kept in the cache.
    ///
    /// # Errors
    /// It cannot be fetched, is larger, or is not what its digest says.
    pub fn blob(&self, repository: &Repository, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        if blob.size > limit {
            let cause = format!("it has {} bytes, more than {limit}", blob.size);
            return Err(Error::new("fetch", format!("{repository}@{}", blob.digest), cause));
        }
        let key = Key::of_digest("blob", blob.digest.as_str());
        let kept = self.client.cache().kept(&key, limit);
        if let Some(bytes) = kept.filter(|bytes| digest_of(bytes).is_ok_and(|digest| digest == blob.digest)) {
            return Ok(bytes);
        }
        let bytes = self.read_blob(repository, blob, &mut |reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            Ok(bytes)
        })?;
        if blob.size <= SMALL {
            self.client.cache().keep(&key, &bytes);
        }
        Ok(bytes)
    }

    /// Gives a blob to `each` as it comes, of the size that its descriptor says, and checks its digest in the end:
    /// what `each` makes of it counts only if this succeeds. It may be called again, from the beginning.
    ///
    /// # Errors
    /// It cannot be fetched, is not what its digest says, or what `each` says.
    pub fn read_blob<T>(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        each: &mut dyn FnMut(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Error> {
        let place = self.place(repository.as_str(), true);
        let url = place.url(&self.client, &format!("blobs/{}", blob.digest))?;
        let read = &mut |head: &Head, body: &mut dyn Read| {
            if !head.is_success() {
                return Ok(None);
            }
            let mut hashed = Hashed { inner: body.take(blob.size.saturating_add(1)), hasher: Sha256::new() };
            let made = each(&mut hashed);
            io::copy(&mut hashed, &mut io::sink())?;
            Ok(Some((finished(hashed.hasher), made)))
        };
        let ask = || self.client.get(&url).elsewhere();
        let (head, made) = self.authorized(&place, Access::Pull, &ask, &mut |request| request.read(read))?;
        let Some((digest, made)) = made else {
            return Err(Response::empty(head).error());
        };
        let digest = digest?;
        if digest != blob.digest {
            return Err(wrong_digest(&url, blob.digest.as_str(), &digest));
        }
        made.map_err(|cause| Error::new("read", url.to_string(), cause))
    }

    /// Sends a request, and again with what a challenge asks for.
    pub(super) fn send<'a>(
        &'a self,
        place: &Place,
        access: Access,
        ask: &dyn Fn() -> Request<'a>,
    ) -> Result<Response, Error> {
        let send = &mut |request: Request<'a>| {
            let response = request.send()?;
            Ok((response.head.clone(), response))
        };
        self.authorized(place, access, ask, send).map(|(_, response)| response)
    }

    fn authorized<'a, T>(
        &'a self,
        place: &Place,
        access: Access,
        ask: &dyn Fn() -> Request<'a>,
        send: &mut dyn FnMut(Request<'a>) -> Result<(Head, T), Error>,
    ) -> Result<(Head, T), Error> {
        let first = match self.authority.known(place, access) {
            Some(header) => ask().header("authorization", header),
            None => ask(),
        };
        let (head, value) = send(first)?;
        if head.status != 401 {
            return Ok((head, value));
        }
        match self.authority.answer(&self.client, place, access, &head)? {
            Some(header) => send(ask().header("authorization", header)),
            None => Ok((head, value)),
        }
    }
}

/// What a manifest is asked for by: its digest, or else its tag.
fn target(image: &ImageRef) -> &str {
    image.digest().or(image.tag()).unwrap_or("latest")
}

fn accepting(request: Request<'_>) -> Request<'_> {
    let types: Vec<_> = INDEX.into_iter().chain(IMAGE).collect();
    request.header("accept", types.join(", "))
}

/// The target of a `Link: <…>; rel="next"`.
pub(super) fn next_page(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then_some(target)
}

pub(super) fn repository_of(image: &ImageRef) -> Result<Repository, Error> {
    Repository::parse(image.repository()).map_err(|rule| Error::new("ask for", image.as_str(), rule))
}

/// A reference to what has this digest in a repository.
pub(super) fn by_digest(repository: &Repository, digest: &Digest) -> Result<ImageRef, Error> {
    let text = format!("{repository}@{digest}");
    ImageRef::parse(&text).map_err(|rule| Error::new("ask for", text, rule))
}

fn wrong_digest(url: &Url, expected: &str, found: &Digest) -> Error {
    let cause = format!("its content has the digest {found}, not {expected}");
    Error::new("trust", url.to_string(), cause)
        .help("the registry, or something on the way, changed it: ask its owner")
}

/// A reader that hashes what it hands on.
struct Hashed<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let number = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..number).unwrap_or_default());
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_next_page_are_read() {
        assert_eq!(
            next_page(r#"</v2/a/tags/list?n=1&last=b>; rel="next""#),
            Some("/v2/a/tags/list?n=1&last=b")
        );
        assert_eq!(next_page(r#"</x>; rel="prev""#), None);
    }
}
