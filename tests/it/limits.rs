//! Limits of what a project may ask for, met from both sides: the rest of docs/limits.md is tested where the limit is.

use crate::project::Project;
use std::fmt::Write as _;

/// A chain of modules, each of which needs the one before.
fn chain(modules: usize) -> Project {
    let project = Project::example("06-build-here");
    let manifest = project.read("drivers.kdl");
    let (head, _) = manifest.split_once("\nmodule ").unwrap();
    let mut text = head.to_owned();
    for number in 0..modules {
        let needs = number.checked_sub(1).map(|before| format!("needs \"m{before}\"; ")).unwrap_or_default();
        let _ = write!(text, "\nmodule \"m{number}\" {{ source \"driver\"; {needs}}}");
    }
    let last = modules - 1;
    let _ = write!(text, "\nimage \"chain\" {{ module \"m{last}\"; load \"m{last}\"; }}\n");
    text += "matrix {\n    os \"debian\" \"12\" { kernel \"6.1.0-56-amd64\"; }\n}\n";
    project.write("drivers.kdl", &text);
    project
}

#[test]
fn modules_that_need_each_other_are_bounded() {
    let fine = chain(200).run(&["check"]);
    assert_eq!(fine.code, Some(0), "{}", fine.stderr);
    chain(202).run(&["check"]).expect(1, "", "exceeded-limit");
}

/// What `check` says of an ordinary manifest with these lines behind it.
fn said_of(lines: &str) -> String {
    let project = Project::new();
    let manifest = project.read("drivers.kdl");
    project.write("drivers.kdl", &(manifest + lines));
    project.run(&["check"]).stderr
}

#[test]
fn a_manifest_is_bounded() {
    let ordinary = Project::new().read("drivers.kdl");
    let nested = |depth: usize| "/- a {\n".to_owned() + &"a {\n".repeat(depth - 1) + &"}\n".repeat(depth);
    let padded = |bytes: usize| "/".repeat(bytes - ordinary.len() - 1) + "\n";
    // The manifest's own nodes and values, which count as well.
    let own = 20;
    let rows = [
        (padded(1 << 20), padded((1 << 20) + 1), "1048576 bytes"),
        (
            format!("/- a{}\n", " 1".repeat(29_900)),
            format!("/- a{}\n", " 1".repeat(30_000 - own)),
            "nodes and values",
        ),
        (nested(64), nested(65), "deep"),
        ("/- a {\n".repeat(4) + &"}\n".repeat(4), "/- a {\n".repeat(5) + &"}\n".repeat(5), "nested too deep"),
        (
            format!("/- a \"{}\"\n", "x".repeat((64 << 10) - 2)),
            format!("/- a \"{}\"\n", "x".repeat((64 << 10) - 1)),
            "65536 bytes",
        ),
    ];
    for (fits, beyond, words) in rows {
        let (fits, beyond) = (said_of(&fits), said_of(&beyond));
        assert!(!fits.contains("error"), "{words}: {fits}");
        assert!(
            beyond.contains("exceeded-limit") || beyond.contains("unreadable-manifest"),
            "{words}: {beyond}"
        );
        assert!(beyond.contains(words), "{words}: {beyond}");
    }
}

#[test]
fn targets_are_bounded() {
    let project = Project::new();
    let kernels: Vec<_> = (18..21).map(|number| format!("\"6.1.0-{number}-amd64\"")).collect();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", &kernels.join(" "));
    project.run(&["check", "--max-targets", "3"]).expect(0, "", "3 targets");
    project.run(&["check", "--max-targets", "2"]).expect(1, "", "--max-targets");
}

#[test]
fn what_is_imported_is_bounded() {
    let module = "apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata: { name: a }\n";
    let padded = |bytes: usize| module.to_owned() + "#" + &"x".repeat(bytes - module.len() - 2) + "\n";
    let documents = |count: usize| module.to_owned() + &"---\nkind: Other\n".repeat(count - 1);
    let brackets = |depth: usize| format!("{module}spec: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let rows = [
        (padded(1 << 20), padded((1 << 20) + 1), "1048576 bytes"),
        (documents(1000), documents(1001), "1000 documents"),
        (brackets(200), brackets(201), "200 deep"),
    ];
    for (fits, beyond, words) in rows {
        let import = |text: &str| {
            let project = Project::new();
            std::fs::remove_file(project.path("drivers.kdl")).unwrap();
            project.write("module.yaml", text);
            project.run(&["init", "--from", "module.yaml"]).stderr
        };
        let (fits, beyond) = (import(&fits), import(&beyond));
        assert!(!fits.contains(words), "{words}: {fits}");
        assert!(beyond.contains(words), "{words}: {beyond}");
    }
}

#[test]
fn comments_stand_in_each_other_as_deep_as_blocks_do() {
    let nested = |depth: usize| "/*".repeat(depth) + &"*/".repeat(depth) + "\n";
    assert!(!said_of(&nested(64)).contains("error"));
    for deep in [nested(65), nested(100_000), format!("/- a \\ {}", nested(100_000))] {
        let said = said_of(&deep);
        assert!(said.contains("exceeded-limit") && said.contains("comments nested too deep"), "{said}");
    }
}

#[test]
fn texts_that_have_nothing_in_common_are_compared_in_bounded_time() {
    let project = Project::new();
    let manifest = project.read("drivers.kdl");
    project.write("drivers.kdl", &(manifest + &"\n".repeat(500_000)));
    // Without a bound this does not come to an end.
    project.run(&["fmt", "--check"]).expect(3, "", "out of layout");
}
