//! Makefiles as drivers have them, and what is made of each.

mod calls;
mod evaluated;

use super::*;
use crate::import::{Kind, write};
use crate::system::fs::Memory;

fn imported(files: &[(&str, &str)]) -> String {
    let mut tree = Memory::new();
    for (path, text) in files {
        tree.insert(RelPath::parse(path).unwrap(), *text);
    }
    let file = RelPath::parse(files[0].0).unwrap();
    let place = Place { kind: Kind::Kbuild, file, dir: RelPath::root(), text: files[0].1.to_owned() };
    let mut draft = import(&tree, &place, "hint").unwrap();
    draft.matrix = crate::import::matrix::examples().remove(0);
    write(&draft)
}

#[test]
fn makefiles_have_a_say_in_dockerfiles() {
    let makefile =
        "obj-m := f.o\nKVER ?= $(shell uname -r)\nall:\n\tmake -C /usr/src/kernels/$(KVER) M=$(PWD)\n";
    let dockerfile = "FROM a\nARG KERNEL_VERSION\nCOPY src /src\nRUN cd /src && make KERNEL_SRC_DIR=/usr/src/kernels/${KERNEL_VERSION}\n";
    let mut tree = Memory::new();
    tree.insert(RelPath::parse("src/Makefile").unwrap(), makefile);
    let file = RelPath::parse("Dockerfile").unwrap();
    let place = Place { kind: Kind::Dockerfile, file, dir: RelPath::root(), text: dockerfile.to_owned() };
    let draft = crate::import::draft(&tree, &place, "hint").unwrap();
    assert_eq!(
        draft.warnings,
        [
            "Dockerfile: make is given `KERNEL_SRC_DIR`, which `src/Makefile` does not use",
            "Dockerfile: make is not given `KVER`, which `src/Makefile` names the kernel by"
        ]
    );
    assert!(write(&draft).contains("make KERNEL_SRC_DIR=\"{kernel_dir}\" KVER=\"{kernel}\""));
    // What ENV sets is seen by make, unless the Makefile sets it itself.
    for (makefile, warnings) in
        [("obj-m := f.o\nall:\n\tmake -C $(KDIR) M=$$PWD\n", 0), ("KDIR = /x\nall:\n\tmake -C $(KDIR)\n", 1)]
    {
        tree.insert(RelPath::parse("src/Makefile").unwrap(), makefile);
        let text =
            "FROM a\nARG KVER\nENV KDIR=/lib/modules/$KVER/build\nCOPY src /src\nRUN cd /src && make\n"
                .to_owned();
        let draft = crate::import::draft(&tree, &Place { text, ..place.clone() }, "hint").unwrap();
        let of_make = draft.warnings.iter().filter(|text| text.contains("make is not given"));
        assert_eq!(of_make.count(), warnings, "{makefile}\n{:?}", draft.warnings);
    }
}

