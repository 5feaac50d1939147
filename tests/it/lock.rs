//! `drivers.lock`: what stands in it, what is noticed of it, and how `drvc lock` makes it.

use crate::project::Project;
use crate::{compare, files, repository};
use drvc::knowledge::lock::{parse, to_text};
use drvc::text::source::Sources;
use sha2::Digest as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Lock files that are wrong on purpose.
const BROKEN: &[&str] =
    &["broken-lock-entry", "edited-lock-entry", "lock-conflict", "malformed-lock", "newer-lock"];

/// Every paragraph of a lock file as drvc writes it, in the order in which they stand there.
pub fn sealed(text: &str) -> String {
    let head = text.find("\n[[").unwrap_or(text.len());
    let mut all = text[..head].trim_end().to_owned() + "\n";
    for paragraph in text[head..].split("\n[[").filter(|paragraph| !paragraph.trim().is_empty()) {
        let alone = format!("version = 1\n\n[[{}\n", paragraph.trim_end());
        let mut sources = Sources::default();
        let file = sources.add("drivers.lock", alone);
        let written = to_text(&parse(file, &sources).0);
        all.push_str(&written[written.find("\n[[").unwrap()..]);
    }
    all
}

#[test]
fn lock_files_of_the_repository_are_sealed() {
    let mut wrong = Vec::new();
    for file in [files(&repository("tests/ui")), files(&repository("examples"))].concat() {
        let broken = BROKEN.iter().any(|name| file.as_str().contains(&format!("/{name}/")));
        if file.file_name() == Some("drivers.lock") && !broken {
            let path = file.strip_prefix(repository("")).unwrap();
            let text = std::fs::read_to_string(&file).unwrap();
            wrong.extend(compare(path.as_str(), &sealed(&text)).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A registry of one image on this machine, that fails in one way.
struct Registry {
    address: String,
    asked: Arc<AtomicUsize>,
}

/// How a registry fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// With this status, every time.
    Status(u16),
    /// With this status, so many times.
    AtFirst(u16, usize),
    /// Half of the answer.
    Truncated,
    /// Another digest than that of the answer.
    OtherDigest,
    /// No answer.
    Hanging,
    /// To another server.
    Redirect,
    /// A page for people.
    Page,
    None,
}

impl Registry {
    fn new(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = count.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || answer(stream.unwrap(), fault, number));
            }
        });
        Self { address, asked }
    }
}

