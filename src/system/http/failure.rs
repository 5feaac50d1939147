//! What went wrong with a request -> whether to ask again, and an error that says what to do.

use super::message::{Head, Method};
use super::policy::{self, REFUSED};
use super::url::Url;
use crate::text::error::Error;
use std::io;
use std::time::Duration;

/// A request that failed, and whether to ask again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) again: Again,
}

/// Whether asking again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// Once more only: what hangs has cost its time already.
    Once,
    /// After the usual time, or the time that the server asked for.
    After(Option<Duration>),
}

impl Failure {
    pub(super) fn never(error: Error) -> Self {
        Self { error, again: Again::Never }
    }
}

/// What the client library says of a request.
pub(super) fn of_request(method: Method, url: &Url, error: ureq::Error) -> Failure {
    let doing = method.doing();
    let soon = Again::After(None);
    let (again, cause, help): (_, String, _) = match error {
        ureq::Error::Io(cause) if cause.to_string() == REFUSED => {
            return Failure::never(policy::private(doing, url));
        }
        ureq::Error::Io(cause) => return of_reading(method, url, &cause),
        ureq::Error::Timeout(reason) => timeout(&reason),
        ureq::Error::HostNotFound => (
            Again::Once,
            format!("the host `{}` was not found", url.host()),
            "check the spelling, and the network",
        ),
        ureq::Error::ConnectionFailed => {
            (soon, "the connection failed".into(), "check the network, and that the server runs")
        }
        ureq::Error::Rustls(cause) => (
            Again::Never,
            format!("the encrypted connection was refused: {cause}"),
            "the server's certificate must be signed by an authority that this machine trusts; a file of more \
             authorities can be named in SSL_CERT_FILE",
        ),
        ureq::Error::ConnectProxyFailed(cause) => {
            (soon, format!("the proxy refused: {cause}"), "check the proxy that the environment names")
        }
        ureq::Error::Protocol(cause) => {
            (soon, format!("that is not an answer by HTTP: {cause}"), "check host and port")
        }
        other => (Again::Never, other.to_string(), "check the address, and that the server runs"),
    };
    Failure { error: Error::new(doing, url.to_string(), cause).help(help), again }
}

/// What to do where a time is over.
fn timeout(reason: &ureq::Timeout) -> (Again, String, &'static str) {
    let help = match reason {
        ureq::Timeout::Global => {
            "try again later, or from a server that is nearer: no option gives it longer"
        }
        _ => "try again later, or give it longer with `--timeout SECONDS`",
    };
    (Again::Once, format!("no answer in time ({reason})"), help)
}

/// What the system says while an answer is read.
pub(super) fn of_reading(method: Method, url: &Url, cause: &io::Error) -> Failure {
    let by_client = cause.get_ref().and_then(|cause| cause.downcast_ref::<ureq::Error>());
    let (again, text, help) = match cause.kind() {
        _ if let Some(ureq::Error::Timeout(reason)) = by_client => timeout(reason),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (
            Again::Once,
            format!("no answer in time ({cause})"),
            "try again later, or give it longer with `--timeout SECONDS`",
        ),
        io::ErrorKind::ConnectionRefused => (
            Again::Once,
            "the connection was refused".into(),
            "check host and port, and that the server runs",
        ),
        io::ErrorKind::UnexpectedEof => (
            Again::After(None),
            "the answer ended too early".into(),
            "try again; if it stays, the server is broken",
        ),
        io::ErrorKind::InvalidData => (
            Again::Never,
            format!("the encrypted connection was refused: {cause}"),
            "the server's certificate must be signed by an authority that this machine trusts; a file of more \
             authorities can be named in SSL_CERT_FILE",
        ),
        // The standard library has no kind for it.
        _ if cause.to_string().starts_with("failed to lookup address information") => (
            Again::Once,
            format!("the host `{}` was not found", url.host()),
            "check the spelling, and the network",
        ),
        _ => (Again::After(None), cause.to_string(), "check the network, and that the server runs"),
    };
    Failure { error: Error::new(method.doing(), url.to_string(), text).help(help), again }
}

/// What a server's status says to do, where it says that the request may succeed later.
pub(super) fn of_status(method: Method, head: &Head) -> Option<Failure> {
    let again = match head.status {
        429 | 503 => Again::After(head.retry_after()),
        408 | 500 | 502 | 504 => Again::After(None),
        _ => return None,
    };
    Some(Failure { error: status(method, head), again })
}

/// The error for an answer that is not what was asked for.
pub(super) fn status(method: Method, head: &Head) -> Error {
    let (what, help) = match head.status {
        401 => {
            ("credentials are needed, or were not accepted", "log in to the server, or check the credentials")
        }
        403 => ("access is refused", "check that these credentials may do this"),
        404 | 410 => {
            ("not found", "check the spelling; some servers say so too where credentials are needed")
        }
        429 => ("too many requests", "wait a while, or log in: servers give more to users that they know"),
        status if status >= 500 => ("the server failed", "try again later"),
        _ => ("unexpected answer", "check the address"),
    };
    let said = head.status;
    Error::new(method.doing(), head.url.to_string(), format!("{what} (status {said})")).help(help)
}
