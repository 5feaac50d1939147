//! The manifest as it was written: spanned, unresolved, every name still a text.
//!
//! Each node of the language has its type here, in the order of [`crate::language::schema`]'s table. What was meant is
//! [`crate::compiler::model`]'s business.

mod kmm;
mod matrix;
mod output;

pub use kmm::{DeviceClass, Dra, Kmm, KmmBuild, Plugin, Preflight, Tls, Toleration};
pub use matrix::{CellBody, Entitlement, Exclude, Headers, Kernel, Matrix, Os, PackageRepository};
pub use output::{Bake, BuildConfig, Install, Output, Pipeline, Runner};

use crate::text::ids::RelPath;
use crate::text::source::{Span, Spanned};
use std::collections::BTreeSet;

/// A text and where it stands.
pub type Text = Spanned<String>;

/// A property or named value: `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name before the `=`.
    pub key: Text,
    /// The value after it.
    pub value: Text,
}

/// A whole `drivers.kdl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub project: Project,
    /// `source`, in the order written
    pub sources: Vec<Source>,
    pub modules: Vec<Module>,
    pub images: Vec<Image>,
    pub toolkit: Option<Toolkit>,
    pub signing: Option<Signing>,
    pub entitlement: Option<Entitlement>,
    /// The children of every `mirror`, in order.
    pub mirrors: Vec<Mirror>,
    pub matrix: Matrix,
    pub profiles: Vec<UserFile>,
    pub templates: Vec<UserFile>,
    pub output: Option<Output>,
    /// The files that it includes.
    pub included: Vec<RelPath>,
    /// The names of sources, modules, images and others that are left out because something in them is wrong, which
    /// has been reported. That such a name is not found is no mistake of its own.
    pub unread: BTreeSet<String>,
}

/// A child of `mirror`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// `images FROM TO`, `packages FROM TO`, `git FROM TO` or `files FROM TO`
    Rule { kind: MirrorKind, from: Text, to: Text },
    /// `registries FILE`
    Registries(Text),
    /// `ca FILE`
    Authority(Text),
}

/// What a mirror has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorKind {
    Images,
    Packages,
    Git,
    Files,
}

/// `project NAME { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub name: Text,
    pub registry: Option<Text>,
    pub version: Option<Text>,
    pub license: Option<Text>,
    pub description: Option<Text>,
    pub vendor: Option<Text>,
    pub maintainer: Option<Text>,
    pub license_file: Option<Extra>,
    pub url: Option<Text>,
}

/// `on SELECTOR { … }`: a body that is laid over the one around it for the cells selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On<Body> {
    /// Which cells.
    pub selector: Selector,
    /// What changes there.
    pub body: Body,
}

/// The properties of an `on`, `only` or `exclude`: each narrows the selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The node's name.
    pub span: Span,
    /// `os= family= release= el= kernel= arch= flavor= image=`
    pub terms: Vec<Pair>,
}

/// `source NAME { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub name: Text,
    /// What holds everywhere.
    pub body: SourceBody,
    /// What holds for some cells.
    pub on: Vec<On<SourceBody>>,
}

/// The children of a `source`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceBody {
    /// Where the files come from. `None` only under `on`.
    pub origin: Option<Spanned<Origin>>,
    /// `patch FILE strip=N`, in order.
    pub patches: Vec<Patch>,
}

/// Where a source's files come from. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `git URL branch=|tag=|ref=|commit= { submodules #true; lfs #true; secret ID }`
    Git {
        url: Text,
        reference: Option<GitReference>,
        submodules: bool,
        lfs: Option<bool>,
        login: Option<Login>,
    },
    /// `path DIR { include GLOB…; ignore GLOB… }`
    Path { dir: Text, include: Vec<Text>, ignore: Vec<Text> },
    /// `archive URL sha256= strip=`
    Archive { url: Text, sha256: Option<Text>, strip: Option<Spanned<u32>>, login: Option<Login> },
    /// `file URL sha256=`
    File { url: Text, sha256: Option<Text>, login: Option<Login> },
    /// `srpm URL sha256=`
    Srpm { url: Text, sha256: Option<Text>, login: Option<Login> },
    /// `image REF dir=`
    Image { reference: Text, dir: Option<Text> },
}

/// `secret ID user= host-key=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The build secret.
    pub secret: Text,
    /// The name beside it.
    pub user: Option<Text>,
    /// The server's key.
    pub host_key: Option<Text>,
}

