//! A key changes exactly where a build could see the change: random edits of a project with `path "."`, held to an oracle
//! that knows the project by hand.

use drvc::compiler::compile::compile;
use drvc::compiler::inputs::{Refusal, Rules, walk};
use drvc::system::fs::{Disk, Memory, ReadError, Reader};
use drvc::text::ids::{FilePath, RelPath};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const MANIFEST: &str = r#"drvc edition=1
project "example" {
    registry "quay.io/example"
}
template "fetch" "templates/fetch.hbs"
source "self" {
    path "."
    on release="12" {
        patch "fixes/twelve.patch"
    }
}
source "firmware" {
    path "firmware"
}
source "blobs" {
    path "blobs" {
        include "*" "/vendor.o"
    }
}
module "one" {
    source "self" dir="one"
}
module "two" {
    source "blobs"
}
image "one" {
    module "one"
    load "one"
}
image "two" {
    module "two"
    load "two"
    firmware "*.bin" from="firmware"
}
matrix {
    os "debian" "12" "13" {
        kernel from="kernels.txt"
    }
}
"#;

const KERNELS: &str = "6.1.0-18-amd64\n6.12.57+deb13-amd64\n";

type Files = BTreeMap<String, String>;

fn project() -> Files {
    let files = [
        ("drivers.kdl", MANIFEST),
        ("drivers.lock", include_str!("../ui/drivers.lock")),
        ("kernels.txt", KERNELS),
        ("templates/fetch.hbs", "FROM {{base}} AS fetch\n{{> install}}\n"),
        ("fixes/twelve.patch", "--- a/x\n+++ b/x\n"),
        ("one/Kbuild", "obj-m := one.o\n"),
        ("one/one.c", "int x;\n"),
        ("include/one.h", "int x;\n"),
        ("firmware/LICENCE", "free"),
        ("firmware/one.bin", "bytes"),
        ("old/.drvc/state", ""),
        ("blobs/Kbuild", "obj-m := two.o\n"),
        ("blobs/two.c", "int y;\n"),
        ("blobs/vendor.o", "object"),
    ];
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

fn keys(files: &Files) -> BTreeMap<String, String> {
    let mut tree = Memory::new();
    for (path, text) in files {
        tree.insert(FilePath::parse(path).unwrap(), text.clone());
    }
    let path = |path: &str| RelPath::parse(path).unwrap();
    let compilation = compile(&Reader::new(&tree).hide(path("drivers.out")), &crate::request());
    let compiled = compilation.plan.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    compiled.json().targets.iter().map(|target| (target.id.clone(), target.key.clone())).collect()
}

/// The targets of the first whose keys are others in the second.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeSet<String> {
    before.iter().filter(|(id, key)| after.get(*id) != Some(key)).map(|(id, _)| id.clone()).collect()
}

/// Everything that is beside the sources of a real repository and no image depends on, each kind once or more.
const NO_INPUT: &[&str] = &[
    "README.md",
    "docs/guide.md",
    "one/NOTES.md",
    ".gitignore",
    ".gitattributes",
    ".mailmap",
    ".git/HEAD",
    ".git/objects/ab/cd",
    ".github/workflows/ci.yml",
    ".gitlab-ci.yml",
    ".gitlab/merge_request_templates/x",
    ".circleci/config.yml",
    ".editorconfig",
    ".pre-commit-config.yaml",
    ".vscode/settings.json",
    "Jenkinsfile",
    ".travis.yml",
    "fixes/unused.patch",
    "one/unused.diff",
    "other.kdl",
    "sub/drivers.lock",
    "one/one.o",
    "one/one.ko",
    "one/one.mod",
    "one/one.mod.c",
    "one/one.mod.o",
    "one/.one.o.cmd",
    "one/.one.ko.cmd",
    "one/Module.symvers",
    "one/modules.order",
    "one/built-in.a",
    "one/.tmp_versions/one.mod",
    "one/one.c~",
    "one/.one.c.swp",
    ".DS_Store",
    "compile_commands.json",
    "drivers.out/plan.json",
    "drivers.out/one/Dockerfile",
    "old/one/Dockerfile",
];

const SEALED: &str = "# drvc-seal 00\nFROM scratch\n";

#[test]
fn nothing_that_is_no_input_changes_a_key() {
    let before = keys(&project());
    for path in NO_INPUT {
        for text in ["", "text\n", SEALED] {
            let mut files = project();
            files.insert((*path).to_owned(), text.to_owned());
            assert_eq!(changed(&before, &keys(&files)), BTreeSet::new(), "{path} {text:?}");
        }
    }
    let mut files = project();
    files.insert("anywhere/sealed.yml".to_owned(), SEALED.to_owned());
    files.insert("copied/plan.json".to_owned(), "{\"seal\": \"00\",\n}".to_owned());
    files.insert("copied/edited".to_owned(), "by hand".to_owned());
    assert_eq!(changed(&before, &keys(&files)), BTreeSet::new());
}

/// One edit of the project.
#[derive(Clone, Debug)]
enum Edit {
    /// A file that is no input, with some text.
    NoInput(usize, String),
    /// A file of a source, at one of [`PLACES`].
    Input(usize, String),
    Remove(usize),
    Comment(u8),
    AddKernel,
    Patch(String),
    Template(u8),
}

