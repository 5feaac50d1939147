//! `source`: where files come from.

use super::selector::{SELECTORS, SELECTS};
use crate::language::schema::{Argument, Body, Count, Kind, Node, Property, Rule, RuleKind};

pub(super) static SOURCE: Node = Node {
    arguments: &[Argument::one("NAME", Kind::TEXT, "the source's name, for modules to refer to")],
    body: &Body {
        nodes: &[&GIT, &PATH, &ARCHIVE, &FILE, &SRPM, &IMAGE, &PATCH, &ON],
        rules: &[Rule { kind: RuleKind::ExactlyOne, groups: ORIGINS }],
    },
    ..Node::new(
        "source",
        Count::Any,
        "Files to build from. It says where they come from, and how to patch them.",
    )
};

static ON: Node = Node {
    properties: SELECTORS,
    rules: &[SELECTS],
    body: &Body {
        nodes: &[&GIT, &PATH, &ARCHIVE, &FILE, &SRPM, &IMAGE, &PATCH],
        rules: &[Rule { kind: RuleKind::AtMostOne, groups: ORIGINS }],
    },
    ..Node::new("on", Count::Any, "What is different for the cells selected: another origin, more patches.")
};

const ORIGINS: &[&[&str]] = &[&["git"], &["path"], &["archive"], &["file"], &["srpm"], &["image"]];

const SHA256: Property = Property::optional("sha256", Kind::TEXT, "the checksum that the file must have");

static GIT: Node = Node {
    arguments: &[Argument::one("URL", Kind::TEXT, "the repository, by https or ssh")],
    properties: &[
        Property::optional("branch", Kind::TEXT, "follow a branch; `drvc lock` pins its commit"),
        Property::optional("tag", Kind::TEXT, "follow a tag; `drvc lock` pins its commit"),
        Property::optional(
            "ref",
            Kind::TEXT,
            "follow a branch or a tag, whichever it is; `drvc lock` finds out, as `git clone --branch` does",
        ),
        Property::optional("commit", Kind::TEXT, "one commit, in full"),
    ],
    rules: &[Rule { kind: RuleKind::AtMostOne, groups: &[&["branch"], &["tag"], &["ref"], &["commit"]] }],
    body: &Body { nodes: &[&SUBMODULES, &LFS, &LOGIN], rules: &[] },
    ..Node::new("git", Count::AtMostOne, "A git repository. Without a reference its default branch is meant.")
};

const USER: Property = Property::optional(
    "user",
    Kind::TEXT,
    "the name that goes with the token; by default git gives `x-access-token` and a download sends the token alone, as bearer",
);

static LOGIN: Node = Node {
    arguments: &[SECRET_ID],
    properties: &[
        USER,
        Property::optional(
            "host-key",
            Kind::TEXT,
            "for ssh: the server's public key, such as `ssh-ed25519 AAAA…`, which `ssh-keyscan HOST` prints",
        ),
    ],
    ..Node::new(
        "secret",
        Count::AtMostOne,
        "The build secret that opens the repository: for https a token, for ssh a deploy key without a passphrase. Only the \
         step that fetches the source is given it, and `drvc lock --secret`.",
    )
};

static FILE_LOGIN: Node = Node {
    arguments: &[SECRET_ID],
    properties: &[USER],
    ..Node::new(
        "secret",
        Count::AtMostOne,
        "The build secret that holds the token or password that the server asks for. Only the step that downloads is given \
         it, and `drvc lock --secret`.",
    )
};

const SECRET_ID: Argument = Argument::one("ID", Kind::TEXT, "the id of the build secret");

static SUBMODULES: Node = Node {
    arguments: &[Argument::one("WANTED", Kind::Bool, "whether submodules are fetched too")],
    ..Node::new(
        "submodules",
        Count::AtMostOne,
        "Fetches the repository's submodules, at the commits that its tree names.",
    )
};

static LFS: Node = Node {
    arguments: &[Argument::one("WANTED", Kind::Bool, "whether they are fetched")],
    ..Node::new(
        "lfs",
        Count::AtMostOne,
        "Fetches the files that Git LFS holds, with the program `git-lfs` of the distribution. Without this a build fails \
         where there are any; with `#false` they stay the pointers that git has in their place.",
    )
};

static PATH: Node = Node {
    arguments: &[Argument::one("DIR", Kind::Path, "a directory, relative to the manifest")],
    body: &Body { nodes: &[&INCLUDE, &IGNORE], rules: &[] },
    ..Node::new(
        "path",
        Count::AtMostOne,
        "Files of this repository. What a `.gitignore` beneath the manifest names is left out, and so is what is no source: \
         drvc's own files and outputs, version control, CI, `*.md`, patches, and what kbuild leaves. Links to files of the \
         same source are carried as links.",
    )
};

static INCLUDE: Node = Node {
    arguments: &[Argument::some("GLOB", Kind::TEXT, "a pattern, relative to the directory")],
    ..Node::new(
        "include",
        Count::Any,
        "Takes only files that match one of these. One that names more than `*` takes what is no source, too.",
    )
};

static IGNORE: Node = Node {
    arguments: &[Argument::some("GLOB", Kind::TEXT, "a pattern, relative to the directory")],
    ..Node::new("ignore", Count::Any, "Leaves out files that match one of these.")
};

static ARCHIVE: Node = Node {
    arguments: &[Argument::one("URL", Kind::TEXT, "the archive, by https")],
    properties: &[
        SHA256,
        Property::optional(
            "strip",
            Kind::Integer { min: 0, max: 32 },
            "leading directories to leave out; 0 by default",
        ),
    ],
    body: &Body { nodes: &[&FILE_LOGIN], rules: &[] },
    ..Node::new("archive", Count::AtMostOne, "An archive to download and unpack: whatever `tar` reads.")
};

static FILE: Node = Node {
    arguments: &[Argument::one("URL", Kind::TEXT, "the file, by https")],
    properties: &[SHA256],
    body: &Body { nodes: &[&FILE_LOGIN], rules: &[] },
    ..Node::new(
        "file",
        Count::AtMostOne,
        "A file to download and leave as it is, under the last name of its URL.",
    )
};

static SRPM: Node = Node {
    arguments: &[Argument::one("URL", Kind::TEXT, "the package, by https")],
    properties: &[SHA256],
    body: &Body { nodes: &[&FILE_LOGIN], rules: &[] },
    ..Node::new(
        "srpm",
        Count::AtMostOne,
        "A source package of rpm to download and prepare: what its `%prep` makes.",
    )
};

static IMAGE: Node = Node {
    arguments: &[Argument::one("REF", Kind::TEXT, "the image")],
    properties: &[Property::optional("dir", Kind::TEXT, "the directory in it; all of it by default")],
    ..Node::new("image", Count::AtMostOne, "Files of a container image.")
};

static PATCH: Node = Node {
    arguments: &[Argument::one("FILE", Kind::Path, "the patch, relative to the manifest")],
    properties: &[Property::optional(
        "strip",
        Kind::Integer { min: 0, max: 32 },
        "leading directories to leave out of its paths; 1 by default",
    )],
    ..Node::new("patch", Count::Any, "A patch to apply, in the order written.")
};
