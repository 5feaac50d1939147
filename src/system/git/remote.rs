//! A repository's address and the name of a branch or tag -> the commit that it is now, by the `git` program.
//!
//! Nothing is cloned. The words and the environment of the call are fixed: only the schemes that are allowed, no
//! questions, no system-wide settings, an empty directory to run in. The user's own settings count, since ssh keys and
//! credential helpers are found by them.

use crate::system::fs::read_user_file;
use crate::system::process::{Ended, Environment, Finished, Interrupt, Program};
use crate::text::error::Error;
use crate::text::ids::{Commit, GitUrl};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write as _;
use std::time::Duration;

/// What of the user's environment git needs to find settings, keys, agents and proxies.
const INHERITED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_*",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_ASKPASS",
    "GIT_CONFIG_*",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// What a file of certificates may have, in bytes.
const AUTHORITIES: u64 = 8 << 20;

/// Variables of a call, by which its credential helper has a token.
const TOKEN: &str = "DRVC_GIT_TOKEN";
const USER: &str = "DRVC_GIT_USER";

/// How a server is logged in to, in place of the user's own settings.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// By ssh, with a deploy key, at the server that has the host key.
    Key { secret: &'a [u8], host_key: &'a str },
    /// By https.
    Token { secret: &'a [u8], user: Option<&'a str> },
}

/// What a call of git is made of.
#[derive(Clone)]
pub struct Remote<'a> {
    /// The user's environment.
    pub environment: &'a Environment,
    /// Whether the user allows unencrypted schemes: git settings may lead on from the address to one by `http` or git's
    /// own protocol.
    pub plain: bool,
    /// How long a server may take.
    pub timeout: Duration,
    /// What ends the call.
    pub interrupt: &'a Interrupt,
    /// How to log in; without them by the user's settings.
    pub credentials: Option<Credentials<'a>>,
    /// Authorities to trust beside those that git trusts by itself, as PEM.
    pub authorities: Option<&'a [u8]>,
}

