//! `drvc init` from end to end: every kind of driver becomes a manifest that `fmt` and `check` have nothing against.

use crate::project::{Project, ended};
use crate::repository;

const DKMS: &str = "\
PACKAGE_NAME=foo
PACKAGE_VERSION=1.2
MAKE=\"make KDIR=$kernel_source_dir\"
BUILT_MODULE_NAME=foo
DEST_MODULE_LOCATION=/extra
PATCH[0]=old.patch
PATCH_MATCH[0]='^4\\.'
STRIP=no
";

const DOCKERFILE: &str = "\
FROM registry.access.redhat.com/ubi9/ubi
ARG KERNEL_VERSION
RUN git clone https://github.com/example/foo.git
WORKDIR /foo
RUN make KVER=$KERNEL_VERSION
RUN depmod -b /opt
CMD [\"modprobe\", \"foo\"]
";

const KEY: &str = concat!("-----BEGIN PRIVATE", " KEY-----\nMII\n");

const KMM: &str = "\
kind: Module
metadata:
  name: foo
spec:
  moduleLoader:
    container:
      modprobe:
        moduleName: foo
      containerImage: quay.io/example/foo:${KERNEL_FULL_VERSION}
      kernelMappings:
        - regexp: '^.+\\fc37\\.x86_64$'
";

/// A project without a manifest, with these files.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    std::fs::remove_file(project.path("drivers.kdl")).unwrap();
    std::fs::remove_file(project.path("drivers.lock")).unwrap();
    std::fs::remove_dir_all(project.path("driver")).unwrap();
    files.iter().for_each(|(path, text)| project.write(path, text));
    project
}

/// What `init` wrote; `fmt` and `check` must agree with it.
#[track_caller]
fn manifest(project: &Project, args: &[&str], stderr: &str) -> String {
    project.run(&[&["init"], args].concat()).expect(0, "", stderr);
    project.run(&["fmt", "--check"]).expect(0, "", "1 file in layout");
    project.run(&["check"]).expect(0, "", "1 target");
    project.read("drivers.kdl")
}

#[test]
fn a_dkms_conf_becomes_a_manifest() {
    let patch = ("patches/old.patch", "--- a/x\n+++ b/x\n");
    let source = ("foo.c", "// SPDX-License-Identifier: GPL-2.0-only\n");
    let project = project(&[("dkms.conf", DKMS), ("Makefile", "obj-m := foo.o\n"), source, patch]);
    let kernel = ["--from", "dkms.conf", "--kernel", "6.1.0-56-amd64"];
    let text = manifest(&project, &kernel, "warning: dkms.conf:8: STRIP=no is left out");
    assert!(text.contains("    make KDIR=\"{kernel_dir}\" KERNELRELEASE=\"{kernel}\"\n"), "{text}");
    assert!(text.contains("    os \"debian\" \"12\" {\n        kernel \"6.1.0-56-amd64\"\n"), "{text}");
    assert!(text.contains("    license \"GPL-2.0-only\"\n"), "{text}");
    let taken_out = "    // Selects no kernel of the matrix: take `/-` away when there is one.\n    /-on kernel=\">=4, <5\" {\n";
    assert!(text.contains(taken_out), "{text}");
    project.run(&["init"]).expect(2, "", "`drivers.kdl` exists, and is not overwritten");
    assert_eq!(project.read("drivers.kdl"), text);
}

#[test]
fn a_tree_from_elsewhere_is_copied() {
    let project = project(&[
        ("src/foo-1.2/dkms.conf", DKMS),
        ("src/foo-1.2/foo.c", ""),
        ("src/foo-1.2/patches/old.patch", ""),
    ]);
    std::fs::create_dir(project.path("new")).unwrap();
    let run = project.run(&["init", "-C", "new", "--from", "src/foo-1.2"]);
    run.expect(0, "", "3 files copied from `src/foo-1.2` to `new/driver`\n");
    run.expect(0, "", "new/drivers.kdl written (1 warning)\n");
    assert!(project.path("new/driver/foo.c").exists());
    project.run(&["check", "-C", "new"]).expect(0, "", "1 target");
    std::fs::remove_file(project.path("new/drivers.kdl")).unwrap();
    let again = project.run(&["init", "-C", "new", "--from", "src/foo-1.2"]);
    again.expect(4, "", "cannot copy `driver`: a file or directory of that name exists");
}

