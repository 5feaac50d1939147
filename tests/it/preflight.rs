//! `drvc preflight`: which images a registry has for a coming release. The registry is one of the test's own.

use crate::commands::validate;
use crate::project::Project;
use drvc::knowledge::lock::{Entry, HeadersPin, Lock, to_text};
use drvc::text::ids::{Arch, KernelText, OsName, Release};
use drvc::text::source::Span;
use serde_json::Value;
use sha2::Digest as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The keys of the images that a registry has, by their tags.
type Images = Arc<Mutex<Vec<(String, String)>>>;

fn registry(images: &Images) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let images = Arc::clone(images);
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), &images)));
    address
}

fn digest(text: &str) -> String {
    let hex: String = sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn answer(mut stream: TcpStream, images: &Images) {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut request).unwrap() > 2 {}
    let images = images.lock().unwrap();
    let documents = images.iter().flat_map(|(tag, key)| {
        let config = format!(
            r#"{{"architecture": "amd64", "os": "linux", "config": {{"Labels": {{"dev.drvc.key": "{key}"}}}}}}"#
        );
        let manifest = format!(
            r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [], "config":
            {{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "{}", "size": {}}}}}"#,
            digest(&config),
            config.len()
        );
        [(format!("manifests/{tag}"), manifest.clone()), (digest(&config), config), (digest(&manifest), manifest)]
    });
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let found = documents.into_iter().find(|(name, _)| path.ends_with(name.as_str())).map(|(_, text)| text);
    let body = found.clone().unwrap_or_default();
    let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\nDocker-Content-Digest: {}\r\n\r\n",
        body.len(),
        digest(&body)
    );
    let body = if request.starts_with("HEAD") { "" } else { &body };
    stream.write_all((head + body).as_bytes()).unwrap();
}

/// Asks for these releases: the exit code, and the state of each image.
fn asked(project: &Project, releases: &[&str]) -> (i32, String) {
    let run =
        project.run(&[&["preflight", "--allow-http", "127.0.0.1", "--format", "json"], releases].concat());
    let found = validate("preflight", &run.stdout);
    let states = found["images"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap());
    (run.code.unwrap(), states.collect::<Vec<_>>().join(" "))
}

#[test]
fn what_kmm_builds_is_not_missing() {
    let address = registry(&Images::default());
    let project = Project::example("08-everywhere");
    project.edit(
        "drivers.kdl",
        "quay.io/example\"\n    version",
        &format!("{address}/example\"\n    version"),
    );
    project.edit("drivers.kdl", "branch=\"main\"", "commit=\"0123456789012345678901234567890123456789\"");
    // KMM builds for OpenShift, and for kernels that its regular expression matches; nobody does for Debian.
    assert_eq!(asked(&project, &["4.18.7"]), (0, "built-in-cluster".into()));
    assert_eq!(asked(&project, &["4.18.3"]), (0, "built-in-cluster built-in-cluster".into()));
    assert_eq!(asked(&project, &["5.14.0-427.99.1.el9_4.x86_64"]), (0, "built-in-cluster".into()));
    assert_eq!(asked(&project, &["5.14.0-503.99.1.el9_5.x86_64"]), (3, "missing".into()));
    assert_eq!(asked(&project, &["12"]), (3, "to-build".into()));
    assert_eq!(asked(&project, &["4.19.0", "4.18.7"]), (3, "missing built-in-cluster".into()));
}

#[test]
fn an_image_is_there_when_its_key_is_the_targets() {
    let images = Images::default();
    let address = registry(&images);
    let project = Project::new();
    project.edit("drivers.kdl", "quay.io/example\"", &format!("{address}/example\""));
    assert_eq!(asked(&project, &["12"]), (3, "to-build".into()));
    let plan: Value = serde_json::from_str(&project.run(&["plan", "--format", "json"]).stdout).unwrap();
    let (kernel, key) = (&plan["targets"][0]["kernel"], &plan["targets"][0]["key"]);
    let (kernel, key) = (kernel.as_str().unwrap(), key.as_str().unwrap());
    images.lock().unwrap().push((kernel.into(), "old".into()));
    project.run(&["preflight", "--allow-http", "127.0.0.1", kernel]).expect(3, "its key has changed", "");
    *images.lock().unwrap() = vec![(kernel.into(), key.into())];
    assert_eq!(asked(&project, &["12"]), (0, "ready".into()));
    assert_eq!(asked(&project, &[kernel]), (0, "ready".into()));
    // A registry that is not allowed is not asked, and that is no answer.
    project.run(&["preflight", "12"]).expect(4, "unknown", "");
}

/// Says in the project's lock that nobody knows the headers of these kernels, so that an earlier one's modules are tried.
fn unknown_headers(project: &Project, kernels: &[&str]) {
    let mut lock = Lock::default();
    for kernel in kernels {
        let key = (
            OsName::parse("debian").unwrap(),
            Release::parse("12").unwrap(),
            KernelText::parse(kernel).unwrap(),
            Arch::X86_64,
        );
        let value = HeadersPin::Unknown("nobody offers it".into());
        lock.headers.insert(key, Entry { value, span: Span::default() });
    }
    let text = to_text(&lock);
    let (_, headers) = text.split_once("[[headers]]").unwrap();
    project.write("drivers.lock", &format!("{}\n[[headers]]{headers}", project.read("drivers.lock")));
}

#[test]
fn what_would_reuse_an_older_image_is_named() {
    let images = Images::default();
    let address = registry(&images);
    let project = Project::new();
    project.edit("drivers.kdl", "quay.io/example\"", &format!("{address}/example\""));
    project.edit("drivers.kdl", "    load \"example\"", "    load \"example\"\n    reuse \"headers\"");
    let kernels = ["6.1.0-18-amd64", "6.1.0-20-amd64"];
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", &format!("\"{}\" \"{}\"", kernels[0], kernels[1]));
    unknown_headers(&project, &kernels);
    assert_eq!(asked(&project, &["12"]), (3, "to-build to-build".into()));
    let run = project.run(&["preflight", "--allow-http", "127.0.0.1", "12"]);
    let row = |kernel: &str| run.stdout.lines().find(|line| line.contains(kernel)).unwrap().to_owned();
    assert!(row("6.1.0-18-amd64 ").contains("compiled: it is the first of its chain"), "{}", run.stdout);
    let tried = "those of 6.1.0-18-amd64 are tried (headers)";
    assert!(row("6.1.0-20-amd64 ").contains(tried), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("\n2 of 2 images are missing: `drvc build --push` builds 2\n"),
        "{}",
        run.stdout
    );
    let run = project.run(&["preflight", "--allow-http", "127.0.0.1", "--format", "json", kernels[1]]);
    let found = validate("preflight", &run.stdout);
    let first = found["images"][0]["reuse"]["first"].as_str().unwrap();
    assert!(first.ends_with("/6.1.0-18-amd64"), "{first}");
}
