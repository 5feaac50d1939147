//! What Makefiles call the kernel's build system with, and each other.

use super::imported;

#[test]
fn the_directory_of_the_sources_by_its_old_name_is_said() {
    let manifest = imported(&[(
        "Makefile",
        "K ?= /lib/modules/$(shell uname -r)/build\nobj-m := q.o\nall:\n\tmake -C $(K) SUBDIRS=$(PWD) modules\n",
    )]);
    let said = "`SUBDIRS=`, which kernels from 5.4 on do not know:";
    assert!(manifest.contains(said), "{manifest}");
    assert!(!manifest.contains("    make "), "{manifest}");
    let manifest = imported(&[(
        "Makefile",
        "K ?= /lib/modules/$(shell uname -r)/build\nobj-m := q.o\nall:\n\tmake -C $(K) SUBDIRS=$(PWD) Q=1 modules\n",
    )]);
    assert!(manifest.contains(&format!("{said} have a `patch` write `M=`")), "{manifest}");
    assert!(manifest.contains("    make \"all\" K=\"{kernel_dir}\"\n"), "{manifest}");
    for both in ["M=$(PWD) SUBDIRS=$(PWD)", "M=$(PWD)"] {
        let manifest =
            imported(&[("Makefile", &format!("obj-m := q.o\nall:\n\tmake -C $(KDIR) {both} modules\n"))]);
        assert!(!manifest.contains(said), "{manifest}");
    }
}

#[test]
fn a_variable_for_the_directory_above_the_kernels_keeps_its_meaning() {
    for set in ["KDIR := /lib/modules/$(shell uname -r)\n", ""] {
        let manifest = imported(&[(
            "Makefile",
            &format!("{set}obj-m := q.o\nall:\n\tmake -C $(KDIR)/build M=$(PWD) modules\n"),
        )]);
        assert!(manifest.contains("    make \"all\" KDIR=\"/lib/modules/{kernel}\"\n"), "{manifest}");
    }
}

