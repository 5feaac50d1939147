//! What `plan`, `why`, `diff` and `matrix` say of targets that try an earlier kernel's modules.

use crate::commands::validate;
use crate::project::{LOCK, Project};
use serde_json::Value;

const MANIFEST: &str = r#"drvc edition=1
project "p" {
    registry "quay.io/p"
}
source "driver" {
    path "driver"
}
module "a" {
    source "driver"
}
image "i" {
    module "a"
    load "a"
    reuse "headers"
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-10-amd64" "6.1.0-11-amd64"
    }
}
"#;
/// The target that is compiled, and the one that tries its modules.
const FIRST: &str = "i/debian-12-x86_64/6.1.0-10-amd64";
const TRIED: &str = "i/debian-12-x86_64/6.1.0-11-amd64";

/// A project of two kernels that the lock does not tell apart, committed and compiled. The lock knows a third one, which is
/// like these, and a fourth, which is not.
fn project() -> Project {
    let project = Project::new();
    project.write("drivers.kdl", MANIFEST);
    let alike = Some([1, 1, 1, 1]);
    let kernels = [("10", alike), ("11", alike), ("12", alike), ("13", Some([2, 1, 2, 2]))];
    project.write("drivers.lock", &(LOCK.to_owned() + &crate::reuse::headers_in_lock(&kernels)));
    project.git(&["init", "-q", "-b", "main", "."]);
    project.git(&["add", "-A"]);
    project.git(&["commit", "-q", "-m", "a start"]);
    let compiled = project.run(&["compile"]);
    assert_eq!(compiled.code, Some(0), "{}", compiled.stderr);
    project
}

