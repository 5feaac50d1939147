//! Each command from end to end: what it prints, what it writes, how it ends.

use crate::project::{LOCK, Project, TARGET};
use drvc::cli::JSON_SCHEMAS;

const GIT: (&str, &str) =
    ("    path \"driver\"\n", "    git \"https://example.com/driver.git\" branch=\"main\"\n");

/// Holds a JSON product to its schema.
#[track_caller]
pub fn validate(name: &str, product: &str) -> serde_json::Value {
    let value = serde_json::from_str(product).unwrap();
    let (_, schema) = JSON_SCHEMAS.iter().find(|(known, _)| *known == name).unwrap();
    let schema = serde_json::to_value(schema()).unwrap();
    let wrong: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    value
}

#[test]
fn check_reports_in_four_formats() {
    let project = Project::new();
    project.run(&["check"]).expect(0, "", "1 target\n");
    project.run(&["check", "--format", "github"]).expect(0, "", "");
    assert!(!project.path("drivers.out").exists());
    project.edit("drivers.kdl", "load \"example\"", "load \"exmaple\"");
    project.run(&["check"]).expect(1, "", "error[unknown-kmod]");
    project.run(&["check"]).expect(1, "", "\n1 error; `drvc explain unknown-kmod` tells more\n");
    project.run(&["check", "--format", "github"]).expect(1, "::error file=drivers.kdl,line=17,", "");
    let report = validate("report", &project.run(&["check", "--format", "json"]).stdout);
    assert_eq!(report["diagnostics"][0]["code"], "unknown-kmod");
    let sarif: serde_json::Value =
        serde_json::from_str(&project.run(&["check", "--format", "sarif"]).stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "unknown-kmod");
}

#[test]
fn every_mistake_is_reported_in_one_run() {
    let project = Project::new();
    project.edit("drivers.kdl", "    registry \"quay.io/example\"", "    registri \"quay.io/example\"");
    project.edit("drivers.kdl", "    source \"driver\"\n", "    source \"drivr\"\n");
    project.edit("drivers.kdl", "    load \"example\"", "    load \"example.ko\"");
    project.edit("drivers.kdl", "os \"debian\"", "os \"debain\"");
    project.write("drivers.lock", "version = 2\n");
    let report = validate("report", &project.run(&["check", "--format", "json"]).stdout);
    let codes: Vec<_> =
        report["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    let expected = ["unknown-node", "unknown-source", "malformed-value", "unknown-os", "newer-lock"];
    assert_eq!(codes, expected);
}

#[test]
fn without_a_manifest_the_way_to_one_is_told() {
    let project = Project::new();
    std::fs::create_dir_all(project.path("a/b")).unwrap();
    for command in ["check", "compile", "plan", "graph"] {
        let run = project.run(&["--manifest", "driver.kdl", command]);
        run.expect(4, "", "cannot read `driver.kdl`: no such file here, nor in a directory above");
        run.expect(4, "", "run `drvc init` for a first manifest");
        project.run(&["-C", "nowhere", command]).expect(4, "", "cannot open `nowhere`");
    }
}

#[test]
fn compile_writes_what_changed() {
    let project = Project::new();
    project.run(&["compile"]).expect(0, "", "1 target: 10 files written\n");
    project.edit("drivers.kdl", "quay.io/example", "quay.io/acme");
    let run = project.run(&["compile"]);
    run.expect(0, "", "1 image for 1 kernel: its Dockerfile is beneath drivers.out/\nnext: `drvc build`");
    project.run(&["compile"]).expect(0, "", "nothing changed: 1 target\n");
    project.run(&["compile", "--verify"]).expect(0, "", "1 target: nothing to write, 10 files unchanged\n");
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    project.run(&["compile"]).expect(0, "", "2 targets: 4 files written, 8 unchanged\n");
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\" ", "");
    project.run(&["compile"]).expect(0, "", "1 target: 2 files written, 8 unchanged, 2 deleted\n");
    project.edit("drivers.kdl", "source \"driver\"\n}", "source \"drive\"\n}");
    project.run(&["compile"]).expect(
        1,
        "",
        "1 error; `drvc explain unknown-source` tells more\nnothing was written\n",
    );
    assert_eq!(project.outputs().len(), 10);
}

