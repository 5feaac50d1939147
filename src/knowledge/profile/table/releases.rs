//! Releases: the lines that they fall into, the kernels that each ships, and when its support ends.

use super::{KERNEL_BODY, LINE_BODY, RELEASE_BODY, RUNS_BODY, TEXT, any, one};
use crate::language::schema::{Argument, Node};

pub(super) static LINE: Node = Node {
    body: &LINE_BODY,
    ..any(
        "line",
        &[Argument::one("NAME", TEXT, "its name, the value of `{line}`")],
        "Releases that have most in common, oldest first.",
    )
};

pub(super) static RUNS: Node = Node {
    body: &RUNS_BODY,
    ..any(
        "runs",
        &[Argument::one("RELEASE", TEXT, "a release of the profile that the header names")],
        "A system that the nodes of the line may run.",
    )
};

pub(super) static RELEASE: Node = Node {
    body: &RELEASE_BODY,
    ..any(
        "release",
        &[Argument::one("NAME", TEXT, "the release; `4.18.{z}` for all that have a number there")],
        "A release, or all that follow a pattern.",
    )
};

pub(super) static SERIES: Node = Node {
    body: &KERNEL_BODY,
    ..any(
        "series",
        &[Argument::some("TEXT", TEXT, "as the `series` of its kernels' shape")],
        "Kernels that the release ships.",
    )
};

pub(super) static ALIAS: Node = one(
    "alias",
    &[Argument::some("WORD", TEXT, "such as `bookworm`")],
    "Other words for the release: manifests cannot use them, but messages say what to write instead.",
);

pub(super) static SUFFIX: Node = one(
    "suffix",
    &[Argument::some("TEXT", TEXT, "as the group `suffix` of its kernels' shape; the usual one last")],
    "How the text of its kernels must go on; a kernel that says otherwise contradicts itself.",
);

pub(super) static WITHOUT: Node = any(
    "without",
    &[Argument::some("RELEASE", TEXT, "releases of the profile that this one extends")],
    "Releases that this distribution never had.",
);

pub(super) static SHIPPED: Node = any(
    "shipped",
    &[
        Argument::one("KERNEL", TEXT, "as the group `bare` of its shape"),
        Argument::some("RELEASE", TEXT, "releases that run it"),
    ],
    "The very kernel that some releases run.",
);

pub(super) static EL: Node = one(
    "el",
    &[Argument::one("VERSION", TEXT, "such as `9.4`")],
    "The version of Enterprise Linux that the kernels are of.",
);

pub(super) static ENDED: Node = one(
    "ended",
    &[Argument::one("DAY", TEXT, "year, month and day")],
    "The day on which support ended. What has ended still compiles, with a warning.",
);
