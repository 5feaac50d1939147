//! A method, an address and headers -> an answer: asked again where that may help, redirects followed where allowed.

use super::body::{Counted, bounded};
use super::cache::{Entry, Key};
use super::client::Client;
use super::failure::{self, Again, Failure};
use super::message::{Head, Method};
use super::url::Url;
use crate::text::error::Error;
use std::io::{self, Read};
use std::time::{Duration, Instant};
use ureq::http;

/// What an answer may have by default, in bytes.
const LIMIT: u64 = 64 << 20;
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How often a request is sent that may succeed later.
const ATTEMPTS: u32 = 4;
/// The longest time that a server may ask to wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status and headers.
    pub head: Head,
    pub body: Vec<u8>,
    method: Method,
}

impl Response {
    /// The answer to a GET whose body was read elsewhere.
    #[must_use]
    pub const fn empty(head: Head) -> Self {
        Self { head, body: Vec::new(), method: Method::Get }
    }

    /// This answer, if its status says that all is well.
    ///
    /// # Errors
    /// What the status means, and what to do.
    pub fn success(self) -> Result<Self, Error> {
        if self.head.is_success() { Ok(self) } else { Err(failure::status(self.method, &self.head)) }
    }

    /// The error that this answer's status stands for, for a caller that expected another.
    pub fn error(&self) -> Error {
        failure::status(self.method, &self.head)
    }
}

/// A request that has not been sent.
#[derive(Clone, Debug)]
#[must_use]
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: &'a [u8],
    limit: u64,
    cached: bool,
    elsewhere: bool,
}

impl Client {
    /// A request for what is at an address.
    pub fn get(&self, url: &Url) -> Request<'_> {
        self.request(Method::Get, url)
    }

    /// Any request.
    pub fn request(&self, method: Method, url: &Url) -> Request<'_> {
        Request::new(self, method, url)
    }
}

