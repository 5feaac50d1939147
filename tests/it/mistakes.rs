//! What beginners write, out of the habits of other tools: no such mistake is silent, and the report says what to write.

use crate::project::Project;

/// A line of the manifest and what is written in its place; the code of the report; a piece of its help.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (BUILD, "make KDIR=\"/lib/modules/${kernel}/build\"", "shell-variable", "write `{kernel}`"),
    (BUILD, "make KDIR=\"${KERNEL_SRC}\"", "shell-variable", "write `{kernel_dir}`"),
    (BUILD, "env KVER=\"{KERNEL_VERSION}\"", "unknown-variable", "did you mean `{kernel}`?"),
    (BUILD, "make KVER=\"$kernelver\"", "unexpanded-text", "write `{kernel}`"),
    (BUILD, "env PATH=\"/opt/bin:$PATH\"", "unexpanded-text", "a `script` is read by a shell"),
    (BUILD, "run \"make all && make install\"", "command-line", "`script \"make all && make install\"`"),
    (BUILD, "run \"make -C src modules\"", "command-line", "`run \"make\" \"-C\" \"src\" \"modules\"`"),
    (BUILD, "run \"echo\" \"x\" \">\" \"y\"", "command-line", "`script \"echo x > y\"`"),
    (BUILD, "run \"cd\" \"src\"", "command-line", "dir=\"DIR\""),
    (BUILD, "run \"FOO=1\" \"make\"", "command-line", "`env FOO=\"1\"`"),
    (BUILD, "run \"cp\" \"*.h\" \"include\"", "unexpanded-text", "as a `script`"),
    (BUILD, "make \"all V=1\"", "command-line", "`make \"all\" V=\"1\"`"),
    (BUILD, "script \"make KVER=$(uname -r)\"", "running-kernel", "write `{kernel}`"),
    (BUILD, "make \"modules_install\"", "needless-step", "take it out"),
    (BUILD, "script \"make; depmod -a\"", "needless-step", "drvc runs depmod"),
    (BUILD, "run \"dnf\" \"install\" \"bc\"", "needless-step", "`packages \"NAME\"`"),
    (BUILD, "packages \"bc, bison\"", "malformed-value", "`\"bc\" \"bison\"`"),
    (BUILD, "env \"A=1\"", "unexpected-argument", "write `env A=\"1\"`"),
    (BUILD, "requires-config \"PCI=y\"", "malformed-value", "write `CONFIG_PCI`"),
    (BUILD, "output \"/lib/modules/extra/example.ko.xz\"", "malformed-value", "write `example.ko`"),
    (BUILD, "depends \"other\"", "unknown-node", "write `needs \"MODULE\"`"),
    (LOAD, "load \"example.ko\"", "malformed-value", "write `example`"),
    (LOAD, "option \"exmaple\" debug=\"1\"", "unknown-kmod", "did you mean `example`?"),
    (LOAD, "option \"example\" \"debug=1\"", "unexpected-argument", "write `option \"example\" debug=\"1\"`"),
    (LOAD, "from \"debian:12\"", "unknown-node", "write `base \"IMAGE\"`"),
    (LOAD, "- \"x\"", "unknown-node", "leave the `-` out"),
    (
        "path \"driver\"",
        "git \"git@github.com:acme/driver.git\" branch=\"main\"",
        "malformed-value",
        "write `ssh://git@github.com/acme/driver.git`",
    ),
    (
        "path \"driver\"",
        "git \"https://github.com/acme/driver/tree/main/src\"",
        "malformed-value",
        "branch=\"main\"`, and `dir=\"src\"`",
    ),
    (
        "path \"driver\"",
        "git \"https://github.com/acme/driver\" branch=\"refs/heads/main\"",
        "malformed-value",
        "write `main`",
    ),
    ("path \"driver\"", "path \"../driver\"", "malformed-value", "put `drivers.kdl` into a directory above"),
    ("quay.io/example", "https://quay.io/Acme", "malformed-value", "write `quay.io/acme`"),
    ("\"6.1.0-18-amd64\"", "\"6.1.0-*\"", "malformed-kernel", "`kernel match=\"6.1.0-*\"`"),
    (
        "kernel \"6.1.0-18-amd64\"\n    }",
        "kernel \"6.1.0-18-amd64\"\n    }\n    exclude \"debian\"",
        "unexpected-argument",
        "write `exclude os=\"debian\" reason=\"not supported\"`",
    ),
    ("\"6.1.0-18-amd64\"", "\"latest\"", "malformed-kernel", "`kernel latest=1`"),
    (
        "\"6.1.0-18-amd64\"",
        "\"6.1.0-18-amd64, 6.1.0-20-amd64\"",
        "malformed-kernel",
        "`kernel \"6.1.0-18-amd64\" \"6.1.0-20-amd64\"`",
    ),
    (BUILD, "make KDIR=\"/lib/modules/$(KERNELRELEASE)/build\"", "unexpanded-text", "write `{kernel}`"),
    (BUILD, "build {\n        run \"make\"\n    }", "unexpected-block", "right in the block of `module`"),
    (LOAD, "load \"example\" debug=1", "unknown-property", "write `option \"example\" debug=\"1\"` beside"),
    (LOAD, "firmware \"fw/*.bin\"", "missing-property", "write `firmware \"fw/*.bin\" from=\"driver\"`"),
    (
        LOAD,
        "file \"a.conf\" \"/etc\"",
        "missing-property",
        "write `file \"a.conf\" from=\"driver\" to=\"/etc\"`",
    ),
    ("matrix {", "output {\n    github-actions\n}\n\nmatrix {", "unknown-node", "did you mean `github`?"),
    (
        "\"6.1.0-18-amd64\"\n",
        "\"6.1.0-18-amd64\"\n        builder \"toolkit,distro\"\n",
        "unknown-value",
        "`\"toolkit\" \"distro\"`",
    ),
    (
        "path \"driver\"",
        "git \"ssh://git@github.com:acme/driver.git\" branch=\"main\"",
        "malformed-value",
        "write `ssh://git@github.com/acme/driver.git`",
    ),
    ("os \"debian\" \"12\"", "os \"debian:12\"", "missing-argument", "write `os \"debian\" \"12\"`"),
    ("os \"debian\" \"12\"", "os \"debian\" \"11,12\"", "unknown-release", "`\"11\" \"12\"`"),
    ("os \"debian\" \"12\"", "os \"debian\" \">=99\"", "unknown-release", "Debian has"),
    ("os \"debian\" \"12\"", "os \"openshift\" \"4.18\"", "unknown-release", "with `z latest=1`"),
    ("os \"debian\" \"12\"", "os \"rhel\" \"9.x\"", "unknown-release", "write `9.*`"),
    (BUILD, "make KDIR=\"/lib/modules/*/build\"", "guessed-kernel", "write `{kernel_dir}`"),
    (BUILD, "script \"make -C /lib/modules/6.1.0-18-amd64/build\"", "guessed-kernel", "write `{kernel_dir}`"),
    (BUILD, "script \"make KVER=$(ls /lib/modules)\"", "guessed-kernel", "write `{kernel}`"),
    (
        "path \"driver\"",
        "file \"https://example.com/driver.tgz\"",
        "packed-file",
        "write `archive \"https://example.com/driver.tgz\"` in place of `file`",
    ),
    (BUILD, "script \"sudo make\"", "needless-step", "runs as root"),
    (BUILD, "make \"M=$PWD modules\"", "command-line", "M=\"{source_dir}\" \"modules\""),
    (BUILD, "needs \"example\"", "dependency-cycle", "take this `needs` out"),
    (BUILD, "on os=\"!debian\" {\n        make\n    }", "malformed-selector", "write one `os=` for each"),
    (BUILD, "on os!=\"debian\" {\n        make\n    }", "unknown-property", "write one `os=` for each"),
    (BUILD, "path \"driver\"", "unknown-node", "at the top of the file"),
    (
        "    source \"driver\"",
        "    source \"driver/src\"",
        "unknown-source",
        "write `source \"driver\" dir=\"src\"`",
    ),
    (LOAD, "option \"example debug=1\"", "unexpected-argument", "write `option \"example\" debug=\"1\"`"),
    (LOAD, "tag \"quay.io/example/example:{kernel}\"", "malformed-reference", "only what follows the `:`"),
    ("image \"example\" {", "image \"quay.io/example/example:1\" {", "malformed-value", "write `example`"),
    (
        "path \"driver\"",
        "git \"https://git.example.com/driver.git\" branch=\"main\" user=\"ci\" secret=\"token\"",
        "unknown-property",
        "write `git \"https://git.example.com/driver.git\" branch=\"main\" { secret \"token\" user=\"ci\"; }`",
    ),
    (
        "path \"driver\"",
        "git \"https://git.example.com/driver.git?private_token=abc\" branch=\"main\"",
        "secret-in-manifest",
        "write `https://git.example.com/driver.git`",
    ),
    ("path \"driver\"", "path \"~/driver\"", "unreadable-file", "no home directory here"),
    (
        "\"6.1.0-18-amd64\"",
        "\"6.1.0-18-amd64\" arch=\"x86_64\"",
        "unknown-property",
        "of its own: `arch \"x86_64\"`",
    ),
    ("kernel \"6.1.0-18-amd64\"", "kernel", "missing-entry", "`kernel latest=2`"),
    ("\"6.1.0-18-amd64\"", "\"kernels.txt\"", "malformed-kernel", "write `kernel from=\"kernels.txt\"`"),
    ("\"6.1.0-18-amd64\"", "\"all\"", "malformed-kernel", "write `kernel match=\"*\"`"),
    (
        "kernel \"6.1.0-18-amd64\"\n    }",
        "kernel \"6.1.0-18-amd64\"\n    }\n    exclude \"6.1.0-18-amd64\"",
        "unexpected-argument",
        "write `exclude kernel=\"6.1.0-18-amd64\" reason=\"not supported\"`",
    ),
    (
        "kernel \"6.1.0-18-amd64\"",
        "arch \"x86_64\" \"aarch64\"\n        kernel \"6.1.0-18-amd64\"",
        "arch-mismatch",
        "name a kernel for it, or take `aarch64` out",
    ),
    (BUILD, "make KVER=\"{{ kernel }}\"", "unexpanded-text", "write `{kernel}`"),
    (BUILD, "make KVER=\"<kernel>\"", "unexpanded-text", "write `{kernel}`"),
    (BUILD, "env KVER=\"${{ matrix.kernel }}\"", "unexpanded-text", "write `{kernel}`"),
    ("quay.io/example", "http://localhost:5000", "malformed-value", "add a path behind the host"),
    ("project \"example\"", "project \u{201c}example\u{201d}", "unquoted-text", "quote it: `\"example\"`"),
    (
        "os \"debian\" \"12\"",
        "os name=\"debian\" release=\"12\"",
        "missing-argument",
        "write `os \"debian\" \"12\" {`",
    ),
    ("os \"debian\" \"12\"", "os \"debian\" \"ubuntu\"", "unknown-release", "write one more `os` for it"),
    ("matrix {", "output \"kmm\"\nmatrix {", "unexpected-argument", "write `output { kmm; }`"),
    (
        "source \"driver\" {",
        "source {\n    name \"driver\"",
        "missing-argument",
        "write `source \"driver\" {`",
    ),
    ("drvc edition=1", "drvc 1", "unexpected-argument", "write `drvc edition=1`"),
    (
        "matrix {",
        "include \"../site.kdl\"\nmatrix {",
        "malformed-value",
        "copy the file beneath the manifest",
    ),
    ("matrix {", "include \"site/*.kdl\"\nmatrix {", "malformed-value", "one `include` for each file"),
    (
        "matrix {",
        "output {\n    kmm {\n        selector \"a.example/b\"\n    }\n}\nmatrix {",
        "unexpected-argument",
        "write `selector \"a.example/b\"=\"\"`",
    ),
    (
        "matrix {",
        "signing {\n    key \"keys/mok.priv\"\n    certificate \"mok.der\"\n}\nmatrix {",
        "malformed-value",
        "write `key secret=\"mok\"`",
    ),
];

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
    for (place, written, code, help) in MISTAKES {
        let run = mistaken(place, written).run(&["check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let all = report["diagnostics"].as_array().unwrap();
        let is_it = |one: &&serde_json::Value| {
            one["code"] == *code && one["help"].as_str().is_some_and(|text| text.contains(help))
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
