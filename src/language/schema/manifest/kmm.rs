//! The nodes of `output { kmm }` that set what KMM does with a Module, one field of its API each.

use super::super::{Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property};

pub(super) static ORDERED_UPGRADES: Node = Node::new(
    "ordered-upgrades",
    Count::AtMostOne,
    "Gives the Module the project's `version`: nodes go from one version to the next when their label says so.",
);

pub(super) static LOAD_ARGS: Node = Node {
    arguments: &[Argument::some("OPTION", Kind::TEXT, "an option of modprobe")],
    ..Node::new(
        "load-args",
        Count::AtMostOne,
        "Options of modprobe when it loads, in place of KMM's own `-v`.",
    )
};

pub(super) static UNLOAD_ARGS: Node = Node {
    arguments: &[Argument::some("OPTION", Kind::TEXT, "an option of modprobe")],
    ..Node::new(
        "unload-args",
        Count::AtMostOne,
        "Options of modprobe when it unloads, in place of KMM's own `-rv`.",
    )
};

pub(super) static IMAGE_PULL_POLICY: Node = Node {
    arguments: &[Argument::one("POLICY", Kind::Enum(&POLICIES), "when images are pulled")],
    ..Node::new(
        "image-pull-policy",
        Count::AtMostOne,
        "When images are pulled. Unless said it is `IfNotPresent`.",
    )
};

static POLICIES: Enum = Enum {
    title: "a policy of pulling",
    values: &[
        ("Always", "each time, since a tag may be pushed again"),
        ("IfNotPresent", "where the node has none"),
        ("Never", "not at all"),
    ],
    aliases: &[],
};

const TLS: &[Property] = &[
    Property::optional("insecure", Kind::Bool, "`#true` for plain http"),
    Property::optional("skip-verify", Kind::Bool, "`#true` takes any certificate"),
];

pub(super) static REGISTRY_TLS: Node = Node {
    properties: TLS,
    ..Node::new("registry-tls", Count::AtMostOne, "How KMM looks for images in their registry.")
};

pub(super) static BASE_REGISTRY_TLS: Node = Node {
    properties: TLS,
    ..Node::new(
        "base-image-registry-tls",
        Count::AtMostOne,
        "How a build in the cluster pulls its base images.",
    )
};

pub(super) static BUILD_SECRET: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new("secret", Count::AtMostOne, "Secrets that the build mounts in `/run/secrets/NAME`.")
};

pub(super) static BUILD_ARG: Node = Node {
    free: Some(FreeProperties { key: "NAME", description: "a build argument and its value", required: true }),
    ..Node::new(
        "build-arg",
        Count::AtMostOne,
        "Build arguments, for a base image or a template of your own that reads them.",
    )
};

pub(super) static BUILD_SELECTOR: Node = Node {
    free: Some(FreeProperties {
        key: "LABEL",
        description: "a label of nodes and its value",
        required: true,
    }),
    ..Node::new(
        "selector",
        Count::AtMostOne,
        "The labels of the nodes that build. Unless said, those that load.",
    )
};

pub(super) static DEVICE_PLUGIN: Node = Node {
    arguments: &[Argument::one("IMAGE", Kind::TEXT, "the device plugin's image")],
    body: &Body { nodes: &[&PLUGIN_ARG, &PLUGIN_ENV, &PLUGIN_ACCOUNT], rules: &[] },
    ..Node::new(
        "device-plugin",
        Count::AtMostOne,
        "A device plugin of Kubernetes that runs where the driver is loaded.",
    )
};

static PLUGIN_ARG: Node = Node {
    arguments: &[Argument::some("ARGUMENT", Kind::TEXT, "an argument of its command")],
    ..Node::new("args", Count::AtMostOne, "The arguments of its command.")
};

static PLUGIN_ENV: Node = Node {
    free: Some(FreeProperties { key: "NAME", description: "a variable and its value", required: true }),
    ..Node::new("env", Count::AtMostOne, "Its environment.")
};

static PLUGIN_ACCOUNT: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a service account of the namespace")],
    ..Node::new("service-account", Count::AtMostOne, "The service account of its pods.")
};
