//! A text -> an address that a client may be asked for: scheme, host, port and path, and never a password.

use crate::text::ids::Invalid;
use std::fmt;
use std::net::Ipv4Addr;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Encrypted, and the server's name is checked.
    Https,
    /// Neither.
    Http,
}

/// An `https` or `http` address without user, password and fragment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    /// Path and query; it begins with `/`.
    path: String,
}

const RULE: &str =
    "https://host[:port]/path without user, password and fragment, the host a name or an IPv4 address";

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl Url {
    /// Takes an address of at most 8 KiB.
    ///
    /// # Errors
    /// The rule, where the text breaks it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid(RULE);
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(invalid),
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let safe = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
        if text.len() > 8192 || !path.bytes().all(safe) {
            return Err(invalid);
        }
        Self::on(scheme, authority).map(|url| Self { path, ..url }).ok_or(invalid)
    }

    /// The root of a server, `host` or `host:port`; `None` where that is none.
    #[must_use]
    pub fn on(scheme: Scheme, authority: &str) -> Option<Self> {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let all = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        let whole = all && host.len() <= 253 && edge(host.bytes().next()) && edge(host.bytes().last());
        whole.then(|| Self { scheme, host, port, path: "/".to_owned() })
    }

    /// This address with another path, that begins with `/` and may end in a query.
    ///
    /// # Errors
    /// The rule, where the path breaks it.
    pub fn with_path(&self, path: &str) -> Result<Self, Invalid> {
        if !path.starts_with('/') {
            return Err(Invalid(RULE));
        }
        Self::parse(&format!("{}{path}", self.origin()))
    }

    /// What `reference` means on the page of this address: a whole address, or one on the same server.
    ///
    /// # Errors
    /// The rule, where it is neither.
    pub fn join(&self, reference: &str) -> Result<Self, Invalid> {
        let reference = reference.split('#').next().unwrap_or_default();
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme.name()));
        }
        if reference.contains("://") {
            return Self::parse(reference);
        }
        if reference.starts_with('/') {
            return self.with_path(reference);
        }
        let page = self.path.split('?').next().unwrap_or_default();
        let kept = match reference.starts_with('?') {
            true => page,
            false => page.rsplit_once('/').map_or("/", |(directory, _)| directory),
        };
        let slash = if reference.starts_with('?') || kept.ends_with('/') { "" } else { "/" };
        self.with_path(&format!("{kept}{slash}{reference}"))
    }

    /// This address with one more `name=value` in its query; the value is escaped.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(&form(&[(name, value)]));
        self
    }

    /// How the server is spoken to.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The server's name, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole address, for the request itself. It may hold a secret in its query.
    #[must_use]
    pub(super) fn full(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    fn origin(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.scheme.name(), self.host)
    }

    /// Whether a redirect from here to there stays on the server; a turn to `https` does.
    pub(super) fn stays_on(&self, other: &Self) -> bool {
        let port = |url: &Self| url.port.unwrap_or(url.scheme.port());
        let same = self.scheme == other.scheme && port(self) == port(other);
        let secured = self.scheme == Scheme::Http && other.scheme == Scheme::Https && other.port.is_none();
        self.host == other.host && (same || secured)
    }
}

/// `name=value&…`, the values escaped: a query, or the body of a form.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

/// Whether a host is an address in digits, in any of the forms that resolvers take for one.
pub(super) fn is_literal(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
}

/// Whether a host is this machine by its very name.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// For people: without the query, in which servers that hand on to others put signatures.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{}{path}", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_a_client_may_ask_for() {
        for (text, whole) in [
            ("https://example.com", Some("https://example.com/")),
            ("http://Example.com:5000/v2/?n=1", Some("http://example.com:5000/v2/?n=1")),
            ("https://example.com?a=b", Some("https://example.com/?a=b")),
            ("https://user:secret@example.com/", None),
            ("https://user@example.com/", None),
            ("ftp://example.com/", None),
            ("https://-oProxyCommand=x/", None),
            ("https://[::1]/", None),
            ("https://example.com:0/", None),
            ("https://example.com/a b", None),
            ("https://example.com/a\r\nHost: b", None),
            ("https://", None),
        ] {
            assert_eq!(Url::parse(text).ok().map(|url| url.full()).as_deref(), whole, "{text}");
        }
    }

    #[test]
    fn references_are_read_as_on_a_page() {
        let page = Url::parse("https://a.example/x/y?z").unwrap();
        for (reference, whole) in [
            ("https://b.example/", "https://b.example/"),
            ("//b.example/c", "https://b.example/c"),
            ("/c?d#e", "https://a.example/c?d"),
            ("c", "https://a.example/x/c"),
            ("?c", "https://a.example/x/y?c"),
        ] {
            assert_eq!(page.join(reference).unwrap().full(), whole, "{reference}");
        }
        assert!(page.join("file:///etc/passwd").is_err());
        assert_eq!(page.clone().with_query("q", "a b&c").full(), "https://a.example/x/y?z&q=a%20b%26c");
        assert_eq!(page.to_string(), "https://a.example/x/y");
    }

    #[test]
    fn digits_are_known_as_addresses() {
        for (host, literal) in [
            ("127.0.0.1", true),
            ("2130706433", true),
            ("0x7f.1", true),
            ("a0.example", false),
            ("x1", false),
        ] {
            assert_eq!(is_literal(host), literal, "{host}");
        }
    }
}
