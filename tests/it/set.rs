//! Values of the command line in place of the manifest's.

use crate::project::Project;

const SET: [&str; 2] = ["--set", "project.registry=registry.lan/x"];

#[test]
fn a_value_of_the_command_line_takes_the_place_of_the_manifests() {
    let project = Project::new();
    project.run(&["compile"]);
    let keys = project.read("drivers.out/keys");
    let ended = project.run(&[&["compile"], &SET[..]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let plan = project.read("drivers.out/plan.json");
    assert!(plan.contains("\"set\": [\"project.registry=registry.lan/x\"]"), "{plan}");
    assert!(plan.contains("registry.lan/x/example:6.1.0-18-amd64"), "{plan}");
    assert_eq!(keys, project.read("drivers.out/keys"));
    assert_eq!(project.run(&[&["compile", "--check"], &SET[..]].concat()).code, Some(0));
    let told = project.run(&["compile", "--check"]);
    let expected =
        "drivers.out was compiled with `--set project.registry=registry.lan/x`, and this is without `--set`";
    assert!(told.code == Some(3) && told.stderr.contains(expected), "{}", told.stderr);
    assert!(project.run(&["plan"]).stdout.contains(expected));
}

#[test]
fn what_is_set_is_held_to_the_language() {
    let project = Project::new();
    for (setting, expected) in [
        ("project.regist=x", "did you mean `project.registry`?"),
        ("project.version", "has no `=`"),
        ("image.tag=x", "`image.tag` cannot be set"),
        ("signing.hash=md5", "unknown-value"),
        ("signing.certificate=keys/x.pem", "missing-node"),
    ] {
        let ended = project.run(&["check", "--set", setting]);
        assert!(ended.stderr.contains(expected), "{setting}: {}", ended.stderr);
    }
    project
        .write("drivers.kdl", &project.read("drivers.kdl").replace("    registry \"quay.io/example\"\n", ""));
    let told = project.run(&["plan", "--full", "--set", "project.registry=registry.lan/x"]);
    assert!(told.stdout.contains("registry.lan/x/example"), "{}{}", told.stdout, told.stderr);
}
