//! `module`: how kernel modules are built.

use super::selector::{SELECTORS, SELECTS};
use crate::language::schema::{
    Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property, Rule, RuleKind,
};

pub(super) static MODULE: Node = Node {
    arguments: &[Argument::one(
        "NAME",
        Kind::TEXT,
        "the module's name, for images and other modules to refer to",
    )],
    body: &Body {
        nodes: &[
            &SOURCE,
            &MAKE,
            &RUN,
            &SCRIPT,
            &BUILD,
            &ENV,
            &PACKAGES,
            &NEEDS,
            &OUTPUT,
            &REQUIRES_CONFIG,
            &ON,
        ],
        rules: &[BUILDS],
    },
    ..Node::new(
        "module",
        Count::Any,
        "Something to build for every kernel: one kernel module, or several that are built together. Where nothing says \
         how, it is built as the kernel's own documentation has it: `make -C {kernel_dir} M=DIR modules`. Whatever the \
         build writes beneath `{out}` reaches the image too.",
    )
};

static ON: Node = Node {
    properties: SELECTORS,
    rules: &[SELECTS],
    body: &Body {
        nodes: &[&SOURCE, &MAKE, &RUN, &SCRIPT, &BUILD, &ENV, &PACKAGES, &NEEDS, &OUTPUT, &REQUIRES_CONFIG],
        rules: &[BUILDS],
    },
    ..Node::new(
        "on",
        Count::Any,
        "What is different for the cells selected. A way to build replaces the one outside; the rest is added.",
    )
};

const BUILDS: Rule = Rule { kind: RuleKind::AtMostOne, groups: &[&["make", "run", "script"], &["build"]] };

static SOURCE: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a source of this manifest")],
    properties: &[Property::optional(
        "dir",
        Kind::TEXT,
        "the directory in it that holds the module's Makefile",
    )],
    ..Node::new("source", Count::AtMostOne, "What the module is built from.")
};

static MAKE: Node = Node {
    arguments: &[Argument::any("TARGET", Kind::TEXT, "a target of the Makefile")],
    free: Some(FreeProperties {
        key: "VARIABLE",
        description: "a variable for make's command line",
        required: false,
    }),
    ..Node::new("make", Count::Any, "Builds with the module's own Makefile, on all processors.")
};

static RUN: Node = Node {
    arguments: &[Argument::some("WORD", Kind::TEXT, "a word of the command; none is split or expanded")],
    ..Node::new(
        "run",
        Count::Any,
        "A command to run. Several run one after the other, `make` and `script` among them.",
    )
};

static SCRIPT: Node = Node {
    arguments: &[Argument::one("TEXT", Kind::LINES, "a script for `/bin/sh -eu`")],
    ..Node::new("script", Count::Any, "A shell script to run. It stops at the first command that fails.")
};

static BUILD: Node = Node {
    arguments: &[Argument::one("HOW", Kind::Enum(&BUILD_KINDS), "the way to build")],
    ..Node::new("build", Count::AtMostOne, "Says that nothing is to be built.")
};

static BUILD_KINDS: Enum = Enum {
    title: "a way to build",
    values: &[("none", "the source holds the finished modules")],
    aliases: &[],
};

static ENV: Node = Node {
    free: Some(FreeProperties { key: "NAME", description: "an environment variable", required: true }),
    ..Node::new("env", Count::Any, "Environment of the build.")
};

static PACKAGES: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a package of the distribution")],
    ..Node::new(
        "packages",
        Count::Any,
        "Packages that the build needs, beside the compiler and the kernel's own.",
    )
};

static NEEDS: Node = Node {
    arguments: &[Argument::some("MODULE", Kind::TEXT, "a module of this manifest")],
    ..Node::new(
        "needs",
        Count::Any,
        "Modules to build first. Their exported symbols are known to this build, and the tree of each is `{dir:NAME}`.",
    )
};

static OUTPUT: Node = Node {
    arguments: &[Argument::some(
        "GLOB",
        Kind::TEXT,
        "a pattern of `.ko` files (finished ones may be `.ko.gz`, `.ko.xz`, `.ko.zst`), relative to the module's directory",
    )],
    properties: &[Property::optional("optional", Kind::Bool, "`#true` where none need be there")],
    ..Node::new(
        "output",
        Count::Any,
        "The files that the build makes. The default is the module's name and `.ko`.",
    )
};

static REQUIRES_CONFIG: Node = Node {
    arguments: &[Argument::some(
        "OPTION",
        Kind::TEXT,
        "an option that must be set; with `!` in front, must not",
    )],
    ..Node::new(
        "requires-config",
        Count::Any,
        "Options of the kernel's configuration. The build checks them first and says which one is missing.",
    )
};