#[test]
fn what_a_makefile_tells_those_beneath_it_is_said() {
    let inner = "obj-m := q.o\nall:\n\tmake -C $(KDIR) M=$(PWD) modules\n";
    let manifest = imported(&[
        (
            "Makefile",
            "all:\n\t$(MAKE) -C a V=1\n\t$(MAKE) -C b MODE=usb KBUILD_EXTRA_SYMBOLS=$(CURDIR)/a/Module.symvers\n",
        ),
        ("a/Makefile", inner),
        ("b/Makefile", inner),
    ]);
    for expected in [
        "// Makefile: `MODE=usb` is left out: say it in the `make` of the module that it is for\n",
        "`KBUILD_EXTRA_SYMBOLS=$(CURDIR)/a/Module.symvers` is left out: say `needs` in the module that uses them\n",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    assert!(!manifest.contains("`V="), "{manifest}");
}

/// As make itself has it: after `override`, a line without it changes nothing.
#[test]
fn a_list_that_was_overridden_is_only_changed_so() {
    let manifest = imported(&[(
        "Kbuild",
        "obj-m := qa.o\noverride obj-m += qb.o\nobj-m += qc.o\nobj-m := qd.o\noverride obj-m += qe.o\n",
    )]);
    assert!(manifest.contains("    output \"qa.ko\" \"qb.ko\" \"qe.ko\"\n"), "{manifest}");
}

#[test]
fn what_lies_above_the_source_is_said() {
    for flag in ["-I$(src)/../include", "-I../include", "-I$(M)/../include"] {
        let text = format!("obj-m := q.o\nccflags-y += {flag} -I$(src)/a\n");
        let manifest = imported(&[("Kbuild", &text)]);
        assert!(manifest.contains(&format!("`{flag}` is above the source: ")), "{manifest}");
        let manifest =
            imported(&[("Makefile", "all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)/k\n"), ("k/Kbuild", &text)]);
        assert!(!manifest.contains("above the source"), "{manifest}");
    }
}

/// What make itself does: variables on its command line win over those of the files that it reads.
#[test]
fn what_the_kernels_build_system_is_told_decides_and_is_told_again() {
    let build = "make -C /lib/modules/$(shell uname -r)/build M=$(PWD)";
    let kbuild = "FAST := y\nobj-m := $(if $(filter y,$(FAST)),qfast,qslow).o\n";
    for (told, module) in [("FAST=n", "qslow"), ("", "qfast"), ("V=1", "qfast")] {
        let makefile = format!("all:\n\t{build} {told} modules\nclean:\n\t{build} FAST=y clean\n");
        let manifest = imported(&[("Makefile", &makefile), ("Kbuild", kbuild)]);
        assert!(manifest.contains(&format!("    load \"{module}\"\n")), "{told}\n{manifest}");
        assert_eq!(manifest.contains("    make \"all\"\n"), module == "qslow", "{told}\n{manifest}");
    }
    let makefile = format!("all:\n\t{build} CONFIG_QQ=m modules\nobj-$(CONFIG_QQ) += qq.o\n");
    let manifest = imported(&[("Makefile", &makefile)]);
    assert!(manifest.contains("    make \"all\"\n") && manifest.contains("    load \"qq\"\n"), "{manifest}");
}

#[test]
fn what_a_makefile_does_beside_building_is_said() {
    let manifest = imported(&[(
        "Makefile",
        "ARCH := arm64\nCROSS_COMPILE ?= aarch64-linux-gnu-\nobj-m := q.o\nall:\n\tmake -C $(KDIR) M=$(PWD) modules\n\
         install:\n\t@install -m 644 q.bin $(DESTDIR)/lib/firmware/\n\techo options q x=1 > /etc/modprobe.d/q.conf\n",
    )]);
    for expected in [
        "it sets `ARCH=arm64` and `CROSS_COMPILE=aarch64-linux-gnu-`: each image is built on a machine of its own architecture",
        "`install -m 644 q.bin $(DESTDIR)/lib/firmware/` is not run: say `firmware` in the image",
        "`echo options q x=1 > /etc/modprobe.d/q.conf` is not run: say `option`, ",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    let plain = "ARCH ?= $(shell uname -m)\nCROSS_COMPILE ?=\nobj-m := q.o\n";
    assert!(!imported(&[("Makefile", plain)]).contains("it sets"));
}

#[test]
fn make_is_asked_for_what_builds_the_modules() {
    let build = "$(MAKE) -C $(KDIR) M=$(CURDIR) modules";
    let cases = [
        (format!("help:\n\t@echo build\nbuild:\n\t{build}\n"), "make \"build\" KDIR"),
        (format!("driver:\n\t{build}\nclean:\n\t$(MAKE) -C $(KDIR) M=$(CURDIR) clean\n"), "make KDIR"),
        (format!("both: tool driver\ntool:\n\t$(CC) t.c\ndriver:\n\t{build}\n"), "make KDIR"),
        (format!("tool:\n\t$(CC) t.c\ndriver:\n\t{build}\n"), "make \"driver\" KDIR"),
        (format!("all: mod load\nmod:\n\t{build}\nload:\n\tmodprobe q\n"), "make \"mod\" KDIR"),
        (format!("all:\n\t$(MAKE) build\nbuild:\n\t{build}\n"), "make \"all\" KDIR"),
        (format!(".PHONY: x\nall: q.ko\nq.ko: q.c ; {build}\n"), "make \"all\" KDIR"),
        (format!("all: $(MODS)\n%.ko:\n\t{build}\none:\n\t{build}\n"), "make \"all\" KDIR"),
        (format!("all: a.ko\n%.ko:\n\t{build}\n"), "make \"all\" KDIR"),
        ("all:\n\tmake -C src KDIR=$(KDIR)\n".to_owned(), "make \"all\" KDIR"),
    ];
    for (rules, expected) in cases {
        let manifest = imported(&[("Makefile", &format!("obj-m := q.o\n{rules}"))]);
        assert!(manifest.contains(expected), "{rules}\n{manifest}");
    }
}

#[test]
fn files_of_other_drivers_on_the_machine_are_said() {
    let manifest = imported(&[(
        "Makefile",
        "obj-m := q.o\nKBUILD_EXTRA_SYMBOLS := /opt/x/Module.symvers\nOFA ?= /usr/src/ofa\nBIN := /usr/bin/q\nccflags-y += -I$(OFA)/include\n",
    )]);
    for expected in [
        "`KBUILD_EXTRA_SYMBOLS=/opt/x/Module.symvers` is of the machine, which no build has: put what exports them",
        "`OFA=/usr/src/ofa` is of the machine, which no build has: say `packages`",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    assert!(!manifest.contains("BIN="), "{manifest}");
}
