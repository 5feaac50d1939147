//! What installations are given in templates: packages, the subscription that they need, and repositories to add.

use super::context::rows;
use crate::compiler::plan::{Gone, PackageInstall, RepositoryFile, SigningKey, Subscription};
use crate::knowledge::profile::PackageManager;
use serde::Serialize;

/// Context of `install`: one flag for the package manager, and options and packages in rows of a readable width.
#[derive(Serialize)]
pub(super) struct Install {
    apt: bool,
    dnf: bool,
    microdnf: bool,
    tdnf: bool,
    yum: bool,
    zypper: bool,
    words: Vec<Vec<String>>,
    /// Nothing fits behind the last row.
    full_row: bool,
    /// The options alone, for installations of something else.
    options: Vec<String>,
    /// The ids of the secrets that are to be mounted.
    secrets: Vec<Vec<String>>,
    rhsm: Option<Rhsm>,
    certs: Option<Certs>,
    /// What is said where it fails, in rows.
    hints: Vec<String>,
    /// The image uses the site's mirrors while this is installed, and not afterwards.
    pub(super) mirrored: bool,
}

#[derive(Serialize)]
struct Rhsm {
    org: String,
    key: String,
    repositories: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct Certs {
    certificate: String,
    key: String,
}

impl Install {
    pub fn new(install: &PackageInstall) -> Self {
        Self::from_column(install, if install.manager == PackageManager::Apt { 66 } else { 60 })
    }

    /// As [`Install::new`], where the words begin at another column.
    pub fn from_column(install: &PackageInstall, start: usize) -> Self {
        use PackageManager::{Apt, Dnf, Microdnf, Tdnf, Yum, Zypper};
        let subscription = install.subscription.as_ref().filter(|_| !install.packages.is_empty());
        let words = words(install, start);
        let indent = if words.len() > 1 { 12 } else { start };
        let last_row = words.last().map_or(0, |row| row.iter().map(|word| word.len() + 1).sum());
        let mut context = Self {
            apt: install.manager == Apt,
            dnf: install.manager == Dnf,
            microdnf: install.manager == Microdnf,
            tdnf: install.manager == Tdnf,
            yum: install.manager == Yum,
            zypper: install.manager == Zypper,
            full_row: indent + last_row > 80,
            words,
            options: install.options.iter().map(|option| option.as_str().to_owned()).collect(),
            secrets: Vec::new(),
            rhsm: None,
            certs: None,
            mirrored: false,
            hints: hints(install, subscription),
        };
        match subscription {
            Some(Subscription::Rhsm { org, key, repositories }) => {
                let (org, key) = (org.to_string(), key.to_string());
                context.secrets = mounts(&org, &key);
                let options = repositories.iter().map(ToString::to_string);
                let repositories = rows(options, |id| id.len() + 1, 8);
                context.rhsm = Some(Rhsm { org, key, repositories });
            }
            Some(Subscription::Certs { certificate, key }) => {
                let (certificate, key) = (certificate.to_string(), key.to_string());
                context.secrets = mounts(&certificate, &key);
                context.certs = Some(Certs { certificate, key });
            }
            Some(Subscription::Host) | None => {}
        }
        context
    }
}

/// What is wrong most often where packages are missing, in rows that leave room for what stands around them.
fn hints(install: &PackageInstall, subscription: Option<&Subscription>) -> Vec<String> {
    let of_host = subscription == Some(&Subscription::Host)
        && install.options.iter().any(|option| option.as_str().starts_with("--enablerepo="));
    let text = match &install.of_kernel {
        Some(Gone(Some(place))) if of_host => format!("drvc: host subscribed? kernel gone? {place}"),
        _ if of_host => "drvc: is the host subscribed? (entitlement \"host\")".to_owned(),
        Some(_) if install.packages.is_empty() => return Vec::new(),
        Some(Gone(place)) => {
            let place = place.as_ref().map(|place| format!("; {place}")).unwrap_or_default();
            format!("drvc: packages of the kernel are missing: change kernel, or repository{place}")
        }
        None => return Vec::new(),
    };
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.len() + word.len() < 72 => row.extend([" ", word]),
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}

fn mounts(first: &str, second: &str) -> Vec<Vec<String>> {
    rows([first, second].map(str::to_owned).into_iter(), |id| id.len() + " --mount=type=secret,id=".len(), 3)
}

/// Options and packages in rows; none where there is nothing to install. The first row stands behind the command.
fn words(install: &PackageInstall, start: usize) -> Vec<Vec<String>> {
    if install.packages.is_empty() {
        return Vec::new();
    }
    let words =
        options(install).into_iter().chain(install.packages.iter().map(|name| name.as_str().to_owned()));
    rows(words, |word| word.len() + 1, start)
}

/// The options; dnf takes one list of repositories.
fn options(install: &PackageInstall) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for option in install.options.iter().map(|option| option.as_str().to_owned()) {
        let id = option.strip_prefix("--enablerepo=").filter(|_| install.manager == PackageManager::Dnf);
        match (id, options.last_mut()) {
            (Some(id), Some(last)) if last.starts_with("--enablerepo=") && last.len() + id.len() < 84 => {
                *last = format!("{last},{id}")
            }
            _ => options.push(option),
        }
    }
    options
}

/// A package repository to add: the lines of a file, and a key to copy in first.
#[derive(Serialize)]
pub(super) struct Repository {
    file: String,
    lines: Vec<String>,
    key: Option<Key>,
}

#[derive(Serialize)]
struct Key {
    from: String,
    to: String,
}

impl Repository {
    pub fn all(repositories: &[RepositoryFile], manager: PackageManager) -> Vec<Self> {
        let numbered = repositories.iter().zip(1..);
        numbered.map(|(repository, n)| Self::new(repository, n, manager)).collect()
    }

    fn new(repository: &RepositoryFile, n: usize, manager: PackageManager) -> Self {
        let is_apt = manager == PackageManager::Apt;
        let key = match &repository.key {
            Some(SigningKey::File(file, _)) => {
                let end = if file.as_str().ends_with(".gpg") { "gpg" } else { "asc" };
                let to = match is_apt {
                    true => format!("/usr/share/keyrings/drvc-{n}.{end}"),
                    false => format!("/etc/pki/rpm-gpg/drvc-{n}.{end}"),
                };
                Some(Key { from: file.to_string(), to })
            }
            _ => None,
        };
        let signer = match (&repository.key, &key) {
            (Some(SigningKey::Builder(path)), _) => Some(path.as_str()),
            (_, key) => key.as_ref().map(|key| key.to.as_str()),
        };
        let url = &repository.url;
        let (file, lines) = if is_apt {
            let signer = signer.map(|path| format!("[signed-by={path}] ")).unwrap_or_default();
            let suite = repository.suite.as_ref().map_or("", |suite| suite.as_str());
            let components: Vec<_> = repository.components.iter().map(AsRef::as_ref).collect();
            let line = format!("deb {signer}{url} {suite} {}", components.join(" "));
            (format!("/etc/apt/sources.list.d/drvc-{n}.list"), vec![line])
        } else {
            let mut lines = vec![
                format!("[drvc-{n}]"),
                format!("name=drvc-{n}"),
                format!("baseurl={url}"),
                "gpgcheck=1".to_owned(),
            ];
            lines.extend(signer.map(|path| format!("gpgkey=file://{path}")));
            let directory = if manager == PackageManager::Zypper { "zypp/repos.d" } else { "yum.repos.d" };
            (format!("/etc/{directory}/drvc-{n}.repo"), lines)
        };
        Self { file, lines, key }
    }
}
