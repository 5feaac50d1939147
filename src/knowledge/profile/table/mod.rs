//! The language of profile files, as the table that [`crate::language::schema`] holds them to: which nodes may stand where.
//!
//! What each node takes and means stands in the file of its subject.

mod distribution;
mod images;
mod kernels;
mod packages;
mod releases;

use crate::language::schema::{Argument, Body, Count, Kind, Node};
use distribution::{ARCH, BUILDER, ENTITLEMENT, FAMILY, HEADER, MANAGER, ORDER, TITLE};
use images::{BASE, DTK, MICRO, MINIMAL, PAYLOAD};
use kernels::{
    DEFAULT_FLAVOR, EXAMPLE, EXCEPT_RELEASES, FLAVOR, FOREIGN, KERNEL, ONLY_ARCH, ONLY_RELEASES,
    OPEN_FLAVORS, OPEN_SERIES,
};
use packages::{
    BOOT, BUILD, COMPILER, DOWNLOAD, FETCH, IN_TREE, INSTALL_OPTIONS, KERNEL_DIR, KERNEL_SRC_DIR, MIRROR,
    OLD_KERNELS, REPOSITORY, RUNTIME, SRPM, SSH, STREAM, SUBSCRIPTION, TOOLKIT, TOOLKIT_KERNEL,
    TOOLKIT_MODULES, TOOLS,
};
use releases::{ALIAS, EL, ENDED, LINE, RELEASE, RUNS, SERIES, SHIPPED, SUFFIX, WITHOUT};

/// A whole profile file.
pub static PROFILE: Body = Body {
    nodes: &[
        &HEADER,
        &TITLE,
        &FAMILY,
        &ORDER,
        &MANAGER,
        &BUILDER,
        &ENTITLEMENT,
        &ARCH,
        &DEFAULT_FLAVOR,
        &EXAMPLE,
        &PAYLOAD,
        &OPEN_SERIES,
        &OPEN_FLAVORS,
        &KERNEL,
        &FOREIGN,
        &FLAVOR,
        &LINE,
        &EL,
        &ENDED,
        &BASE,
        &MINIMAL,
        &MICRO,
        &DTK,
        &TOOLS,
        &FETCH,
        &DOWNLOAD,
        &SRPM,
        &SSH,
        &TOOLKIT,
        &RUNTIME,
        &INSTALL_OPTIONS,
        &BUILD,
        &IN_TREE,
        &BOOT,
        &TOOLKIT_KERNEL,
        &TOOLKIT_MODULES,
        &SUBSCRIPTION,
        &REPOSITORY,
        &MIRROR,
        &OLD_KERNELS,
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static LINE_BODY: Body = Body {
    nodes: &[
        &RUNS,
        &RELEASE,
        &WITHOUT,
        &SHIPPED,
        &MANAGER,
        &EL,
        &ENDED,
        &BASE,
        &MINIMAL,
        &MICRO,
        &DTK,
        &TOOLS,
        &FETCH,
        &DOWNLOAD,
        &SRPM,
        &SSH,
        &TOOLKIT,
        &RUNTIME,
        &INSTALL_OPTIONS,
        &BUILD,
        &IN_TREE,
        &BOOT,
        &TOOLKIT_KERNEL,
        &TOOLKIT_MODULES,
        &SUBSCRIPTION,
        &REPOSITORY,
        &MIRROR,
        &OLD_KERNELS,
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static RELEASE_BODY: Body = Body {
    nodes: &[
        &ALIAS,
        &SERIES,
        &SUFFIX,
        &EL,
        &ENDED,
        &BASE,
        &MINIMAL,
        &MICRO,
        &DTK,
        &TOOLS,
        &FETCH,
        &DOWNLOAD,
        &SRPM,
        &SSH,
        &TOOLKIT,
        &RUNTIME,
        &INSTALL_OPTIONS,
        &BUILD,
        &IN_TREE,
        &BOOT,
        &TOOLKIT_KERNEL,
        &TOOLKIT_MODULES,
        &SUBSCRIPTION,
        &REPOSITORY,
        &STREAM,
        &MIRROR,
        &OLD_KERNELS,
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static RUNS_BODY: Body = Body {
    nodes: &[
        &BASE,
        &MINIMAL,
        &MICRO,
        &DTK,
        &TOOLS,
        &FETCH,
        &DOWNLOAD,
        &SRPM,
        &SSH,
        &TOOLKIT,
        &RUNTIME,
        &INSTALL_OPTIONS,
    ],
    rules: &[],
};

static KERNEL_BODY: Body = Body {
    nodes: &[
        &BUILD,
        &IN_TREE,
        &BOOT,
        &TOOLKIT_KERNEL,
        &TOOLKIT_MODULES,
        &SUBSCRIPTION,
        &REPOSITORY,
        &OLD_KERNELS,
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static FLAVOR_BODY: Body = Body {
    nodes: &[
        &ONLY_ARCH,
        &ONLY_RELEASES,
        &EXCEPT_RELEASES,
        &BUILD,
        &IN_TREE,
        &BOOT,
        &TOOLKIT_KERNEL,
        &TOOLKIT_MODULES,
        &SUBSCRIPTION,
        &REPOSITORY,
        &OLD_KERNELS,
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static UNVERIFIED: Node = any(
    "unverified",
    &[Argument::one("WHAT", TEXT, "completes: not sure of …")],
    "What was seen once or inferred: compiling for it warns. Adds up over file, line, release, series and flavour.",
);

const fn one(name: &'static str, argument: &'static [Argument], description: &'static str) -> Node {
    Node { arguments: argument, ..Node::new(name, Count::AtMostOne, description) }
}

const fn any(name: &'static str, argument: &'static [Argument], description: &'static str) -> Node {
    Node { arguments: argument, ..Node::new(name, Count::Any, description) }
}

const TEXT: Kind = Kind::TEXT;