impl<'a> Request<'a> {
    fn new(client: &'a Client, method: Method, url: &Url) -> Self {
        Self {
            client,
            method,
            url: url.clone(),
            headers: Vec::new(),
            body: &[],
            limit: LIMIT,
            cached: false,
            elsewhere: false,
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body, for the methods that have one.
    pub const fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    /// Refuses an answer of more bytes; 64 MiB unless said otherwise.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Keeps the answer in the cache directory, and asks the server only whether it has changed.
    pub const fn cached(mut self) -> Self {
        self.cached = true;
        self
    }

    /// Follows redirects to other public hosts too, without the headers of [`header`](Self::header) there. Only for
    /// what is checked by its digest afterwards: registries hand their blobs out through other hosts.
    pub const fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// What the cache directory has of the answer; no server is asked.
    #[must_use = "nothing else happens"]
    pub fn kept(&self) -> Option<Vec<u8>> {
        let key = Key::of(&self.url, &self.headers);
        self.client.cache().get(&key, self.limit).map(|entry| entry.body)
    }

    /// Sends it, and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// The address is not allowed, the server cannot be reached, fails again and again, answers with too much, or
    /// points elsewhere.
    pub fn send(self) -> Result<Response, Error> {
        let key = self.cached.then(|| Key::of(&self.url, &self.headers));
        let known = key.as_ref().and_then(|key| self.client.cache().get(key, self.limit));
        let (method, limit) = (self.method, self.limit);
        let mut request = self;
        if let Some(Entry { etag, modified, .. }) = &known {
            let conditions = [("if-none-match", etag), ("if-modified-since", modified)];
            let conditions = conditions.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
            request.headers.extend(conditions);
        }
        let client = request.client;
        let (head, body) = request.read(&mut |_, reader| bounded(reader, limit))?;
        match known {
            Some(entry) if head.status == 304 => {
                client.count_cached();
                let head = Head { status: 200, ..head };
                Ok(Response { head, body: entry.body, method })
            }
            _ => {
                if let Some(key) = key.filter(|_| head.status == 200) {
                    client.cache().put(&key, &head, &body);
                }
                Ok(Response { head, body, method })
            }
        }
    }

    /// Sends it, and gives the answer's body to `each` as it comes: from its beginning every time the request is sent
    /// again. The body has no bound but what `each` reads of it.
    ///
    /// # Errors
    /// As for [`send`](Self::send), and what `each` says itself.
    pub fn read<T>(
        self,
        each: &mut dyn FnMut(&Head, &mut dyn Read) -> io::Result<T>,
    ) -> Result<(Head, T), Error> {
        let mut attempt = 1;
        loop {
            let Failure { error, again } = match self.follow(each) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let attempts = match again {
                Again::Never => 1,
                Again::Once => 2,
                Again::After(_) => ATTEMPTS,
            };
            let usual = self.client.backoff() * 2_u32.pow(attempt - 1);
            let wait = match again {
                Again::After(Some(asked)) => asked,
                _ => usual,
            };
            if attempt >= attempts || wait > PATIENCE || self.client.is_interrupted() {
                return Err(error);
            }
            self.client.pause(wait);
            attempt += 1;
        }
    }

    /// Sends it once, and after redirects.
    fn follow<T>(
        &self,
        each: &mut dyn FnMut(&Head, &mut dyn Read) -> io::Result<T>,
    ) -> Result<(Head, T), Failure> {
        let mut url = self.url.clone();
        let mut at_home = true;
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, at_home)?;
            let (parts, body) = response.into_parts();
            let head = Head::new(parts.status.as_u16(), url.clone(), parts.headers);
            if matches!(head.status, 301 | 302 | 303 | 307 | 308) && !self.method.has_body() {
                let next = self.redirect(&head)?;
                at_home = at_home && url.stays_on(&next);
                url = next;
                continue;
            }
            if let Some(failure) = failure::of_status(self.method, &head) {
                return Err(failure);
            }
            let mut body = Counted {
                inner: body.into_with_config().limit(u64::MAX).reader(),
                failed: None,
                read: 0,
                begin: Instant::now(),
                silence: self.client.timeout(),
            };
            let result = each(&head, &mut body);
            self.client.count_bytes(body.read);
            return match (result, body.failed) {
                (Ok(value), _) => Ok((head, value)),
                (Err(_), Some(cause)) => Err(failure::of_reading(self.method, &url, &cause)),
                (Err(cause), None) => {
                    Err(Failure::never(Error::new(self.method.doing(), url.to_string(), cause)))
                }
            };
        }
        let error = Error::new(self.method.doing(), self.url.to_string(), "too many redirects");
        Err(Failure::never(error.help("name the address that they end at")))
    }

    /// Where a redirect leads, if it may be followed.
    fn redirect(&self, head: &Head) -> Result<Url, Failure> {
        let refuse = |cause: String, help: String| {
            let error = Error::new(self.method.doing(), head.url.to_string(), cause).help(help);
            Err(Failure::never(error))
        };
        let location = head.header("location").unwrap_or_default();
        let Ok(next) = head.url.join(location) else {
            return refuse("it redirects to no address".into(), "check the address".into());
        };
        let allowed = self.url.stays_on(&next) || self.elsewhere || self.client.policy().names(next.host());
        if allowed {
            return Ok(next);
        }
        let host = next.host();
        refuse(
            format!("it redirects to another server, `{next}`"),
            format!("name that address instead, or allow it with `--allow-host {host}`"),
        )
    }

    fn ask(&self, url: &Url, at_home: bool) -> Result<http::Response<ureq::Body>, Failure> {
        self.client.policy().check(self.method.doing(), url).map_err(Failure::never)?;
        let mut builder = http::Request::builder().method(self.method.http()).uri(url.full());
        // What names the user, and what is said about the answer, is for the server that was asked.
        let headers = self.headers.iter().filter(|_| at_home);
        for (name, value) in headers {
            builder = builder.header(*name, value);
        }
        let result = if self.method.has_body() {
            builder
                .body(self.body)
                .map_err(ureq::Error::from)
                .and_then(|request| self.client.run(url, request))
        } else {
            builder.body(()).map_err(ureq::Error::from).and_then(|request| self.client.run(url, request))
        };
        result.map_err(|error| failure::of_request(self.method, url, error))
    }
}

#[cfg(test)]
mod tests;
