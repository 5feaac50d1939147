//! What each kind of stage depends on: everything that its text holds, and nothing else.

use crate::compiler::inputs::SourceTree;
use crate::compiler::model::{ConfigRule, Download, InTree, Login, SignatureHash, Way};
use crate::knowledge::profile::PackageManager;
use crate::system::fs::FileDigest;
use crate::text::ids::{
    AbsPath, Arch, Command, CommandOption, Commit, EnvName, FileUrl, GitUrl, ImageRef, Invalid, KernelText,
    KmodName, ModuleName, Name, PackageName, RelPath, Repository, RepositoryId, RepositoryUrl, SecretId,
    Sha256, Tag,
};

/// An image by its name, and by what it is pinned to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolkitBase {
    /// As the profile or the manifest names it.
    pub named: ImageRef,
    /// As the lock pins it; the same as `named` where it does not.
    pub pinned: ImageRef,
}

/// What is done first on an image from a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OnBase {
    /// Package repositories to add.
    pub repositories: Vec<RepositoryFile>,
    /// Packages to install from them and from those that the image knows.
    pub install: PackageInstall,
}

/// A package repository, as it is told to a package manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepositoryFile {
    /// Where it is.
    pub url: RepositoryUrl,
    /// The suite of an apt repository.
    pub suite: Option<RelPath>,
    /// The components of an apt repository.
    pub components: Vec<Name>,
    /// What signs it.
    pub key: Option<SigningKey>,
}

/// The OpenPGP key of a package repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SigningKey {
    /// A file of the build context.
    File(RelPath, FileDigest),
    /// A file of the base image.
    Builder(AbsPath),
}

/// A subscription that packages are installed with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// That of the machine that builds.
    Host,
    /// The system registers itself, enables these repositories, and leaves again.
    Rhsm { org: SecretId, key: SecretId, repositories: Vec<RepositoryId> },
    /// Certificates are handed over.
    Certs { certificate: SecretId, key: SecretId },
}

/// The packages of one kernel, as an image of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolkitStage {
    /// Where it is pushed to.
    pub repository: Repository,
    /// What compiling needs.
    pub install: PackageInstall,
    /// The kernel's own modules.
    pub in_tree: PackageInstall,
    pub kernel: KernelText,
    /// The directory to hand to `make -C`.
    pub kernel_dir: AbsPath,
    /// The same of the kernels that are in the image beside it.
    pub beside: Vec<AbsPath>,
    /// The compiler, where the image's own is not the kernel's.
    pub compiler: Option<Command>,
    /// The kernel as rpm has it, without a flavour; for `/etc/driver-toolkit-release.json`.
    pub kernel_version: String,
    /// The kernel where it is a real-time one, nothing elsewhere; for the same file.
    pub rt_kernel_version: String,
    /// The minor of Enterprise Linux that it is of, nothing elsewhere; for the same file.
    pub rhel_version: String,
    /// Labels, sorted.
    pub labels: Vec<(String, String)>,
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
    /// The subscription that some of them need.
    pub subscription: Option<Subscription>,
    /// Its packages are a kernel's.
    pub of_kernel: Option<Gone>,
}

/// Where kernels are that have left the repositories, as a profile says it: what a build says where it cannot have one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gone(pub Option<String>);

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
    /// Package repositories to add, where no stage below has added them.
    pub repositories: Vec<RepositoryFile>,
}

/// A source's files at `/usr/src/drvc/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceStage {
    pub name: Name,
    /// Where the files come from.
    pub origin: Fetched,
    /// Patches, in order.
    pub patches: Vec<ContextPatch>,
    /// Packages that preparing it needs.
    pub install: PackageInstall,
}

impl SourceStage {
    /// How the server that it comes from is logged in to.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        match &self.origin {
            Fetched::Git { login, .. } | Fetched::Download { login, .. } => login.as_ref(),
            Fetched::Path { .. } | Fetched::Image { .. } => None,
        }
    }

    /// The secret that it asks for, and what it holds.
    pub(super) fn secret(&self) -> Option<(&SecretId, &'static str)> {
        let login = self.login()?;
        let holds = match login.way {
            Way::Key { .. } => "the deploy key that a source is fetched with",
            Way::Token { .. } => "the token that a source is fetched with",
        };
        Some((&login.secret, holds))
    }

    /// The first link of a local source that a glob matches, or goes through.
    pub(super) fn link_on(&self, glob: &str) -> Option<String> {
        match &self.origin {
            Fetched::Path { dir, tree } => tree.link_on(dir, glob),
            _ => None,
        }
    }
}

/// Where a source's files come from, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fetched {
    Git { url: GitUrl, revision: Revision, submodules: bool, lfs: Option<bool>, login: Option<Login> },
    Path { dir: RelPath, tree: SourceTree },
    Download { kind: Download, url: FileUrl, sha256: Option<Sha256>, file: RelPath, login: Option<Login> },
    Image { image: ImageRef, dir: AbsPath },
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
    pub file: RelPath,
    /// `patch -pN`
    pub strip: u32,
    pub content: FileDigest,
}

