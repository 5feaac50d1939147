//! One thing each -> one question to its server: refs, images, files.

use super::Resolver;
use crate::knowledge::lock::ImagePin;
use crate::system::git::Remote;
use crate::system::http::Url;
use crate::system::oci::{Content, Manifest};
use crate::text::error::Error;
use crate::text::ids::{Arch, Commit, FileUrl, GitUrl, ImageRef, Sha256};
use sha2::{Digest as _, Sha256 as Hasher};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// What a file that a source downloads may have, in bytes.
const FILE_LIMIT: u64 = 4 << 30;

impl Resolver {
    /// The commit of a ref, by its full name; a short one is a branch's or else a tag's, as for `git clone --branch`.
    ///
    /// # Errors
    /// There is no such ref, or the repository cannot be asked.
    pub fn git(&self, url: &GitUrl, reference: &str) -> Result<Commit, Error> {
        let client = self.client();
        client.policy().check_host("ask", url.as_str(), url.host())?;
        let remote = Remote {
            environment: client.environment(),
            plain: client.policy().allows_http(url.host()),
            timeout: client.timeout(),
            interrupt: client.interrupt(),
        };
        let names = if reference == "HEAD" || reference.starts_with("refs/") {
            vec![reference.to_owned()]
        } else {
            vec![format!("refs/heads/{reference}"), format!("refs/tags/{reference}")]
        };
        for name in names {
            client.count_request();
            if let Some(commit) = remote.commit(url, &name)? {
                return Ok(commit);
            }
        }
        Err(Error::new("ask", url.as_str(), format!("there is no `{reference}`"))
            .help("check the name of the branch or tag in the manifest"))
    }

    /// The digest of an image, and of what it is for each architecture.
    ///
    /// # Errors
    /// It is not there, or the registry cannot be asked.
    pub fn image(&self, image: &ImageRef) -> Result<ImagePin, Error> {
        let manifest = self.newest(image)?;
        let platforms: BTreeMap<_, _> = match &manifest.content {
            Content::Index(index) => {
                index.platforms().into_iter().map(|(arch, found)| (arch, found.digest)).collect()
            }
            Content::Image(own) => {
                let repository = crate::text::ids::Repository::parse(image.repository())
                    .map_err(|rule| Error::new("ask for", image.as_str(), rule))?;
                let config = self.registry.config(&repository, own)?;
                let arch = Arch::ALL.into_iter().find(|arch| arch.oci() == config.architecture);
                arch.into_iter().map(|arch| (arch, manifest.digest.clone())).collect()
            }
        };
        Ok(ImagePin { digest: manifest.digest, platforms })
    }

    /// The manifest that a tag names now. The question for the digest alone costs registries the least, and the
    /// manifest by its digest is often in the cache.
    pub(super) fn newest(&self, image: &ImageRef) -> Result<Manifest, Error> {
        match self.registry.digest(image)? {
            Some(digest) => {
                let text = format!("{}@{digest}", image.repository());
                let by_digest = ImageRef::parse(&text).map_err(|rule| Error::new("ask for", text, rule))?;
                self.registry.manifest(&by_digest)
            }
            // Its error says what a missing image may come from.
            None => self.registry.manifest(image),
        }
    }

    /// The checksum of a file.
    ///
    /// # Errors
    /// It cannot be fetched, or has more than 4 GiB.
    pub fn archive(&self, url: &FileUrl) -> Result<Sha256, Error> {
        let address = Url::parse(url.as_str()).map_err(|rule| Error::new("fetch", url.as_str(), rule))?;
        let hash = &mut |head: &crate::system::http::Head, body: &mut dyn Read| {
            if !head.is_success() {
                return Ok(None);
            }
            let mut hasher = Hasher::new();
            let (mut buffer, mut read) = (vec![0; 64 << 10], 0);
            loop {
                let number = body.read(&mut buffer)?;
                if number == 0 {
                    break;
                }
                read += number as u64;
                if read > FILE_LIMIT {
                    return Err(io::Error::other(format!("the file has more than {FILE_LIMIT} bytes")));
                }
                hasher.update(buffer.get(..number).unwrap_or_default());
            }
            let digest = hasher.finalize();
            Ok(Some(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        };
        let (head, hex) = self.client().get(&address).read(hash)?;
        let hex = hex.ok_or_else(|| crate::system::http::Response::empty(head).error())?;
        Sha256::parse(&hex).map_err(|rule| Error::new("fetch", url.as_str(), rule))
    }
}
