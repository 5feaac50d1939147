//! Entries of `drivers.lock` that were changed, and runs of `drvc lock` that are killed: no change goes unnoticed, and
//! the old file or the new one is there.

use crate::crash::strace_is_missing;
use crate::lock::sealed;
use crate::project::Project;
use std::process::{Command, Stdio};
use std::thread;

/// A manifest that leaves one thing of each kind open.
const OPEN: &str = r#"drvc edition=1
project "example" {
    registry "quay.io/example"
}
source "files" {
    archive "https://example.com/driver-1.0.tar.gz"
}
source "driver" {
    git "https://example.com/driver.git" branch="main"
}
module "one" {
    source "files"
}
module "two" {
    source "driver"
}
image "example" {
    module "one" "two"
    load "one"
}
matrix {
    os "debian" "12" {
        kernel match="6.1.0-*" latest=2
    }
    os "openshift" "4.18" {
        z latest=1
    }
}
"#;

/// Its lock, without seals.
fn lock() -> String {
    let images = [
        "docker.io/library/debian:12",
        "docker.io/library/debian:12-slim",
        "registry.access.redhat.com/ubi9/ubi-minimal:9.4",
        "registry.access.redhat.com/ubi9/ubi:9.4",
    ];
    let digest = format!("sha256:{}", "1".repeat(64));
    let mut text = format!(
        "version = 1\n\n[[archive]]\nurl = \"https://example.com/driver-1.0.tar.gz\"\nsha256 = \"{}\"\n\n[[git]]\n\
         url = \"https://example.com/driver.git\"\nreference = \"refs/heads/main\"\ncommit = \"{}\"\n",
        "1".repeat(64),
        "1".repeat(40)
    );
    for image in images {
        text += &format!(
            "\n[[image]]\nreference = \"{image}\"\ndigest = \"{digest}\"\nplatforms = {{ x86_64 = \"{digest}\" }}\n"
        );
    }
    text += "\n[[kernels]]\nos = \"debian\"\nrelease = \"12\"\narch = \"x86_64\"\nflavor = \"default\"\nmatch = \"6.1.0-*\"\n\
             latest = 2\nkernels = [\n    \"6.1.0-18-amd64\",\n    \"6.1.0-17-amd64\",\n]\nother-packages = [\n    \"make=4.3-4.1\",\n]\n";
    text += &format!(
        "\n[[openshift]]\nrelease = \"4.18.10\"\narch = \"x86_64\"\nkernel = \"5.14.0-427.65.1.el9_4.x86_64\"\n\
         realtime = \"5.14.0-427.65.1.el9_4.x86_64+rt\"\ndriver-toolkit = \"quay.io/example/toolkit@{digest}\"\n"
    );
    for abi in [17, 18] {
        text += &format!(
            "\n[[packages]]\nos = \"debian\"\nrelease = \"12\"\nkernel = \"6.1.0-{abi}-amd64\"\narch = \"x86_64\"\npackages = [\n\
             \x20   \"linux-headers-6.1.0-{abi}-amd64=6.1.{abi}-1\",\n]\n"
        );
    }
    text += "\n[[zstreams]]\nrelease = \"4.18\"\narch = \"x86_64\"\nlatest = 1\nreleases = [\n    \"4.18.10\",\n]\n";
    sealed(&text)
}

/// Paragraphs, each with its heading; the file's head is the first.
fn paragraphs(text: &str) -> Vec<String> {
    let mut all: Vec<String> = text.split("\n[[").map(|part| format!("\n[[{part}")).collect();
    all[0] = text.split("\n[[").next().unwrap().to_owned();
    all
}

/// The fields of a paragraph as they are written, arrays as a whole.
fn fields(paragraph: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in paragraph.lines().filter(|line| !line.is_empty() && !line.starts_with("[[")) {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', ']']) => *last += &format!("{line}\n"),
            _ => fields.push(format!("{line}\n")),
        }
    }
    fields
}

