//! A host and its addresses -> whether drvc may speak to it: neither the manifest nor a server can send it inside.

use super::url::{Scheme, Url, is_literal, is_loopback};
use crate::text::error::Error;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

/// What the user allows beyond `https` to public hosts, by the hosts' names without port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Hosts that may lie on this machine or in a private network, or be given as an address in digits.
    pub hosts: BTreeSet<String>,
    /// Hosts that may also be spoken to in plain `http`. They are allowed as `hosts` are.
    pub http: BTreeSet<String>,
}

impl Policy {
    /// Whether the user named this host.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.hosts.contains(host) || self.http.contains(host)
    }

    /// Whether plain `http` may be spoken to a host: to one that is allowed so, or an allowed one on this machine.
    #[must_use]
    pub fn allows_http(&self, host: &str) -> bool {
        self.http.contains(host) || (is_loopback(host) && self.hosts.contains(host))
    }

    /// How a registry is spoken to: plainly where that is allowed, since a reference names no scheme.
    #[must_use]
    pub fn scheme_of(&self, host: &str) -> Scheme {
        if self.allows_http(host) { Scheme::Http } else { Scheme::Https }
    }

    /// Refuses an address before any packet is sent.
    pub(super) fn check(&self, doing: &'static str, url: &Url) -> Result<(), Error> {
        let host = url.host();
        if url.scheme() == Scheme::Http && !self.allows_http(host) {
            return Err(Error::new(doing, url.to_string(), "plain http can be read and changed on its way")
                .help(format!("use https, or allow it with `--allow-http {host}`")));
        }
        let inside = is_loopback(host) || is_literal(host);
        if inside && !self.names(host) {
            return Err(refusal(doing, url, "is this machine or an address in digits"));
        }
        Ok(())
    }

    /// Refuses a host for another program that goes there by itself, as `check` and the client's connections do. A
    /// name that cannot be looked up may be one that the program knows, such as an alias of ssh.
    ///
    /// # Errors
    /// It is not allowed; `place` is the address for the message.
    pub fn check_host(&self, doing: &'static str, place: &str, host: &str) -> Result<(), Error> {
        if self.names(host) {
            return Ok(());
        }
        let inside = is_loopback(host) || is_literal(host);
        let leads_inside = || {
            let mut found = (host, 443).to_socket_addrs().ok().into_iter().flatten();
            found.any(|address| !is_public(address.ip()))
        };
        if inside || leads_inside() {
            return Err(Error::new(
                doing,
                place,
                format!("`{host}` is on this machine or in a private network"),
            )
            .help(format!("if that is meant, allow it with `--allow-host {host}`")));
        }
        Ok(())
    }

    fn permits(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || self.names(host)
    }
}

fn refusal(doing: &'static str, url: &Url, what: &str) -> Error {
    let host = url.host();
    Error::new(doing, url.to_string(), format!("`{host}` {what}"))
        .help(format!("if that is meant, allow it with `--allow-host {host}`"))
}

/// The refusal of a host whose name leads to a private network.
pub(super) fn private(doing: &'static str, url: &Url) -> Error {
    refusal(doing, url, "is on this machine or in a private network")
}

/// Whether an address is one of the Internet's, by the registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let carrier = first == 100 && (64..128).contains(&second);
    let benchmark = first == 198 && (18..20).contains(&second);
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || carrier
        || benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast addresses are 2000::/3; NAT64's 64:ff9b::/96 leads to any address of version 4.
    let [first, ..] = address.segments();
    (0x2000..0x4000).contains(&first)
}

/// Resolves names, and gives back no address that the policy does not permit.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) policy: Arc<Policy>,
    inner: DefaultResolver,
}

impl Guarded {
    pub(super) fn new(policy: Arc<Policy>) -> Self {
        Self { policy, inner: DefaultResolver::default() }
    }
}

impl Guarded {
    /// Resolves a name within a time. ureq's own way of doing so panics where the system gives no thread; here the time is
    /// what is given up then.
    fn resolve_in(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut unhurried = timeout;
        unhurried.after = Duration::NotHappening;
        let (sender, receiver) = mpsc::sync_channel(1);
        let (of, with) = (uri.clone(), config.clone());
        let work = move || {
            let _ = sender.send(DefaultResolver::default().resolve(&of, &with, unhurried));
        };
        if thread::Builder::new().spawn(work).is_err() {
            return self.inner.resolve(uri, config, unhurried);
        }
        receiver.recv_timeout(*timeout.after).unwrap_or(Err(ureq::Error::Timeout(timeout.reason)))
    }
}

/// What the resolver's refusal says; ureq knows no error of ours.
pub(super) const REFUSED: &str = "private address";

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolve_in(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        // A proxy is the user's own word, and commonly lies inside.
        let is_proxy = config.proxy().is_some_and(|proxy| proxy.uri() == uri);
        let permitted = |address: IpAddr| is_proxy || self.policy.permits(host, address);
        if found.iter().all(|address| permitted(address.ip())) {
            return Ok(found);
        }
        Err(ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, REFUSED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_not_public() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("2a00:1450::1", true),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_named() {
        let policy = Policy {
            hosts: ["localhost".to_owned(), "192.168.0.1".to_owned()].into(),
            http: ["mirror.example".to_owned()].into(),
        };
        for (url, allowed) in [
            ("https://example.com/", true),
            ("http://example.com/", false),
            ("http://localhost:5000/", true),
            ("http://127.0.0.1/", false),
            ("https://192.168.0.1/", true),
            ("http://192.168.0.1/", false),
            ("http://mirror.example/", true),
            ("https://8.8.8.8/", false),
            ("https://2130706433/", false),
        ] {
            assert_eq!(policy.check("fetch", &Url::parse(url).unwrap()).is_ok(), allowed, "{url}");
        }
    }
}
