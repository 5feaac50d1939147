//! The language of `drivers.kdl`, edition 1: every node, where it may stand, and what it says.

mod image;
mod kmm;
mod matrix;
mod mirror;
mod module;
mod output;
mod selector;
mod source;

use super::{Argument, Body, Count, Enum, Kind, Node, Property, Rule, RuleKind, kdl_schema};

/// The newest edition of the language that this drvc reads.
pub const EDITION: i64 = 1;

/// A whole manifest.
pub static MANIFEST: Body = Body {
    nodes: &[
        &DRVC,
        &INCLUDE,
        &PROJECT,
        &DEFAULTS,
        &source::SOURCE,
        &module::MODULE,
        &image::IMAGE,
        &TOOLKIT,
        &SIGNING,
        &ENTITLEMENT,
        &mirror::MIRROR,
        &matrix::MATRIX,
        &PROFILE,
        &TEMPLATE,
        &output::OUTPUT,
    ],
    rules: &[],
};

/// The manifest's schema in the KDL Schema Language, as `drvc schema` prints it.
#[must_use]
pub fn schema() -> String {
    let description =
        "What a kernel driver is built from, for which kernels, and into which container images.";
    kdl_schema(&MANIFEST, "drivers.kdl, edition 1", description)
}

static DRVC: Node = Node {
    properties: &[
        Property::required(
            "edition",
            Kind::Integer { min: 1, max: i64::MAX },
            "the edition of the language, 1",
        ),
        Property::optional(
            "requires",
            Kind::TEXT,
            "the versions of drvc that can read the manifest, as `>=0.1`",
        ),
    ],
    ..Node::new(
        "drvc",
        Count::ExactlyOne,
        "Says which language the file is written in. It is the first node of the file.",
    )
};

static INCLUDE: Node = Node {
    arguments: &[Argument::one("FILE", Kind::Path, "another file of this language, relative to this one")],
    ..Node::new(
        "include",
        Count::Any,
        "Reads another file in this place. Paths in it begin at its own directory, a node that is allowed once is allowed in one of \
         the files, and each file may have a `drvc`.",
    )
};

static PROJECT: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the project's name")],
    body: &Body {
        nodes: &[&REGISTRY, &VERSION, &LICENSE, &LICENSE_FILE, &DESCRIPTION, &VENDOR, &MAINTAINER, &URL],
        rules: &[],
    },
    ..Node::new(
        "project",
        Count::ExactlyOne,
        "What all images have in common: where they go, and their OCI labels.",
    )
};

static REGISTRY: Node = Node {
    arguments: &[Argument::one("PREFIX", Kind::TEXT, "registry and path, such as `quay.io/example`")],
    ..Node::new(
        "registry",
        Count::AtMostOne,
        "Where images go. An image's repository is this, `/` and the image's name, unless it has one of its own.",
    )
};

static VERSION: Node = Node {
    arguments: &[Argument::one("VERSION", Kind::TEXT, "the driver's version")],
    ..Node::new(
        "version",
        Count::AtMostOne,
        "The driver's version, for `{version}` and the label `org.opencontainers.image.version`.",
    )
};

static LICENSE: Node = Node {
    arguments: &[Argument::one("LICENSE", Kind::TEXT, "an SPDX expression")],
    ..Node::new("license", Count::AtMostOne, "For the label `org.opencontainers.image.licenses`.")
};

static DESCRIPTION: Node = Node {
    arguments: &[Argument::one("TEXT", Kind::TEXT, "one sentence")],
    ..Node::new("description", Count::AtMostOne, "For the label `org.opencontainers.image.description`.")
};

static VENDOR: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the vendor's name")],
    ..Node::new(
        "vendor",
        Count::AtMostOne,
        "For the label `org.opencontainers.image.vendor`. With it images also have the labels that Red Hat's \
         certification asks for: `name`, `vendor`, `version`, `release` (the kernel), `summary`, `description` and \
         `maintainer`, in place of those of their base.",
    )
};

static MAINTAINER: Node = Node {
    arguments: &[Argument::one("WHO", Kind::TEXT, "a name, and perhaps an address")],
    ..Node::new("maintainer", Count::AtMostOne, "For the label `maintainer`, where there is a `vendor`.")
};

