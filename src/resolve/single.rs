//! One thing each -> one question to its server: refs, images, files.

use super::Resolver;
use crate::compiler::model::{Login, Way};
use crate::knowledge::lock::ImagePin;
use crate::system::git::{Credentials, Remote};
use crate::system::http::Url;
use crate::system::oci::{Content, Manifest};
use crate::text::error::Error;
use crate::text::ids::{Arch, Commit, FileUrl, GitUrl, ImageRef, LoginName, Sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    pub fn git(&self, url: &GitUrl, reference: &str, login: Option<&Login>) -> Result<Commit, Error> {
        let client = self.client();
        let site = client.site();
        let led = site.mirrors.git.lead(url.as_str());
        let url = &GitUrl::parse(&led).map_err(|rule| Error::new("ask", led, rule))?;
        client.policy().check_host("ask", url.as_str(), url.host())?;
        let remote = Remote {
            environment: client.environment(),
            plain: client.policy().allows_http(url.host()),
            timeout: client.timeout(),
            interrupt: client.interrupt(),
            credentials: login.and_then(|login| self.credentials(login)),
            authorities: site.authorities.as_deref(),
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

    /// What a login is made of, where its secret was handed over; without it the user's own settings count.
    fn credentials<'a>(&'a self, login: &'a Login) -> Option<Credentials<'a>> {
        let secret = self.secrets.get(login.secret.as_str())?;
        Some(match &login.way {
            Way::Key { host_key } => Credentials::Key { secret, host_key: host_key.as_str() },
            Way::Token { user } => Credentials::Token { secret, user: user.as_ref().map(LoginName::as_str) },
        })
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
    pub fn archive(&self, url: &FileUrl, login: Option<&Login>) -> Result<Sha256, Error> {
        let url = self.client().site().mirrors.files.lead(url.as_str());
        let address = Url::parse(&url).map_err(|rule| Error::new("fetch", &url, rule))?;
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
        let mut request = self.client().get(&address);
        if let Some(Credentials::Token { user, secret }) = login.and_then(|login| self.credentials(login)) {
            request = request.header("authorization", authorization(user, secret));
        }
        let (head, hex) = request.read(hash)?;
        let hex = hex.ok_or_else(|| crate::system::http::Response::empty(head).error())?;
        Sha256::parse(&hex).map_err(|rule| Error::new("fetch", &url, rule))
    }
}

/// A header's value: a name and a password, or a token alone.
fn authorization(user: Option<&str>, secret: &[u8]) -> String {
    let secret = String::from_utf8_lossy(secret).replace(['\r', '\n'], "");
    match user {
        Some(user) => format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
        None => format!("Bearer {secret}"),
    }
}
