//! The language of profile files, as the table that [`crate::schema`] holds them to.

use super::{Builder, Entitlement, PackageManager};
use crate::ids::Arch;
use crate::schema::{Argument, Body, Count, Enum, Kind, Node, Property};

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
        &KERNEL_DIR,
        &KERNEL_SRC_DIR,
        &COMPILER,
        &UNVERIFIED,
    ],
    rules: &[],
};

static ORDERS: &Enum = &Enum {
    title: "an order of versions",
    values: &[("rpm", "as rpm compares them"), ("dpkg", "as dpkg compares them")],
    aliases: &[("deb", "dpkg"), ("apt", "dpkg"), ("dnf", "rpm")],
};
static MANAGERS: &Enum = &Enum {
    title: "a package manager",
    values: &[
        (PackageManager::Apt.name(), "Debian's apt-get"),
        (PackageManager::Dnf.name(), "of RHEL, its rebuilds and Fedora"),
        (PackageManager::Microdnf.name(), "the small dnf of minimal images"),
        (PackageManager::Tdnf.name(), "of Azure Linux and Photon"),
        (PackageManager::Yum.name(), "of Amazon Linux 2"),
        (PackageManager::Zypper.name(), "of SUSE"),
    ],
    aliases: &[("apt-get", "apt")],
};
static BUILDERS: &Enum = &Enum {
    title: "a builder",
    values: &[
        (Builder::Distro.name(), "the distribution's base image, and packages installed in it"),
        (Builder::Dtk.name(), "OpenShift's Driver Toolkit image"),
        (Builder::Toolkit.name(), "a toolkit image of drvc's own"),
    ],
    aliases: &[],
};
static ENTITLEMENTS: &Enum = &Enum {
    title: "an entitlement",
    values: &[
        (Entitlement::Certs.name(), "certificates, as build secrets"),
        (Entitlement::Host.name(), "the host's own certificates"),
        (Entitlement::None.name(), "no subscription"),
        (Entitlement::Rhsm.name(), "organisation and activation key, as build secrets"),
    ],
    aliases: &[],
};
static ARCHES: &Enum = &Enum {
    title: "an architecture",
    values: &[
        (Arch::X86_64.name(), "64-bit PCs"),
        (Arch::Aarch64.name(), "64-bit ARM"),
        (Arch::Ppc64le.name(), "little-endian POWER"),
        (Arch::S390x.name(), "IBM Z"),
    ],
    aliases: &[("amd64", "x86_64"), ("arm64", "aarch64"), ("ppc64el", "ppc64le")],
};

const fn one(name: &'static str, argument: &'static [Argument], description: &'static str) -> Node {
    Node { arguments: argument, ..Node::new(name, Count::AtMostOne, description) }
}

const fn any(name: &'static str, argument: &'static [Argument], description: &'static str) -> Node {
    Node { arguments: argument, ..Node::new(name, Count::Any, description) }
}

const TEXT: Kind = Kind::TEXT;

static HEADER: Node = Node {
    properties: &[
        Property::required(
            "edition",
            Kind::Integer { min: 1, max: 1 },
            "the edition of the language of profiles",
        ),
        Property::optional("extends", TEXT, "the built-in profile that this one is laid over"),
        Property::optional(
            "runs",
            TEXT,
            "the profile whose releases this one's nodes run, as OpenShift's run RHEL",
        ),
    ],
    ..Node::new("profile", Count::ExactlyOne, "Opens the file.")
};
static TITLE: Node = one(
    "title",
    &[Argument::one("TEXT", TEXT, "the name in messages")],
    "What people call the distribution.",
);
static FAMILY: Node = one(
    "family",
    &[Argument::one("NAME", TEXT, "the name that selectors take")],
    "What the distribution is one of: `family=\"rhel\"` selects RHEL, OpenShift and the rebuilds. \
     Its own name, unless said.",
);
static ORDER: Node = one(
    "order",
    &[Argument::one("RULES", Kind::Enum(ORDERS), "whose rules")],
    "How releases and kernels are ordered.",
);
static MANAGER: Node = Node {
    properties: &[Property::optional("runtime", Kind::Enum(MANAGERS), "that of the minimal runtime image")],
    ..one(
        "manager",
        &[Argument::one("NAME", Kind::Enum(MANAGERS), "that of the builder's base image")],
        "The package manager.",
    )
};
static BUILDER: Node = one(
    "builder",
    &[Argument::some("NAME", Kind::Enum(BUILDERS), "the default first")],
    "Where builder images can come from.",
);
static ENTITLEMENT: Node = one(
    "entitlement",
    &[Argument::some("NAME", Kind::Enum(ENTITLEMENTS), "the default first")],
    "How package repositories can be reached.",
);
static ARCH: Node = Node {
    properties: &[Property::optional("name", TEXT, "the distribution's own name for it in kernels")],
    ..any(
        "arch",
        &[Argument::one("NAME", Kind::Enum(ARCHES), "as `uname -m` prints it")],
        "An architecture that there are kernels for.",
    )
};
static DEFAULT_FLAVOR: Node = one(
    "default-flavor",
    &[Argument::one("NAME", TEXT, "the flavour")],
    "The flavour that is meant where none is named; `default`, unless said.",
);
static EXAMPLE: Node = one(
    "example",
    &[Argument::one("KERNEL", TEXT, "what `uname -r` prints")],
    "A kernel to show people who wrote one that is none.",
);
static PAYLOAD: Node = one(
    "payload",
    &[Argument::one("REPOSITORY", TEXT, "host and path")],
    "The repository of OpenShift's release payloads, with a tag `RELEASE-ARCH` for each: a mirror's, for instance.",
);
static OPEN_SERIES: Node =
    one("open-series", &[], "Takes kernels of a series that no release lists as any release's.");