#[test]
fn what_is_built_is_found() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("Kbuild", "obj-m := foo.o\nfoo-objs := a.o b.o\n")],
            "module \"foo\" {\n    source \"driver\"\n}\n",
        ),
        (&[("Makefile", "obj-m += a.o \\\n  b.o # c.o\n")], "    output \"a.ko\" \"b.ko\"\n"),
        (
            &[("Kbuild", "obj-$(CONFIG_X) += x.o\nobj-m += y.o")],
            "    // where CONFIG_X is set:\n    output \"x.ko\" optional=#true\n",
        ),
        (
            &[("Kbuild", "obj-m += sub/\n"), ("sub/Makefile", "obj-m := s.o")],
            "module \"s\" {\n    source \"driver\"\n    output \"sub/s.ko\"\n",
        ),
        (
            &[(
                "Makefile",
                "obj-m := f.o\nKVER ?= $(shell uname -r)\nKDIR ?= /lib/modules/$(KVER)/build\nall:\n\t$(MAKE) -C $(KDIR) M=$(PWD)\n",
            )],
            "    make \"all\" KDIR=\"{kernel_dir}\" KVER=\"{kernel}\"\n",
        ),
        (
            &[("Makefile", "obj-m := f.o\ndefault:\n\t$(MAKE) -C $(KERNEL_SRC) M=$(PWD)\n")],
            "    make \"default\" KERNEL_SRC=\"{kernel_dir}\"\n",
        ),
        (&[("Makefile", "obj-m := f.o\nODD := $(shell uname -r)\n")], "    make ODD=\"{kernel}\"\n"),
        (&[("Makefile", "all:\n\ttrue\n")], "    // no `obj-m` was found"),
        (
            &[(
                "Makefile",
                "ifneq ($(KERNELRELEASE),)\nobj-m := f.o\nelse\n%:\n\tmake -C $(KDIR) M=$$PWD $@\nendif\n",
            )],
            "    make \"modules\" KDIR=\"{kernel_dir}\"\n",
        ),
        (
            &[
                ("Makefile.in", "obj-m := f.o\nall:\n\tmake -C @KDIR@ M=$(PWD)\n"),
                ("configure.ac", "AC_INIT([f],[1])\n"),
            ],
            "    run \"autoreconf\" \"-fi\"\n    run \"./configure\"\n",
        ),
        (
            &[
                (
                    "Makefile",
                    "ifeq ($(KERNELRELEASE),)\nTOP := $(shell pwd)\nKLIB_BUILD ?= $(KLIB)/build/\nexport TOP KLIB_BUILD\nelse\ninclude $(TOP)/Makefile.kernel\nendif\n",
                ),
                ("Makefile.kernel", "obj-y += compat/\n"),
                ("compat/Makefile", "obj-m += c.o\n"),
                ("defconfigs/nic", ""),
            ],
            "    // a configuration is made before: say which with `run` before `make`, for example `run \"make\" \"defconfig-nic\"`\n    source \"driver\"\n    make KLIB_BUILD=\"{kernel_dir}\"\n    output \"compat/c.ko\"\n",
        ),
        (
            &[("Kbuild", "obj-m := f.o\nf-y := glue.o engine.o\n"), ("engine.cpp", "")],
            "    // it has C++: `packages \"g++\"`",
        ),
        (
            &[("Makefile", "obj-m := f.o\nccflags-y += -DV=$(shell git describe)\n")],
            "    // make asks git, and a source has neither",
        ),
        (
            &[
                ("Kbuild", "obj-m := f.o"),
                ("f.c", "// SPDX-License-Identifier: GPL-2.0-only\nMODULE_VERSION(\"1.2\");\n"),
            ],
            "    version \"1.2\"\n    license \"GPL-2.0-only\"\n",
        ),
        (
            &[
                ("Kbuild", "obj-m := f.o"),
                (".git/config", "[remote \"origin\"]\n\turl = git@github.com:a/b.git\n"),
                (".git/HEAD", "ref: refs/heads/main\n"),
            ],
            "    /-git \"ssh://git@github.com/a/b.git\" branch=\"main\"\n",
        ),
    ];
    for (files, expected) in cases {
        let manifest = imported(files);
        assert!(manifest.contains(expected), "{files:?}\n{manifest}");
    }
}

/// Behind `=== ` a piece of the manifest, behind each `--- ` a file's path and, from the next line on, its text.
const OPTIONS: &str = include_str!("../../../tests/data/makefiles.txt");

#[test]
fn options_that_are_set_make_modules_certain() {
    for case in OPTIONS.split("\n=== ").skip(1) {
        let mut parts = case.split("--- ");
        let expected = parts.next().unwrap().trim_end_matches('\n').replace("\\n", "\n");
        let files: Vec<_> = parts.map(|part| part.split_once('\n').unwrap()).collect();
        let manifest = imported(&files);
        assert!(manifest.contains(&expected), "{files:?}\n{manifest}");
    }
}

