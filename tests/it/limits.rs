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