/// What of a git repository is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitReference {
    Branch(Text),
    Tag(Text),
    Ref(Text),
    Commit(Text),
}

/// `patch FILE strip=1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The patch, relative to the manifest.
    pub file: Text,
    /// Leading path components to remove; 1 unless said.
    pub strip: Option<Spanned<u32>>,
}

/// `module NAME { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: Text,
    /// What holds everywhere.
    pub body: ModuleBody,
    /// What holds for some cells.
    pub on: Vec<On<ModuleBody>>,
}

/// The children of a `module`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleBody {
    /// `source NAME dir=`
    pub source: Option<SourceUse>,
    /// How to build: empty means standard Kbuild. The validator lets through one `make`, or one `build`, or a
    /// sequence of `run` and `script`.
    pub build: Vec<Spanned<Build>>,
    /// `env NAME=value …`
    pub env: Vec<Pair>,
    /// `packages NAME…`
    pub packages: Vec<Text>,
    /// `needs MODULE…`
    pub needs: Vec<Text>,
    /// `output GLOB… optional=`
    pub outputs: Vec<ModuleOutput>,
    /// `requires-config OPTION…`
    pub requires_config: Vec<Text>,
}

/// `source NAME dir=` inside a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceUse {
    /// The source's name.
    pub name: Text,
    /// The directory in it that holds the module's Makefile.
    pub dir: Option<Text>,
}

/// One way or step to build a module. The span of the `Spanned` around it is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Build {
    /// `make TARGET… VAR=value`
    Make { targets: Vec<Text>, variables: Vec<Pair> },
    /// `run WORD…`
    Run { words: Vec<Text> },
    /// `script TEXT`
    Script { text: Text },
    /// `build "none"`: prebuilt
    None,
}

/// `output GLOB… optional=#true`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleOutput {
    /// Patterns of `.ko` files beneath the module's directory.
    pub globs: Vec<Text>,
    /// Whether none need be there.
    pub optional: bool,
}

/// `image NAME { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub name: Text,
    /// `only SELECTOR`: the image is built where any of them selects; everywhere if there is none.
    pub only: Vec<Selector>,
    /// What holds everywhere.
    pub body: ImageBody,
    /// What holds for some cells.
    pub on: Vec<On<ImageBody>>,
}

/// The children of an `image`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageBody {
    pub modules: Vec<Text>,
    pub load: Vec<Text>,
    pub options: Vec<KmodOption>,
    pub softdeps: Vec<Softdep>,
    pub blacklist: Vec<Text>,
    pub replaces: Vec<Text>,
    pub repository: Option<Text>,
    pub tag: Option<Text>,
    pub base: Option<Text>,
    pub firmware: Vec<Extra>,
    pub files: Vec<Extra>,
    pub packages: Vec<Text>,
    pub labels: Vec<Pair>,
    pub in_tree: Option<Text>,
    pub reuse: Option<Reuse>,
}

/// `reuse LEVEL strict=#true`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// `headers` or `abi`
    pub level: Text,
    /// Whether a build stops where modules do not serve.
    pub strict: bool,
}

/// `option KMOD name=value …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmodOption {
    /// The kernel module.
    pub kmod: Text,
    pub parameters: Vec<Pair>,
}

/// `softdep KMOD { pre KMOD…; post KMOD… }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Softdep {
    /// The kernel module.
    pub kmod: Text,
    /// Loaded before it.
    pub pre: Vec<Text>,
    /// Loaded after it.
    pub post: Vec<Text>,
}

/// `firmware GLOB from= to=` and `file GLOB from= to=`. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    pub span: Span,
    pub glob: Text,
    pub from: Text,
    pub to: Option<Text>,
}

/// `toolkit NAME { … }`. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolkit {
    pub span: Span,
    pub name: Text,
    pub repository: Option<Text>,
    pub is_private: bool,
    pub tag: Option<Text>,
    pub flavors: Vec<Text>,
    pub packages: Vec<Text>,
}

/// `signing { … }`. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    pub span: Span,
    pub key_secret: Option<Text>,
    pub key_uri: Option<Text>,
    pub pin: Option<Text>,
    pub certificate: Option<Text>,
    pub hash: Option<Text>,
    pub packages: Vec<Text>,
}

/// `profile NAME FILE` and `template NAME FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFile {
    /// The profile's or template's name.
    pub name: Text,
    /// The file, relative to the manifest.
    pub file: Text,
}
