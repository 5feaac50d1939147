//! One change changes exactly the targets that it is about: kernel, source byte, patch, template, pin, profile.

use drvc::compiler::compile::compile;
use drvc::system::fs::{Memory, Reader};
use drvc::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

const MANIFEST: &str = r#"drvc edition=1
project "example" {
    registry "quay.io/example"
}
profile "debian" "debian.kdl"
template "fetch" "fetch.hbs"
source "mine" {
    path "mine"
}
source "theirs" {
    git "https://example.com/theirs.git" branch="main"
    on release="12" {
        patch "twelve.patch"
    }
}
module "mine" {
    source "mine"
}
module "theirs" {
    source "theirs"
    needs "mine"
}
image "mine" {
    module "mine"
    load "mine"
}
image "both" {
    module "theirs"
    load "theirs"
    tag "{os}-{release}-{kernel}"
    only os="debian"
}
matrix {
    os "debian" "12" "13" {
        kernel "6.1.0-18-amd64" "6.1.0-20-cloud-amd64" "6.12.57+deb13-amd64"
    }
    os "rhel" "9.4" {
        kernel "5.14.0-427.13.1.el9_4.x86_64"
    }
}
"#;

const FETCH: &str = "FROM {{base}} AS fetch\n{{> install}}\n";
const PROFILE: &str = "profile edition=1 extends=\"debian\"\n";

/// Every target that the manifest gives.
const MINE: [&str; 4] = [
    "mine/debian-12-x86_64/6.1.0-18-amd64",
    "mine/debian-12-x86_64/6.1.0-20-cloud-amd64",
    "mine/debian-13-x86_64/6.12.57+deb13-amd64",
    "mine/rhel-9.4-x86_64/5.14.0-427.13.1.el9_4.x86_64",
];
const BOTH: [&str; 3] = [
    "both/debian-12-x86_64/6.1.0-18-amd64",
    "both/debian-12-x86_64/6.1.0-20-cloud-amd64",
    "both/debian-13-x86_64/6.12.57+deb13-amd64",
];

type Files = BTreeMap<&'static str, String>;

fn lock(commit: char) -> String {
    let digest = "0123456789abcdef".repeat(4);
    let images: String = ["12", "12-slim"]
        .map(|tag| {
            format!(
                "\n[[image]]\nreference = \"docker.io/library/debian:{tag}\"\ndigest = \"sha256:{digest}\"\n"
            )
        })
        .concat();
    let commit = commit.to_string().repeat(40);
    let url = "https://example.com/theirs.git";
    format!(
        "version = 1\n\n[[git]]\nurl = \"{url}\"\nreference = \"refs/heads/main\"\ncommit = \"{commit}\"\n{images}"
    )
}

fn project() -> Files {
    BTreeMap::from([
        ("drivers.kdl", MANIFEST.to_owned()),
        ("drivers.lock", lock('a')),
        ("debian.kdl", PROFILE.to_owned()),
        ("fetch.hbs", FETCH.to_owned()),
        ("twelve.patch", "--- a/x\n+++ b/x\n".to_owned()),
        ("mine/Kbuild", "obj-m := mine.o\n".to_owned()),
        ("mine/mine.c", "int x;\n".to_owned()),
        ("README", "not of any source\n".to_owned()),
    ])
}

/// Each target's key.
fn keys(files: &Files) -> BTreeMap<String, String> {
    let path = |path: &str| RelPath::parse(path).unwrap();
    let mut tree = Memory::new();
    for (name, text) in files {
        tree.insert(path(name), text.clone());
    }
    let compilation = compile(&Reader::new(&tree), &crate::request());
    let compiled = compilation.plan.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    compiled.json().targets.iter().map(|target| (target.id.clone(), target.key.clone())).collect()
}

/// The targets that are there in one only, or with another key.
fn changed(edit: impl Fn(&mut Files)) -> BTreeSet<String> {
    let mut files = project();
    let before = keys(&files);
    edit(&mut files);
    let after = keys(&files);
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    ids.into_iter().filter(|id| before.get(id) != after.get(id)).collect()
}

fn replace(file: &'static str, from: &'static str, to: &'static str) -> impl Fn(&mut Files) {
    move |files| {
        let text = files.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replace(from, to);
    }
}

#[test]
fn a_change_changes_exactly_its_targets() {
    let set = |ids: &[&[&str]]| ids.concat().into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(keys(&project()).into_keys().collect::<BTreeSet<_>>(), set(&[&MINE, &BOTH]));
    let of = |part: &str| {
        let ids = MINE.iter().chain(&BOTH).filter(|id| id.contains(part));
        ids.map(|id| (*id).to_owned()).collect::<BTreeSet<_>>()
    };

    let source_byte = changed(replace("mine/mine.c", "int x", "int y"));
    assert_eq!(source_byte, set(&[&MINE, &BOTH]), "`theirs` is built on `mine`");
    assert_eq!(changed(replace("twelve.patch", "/x", "/y")), of("both/debian-12"), "a patch under `on`");
    assert_eq!(
        changed(|files| drop(files.insert("drivers.lock", lock('b')))),
        set(&[&BOTH]),
        "a pinned commit"
    );
    let pin = changed(replace(
        "drivers.lock",
        "debian:12\"\ndigest = \"sha256:0",
        "debian:12\"\ndigest = \"sha256:f",
    ));
    assert_eq!(pin, of("debian-12"), "the digest of a base image");
    assert_eq!(
        changed(replace("fetch.hbs", "{{> install}}", "{{> install}}\nRUN true")),
        set(&[&BOTH]),
        "a template"
    );
    let profile = changed(replace(
        "debian.kdl",
        "extends=\"debian\"\n",
        "extends=\"debian\"\nruntime \"kmod\" \"procps\"\n",
    ));
    assert_eq!(profile, of("debian"), "a profile");
    let kernel = changed(replace("drivers.kdl", "6.1.0-20-cloud-amd64", "6.1.0-21-cloud-amd64"));
    let (old, new) = ("6.1.0-20-cloud-amd64", "6.1.0-21-cloud-amd64");
    let expected = of(old).into_iter().flat_map(|id| [id.replace(old, new), id]).collect::<BTreeSet<_>>();
    assert_eq!(kernel, expected, "one kernel");
}

#[test]
fn what_is_no_input_changes_nothing() {
    for edit in [
        replace("README", "not", "still not"),
        replace("drivers.kdl", "matrix {", "// The releases that we support.\nmatrix {\n"),
        replace(
            "drivers.kdl",
            "\"6.1.0-18-amd64\" \"6.1.0-20-cloud-amd64\"",
            "\"6.1.0-20-cloud-amd64\" \"6.1.0-18-amd64\"",
        ),
        replace("drivers.kdl", "12\" \"13\" {", "12\" \"13\" {\n        flavor \"default\" \"cloud\""),
        replace("fetch.hbs", "FROM", "# A comment.\nFROM"),
    ] {
        assert_eq!(changed(edit), BTreeSet::new());
    }
    let renamed = changed(|files| {
        let patch = files.remove("README").unwrap();
        files.insert("NOTES", patch);
    });
    assert_eq!(renamed, BTreeSet::new());
}
