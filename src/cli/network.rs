//! From options and the user's settings to the client that every request goes through.

use super::Failure;
use super::project::Project;
use super::terminal::Terminal;
use crate::compiler::known::site;
use crate::language::kdl;
use crate::system::fs::{Reader, read_user_file};
use crate::system::http::{Client, Identity, Options, Policy, Site};
use crate::system::process::Environment;
use crate::text::diag::Report;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use crate::text::source::Sources;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use std::time::Duration;

/// What the user's settings may have, in bytes.
const LIMIT: u64 = 1 << 20;

/// Options of every command that asks servers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network options")]
pub(super) struct Network {
    /// Allow a host on this machine or in a private network, or one given as an address in digits
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub(super) allow_host: Vec<String>,
    /// Allow a host as `--allow-host` does, and plain http to it
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub(super) allow_http: Vec<String>,
    /// How long a server may stay silent
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
    /// The certificate of a subscription, as PEM, for package repositories that ask for one
    #[arg(long, value_name = "FILE", requires = "client_key", value_hint = clap::ValueHint::FilePath)]
    client_cert: Option<Utf8PathBuf>,
    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "client_cert", value_hint = clap::ValueHint::FilePath)]
    client_key: Option<Utf8PathBuf>,
    /// The authorities that package repositories are trusted by, as PEM, in place of the machine's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    repository_ca: Option<Utf8PathBuf>,
}

impl Network {
    /// The client, for the user of this environment: allowed are the hosts of the options and of the settings,
    /// `drvc/config.kdl` in `XDG_CONFIG_HOME` or `.config` in `HOME`.
    pub(super) fn client(&self, terminal: &Terminal) -> Result<Client, Failure> {
        let environment = Environment::of_this_process();
        let mut policy = settings(&environment, terminal)?;
        policy.hosts.extend(self.allow_host.iter().cloned());
        policy.http.extend(self.allow_http.iter().cloned());
        let options =
            Options { policy, timeout: Duration::from_secs(self.timeout), ..Options::new(environment) };
        Ok(Client::new(options))
    }

    /// The client of a project: with the mirrors and the authorities of its manifest.
    pub(super) fn client_of(&self, project: &Project, terminal: &Terminal) -> Result<Client, Failure> {
        let client = self.client(terminal)?;
        let Ok(disk) = project.open() else { return Ok(client) };
        let (mirrors, authorities) = site(&Reader::new(&disk), &project.asking(RelPath::root(), 0));
        Ok(client.at_site(Site { mirrors, authorities })?)
    }

    /// The same client as package repositories see it: with the certificate of the subscription.
    pub(super) fn for_repositories(&self, client: &Client) -> Result<Client, Error> {
        let read = |path: &Utf8PathBuf| {
            let bytes =
                read_user_file(path, LIMIT).map_err(|cause| Error::new("read", path.as_str(), cause))?;
            bytes.ok_or_else(|| Error::new("read", path.as_str(), "no such file"))
        };
        let certificate = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        let authorities = self.repository_ca.as_ref().map(read).transpose()?;
        if certificate.is_none() && authorities.is_none() {
            return Ok(client.clone());
        }
        client.with_identity(&Identity { certificate, authorities })
    }

    /// Whether repositories that ask for a subscription can be asked.
    pub(super) const fn has_subscription(&self) -> bool {
        self.client_cert.is_some()
    }
}

/// The hosts that the user's settings allow: `allow-host "HOST"…` and `allow-http "HOST"…`.
fn settings(environment: &Environment, terminal: &Terminal) -> Result<Policy, Failure> {
    let mut policy = Policy::default();
    let home = match environment.get("XDG_CONFIG_HOME") {
        Some(home) => Some(Utf8PathBuf::from(home)),
        None => environment.get("HOME").map(|home| Utf8Path::new(home).join(".config")),
    };
    let Some(path) = home.map(|home| home.join("drvc/config.kdl")) else { return Ok(policy) };
    let read = |cause: &str| Error::new("read", path.as_str(), cause.to_owned());
    let bytes = read_user_file(&path, LIMIT).map_err(|cause| Error::new("read", path.as_str(), cause))?;
    let Some(bytes) = bytes else { return Ok(policy) };
    let text = String::from_utf8(bytes).map_err(|_| read("it is not UTF-8 text"))?;
    let mut sources = Sources::default();
    let file = sources.add(path.clone(), text);
    let (nodes, diagnostics) = kdl::parse(file, &sources.get(file).text);
    if diagnostics.has_errors() {
        terminal.diagnostics(&Report::new(&sources, diagnostics, Utf8Path::new("")));
        return Err(Failure::Refused);
    }
    for node in nodes {
        let allowed = match node.name.value.as_str() {
            "allow-host" => &mut policy.hosts,
            "allow-http" => &mut policy.http,
            other => {
                return Err(read(&format!("there is no setting `{other}`"))
                    .help("there are `allow-host` and `allow-http`")
                    .into());
            }
        };
        for text in node.texts() {
            allowed.insert(host(&text.value).map_err(|rule| read(&rule))?);
        }
    }
    Ok(policy)
}

/// A host's name, or its address in digits.
fn host(text: &str) -> Result<String, String> {
    let host = text.to_ascii_lowercase();
    let known = crate::system::http::Url::on(crate::system::http::Scheme::Https, &host).is_some()
        && !host.contains(':');
    if known {
        Ok(host)
    } else {
        Err(format!("`{text}` is not a host: write its name, without scheme and port"))
    }
}
