//! Against a stand-in of a registry on loopback, which knows as much of OCI's distribution 1.1 as these tests ask for: its own
//! list of referrers, in pages of one.

use super::*;
use crate::system::http::{Client, Options, Policy};
use crate::system::process::Environment;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SPDX: &str = "application/spdx+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What the stand-in has by the path that it is asked for by, and each request that it got.
#[derive(Default)]
struct State {
    kept: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    /// What every page says of the next one, in place of the truth.
    next: Option<&'static str>,
}

/// An answer: status, headers, body.
type Answer = (u16, String, Vec<u8>);

impl State {
    fn answer(&mut self, method: &str, path: &str, body: Vec<u8>) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match method {
            "POST" => (202, "Location: /v2/drivers/x/blobs/uploads/1\r\n".into(), Vec::new()),
            "PUT" if path.contains("/uploads/") => {
                let digest = query.trim_start_matches("digest=").replace("%3A", ":");
                self.kept.insert(format!("/v2/drivers/x/blobs/{digest}"), body);
                (201, String::new(), Vec::new())
            }
            "PUT" => self.put(path, body),
            "DELETE" => {
                let bytes = self.kept.remove(path);
                self.kept.retain(|_, other| Some(&*other) != bytes.as_ref());
                (202, String::new(), Vec::new())
            }
            _ if path.contains("/referrers/") => self.page(path, query),
            _ => match self.kept.get(path) {
                Some(bytes) => (200, digest_header(bytes), bytes.clone()),
                None => (404, String::new(), Vec::new()),
            },
        }
    }

    fn put(&mut self, path: &str, body: Vec<u8>) -> Answer {
        let content: Value = serde_json::from_slice(&body).unwrap();
        let subject = content.pointer("/subject/digest").and_then(Value::as_str);
        let header = subject.map_or(String::new(), |digest| format!("OCI-Subject: {digest}\r\n"));
        let by_digest = format!("/v2/drivers/x/manifests/{}", digest_of(&body).unwrap());
        self.kept.insert(path.to_owned(), body.clone());
        self.kept.insert(by_digest, body);
        (201, header, Vec::new())
    }

    /// One artifact of those that refer to the digest at the end of the path.
    fn page(&self, path: &str, query: &str) -> Answer {
        let subject = path.rsplit('/').next();
        let of = |bytes: &Vec<u8>| -> Option<Value> {
            let content: Value = serde_json::from_slice(bytes).ok()?;
            (content.pointer("/subject/digest")?.as_str() == subject).then(|| {
                json!({
                    "mediaType": content["mediaType"], "digest": digest_of(bytes).unwrap(), "size": bytes.len(),
                    "artifactType": content["artifactType"],
                    "annotations": content.get("annotations").cloned().unwrap_or_else(|| json!({})),
                })
            })
        };
        let all: Vec<Value> = self.kept.values().filter_map(of).collect();
        let at: usize = query.trim_start_matches("at=").parse().unwrap_or(0);
        let more = (at + 1 < all.len()).then(|| format!("Link: <{path}?at={}>; rel=\"next\"\r\n", at + 1));
        let link = self.next.map(|next| format!("Link: <{next}>; rel=\"next\"\r\n")).or(more);
        let page: Vec<&Value> = all.iter().skip(at).take(1).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": page });
        (200, link.unwrap_or_default(), serde_json::to_vec(&index).unwrap())
    }
}

fn digest_header(bytes: &[u8]) -> String {
    format!("Docker-Content-Digest: {}\r\n", digest_of(bytes).unwrap())
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap() > 2 {}
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut state = state.lock().unwrap();
    state.asked.push(format!("{method} {path}"));
    let (status, headers, body) = state.answer(method, path, body);
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n")
        .unwrap();
    if method != "HEAD" {
        stream.write_all(&body).unwrap();
    }
}

/// A repository of the stand-in, and an image in it.
struct Standin {
    registry: Registry,
    repository: Repository,
    image: Manifest,
    state: Arc<Mutex<State>>,
}