static OPEN_FLAVORS: Node = one("open-flavors", &[], "Takes flavours that no `flavor` node names.");
static KERNEL: Node = Node {
    properties: &[
        Property::required("series", TEXT, "what releases list in `series`, made of the pattern's groups"),
        Property::optional("complete", TEXT, "the text with its architecture, for kernels written without"),
        Property::optional("flavor", TEXT, "the flavour of kernels of this shape"),
        Property::optional("releases", TEXT, "the range of releases whose kernels have this shape"),
        Property::optional("reason", TEXT, "what is right elsewhere"),
        Property::optional("unverified", TEXT, "as the node `unverified`, for kernels of this shape"),
    ],
    ..any(
        "kernel",
        &[Argument::one("PATTERN", TEXT, "a regular expression for the whole text")],
        "A shape of what `uname -r` prints. The first that matches counts. Its named groups are values for templates; \
         `arch`, `flavor`, `suffix` and `bare` have a meaning of their own.",
    )
};
static FOREIGN: Node = Node {
    properties: &[Property::required("of", TEXT, "completes: that is a kernel of …")],
    ..any(
        "foreign",
        &[Argument::one("PATTERN", TEXT, "a regular expression for the whole text")],
        "Kernels that are easily taken for this distribution's.",
    )
};
static FLAVOR: Node = Node {
    body: &FLAVOR_BODY,
    ..any(
        "flavor",
        &[Argument::one("NAME", TEXT, "the flavour; `*-64k` for all that end so")],
        "What holds for kernels of one flavour.",
    )
};
static ONLY_ARCH: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "only-arch",
        &[Argument::some("NAME", Kind::Enum(ARCHES), "where there are such kernels")],
        "The architectures that have the flavour.",
    )
};
static ONLY_RELEASES: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "only-releases",
        &[Argument::one("RANGE", TEXT, "a version, or comparisons such as `>=9.2, <9.5`")],
        "The releases that have the flavour.",
    )
};
static EXCEPT_RELEASES: Node = Node {
    properties: &[Property::required("reason", TEXT, "why, for messages")],
    ..any(
        "except-releases",
        &[Argument::one("RANGE", TEXT, "a version, or comparisons such as `>=9.2, <9.5`")],
        "Releases that do not have the flavour.",
    )
};
static LINE: Node = Node {
    body: &LINE_BODY,
    ..any(
        "line",
        &[Argument::one("NAME", TEXT, "its name, the value of `{line}`")],
        "Releases that have most in common, oldest first.",
    )
};
static RUNS: Node = Node {
    body: &RUNS_BODY,
    ..any(
        "runs",
        &[Argument::one("RELEASE", TEXT, "a release of the profile that the header names")],
        "A system that the nodes of the line may run.",
    )
};
static RELEASE: Node = Node {
    body: &RELEASE_BODY,
    ..any(
        "release",
        &[Argument::one("NAME", TEXT, "the release; `4.18.{z}` for all that have a number there")],
        "A release, or all that follow a pattern.",
    )
};
static SERIES: Node = Node {
    body: &KERNEL_BODY,
    ..any(
        "series",
        &[Argument::some("TEXT", TEXT, "as the `series` of its kernels' shape")],
        "Kernels that the release ships.",
    )
};
static ALIAS: Node = one(
    "alias",
    &[Argument::some("WORD", TEXT, "such as `bookworm`")],
    "Other words for the release: manifests cannot use them, but messages say what to write instead.",
);
static SUFFIX: Node = one(
    "suffix",
    &[Argument::some("TEXT", TEXT, "as the group `suffix` of its kernels' shape; the usual one last")],
    "How the text of its kernels must go on; a kernel that says otherwise contradicts itself.",
);
static WITHOUT: Node = any(
    "without",
    &[Argument::some("RELEASE", TEXT, "releases of the profile that this one extends")],
    "Releases that this distribution never had.",
);
static SHIPPED: Node = any(
    "shipped",
    &[
        Argument::one("KERNEL", TEXT, "as the group `bare` of its shape"),
        Argument::some("RELEASE", TEXT, "releases that run it"),
    ],
    "The very kernel that some releases run.",
);
static EL: Node = one(
    "el",
    &[Argument::one("VERSION", TEXT, "such as `9.4`")],
    "The version of Enterprise Linux that the kernels are of.",
);
static ENDED: Node = one(
    "ended",
    &[Argument::one("DAY", TEXT, "year, month and day")],
    "The day on which support ended. What has ended still compiles, with a warning.",
);
static BASE: Node =
    one("base", &[Argument::one("IMAGE", TEXT, "host, path and tag")], "Base image of the builder `distro`.");
