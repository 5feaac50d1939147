//! What goes to a server and comes back: methods, and the status and headers of answers.

use super::url::Url;
use std::time::Duration;
use ureq::http;

/// What to do with what is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub(super) const fn http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Head => http::Method::HEAD,
            Self::Put => http::Method::PUT,
            Self::Post => http::Method::POST,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }

    /// The verb for messages: "cannot VERB `https://…`".
    pub(super) const fn doing(self) -> &'static str {
        match self {
            Self::Get | Self::Head => "fetch",
            Self::Put | Self::Post | Self::Patch => "send to",
            Self::Delete => "delete",
        }
    }

    pub(super) const fn has_body(self) -> bool {
        matches!(self, Self::Put | Self::Post | Self::Patch)
    }
}

/// Status and headers of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    pub status: u16,
    /// Where the answer came from, after redirects.
    pub url: Url,
    pub(super) headers: http::HeaderMap,
}

impl Head {
    pub(super) const fn new(status: u16, url: Url, headers: http::HeaderMap) -> Self {
        Self { status, url, headers }
    }

    /// A header's value, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    }

    /// Whether the status says that all is well.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}