#[test]
fn compile_keeps_what_is_not_drvcs() {
    let project = Project::new();
    project.run(&["compile"]).expect(0, "", "10 files written");
    let dockerfile = format!("drivers.out/{TARGET}/Dockerfile");
    project.edit(&dockerfile, "FROM", "# mine\nFROM");
    let run = project.run(&["compile"]);
    run.expect(3, "", "1 target: 0 files written, 9 unchanged, 1 kept\n");
    run.expect(3, "", &format!("kept `{dockerfile}`: not written by drvc, or edited since\n"));
    run.expect(3, "", "`drvc compile --force` overwrites");
    assert!(project.read(&dockerfile).contains("# mine"));
    project.run(&["compile"]).expect(3, "", "1 kept");
    project.run(&["compile", "--force"]).expect(0, "", "1 target: 1 file written, 9 unchanged\n");
    assert!(!project.read(&dockerfile).contains("# mine"));
}

#[test]
fn compile_check_lists_every_difference_and_writes_nothing() {
    let project = Project::new();
    let run = project.run(&["compile", "--check"]);
    run.expect(3, "", "1 target: 10 missing; `drvc compile` settles it\n");
    run.expect(3, "", &format!("missing: drivers.out/{TARGET}/Dockerfile\n--- /dev/null\n+++ "));
    assert!(!project.path("drivers.out").exists());
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    project.run(&["compile"]).expect(0, "", "2 targets");
    project.run(&["compile", "--check"]).expect(0, "", "2 targets: all files are up to date\n");
    std::fs::remove_dir_all(project.path("drivers.out/.drvc")).unwrap();
    let before = project.outputs();
    project.edit("drivers.kdl", " \"6.1.0-20-amd64\"", "");
    project.edit(&format!("drivers.out/{TARGET}/Dockerfile"), "FROM", "# mine\nFROM");
    std::fs::remove_file(project.path(&format!("drivers.out/{TARGET}/Dockerfile.dockerignore"))).unwrap();
    let run = project.run(&["compile", "--check"]);
    run.expect(3, "", "1 target: 2 stale, 1 missing, 1 foreign, 2 leftover; `drvc compile` settles it\n");
    run.expect(3, "", "\n-# mine\n");
    run.expect(3, "", "stale: drivers.out/plan.json\n");
    run.expect(3, "", "leftover: drivers.out/example/debian-12-x86_64/6.1.0-20-amd64/Dockerfile\n");
    assert_eq!(project.outputs().len(), before.len() - 1);
    assert!(!project.path("drivers.out/.drvc").exists());
}

#[test]
fn locked_insists_on_the_lock() {
    let project = Project::new();
    project.edit("drivers.kdl", GIT.0, GIT.1);
    project.run(&["compile", "--locked"]).expect(3, "", "nothing was written: drivers.lock is out of date\n");
    assert!(!project.path("drivers.out").exists());
    project.run(&["compile"]).expect(0, "", "1 target: 10 files written (1 drift)\n");
    project.run(&["compile"]).expect(0, "", "nothing changed: 1 target (1 drift)\n");
    let run = project.run(&["compile", "--locked"]);
    run.expect(3, "", "drift[unpinned-source]");
    run.expect(3, "", "nothing was written: drivers.lock is out of date\n");
    let run = project.run(&["compile", "--check"]);
    run.expect(3, "", "1 target: all files are up to date, but drivers.lock is not (1 drift)\n");
    let commit = "0123456789012345678901234567890123456789";
    let pin = format!(
        "\n[[git]]\nurl = \"https://example.com/driver.git\"\nreference = \"refs/heads/main\"\ncommit = \"{commit}\"\n"
    );
    project.write("drivers.lock", &crate::lock::sealed(&(LOCK.to_owned() + &pin)));
    project.run(&["compile", "--locked"]).expect(0, "", "1 target: 3 files written, 7 unchanged\n");
    project.run(&["compile", "--locked"]).expect(0, "", "nothing changed: 1 target\n");
    project.edit("drivers.kdl", GIT.1, GIT.0);
    project.run(&["compile", "--locked"]).expect(3, "", "drift[unused-lock-entry]");
    project.edit("drivers.kdl", "load \"example\"", "load \"exmaple\"");
    project.run(&["compile", "--locked"]).expect(1, "", "\nnothing was written\n");
}

