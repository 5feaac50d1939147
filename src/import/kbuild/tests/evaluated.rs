//! Conditions and functions of make, as make itself evaluates them.

use super::imported;

/// What make itself makes of these for Debian's 6.1.0-56, with gcc 12: nothing of it is guessed.
#[test]
fn conditions_and_functions_of_make_are_evaluated() {
    let certain = |name: &str| format!("module \"{name}\" {{\n    source \"driver\"\n}}\n");
    let cases: &[(&[(&str, &str)], String)] = &[
        (&[("Kbuild", "DRIVER := qq\nobj-m = $(patsubst %,%.o,$(DRIVER))\n")], certain("qq")),
        (&[("Kbuild", "obj-m = $(NAME).o\nNAME := qq\n")], certain("qq")),
        (&[("Kbuild", "obj-$(if $(KBUILD_EXTMOD),m,$(CONFIG_QQ)) := qq.o\n")], certain("qq")),
        (
            &[("Kbuild", "obj-$(or $(CONFIG_QQ),m) := qq.o\n")],
            "// where CONFIG_QQ is set:\n    output \"qq.ko\" optional".into(),
        ),
        (
            &[("Kbuild", "M1 := qa qb\nobj-m := $(addsuffix .o,$(M1))\n")],
            "output \"qa.ko\" \"qb.ko\"\n".into(),
        ),
        (&[("Kbuild", "M1 := qa qb\nobj-m := $(M1:=.o)\n")], "output \"qa.ko\" \"qb.ko\"\n".into()),
        (&[("Kbuild", "M1 = qa.c qb.c\nobj-m := ${M1:.c=.o}\n")], "output \"qa.ko\" \"qb.ko\"\n".into()),
        (&[("Kbuild", "obj-m := $(foreach m,qa qb,$(m).o)\n")], "output \"qa.ko\" \"qb.ko\"\n".into()),
        (&[("Kbuild", "obj-m := $(filter-out qb.o,qa.o qb.o)\n")], certain("qa")),
        (
            &[
                ("Kbuild", "obj-m := $(patsubst %.c,%.o,$(notdir $(wildcard $(src)/*.c)))\n"),
                ("qa.c", ""),
                ("qb.c", ""),
                ("q.h", ""),
            ],
            "output \"qa.ko\" \"qb.ko\"\n".into(),
        ),
        (
            &[("Makefile", "ifeq ($(KERNELRELEASE),)\nobj-m := no.o\nelse\nobj-m := qq.o\nendif\n")],
            certain("qq"),
        ),
        (&[("Makefile", "ifdef KERNELRELEASE\nobj-m := qq.o\nelse\nobj-m := no.o\nendif\n")], certain("qq")),
        (
            &[(
                "Kbuild",
                "A := y\nifeq ($(A),y)\nobj-m := qq.o\nelse ifeq ($(B),y)\nobj-m := no.o\nelse\nobj-m := no.o\nendif\n",
            )],
            certain("qq"),
        ),
        (&[("Kbuild", "A ?= n\nobj-m := qq.o\nifeq \"$(A)\" 'y'\nobj-m += no.o\nendif\n")], certain("qq")),
        (
            &[("Kbuild", "obj-m := qq.o\nifneq (,$(filter $(CONFIG_A),y m))\nobj-m += qa.o\nendif\n")],
            "// where CONFIG_A is set:\n    output \"qa.ko\"".into(),
        ),
        (
            &[(
                "Kbuild",
                "obj-m := qq.o\nifeq ($(findstring 4.18,$(KVERSION)),4.18)\nobj-m += qa.o\nendif\n",
            )],
            "// where `ifeq ($(findstring 4.18,$(KVERSION)),4.18)`:\n    output \"qa.ko\" optional".into(),
        ),
        (
            &[(
                "Kbuild",
                "ifeq ($(ARCH),x86_64)\nCONFIG_QQ = m\nendif\nobj-m := qa.o\nobj-$(CONFIG_QQ) += qq.o\n",
            )],
            "// where CONFIG_QQ is set:\n    output \"qq.ko\" optional".into(),
        ),
        (
            &[("Kbuild", "ifeq ($(CONFIG_QQ),)\nCONFIG_QQ := m\nendif\nobj-$(CONFIG_QQ) += qq.o\n")],
            certain("qq"),
        ),
        (
            &[("Kbuild", "ifeq ($(CONFIG_A)$(CONFIG_B),yy)\nobj-m += qa.o\nendif\n")],
            "// where `ifeq ($(CONFIG_A)$(CONFIG_B),yy)`:".into(),
        ),
        (
            &[
                (
                    "Makefile",
                    "PWD := $(shell pwd)\nall:\n\t$(MAKE) -C $(KDIR) M=$(PWD)/src CONFIG_QQ=m modules\n",
                ),
                ("src/Makefile", "obj-$(CONFIG_QQ) += qq.o\n"),
            ],
            "output \"src/qq.ko\"\n".into(),
        ),
        (
            &[
                ("Makefile", "all:\n\tmake -C $(KDIR) M=`pwd`/src modules\n"),
                ("src/Kbuild", "obj-m := qq.o\n"),
            ],
            "output \"src/qq.ko\"\n".into(),
        ),
        (
            &[("Kbuild", "A = $(A)$(A)\nB = $(A)$(A)\nobj-m := $(B).o qq.o\n")],
            "is not read: say with `output`".into(),
        ),
    ];
    for (files, expected) in cases {
        let manifest = imported(files);
        assert!(manifest.contains(expected.as_str()), "{files:?}\n{manifest}");
    }
}