/// A field with another value: its last digit or else its last letter is another one.
fn other(field: &str) -> String {
    let at =
        field.rfind(|c: char| c.is_ascii_digit()).or_else(|| field.rfind(|c: char| c.is_ascii_lowercase()));
    let at = at.unwrap();
    let new = match &field[at..=at] {
        "1" => "2",
        "a" => "b",
        digit if digit.as_bytes()[0].is_ascii_digit() => "1",
        _ => "a",
    };
    format!("{}{new}{}", &field[..at], &field[at + 1..])
}

/// What an entry is called, by its fields.
fn name(paragraph: &str) -> String {
    let get = |key: &str| {
        let start = format!("\n{key} = \"");
        let value = paragraph.split_once(&start).and_then(|(_, rest)| rest.split('"').next());
        value.unwrap_or("?").to_owned()
    };
    let system = || format!("{} {}", get("os"), get("release"));
    match paragraph.trim_start().lines().next().unwrap() {
        "[[archive]]" => format!("`{}`", get("url")),
        "[[git]]" => format!("`{}` of {}", get("reference"), get("url")),
        "[[image]]" => format!("image `{}`", get("reference")),
        "[[kernels]]" => format!("kernels of {}, {}, flavour `{}`", system(), get("arch"), get("flavor")),
        "[[openshift]]" => format!("openshift {}, {}", get("release"), get("arch")),
        "[[packages]]" => format!("packages of {}, kernel `{}`, {}", system(), get("kernel"), get("arch")),
        _ => format!("z-streams of openshift {}, {}", get("release"), get("arch")),
    }
}

/// Every way in which one field of one entry is not what it was, or an entry is gone: what, the file, and what a report
/// has to name.
fn mutants(text: &str) -> Vec<(String, String, String)> {
    let all = paragraphs(text);
    let mut mutants = Vec::new();
    for (at, paragraph) in all.iter().enumerate().skip(1) {
        let mut put = |what: String, new: &str, name: String| {
            let mut changed = all.clone();
            changed[at] = new.to_owned();
            mutants.push((format!("{what} of {}", self::name(paragraph)), changed.concat(), name));
        };
        for field in fields(paragraph) {
            let key = field.split(' ').next().unwrap();
            for (what, new) in [("removed", String::new()), ("changed", other(&field))] {
                let new = paragraph.replace(&field, &new);
                put(format!("{key} {what}"), &new, name(&new));
            }
        }
        put("a field added".into(), &format!("{paragraph}new = \"x\"\n"), name(paragraph));
        // Of what is not there at all, the report names what asks for it.
        let asks = match paragraph.trim_start().lines().next().unwrap() {
            "[[archive]]" => "https://example.com/driver-1.0.tar.gz".into(),
            "[[git]]" => "`refs/heads/main` of this source".into(),
            "[[image]]" => {
                let reference = name(paragraph);
                format!("`{}", reference.rsplit('/').next().unwrap())
            }
            "[[kernels]]" => "debian 12 x86_64".into(),
            "[[packages]]" => name(paragraph),
            "[[openshift]]" => "openshift 4.18.10 x86_64".into(),
            _ => "these releases run: 4.18 x86_64".into(),
        };
        put("all".into(), "", asks);
    }
    mutants
}

#[test]
fn each_change_of_each_entry_is_noticed_and_named() {
    let text = lock();
    let mutants = mutants(&text);
    assert!(mutants.len() > 100, "{}", mutants.len());
    let project = || {
        let project = Project::new();
        project.write("drivers.kdl", OPEN);
        project.write("drivers.lock", &text);
        project
    };
    project().run(&["compile", "--locked"]).expect(0, "", "files written");
    let check = |mutants: &[(String, String, String)]| {
        let project = project();
        for (what, text, name) in mutants {
            project.write("drivers.lock", text);
            let run = project.run(&["compile", "--locked"]);
            assert_eq!(run.code, Some(3), "{what}: {}", run.stderr);
            // Long messages are broken into lines behind a rule.
            let said: Vec<_> =
                run.stderr.lines().map(|line| line.trim_matches([' ', '│', '×', '⚠'])).collect();
            assert!(said.join(" ").contains(name), "{what} does not name {name}: {}", run.stderr);
        }
    };
    thread::scope(|scope| {
        mutants.chunks(mutants.len().div_ceil(4)).for_each(|some| drop(scope.spawn(|| check(some))));
    });
}

