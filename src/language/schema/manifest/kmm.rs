//! `output { kmm }`, with a node for each field of KMM's API that is somebody's choice.

use super::super::{Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property, Rule, RuleKind};

pub(super) static KMM: Node = Node {
    body: &Body {
        nodes: &[
            &NAMESPACE,
            &SELECTOR,
            &TOLERATION,
            &PULL_SECRET,
            &SERVICE_ACCOUNT,
            &SIGN,
            &BUILD,
            &MACHINE_CONFIG,
            &ORDERED_UPGRADES,
            &LOAD_ARGS,
            &UNLOAD_ARGS,
            &IMAGE_PULL_POLICY,
            &REGISTRY_TLS,
            &DEVICE_PLUGIN,
            &DRA,
            &RAW_ARGS,
            &REBUILD_TRIGGER,
            &VERSION,
            &PREFLIGHT,
        ],
        rules: &[
            Rule { kind: RuleKind::AtMostOne, groups: &[&["load-args", "unload-args"], &["raw-args"]] },
            Rule { kind: RuleKind::AtMostOne, groups: &[&["device-plugin"], &["dra"]] },
        ],
    },
    ..Node::new(
        "kmm",
        Count::AtMostOne,
        "A Module of the Kernel Module Management operator for each image: `kmm/<image>.yaml`.",
    )
};

static SELECTOR: Node = Node {
    free: Some(FreeProperties {
        key: "LABEL",
        description: "a label of nodes and its value, which may be empty",
        required: true,
    }),
    ..Node::new(
        "selector",
        Count::AtMostOne,
        "The labels of the nodes that load the driver. The default is `node-role.kubernetes.io/worker=\"\"`.",
    )
};

static TOLERATION: Node = Node {
    arguments: &[Argument::one("KEY", Kind::TEXT, "the key of a taint")],
    properties: &[
        Property::optional("value", Kind::TEXT, "its value; without it, any"),
        Property::optional("effect", Kind::Enum(&EFFECTS), "its effect; without it, any"),
    ],
    ..Node::new("toleration", Count::Any, "A taint of nodes that load the driver all the same.")
};

static EFFECTS: Enum = Enum {
    title: "an effect of a taint",
    values: &[
        ("NoSchedule", "no new pods"),
        ("PreferNoSchedule", "no new pods where there is another node"),
        ("NoExecute", "no pods"),
    ],
    aliases: &[],
};

static PULL_SECRET: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new(
        "pull-secret",
        Count::AtMostOne,
        "The secret that images are pulled with, and pushed where KMM builds or signs.",
    )
};

static SERVICE_ACCOUNT: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a service account of the namespace")],
    ..Node::new("service-account", Count::AtMostOne, "The service account of the pods that load the driver.")
};

static SIGN: Node = Node {
    properties: &[
        Property::required(
            "key",
            Kind::TEXT,
            "the secret of the namespace that holds the private key, as `key`",
        ),
        Property::required("certificate", Kind::TEXT, "the secret that holds the certificate, as `cert`"),
    ],
    ..Node::new(
        "sign",
        Count::AtMostOne,
        "Has KMM sign the modules in the cluster, into an image whose tag ends in `_signed`. Modules that `signing` \
         signs need no second signature.",
    )
};

static BUILD: Node = Node {
    body: &Body { nodes: &[&BUILD_SECRET, &BUILD_ARG, &BUILD_SELECTOR, &BASE_REGISTRY_TLS], rules: &[] },
    properties: &[Property::optional(
        "regexp",
        Kind::TEXT,
        "kernels that are built for too, though the matrix does not have them: KMM's `regexp`. The Dockerfile is that of the kernels of \
         the matrix that match it",
    )],
    ..Node::new(
        "build",
        Count::Any,
        "Has KMM build images that the registry lacks in the cluster, from a Driver Toolkit, by one Dockerfile for each \
         stream of kernels. Each stream may have a `regexp=` of its own.",
    )
};

static MACHINE_CONFIG: Node = Node {
    arguments: &[Argument::one("ROLE", Kind::TEXT, "a pool of machines, such as `worker`")],
    ..Node::new(
        "machine-config",
        Count::AtMostOne,
        "Writes what images `blacklist` into a MachineConfig for the nodes of a pool, since KMM reads no modprobe.d of \
         images.",
    )
};

pub(super) static NAMESPACE: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a namespace")],
    ..Node::new(
        "namespace",
        Count::AtMostOne,
        "The namespace of the resources. The default is that of whoever applies them.",
    )
};

static ORDERED_UPGRADES: Node = Node::new(
    "ordered-upgrades",
    Count::AtMostOne,
    "Gives the Module the project's `version`: nodes go from one version to the next when their label says so.",
);

static LOAD_ARGS: Node = Node {
    arguments: &[Argument::some("OPTION", Kind::TEXT, "an option of modprobe")],
    ..Node::new(
        "load-args",
        Count::AtMostOne,
        "Options of modprobe when it loads, in place of KMM's own `-v`.",
    )
};

