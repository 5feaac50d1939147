//! The environment's `*_proxy` variables -> the proxy for a request, if there is one.

use super::url::{Scheme, Url};
use crate::system::process::Environment;
use ureq::Proxy;

/// The proxies that the user's environment names, as curl reads it: no capital `HTTP_PROXY`, which a CGI server sets.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    none: Vec<String>,
}

impl Proxies {
    pub(super) fn of(environment: &Environment) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| environment.get(name));
        let proxy = |names: &[&str]| first(names).and_then(|text| Proxy::new(text).ok());
        let none = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Self {
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            http: proxy(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            none: none.split(',').map(|entry| entry.trim().to_ascii_lowercase()).collect(),
        }
    }

    pub(super) fn for_url(&self, url: &Url) -> Option<Proxy> {
        let proxy = match url.scheme() {
            Scheme::Https => &self.https,
            Scheme::Http => &self.http,
        };
        proxy.clone().filter(|_| !self.none.iter().any(|entry| matches(entry, url.host())))
    }
}

/// `*`, a host, or a domain with or without a leading dot, each with all that lies below it.
fn matches(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches("*.").trim_start_matches('.');
    entry == "*"
        || (!domain.is_empty()
            && host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_curl_does() {
        let environment = Environment::of(&[
            ("HTTP_PROXY", "http://wrong:1"),
            ("https_proxy", "http://proxy.example:3128"),
            ("NO_PROXY", "localhost, .inner.example"),
        ]);
        let proxies = Proxies::of(&environment);
        for (url, proxied) in [
            ("https://example.com/", true),
            ("http://example.com/", false),
            ("https://localhost/", false),
            ("https://inner.example/", false),
            ("https://a.inner.example/", false),
            ("https://notinner.example/", true),
        ] {
            assert_eq!(proxies.for_url(&Url::parse(url).unwrap()).is_some(), proxied, "{url}");
        }
    }
}
