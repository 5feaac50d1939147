//! `image`: what a driver container holds and does.

use super::selector::{SELECTORS, SELECTS};
use crate::language::schema::{
    Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property, Rule, RuleKind,
};

pub(super) static IMAGE: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the image's name: of its directory and its repository")],
    body: &Body {
        nodes: &[
            &MODULE,
            &LOAD,
            &OPTION,
            &SOFTDEP,
            &BLACKLIST,
            &REPLACES,
            &REPOSITORY,
            &TAG,
            &BASE,
            &FIRMWARE,
            &FILE,
            &PACKAGES,
            &LABEL,
            &IN_TREE,
            &REUSE,
            &ONLY,
            &ON,
        ],
        rules: &[],
    },
    ..Node::new(
        "image",
        Count::AtLeastOne,
        "One driver container: a small image with modules, and what loads them. There is one for every cell of the \
         matrix, unless `only` says otherwise.",
    )
};

static ON: Node = Node {
    properties: SELECTORS,
    rules: &[SELECTS],
    body: &Body {
        nodes: &[
            &MODULE,
            &LOAD,
            &OPTION,
            &SOFTDEP,
            &BLACKLIST,
            &REPLACES,
            &REPOSITORY,
            &TAG,
            &BASE,
            &FIRMWARE,
            &FILE,
            &PACKAGES,
            &LABEL,
            &IN_TREE,
            &REUSE,
        ],
        rules: &[],
    },
    ..Node::new(
        "on",
        Count::Any,
        "What is different for the cells selected. Single values replace those outside; lists are added to them.",
    )
};

static ONLY: Node = Node {
    properties: SELECTORS,
    rules: &[SELECTS],
    ..Node::new(
        "only",
        Count::Any,
        "Restricts the image to the cells selected. Several `only` add up: a cell is in where one of them selects it.",
    )
};

static MODULE: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a module of this manifest")],
    ..Node::new("module", Count::Any, "The modules that the image holds.")
};

static LOAD: Node = Node {
    arguments: &[Argument::some("KMOD", Kind::TEXT, "a kernel module; `-` and `_` are equal")],
    ..Node::new(
        "load",
        Count::Any,
        "The kernel modules that the container loads when it starts, in this order.",
    )
};

static OPTION: Node = Node {
    arguments: &[Argument::one("KMOD", Kind::TEXT, "a kernel module")],
    free: Some(FreeProperties {
        key: "PARAMETER",
        description: "a parameter of the kernel module",
        required: true,
    }),
    ..Node::new("option", Count::Any, "Parameters to load a kernel module with.")
};

static SOFTDEP: Node = Node {
    arguments: &[Argument::one("KMOD", Kind::TEXT, "a kernel module")],
    body: &Body {
        nodes: &[&PRE, &POST],
        rules: &[Rule { kind: RuleKind::AtLeastOne, groups: &[&["pre"], &["post"]] }],
    },
    ..Node::new(
        "softdep",
        Count::Any,
        "Kernel modules to load with another, though it uses none of their symbols.",
    )
};

static PRE: Node = Node {
    arguments: &[Argument::some("KMOD", Kind::TEXT, "a kernel module")],
    ..Node::new("pre", Count::Any, "To load before it.")
};

static POST: Node = Node {
    arguments: &[Argument::some("KMOD", Kind::TEXT, "a kernel module")],
    ..Node::new("post", Count::Any, "To load after it.")
};

static BLACKLIST: Node = Node {
    arguments: &[Argument::some("KMOD", Kind::TEXT, "a kernel module")],
    ..Node::new("blacklist", Count::Any, "Kernel modules that aliases may not load.")
};

static REPLACES: Node = Node {
    arguments: &[Argument::some("KMOD", Kind::TEXT, "a kernel module of the distribution")],
    ..Node::new("replaces", Count::Any, "Kernel modules to unload before the image's own are loaded.")
};

static REPOSITORY: Node = Node {
    arguments: &[Argument::one("REPOSITORY", Kind::TEXT, "registry and path, without a tag")],
    ..Node::new("repository", Count::AtMostOne, "Where the image goes. By default, `{registry}/{image}`.")
};

static TAG: Node = Node {
    arguments: &[Argument::one("TAG", Kind::TEXT, "the tag; what a tag cannot hold becomes `_`")],
    ..Node::new("tag", Count::AtMostOne, "The image's tag. By default, `{kernel}`.")
};

static BASE: Node = Node {
    arguments: &[Argument::one("IMAGE", Kind::TEXT, "`minimal`, `micro`, or an image")],
    ..Node::new(
        "base",
        Count::AtMostOne,
        "What the image is built on: the release's minimal image by default, its micro image, or any other.",
    )
};

pub(super) const FROM: Property = Property::required(
    "from",
    Kind::TEXT,
    "a module of the image (its built tree), a source of this manifest, or another image",
);

static FIRMWARE: Node = Node {
    arguments: &[Argument::one("GLOB", Kind::TEXT, "a pattern, relative to where the files come from")],
    properties: &[
        FROM,
        Property::optional(
            "to",
            Kind::TEXT,
            "the directory beneath `/opt/lib/firmware`; that itself by default",
        ),
    ],
    ..Node::new(
        "firmware",
        Count::Any,
        "Firmware files. The container puts them where the node's kernel looks for them, before it loads anything.",
    )
};

static FILE: Node = Node {
    arguments: &[Argument::one("GLOB", Kind::TEXT, "a pattern, relative to where the files come from")],
    properties: &[FROM, Property::required("to", Kind::TEXT, "the directory in the image, from `/` on")],
    ..Node::new("file", Count::Any, "Other files of the image.")
};

static PACKAGES: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a package of the distribution")],
    ..Node::new("packages", Count::Any, "Packages to install in the image.")
};

static LABEL: Node = Node {
    free: Some(FreeProperties { key: "KEY", description: "a label of the image", required: true }),
    ..Node::new("label", Count::Any, "Labels of the image, beside those from `project`.")
};

static IN_TREE: Node = Node {
    arguments: &[Argument::one("HOW", Kind::Enum(&IN_TREE_KINDS), "what becomes of them")],
    ..Node::new(
        "in-tree",
        Count::AtMostOne,
        "Where the distribution's own modules come from that the image's modules depend on. By default, `link`.",
    )
};

static IN_TREE_KINDS: Enum = Enum {
    title: "a way to reach in-tree modules",
    values: &[
        ("link", "the host's, by a link; needs `/lib/modules` mounted into the container"),
        ("copy", "copies of those that are needed, in the image"),
        ("none", "nowhere: such a dependency fails the build"),
    ],
    aliases: &[],
};

static REUSE: Node = Node {
    arguments: &[Argument::one(
        "LEVEL",
        Kind::Enum(&REUSE_LEVELS),
        "what has to be the same on both kernels",
    )],
    properties: &[Property::optional(
        "strict",
        Kind::Bool,
        "`#true` where a build is to stop rather than compile once more",
    )],
    ..Node::new(
        "reuse",
        Count::AtMostOne,
        "Takes the modules of an earlier kernel's image where these serve a later kernel as they are. By default, \
         modules are compiled for each kernel.",
    )
};

static REUSE_LEVELS: Enum = Enum {
    title: "a level of sameness",
    values: &[
        (
            "headers",
            "header files and options, but for release strings, and the versions of the symbols in use",
        ),
        ("abi", "options and the versions of the symbols in use"),
    ],
    aliases: &[],
};
