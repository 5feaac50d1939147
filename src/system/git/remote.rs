//! A repository's address and the name of a branch or tag -> the commit that it is now, by the `git` program.
//!
//! Nothing is cloned. The words and the environment of the call are fixed: only the schemes that are allowed, no
//! questions, no system-wide settings, an empty directory to run in. The user's own settings count, since ssh keys and
//! credential helpers are found by them.

use crate::system::process::{Ended, Environment, Finished, Interrupt, Program};
use crate::text::error::Error;
use crate::text::ids::{Commit, GitUrl};
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

/// What a call of git is made of.
#[derive(Clone, Debug)]
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
        let finished = self.program(url, reference).directory(directory).output()?;
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

    fn program(&self, url: &GitUrl, reference: &str) -> Program {
        let schemes: &[&str] = if self.plain { &["https", "ssh", "http", "git"] } else { &["https", "ssh"] };
        let ssh = self.environment.get("GIT_SSH_COMMAND").unwrap_or("ssh");
        let allowed =
            schemes.iter().flat_map(|scheme| ["-c".to_owned(), format!("protocol.{scheme}.allow=always")]);
        Program::new("git", self.environment)
            .inherit(self.environment, INHERITED)
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
            .args(["ls-remote", "--exit-code", "--quiet", "--", url.as_str(), reference])
            .arg(format!("{reference}^{{}}"))
            .timeout(self.timeout)
            .interrupt(self.interrupt)
    }
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
            if said.contains("could not read Username") || said.contains("Authentication failed") =>
        {
            (
                said,
                "credentials are needed: set up a credential helper or ssh, so that `git ls-remote` works unasked",
            )
        }
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