/// Each as GNU make reads it: `obj-m` of these was printed by make 4.3.
#[test]
fn makefiles_are_read_as_make_reads_them() {
    let cases: &[(&str, &[&str])] = &[
        ("include $(src)/list.mk\nobj-m := $(LIST:%=%.o)\n", &["q", "r"]),
        ("-include $(src)/gone.mk\nobj-m := q.o\n", &["q"]),
        ("obj-m := drv.o\ndrv-y := a.o b.o\ndrv-$(CONFIG_PCI) += pci.o\n", &["drv"]),
        ("T := drv\nobj-m := $(T).o\n$(T)-objs := a.o\n$(T)-objs += b.o\n", &["drv"]),
        ("obj-m := $(addsuffix .o,$(sort r q r))\n", &["q", "r"]),
        ("L := q r s\nobj-m := $(foreach m,$(filter-out s,$(L)),$(m).o)\n", &["q", "r"]),
        ("override obj-m := q.o\n", &["q"]),
        ("obj-m := $(if $(KERNELRELEASE),q.o,r.o)\n", &["q"]),
        ("obj-m := $(patsubst %.c,%.o,q.c r.c)\n", &["q", "r"]),
        ("comma := ,\nobj-m := $(subst $(comma), ,q.o,r.o)\n", &["q", "r"]),
        ("obj-m += $(firstword q.o r.o)\nobj-m += $(wordlist 2,3,a.o s.o t.o)\n", &["q", "s", "t"]),
        ("V1 := q\nV = $(V1)\nV1 := r\nobj-m := $(V).o\n", &["r"]),
        // What was set by `override` is changed by `override` alone.
        ("override obj-m += q.o\noverride obj-m += r.o\nobj-m += s.o\n", &["q", "r"]),
        ("obj-m := q.o\noverride obj-m := r.o\nobj-m += s.o\n", &["r"]),
        ("override L := q r\nL += s\nL := t\nobj-m := $(L:%=%.o)\n", &["q", "r"]),
        ("X := q.o\nobj-m := r.o $(X)\nundefine X\nobj-m += s.o $(X)\n", &["r", "q", "s"]),
        ("obj-m := q.o\nundefine obj-m\nobj-m += r.o\n", &["r"]),
        ("X := q\nundefine X\nX ?= r\nobj-m := $(X).o\n", &["r"]),
        ("obj-m := q.o\nobj-m := $(obj-m) r.o\nobj-m := $(filter-out q.o,$(obj-m)) s.o\n", &["r", "s"]),
        ("obj-m ?= q.o\nobj-m += r.o\n", &["r"]),
        ("define L\nq.o\nr.o\nendef\nobj-m := $(strip $(L))\n", &["q", "r"]),
        ("define L :=\nq.o\nendef\ndefine L +=\nr.o\nendef\nobj-m := $(L)\n", &["q", "r"]),
        (
            "define add\nobj-m += $(1).o\n$(1)-y := $(1)_main.o $2\nendef\n$(eval $(call add,q,a.o))\n$(eval $(call add,r,))\n",
            &["q", "r"],
        ),
        ("$(eval obj-m += q.o)\n$(eval X := r.o)\nobj-m += $(X)\n", &["q", "r"]),
        (
            "define inc\n  -include $(src)/$(1).mk\nendef\n$(foreach m,list gone,$(eval $(call inc,$(m))))\nobj-m := $(LIST:=.o)\n",
            &["q", "r"],
        ),
        (
            "o = $(addsuffix .o,$(1))\nobj-m := $(call o,q r)\npair = $1-$2.o\nobj-m += $(call pair,s,t)\n",
            &["q", "r", "s-t"],
        ),
        (
            "rev = $(if $(1),$(call rev,$(wordlist 2,$(words $(1)),$(1)))) $(firstword $(1))\nobj-m := $(addsuffix .o,$(call rev,q r s))\n",
            &["s", "r", "q"],
        ),
        ("A = $(B)\nB := q\nobj-m := $(value B).o\n", &["q"]),
    ];
    for (text, expected) in cases {
        let manifest = imported(&[("Kbuild", text), ("list.mk", "LIST := q r\n")]);
        let mut loads: Vec<&str> = manifest
            .lines()
            .filter_map(|line| line.trim().strip_prefix("load "))
            .flat_map(|line| line.split(' ').map(|name| name.trim_matches('"')))
            .collect();
        // Outputs are sorted.
        loads.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(loads, expected, "{text}\n{manifest}");
    }
}

#[test]
fn what_is_not_read_of_a_makefile_is_no_list_of_modules() {
    for text in [
        "X := q.o\nobj-m := $(shell echo $(X))\n",
        "define obj-m\nq.o\nendef\n",
        "$(eval $(call gone,q))\n$(shell touch obj-m)\n",
        "$(call also,$(call gone,q))\n",
        "include $(SOMEWHERE)/list.mk\n",
        "define loop\n$(eval $(loop))\nendef\n$(loop)\nobj-m += $(GONE).o\n",
        "obj-m := $(or $(NOT_SET),q.o)\n",
    ] {
        let manifest = imported(&[("Kbuild", text)]);
        assert!(manifest.contains("output \"*.ko\"") && !manifest.contains("load \""), "{text}\n{manifest}");
        assert!(manifest.contains("is not read"), "{text}\n{manifest}");
    }
}