/// A module, built on a kernel's stage; its `.ko` files end below `/drvc/out`. Unless its own words name the kernel, it
/// is the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleStage {
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
    pub compiler: Option<Command>,
    /// How to build.
    pub build: BuildCommand,
    /// Patterns of `.ko` files, and whether they are optional.
    pub outputs: Vec<(String, bool)>,
    /// What the kernel's configuration must say.
    pub requires_config: Vec<ConfigRule>,
    /// Whether an earlier kernel's modules are tried first.
    pub tries: bool,
}

/// How a module is built, with every variable replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BuildCommand {
    /// As the kernel builds modules.
    Kbuild,
    /// By these, one after the other.
    Steps(Vec<StepCommand>),
    /// Not at all.
    Prebuilt,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StepCommand {
    /// The module's own Makefile.
    Make {
        targets: Vec<String>,
        /// Variables for make's command line.
        variables: Vec<(EnvName, String)>,
    },
    /// Words of a command.
    Run(Vec<String>),
    /// Text for `/bin/sh -euc`.
    Script(String),
}

/// The modules of an image, stripped, signed and checked to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignStage {
    /// The modules, in build order.
    pub modules: Vec<ModuleName>,
    /// Packages that reaching the key needs.
    pub install: PackageInstall,
    /// The private key.
    pub key: KeyHandle,
    /// The secret that holds the token's PIN, or the key's passphrase.
    pub pin: Option<SecretId>,
    /// The certificate in the build context.
    pub certificate: (RelPath, FileDigest),
    /// Its serial number, as `modinfo` prints it.
    pub serial: String,
    /// The hash; the kernel's own where none is named.
    pub hash: Option<SignatureHash>,
}

/// How a private key is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyHandle {
    /// A file that the engine mounts.
    Secret(SecretId),
    /// A token by its PKCS#11 URI.
    Token(String),
}

/// Files from another stage, or from an image, for the image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtraFiles {
    /// The stage or image.
    pub from: String,
    /// Absolute path, with `*`, `?` and `[…]`.
    pub glob: String,
    /// The directory in the image.
    pub to: AbsPath,
}

/// What the runtime image stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuntimeBase {
    /// A small image with a package manager.
    Minimal,
    /// One without: the builder's package manager installs into a copy of it.
    Micro,
    /// An image of the user's own.
    Own,
}

/// A driver container: what is packed in the builder, and the image around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageStage {
    pub name: Name,
    /// The modules in it, in build order.
    pub modules: Vec<ModuleName>,
    /// The target's kernel.
    pub kernel: KernelText,
    /// How dependencies on the kernel's own modules are met.
    pub in_tree: InTree,
    /// The kernel's own modules, for where they are needed.
    pub in_tree_install: PackageInstall,
    /// Whether the modules come from a stage that signed them.
    pub signed: bool,
    /// What the image stands on.
    pub base: RuntimeBase,
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
    /// Whether the image brings firmware.
    pub firmware: bool,
    /// Firmware and other files.
    pub files: Vec<ExtraFiles>,
    /// Labels, sorted.
    pub labels: Vec<(String, String)>,
    /// Whether later kernels may take its modules, which then need a record of what they were built for.
    pub recorded: bool,
}

impl PackageInstall {
    /// Whether packages come with a subscription that secrets give.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        !self.secrets().is_empty()
    }

    /// The secrets that it asks for, and what each holds.
    pub(super) fn secrets(&self) -> Vec<(&SecretId, &'static str)> {
        match self.subscription.as_ref().filter(|_| !self.packages.is_empty()) {
            Some(Subscription::Rhsm { org, key, .. }) => {
                vec![(org, "the subscription's organisation"), (key, "the subscription's activation key")]
            }
            Some(Subscription::Certs { certificate, key }) => {
                vec![(certificate, "the entitlement certificate"), (key, "the entitlement's private key")]
            }
            Some(Subscription::Host) | None => Vec::new(),
        }
    }
}

impl SignStage {
    /// The secrets that it asks for, and what each holds.
    pub(super) fn secrets(&self) -> Vec<(&SecretId, &'static str)> {
        let (mut secrets, pin) = match &self.key {
            KeyHandle::Secret(id) => (
                vec![(id, "the private key that signs modules")],
                "the passphrase of the key that signs modules",
            ),
            KeyHandle::Token(_) => (Vec::new(), "the PIN of the token that signs modules"),
        };
        secrets.extend(self.pin.iter().map(|id| (id, pin)));
        secrets
    }
}

impl ImageStage {
    /// Whether its command is the script `drvc-load`. modprobe alone neither waits, nor notices that the module of this name
    /// that is loaded already is another one.
    #[must_use]
    pub fn loads_by_script(&self) -> bool {
        !self.load.is_empty()
    }
}

impl ToolkitStage {
    /// The reference that it is pushed as, given its key: one that is there is never replaced.
    ///
    /// # Errors
    /// What a tag may look like, where the kernel's name is too long for one.
    pub fn reference(&self, key: &str) -> Result<ImageRef, Invalid> {
        let kernel = self.kernel.as_str().replace(['+', '~'], "_");
        let tag = Tag::parse(&format!("{kernel}-{}", key.get(..16).unwrap_or(key)))?;
        ImageRef::parse(&format!("{}:{tag}", self.repository))
    }
}