#[test]
fn names_and_links_of_a_tree_are_copied_as_they_are() {
    let elsewhere = project(&[
        ("drv/Makefile", "obj-m := q.o\n"),
        ("drv/src/q.c", ""),
        ("drv/docs/a manual (old).pdf", ""),
    ]);
    for (link, target) in [("drv/q.c", "src/q.c"), ("drv/up.h", "../up.h"), ("drv/root.h", "/root.h")] {
        std::os::unix::fs::symlink(target, elsewhere.path(link)).unwrap();
    }
    let project = project(&[]);
    let from = elsewhere.path("drv").to_string();
    let text =
        manifest(&project, &["--from", &from], "warning: `up.h` is left out: it is a link that leads out");
    assert!(text.contains("    load \"q\"\n"), "{text}");
    assert_eq!(project.read("driver/docs/a manual (old).pdf"), "");
    assert_eq!(std::fs::read_link(project.path("driver/q.c")).unwrap().to_str(), Some("src/q.c"));
    assert!(!project.path("driver/root.h").exists());
}

#[test]
fn a_link_to_another_directory_of_the_project_is_told_which_source_holds_both() {
    let project = project(&[
        ("driver/Kbuild", "obj-m := q.o\n"),
        ("driver/q.c", "// SPDX-License-Identifier: GPL-2.0\n"),
        ("shared/q.h", ""),
    ]);
    std::os::unix::fs::symlink("../shared/q.h", project.path("driver/q.h")).unwrap();
    let text = manifest(&project, &["--from", "driver"], "drivers.kdl written");
    project.run(&["check"]).expect(
        0,
        "",
        "`driver/q.h` leads to `shared/q.h`: one source of what holds both, `path",
    );
    let both = text
        .replace("path \"driver\"", "path \".\"")
        .replace("    source \"driver\"\n", "    source \"driver\" dir=\"driver\"\n");
    assert_eq!(both.matches("dir=").count(), 1, "{both}");
    project.write("drivers.kdl", &both);
    let run = project.run(&["check"]);
    assert!(!run.stderr.contains("leads to"), "{}", run.stderr);
}

#[test]
fn directories_stay_in_the_sources_where_it_is_not_known_which_are_built() {
    let makefile = "# SPDX-License-Identifier: GPL-2.0\nV := $(shell ./which)\nall:\n\tmake -C $(KDIR) M=$(CURDIR)/v$(V)\n";
    let project = project(&[("Makefile", makefile), ("v5/Kbuild", "obj-m := q.o\n"), ("v5/q.c", "")]);
    let text = manifest(&project, &[], "no `obj-m` was found");
    assert!(text.contains("ignore \"drivers.kdl\"\n"), "{text}");
}