impl Remote<'_> {
    /// The commit that `reference`, a full name such as `refs/heads/main`, is now; an annotated tag's commit, not the
    /// tag itself. Nothing, where the repository has no such ref.
    ///
    /// # Errors
    /// The repository cannot be asked, or answers with something else.
    pub fn commit(&self, url: &GitUrl, reference: &str) -> Result<Option<Commit>, Error> {
        let home = tempfile::tempdir().map_err(|cause| Error::new("make", "a temporary directory", cause))?;
        let directory = camino::Utf8Path::from_path(home.path());
        let directory =
            directory.ok_or_else(|| Error::new("use", "the temporary directory", "its path is not UTF-8"))?;
        let finished = self.program(url, reference, directory)?.directory(directory).output()?;
        let said = match finished.ended {
            Ended::Code(0) => String::from_utf8_lossy(&finished.stdout).into_owned(),
            // With --exit-code: the repository was asked and has no such ref.
            Ended::Code(2) => return Ok(None),
            _ => return Err(failure(url, &finished, self.timeout)),
        };
        find(&said, reference).map_err(|cause| {
            Error::new("ask", url.as_str(), format!("git's answer for `{reference}` {cause}"))
        })
    }

    /// Those of the site, and those that git would have trusted: git reads one file, which takes the place of the machine's.
    fn all_authorities(&self, site: &[u8]) -> Vec<u8> {
        let own = self.environment.get("GIT_SSL_CAINFO").map(Utf8Path::new);
        let own = own.and_then(|path| read_user_file(path, AUTHORITIES).ok().flatten());
        let mut all = own.unwrap_or_else(|| {
            let machine = rustls_native_certs::load_native_certs().certs;
            let pem = |der: &[u8]| {
                let text = STANDARD.encode(der);
                let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
                format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
            };
            machine.iter().map(|one| pem(one)).collect::<String>().into_bytes()
        });
        all.push(b'\n');
        all.extend_from_slice(site);
        all
    }

    fn program(&self, url: &GitUrl, reference: &str, home: &Utf8Path) -> Result<Program, Error> {
        let schemes: &[&str] = if self.plain { &["https", "ssh", "http", "git"] } else { &["https", "ssh"] };
        let mut ssh = self.environment.get("GIT_SSH_COMMAND").unwrap_or("ssh").to_owned();
        let mut program = Program::new("git", self.environment).inherit(self.environment, INHERITED);
        let allowed =
            schemes.iter().flat_map(|scheme| ["-c".to_owned(), format!("protocol.{scheme}.allow=always")]);
        let mut helper = Vec::new();
        match self.credentials {
            None => {}
            Some(Credentials::Key { secret, host_key }) => {
                ssh = format!("ssh{}", key_options(url, secret, host_key, home)?);
            }
            // Words of a program are seen by everybody on this machine, its environment by its user alone.
            Some(Credentials::Token { secret, user }) => {
                let token = String::from_utf8_lossy(secret).replace(['\r', '\n'], "");
                program = program.env(TOKEN, &token).env(USER, user.unwrap_or("x-access-token"));
                let answer =
                    format!(r#"!f() {{ printf 'username=%s\npassword=%s\n' "${USER}" "${TOKEN}"; }}; f"#);
                let word = format!("credential.{}.helper={answer}", url.server());
                helper = vec!["-c".to_owned(), "credential.helper=".to_owned(), "-c".to_owned(), word];
            }
        }
        if let Some(authorities) = self.authorities {
            let file = write(home, "authorities", &self.all_authorities(authorities))?;
            program = program.env("GIT_SSL_CAINFO", file.as_str());
        }
        let program = program
            .env("GIT_ALLOW_PROTOCOL", &schemes.join(":"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_SSH_COMMAND", &format!("{ssh} -oBatchMode=yes"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .args(["-c", "protocol.allow=never"])
            .args(allowed)
            .args(["-c", "core.fsmonitor=false", "-c", "credential.interactive=false"])
            .args(["-c", "http.followRedirects=false"])
            .args(helper)
            .args(["ls-remote", "--exit-code", "--quiet", "--", url.as_str(), reference])
            .arg(format!("{reference}^{{}}"))
            .timeout(self.timeout)
            .interrupt(self.interrupt);
        Ok(program)
    }
}

/// A file that nobody else reads, in a directory that goes with the call.
fn write(home: &Utf8Path, name: &str, bytes: &[u8]) -> Result<Utf8PathBuf, Error> {
    let path = home.join(name);
    let written = tempfile::Builder::new().prefix(name).tempfile_in(home).and_then(|mut file| {
        file.write_all(bytes)?;
        file.persist_noclobber(&path).map_err(|error| error.error)
    });
    written.map(|_| path.clone()).map_err(|cause| Error::new("write", path.as_str(), cause))
}

/// The options by which ssh takes this key and this server, and neither any other. The key is in a file that nobody else
/// reads, and is gone with the directory.
fn key_options(url: &GitUrl, secret: &[u8], host_key: &str, home: &Utf8Path) -> Result<String, Error> {
    // One out of a variable may lack its last line feed, without which it is no key.
    let mut key = String::from_utf8_lossy(secret).replace('\r', "");
    key.push('\n');
    let key = write(home, "key", key.as_bytes())?;
    let hosts = write(home, "hosts", format!("{} {host_key}\n", url.server()).as_bytes())?;
    Ok(format!(
        " -F none -i '{key}' -oIdentitiesOnly=yes -oIdentityAgent=none -oStrictHostKeyChecking=yes \
         -oUserKnownHostsFile='{hosts}' -oGlobalKnownHostsFile=/dev/null"
    ))
}

/// The commit of a ref in what `git ls-remote` prints: that of `NAME^{}`, which an annotated tag has, or of `NAME`.
fn find(said: &str, reference: &str) -> Result<Option<Commit>, &'static str> {
    let peeled = format!("{reference}^{{}}");
    let of = |name: &str| {
        let mut found = said.lines().filter_map(|line| line.split_once('\t')).filter(|(_, at)| *at == name);
        match (found.next(), found.next()) {
            (Some((commit, _)), None) => Commit::parse(commit).map(Some).map_err(|_| "is not a commit"),
            (Some(_), Some(_)) => Err("names it twice"),
            (None, _) => Ok(None),
        }
    };
    Ok(of(&peeled)?.or(of(reference)?))
}

fn failure(url: &GitUrl, finished: &Finished, timeout: Duration) -> Error {
    let said = String::from_utf8_lossy(&finished.stderr).trim().replace('\n', "; ");
    let (cause, help) = match finished.ended {
        Ended::TimedOut => (
            format!("no answer in {} seconds", timeout.as_secs()),
            "try again later, or give it longer with `--timeout SECONDS`",
        ),
        Ended::TooMuch => ("it answers with too much".to_owned(), "check the address"),
        Ended::Interrupted => ("interrupted".to_owned(), "run it again"),
        Ended::Code(_) if said.contains("301") || said.contains("302") || said.contains("redirect") => (
            said,
            "redirects are not followed: write the address that it leads to, often the same with `.git`",
        ),
        Ended::Code(_)
            if ["could not read Username", "unable to get password", "Authentication failed"]
                .iter()
                .any(|part| said.contains(part)) =>
        {
            (
                said,
                "credentials are needed: hand over the secret of the source with `--secret id=ID,src=FILE`, or set up a \
                 credential helper, so that `git ls-remote` works unasked",
            )
        }
        Ended::Code(_) if said.contains("Permission denied") => (
            said,
            "a key is needed: hand over the secret of the source with `--secret id=ID,src=FILE`, or set up ssh, so that \
             `git ls-remote` works unasked",
        ),
        Ended::Code(_) if said.contains("Host key verification failed") => (
            said,
            "the server has another key than `host-key`, or one that this machine does not know: ask its administrators",
        ),
        Ended::Code(_) => (said, "see whether `git ls-remote` with this address works"),
    };
    Error::new("ask", url.as_str(), cause).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_ref_is_meant() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let tag = "refs/tags/v1";
        for (said, expected) in [
            (format!("{a}\trefs/tags/v1\n"), Ok(Some(&a))),
            (format!("{a}\trefs/tags/v1\n{b}\trefs/tags/v1^{{}}\n"), Ok(Some(&b))),
            (format!("{a}\trefs/remotes/refs/tags/v1\n"), Ok(None)),
            (format!("{a}\trefs/tags/v1\n{b}\trefs/tags/v1\n"), Err("names it twice")),
            ("x\trefs/tags/v1\n".to_owned(), Err("is not a commit")),
        ] {
            let found = find(&said, tag);
            let found = found.map(|commit| commit.map(String::from));
            assert_eq!(found, expected.map(|commit: Option<&String>| commit.cloned()), "{said}");
        }
    }
}