static MINIMAL: Node = one(
    "minimal",
    &[Argument::one("IMAGE", TEXT, "host, path and tag")],
    "The small runtime image, with a package manager.",
);
static MICRO: Node = one(
    "micro",
    &[Argument::one("IMAGE", TEXT, "host, path and tag")],
    "The smallest runtime image, without a package manager.",
);
static DTK: Node =
    one("dtk", &[Argument::one("IMAGE", TEXT, "host, path and tag")], "The Driver Toolkit image.");
static TOOLS: Node =
    one("tools", &[Argument::any("PACKAGE", TEXT, "a package")], "Packages to compile modules with.");
static FETCH: Node =
    one("fetch", &[Argument::any("PACKAGE", TEXT, "a package")], "Packages to fetch and patch sources with.");
static DOWNLOAD: Node = one(
    "download",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages to download with `curl`, to unpack and to patch, where the base image lacks them.",
);
static SRPM: Node = one(
    "srpm",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages to prepare source packages of rpm with `rpmbuild`.",
);
static TOOLKIT: Node = one(
    "toolkit",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of toolkit images that are the same for every kernel; those of `tools` and `fetch`, unless said. The compiler \
     is added to them.",
);
static RUNTIME: Node = one(
    "runtime",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that the minimal runtime image needs to load modules.",
);
static INSTALL_OPTIONS: Node = one(
    "install-options",
    &[Argument::any("OPTION", TEXT, "a long option, such as `--releasever=9.4`")],
    "Options of each installation in the builder.",
);
static BUILD: Node = one(
    "build",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that compiling against a kernel needs.",
);
static IN_TREE: Node = one(
    "in-tree",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that hold a kernel's own modules.",
);
static BOOT: Node = one(
    "boot",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages that booting a kernel needs beside those of `in-tree`, where a repository has them.",
);
static TOOLKIT_KERNEL: Node = one(
    "toolkit-kernel",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of a kernel that toolkit images have beside those of `build`.",
);
static TOOLKIT_MODULES: Node = one(
    "toolkit-modules",
    &[Argument::any("PACKAGE", TEXT, "a package")],
    "Packages of a kernel that toolkit images have beside those of `in-tree`, without their scripts.",
);
static SUBSCRIPTION: Node = one(
    "subscription",
    &[Argument::any("ID", TEXT, "a repository's name for the package manager")],
    "Subscribed repositories that every build needs, which a registered system may not have enabled.",
);
static REPOSITORY: Node = one(
    "repository",
    &[Argument::any("ID", TEXT, "a repository's name for the package manager")],
    "Repositories to enable for a kernel's packages.",
);
static MIRROR: Node = Node {
    properties: &[
        Property::optional("suite", TEXT, "the suite of an apt repository"),
        Property::optional("component", TEXT, "its components, with blanks between them"),
        Property::optional(
            "arch",
            TEXT,
            "the architectures that it is for, with blanks between them; all, unless said",
        ),
        Property::optional(
            "subscription",
            Kind::Bool,
            "whether it asks for the certificate of a subscription",
        ),
    ],
    ..any(
        "mirror",
        &[Argument::one("URL", TEXT, "with `{release}` and `{arch}`")],
        "A package repository in which `drvc lock` and `drvc kernels` look for kernels.",
    )
};
static KERNEL_DIR: Node = one(
    "kernel-dir",
    &[Argument::one("PATH", TEXT, "an absolute path")],
    "Where a kernel's packages put what `make -C` wants.",
);
static KERNEL_SRC_DIR: Node = one(
    "kernel-src-dir",
    &[Argument::one("PATH", TEXT, "an absolute path")],
    "Where the headers proper lie; the same directory, unless said.",
);
static COMPILER: Node = Node {
    properties: &[Property::optional(
        "command",
        TEXT,
        "the program in it, by name or absolute path; named as the package, unless said",
    )],
    ..one(
        "compiler",
        &[Argument::one("PACKAGE", TEXT, "a package that holds the program")],
        "The compiler of the kernel, where the image's own is another.",
    )
};
static UNVERIFIED: Node = any(
    "unverified",
    &[Argument::one("WHAT", TEXT, "completes: not sure of …")],
    "What was seen once or inferred: compiling for it warns. Adds up over file, line, release, series and flavour.",
);