#[test]
fn what_a_merge_has_twice_is_resolved_anew() {
    let project = Project::new();
    let git = "\n[[git]]\nurl = \"https://example.com/x.git\"\nreference = \"refs/heads/main\"\ncommit = \"0123456789012345678901234567890123456789\"\n";
    let text = sealed(&(project.read("drivers.lock") + git + &git.replace("0123", "3210")));
    project.write("drivers.lock", &text);
    project.run(&["compile", "--locked"]).expect(
        3,
        "",
        "resolves `refs/heads/main` of https://example.com/x.git",
    );
    project.run(&["lock"]).expect(0, "", "drivers.lock: 2 entries, 1 removed");
    project.run(&["compile", "--locked"]).expect(0, "", "files written");
}

/// System calls by which a file is written and put in its place, and how many of each are passed over between two kills.
const CALLS: &[(&str, usize)] = &[
    ("openat", 8),
    ("openat2", 2),
    ("write", 1),
    ("fchmod", 1),
    ("fsync", 1),
    ("renameat", 1),
    ("unlinkat", 1),
    ("close", 5),
];

#[test]
fn a_lock_that_is_killed_leaves_the_old_file_or_the_new_one() {
    if strace_is_missing() {
        return;
    }
    let project = Project::new();
    let new = sealed(&project.read("drivers.lock"));
    let stray = "\n[[git]]\nurl = \"https://example.com/x.git\"\nreference = \"refs/heads/main\"\ncommit = \"0123456789012345678901234567890123456789\"\n";
    let old = sealed(&(new.clone() + stray));
    project.write("drivers.lock", &old);
    project.run(&["lock", "--offline"]).expect(0, "", "1 removed");
    let new_by_drvc = project.read("drivers.lock");
    let (mut killed, mut left_new) = (0, 0);
    for signal in ["KILL", "INT"] {
        for (call, stride) in CALLS {
            let (mut nth, mut undisturbed) = (1, 0);
            while undisturbed < 2 {
                project.write("drivers.lock", &old);
                let mut command = Command::new("strace");
                command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
                command.args(["-e", &format!("inject={call}:signal={signal}:when={nth}")]);
                command.args([env!("CARGO_BIN_EXE_drvc"), "lock", "--offline"]);
                command.current_dir(project.path("")).env_clear();
                let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                let point = format!("{signal} at {call} {nth}");
                assert!(matches!(ended.code(), Some(0 | 130) | None), "{point}: {ended}");
                let found = project.read("drivers.lock");
                assert!(found == old || found == new_by_drvc, "{point}: drivers.lock is torn");
                if ended.success() {
                    undisturbed += 1;
                } else {
                    killed += 1;
                    left_new += usize::from(found == new_by_drvc);
                }
                nth += stride;
            }
        }
    }
    assert!(
        killed > 12 && left_new > 0 && left_new < killed,
        "{killed} killed, {left_new} with the new file"
    );
    project.write("drivers.lock", &old);
    project.run(&["lock", "--offline"]).expect(0, "", "1 removed");
    assert_eq!(project.read("drivers.lock"), new_by_drvc);
    let files = project.path("").read_dir_utf8().unwrap();
    let stray: Vec<_> = files.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert!(stray.iter().all(|name| !name.contains("drvc-tmp")), "{stray:?}");
}