static LICENSE_FILE: Node = Node {
    arguments: &[Argument::one("GLOB", Kind::TEXT, "a pattern, relative to where the files come from")],
    properties: &[image::FROM],
    ..Node::new("license-file", Count::AtMostOne, "The licence's text, for `/licenses` of each image.")
};

static URL: Node = Node {
    arguments: &[Argument::one("URL", Kind::TEXT, "where to read more")],
    ..Node::new("url", Count::AtMostOne, "For the label `org.opencontainers.image.url`.")
};

static DEFAULTS: Node = Node {
    body: &Body { nodes: &[&DEFAULT_MODULE, &DEFAULT_IMAGE], rules: &[] },
    ..Node::new(
        "defaults",
        Count::AtMostOne,
        "What all modules and all images have in common: it is read as if it were written first in each of them. A \
         node that is allowed once gives way to a module's or an image's own, and so does the way to build; everything else is added to.",
    )
};

static DEFAULT_MODULE: Node = Node {
    body: module::MODULE.body,
    ..Node::new("module", Count::AtMostOne, "What all modules have in common.")
};

static DEFAULT_IMAGE: Node = Node {
    body: image::IMAGE.body,
    ..Node::new("image", Count::AtMostOne, "What all images have in common.")
};

static TOOLKIT: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the toolkit's name")],
    body: &Body {
        nodes: &[&TOOLKIT_REPOSITORY, &TOOLKIT_TAG, &TOOLKIT_FLAVOR, &TOOLKIT_PACKAGES],
        rules: &[],
    },
    ..Node::new(
        "toolkit",
        Count::AtMostOne,
        "Shared toolkit images: one builder image for each OS release, kernel and architecture, built once and used by \
         every image for that kernel. Cells use it with `builder \"toolkit\"`.",
    )
};

static TOOLKIT_REPOSITORY: Node = Node {
    arguments: &[Argument::one("REPOSITORY", Kind::TEXT, "registry and path, without a tag")],
    properties: &[Property::optional(
        "private",
        Kind::Bool,
        "says that the repository is private, though its registry is a public one",
    )],
    ..Node::new(
        "repository",
        Count::AtMostOne,
        "Where toolkit images are kept. By default, the project's `registry`, `/` and the toolkit's name.",
    )
};

static TOOLKIT_TAG: Node = Node {
    arguments: &[Argument::one(
        "TEXT",
        Kind::TEXT,
        "a tag, with the variables of `packages`, such as `{kernel}`",
    )],
    ..Node::new(
        "tag",
        Count::AtMostOne,
        "Another tag that a toolkit image gets when it is built, for people and programs. Dockerfiles name the one that holds \
         its key, which stays what it is.",
    )
};

static TOOLKIT_FLAVOR: Node = Node {
    arguments: &[Argument::some("FLAVOR", Kind::TEXT, "a flavour, such as `rt`")],
    ..Node::new(
        "flavor",
        Count::Any,
        "Kernels that a toolkit image holds beside the one without a flavour: of the same version and these flavours, where \
         the profile knows them. They share one image.",
    )
};

static TOOLKIT_PACKAGES: Node = Node {
    arguments: &[Argument::some(
        "NAME",
        Kind::TEXT,
        "a package of the distribution, with `{kernel}`, `{flavor}`, `{os}`, `{release}` and `{arch}`",
    )],
    ..Node::new(
        "packages",
        Count::Any,
        "Packages to install in toolkit images beside what a build of modules needs.",
    )
};

static SIGNING: Node = Node {
    body: &Body { nodes: &[&KEY, &CERTIFICATE, &HASH, &SIGNING_PACKAGES], rules: &[] },
    ..Node::new(
        "signing",
        Count::AtMostOne,
        "Signs every module, after it is stripped. Without this node modules are left unsigned.",
    )
};

static KEY: Node = Node {
    arguments: &[Argument::optional("URI", Kind::TEXT, "a PKCS#11 URI, such as `pkcs11:object=mok`")],
    properties: &[
        Property::optional("secret", Kind::TEXT, "the id of the build secret that holds the private key"),
        Property::optional(
            "pin",
            Kind::TEXT,
            "the id of the build secret that holds the PIN of the token that the URI names, or the key's passphrase",
        ),
    ],
    rules: &[Rule { kind: RuleKind::ExactlyOne, groups: &[&["URI"], &["secret"]] }],
    ..Node::new(
        "key",
        Count::ExactlyOne,
        "The private key. It reaches the build as a secret and never an image.",
    )
};

