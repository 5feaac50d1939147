//! `mirror`: where a site without the internet has what builds fetch.

use crate::language::schema::{Argument, Body, Count, Kind, Node};

pub(super) static MIRROR: Node = Node {
    body: &Body { nodes: &[&IMAGES, &REGISTRIES, &PACKAGES, &GIT, &FILES, &CA], rules: &[] },
    ..Node::new(
        "mirror",
        Count::Any,
        "Where builds and `drvc lock` find what is elsewhere by its name: in place of an address that begins so, one that \
         begins otherwise. The longest beginning counts. Keys and drivers.lock know none of it.",
    )
};

static IMAGES: Node = Node {
    arguments: &[
        Argument::one(
            "FROM",
            Kind::TEXT,
            "a registry, with the beginning of a path or without, such as `docker.io`",
        ),
        Argument::one("TO", Kind::TEXT, "what takes its place, such as `registry.example.com/hub`"),
    ],
    ..Node::new("images", Count::Any, "A mirror of images: every `FROM` names it.")
};

static REGISTRIES: Node = Node {
    arguments: &[Argument::one(
        "FILE",
        Kind::Path,
        "a `registries.conf` of podman, relative to the manifest",
    )],
    ..Node::new(
        "registries",
        Count::AtMostOne,
        "Mirrors of images as podman has them. Each image is taken from the first mirror that podman would ask.",
    )
};

static PACKAGES: Node = Node {
    arguments: &[
        Argument::one(
            "FROM",
            Kind::TEXT,
            "how the address begins in the image, such as `http://debian.example.org/debian`",
        ),
        Argument::one("TO", Kind::TEXT, "what takes its place"),
    ],
    ..Node::new(
        "packages",
        Count::Any,
        "A mirror of package repositories, for those that images bring along and those of `repository`. The image that is \
         shipped keeps its own.",
    )
};

static GIT: Node = Node {
    arguments: &[
        Argument::one("FROM", Kind::TEXT, "how the repositories' addresses begin, by https"),
        Argument::one("TO", Kind::TEXT, "what takes its place, by https"),
    ],
    ..Node::new("git", Count::Any, "A mirror of git repositories, for sources and their submodules.")
};

static FILES: Node = Node {
    arguments: &[
        Argument::one("FROM", Kind::TEXT, "how the addresses of `archive`, `file` and `srpm` begin"),
        Argument::one("TO", Kind::TEXT, "what takes its place, by https"),
    ],
    ..Node::new("files", Count::Any, "A mirror of files that sources download.")
};

static CA: Node = Node {
    arguments: &[Argument::one("FILE", Kind::Path, "certificates as PEM, relative to the manifest")],
    ..Node::new(
        "ca",
        Count::AtMostOne,
        "Certificate authorities that every step with a network trusts, beside those of the image, and `drvc lock`. The \
         image that is shipped does not have them.",
    )
};