/// Places of inputs. Whoever holds them is told by [`sees`].
const PLACES: &[&str] = &[
    "one/one.c",
    "one/more.c",
    "one/a b(1).h",
    "include/é.h",
    "include/one.h",
    "Makefile",
    "firmware/one.bin",
    "firmware/two.bin",
    "blobs/two.c",
    "blobs/vendor.o",
    "blobs/vendor.o_shipped",
];

/// The oracle: whether a build of this target could see what stands at a path.
fn sees(target: &str, path: &str) -> bool {
    let self_holds = path != "blobs/vendor.o";
    let (blobs, firmware) = (path.starts_with("blobs/"), path.starts_with("firmware/"));
    if target.starts_with("one/") { self_holds } else { blobs || firmware }
}

fn edit() -> impl Strategy<Value = Edit> {
    let text = "[a-c]{0,3}";
    prop_oneof![
        4 => (0..NO_INPUT.len(), text).prop_map(|(at, text)| Edit::NoInput(at, text)),
        4 => (0..PLACES.len(), text).prop_map(|(at, text)| Edit::Input(at, text)),
        2 => (0..PLACES.len()).prop_map(Edit::Remove),
        1 => any::<u8>().prop_map(Edit::Comment),
        1 => Just(Edit::AddKernel),
        1 => text.prop_map(Edit::Patch),
        1 => (0..2_u8).prop_map(Edit::Template),
    ]
}

fn apply(files: &mut Files, edit: &Edit) {
    match edit {
        Edit::NoInput(at, text) => drop(files.insert(NO_INPUT[*at].to_owned(), text.clone())),
        Edit::Input(at, text) => drop(files.insert(PLACES[*at].to_owned(), text.clone())),
        Edit::Remove(at) => drop(files.remove(PLACES[*at])),
        Edit::Comment(n) => drop(files.insert("drivers.kdl".to_owned(), format!("{MANIFEST}// {n}\n"))),
        Edit::AddKernel => {
            drop(files.insert("kernels.txt".to_owned(), format!("{KERNELS}6.1.0-20-amd64\n")));
        }
        Edit::Patch(text) => drop(files.insert("fixes/twelve.patch".to_owned(), format!("--- a/{text}\n"))),
        Edit::Template(n) => {
            let lines = "# comment\n".repeat((*n).into());
            drop(files.insert(
                "templates/fetch.hbs".to_owned(),
                format!("FROM {{{{base}}}} AS fetch\n{{{{> install}}}}\n{lines}"),
            ));
        }
    }
}

/// Whether a build of a target could see that the second is not the first.
fn could_see(target: &str, before: &Files, after: &Files) -> bool {
    let differs = |path: &str| before.get(path) != after.get(path);
    PLACES.iter().any(|path| differs(path) && sees(target, path))
        || (target.starts_with("one/debian-12") && differs("fixes/twelve.patch"))
}

proptest! {
    #![proptest_config(crate::trials(48))]
    #[test]
    fn a_key_changes_exactly_where_a_build_could_see_the_change(edits in prop::collection::vec(edit(), 1..8)) {
        let mut files = project();
        let mut before = keys(&files);
        for edit in edits {
            let old = files.clone();
            apply(&mut files, &edit);
            let after = keys(&files);
            let expected: BTreeSet<_> =
                before.keys().filter(|target| could_see(target, &old, &files)).cloned().collect();
            let found: BTreeSet<_> =
                changed(&before, &after).into_iter().filter(|id| after.contains_key(id)).collect();
            prop_assert_eq!(found, expected.into_iter().filter(|id| after.contains_key(id)).collect(), "{:?}", edit);
            before = after;
        }
    }
}

#[test]
fn what_cannot_be_taken_is_named() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    for name in ["good", "two\nlines", "ignored\nname"] {
        std::fs::write(at(name), "").unwrap();
    }
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9.c");
    std::fs::write(home.path().join(odd), "").unwrap();
    std::fs::write(at("pointer"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n").unwrap();
    std::fs::write(at("key.pem"), "-----BEGIN PRIVATE KEY-----\nMII\n").unwrap();
    let socket = std::os::unix::net::UnixListener::bind(at("socket"));
    assert!(socket.is_ok());
    let disk = Disk::open(camino::Utf8Path::from_path(home.path()).unwrap()).unwrap();
    let rules = Rules::new(&[], &["ignored*".to_owned()]).unwrap();
    let walked = walk(&Reader::new(&disk), &RelPath::root(), &rules);
    assert_eq!(walked.files.len(), 1);
    let refused = [
        ("caf\u{fffd}.c", Refusal::Encoding),
        ("key.pem", Refusal::PrivateKey),
        ("pointer", Refusal::LfsPointer),
        ("socket", Refusal::Special),
        ("two\nlines", Refusal::Name),
    ];
    assert_eq!(walked.refused, refused.map(|(path, why)| (path.to_owned(), why)));
    let none = walk(&Reader::new(&disk), &RelPath::parse("none").unwrap(), &rules);
    assert_eq!(none.refused, [("none".to_owned(), Refusal::Unreadable(ReadError::Absent))]);
    // The globs that the report names leave the odd ones out.
    let ignore = ["/caf???.c", "/two?lines", "/key.pem", "/pointer", "/socket", "ignored*"];
    let rules = Rules::new(&[], &ignore.map(str::to_owned)).unwrap();
    assert_eq!(walk(&Reader::new(&disk), &RelPath::root(), &rules).refused, []);
}
