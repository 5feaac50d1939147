//! The distribution as a whole: its name, its order of versions, and the managers, builders and architectures it has.

use super::{TEXT, any, one};
use crate::knowledge::profile::{Builder, Entitlement, PackageManager};
use crate::language::schema::{Argument, Count, Enum, Kind, Node, Property};
use crate::text::ids::Arch;

pub(super) static HEADER: Node = Node {
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

pub(super) static TITLE: Node = one(
    "title",
    &[Argument::one("TEXT", TEXT, "the name in messages")],
    "What people call the distribution.",
);

pub(super) static FAMILY: Node = one(
    "family",
    &[Argument::one("NAME", TEXT, "the name that selectors take")],
    "What the distribution is one of: `family=\"rhel\"` selects RHEL, OpenShift and the rebuilds. \
     Its own name by default.",
);

pub(super) static ORDER: Node = one(
    "order",
    &[Argument::one("RULES", Kind::Enum(ORDERS), "whose rules")],
    "How releases and kernels are ordered.",
);

pub(super) static MANAGER: Node = Node {
    properties: &[Property::optional("runtime", Kind::Enum(MANAGERS), "that of the minimal runtime image")],
    ..one(
        "manager",
        &[Argument::one("NAME", Kind::Enum(MANAGERS), "that of the builder's base image")],
        "The package manager.",
    )
};

pub(super) static BUILDER: Node = one(
    "builder",
    &[Argument::some("NAME", Kind::Enum(BUILDERS), "the default first")],
    "Where builder images can come from.",
);

pub(super) static ENTITLEMENT: Node = one(
    "entitlement",
    &[Argument::some("NAME", Kind::Enum(ENTITLEMENTS), "the default first")],
    "How package repositories can be reached.",
);

pub(super) static ARCH: Node = Node {
    properties: &[Property::optional("name", TEXT, "the distribution's own name for it in kernels")],
    ..any(
        "arch",
        &[Argument::one("NAME", Kind::Enum(ARCHES), "as `uname -m` prints it")],
        "An architecture that there are kernels for.",
    )
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

pub(super) static ARCHES: &Enum = &Enum {
    title: "an architecture",
    values: &[
        (Arch::X86_64.name(), "64-bit PCs"),
        (Arch::Aarch64.name(), "64-bit ARM"),
        (Arch::Ppc64le.name(), "little-endian POWER"),
        (Arch::S390x.name(), "IBM Z"),
        (Arch::Riscv64.name(), "64-bit RISC-V"),
        (Arch::I686.name(), "32-bit PCs"),
        (Arch::Armv7l.name(), "32-bit ARM"),
    ],
    aliases: &[("amd64", "x86_64"), ("arm64", "aarch64"), ("ppc64el", "ppc64le")],
};
