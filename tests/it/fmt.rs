//! `drvc fmt` from end to end, and the manifests of this repository as it would have them.

use crate::project::{MANIFEST, Project, ended};
use crate::repository;
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn a_manifest_is_laid_out_in_place() {
    let project = Project::new();
    project.run(&["fmt"]).expect(0, "", "1 file in layout\n");
    project.edit("drivers.kdl", "    path \"driver\"", "path   \"driver\"; // ours");
    let run = project.run(&["fmt", "--check"]);
    run.expect(3, "", "1 file out of layout; `drvc fmt` settles it\n");
    run.expect(3, "", "--- a/drivers.kdl\n+++ b/drivers.kdl\n");
    run.expect(3, "", "\n-path   \"driver\"; // ours\n+    path \"driver\" // ours\n");
    project.run(&["fmt"]).expect(0, "", "1 file laid out\n");
    assert_eq!(project.read("drivers.kdl"), MANIFEST.replace("path \"driver\"", "path \"driver\" // ours"));
    project.run(&["fmt", "--check"]).expect(0, "", "1 file in layout\n");
}

#[test]
fn what_is_no_kdl_stays_as_it_is() {
    let project = Project::new();
    project.write("wrong.kdl", "a   true");
    project.write("right.kdl", "a   1");
    let run = project.run(&["fmt", "wrong.kdl", "right.kdl"]);
    run.expect(1, "", "error[bare-keyword]");
    run.expect(1, "", "1 file laid out\n");
    assert_eq!(
        (project.read("wrong.kdl").as_str(), project.read("right.kdl").as_str()),
        ("a   true", "a 1\n")
    );
    std::fs::write(project.path("bytes.kdl"), b"a \xff").unwrap();
    project.run(&["fmt", "bytes.kdl"]).expect(1, "", "`bytes.kdl` is not UTF-8 text");
    project.run(&["fmt", "none.kdl"]).expect(4, "", "cannot read `none.kdl`: no such file");
    std::os::unix::fs::symlink("right.kdl", project.path("link.kdl")).unwrap();
    project.run(&["fmt", "link.kdl"]).expect(4, "", "a symbolic link is not followed");
}

#[test]
fn editors_use_the_standard_streams() {
    let project = Project::new();
    let run = |args: &[&str], text: &str| {
        let mut command = project.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(run(&["fmt", "-"], "a{b}"), (Some(0), "a {\n    b\n}\n".to_owned(), String::new()));
    let (code, stdout, stderr) = run(&["fmt", "--check", "-"], "a  b");
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("-a  b\n"), "{stderr}");
    assert!(ended(&mut project.command(&["fmt", "--help"])).stdout.contains("Exit code 0"));
}

#[test]
fn manifests_of_this_repository_are_laid_out() {
    let mut seen = 0;
    for file in crate::files(&repository("examples")) {
        if file.extension() == Some("kdl") {
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(drvc::language::layout::format(&text).as_deref(), Ok(text.as_str()), "{file}");
            seen += 1;
        }
    }
    assert!(seen >= 4);
}
