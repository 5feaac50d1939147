//! Podman's and Docker's credential files and helpers -> who the user is to a registry.
//!
//! Looked into in this order, as podman does: `REGISTRY_AUTH_FILE`; `containers/auth.json` in `XDG_RUNTIME_DIR`, in
//! `/run/containers/UID`, and in `XDG_CONFIG_HOME` or `.config` in `HOME`; Docker's `config.json` in `DOCKER_CONFIG`
//! or `.docker` in `HOME` (containers-auth.json(5)). In a file the entry of the longest path counts:
//! `quay.io/org/repo`, `quay.io/org`, `quay.io`; then its helpers.

use crate::system::fs::read_user_file;
use crate::system::process::{Environment, Interrupt, Program};
use crate::text::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What a credential file may have, in bytes.
const LIMIT: u64 = 4 << 20;
/// How long a helper may take: it may ask a server of its own.
const HELPER: Duration = Duration::from_secs(60);
/// Docker Hub's name in credential files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Who the user is to a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Name and password.
    Password(String, String),
    /// A token that buys tokens.
    Identity(String),
}

/// Secrets are shown to nobody.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// The user's credential files.
#[derive(Clone, Debug)]
pub struct Credentials {
    environment: Environment,
    interrupt: Interrupt,
    files: Vec<Utf8PathBuf>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl Credentials {
    /// Of an environment.
    #[must_use]
    pub fn new(environment: &Environment, interrupt: &Interrupt) -> Self {
        let below = |name: &str, path: &str| environment.get(name).map(|dir| Utf8Path::new(dir).join(path));
        let files = match environment.get("REGISTRY_AUTH_FILE") {
            Some(file) => vec![file.into()],
            None => [
                below("XDG_RUNTIME_DIR", "containers/auth.json"),
                Some(format!("/run/containers/{}/auth.json", rustix::process::getuid().as_raw()).into()),
                below("XDG_CONFIG_HOME", "containers/auth.json")
                    .or_else(|| below("HOME", ".config/containers/auth.json")),
                below("DOCKER_CONFIG", "config.json").or_else(|| below("HOME", ".docker/config.json")),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        Self { environment: environment.clone(), interrupt: interrupt.clone(), files }
    }

    /// Who the user is to the registry `host[:port]`, for `path` on it; nobody, if no file says.
    ///
    /// # Errors
    /// A file cannot be read or understood, or a helper fails. No error holds anything of a credential.
    pub fn find(&self, host: &str, path: &str) -> Result<Option<Credential>, Error> {
        for file in &self.files {
            let bytes =
                read_user_file(file, LIMIT).map_err(|cause| Error::new("read", file.as_str(), cause))?;
            let Some(bytes) = bytes else { continue };
            // What the parser says may quote the text.
            let parsed: File = serde_json::from_slice(&bytes).map_err(|_| {
                Error::new("read", file.as_str(), "it is not a credential file")
                    .help("it must be JSON with `auths`, as `podman login` and `docker login` write it")
            })?;
            if let Some(found) = self.in_file(file, &parsed, host, path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn in_file(
        &self,
        place: &Utf8Path,
        file: &File,
        host: &str,
        path: &str,
    ) -> Result<Option<Credential>, Error> {
        let hub = matches!(host, "docker.io" | "registry-1.docker.io" | "index.docker.io");
        let names = if hub { vec!["docker.io", DOCKER_HUB] } else { vec![host] };
        for name in &names {
            if let Some(helper) = file.helpers.get(*name) {
                return self.ask(helper, name).map(Some);
            }
        }
        for name in names.iter().flat_map(|name| namespaces(name, path)) {
            let entry = file.auths.iter().find(|(key, _)| bare(key) == bare(&name));
            if let Some(credential) = entry.and_then(|(_, auth)| auth.credential()) {
                return credential
                    .map(Some)
                    .map_err(|cause| Error::new("read", place.as_str(), format!("`{name}`: {cause}")));
            }
        }
        match &file.store {
            // A store is asked for what the file lists without a secret: `docker login` leaves such an entry.
            Some(store) if file.auths.keys().any(|key| names.iter().any(|name| bare(key) == bare(name))) => {
                let server = if hub { DOCKER_HUB } else { host };
                self.ask(store, server).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Asks a helper program: `docker-credential-NAME get`, with the server on its standard input.
    fn ask(&self, helper: &str, server: &str) -> Result<Credential, Error> {
        let name = format!("docker-credential-{helper}");
        let fail = |cause: &str| {
            Err(Error::new("get credentials from", name.clone(), format!("{cause} for `{server}`"))
                .help("log in to the registry again"))
        };
        if !helper.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return fail("that is not the name of a helper");
        }
        let program = Program::new(&name, &self.environment).inherit(&self.environment, &["*"]);
        let finished = program
            .arg("get")
            .input(server)
            .timeout(HELPER)
            .limit(64 << 10)
            .interrupt(&self.interrupt)
            .output()?;
        if !finished.is_success() {
            return fail("the helper has none");
        }
        match serde_json::from_slice::<Helped>(&finished.stdout) {
            Ok(Helped { username, secret }) if username == "<token>" => Ok(Credential::Identity(secret)),
            Ok(Helped { username, secret }) => Ok(Credential::Password(username, secret)),
            Err(_) => fail("the helper's answer is not understood"),
        }
    }
}

impl Auth {
    /// Nothing for an entry that holds no secret itself.
    fn credential(&self) -> Option<Result<Credential, &'static str>> {
        if !self.identitytoken.is_empty() {
            return Some(Ok(Credential::Identity(self.identitytoken.clone())));
        }
        if !self.username.is_empty() {
            return Some(Ok(Credential::Password(self.username.clone(), self.password.clone())));
        }
        if self.auth.is_empty() {
            return None;
        }
        let bytes = STANDARD.decode(&self.auth).or_else(|_| STANDARD_NO_PAD.decode(&self.auth)).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| text.split_once(':'));
        let credential =
            parts.map(|(name, word)| Credential::Password(name.into(), word.trim_end_matches('\0').into()));
        Some(credential.ok_or("its `auth` is not `name:password` in base64"))
    }
}

/// A registry's name as old files write it, with scheme and version, is the same registry.
fn bare(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let rest = rest.trim_end_matches('/');
    rest.strip_suffix("/v1").or_else(|| rest.strip_suffix("/v2")).unwrap_or(rest)
}

/// `host/a/b`, `host/a`, `host`.
fn namespaces(host: &str, path: &str) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        names.push(format!("{}/{part}", names.last().map_or(host, String::as_str)));
    }
    names.reverse();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(home: &tempfile::TempDir, name: &str, text: &str) -> String {
        let home = home.path().to_str().unwrap();
        crate::system::fs::Dir::open_root(home).unwrap().replace(name, text.as_bytes()).unwrap();
        format!("{home}/{name}")
    }

    fn find(json: &str, host: &str, path: &str) -> Result<Option<Credential>, Error> {
        let home = tempfile::tempdir().unwrap();
        let file = put(&home, "auth.json", json);
        let environment = Environment::of(&[("REGISTRY_AUTH_FILE", &file)]);
        Credentials::new(&environment, &Interrupt::default()).find(host, path)
    }

    fn password(name: &str, word: &str) -> Credential {
        Credential::Password(name.into(), word.into())
    }

    #[test]
    fn the_longest_path_counts() {
        // user:word and other:word in base64
        let json = r#"{"auths": {
            "quay.io": {"auth": "dXNlcjp3b3Jk"},
            "quay.io/org": {"auth": "b3RoZXI6d29yZA=="},
            "https://index.docker.io/v1/": {"username": "a", "password": "b"},
            "registry.example:5000": {"identitytoken": "t"},
            "broken.example": {"auth": "?"}
        }}"#;
        for (host, path, expected) in [
            ("quay.io", "other/image", Some(password("user", "word"))),
            ("quay.io", "org/image", Some(password("other", "word"))),
            ("docker.io", "library/debian", Some(password("a", "b"))),
            ("registry.example:5000", "x", Some(Credential::Identity("t".into()))),
            ("registry.example", "x", None),
        ] {
            assert_eq!(find(json, host, path).unwrap(), expected, "{host}/{path}");
        }
        let error = find(json, "broken.example", "x").unwrap_err().to_string();
        assert!(error.contains("broken.example") && error.contains("base64"), "{error}");
        assert!(find("dXNlcjp3b3Jk", "x", "y").unwrap_err().to_string().contains("not a credential file"));
    }

    #[test]
    fn helpers_are_run() {
        let home = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\nread -r server || :\n[ \"$server\" = a.example ] || exit 1\n\
                      echo '{\"Username\": \"me\", \"Secret\": \"word\"}'\n";
        let helper = put(&home, "docker-credential-test", script);
        rustix::fs::chmod(&helper, rustix::fs::Mode::from_raw_mode(0o755)).unwrap();
        let json = r#"{"credHelpers": {"a.example": "test", "b.example": "test"}}"#;
        let file = put(&home, "auth.json", json);
        let path = format!("{}:/usr/bin:/bin", home.path().display());
        let environment = Environment::of(&[("REGISTRY_AUTH_FILE", &file), ("PATH", &path)]);
        let credentials = Credentials::new(&environment, &Interrupt::default());
        assert_eq!(credentials.find("a.example", "x").unwrap(), Some(password("me", "word")));
        assert!(credentials.find("b.example", "x").is_err());
        assert_eq!(credentials.find("c.example", "x").unwrap(), None);
    }
}