static UNLOAD_ARGS: Node = Node {
    arguments: &[Argument::some("OPTION", Kind::TEXT, "an option of modprobe")],
    ..Node::new(
        "unload-args",
        Count::AtMostOne,
        "Options of modprobe when it unloads, in place of KMM's own `-rv`.",
    )
};

static IMAGE_PULL_POLICY: Node = Node {
    arguments: &[Argument::one("POLICY", Kind::Enum(&POLICIES), "when images are pulled")],
    ..Node::new(
        "image-pull-policy",
        Count::AtMostOne,
        "When images are pulled. The default is `IfNotPresent`.",
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

static REGISTRY_TLS: Node = Node {
    properties: TLS,
    ..Node::new("registry-tls", Count::AtMostOne, "How KMM looks for images in their registry.")
};

static BASE_REGISTRY_TLS: Node = Node {
    properties: TLS,
    ..Node::new(
        "base-image-registry-tls",
        Count::AtMostOne,
        "How a build in the cluster pulls its base images.",
    )
};

static BUILD_SECRET: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new("secret", Count::AtMostOne, "Secrets that the build mounts in `/run/secrets/NAME`.")
};

static BUILD_ARG: Node = Node {
    free: Some(FreeProperties { key: "NAME", description: "a build argument and its value", required: true }),
    ..Node::new(
        "build-arg",
        Count::AtMostOne,
        "Build arguments, for a base image or a template of your own that reads them.",
    )
};

static BUILD_SELECTOR: Node = Node {
    free: Some(FreeProperties {
        key: "LABEL",
        description: "a label of nodes and its value",
        required: true,
    }),
    ..Node::new(
        "selector",
        Count::AtMostOne,
        "The labels of the nodes that build. By default, those that load.",
    )
};

static DEVICE_PLUGIN: Node = Node {
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

static VERSION: Node = Node {
    arguments: &[Argument::one("VERSION", Kind::TEXT, "a version of KMM, such as `2.3`")],
    ..Node::new(
        "version",
        Count::AtMostOne,
        "The version of KMM in the cluster: what it does not know is an error. By default, the newest.",
    )
};

static RAW_ARGS: Node = Node {
    body: &Body { nodes: &[&RAW_LOAD, &RAW_UNLOAD], rules: &[] },
    ..Node::new(
        "raw-args",
        Count::AtMostOne,
        "All that modprobe is called with, in place of names, order and parameters.",
    )
};

static RAW_LOAD: Node = Node {
    arguments: &[Argument::some("WORD", Kind::TEXT, "a word of modprobe's command line")],
    ..Node::new("load", Count::ExactlyOne, "The words that load.")
};

static RAW_UNLOAD: Node = Node {
    arguments: &[Argument::some("WORD", Kind::TEXT, "a word of modprobe's command line")],
    ..Node::new("unload", Count::ExactlyOne, "The words that unload.")
};

static REBUILD_TRIGGER: Node = Node {
    arguments: &[Argument::one(
        "NUMBER",
        Kind::Integer { min: 0, max: i32::MAX as i64 },
        "another number than before",
    )],
    ..Node::new(
        "image-rebuild-trigger",
        Count::AtMostOne,
        "Has KMM look again for every image, and build those that are gone from the registry.",
    )
};

static DRA: Node = Node {
    arguments: &[Argument::one("DRIVER", Kind::TEXT, "the driver's name, a DNS subdomain")],
    properties: &[Property::required("image", Kind::TEXT, "the image of the DRA driver")],
    body: &Body { nodes: &[&PLUGIN_ARG, &PLUGIN_ENV, &PLUGIN_ACCOUNT, &DEVICE_CLASS], rules: &[] },
    ..Node::new(
        "dra",
        Count::AtMostOne,
        "A driver of Dynamic Resource Allocation that runs where the driver is loaded; Kubernetes 1.34 or later.",
    )
};

static DEVICE_CLASS: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the class's name, a DNS subdomain")],
    body: &Body { nodes: &[&CLASS_SELECTOR], rules: &[] },
    ..Node::new("device-class", Count::Any, "A DeviceClass that KMM makes for it.")
};

static CLASS_SELECTOR: Node = Node {
    arguments: &[Argument::one("EXPRESSION", Kind::TEXT, "an expression of CEL")],
    ..Node::new("selector", Count::Any, "Which devices are of the class.")
};

static PREFLIGHT: Node = Node {
    properties: &[Property::optional("push", Kind::Bool, "`#true` pushes what KMM builds for it")],
    ..Node::new(
        "preflight",
        Count::AtMostOne,
        "A PreflightValidation for each kernel (for OpenShift's a PreflightValidationOCP, with its Driver Toolkit): \
         `kmm/preflight/<os>-<release>-<arch>/<kernel>.yaml`.",
    )
};
