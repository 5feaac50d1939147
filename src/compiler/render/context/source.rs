//! Sources into what their template is given: where the files come from, and the patches upon them.

use crate::compiler::model::{Download, Login, Way};
use crate::compiler::plan::{Fetched, Revision, SourceStage};
use crate::compiler::render::Site;
use crate::compiler::render::install::Install;
use crate::text::ids::GitUrl;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Source {
    name: String,
    plain: bool,
    from: &'static str,
    path: Option<String>,
    git: Option<Git>,
    download: Option<Downloaded>,
    image: Option<OtherImage>,
    login: Option<LoginWords>,
    scripts: Vec<Vec<String>>,
    patches: Vec<Patch>,
    #[serde(flatten)]
    install: Install,
}

/// How `with-login` is called.
#[derive(Serialize)]
struct LoginWords {
    way: &'static str,
    secret: String,
    /// The server, and its key or the user; quoted.
    words: Vec<String>,
}

impl LoginWords {
    fn new(login: &Login, origin: &Fetched, site: Option<&Site<'_>>) -> Self {
        let (way, words) = match (&login.way, origin) {
            (Way::Key { host_key }, Fetched::Git { url, .. }) => {
                ("key", vec![url.server(), host_key.to_string()])
            }
            (Way::Token { user }, Fetched::Git { url, .. }) => {
                let user = user.as_ref().map_or("x-access-token", |user| user.as_str());
                // git asks for a login for the address that its settings lead to.
                let there = site.and_then(|site| GitUrl::parse(&site.mirrors.git.lead(url.as_str())).ok());
                ("token", vec![there.as_ref().unwrap_or(url).server(), user.to_owned()])
            }
            (Way::Token { user: Some(user) }, _) => ("basic", vec![user.to_string()]),
            _ => ("bearer", Vec::new()),
        };
        Self { way, secret: login.secret.to_string(), words }
    }
}

#[derive(Serialize)]
struct Downloaded {
    url: String,
    file: String,
    sha256: Option<String>,
    archive: bool,
    strip: u32,
    srpm: bool,
}

#[derive(Serialize)]
struct OtherImage {
    from: String,
    dir: String,
}

#[derive(Serialize)]
struct Git {
    url: String,
    #[serde(rename = "ref")]
    reference: String,
    long: bool,
    pinned: bool,
    submodules: bool,
    lfs: bool,
    /// Whether files of Git LFS are a mistake.
    no_lfs: bool,
}

#[derive(Serialize)]
struct Patch {
    file: String,
    strip: u32,
    n: usize,
}

impl Source {
    pub(super) fn new(stage: &SourceStage, scripts: Vec<Vec<String>>, site: Option<&Site<'_>>) -> Self {
        let (mut path, mut git, mut download, mut image) = (None, None, None, None);
        match &stage.origin {
            Fetched::Path { dir, .. } => path = Some(dir.to_string()),
            Fetched::Image { image: from, dir } => {
                let from = site.map_or_else(|| from.clone(), |site| site.mirrors.image(from));
                image = Some(OtherImage { from: from.to_string(), dir: dir.to_string() });
            }
            Fetched::Download { kind, url, sha256, file, .. } => {
                let (archive, strip) = match kind {
                    Download::Archive { strip } => (true, *strip),
                    Download::File | Download::Srpm => (false, 0),
                };
                download = Some(Downloaded {
                    url: site.map_or_else(|| url.to_string(), |site| site.mirrors.files.lead(url.as_str())),
                    file: file.to_string(),
                    sha256: sha256.as_ref().map(ToString::to_string),
                    archive,
                    strip,
                    srpm: *kind == Download::Srpm,
                });
            }
            Fetched::Git { url, revision, submodules, lfs, .. } => {
                let (reference, pinned) = match revision {
                    Revision::Commit(commit) => (commit.to_string(), true),
                    Revision::Unpinned(reference) => (reference.clone(), false),
                };
                let url = url.to_string();
                let long = url.len() + reference.len() > 80;
                let (submodules, no_lfs) = (*submodules, lfs.is_none());
                let lfs = *lfs == Some(true);
                git = Some(Git { url, reference, long, pinned, submodules, lfs, no_lfs });
            }
        }
        let patches = stage.patches.iter().zip(1..);
        let patches = patches.map(|(patch, n)| Patch { file: patch.file.to_string(), strip: patch.strip, n });
        Self {
            name: stage.name.to_string(),
            plain: (path.is_some() || image.is_some()) && stage.patches.is_empty(),
            from: if download.is_some() { "download" } else { "fetch" },
            path,
            git,
            download,
            image,
            login: stage.login().map(|login| LoginWords::new(login, &stage.origin, site)),
            scripts,
            patches: patches.collect(),
            install: Install::new(&stage.install),
        }
    }
}
