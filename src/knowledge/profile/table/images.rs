//! Images: those that builders and runtime images stand on, and where OpenShift's release payloads lie.

use super::{TEXT, one};
use crate::language::schema::{Argument, Kind, Node, Property};

pub(super) static PAYLOAD: Node = Node {
    properties: &[Property::optional(
        "arch",
        Kind::Bool,
        "whether their tags end in the architecture; they do by default",
    )],
    ..one(
        "payload",
        &[Argument::one("REPOSITORY", TEXT, "host and path")],
        "The repository of OpenShift's release payloads, with a tag `RELEASE-ARCH` for each: a mirror's, for instance.",
    )
};

pub(super) static BASE: Node =
    one("base", &[Argument::one("IMAGE", TEXT, "host, path and tag")], "Base image of the builder `distro`.");

pub(super) static MINIMAL: Node = one(
    "minimal",
    &[Argument::one("IMAGE", TEXT, "host, path and tag")],
    "The small runtime image, with a package manager.",
);

pub(super) static MICRO: Node = one(
    "micro",
    &[Argument::one("IMAGE", TEXT, "host, path and tag")],
    "The smallest runtime image, without a package manager.",
);

pub(super) static DTK: Node =
    one("dtk", &[Argument::one("IMAGE", TEXT, "host, path and tag")], "The Driver Toolkit image.");
