//! `matrix`: for which systems and kernels to build.

use super::selector::{
    ARCH, EL, FAMILY, FLAVOR, IMAGE, KERNEL as KERNEL_IS, OS as OS_IS, RELEASE, SELECTORS, SELECTS,
};
use super::{ENTITLEMENT_SECRETS, ENTITLEMENTS};
use crate::language::schema::{Argument, Body, Count, Enum, Kind, Node, Property, Rule, RuleKind};

pub(super) static MATRIX: Node = Node {
    body: &Body { nodes: &[&OS, &EXCLUDE, &ON], rules: &[] },
    ..Node::new(
        "matrix",
        Count::ExactlyOne,
        "The systems to build for. Each OS, release, kernel and architecture is a cell.",
    )
};

static OS: Node = Node {
    arguments: &[
        Argument::one("NAME", Kind::TEXT, "an operating system: one that drvc knows, or a `profile`"),
        Argument::some(
            "RELEASE",
            Kind::TEXT,
            "a release of it; or several, as a comparison (`>=9.4`), a range (`>=9.2, <9.7`) or a pattern (`9.*`) of those that drvc knows",
        ),
    ],
    properties: &[UNCHECKED],
    body: &Body {
        nodes: &[
            &KERNEL,
            &Z,
            &ARCHES,
            &FLAVORS,
            &BUILDER,
            &ENTITLEMENT,
            &BASE,
            &REPOSITORY,
            &MANAGER,
            &HEADERS,
        ],
        rules: &[],
    },
    ..Node::new(
        "os",
        Count::AtLeastOne,
        "Releases of an operating system, with the kernels and architectures to build for.",
    )
};

const UNCHECKED: Property = Property::optional(
    "unchecked",
    Kind::Bool,
    "builds also what contradicts the profile's knowledge of kernels; the checks in the build stay",
);

static KERNEL: Node = Node {
    arguments: &[Argument::any(
        "KERNEL",
        Kind::TEXT,
        "a kernel as `uname -r` prints it, with its architecture or without",
    )],
    properties: &[
        Property::optional("match", Kind::TEXT, "a pattern; `drvc lock` finds the kernels that match"),
        Property::optional(
            "latest",
            Kind::Integer { min: 1, max: 1000 },
            "how many of the newest, for each flavour and architecture; `drvc lock` finds them",
        ),
        Property::optional(
            "from",
            Kind::Path,
            "a file of kernels, one a line, relative to the manifest; `#` begins a comment",
        ),
        UNCHECKED,
    ],
    rules: &[Rule { kind: RuleKind::AtLeastOne, groups: &[&["KERNEL"], &["match"], &["latest"], &["from"]] }],
    ..Node::new(
        "kernel",
        Count::Any,
        "Kernels to build for. Where `os` names several releases, each kernel goes to the one that it belongs to.",
    )
};

static Z: Node = Node {
    properties: &[Property::required(
        "latest",
        Kind::Integer { min: 1, max: 100 },
        "how many of each minor and architecture; `drvc lock` finds them",
    )],
    ..Node::new(
        "z",
        Count::AtMostOne,
        "The newest releases of OpenShift's minors: with it, `os \"openshift\" \"4.18\"` names a minor instead of a release.",
    )
};

static ARCHES: Node = Node {
    arguments: &[Argument::some("ARCH", Kind::Enum(&ARCH_NAMES), "an architecture, as `uname -m` prints it")],
    ..Node::new(
        "arch",
        Count::Any,
        "The architectures to build for. By default, those of the kernels named, or `x86_64`.",
    )
};

pub(super) static ARCH_NAMES: Enum = Enum {
    title: "an architecture",
    values: &[
        ("x86_64", "64-bit x86"),
        ("aarch64", "64-bit Arm"),
        ("ppc64le", "64-bit POWER, little-endian"),
        ("s390x", "IBM Z"),
        ("riscv64", "64-bit RISC-V"),
        ("i686", "32-bit x86"),
        ("armv7l", "32-bit Arm"),
    ],
    aliases: &[
        ("amd64", "x86_64"),
        ("x86-64", "x86_64"),
        ("x64", "x86_64"),
        ("arm64", "aarch64"),
        ("ppc64el", "ppc64le"),
        ("i386", "i686"),
        ("armhf", "armv7l"),
    ],
};

static FLAVORS: Node = Node {
    arguments: &[Argument::some(
        "FLAVOR",
        Kind::TEXT,
        "a flavour, such as `default`, `rt`, `64k` or `cloud`",
    )],
    ..Node::new(
        "flavor",
        Count::Any,
        "The flavours that `match` and `latest` look for. By default, the default one.",
    )
};

