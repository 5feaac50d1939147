//! The user's network settings -> a client: connections that are kept, counted, and bounded in time.

use super::cache::Cache;
use super::policy::{Guarded, Policy};
use super::proxy::Proxies;
use super::url::Url;
use crate::system::process::{Environment, Interrupt};
use crate::text::error::Error;
use crate::text::mirrors::Mirrors;
use camino::Utf8PathBuf;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, AsSendBody, http};

/// The longest time that a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(15);
/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest time for one request and its answer.
const WHOLE: Duration = Duration::from_secs(1800);

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// For proxies and credentials.
    pub environment: Environment,
    /// Where it may go.
    pub policy: Policy,
    /// Where answers are kept; nowhere, if there is no such directory.
    pub cache: Option<Utf8PathBuf>,
    /// How long a server may stay silent.
    pub timeout: Duration,
    /// The longest time for one request and its answer.
    pub whole: Duration,
    /// The first pause before a request is sent again; it doubles.
    pub backoff: Duration,
    /// What ends the waiting.
    pub interrupt: Interrupt,
}

impl Options {
    /// Of an environment: public hosts only, 30 seconds of silence, answers kept in the user's cache directory
    /// (`XDG_CACHE_HOME`, or `.cache` in `HOME`).
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        let cache = match environment.get("XDG_CACHE_HOME") {
            Some(home) if home.starts_with('/') => Some(Utf8PathBuf::from(home).join("drvc")),
            _ => environment.get("HOME").map(|home| Utf8PathBuf::from(home).join(".cache/drvc")),
        };
        Self {
            environment,
            policy: Policy::default(),
            cache,
            timeout: SILENCE,
            whole: WHOLE,
            backoff: Duration::from_millis(500),
            interrupt: Interrupt::default(),
        }
    }
}

/// Who the client is to a server, and whom it trusts, beyond the machine's own settings.
#[derive(Clone, Default)]
pub struct Identity {
    /// The client's certificate with what signed it, and its key, as PEM.
    pub certificate: Option<(Vec<u8>, Vec<u8>)>,
    /// The authorities that alone are trusted, as PEM; without them those of the machine.
    pub authorities: Option<Vec<u8>>,
}

/// The key is nobody's business.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// How much was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests that were sent, those sent again among them.
    pub requests: u64,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
    /// Answers that the cache had.
    pub cached: u64,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    cached: AtomicU64,
}

/// Sends requests. Cloning it is cheap; clones share connections, cache and counts.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    policy: Arc<Policy>,
    proxies: Arc<Proxies>,
    cache: Arc<Cache>,
    counters: Arc<Counters>,
    options: Arc<Options>,
    roots: RootCerts,
    site: Arc<Site>,
}

/// What a site has in place of the internet.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Where images, packages, repositories and files are.
    pub mirrors: Mirrors,
    /// Authorities that are trusted beside those of the machine, as PEM.
    pub authorities: Option<Vec<u8>>,
}

impl Client {
    /// A client. Nothing is sent before the first request.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let policy = Arc::new(options.policy.clone());
        let roots = RootCerts::PlatformVerifier;
        Self {
            agent: agent(&options, &policy, TlsConfig::builder().root_certs(roots.clone()).build()),
            roots,
            site: Arc::default(),
            policy,
            proxies: Arc::new(Proxies::of(&options.environment)),
            cache: Arc::new(Cache::new(options.cache.clone())),
            counters: Arc::default(),
            options: Arc::new(options),
        }
    }

    /// The same client at a site with mirrors and authorities of its own.
    ///
    /// # Errors
    /// The authorities are not PEM.
    pub fn at_site(self, site: Site) -> Result<Self, Error> {
        let roots = match &site.authorities {
            Some(pem) => {
                let own = certificates(pem)?;
                let machine = rustls_native_certs::load_native_certs().certs;
                let machine = machine.iter().map(|one| Certificate::from_der(one).to_owned());
                RootCerts::new_with_certs(&machine.chain(own).collect::<Vec<_>>())
            }
            None => self.roots.clone(),
        };
        let tls = TlsConfig::builder().root_certs(roots.clone()).build();
        let agent = agent(&self.options, &self.policy, tls);
        Ok(Self { agent, roots, site: Arc::new(site), ..self })
    }

    /// The site's mirrors and authorities.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The same client with an identity of its own; cache and counts are shared.
    ///
    /// # Errors
    /// The certificates or the key are not PEM; the error names none of their content.
    pub fn with_identity(&self, identity: &Identity) -> Result<Self, Error> {
        let roots = match &identity.authorities {
            Some(pem) => RootCerts::new_with_certs(&certificates(pem)?),
            None => self.roots.clone(),
        };
        let mut tls = TlsConfig::builder().root_certs(roots);
        if let Some((chain, key)) = &identity.certificate {
            let key = PrivateKey::from_pem(key)
                .map_err(|_| Error::new("read", "the client key", "it holds no private key in PEM form"))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&certificates(chain)?, key)));
        }
        Ok(Self { agent: agent(&self.options, &self.policy, tls.build()), ..self.clone() })
    }

    /// How much was asked for so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let Counters { requests, bytes, cached } = &*self.counters;
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics { requests: value(requests), bytes: value(bytes), cached: value(cached) }
    }

    /// Where it may go.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The user's environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.options.environment
    }

    /// What is kept between runs.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What ends the waiting.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.options.interrupt
    }

    /// How long a server may stay silent.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.options.timeout
    }

    pub(super) fn backoff(&self) -> Duration {
        self.options.backoff
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.options.interrupt.signal().is_some()
    }

    /// Waits, unless drvc is to stop.
    pub(super) fn pause(&self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time && !self.is_interrupted() {
            thread::sleep(Duration::from_millis(20).min(time));
        }
    }

    /// Counts a request that another program sends.
    pub fn count_request(&self) {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_cached(&self) {
        self.counters.cached.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn run<B: AsSendBody>(
        &self,
        url: &Url,
        request: http::Request<B>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.agent.configure_request(request).proxy(self.proxies.for_url(url)).build();
        self.agent.run(request)
    }
}

fn agent(options: &Options, policy: &Arc<Policy>, tls: TlsConfig) -> Agent {
    let silence = Some(options.timeout);
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("drvc/", env!("CARGO_PKG_VERSION")))
        .proxy(None)
        .tls_config(tls)
        .timeout_global(Some(options.whole))
        .timeout_connect(Some(CONNECT.min(options.timeout)))
        .timeout_resolve(silence)
        .timeout_recv_response(silence)
        .timeout_per_read(silence)
        .timeout_per_write(silence)
        .max_idle_connections_per_host(8)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Guarded::new(Arc::clone(policy)))
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, Error> {
    let items = parse_pem(pem).filter_map(Result::ok);
    let found: Vec<_> = items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Error::new("read", "the certificates", "there is no certificate in PEM form in them"));
    }
    Ok(found)
}
