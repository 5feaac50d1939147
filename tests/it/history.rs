//! A git history against the work tree: exactly the targets are listed whose outputs differ between two clean
//! compilations.

use crate::project::{Ended, LOCK, Project, ended};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const MANIFEST: &str = r#"drvc edition=1
project "example" {
    registry "quay.io/example"
}
profile "debian" "os/debian.kdl"
template "fetch" "os/fetch.hbs"
toolkit "kit"
source "mine" {
    path "mine"
}
source "theirs" {
    git "https://example.com/theirs.git" commit="1111111111111111111111111111111111111111"
    on kernel="6.1.0-20-*" {
        patch "patches/twenty.patch"
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
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64" "6.1.0-20-cloud-amd64"
        kernel from="kernels.txt"
    }
    os "rhel" "9.4" {
        kernel "5.14.0-427.13.1.el9_4.x86_64"
    }
    os "debian" "13" {
        kernel "6.12.57+deb13-amd64"
        builder "toolkit"
    }
}
"#;

/// A repository whose project lies in `sub`, so that paths of git are not those of the project.
struct Repository(Project);

impl Repository {
    fn new() -> Self {
        let project = Project::new();
        for file in ["drivers.kdl", "drivers.lock", "driver/Kbuild", "driver/example.c"] {
            std::fs::remove_file(project.path(file)).unwrap();
        }
        let repository = Self(project);
        repository.git(&["init", "-q", "-b", "main", "."]);
        for (path, text) in [
            ("README", "not of any project\n"),
            ("sub/drivers.kdl", MANIFEST),
            ("sub/drivers.lock", LOCK),
            ("sub/kernels.txt", "6.1.0-21-rt-amd64\n"),
            ("sub/os/debian.kdl", "profile edition=1 extends=\"debian\"\n"),
            ("sub/os/fetch.hbs", "FROM {{base}} AS fetch\n{{> install}}\n"),
            ("sub/patches/twenty.patch", "--- a/x\n+++ b/x\n"),
            ("sub/mine/Kbuild", "obj-m := mine.o\n"),
            ("sub/mine/mine.c", "int x;\n"),
            ("sub/mine/.gitignore", "*.o\n"),
        ] {
            repository.0.write(path, text);
        }
        repository.commit();
        repository
    }

    fn git(&self, words: &[&str]) -> String {
        self.0.git(words)
    }

    fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn drvc(&self, words: &[&str]) -> Ended {
        self.0.run(&[&["-C", "sub"], words].concat())
    }

    /// Each target with the digest of its Dockerfile and of what its build sees, of a fresh clone at a commit.
    fn clean(&self, commit: &str) -> BTreeMap<String, String> {
        let clone = tempfile::tempdir().unwrap();
        let at = clone.path().to_str().unwrap().to_owned();
        self.git(&["clone", "-q", "--no-checkout", ".", &at]);
        self.git(&["-C", &at, "checkout", "-q", commit]);
        outputs(&format!("{at}/sub"))
    }

