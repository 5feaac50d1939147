//! `drvc build` before an engine builds: which targets it chooses, and what it asks for first.
//!
//! The engine is a mock that has no images; real ones are the container tests' (docs/testing.md).

use crate::project::{Ended, MANIFEST, Project, TARGET, ended};
use std::os::unix::fs::PermissionsExt;

/// A project with a `podman` that has nothing, and writes down what it is asked for.
pub fn project() -> Project {
    let project = Project::new();
    project.write("bin/podman", "#!/bin/sh\necho \"$*\" >>asked\necho []\n");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path("bin/podman"), executable).unwrap();
    project
}

fn build(project: &Project, args: &[&str]) -> Ended {
    let path = format!("{}:/usr/bin:/bin", project.path("bin"));
    let args = [&["build", "--offline", "--dry-run"], args].concat();
    ended(project.command(&args).env("PATH", path).env("HOME", project.path("")))
}

/// The targets that a dry run would build.
fn chosen(project: &Project, args: &[&str]) -> Vec<String> {
    let run = build(project, args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let lines = run.stderr.lines().filter_map(|line| line.strip_prefix("would build "));
    lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn a_sample_is_the_oldest_and_the_newest_kernel_of_each_flavour() {
    let project = project();
    let kernels = r#"kernel "6.1.0-18-amd64" "6.1.0-9-amd64" "6.1.0-25-amd64" "6.1.0-25-cloud-amd64""#;
    project.edit("drivers.kdl", r#"kernel "6.1.0-18-amd64""#, kernels);
    let sample = ["6.1.0-9-amd64", "6.1.0-25-amd64", "6.1.0-25-cloud-amd64"];
    let mut seen = chosen(&project, &["--sample"]);
    let mut expected = sample.map(|kernel| format!("example/debian-12-x86_64/{kernel}"));
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(chosen(&project, &["--sample", "--target", "kernel=6.1.0-18-amd64"]), [TARGET]);
}

#[test]
fn a_selector_that_selects_nothing_is_a_mistake() {
    let project = project();
    build(&project, &["--target", "kernel=6.1.0-99-amd64"]).expect(
        2,
        "",
        "no target is selected by `kernel=6.1.0-99-amd64`",
    );
    build(&project, &["--target", "kernl=6.1.0-18-amd64"]).expect(2, "", "did you mean `kernel`?");
}

#[test]
fn only_what_is_not_as_in_a_revision_is_chosen() {
    let project = project();
    let two = MANIFEST.replace(
        "matrix {",
        "source \"other\" { path \"other\"; }\nmodule \"other\" { source \"other\"; }\nimage \"other\" { module \"other\"; }\nmatrix {",
    );
    project.write("drivers.kdl", &two);
    project.write("other/Kbuild", "obj-m := other.o\n");
    project.write("other/other.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n");
    for args in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "first"]] {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=e", "-c", "user.email=e@example.com"]).args(args);
        assert!(git.current_dir(project.path("")).status().unwrap().success());
    }
    assert_eq!(chosen(&project, &["--since", "HEAD"]), Vec::<String>::new());
    project.edit("driver/example.c", "GPL", "GPL v2");
    assert_eq!(chosen(&project, &["--since", "HEAD"]), [TARGET]);
    build(&project, &["--since", "nowhere"]).expect(4, "", "nowhere");
}

#[test]
fn a_missing_secret_is_named_with_who_needs_it_before_an_engine_is_asked() {
    let project = project();
    project.edit(
        "drivers.kdl",
        "image \"example\" {",
        "signing { key secret=\"mok\"; certificate \"mok.pem\"; }\nimage \"example\" {",
    );
    project.write("mok.pem", include_str!("../../examples/05-module-chain/keys/module-signing.pem"));
    let needed =
        format!("the secret `mok` (the private key that signs modules) is missing: `{TARGET}` needs it");
    build(&project, &[]).expect(2, "", &needed);
    build(&project, &["--secret", "id=mok,src=nowhere"]).expect(4, "", "no such file");
    build(&project, &["--secret", "id=mok,env=NOT_SET"]).expect(
        4,
        "",
        "set NOT_SET to the value of the secret `mok`",
    );
    build(&project, &["--secret", "mok"]).expect(2, "", "write id=ID,src=FILE or id=ID,env=NAME");
    assert!(!project.path("asked").exists());
    project.write("key", "");
    assert_eq!(chosen(&project, &["--secret", "id=mok,src=key"]), [TARGET]);
}

#[test]
fn no_engine_at_all_is_an_error_that_says_what_to_install() {
    let project = Project::new();
    ended(project.command(&["build", "--offline"]).env("PATH", project.path("bin"))).expect(
        4,
        "",
        "none of podman, buildah and docker is in PATH",
    );
}

/// The report of a build by a `podman` that says this and fails.
pub fn failed(project: &Project, said: &str) -> String {
    project.write("said", said);
    let mock = "#!/bin/sh\ncase $1 in build) cat said; exit 2;; images) ;; *) echo []; esac\n";
    project.write("bin/podman", mock);
    let path = format!("{}:/usr/bin:/bin", project.path("bin"));
    let words = ["build", "--offline", "--keep-going"];
    let run = ended(project.command(&words).env("PATH", path).env("HOME", project.path("")));
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let left = std::fs::read_dir(project.path("drivers.out/.drvc/build")).unwrap();
    assert_eq!(left.count(), 0, "a file with a key is left");
    run.stderr
}

#[test]
fn an_undefined_symbol_asks_for_the_module_that_exports_it() {
    let project = project();
    project.write("driver/core/core.c", "EXPORT_SYMBOL_GPL(core_setkey);\n");
    project.write("driver/core/Kbuild", "obj-m := core.o\n");
    project.edit(
        "drivers.kdl",
        "image \"example\" {\n",
        "module \"core\" {\n    source \"driver\" dir=\"core\"\n}\n\nimage \"example\" {\n    module \"core\"\n",
    );
    let text = "[4/7] STEP 3/3: RUN make x\n[1/7] STEP 3/3: RUN other\n\
                ERROR: modpost: \"core_setkey\" [/usr/src/drvc/example/example.ko] undefined!\n\
                Error: building at STEP \"RUN make x\": while running runtime: exit status 2\n";
    project.run(&["compile"]).expect(0, "", "files written");
    let dockerfile = project.read(&format!("drivers.out/{TARGET}/Dockerfile"));
    let stages: Vec<_> = dockerfile.lines().filter(|line| line.starts_with("FROM ")).collect();
    let at = 1 + stages.iter().position(|from| from.ends_with(" AS module-example")).unwrap();
    let report = failed(&project, &text.replace("[4/7]", &format!("[{at}/7]")));
    assert!(report.contains("\nfailed: ERROR: modpost: \"core_setkey\""), "{report}");
    assert!(report.contains("of stage module-example: RUN make x\n"), "{report}");
    assert!(report.contains(": module \"example\" {\n"), "{report}");
    let help = "help: `core` exports `core_setkey`: add `needs \"core\"` to `module \"example\"`\n";
    assert!(report.contains(help), "{report}");
    assert!(!report.contains("exit status 2"), "{report}");
}

#[test]
fn one_cause_is_one_failure() {
    let project = project();
    let kernels = r#"kernel "6.1.0-18-amd64" "6.1.0-20-amd64""#;
    project.edit("drivers.kdl", r#"kernel "6.1.0-18-amd64""#, kernels);
    let report = failed(&project, "[2/5] STEP 2/2: RUN apt-get install\nE: Unable to locate package x\n");
    assert_eq!(report.matches("failed: E: Unable").count(), 1, "{report}");
    assert!(report.contains("2 targets: 2 failed"), "{report}");
}