/// A list that is set again under a condition loses what it had: nothing of it is certain then.
#[test]
fn what_another_line_takes_back_is_optional() {
    for (text, when) in [
        ("obj-m := q.o\nifeq ($(A),y)\nobj-m := r.o\nendif\n", "not: `ifeq ($(A),y)`"),
        ("obj-m := q.o\nifdef CONFIG_A\nobj-m := r.o\nendif\n", "CONFIG_A is not set"),
        ("obj-m := q.o\nobj-$(CONFIG_A) := r.o\n", "CONFIG_A is not set"),
    ] {
        let manifest = imported(&[("Kbuild", text)]);
        let output = format!("// where {when}:\n    output \"q.ko\" optional=#true\n");
        assert!(
            manifest.contains(&output) && manifest.contains("output \"r.ko\" optional"),
            "{text}\n{manifest}"
        );
    }
    let manifest = imported(&[("Kbuild", "obj-$(CONFIG_A) := q.o\nobj-m := r.o\n")]);
    assert!(manifest.contains("module \"r\" {") && !manifest.contains("q.ko"), "{manifest}");
}

#[test]
fn trees_say_who_they_are() {
    let module = ("q.c", "MODULE_LICENSE(\"GPL\");\nMODULE_VERSION(\"9\");\n");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("Kbuild", "obj-m := q.o"), module], "    version \"9\"\n    license \"GPL-2.0-only\"\n"),
        (
            &[("Kbuild", "obj-m := q.o r.o"), module, ("r.c", "MODULE_LICENSE(\"GPL\");")],
            "stay on this machine\n    license",
        ),
        (&[("Kbuild", "obj-m := q.o"), module, ("VERSION", "2.5\n")], "    version \"2.5\"\n"),
        (
            &[("Kbuild", "obj-m := q.o"), module, ("q.spec", "Name: q\nVersion: 5.6\n")],
            "    version \"5.6\"\n",
        ),
        (
            &[
                ("Kbuild", "obj-m := q.o"),
                module,
                ("debian/changelog", "q-dkms (1:7.8~rc1-2) sid; urgency=low\n"),
            ],
            "    version \"7.8~rc1\"\n",
        ),
        (&[("Makefile", "DRIVER_VERSION := 3.1\nobj-m := q.o\n"), module], "    version \"3.1\"\n"),
        (
            &[
                (
                    "Makefile",
                    "VERSION = 2\nPATCHLEVEL = 7\nDRV_VERSION := $(VERSION).$(PATCHLEVEL)\nobj-m := q.o\n",
                ),
                module,
            ],
            "    version \"2.7\"\n",
        ),
        (&[("Makefile", "VERSION = 2\nPATCHLEVEL = 7\nobj-m := q.o\n"), module], "    version \"9\"\n"),
        (
            &[("Kbuild", "obj-m := q.o"), ("q.c", "MODULE_LICENSE(\"Dual MIT/GPL\");")],
            "    license \"GPL-2.0-only OR MIT\"\n",
        ),
        (
            &[("Kbuild", "obj-m := q.o"), ("q.c", "MODULE_LICENSE(\"Dual BSD/GPL\");")],
            "also allows a licence of BSD",
        ),
    ];
    for (files, expected) in cases {
        let manifest = imported(files);
        assert!(manifest.contains(expected), "{files:?}\n{manifest}");
    }
}

#[test]
fn makefiles_only_in_subdirectories_are_read() {
    let mut tree = Memory::new();
    for (path, text) in
        [("a/Makefile", "obj-m := x.o\n"), ("b/k/Kbuild", "obj-m := y.o\n"), ("doc/Makefile", "all:\n")]
    {
        tree.insert(RelPath::parse(path).unwrap(), text);
    }
    let place = crate::import::find(&tree, &RelPath::root()).unwrap().unwrap();
    let mut draft = crate::import::draft(&tree, &place, "hint").unwrap();
    draft.matrix = crate::import::matrix::examples().remove(0);
    let manifest = write(&draft);
    for expected in [
        "module \"x\" {\n    source \"driver\" dir=\"a\"\n",
        "module \"y\" {\n    source \"driver\" dir=\"b/k\"\n",
        "    load \"x\" \"y\"\n",
    ] {
        assert!(manifest.contains(expected), "{manifest}");
    }
}