static BUILDER: Node = Node {
    arguments: &[Argument::some(
        "HOW",
        Kind::Enum(&BUILDERS),
        "where the builder image comes from; of several, `drvc lock` takes for each kernel the first that is there, or else the last",
    )],
    ..Node::new("builder", Count::AtMostOne, "Where the image comes from that modules are built in.")
};

static BUILDERS: Enum = Enum {
    title: "a builder",
    values: &[
        ("distro", "the distribution's base image, with the kernel's packages installed"),
        ("dtk", "OpenShift's Driver Toolkit image, which holds the kernel's packages"),
        ("toolkit", "a toolkit image that drvc makes; see `toolkit`"),
    ],
    aliases: &[("driver-toolkit", "dtk")],
};

static ENTITLEMENT: Node = Node {
    arguments: &[Argument::one("HOW", Kind::Enum(&ENTITLEMENTS), "the way to subscribed repositories")],
    properties: ENTITLEMENT_SECRETS,
    ..Node::new(
        "entitlement",
        Count::AtMostOne,
        "How subscribed package repositories are reached while building.",
    )
};

static BASE: Node = Node {
    arguments: &[Argument::one("IMAGE", Kind::TEXT, "an image")],
    ..Node::new(
        "base",
        Count::AtMostOne,
        "What the builder is built on, in place of the release's own base image.",
    )
};

static MANAGER: Node = Node {
    arguments: &[Argument::one("NAME", Kind::Enum(&MANAGERS), "the package manager of its images")],
    ..Node::new(
        "manager",
        Count::AtMostOne,
        "For a system that drvc has no profile of: with `base` and `headers`, all that it has to be told.",
    )
};

static MANAGERS: Enum = Enum {
    title: "a package manager",
    values: &[
        ("apt", "Debian's apt-get"),
        ("dnf", "of Fedora, RHEL and their kin"),
        ("tdnf", "of Photon and its kin"),
        ("yum", "the older dnf"),
        ("zypper", "of SUSE"),
    ],
    aliases: &[("apt-get", "apt")],
};

static HEADERS: Node = Node {
    arguments: &[Argument::some(
        "PACKAGE",
        Kind::TEXT,
        "a package, with `{kernel}` for what `uname -r` prints",
    )],
    properties: &[Property::optional(
        "dir",
        Kind::TEXT,
        "the directory that they put what `make -C` wants into; by default the package manager's usual one",
    )],
    ..Node::new(
        "headers",
        Count::AtMostOne,
        "For a system that drvc has no profile of: the packages that compiling against a kernel needs.",
    )
};

static REPOSITORY: Node = Node {
    arguments: &[Argument::optional(
        "URL",
        Kind::TEXT,
        "a package repository to add, with `{os}`, `{release}` and `{arch}`",
    )],
    properties: &[
        Property::optional("suite", Kind::TEXT, "the suite of an apt repository, such as `bookworm`"),
        Property::optional(
            "component",
            Kind::TEXT,
            "the components of an apt repository, `main` by default; several with blanks between them",
        ),
        Property::optional(
            "key",
            Kind::Path,
            "the OpenPGP key that signs it: a file of yours, or one in the base image where the path begins with `/`",
        ),
        Property::optional("enable", Kind::TEXT, "the id of a repository to enable that is there but off"),
    ],
    rules: &[Rule {
        kind: RuleKind::ExactlyOne,
        groups: &[&["URL", "suite", "component", "key"], &["enable"]],
    }],
    ..Node::new(
        "repository",
        Count::Any,
        "A package repository that the builder needs. `drvc lock` looks for kernels in those with a URL.",
    )
};

static EXCLUDE: Node = Node {
    properties: &[
        OS_IS,
        FAMILY,
        RELEASE,
        EL,
        KERNEL_IS,
        ARCH,
        FLAVOR,
        IMAGE,
        Property::required("reason", Kind::TEXT, "why; `drvc plan` shows it"),
    ],
    rules: &[SELECTS],
    ..Node::new("exclude", Count::Any, "Takes the cells selected out of the matrix.")
};

static ON: Node = Node {
    properties: SELECTORS,
    rules: &[SELECTS],
    body: &Body { nodes: &[&BUILDER, &ENTITLEMENT, &BASE, &REPOSITORY], rules: &[] },
    ..Node::new(
        "on",
        Count::Any,
        "What is different for the cells selected. Single values replace those of `os`; repositories are added.",
    )
};