fn answer(mut stream: TcpStream, fault: Fault, number: usize) {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut request).unwrap() > 2 {}
    let config = format!(
        r#"{{"architecture": "amd64", "os": "linux", "config": {{}}, "history": "{}"}}"#,
        "x".repeat(200)
    );
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digest = |text: &str| format!("sha256:{}", hex(&sha2::Sha256::digest(text)));
    let manifest = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "{}", "size": {}}}, "layers": []}}"#,
        digest(&config),
        config.len()
    );
    let body = if request.contains("/blobs/") { &config } else { &manifest };
    let found = format!("Docker-Content-Digest: {}\r\n", digest(body));
    let (status, headers, body) = match fault {
        Fault::Status(status) => (status, "Retry-After: 0\r\n".into(), String::new()),
        Fault::AtFirst(status, times) if number < times => {
            (status, "Retry-After: 0\r\n".into(), String::new())
        }
        Fault::OtherDigest => (200, format!("Docker-Content-Digest: {}\r\n", digest("other")), body.clone()),
        Fault::Hanging => return thread::sleep(Duration::from_secs(60)),
        Fault::Redirect => (307, "Location: https://elsewhere.example/v2/\r\n".into(), String::new()),
        Fault::Page => (200, "Content-Type: text/html\r\n".into(), "<html></html>".into()),
        _ => (200, found, body.clone()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    let body = match fault {
        _ if request.starts_with("HEAD") => "",
        Fault::Truncated => &body[..length / 2],
        _ => &body,
    };
    stream.write_all((head + body).as_bytes()).unwrap();
}

/// The project with a base image in that registry, and a lock that knows nothing of it.
fn project(registry: &Registry) -> Project {
    let project = Project::new();
    let base = format!("kernel \"6.1.0-18-amd64\"\n        base \"{}/debian:12\"", registry.address);
    project.edit("drivers.kdl", "kernel \"6.1.0-18-amd64\"", &base);
    project
}

#[test]
fn whatever_a_server_does_the_lock_is_as_it_was() {
    let cases = [
        (Fault::Status(401), "credentials are needed", 1),
        (Fault::Status(403), "access is refused", 1),
        (Fault::Status(404), "not found", 2),
        (Fault::Status(429), "too many requests", 4),
        (Fault::Status(500), "the server failed (status 500)", 4),
        (Fault::Truncated, "the answer ended too early", 5),
        (Fault::OtherDigest, "its content has the digest", 2),
        (Fault::Hanging, "no answer in time", 2),
        (Fault::Redirect, "it redirects to another server, `https://elsewhere.example/v2/`", 1),
        (Fault::Page, "not a manifest", 2),
    ];
    thread::scope(|scope| {
        for (fault, said, requests) in cases {
            scope.spawn(move || {
                let registry = Registry::new(fault);
                let project = project(&registry);
                let before = project.read("drivers.lock");
                let run = project.run(&["lock", "--allow-host", "127.0.0.1", "--timeout", "1"]);
                assert_eq!(run.code, Some(4), "{fault:?}: {run:?}");
                assert!(run.stderr.contains(said), "{fault:?}: {run:?}");
                assert!(
                    run.stderr.contains(&format!("http://{}/v2/debian/manifests/", registry.address)),
                    "{run:?}"
                );
                assert!(run.stderr.contains("help: "), "{run:?}");
                assert_eq!(project.read("drivers.lock"), before, "{fault:?}");
                assert_eq!(registry.asked.load(Ordering::Relaxed), requests, "{fault:?}: {run:?}");
            });
        }
    });
}

#[test]
fn what_passes_by_itself_is_asked_for_again() {
    for fault in [Fault::None, Fault::AtFirst(429, 2), Fault::AtFirst(503, 3)] {
        let registry = Registry::new(fault);
        let project = project(&registry);
        let lock = ["lock", "--allow-host", "127.0.0.1"];
        let image = format!("image `{}/debian:12`", registry.address);
        project.run(&lock).expect(0, "", &format!("added {image}"));
        project.run(&["compile", "--locked"]).expect(0, "", "files written");
        let before = project.read("drivers.lock");
        project.run(&lock).expect(0, "", "drivers.lock: 2 entries, nothing moved; 0 requests");
        assert_eq!(project.read("drivers.lock"), before);
        project.run(&["lock", "--check"]).expect(0, "", "drivers.lock is up to date");
    }
}

#[test]
fn threads_that_cannot_be_had_only_make_locking_slower() {
    if crate::crash::strace_is_missing() {
        return;
    }
    let registry = Registry::new(Fault::None);
    // None at all; the first; the first two.
    for when in ["1+", "2+", "3+"] {
        let project = project(&registry);
        let plain = project.command(&["lock", "--allow-host", "127.0.0.1"]);
        let mut command = std::process::Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"]);
        for call in ["clone", "clone3"] {
            command.args(["-e", &format!("inject={call}:error=EAGAIN:when={when}")]);
        }
        command.arg(plain.get_program()).args(plain.get_args()).current_dir(project.path(""));
        let run = crate::project::ended(command.env("HOME", project.path("")));
        run.expect(0, "", &format!("added image `{}/debian:12`", registry.address));
        project.run(&["compile", "--locked"]).expect(0, "", "files written");
    }
}

/// Three images: of a server that answers, and two of one that is away.
fn half(away: &str) -> (Registry, Project) {
    let registry = Registry::new(Fault::None);
    let project = project(&registry);
    let sources = ["one", "two"].map(|name| {
        format!("source \"{name}\" {{\n    image \"{away}/{name}:1\"\n}}\n\nmodule \"{name}\" {{\n    source \"{name}\"\n}}\n\n")
    });
    project.edit(
        "drivers.kdl",
        "image \"example\" {\n",
        &format!("{}image \"example\" {{\n    module \"one\" \"two\"\n", sources.concat()),
    );
    (registry, project)
}

#[test]
fn what_is_resolved_is_written_though_a_server_is_away() {
    let away = Registry::new(Fault::Status(401));
    let (registry, project) = half(&away.address);
    let lock = ["lock", "--allow-host", "127.0.0.1"];
    let run = project.run(&lock);
    run.expect(4, "", &format!("added image `{}/debian:12`", registry.address));
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    assert!(run.stderr.contains("and 1 more of that server"), "{run:?}");
    assert!(run.stderr.contains(&format!("not resolved: image `{}/two:1`\n", away.address)), "{run:?}");
    let half = project.read("drivers.lock");
    assert!(half.contains("debian:12") && !half.contains("one:1"), "{half}");
    // What is there already stays as it was, whole.
    let run = project.run(&["lock", "--update", "--allow-host", "127.0.0.1"]);
    run.expect(4, "", "drivers.lock: ");
    assert_eq!(project.read("drivers.lock"), half);
    let run = project.run(&["lock", "one", "--allow-host", "127.0.0.1"]);
    run.expect(4, "", &format!("not resolved: image `{}/one:1`\n", away.address));
    assert!(!run.stderr.contains("two:1"), "{run:?}");
}

#[test]
fn an_entry_whose_server_is_away_stays_as_it_was() {
    let (registry, project) = half("quay.io");
    project.run(&["lock", "debian:12", "--allow-host", "127.0.0.1"]).expect(0, "", "2 entries are missing");
    let before = project.read("drivers.lock");
    drop(registry);
    let run = project.run(&["lock", "--update", "debian:12"]);
    run.expect(4, "", "debian:12`, which stays as it was\n");
    assert_eq!(project.read("drivers.lock"), before);
}

#[test]
fn one_name_that_cannot_be_found_is_one_report() {
    let (_, project) = half("registry.invalid");
    let run = project.run(&["lock", "--allow-host", "127.0.0.1"]);
    run.expect(4, "", "the host `registry.invalid` was not found; and 1 more of that server");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
}

#[test]
fn nobody_is_asked_who_was_not_allowed() {
    let registry = Registry::new(Fault::None);
    let project = project(&registry);
    project.run(&["lock"]).expect(4, "", "allow it with `--allow-host 127.0.0.1`");
    project.run(&["lock", "--offline"]).expect(3, "", "drift[unpinned-image]");
    project.run(&["lock", "--check"]).expect(3, "", "drivers.lock is out of date; `drvc lock` settles it");
    project.run(&["lock", "--update", "nothing-of-this-name"]).expect(
        2,
        "",
        "is called `nothing-of-this-name`",
    );
    assert_eq!(registry.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn an_entry_that_nothing_needs_is_taken_out_without_asking() {
    let project = Project::new();
    let text = project.read("drivers.lock");
    let stray = "\n[[git]]\nurl = \"https://example.com/x.git\"\nreference = \"refs/heads/main\"\ncommit = \"0123456789012345678901234567890123456789\"\n";
    project.write("drivers.lock", &sealed(&(text.clone() + stray)));
    project.run(&["lock", "--check"]).expect(3, "", "drift[unused-lock-entry]");
    let run = project.run(&["lock", "--offline"]);
    run.expect(0, "", "removed `refs/heads/main` of https://example.com/x.git");
    project.run(&["lock", "--check"]).expect(0, "", "drivers.lock is up to date");
    project.write("drivers.lock", "<<<<<<< HEAD\n");
    project.run(&["lock", "--offline"]).expect(1, "", "error[lock-conflict]");
    assert_eq!(project.read("drivers.lock"), "<<<<<<< HEAD\n");
}

/// The project with toolkits in that registry, and this list of builders.
fn listed(registry: &Registry, list: &str) -> Project {
    let project = Project::new();
    let builder = format!("kernel \"6.1.0-18-amd64\"\n        builder {list}");
    project.edit("drivers.kdl", "kernel \"6.1.0-18-amd64\"", &builder);
    let toolkit =
        format!("toolkit \"toolkit\" {{\n    repository \"{}/toolkit\"\n}}\n\nmatrix {{", registry.address);
    project.edit("drivers.kdl", "matrix {", &toolkit);
    project
}

#[test]
fn the_first_builder_that_is_there_is_taken_and_written_down() {
    let lock = ["lock", "--allow-host", "127.0.0.1"];
    for (fault, taken) in [(Fault::None, "toolkit"), (Fault::Status(404), "distro")] {
        let registry = Registry::new(fault);
        let project = listed(&registry, "\"toolkit\" \"distro\"");
        project.run(&["compile"]).expect(1, "", "error[unlocked-builder]");
        project.run(&["compile", "--locked"]).expect(3, "", "error[unlocked-builder]");
        project.run(&["plan"]).expect(
            0,
            "open: the lock file does not say which of these builders",
            "1 drift",
        );
        let name = "builder of debian 12, kernel `6.1.0-18-amd64`, x86_64";
        project.run(&lock).expect(0, "", &format!("added {name}: {taken}\n"));
        assert!(registry.asked.load(Ordering::Relaxed) > 0);
        project.run(&["compile", "--locked"]).expect(0, "", "files written");
        project.run(&["plan", "--full"]).expect(0, &format!(" {taken} "), "");
        let plan = project.read("drivers.out/plan.json");
        assert_eq!(plan.contains("\"_toolkit/"), taken == "toolkit", "{plan}");
        // Nobody is asked again, until somebody asks for it.
        project.run(&lock).expect(0, "", "nothing moved; 0 requests");
        project.run(&["lock", "--check"]).expect(0, "", "is up to date");
        // Another list is another question.
        project.edit("drivers.kdl", "\"toolkit\" \"distro\"", "\"distro\"");
        project.run(&["check", "--drift"]).expect(0, "", "drift[unused-lock-entry]");
        project.edit("drivers.kdl", "builder \"distro\"", "builder \"toolkit\"");
        project.run(&["lock", "--offline"]).expect(0, "", &format!("removed {name}\n"));
    }
}

#[test]
fn a_registry_that_cannot_be_asked_decides_nothing() {
    let registry = Registry::new(Fault::Status(401));
    let project = listed(&registry, "\"toolkit\" \"distro\"");
    let before = project.read("drivers.lock");
    let run = project.run(&["lock", "--allow-host", "127.0.0.1"]);
    run.expect(4, "", "not resolved: builder of debian 12, kernel `6.1.0-18-amd64`, x86_64\n");
    assert_eq!(project.read("drivers.lock"), before);
}

/// OpenShift 4.16.3 with its payload in the lock: its own kernel, and one of the same minor that its payload does not have.
#[test]
fn a_driver_toolkit_is_there_for_the_kernel_of_its_release_alone() {
    let project = Project::new();
    let example = include_str!("../../src/knowledge/lock/example.lock");
    let (_, pin) = example.split_once("[[openshift]]").unwrap();
    let pin = format!("\n[[openshift]]{}\n", pin.split("\n[[").next().unwrap());
    project.write("drivers.lock", &sealed(&(project.read("drivers.lock") + &pin)));
    let own = "5.14.0-427.13.1.el9_4.x86_64";
    let other = "5.14.0-427.16.1.el9_4.x86_64";
    project.edit("drivers.kdl", "os \"debian\" \"12\"", "os \"openshift\" \"4.16.3\"");
    project.edit(
        "drivers.kdl",
        "kernel \"6.1.0-18-amd64\"",
        &format!("kernel \"{own}\" \"{other}\"\n        builder \"dtk\" \"distro\""),
    );
    let run = project.run(&["lock", "builder of openshift"]);
    run.expect(0, "", &format!("added builder of openshift 4.16.3, kernel `{own}`, x86_64: dtk\n"));
    run.expect(0, "", &format!("added builder of openshift 4.16.3, kernel `{other}`, x86_64: distro\n"));
    project.edit("drivers.kdl", "\"dtk\" \"distro\"", "\"dtk\" \"toolkit\" \"distro\"");
    project.edit("drivers.kdl", "matrix {", "toolkit \"toolkit\"\n\nmatrix {");
    project.run(&["check"]).expect(1, "", "it chose from \"dtk\" \"distro\"");
}
