//! The nodes of the graph: everything that the text of a stage depends on, and nothing else.

use crate::context::Files;
use crate::fs::FileDigest;
use crate::ids::{
    AbsPath, Arch, CommandOption, Commit, EnvName, GitUrl, ImageRef, KernelText, KmodName, ModuleName, Name,
    PackageName, RelPath,
};
use crate::model::{ConfigRule, InTree};
use crate::profile::PackageManager;

/// One stage of a Dockerfile (an image has two), or the image that a stage stands on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// An image from a registry: no stage of its own.
    Base(ImageRef),
    /// The build tools of an OS release.
    Tools(PackageInstall),
    /// What fetches and patches sources.
    Fetch(PackageInstall),
    /// The packages of one kernel.
    Kernel(KernelStage),
    /// A source, fetched and patched.
    Source(SourceStage),
    /// A module, built for one kernel.
    Module(Box<ModuleStage>),
    /// A driver container.
    Image(Box<ImageStage>),
}

/// Packages to install, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageInstall {
    /// The package manager.
    pub manager: PackageManager,
    /// Its options, such as `--releasever=9.4`.
    pub options: Vec<CommandOption>,
    /// The packages; none means nothing to do.
    pub packages: Vec<PackageName>,
}

/// The packages of one kernel, checked to be of that kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KernelStage {
    /// What to install; nothing in a Driver Toolkit.
    pub install: PackageInstall,
    /// The target's kernel.
    pub kernel: KernelText,
    /// The target's architecture.
    pub arch: Arch,
    /// The directory to hand to `make -C`.
    pub kernel_dir: AbsPath,
    /// Whether the builder is a Driver Toolkit, which says in a file which kernel it is for.
    pub driver_toolkit: bool,
}

/// A source's files at `/usr/src/drvc/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceStage {
    /// Its name.
    pub name: Name,
    /// Where the files come from.
    pub origin: Fetched,
    /// Patches, in order.
    pub patches: Vec<ContextPatch>,
}

/// Where a source's files come from, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "fields are named as in the manifest")]
pub enum Fetched {
    Git { url: GitUrl, revision: Revision, submodules: bool },
    Path { dir: RelPath, files: Files },
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Exactly this.
    Commit(Commit),
    /// Whatever this ref names while the image is built: never the same twice.
    Unpinned(String),
}

/// A patch in the build context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContextPatch {
    /// The file.
    pub file: RelPath,
    /// `patch -pN`
    pub strip: u32,
    /// Its content.
    pub content: FileDigest,
}

/// A module, built on a kernel's stage; its `.ko` files end below `/drvc/out`. Unless its own words name the kernel, it
/// is the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleStage {
    /// Its name.
    pub name: ModuleName,
    /// The source's stage.
    pub source: Name,
    /// The directory to build in.
    pub dir: AbsPath,
    /// Packages that this module needs.
    pub install: PackageInstall,
    /// Environment.
    pub env: Vec<(EnvName, String)>,
    /// Modules whose built trees are copied in, in build order.
    pub built: Vec<ModuleName>,
    /// Their `Module.symvers`.
    pub extra_symbols: Vec<AbsPath>,
    /// The compiler to name to make, where the image's own is not the kernel's.
    pub compiler: Option<PackageName>,
    /// How to build.
    pub build: BuildCommand,
    /// Patterns of `.ko` files, and whether they are optional.
    pub outputs: Vec<(String, bool)>,
    /// What the kernel's configuration must say.
    pub requires_config: Vec<ConfigRule>,
}

/// How a module is built, with every variable replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "fields are named as in the manifest")]
pub enum BuildCommand {
    Kbuild,
    Make { targets: Vec<String>, variables: Vec<(EnvName, String)> },
    Steps(Vec<StepCommand>),
    Prebuilt,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StepCommand {
    /// Words of a command.
    Run(Vec<String>),
    /// Text for `/bin/sh -euc`.
    Script(String),
}

/// A driver container: what is packed in the builder, and the image around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageStage {
    /// Its name.
    pub name: Name,
    /// The modules in it, in build order.
    pub modules: Vec<ModuleName>,
    /// The target's kernel.
    pub kernel: KernelText,
    /// How dependencies on the kernel's own modules are met.
    pub in_tree: InTree,
    /// The kernel's own modules, for where they are needed.
    pub in_tree_install: PackageInstall,
    /// Packages of the runtime image.
    pub runtime_install: PackageInstall,
    /// Lines for `/etc/modprobe.d/<image>.conf`.
    pub modprobe_config: Vec<String>,
    /// In-tree modules to unload first.
    pub replaces: Vec<KmodName>,
    /// Modules to load, in order.
    pub load: Vec<KmodName>,
    /// Modules that `softdep` names, to load before or after others.
    pub softdeps: Vec<KmodName>,
    /// Labels, sorted.
    pub labels: Vec<(String, String)>,
}

impl Node {
    /// The kind, as fingerprints and `graph` name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Base(_) => "base",
            Self::Tools(_) => "tools",
            Self::Fetch(_) => "fetch",
            Self::Kernel(_) => "kernel",
            Self::Source(_) => "source",
            Self::Module(_) => "module",
            Self::Image(_) => "image",
        }
    }

    /// The stage's name in a Dockerfile, unique in it; the reference itself for an image from a registry.
    #[must_use]
    pub fn stage(&self) -> String {
        match self {
            Self::Base(image) => image.to_string(),
            Self::Tools(_) | Self::Fetch(_) | Self::Kernel(_) => self.kind().into(),
            Self::Source(source) => format!("source-{}", source.name),
            Self::Module(module) => format!("module-{}", module.name.as_str().to_ascii_lowercase()),
            Self::Image(image) => format!("image-{}", image.name),
        }
    }
}
