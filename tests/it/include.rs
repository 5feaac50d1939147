//! Manifests of several files.

use crate::project::{MANIFEST, Project};

const PARTS: &str =
    "source \"driver\" {\n    path \"driver\"\n}\n\nmodule \"example\" {\n    source \"driver\"\n}\n";

/// The project with its source and module in `parts/common.kdl`, and the source's files beside that.
fn divided() -> Project {
    let project = Project::new();
    assert!(MANIFEST.contains(PARTS));
    project.write("drivers.kdl", &MANIFEST.replace(PARTS, "include \"parts/common.kdl\"\n"));
    project.write("parts/common.kdl", PARTS);
    project.write("parts/driver/Kbuild", "obj-m := example.o\n");
    project.write("parts/driver/example.c", "int other;\n");
    project
}

#[test]
fn an_included_file_is_read_in_its_place_and_its_paths_begin_at_it() {
    let project = divided();
    let ended = project.run(&["compile"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let dockerfile = project.read("drivers.out/example/debian-12-x86_64/6.1.0-18-amd64/Dockerfile");
    assert!(dockerfile.contains("parts/driver"), "{dockerfile}");
    project.write("drivers.kdl", &project.read("drivers.kdl").replace("parts/common", "./parts/common"));
    assert_eq!(project.run(&["compile", "--check"]).code, Some(0));
    project.write("drivers.kdl", &project.read("drivers.kdl").replace("./parts", "../parts"));
    assert!(project.run(&["check"]).stderr.contains("malformed-value"));
}

#[test]
fn an_included_file_is_part_of_freshness_and_no_source() {
    let project = divided();
    project.write("parts/common.kdl", &PARTS.replace("path \"driver\"", "path \".\" { include \"*\"; }"));
    project.write("parts/Kbuild", "obj-m := example.o\n");
    assert_eq!(project.run(&["compile"]).code, Some(0));
    assert_eq!(project.run(&["compile", "--check"]).code, Some(0));
    let before = project.read("drivers.out/keys");
    project.write("parts/common.kdl", &format!("// a comment\n{}", project.read("parts/common.kdl")));
    project.run(&["compile"]);
    assert_eq!(before, project.read("drivers.out/keys"));
    project.write(
        "parts/common.kdl",
        &PARTS.replace("source \"driver\"\n}", "source \"driver\"\n    packages \"bc\"\n}"),
    );
    assert_eq!(project.run(&["compile", "--check"]).code, Some(3));
}

#[test]
fn what_may_stand_once_is_reported_with_both_places() {
    let project = divided();
    project.write("parts/common.kdl", &format!("drvc edition=1\n\nproject \"other\"\n\n{PARTS}"));
    let told = project.run(&["check"]).stderr;
    assert!(told.contains("error[repeated-node]"), "{told}");
    assert!(told.contains("drivers.kdl:") && told.contains("parts/common.kdl:"), "{told}");
}

#[test]
fn an_include_ends() {
    let project = divided();
    project.write("parts/common.kdl", "include \"deep/more.kdl\"\n");
    project.write("parts/deep/more.kdl", PARTS);
    project.write("parts/deep/driver/Kbuild", "obj-m := example.o\n");
    assert_eq!(project.run(&["check"]).code, Some(0));
    project.write("parts/common.kdl", "include \"common.kdl\"\n");
    assert!(project.run(&["check"]).stderr.contains("`parts/common.kdl` includes itself"));
    project.write("parts/common.kdl", "include \"none.kdl\"\n");
    let told = project.run(&["check"]).stderr;
    assert!(told.contains("none.kdl") && !told.contains("missing-node"), "{told}");
    std::fs::remove_file(project.path("parts/common.kdl")).unwrap();
    std::os::unix::fs::symlink("deep/more.kdl", project.path("parts/common.kdl")).unwrap();
    let told = project.run(&["check"]);
    assert!(told.code == Some(1) && told.stderr.contains("link"), "{}", told.stderr);
}

#[test]
fn each_file_is_laid_out_by_its_own() {
    let project = divided();
    project.write("parts/common.kdl", &PARTS.replace("    path", "  path"));
    assert_eq!(project.run(&["fmt", "--check"]).code, Some(3));
    assert_eq!(project.run(&["fmt"]).code, Some(0));
    assert_eq!(project.read("parts/common.kdl"), PARTS);
}