#[test]
fn kernels_that_the_lock_lacks_are_an_error_or_drift() {
    let project = Project::new();
    project.edit("drivers.kdl", "kernel \"6.1.0-18-amd64\"", "kernel latest=1");
    project.run(&["check"]).expect(1, "", "error[unlocked-kernels]");
    project.run(&["compile"]).expect(1, "", "error[unlocked-kernels]");
    project.run(&["compile", "--locked"]).expect(3, "", "error[unlocked-kernels]");
    project.run(&["compile", "--check"]).expect(3, "", "error[unlocked-kernels]");
    project.edit("drivers.kdl", "load \"example\"", "load \"example.ko\"");
    project.run(&["compile", "--locked"]).expect(1, "", "error[malformed-value]");
}

#[test]
fn outputs_go_where_they_are_told_to_and_nowhere_else() {
    let project = Project::new();
    project.run(&["compile", "-o", "build/images/"]).expect(0, "", "1 target: 10 files written\n");
    assert!(project.path(&format!("build/images/{TARGET}/Dockerfile")).exists());
    assert!(!project.path("drivers.out").exists());
    for out in ["/tmp/images", "../images", "."] {
        project.run(&["compile", "-o", out]).expect(2, "", "invalid value");
    }
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    project.run(&["compile", "--max-targets", "1"]).expect(1, "", "error[too-many-targets]");
}

#[test]
fn plan_lists_targets_and_what_is_excluded() {
    let project = Project::new();
    let kernels = "\"6.1.0-18-amd64\" \"6.1.0-18-rt-amd64\"";
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", kernels);
    project.edit("drivers.kdl", "matrix {", "matrix {\n    exclude flavor=\"rt\" reason=\"not tested\"");
    project.run(&["plan"]).expect(0, &format!("{TARGET}  to compile\n"), "");
    let table = project.run(&["plan", "--full"]);
    table.expect(0, &format!("{TARGET}  distro"), "");
    table.expect(0, "quay.io/example/example:6.1.0-18-amd64\n", "");
    table.expect(0, "*/debian-12-x86_64/6.1.0-18-rt-amd64  not tested\n", "");
    table.expect(0, "\n1 target: 1 to compile, 0 up to date, 1 excluded\n", "");
    let plan = validate("plan", &project.run(&["plan", "--format", "json"]).stdout);
    assert_eq!(plan["targets"][0]["id"], TARGET);
    assert_eq!(plan["excluded"][0]["reason"], "not tested");
    project.run(&["compile"]).expect(0, "", "1 target");
    validate("plan", &project.read("drivers.out/plan.json"));
    project.edit("drivers.kdl", "module \"example\"\n    load", "module \"exmaple\"\n    load");
    project.run(&["plan"]).expect(1, "", "error[unknown-module]");
}

#[test]
fn graph_draws_in_three_languages() {
    let project = Project::new();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    project.run(&["graph"]).expect(0, "digraph drvc {\n", "");
    project.run(&["graph", "--format", "mermaid"]).expect(0, "flowchart LR\n", "");
    let all = validate("graph", &project.run(&["graph", "--format", "json"]).stdout);
    let one = validate("graph", &project.run(&["graph", "--format", "json", "6.1.0-20"]).stdout);
    let length = |graph: &serde_json::Value, what: &str| graph[what].as_array().unwrap().len();
    assert_eq!((length(&all, "targets"), length(&one, "targets")), (2, 1));
    // Base images, tools and the source are shared; each kernel has its own packages, module and image.
    assert_eq!(length(&all, "stages"), length(&one, "stages") + 3);
    project.run(&["graph", "6.1.0-19"]).expect(2, "", "no target is called `6.1.0-19`");
}

#[test]
fn targets_are_found_by_what_people_have_at_hand() {
    let project = Project::new();
    let kernels = "\"6.1.0-18-amd64\" \"6.1.0-18-rt-amd64\" \"6.1.0-1-amd64\"";
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", kernels);
    let dockerfile = format!("./drivers.out/{TARGET}/Dockerfile");
    let ways: [&[&str]; 6] = [
        &[TARGET],
        &[&dockerfile],
        &["quay.io/example/example:6.1.0-18-amd64"],
        &["6.1.0-18-amd64"],
        &["12", "6.1.0-18-amd64"],
        &["example", "18-amd64"],
    ];
    for words in ways {
        let args: Vec<&str> = ["why"].iter().chain(words).copied().collect();
        project.run(&args).expect(0, &format!("{TARGET}\n"), "");
    }
    project.run(&["why", "6.1.0"]).expect(2, "", "`6.1.0` could be 3 targets");
    let near = "example/debian-12-x86_64/6.1.0-18-amd46";
    project.run(&["why", near]).expect(2, "", &format!("did you mean `{TARGET}`?"));
    project.run(&["why"]).expect(2, "", "<TARGET>");
}

