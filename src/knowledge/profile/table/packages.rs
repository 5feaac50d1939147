//! Packages: which a build needs, the repositories that have them, and where a kernel's lie once they are installed.

use super::{TEXT, any, one};
use crate::language::schema::manifest::STREAMS;
use crate::language::schema::{Argument, Kind, Node, Property};

pub(super) static TOOLS: Node =
    one("tools", &[Argument::any("PACKAGE", TEXT, "a package")], "Packages to compile modules with.");

pub(super) static FETCH: Node =
    one("fetch", &[Argument::any("PACKAGE", TEXT, "a package")], "Packages to fetch and patch sources with.");

pub(super) static DOWNLOAD: Node = one(
    "download",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages to download with `curl`, to unpack and to patch, where the base image lacks them.",
);

pub(super) static SRPM: Node = one(
    "srpm",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages to prepare source packages of rpm with `rpmbuild`.",
);

pub(super) static SSH: Node = one(
    "ssh",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages to fetch sources by ssh with, beside those of `fetch`: `ssh`, `ssh-add` and `ssh-agent`.",
);

pub(super) static TOOLKIT: Node = one(
    "toolkit",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of toolkit images that are the same for every kernel; those of `tools` and `fetch` by default. The compiler \
     is added to them.",
);

pub(super) static RUNTIME: Node = one(
    "runtime",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that the minimal runtime image needs to load modules.",
);

pub(super) static INSTALL_OPTIONS: Node = one(
    "install-options",
    &[Argument::any("OPTION", TEXT, "a long option, such as `--releasever=9.4`")],
    "Options of each installation in the builder.",
);

pub(super) static BUILD: Node = one(
    "build",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that compiling against a kernel needs.",
);

pub(super) static IN_TREE: Node = one(
    "in-tree",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that hold a kernel's own modules.",
);

pub(super) static BOOT: Node = one(
    "boot",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that booting a kernel needs beside those of `in-tree`, where a repository has them.",
);

pub(super) static TOOLKIT_KERNEL: Node = one(
    "toolkit-kernel",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of a kernel that toolkit images have beside those of `build`.",
);

pub(super) static TOOLKIT_MODULES: Node = one(
    "toolkit-modules",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of a kernel that toolkit images have beside those of `in-tree`, without their scripts.",
);

pub(super) static SUBSCRIPTION: Node = one(
    "subscription",
    &[Argument::any("ID", TEXT, "a repository's name for the package manager")],
    "Subscribed repositories that every build needs, which a registered system may not have enabled.",
);

pub(super) static REPOSITORY: Node = one(
    "repository",
    &[Argument::any("ID", TEXT, "a repository's name for the package manager")],
    "Repositories to enable for a kernel's packages.",
);

pub(super) static STREAM: Node = Node {
    properties: &[Property::optional(
        "flavor",
        TEXT,
        "the flavour that it is for, with those that begin so; all by default",
    )],
    ..any(
        "stream",
        &[Argument::one("NAME", Kind::Enum(&STREAMS), "the default where the manifest names none")],
        "Which stream of subscribed repositories has the release's kernels: the value of `{stream}` in `repository`, with a \
         hyphen before it.",
    )
};

pub(super) static MIRROR: Node = Node {
    properties: &[
        Property::optional("suite", TEXT, "the suite of an apt repository"),
        Property::optional("component", TEXT, "its components, with blanks between them"),
        Property::optional(
            "arch",
            TEXT,
            "the architectures that it is for, with blanks between them; all by default",
        ),
        Property::optional(
            "subscription",
            Kind::Bool,
            "whether it asks for the certificate of a subscription",
        ),
        Property::optional(
            "archive",
            Kind::Bool,
            "whether base images do not know it, so that the builder is given it",
        ),
        Property::optional("key", TEXT, "the OpenPGP keys that sign it: an absolute path in the base image"),
    ],
    ..any(
        "mirror",
        &[Argument::one(
            "URL",
            TEXT,
            "with `{release}`, `{arch}` and `{tree}`, which is the name of the release's `stream`, or `dist`",
        )],
        "A package repository in which `drvc lock` and `drvc kernels` look for kernels.",
    )
};

pub(super) static OLD_KERNELS: Node = one(
    "old-kernels",
    &[Argument::one("TEXT", TEXT, "printable ASCII; completes: it is not offered; …")],
    "Where kernels are that have left the repositories, and how to name that place. `drvc lock` says it where it passes over a \
     kernel whose packages are gone, and a build where it cannot install them.",
);

pub(super) static KERNEL_DIR: Node = one(
    "kernel-dir",
    &[Argument::one("PATH", TEXT, "an absolute path")],
    "Where a kernel's packages put what `make -C` wants.",
);

pub(super) static KERNEL_SRC_DIR: Node = one(
    "kernel-src-dir",
    &[Argument::one("PATH", TEXT, "an absolute path")],
    "Where the headers proper are; the same directory by default.",
);

pub(super) static COMPILER: Node = Node {
    properties: &[Property::optional(
        "command",
        TEXT,
        "the program in it, by name or absolute path; named as the package by default",
    )],
    ..one(
        "compiler",
        &[Argument::one("PACKAGE", TEXT, "a package that holds the program")],
        "The compiler of the kernel, where the image's own is another.",
    )
};
