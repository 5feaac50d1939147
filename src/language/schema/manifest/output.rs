//! `output`

use super::super::{Argument, Body, Count, Enum, FreeProperties, Kind, Node, Property, Rule, RuleKind};
use super::kmm::{
    BASE_REGISTRY_TLS, BUILD_ARG, BUILD_SECRET, BUILD_SELECTOR, DEVICE_PLUGIN, IMAGE_PULL_POLICY, LOAD_ARGS,
    ORDERED_UPGRADES, REGISTRY_TLS, UNLOAD_ARGS,
};

pub(super) static OUTPUT: Node = Node {
    body: &Body {
        nodes: &[&BAKE, &GITHUB, &GITLAB, &BUILDCONFIG, &KMM],
        rules: &[Rule {
            kind: RuleKind::AtLeastOne,
            groups: &[&["bake"], &["github"], &["gitlab"], &["buildconfig"], &["kmm"]],
        }],
    },
    ..Node::new(
        "output",
        Count::AtMostOne,
        "What to write beside Dockerfiles, for engines and clusters that take over from here.",
    )
};

static BAKE: Node = Node {
    body: &Body { nodes: &[&CACHE_FROM, &CACHE_TO], rules: &[] },
    ..Node::new(
        "bake",
        Count::AtMostOne,
        "Files for `docker buildx bake`, one for each image and release: `bake/<image>/<os>-<release>.json`.",
    )
};

static CACHE_FROM: Node = Node {
    arguments: &[Argument::some(
        "CACHE",
        Kind::TEXT,
        "a cache of BuildKit, as `type=registry,ref=…`; variables as in `tag`",
    )],
    ..Node::new("cache-from", Count::Any, "Caches that builds read.")
};

static CACHE_TO: Node = Node {
    arguments: &[Argument::some(
        "CACHE",
        Kind::TEXT,
        "a cache of BuildKit, as `type=registry,ref=…`; variables as in `tag`",
    )],
    ..Node::new("cache-to", Count::Any, "Caches that builds write.")
};

static GITHUB: Node = Node {
    body: &Body { nodes: &[&DIRECTORY, &INSTALL, &ENGINE, &BRANCH, &RUNNER], rules: &[] },
    ..Node::new(
        "github",
        Count::AtMostOne,
        "A workflow for GitHub Actions that builds what changed: `github/drvc.yml`.",
    )
};

static GITLAB: Node = Node {
    body: &Body { nodes: &[&DIRECTORY, &INSTALL, &ENGINE, &JOB_IMAGE, &RUNNER], rules: &[] },
    ..Node::new(
        "gitlab",
        Count::AtMostOne,
        "A pipeline for GitLab that builds what changed: `gitlab/drvc.yml`.",
    )
};

static DIRECTORY: Node = Node {
    arguments: &[Argument::one("DIR", Kind::TEXT, "a path from the top of the repository")],
    ..Node::new(
        "directory",
        Count::AtMostOne,
        "Where in its repository the manifest lies. Unless said it is the top.",
    )
};

static INSTALL: Node = Node {
    arguments: &[Argument::one("COMMAND", Kind::TEXT, "a command of a shell")],
    ..Node::new(
        "install",
        Count::AtMostOne,
        "What puts drvc on a runner. Unless said it is `cargo install --locked drvc`.",
    )
};

static ENGINE: Node = Node {
    arguments: &[Argument::one("ENGINE", Kind::Enum(&ENGINES), "the engine")],
    ..Node::new("engine", Count::AtMostOne, "What builds on a runner. Unless said it is podman.")
};

static ENGINES: Enum = Enum {
    title: "an engine",
    values: &[("podman", "podman"), ("buildah", "buildah"), ("docker", "Docker with BuildKit")],
    aliases: &[],
};

static BRANCH: Node = Node {
    arguments: &[Argument::some("NAME", Kind::TEXT, "a branch")],
    ..Node::new(
        "branch",
        Count::Any,
        "The branches whose images are pushed to the registry. Unless said it is `main`.",
    )
};

static JOB_IMAGE: Node = Node {
    arguments: &[Argument::one("IMAGE", Kind::TEXT, "an image")],
    ..Node::new("image", Count::AtMostOne, "The image that jobs run in, where runners start containers.")
};

static RUNNER: Node = Node {
    arguments: &[Argument::some(
        "LABEL",
        Kind::TEXT,
        "a label (GitHub) or tag (GitLab) that the runner must have",
    )],
    properties: &[Property::required(
        "arch",
        Kind::Enum(&super::matrix::ARCH_NAMES),
        "the architecture of the images that it builds",
    )],
    ..Node::new(
        "runner",
        Count::Any,
        "The machine that builds for an architecture. For GitHub those of `x86_64` and `aarch64` are its own unless \
         said; for GitLab any runner builds for `x86_64` unless said.",
    )
};

static BUILDCONFIG: Node = Node {
    body: &Body { nodes: &[&NAMESPACE, &ENTITLEMENT_SECRET, &BASE_PULL_SECRET, &PUSH_SECRET], rules: &[] },
    ..Node::new(
        "buildconfig",
        Count::AtMostOne,
        "A BuildConfig of OpenShift for each target, with its ImageStream: \
         `buildconfig/<image>/<os>-<release>-<arch>/<kernel>.yaml`.",
    )
};

static NAMESPACE: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a namespace")],
    ..Node::new(
        "namespace",
        Count::AtMostOne,
        "The namespace of the resources. Unless said it is that of whoever applies them.",
    )
};

static ENTITLEMENT_SECRET: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new(
        "entitlement-secret",
        Count::AtMostOne,
        "The secret with the certificates for subscribed repositories. Unless said it is `etc-pki-entitlement`.",
    )
};

static BASE_PULL_SECRET: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new(
        "pull-secret",
        Count::AtMostOne,
        "The secret that base images and toolkits of private registries are pulled with.",
    )
};

static PUSH_SECRET: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new(
        "push-secret",
        Count::AtMostOne,
        "Pushes images to the registry that their `tag` names, with this secret; unless said they are in an ImageStream.",
    )
};

static KMM: Node = Node {
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
        ],
        rules: &[],
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
        "The labels of the nodes that load the driver. Unless said it is `node-role.kubernetes.io/worker=\"\"`.",
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