static CERTIFICATE: Node = Node {
    arguments: &[Argument::one("FILE", Kind::Path, "the certificate, relative to the manifest")],
    ..Node::new("certificate", Count::ExactlyOne, "The certificate that belongs to the key.")
};

static SIGNING_PACKAGES: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a package of the distribution")],
    ..Node::new(
        "packages",
        Count::Any,
        "Packages that reaching the key needs, such as an engine for PKCS#11.",
    )
};

static HASH: Node = Node {
    arguments: &[Argument::one("HASH", Kind::Enum(&HASHES), "the hash to sign")],
    ..Node::new(
        "hash",
        Count::AtMostOne,
        "The hash of signatures. The default is the one that the kernel is configured for.",
    )
};

static HASHES: Enum = Enum {
    title: "a hash",
    values: &[
        ("auto", "what the kernel's `CONFIG_MODULE_SIG_HASH` says"),
        ("sha1", "SHA-1"),
        ("sha256", "SHA-256"),
        ("sha384", "SHA-384"),
        ("sha512", "SHA-512"),
    ],
    aliases: &[],
};

static ENTITLEMENT: Node = Node {
    arguments: &[Argument::one("HOW", Kind::Enum(&ENTITLEMENTS), "the way to subscribed repositories")],
    properties: ENTITLEMENT_SECRETS,
    ..Node::new(
        "entitlement",
        Count::AtMostOne,
        "How subscribed package repositories are reached while building. Here for all cells; in `os` for some.",
    )
};

/// The build secrets of `entitlement`, by their ids.
pub static ENTITLEMENT_SECRETS: &[Property] = &[
    Property::optional(
        "stream",
        Kind::Enum(&STREAMS),
        "which stream of a minor's repositories the subscription has; by default the one that has most of its kernels",
    ),
    Property::optional(
        "org-secret",
        Kind::TEXT,
        "for `rhsm`: the id of the build secret that holds the organisation; `rhsm-org` by default",
    ),
    Property::optional(
        "key-secret",
        Kind::TEXT,
        "the id of the build secret that holds, for `rhsm`, the activation key (`rhsm-activation-key` by default) or, for \
         `certs`, the entitlement's private key (`entitlement-key` by default)",
    ),
    Property::optional(
        "certificate-secret",
        Kind::TEXT,
        "for `certs`: the id of the build secret that holds the entitlement certificate; `entitlement-certificate` by default",
    ),
];

/// The streams of a minor's updates.
pub static STREAMS: Enum = Enum {
    title: "a stream",
    values: &[
        ("base", "the repositories of all minors, which have a minor's first kernels"),
        ("eus", "Extended Update Support"),
        ("e4s", "Update Services for SAP Solutions"),
        ("tus", "Telecommunications Update Service"),
        ("aus", "Advanced Update Support"),
    ],
    aliases: &[],
};

/// The ways to subscribed repositories.
pub static ENTITLEMENTS: Enum = Enum {
    title: "a kind of entitlement",
    values: &[
        ("host", "the certificates of the machine that builds, which podman and buildah mount by themselves"),
        ("rhsm", "an organisation and an activation key, as build secrets"),
        ("certs", "certificates, as build secrets"),
        ("none", "no subscription"),
    ],
    aliases: &[],
};

static PROFILE: Node = Node {
    arguments: &[
        Argument::one("NAME", Kind::TEXT, "the operating system, as `os` names it"),
        Argument::one("FILE", Kind::Path, "the profile, relative to the manifest"),
    ],
    ..Node::new("profile", Count::Any, "An OS profile of your own, or one that extends a built-in one.")
};

static TEMPLATE: Node = Node {
    arguments: &[
        Argument::one("NAME", Kind::TEXT, "the built-in template that it replaces"),
        Argument::one("FILE", Kind::Path, "the template, relative to the manifest"),
    ],
    ..Node::new("template", Count::Any, "A template of your own in place of a built-in one.")
};