    /// The targets that `drvc diff` lists, with their status.
    fn diff(&self, revision: &str) -> BTreeMap<String, String> {
        let run = self.drvc(&["diff", revision, "--format", "json"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let diff = crate::commands::validate("diff", &run.stdout);
        let targets = diff["targets"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        targets.map(|one| (text(&one["target"]), text(&one["status"]))).collect()
    }
}

impl Repository {
    /// The targets that `drvc matrix --since` lists.
    fn matrix(&self, revision: &str) -> Vec<String> {
        let run = self.drvc(&["matrix", "--since", revision, "--format", "json"]);
        let matrix = crate::commands::validate("matrix", &run.stdout);
        let targets = matrix["targets"].as_array().unwrap().iter();
        targets.map(|id| id.as_str().unwrap().to_owned()).collect()
    }
}

/// Compiles a directory and reads what each target's build gets.
fn outputs(directory: &str) -> BTreeMap<String, String> {
    let mut drvc = Command::new(env!("CARGO_BIN_EXE_drvc"));
    let run = ended(drvc.args(["-C", directory, "compile"]).env_clear());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let out = format!("{directory}/drivers.out");
    let plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{out}/plan.json")).unwrap()).unwrap();
    let targets = plan["targets"].as_array().unwrap().iter().map(|target| {
        let id = target["id"].as_str().unwrap().to_owned();
        let dockerfile = std::fs::read_to_string(format!("{out}/{id}/Dockerfile")).unwrap();
        let ignore = std::fs::read_to_string(format!("{out}/{id}/Dockerfile.dockerignore")).unwrap();
        let lists = target["contexts"].as_array().into_iter().flatten();
        let lists = lists.flat_map(|name| plan["contexts"][name.as_str().unwrap()].as_array().unwrap());
        let files = lists.map(|file| file["path"].as_str().unwrap()).map(|file| {
            let path = format!("{directory}/{file}");
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o100;
            format!("{file} {mode} {}", blake3::hash(&std::fs::read(&path).unwrap()))
        });
        let files: Vec<_> = files.collect();
        (id, format!("{dockerfile}{ignore}{}", files.join("\n")))
    });
    targets.collect()
}

fn expected(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ids: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let status = |id: &String| match (old.get(id), new.get(id)) {
        (None, _) => Some("new"),
        (_, None) => Some("gone"),
        (old, new) if old != new => Some("changed"),
        _ => None,
    };
    ids.into_iter().filter_map(|id| Some((id.clone(), status(id)?.to_owned()))).collect()
}

type Edit = fn(&Project);

/// A history of manifest, lock, source, profile and template changes, and of changes of none of these.
const HISTORY: &[(&str, Edit)] = &[
    ("a byte of a source", |it| it.edit("sub/mine/mine.c", "int x", "int y")),
    ("a comment in the manifest", |it| {
        it.edit("sub/drivers.kdl", "matrix {", "// What we support.\nmatrix {")
    }),
    ("a file outside the project", |it| it.write("README", "still not\n")),
    ("a kernel", |it| {
        it.edit("sub/drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-22-amd64\"")
    }),
    ("a kernel in the list", |it| it.write("sub/kernels.txt", "6.1.0-21-rt-amd64\n6.1.0-23-rt-amd64\n")),
    ("a digest in the lock", |it| it.edit("sub/drivers.lock", "sha256:1", "sha256:9")),
    ("the commit of a source", |it| it.edit("sub/drivers.kdl", "commit=\"1", "commit=\"2")),
    ("a patch", |it| it.edit("sub/patches/twenty.patch", "/x", "/y")),
    ("a new file of a source", |it| it.write("sub/mine/more.c", "int more;\n")),
    ("a file that is ignored", |it| it.write("sub/mine/mine.o", "object\n")),
    ("an executable file", |it| {
        let file = it.path("sub/mine/Kbuild");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }),
    ("a package in the profile", |it| {
        it.write("sub/os/debian.kdl", "profile edition=1 extends=\"debian\"\nruntime \"kmod\" \"procps\"\n");
    }),
    ("an instruction in the template", |it| {
        it.edit("sub/os/fetch.hbs", "{{> install}}\n", "{{> install}}\nRUN true\n")
    }),
    ("a comment in the template", |it| it.edit("sub/os/fetch.hbs", "FROM", "# A comment.\nFROM")),
    ("the tag of an image", |it| {
        it.edit("sub/drivers.kdl", "load \"mine\"", "load \"mine\"\n    tag \"v1-{kernel}\"")
    }),
    ("a label", |it| {
        it.edit("sub/drivers.kdl", "load \"theirs\"", "load \"theirs\"\n    label example=\"1\"")
    }),
    ("an option for some kernels", |it| {
        it.edit(
            "sub/drivers.kdl",
            "load \"mine\"",
            "load \"mine\"\n    on flavor=\"rt\" { option \"mine\" debug=\"1\"; }",
        );
    }),
    ("a file of a source is gone", |it| std::fs::remove_file(it.path("sub/mine/more.c")).unwrap()),
    ("what the source ignores", |it| it.write("sub/mine/.gitignore", "*.o\nnotes\n")),
    ("what the manifest ignores", |it| it.write("sub/.gitignore", "/mine/scratch\n")),
    ("an exclude", |it| {
        it.edit(
            "sub/drivers.kdl",
            "    os \"rhel\"",
            "    exclude flavor=\"rt\" image=\"both\" reason=\"no such hosts\"\n    os \"rhel\"",
        );
    }),
    ("a kernel is gone", |it| it.edit("sub/drivers.kdl", " \"6.1.0-22-amd64\"", "")),
    ("another registry", |it| it.edit("sub/drivers.kdl", "quay.io/example", "quay.io/other")),
    ("the version", |it| it.edit("sub/drivers.kdl", "    registry", "    version \"2\"\n    registry")),
    ("a package of the toolkit", |it| {
        it.edit("sub/drivers.kdl", "toolkit \"kit\"", "toolkit \"kit\" { packages \"gdb\"; }")
    }),
    ("another toolkit of the profile", |it| {
        it.write("sub/os/debian.kdl", "profile edition=1 extends=\"debian\"\ntools \"gcc\" \"make\"\n");
    }),
    ("another builder", |it| it.edit("sub/drivers.kdl", "        builder \"toolkit\"\n", "")),
    ("an image is renamed", |it| it.edit("sub/drivers.kdl", "image \"mine\"", "image \"ours\"")),
];

#[test]
fn a_history_differs_in_exactly_the_targets_whose_outputs_differ() {
    let repository = Repository::new();
    let mut commits = vec![repository.git(&["rev-parse", "HEAD"])];
    let mut outputs = vec![repository.clean("HEAD")];
    let mut silent = 0;
    for (what, edit) in HISTORY {
        edit(&repository.0);
        let before = outputs.last().unwrap();
        // What is not committed yet counts like what is.
        let dirty = repository.diff("HEAD");
        commits.push(repository.commit());
        let after = repository.clean("HEAD");
        let wanted = expected(before, &after);
        silent += usize::from(wanted.is_empty());
        assert_eq!(dirty, wanted, "{what}, before it is committed");
        assert_eq!(repository.diff("HEAD~1"), wanted, "{what}");
        let to_build = wanted.iter().filter(|(_, status)| *status != "gone").map(|(id, _)| id.clone());
        assert_eq!(repository.matrix("HEAD~1"), to_build.collect::<Vec<_>>(), "{what}");
        outputs.push(after);
    }
    assert!(HISTORY.len() >= 20 && silent >= 4, "{silent} changes changed nothing");
    for (commit, before) in commits.iter().zip(&outputs) {
        assert_eq!(repository.diff(commit), expected(before, outputs.last().unwrap()), "since {commit}");
    }
    assert!(!repository.0.path("sub/drivers.out").exists(), "something was written");
}

#[test]
fn diff_tells_the_first_reason() {
    let repository = Repository::new();
    repository.drvc(&["diff", "HEAD"]).expect(0, "no target differs from HEAD (", "1 drift");
    repository.drvc(&["diff", "HEAD", "--format", "markdown"]).expect(
        0,
        "No driver image differs from",
        "1 drift",
    );
    repository.0.edit("sub/patches/twenty.patch", "/x", "/y");
    repository.0.edit(
        "sub/drivers.kdl",
        "    os \"rhel\" \"9.4\" {\n        kernel \"5.14.0-427.13.1.el9_4.x86_64\"\n    }\n",
        "",
    );
    let run = repository.drvc(&["diff", "main"]);
    run.expect(0, "changed  both/debian-12-x86_64/6.1.0-20-cloud-amd64", "1 drift");
    run.expect(0, "`patches/twenty.patch` of `source-theirs` has other content\n", "1 drift");
    run.expect(0, "gone     mine/rhel-9.4-x86_64/5.14.0-427.13.1.el9_4.x86_64\n", "1 drift");
    run.expect(0, "\n1 target changed, 2 gone since main (", "1 drift");
    let run = repository.drvc(&["diff", "main", "--format", "markdown"]);
    run.expect(0, "**1 target changed, 2 gone** since <code>main</code> (", "1 drift");
    run.expect(
        0,
        "| 1 | changed | <code>patches/twenty.patch</code> of <code>source-theirs</code> has",
        "1 drift",
    );
    repository.0.edit("sub/drivers.kdl", "load \"mine\"", "load \"mine\"\n    tag \"v1-{kernel}\"");
    repository.drvc(&["diff", "main"]).expect(
        0,
        "pushed as `quay.io/example/mine:v1-6.1.0-18-amd64`, was `",
        "1 drift",
    );
}

#[test]
fn a_revision_that_is_not_there_is_an_error_that_says_what_to_fetch() {
    let repository = Repository::new();
    repository.0.edit("sub/mine/mine.c", "int x", "int y");
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.commit();
    let run = repository.drvc(&["diff", "nowhere"]);
    run.expect(4, "", "cannot find the revision `nowhere`: this clone does not have it");
    run.expect(4, "", "help: name a branch, a tag or a commit");
    repository.drvc(&["diff", "--", "--upload-pack=true"]).expect(4, "", "cannot find the revision");

    let clone = tempfile::tempdir().unwrap();
    let at = clone.path().to_str().unwrap();
    let origin = format!("file://{}", repository.0.path(""));
    repository.git(&["clone", "-q", "--depth=1", &origin, at]);
    let in_clone = |words: &[&str]| {
        let mut drvc = Command::new(env!("CARGO_BIN_EXE_drvc"));
        ended(drvc.args(["-C", &format!("{at}/sub")]).args(words).env_clear())
    };
    in_clone(&["diff", &first]).expect(4, "", &format!("`git fetch --depth=1 origin {first}`"));
    repository.git(&["-C", at, "fetch", "-q", "--depth=1", "origin", &first]);
    in_clone(&["diff", &first]).expect(0, "`mine/mine.c` of `source-mine` has other content", "1 drift");
    repository.git(&["-C", at, "checkout", "-q", "--detach"]);
    repository.git(&["-C", at, "branch", "-q", "-D", "main"]);
    in_clone(&["diff", "main"]).expect(4, "", "help: `origin/main` is there: name that");
}

#[test]
fn without_a_repository_or_a_manifest_in_it() {
    let project = Project::new();
    let run = project.run(&["diff", "HEAD"]);
    run.expect(4, "", "cannot find the git repository of `.`: not a git repository");
    let repository = Repository::new();
    repository.0.edit("sub/drivers.kdl", "os \"debian\"", "os \"debain\"");
    repository.commit();
    repository.0.edit("sub/drivers.kdl", "os \"debain\"", "os \"debian\"");
    let run = repository.drvc(&["diff", "HEAD"]);
    run.expect(0, "\n10 targets new since HEAD (", "every target counts as new\n");
    run.expect(0, "new", "has 1 error: unknown distribution `debain`; every target counts as new\n");
}

#[test]
fn what_git_has_besides_files_is_named() {
    let repository = Repository::new();
    std::os::unix::fs::symlink("mine.c", repository.0.path("sub/mine/link.c")).unwrap();
    repository.commit();
    std::fs::remove_file(repository.0.path("sub/mine/link.c")).unwrap();
    repository.drvc(&["diff", "HEAD"]).expect(0, "`mine/link.c` of `source-mine` is gone", "1 drift");
    let head = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub/mine/module")]);
    repository.git(&["rm", "-q", "--cached", "sub/mine/link.c"]);
    repository.git(&["commit", "-q", "-m", "a submodule"]);
    repository.drvc(&["diff", "HEAD"]).expect(0, "10 targets new", "it is in a git submodule");
}