impl Standin {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let repository = format!("{}/drivers/x", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &shared)));
        let mut options = Options::new(Environment::default());
        (options.backoff, options.cache) = (Duration::ZERO, None);
        options.policy = Policy { http: ["127.0.0.1".to_owned()].into(), ..Policy::default() };
        let registry = Registry::new(Client::new(options));
        let repository = Repository::parse(&repository).unwrap();
        let config = registry.put_blob(&repository, b"{}").unwrap();
        let image = json!({
            "schemaVersion": 2, "mediaType": IMAGE[0], "layers": [],
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        });
        let image = Manifest::parse(serde_json::to_vec(&image).unwrap(), "").unwrap();
        registry.put_manifest(&repository, Some(&Tag::parse("1").unwrap()), &image).unwrap();
        Self { registry, repository, image, state }
    }

    fn attach(&self, kind: &str, text: &str) -> Digest {
        let annotations = BTreeMap::from([("of".to_owned(), text.to_owned())]);
        let bytes = text.as_bytes().to_vec();
        let attachment =
            Attachment { kind: kind.to_owned(), title: "document".to_owned(), bytes, annotations };
        self.registry.attach(&self.repository, &self.image, &attachment).unwrap()
    }

    fn listed(&self) -> Result<Vec<Descriptor>, Error> {
        self.registry.referrers(&self.repository, &self.image.digest)
    }

    fn asked(&self, what: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|request| request.contains(what)).count()
    }
}

#[test]
fn a_registry_with_the_api_lists_what_is_attached_itself() {
    let standin = Standin::new();
    assert_eq!(standin.listed().unwrap(), []);
    let list = standin.attach(SPDX, "list");
    assert_eq!(standin.attach(SPDX, "list"), list, "the same document twice is one artifact");
    let other = standin.attach(BUNDLE, "bundle of another program");
    let tag = fallback_tag(&standin.image.digest).unwrap();
    assert_eq!(standin.asked(tag.as_str()), 0, "no list is kept beside the registry's own");
    let listed = standin.listed().unwrap();
    let of = |digest: &Digest| listed.iter().find(|one| one.digest == *digest).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(of(&list).artifact_type.as_deref(), Some(SPDX));
    assert_eq!(of(&list).annotations["of"], "list");
    assert_eq!(of(&other).artifact_type.as_deref(), Some(BUNDLE));
    assert_eq!(standin.registry.attached(&standin.repository, of(&list), 100).unwrap(), b"list");
    assert!(standin.registry.attached(&standin.repository, of(&list), 3).is_err());
}

/// Whoever reads a list looks for some types. A registry need not know how to filter, so no filter is asked for.
#[test]
fn the_whole_list_is_asked_for_page_by_page() {
    let standin = Standin::new();
    for number in 0..5 {
        standin.attach(if number == 3 { BUNDLE } else { SPDX }, &number.to_string());
    }
    let all: BTreeSet<_> =
        standin.listed().unwrap().into_iter().map(|one| one.annotations["of"].clone()).collect();
    assert_eq!(all.into_iter().collect::<String>(), "01234");
    assert_eq!(standin.asked("/referrers/"), 5);
    assert_eq!(standin.asked("artifactType"), 0);
}

#[test]
fn a_list_that_does_not_end_or_goes_on_elsewhere_is_an_error() {
    let standin = Standin::new();
    standin.attach(SPDX, "list");
    for (next, cause) in
        [("?at=0", "the list has no end"), ("https://elsewhere.example/v2/", "the next page is elsewhere")]
    {
        standin.state.lock().unwrap().next = Some(next);
        let error = standin.listed().unwrap_err().to_string();
        assert!(error.contains(cause), "{next}: {error}");
    }
}

#[test]
fn what_belongs_to_an_image_says_so_by_its_tag() {
    let image = Digest::parse(&format!("sha256:{}", "0a".repeat(32))).unwrap();
    let tag = fallback_tag(&image).unwrap();
    for end in ["", ".sig", ".att"] {
        assert_eq!(subject_of(&Tag::parse(&format!("{tag}{end}")).unwrap()).as_ref(), Some(&image));
    }
    for other in ["6.1.0-56-amd64", "sha256-0a", "latest"] {
        assert_eq!(subject_of(&Tag::parse(other).unwrap()), None);
    }
}

#[test]
fn an_image_is_deleted_with_all_that_belongs_to_it() {
    let standin = Standin::new();
    standin.attach(SPDX, "list");
    standin.attach(BUNDLE, "bundle");
    let beside = fallback_tag(&standin.image.digest).unwrap();
    for (number, end) in [".sig", ".att", ".sbom"].iter().enumerate() {
        let mut other = standin.image.clone();
        other.bytes.extend(" ".repeat(number + 1).bytes());
        other.digest = digest_of(&other.bytes).unwrap();
        let tag = Tag::parse(&format!("{beside}{end}")).unwrap();
        standin.registry.put_manifest(&standin.repository, Some(&tag), &other).unwrap();
    }
    standin.registry.delete_with_attached(&standin.repository, &standin.image.digest).unwrap();
    let left = standin.state.lock().unwrap();
    let left: Vec<_> = left.kept.keys().filter(|path| path.contains("/manifests/")).collect();
    assert!(left.is_empty(), "{left:?}");
}
