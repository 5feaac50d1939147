//! A registry's challenge -> the header that answers it: a password, or a token that a password buys.

use super::credentials::{Credential, Credentials};
use super::place::Place;
use crate::system::http::{Client, Head, Method, Response, Scheme, Url, form};
use crate::text::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What a token server's answer may have, in bytes.
const LIMIT: u64 = 1 << 20;

/// What is known of who the user is to each registry: the headers that worked.
#[derive(Debug)]
pub(super) struct Authority {
    credentials: Credentials,
    /// By registry, repository and what may be done there.
    headers: Mutex<BTreeMap<(String, String, Access), String>>,
}

/// What a request does to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    Pull,
    Push,
    Delete,
}

impl Access {
    const fn scope(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
            Self::Delete => "delete,pull",
        }
    }
}

/// The first challenge of an answer that is understood.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Authority {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, headers: Mutex::default() }
    }

    /// The header that worked for this before.
    pub(super) fn known(&self, place: &Place, access: Access) -> Option<String> {
        let headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        headers.get(&(place.server().to_owned(), place.path().to_owned(), access)).cloned()
    }

    /// The header that answers a challenge; `None` where no credential is known that could.
    pub(super) fn answer(
        &self,
        client: &Client,
        place: &Place,
        access: Access,
        head: &Head,
    ) -> Result<Option<String>, Error> {
        let challenges: Vec<_> = head.all("www-authenticate").filter_map(challenge).collect();
        let bearer = challenges.iter().find(|one| matches!(one, Challenge::Bearer { .. }));
        let Some(challenge) = bearer.or(challenges.first()) else { return Ok(None) };
        let credential = self.credentials.find(place.name(), place.path())?;
        let header = match (challenge, credential) {
            (Challenge::Basic, Some(Credential::Password(name, word))) => Some(basic(&name, &word)),
            (Challenge::Basic, _) => None,
            (Challenge::Bearer { realm, service, scope }, credential) => {
                let scope = scope
                    .clone()
                    .unwrap_or_else(|| format!("repository:{}:{}", place.path(), access.scope()));
                let realm = realm_of(place, head, realm)?;
                Some(token(client, &realm, service.as_deref(), &scope, credential.as_ref())?)
            }
        };
        if let Some(header) = &header {
            let key = (place.server().to_owned(), place.path().to_owned(), access);
            let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
            headers.insert(key, header.clone());
        }
        Ok(header)
    }
}

/// Where tokens are bought. A registry may name any server, but none that is spoken to less safely than itself.
fn realm_of(place: &Place, head: &Head, realm: &str) -> Result<Url, Error> {
    let refuse = |cause: &str| Err(Error::new("log in to", place.name(), format!("{cause} `{realm}`")));
    match Url::parse(realm) {
        Ok(url) if url.scheme() == Scheme::Http && head.url.scheme() == Scheme::Https => {
            refuse("it sends credentials in the clear to")
        }
        Ok(url) => Ok(url),
        Err(_) => refuse("it names no token server but"),
    }
}

fn basic(name: &str, word: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{word}")))
}

/// Buys a token: with a name and password by GET, with a token by POST (the OAuth 2 way).
fn token(
    client: &Client,
    realm: &Url,
    service: Option<&str>,
    scope: &str,
    credential: Option<&Credential>,
) -> Result<String, Error> {
    let response: Response = match credential {
        Some(Credential::Identity(token)) => {
            let form = form(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("service", service.unwrap_or_default()),
                ("client_id", "drvc"),
                ("scope", scope),
            ]);
            let request = client.request(Method::Post, realm);
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.as_bytes())
                .limit(LIMIT)
                .send()?
        }
        other => {
            let mut url = realm.clone();
            if let Some(service) = service {
                url = url.with_query("service", service);
            }
            let mut request = client.get(&url.with_query("scope", scope)).limit(LIMIT);
            if let Some(Credential::Password(name, word)) = other {
                request = request.header("authorization", basic(name, word));
            }
            request.send()?
        }
    };
    let response = response.success()?;
    let token: Token = serde_json::from_slice(&response.body)
        .map_err(|_| Error::new("log in at", realm.to_string(), "its answer is not a token"))?;
    let text = token.token.or(token.access_token).filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    let text = text.ok_or_else(|| Error::new("log in at", realm.to_string(), "its answer holds no token"))?;
    Ok(format!("Bearer {text}"))
}

/// Reads `Bearer realm="…",service="…",scope="…"`, as RFC 7235 has it.
fn challenge(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut rest = rest;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.insert(name, value.to_owned());
        rest = after;
    }
    let realm = fields.remove("realm")?;
    Some(Challenge::Bearer { realm, service: fields.remove("service"), scope: fields.remove("scope") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            let own = |text: &str| text.to_owned();
            Some(Challenge::Bearer { realm: own(realm), service: service.map(own), scope: scope.map(own) })
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://a.example/token",service="a",scope="repository:x:pull,push""#,
                bearer("https://a.example/token", Some("a"), Some("repository:x:pull,push")),
            ),
            (r#"bearer realm=x, service="y""#, bearer("x", Some("y"), None)),
            (r#"Basic realm="x""#, Some(Challenge::Basic)),
            ("Negotiate", None),
            ("Bearer", None),
            (r#"Bearer realm="x"#, None),
        ] {
            assert_eq!(challenge(header), expected, "{header}");
        }
    }
}