#[test]
fn a_program_reads_the_warnings() {
    let elsewhere = project(&[
        ("drv/Makefile", "obj-m := q.o\n"),
        ("drv/q.c", "MODULE_LICENSE(\"GPL\");\n"),
        ("drv/k.pem", KEY),
    ]);
    std::os::unix::fs::symlink("../up.h", elsewhere.path("drv/up.h")).unwrap();
    let project = project(&[]);
    let from = elsewhere.path("drv").to_string();
    let run = project.run(&["init", "--from", &from, "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let warnings: Vec<_> =
        told["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!((&told["manifest"], &told["errors"]), (&"drivers.kdl".into(), &0.into()), "{told}");
    let starts = ["`up.h` is left out: ", "`/k.pem` is left out of the sources: "];
    let matches = starts.iter().zip(&warnings).all(|(start, warning)| warning.starts_with(start));
    assert!(matches && warnings.len() == 2 && !run.stderr.contains("warning"), "{told}\n{}", run.stderr);
}

#[test]
fn a_makefile_alone_will_do() {
    let makefile =
        "obj-m := foo.o\nKDIR ?= /lib/modules/$(shell uname -r)/build\nall:\n\t$(MAKE) -C $(KDIR) M=$(PWD)\n";
    let project = project(&[("Makefile", makefile), ("foo.c", "// SPDX-License-Identifier: GPL-2.0-only\n")]);
    let text = manifest(&project, &[], "drivers.kdl written\n");
    assert!(
        text.contains("    make \"all\" KDIR=\"{kernel_dir}\"\n")
            && text.contains("license \"GPL-2.0-only\""),
        "{text}"
    );
}

#[test]
fn containers_become_manifests_and_their_mistakes_are_named() {
    let project = project(&[("Dockerfile", DOCKERFILE)]);
    let warning = "warning: Dockerfile:6: `depmod` without a kernel takes that of the machine that builds\n";
    let text = manifest(&project, &["--from", "Dockerfile"], warning);
    assert!(text.contains("    git \"https://github.com/example/foo.git\"\n"), "{text}");
    let project = self::project(&[("kmm.yaml", KMM), ("foo.c", "")]);
    let warning =
        "warning: kmm.yaml: kernelMappings[0] `^.+\\fc37\\.x86_64$` can never match the name of a kernel\n";
    let text = manifest(&project, &["--from", "kmm.yaml"], warning);
    assert!(text.contains("    repository \"quay.io/example/foo\"\n"), "{text}");
}

/// What docs/getting-started.md shows up to the build: the same commands print the same words.
#[test]
fn the_first_minutes_are_as_they_are_told() {
    const KERNELS: [&str; 2] = ["6.1.0-56-amd64", "5.14.0-427.13.1.el9_4.x86_64"];
    let page = std::fs::read_to_string(repository("docs/getting-started.md")).unwrap();
    let shown: Vec<(&str, &str)> = page
        .split("```text\n")
        .skip(1)
        .flat_map(|rest| rest.split("\n```").next().unwrap().split("$ ").skip(1))
        .map(|run| run.split_once('\n').unwrap())
        .collect();
    let (_, dkms) = shown.iter().find(|(command, _)| command.starts_with("cat ")).unwrap();
    let source = "deb/usr/src/acpi-call-1.2.2";
    let project = project(&[
        (&format!("{source}/dkms.conf"), dkms),
        (&format!("{source}/Makefile"), "obj-m := acpi_call.o\n"),
        (&format!("{source}/acpi_call.c"), "// SPDX-License-Identifier: GPL-2.0-only\n"),
        ("acpi-call/README", ""),
    ]);
    let mut checks = 0;
    for (command, expected) in shown.iter().filter(|(command, _)| command.starts_with("drvc ")) {
        // An engine and a registry are not the test's.
        if ["drvc build", "drvc lock"].iter().any(|asks| command.starts_with(asks)) {
            continue;
        }
        checks += usize::from(*command == "drvc check");
        if *command == "drvc check" && checks == 2 {
            project.edit("acpi-call/drivers.kdl", KERNELS[0], KERNELS[1]);
        }
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let run = ended(project.command(&words).current_dir(project.path("acpi-call")));
        assert!(run.stderr.contains(expected.trim_end()), "{command}\n{run:?}");
        if checks == 2 && run.code == Some(1) {
            project.edit("acpi-call/drivers.kdl", KERNELS[1], KERNELS[0]);
        }
        if words[0] == "init" {
            let manifest = project.read("acpi-call/drivers.kdl");
            assert!(page.contains(&format!("```kdl\n{manifest}```")), "{manifest}");
        }
    }
    assert_eq!(checks, 2);
}

#[test]
fn what_cannot_be_imported_is_said() {
    let project = project(&[("x/readme", ""), ("bad/dkms.conf", "PACKAGE_NAME=((")]);
    project.run(&["init"]).expect(2, "", "nothing to begin with in `.`");
    project.run(&["init", "--from", "x"]).expect(2, "", "`x` is nothing that can be imported");
    project.run(&["init", "--from", "none.conf"]).expect(4, "", "cannot read `none.conf`: no such file");
    project.run(&["init", "--from", "bad"]).expect(
        4,
        "",
        "cannot import `bad/dkms.conf`: it is not a text of the shell",
    );
    std::fs::create_dir(project.path("bytes")).unwrap();
    std::fs::write(project.path("bytes/dkms.conf"), b"\0").unwrap();
    let unreadable = "cannot read `bytes/dkms.conf`: it is not text";
    project.run(&["init", "--from", "bytes"]).expect(4, "", unreadable);
    project.run(&["init", "--kernel", "what"]).expect(
        2,
        "",
        "no release is known that kernel `what` belongs to",
    );
    assert!(!project.path("drivers.kdl").exists());
}

#[test]
fn old_bytes_in_a_comment_are_no_reason_to_refuse() {
    let project = project(&[("x/readme", "")]);
    let text = b"# \xe9t\xe9\nPACKAGE_NAME=a\nPACKAGE_VERSION=1\nREMAKE_INITRD=no\n";
    std::fs::write(project.path("x/dkms.conf"), text).unwrap();
    let run = project.run(&["init", "--from", "x"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("warning"), "{run:?}");
}

#[test]
fn a_hook_that_is_no_file_of_the_source_is_left_out() {
    let conf = "PACKAGE_NAME=foo\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=foo\nDEST_MODULE_LOCATION=/extra\n\
        PRE_BUILD=\"rm -f made.h\"\nPOST_BUILD=\"made.sh $kernelver\"\n";
    let files = [
        ("dkms.conf", conf),
        ("prepare.sh", "#!/bin/sh\n"),
        ("foo.c", "\n"),
        ("Makefile", "obj-m := foo.o\n"),
    ];
    let made = project(&files);
    let text = manifest(&made, &[], "PRE_BUILD `rm` is left out");
    assert!(!text.contains("./rm"), "{text}");
    // The build may make it.
    assert!(text.contains("[ ! -x ./made.sh ] || ./made.sh {kernel}"), "{text}");
    let there = conf.replace("rm -f made.h", "prepare.sh $kernelver");
    let there = project(&[&files[1..], &[("dkms.conf", there.as_str())]].concat());
    let text = manifest(&there, &[], "POST_BUILD `made.sh`");
    assert!(text.contains("run \"./prepare.sh\" \"{kernel}\""), "{text}");
}