/// The lines of a product, without spaces at their ends.
fn said(project: &Project, words: &[&str]) -> Vec<String> {
    let run = project.run(words);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// What `why` says has changed in a target, and what `diff` says of it.
fn reasons(project: &Project, target: &str) -> (String, String) {
    let why = said(project, &["why", target]);
    let why = why.iter().skip(1).take_while(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("\n");
    let diff = said(project, &["diff", "HEAD"]);
    let of_target = diff.iter().find(|line| line.contains(target)).cloned().unwrap_or_default();
    let words = of_target.split_whitespace().filter(|word| *word != target);
    (why, words.collect::<Vec<_>>().join(" "))
}

fn matrix(project: &Project, format: &str) -> Value {
    serde_json::from_str(&said(project, &["matrix", "--since", "HEAD", "--format", format]).join("\n"))
        .unwrap()
}

#[test]
fn plan_says_which_modules_are_tried() {
    let project = project();
    let short = said(&project, &["plan"]);
    assert_eq!(short[0], format!("{FIRST}  compiled"));
    assert_eq!(short[1], format!("{TRIED}  compiled, tries the modules of 6.1.0-10-amd64"));
    let full = said(&project, &["plan", "--full"]);
    assert!(full[0].ends_with("  MODULES"), "{}", full[0]);
    let column = |target: &str| {
        let line = full.iter().find(|line| line.starts_with(target)).unwrap();
        line.split_at(full[0].find("MODULES").unwrap()).1.to_owned()
    };
    assert_eq!(column(FIRST), "compiled: it is the first of its chain");
    assert_eq!(column(TRIED), "those of 6.1.0-10-amd64 are tried (headers)");
    project.edit("drivers.kdl", "6.1.0-11-amd64", "6.1.0-13-amd64");
    let other = said(&project, &["plan", "--full"]).join("\n");
    assert!(other.contains("  compiled: its headers differ from those of 6.1.0-10-amd64\n"), "{other}");
    project.edit("drivers.kdl", "    reuse \"headers\"\n", "");
    assert!(!said(&project, &["plan", "--full"]).join("\n").contains("MODULES"));
}

#[test]
fn what_changes_the_sources_is_the_reason_for_all_that_try_them() {
    let project = project();
    assert_eq!(reasons(&project, TRIED).0, "Nothing changed: the outputs have this key.");
    project.write("driver/example.c", "int x;\n");
    for target in [FIRST, TRIED] {
        let (why, diff) = reasons(&project, target);
        assert!(why.starts_with("Changed first: file `driver/example.c` of stage `source-driver`."), "{why}");
        assert_eq!(diff, "changed `driver/example.c` of `source-driver` has other content");
    }
    let markdown = said(&project, &["diff", "HEAD", "--format", "markdown"]).join("\n");
    assert!(markdown.contains("| 2 | changed | <code>driver/example.c</code> of"), "{markdown}");

    // What changes the first kernel's image alone reaches the other one by its name.
    project.write("driver/example.c", "");
    project.git(&["checkout", "-q", "driver"]);
    project.edit(
        "drivers.kdl",
        "    reuse",
        "    on kernel=\"6.1.0-10-amd64\" {\n        label team=\"a\"\n    }\n    reuse",
    );
    assert!(reasons(&project, FIRST).1.contains("team"), "{}", reasons(&project, FIRST).1);
    let (why, diff) = reasons(&project, TRIED);
    assert!(why.starts_with("Changed first: an instruction of stage `reuse`.\n  before  "), "{why}");
    assert!(why.contains("6.1.0-10-amd64-") && !why.contains("not there"), "{why}");
    assert!(diff.starts_with("changed `reuse` has `…"), "{diff}");
}

#[test]
fn another_way_to_try_is_told_as_what_it_is() {
    let rows = [
        ("reuse \"headers\"", "reuse \"headers\" strict=#true", "`reuse`", "check-reuse headers --strict"),
        ("reuse \"headers\"", "reuse \"abi\"", "`reuse`", "check-reuse abi"),
        ("    reuse \"headers\"\n", "", "`module-a`", "FROM kernel AS module-a"),
        ("\"6.1.0-10-amd64\" ", "", "`module-a`", "FROM kernel AS module-a"),
        ("6.1.0-10-amd64", "6.1.0-9-amd64", "", ""),
    ];
    for (from, to, stage, after) in rows {
        let project = project();
        project.edit("drivers.kdl", from, to);
        let (why, _) = reasons(&project, TRIED);
        if stage.is_empty() {
            // A kernel that the lock does not know is no one's first, and this one is compiled.
            assert!(why.contains("FROM kernel AS module-a"), "{why}");
            continue;
        }
        assert!(why.starts_with(&format!("Changed first: an instruction of stage {stage}.\n")), "{why}");
        assert!(why.contains(after) && !why.contains("not there"), "{why}");
    }
    let project = project();
    project.edit("drivers.kdl", "    reuse \"headers\"\n", "");
    project.run(&["compile"]);
    project.edit("drivers.kdl", "    load \"a\"\n", "    load \"a\"\n    reuse \"headers\"\n");
    assert_eq!(reasons(&project, TRIED).0, "Changed first: `reuse` is a new stage.");
}

#[test]
fn why_lists_the_image_that_is_tried() {
    let project = project();
    let why = validate("why", &said(&project, &["why", TRIED, "--format", "json"]).join("\n"));
    let stages = why["stages"].as_array().unwrap();
    let reuse = stages.iter().find(|stage| stage["kind"] == "reuse").unwrap();
    let edges: Vec<_> = reuse["inputs"].as_array().unwrap().iter().map(|input| &input["edge"]).collect();
    assert_eq!(edges, ["from", "reuse"]);
    let first = validate("why", &said(&project, &["why", FIRST, "--format", "json"]).join("\n"));
    let key = first["key"].as_str().unwrap();
    assert_eq!(reuse["inputs"][1]["fingerprint"], key[..16]);
    assert!(
        said(&project, &["why", TRIED, "--full"]).contains(&format!("    reuse    {}  image-i", &key[..16]))
    );
}

#[test]
fn a_new_kernel_is_one_job_and_an_edit_brings_its_first_along() {
    let project = project();
    project.edit("drivers.kdl", "\"6.1.0-11-amd64\"", "\"6.1.0-11-amd64\" \"6.1.0-12-amd64\"");
    let new = TRIED.replace("-11-", "-12-");
    assert_eq!(reasons(&project, &new).1, "new");
    let json = validate("matrix", &matrix(&project, "json").to_string());
    assert_eq!(json["targets"], serde_json::json!([new]));
    assert_eq!(json["images"].as_array().unwrap().len(), 1);
    // Its first is no target of the file, and is taken from the registry.
    let bake = matrix(&project, "bake");
    let targets: Vec<_> = bake["target"].as_object().unwrap().values().collect();
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0].get("contexts"), None);

    project.write("driver/example.c", "int x;\n");
    let json = matrix(&project, "json");
    assert_eq!(json["targets"], serde_json::json!([FIRST, TRIED, new]));
    // One machine builds a whole chain.
    assert_eq!(json["images"].as_array().unwrap().len(), 1);
    assert_eq!(json["images"][0]["targets"], json["targets"]);
    let github = matrix(&project, "github");
    assert_eq!(github["images"]["include"].as_array().unwrap().len(), 1);
    let bake = matrix(&project, "bake");
    let of = |target: &str| {
        let name = target.replace(['/', '.'], "_");
        bake["target"][name].clone()
    };
    let reference = of(FIRST)["tags"][1].as_str().unwrap().to_owned();
    for target in [TRIED, &new] {
        let name = FIRST.replace(['/', '.'], "_");
        assert_eq!(of(target)["contexts"], serde_json::json!({ &*reference: format!("target:{name}") }));
    }
}
