//! `output`

use super::super::{Argument, Body, Count, Enum, Kind, Node, Property, Rule, RuleKind};
use super::kmm::{KMM, NAMESPACE};

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
        "The directory of the manifest in its repository; without it, the top.",
    )
};

static INSTALL: Node = Node {
    arguments: &[Argument::optional("COMMAND", Kind::TEXT, "a command of a shell, which every job runs")],
    properties: &[
        Property::optional("image", Kind::TEXT, "an image with the program `/usr/bin/drvc`, by its digest"),
        Property::optional("url", Kind::TEXT, "the program itself, by https"),
        Property::optional("sha256", Kind::TEXT, "the checksum that the program at `url` must have"),
        Property::optional("cargo-git", Kind::TEXT, "the git repository of drvc, to be compiled by cargo"),
        Property::optional("rev", Kind::TEXT, "the commit of `cargo-git`, in full"),
    ],
    rules: &[Rule {
        kind: RuleKind::ExactlyOne,
        groups: &[&["COMMAND"], &["image"], &["url", "sha256"], &["cargo-git", "rev"]],
    }],
    ..Node::new(
        "install",
        Count::AtMostOne,
        "What puts drvc on a runner. An image, a program or a repository is fetched and checked once, by the first job, which \
         hands the program to all others.",
    )
};

static ENGINE: Node = Node {
    arguments: &[Argument::one("ENGINE", Kind::Enum(&ENGINES), "the engine")],
    ..Node::new("engine", Count::AtMostOne, "What builds on a runner. The default is podman.")
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
        "The branches whose images are pushed to the registry. The default is `main`.",
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
        "The machine that builds for an architecture. By default GitHub's own build for `x86_64` and `aarch64`, and any runner of \
         GitLab for `x86_64`.",
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

static ENTITLEMENT_SECRET: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "a secret of the namespace")],
    ..Node::new(
        "entitlement-secret",
        Count::AtMostOne,
        "The secret with the certificates for subscribed repositories. The default is `etc-pki-entitlement`.",
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
        "Pushes images to the registry that their `tag` names, with this secret; by default they are in an ImageStream.",
    )
};