/// Compiles, applies edits, and gives the line of `why` on what changed and the two after it.
fn changed(edits: impl Fn(&Project)) -> String {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "    source \"driver\"\n",
        "    source \"driver\"\n    make \"modules\" V=\"1\"\n",
    );
    project.run(&["compile"]).expect(0, "", "10 files written");
    edits(&project);
    let why = validate("why", &project.run(&["why", TARGET, "--format", "json"]).stdout);
    assert_eq!(why["key"].as_str().unwrap().len(), 64);
    let text = project.run(&["why", TARGET]).stdout;
    text.lines().skip(1).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn why_tells_the_first_thing_that_changed() {
    let nothing = changed(|_| {});
    assert_eq!(nothing, "Nothing changed: the outputs have this key.");

    let instruction = changed(|project| {
        project.edit("drivers.kdl", "V=\"1\"", "V=\"0\"");
        project.edit(
            "drivers.kdl",
            "load \"example\"",
            "load \"example\"\n    option \"example\" debug=\"1\"",
        );
    });
    assert!(instruction.starts_with("Changed first: an instruction of stage `module-example`.\n"));
    assert!(instruction.contains("V='1'") && instruction.contains("V='0'"), "{instruction}");

    let file = changed(|project| project.edit("driver/example.c", "GPL", "GPL v2"));
    assert!(file.starts_with("Changed first: file `driver/example.c` of stage `source-driver`.\n"), "{file}");

    let added = changed(|project| project.write("driver/a.h", ""));
    assert!(added.contains("file `driver/a.h`") && added.contains("before  not there"), "{added}");
    let gone = changed(|project| std::fs::remove_file(project.path("driver/example.c")).unwrap());
    assert!(gone.contains("file `driver/example.c`") && gone.contains("after   not there"), "{gone}");

    let stage = changed(|project| {
        let other = "module \"other\" {\n    source \"driver\"\n}\n\nimage";
        project.edit("drivers.kdl", "image", other);
        project.edit("drivers.kdl", "    module \"example\"\n", "    module \"other\" \"example\"\n");
    });
    assert_eq!(stage, "Changed first: `module-other` is a new stage.");

    let base = changed(|project| project.edit("drivers.lock", "sha256:1", "sha256:9"));
    assert!(base.starts_with("Changed first: an instruction of stage `tools`."), "{base}");
    let kernel = changed(|project| project.edit("drivers.out/plan.json", "quay.io", "quay.oi"));
    assert_eq!(
        kernel,
        "There is nothing to compare with: `drivers.out/plan.json` was edited since drvc wrote it."
    );
    let never = changed(|project| project.run(&["clean"]).expect(0, "", "10 files deleted"));
    assert_eq!(never, "There is nothing to compare with: nothing was compiled here before.");
}

#[test]
fn clean_deletes_what_is_drvcs() {
    let project = Project::new();
    project.run(&["clean"]).expect(0, "", "0 files deleted in `drivers.out`\n");
    project.run(&["compile"]).expect(0, "", "10 files written");
    project.write("drivers.out/notes.txt", "mine");
    let run = project.run(&["clean"]);
    run.expect(0, "", "kept `drivers.out/notes.txt`: not written by drvc, or edited since\n");
    run.expect(0, "", "10 files deleted in `drivers.out`\n");
    assert_eq!(project.outputs().into_keys().collect::<Vec<_>>(), ["notes.txt"]);
    assert!(!project.path("drivers.out/.drvc").exists());
    // Without a manifest there may still be outputs.
    std::fs::remove_file(project.path("drivers.kdl")).unwrap();
    std::fs::remove_file(project.path("drivers.out/notes.txt")).unwrap();
    project.run(&["clean"]).expect(0, "", "0 files deleted");
}

#[test]
fn the_schema_of_the_manifest_is_printed_without_a_name() {
    let printed = Project::new().run(&["schema"]).stdout;
    assert_eq!(printed, std::fs::read_to_string(crate::repository("schema/drivers.schema.kdl")).unwrap());
}
