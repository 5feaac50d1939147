//! What beginners write, out of the habits of other tools: no such mistake is silent, and the report says what to write.

use crate::project::Project;

/// Lines of the manifest and what is written in their place; the code of the report; a piece of its help.
const MISTAKES: &str = include_str!("../data/mistakes.tsv");

/// Where a line is put into the module, and into the image.
const BUILD: &str = "source \"driver\"\n}";
const LOAD: &str = "load \"example\"\n";

fn mistaken(place: &str, written: &str) -> Project {
    let project = Project::new();
    let to = match place {
        BUILD => format!("source \"driver\"\n    {written}\n}}"),
        LOAD => format!("load \"example\"\n    {written}\n"),
        _ => written.to_owned(),
    };
    project.edit("drivers.kdl", place, &to);
    project
}

#[test]
fn none_is_silent_and_each_says_what_to_write() {
    let mut wrong = Vec::new();
    for row in MISTAKES.lines().skip(1) {
        let row = row.replace("\\n", "\n");
        let [place, written, code, help] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let place = match place {
            "in module" => BUILD,
            "in image" => LOAD,
            place => place,
        };
        let run = mistaken(place, written).run(&["check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let all = report["diagnostics"].as_array().unwrap();
        let is_it = |one: &&serde_json::Value| {
            one["code"] == code && one["help"].as_str().is_some_and(|text| text.contains(help))
        };
        if all.iter().find(is_it).is_none() {
            wrong.push(format!("{written}: {}", run.stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One mistake of two consequences is one report.
#[test]
fn a_mistake_is_one_report() {
    for (place, written) in [
        (BUILD, "build {\n        run \"cd\" \"src\"\n        run \"make\"\n    }"),
        (LOAD, "file \"a.conf\""),
        ("matrix {", "output {\n    jenkins\n}\n\nmatrix {"),
        ("os \"debian\" \"12\"", "os name=\"debian\" release=\"12\""),
        ("source \"driver\" {", "source {\n    name \"driver\""),
        ("matrix {", "output \"kmm\"\nmatrix {"),
        (LOAD, "file \"a.conf\" \"/etc\""),
        ("path \"driver\"", "git \"https://example.com/driver.git\" user=\"ci\" secret=\"token\""),
        ("    module \"example\"\n", ""),
    ] {
        let run = mistaken(place, written).run(&["check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let errors =
            report["diagnostics"].as_array().unwrap().iter().filter(|one| one["severity"] == "error");
        assert_eq!(errors.count(), 1, "{written}: {}", run.stdout);
    }
}

/// A manifest in another language, or without braces, is one report, whose help leads to one in KDL.
#[test]
fn another_language_is_one_report() {
    for (text, language, help) in [
        ("{\n  \"project\": {\"name\": \"x\"},\n  \"matrix\": []\n}\n", "JSON", "`drvc init`"),
        ("project:\n  name: x\nmatrix:\n  - os: debian\n", "YAML", "`drvc init`"),
        ("[project]\nname = \"x\"\n\n[[source]]\npath = \"driver\"\n", "TOML", "`drvc init`"),
        ("FROM debian:12\nRUN make\n", "a Dockerfile", "`drvc init --from Dockerfile`"),
        ("PACKAGE_NAME=\"x\"\nMAKE[0]=\"make\"\n", "a dkms.conf", "`drvc init --from dkms.conf`"),
        ("apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\n", "YAML", "`drvc init --from module.yaml`"),
        (
            "drvc edition=1\nproject \"x\"\nsource \"a\"\n  path \"a\"\nmodule \"m\"\n  source \"a\"\nmatrix\n  os \"debian\" \"12\"\n    kernel \"6.1.0-18-amd64\"\n",
            "the blocks of this manifest have no braces",
            "write `source \"a\" {`, and `}` behind",
        ),
        ("", "no `drvc`, `project`", "`drvc init`"),
        ("// nothing yet\n", "no `drvc`, `project`", "`drvc init`"),
    ] {
        let project = Project::new();
        project.write("drivers.kdl", text);
        let run = project.run(&["check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let all = report["diagnostics"].as_array().unwrap();
        assert_eq!(all.len(), 1, "{text}: {}", run.stdout);
        assert!(all[0]["message"].as_str().unwrap().contains(language), "{text}: {}", run.stdout);
        assert!(all[0]["help"].as_str().unwrap().contains(help), "{text}: {}", run.stdout);
    }
}

#[test]
fn plain_edits_are_made_once() {
    for (place, written, fixed) in [
        (BUILD, "make KDIR=\"/lib/modules/${kernel}/build\"", "make KDIR=\"/lib/modules/{kernel}/build\""),
        (BUILD, "run \"make all && make install\"", "script \"make all && make install\""),
        (BUILD, "make \"-k V=1\"", "make \"-k\" V=\"1\""),
        (BUILD, "env \"A=1\"", "env A=\"1\""),
        (BUILD, "packages \"bc, bison\"", "packages \"bc\" \"bison\""),
        ("quay.io/example", "https://quay.io/Acme", "\"quay.io/acme\""),
        (
            "\"6.1.0-18-amd64\"",
            "\"6.1.0-18-amd64, 6.1.0-20-amd64\"",
            "kernel \"6.1.0-18-amd64\" \"6.1.0-20-amd64\"",
        ),
        ("registry \"quay.io/example\"", "registry = \"quay.io/example\"", "registry  \"quay.io/example\""),
        ("os \"debian\" \"12\"", "os name=\"debian\" release=\"12\"", "os \"debian\" \"12\" {"),
        (
            "path \"driver\"",
            "git \"https://example.com/driver.git\" secret=\"token\"",
            "git \"https://example.com/driver.git\" { secret \"token\"; }",
        ),
        (BUILD, "make KDIR=\"/lib/modules/*/build\"", "make KDIR=\"{kernel_dir}\""),
        (BUILD, "env KVER=\"${{ matrix.kernel }}\"", "env KVER=\"{kernel}\""),
        ("image \"example\" {", "imgae \"example\" {", "image \"example\" {"),
        (LOAD, "option \"exmaple\" debug=1", "option \"example\" debug=\"1\""),
        ("os \"debian\"", "os \"debain\"", "os \"debian\" \"12\""),
        ("    module \"example\"\n", "    module \"exmaple\"\n", "    module \"example\"\n"),
        ("path \"driver\"", "path r\"driver\"", "path #\"driver\"#"),
        (LOAD, "\u{200b}load \"example\"", "load \"example\"\n    load \"example\"\n"),
    ] {
        let project = mistaken(place, written);
        project.run(&["check", "--fix"]);
        let once = project.read("drivers.kdl");
        assert!(once.contains(fixed), "{written}: {once}");
        project.run(&["check", "--fix"]);
        assert_eq!(project.read("drivers.kdl"), once, "{written}");
    }
}

#[test]
fn a_module_of_the_manifest_that_the_image_lacks_is_not_loaded() {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "image \"example\"",
        "module \"greeter\" {\n    source \"driver\"\n}\n\nimage \"example\"",
    );
    project.edit("drivers.kdl", "load \"example\"", "load \"example\" \"greeter\"");
    let run = project.run(&["check"]);
    run.expect(1, "", "`greeter` builds it, and is not in this image");
    run.expect(1, "", "add `module \"greeter\"` to the image");
}

#[test]
fn what_waits_for_the_lock_hides_nothing_else() {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "matrix {",
        "matrix {\n    os \"ubuntu\" \"22.04\" {\n        kernel latest=1\n    }\n",
    );
    let plan = project.run(&["plan"]);
    let drift = "drivers.kdl (1 drift); `drvc check` tells more\n";
    plan.expect(0, "example/debian-12-x86_64/6.1.0-18-amd64  to compile\n", drift);
    plan.expect(
        0,
        "\nopen: the lock file does not say which kernels these are: ubuntu 22.04 x86_64\nrun `drvc lock`",
        drift,
    );
    project.run(&["compile"]).expect(1, "", "error[unlocked-kernels]");
    for shown in [["why", "debian"], ["graph", "debian"]] {
        project.run(&shown).expect(0, "6.1.0-18-amd64", "open: the lock file does not say which kernels");
    }
    let run = project.run(&["compile", "--target", "os=debian"]);
    run.expect(0, "", "1 of 1 target: 7 files written");
    run.expect(0, "", "open: the lock file does not say which kernels these are: ubuntu 22.04 x86_64");
    assert!(project.read("drivers.out/example/debian-12-x86_64/6.1.0-18-amd64/Dockerfile").contains("FROM"));
    assert!(!project.path("drivers.out/plan.json").exists());
}

#[test]
fn a_range_stands_for_the_releases_that_are_known() {
    let project = Project::new();
    project.edit("drivers.kdl", "os \"debian\" \"12\"", "os \"debian\" \">=12, <13\"");
    project.run(&["plan"]).expect(0, "example/debian-12-x86_64/6.1.0-18-amd64  to compile\n", "");
    project.edit("drivers.kdl", "\">=12, <13\"", "\"1*\"");
    let plan = project.run(&["plan"]);
    plan.expect(0, "example/debian-12-x86_64/6.1.0-18-amd64  to compile\n", "drivers.kdl (");
}

#[test]
fn defaults_are_as_if_written_first_in_each() {
    let project = Project::new();
    let plain = project.read("drivers.kdl");
    let with = |to: &str, block: &str| {
        project.write("drivers.kdl", &plain);
        project.edit("drivers.kdl", "source \"driver\"\n}", &format!("source \"driver\"\n    {to}\n}}"));
        project.edit("drivers.kdl", "project \"example\"", &format!("{block}\nproject \"example\""));
        project.run(&["compile"]).expect(0, "", "1 target");
        project.read("drivers.out/example/debian-12-x86_64/6.1.0-18-amd64/Dockerfile")
    };
    let written = with("packages \"bc\" \"bison\"\n    make V=\"1\"", "");
    let laid = with(
        "packages \"bison\"",
        "defaults {\n    module {\n        packages \"bc\"\n        make V=\"1\"\n    }\n}",
    );
    assert_eq!(written, laid);
    let own = with("make V=\"2\"", "defaults {\n    module {\n        make V=\"1\"\n    }\n}");
    assert_eq!(own, with("make V=\"2\"", ""));
}
