//! Kernels: how their names are read, and the flavours that they come in.

use super::distribution::ARCHES;
use super::{FLAVOR_BODY, TEXT, any, one};
use crate::language::schema::{Argument, Kind, Node, Property};

pub(super) static DEFAULT_FLAVOR: Node = one(
    "default-flavor",
    &[Argument::one("NAME", TEXT, "the flavour")],
    "The flavour that is meant where a kernel names none: `default`, where this is left out.",
);

pub(super) static EXAMPLE: Node = one(
    "example",
    &[Argument::one("KERNEL", TEXT, "what `uname -r` prints")],
    "A kernel to show people who wrote one that is none.",
);

pub(super) static OPEN_SERIES: Node =
    one("open-series", &[], "Takes kernels of a series that no release lists as any release's.");

pub(super) static OPEN_FLAVORS: Node =
    one("open-flavors", &[], "Takes flavours that no `flavor` node names.");

pub(super) static KERNEL: Node = Node {
    properties: &[
        Property::required("series", TEXT, "what releases list in `series`, made of the pattern's groups"),
        Property::optional("complete", TEXT, "the text with its architecture, for kernels written without"),
        Property::optional("flavor", TEXT, "the flavour of kernels of this shape"),
        Property::optional("releases", TEXT, "the range of releases whose kernels have this shape"),
        Property::optional("reason", TEXT, "what is right elsewhere"),
        Property::optional("unverified", TEXT, "as the node `unverified`, for kernels of this shape"),
        Property::optional(
            "loose",
            Kind::Bool,
            "whether it is for kernels that are not known: it is tried last, and compiling for them warns",
        ),
    ],
    ..any(
        "kernel",
        &[Argument::one("PATTERN", TEXT, "a regular expression for the whole text")],
        "A shape of what `uname -r` prints. The first that matches counts. Its named groups are values for templates; \
         `arch`, `flavor`, `suffix` and `bare` have a meaning of their own.",
    )
};

pub(super) static FOREIGN: Node = Node {
    properties: &[Property::required("of", TEXT, "completes: that is a kernel of …")],
    ..any(
        "foreign",
        &[Argument::one("PATTERN", TEXT, "a regular expression for the whole text")],
        "Kernels that are easily taken for this distribution's.",
    )
};

pub(super) static FLAVOR: Node = Node {
    body: &FLAVOR_BODY,
    ..any(
        "flavor",
        &[Argument::one(
            "NAME",
            TEXT,
            "the flavour; `*-64k` for all that end so, `*` for all that no other names",
        )],
        "What holds for kernels of one flavour.",
    )
};

pub(super) static ONLY_ARCH: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "only-arch",
        &[Argument::some("NAME", Kind::Enum(ARCHES), "where there are such kernels")],
        "The architectures that have the flavour.",
    )
};

pub(super) static ONLY_RELEASES: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "only-releases",
        &[Argument::one("RANGE", TEXT, "a version, or comparisons such as `>=9.2, <9.5`")],
        "The releases that have the flavour.",
    )
};

pub(super) static EXCEPT_RELEASES: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "except-releases",
        &[Argument::one("RANGE", TEXT, "a version, or comparisons such as `>=9.2, <9.5`")],
        "Releases that do not have the flavour.",
    )
};
