//! The nodes of the graph: one for each stage, and for each image that a stage is built on.

use super::earlier::ReuseStage;
use super::stages::{
    ImageStage, KernelStage, ModuleStage, OnBase, PackageInstall, SignStage, SourceStage, ToolkitBase,
    ToolkitStage,
};
use crate::text::ids::{ImageRef, SecretId};

/// One stage of a Dockerfile (an image has two), or the image that a stage stands on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// An image from a registry: no stage of its own.
    Base(ImageRef),
    /// An image from a registry that a toolkit stands on: which of its versions does not count for keys.
    ToolkitBase(ToolkitBase),
    /// The build tools of an OS release.
    Tools(OnBase),
    /// What fetches and patches sources of git.
    Fetch(OnBase),
    /// What downloads, unpacks and patches sources.
    Download(OnBase),
    /// A toolkit image: the packages of one kernel, for other Dockerfiles to stand on.
    Toolkit(Box<ToolkitStage>),
    /// The packages of one kernel.
    Kernel(KernelStage),
    /// A source, fetched and patched.
    Source(SourceStage),
    /// An earlier kernel's modules, tried on this one.
    Reuse(Box<ReuseStage>),
    /// A module, built for one kernel.
    Module(Box<ModuleStage>),
    /// A copy of a micro image with packages in it.
    Root(PackageInstall),
    /// The modules of an image, signed.
    Sign(Box<SignStage>),
    /// A driver container.
    Image(Box<ImageStage>),
}

impl Node {
    /// The kind, as fingerprints and `graph` name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Base(_) | Self::ToolkitBase(_) => "base",
            Self::Tools(_) => "tools",
            Self::Fetch(_) => "fetch",
            Self::Download(_) => "download",
            Self::Toolkit(_) => "toolkit",
            Self::Kernel(_) => "kernel",
            Self::Source(_) => "source",
            Self::Reuse(_) => "reuse",
            Self::Module(_) => "module",
            Self::Root(_) => "root",
            Self::Sign(_) => "sign",
            Self::Image(_) => "image",
        }
    }

    /// What keys know it by: its stage's name, without what does not count for them.
    #[must_use]
    pub fn key_name(&self) -> String {
        match self {
            Self::ToolkitBase(image) => image.named.to_string(),
            _ => self.stage(),
        }
    }

    /// The secrets that its stage asks for, and what each holds.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&SecretId, &'static str)> {
        let installs = match self {
            Self::Tools(stage) | Self::Fetch(stage) | Self::Download(stage) => vec![&stage.install],
            Self::Toolkit(stage) => vec![&stage.install, &stage.in_tree],
            Self::Kernel(stage) => vec![&stage.install],
            Self::Module(stage) => vec![&stage.install],
            Self::Source(stage) => vec![&stage.install],
            Self::Sign(stage) => vec![&stage.install],
            Self::Image(stage) => vec![&stage.in_tree_install, &stage.runtime_install],
            Self::Root(install) => vec![install],
            Self::Base(_) | Self::ToolkitBase(_) | Self::Reuse(_) => Vec::new(),
        };
        let own = match self {
            Self::Sign(stage) => stage.secrets(),
            Self::Source(stage) => stage.secret().into_iter().collect(),
            _ => Vec::new(),
        };
        installs.into_iter().flat_map(PackageInstall::secrets).chain(own).collect()
    }

    /// The stage's name in a Dockerfile, unique in it; the reference itself for an image from a registry.
    #[must_use]
    pub fn stage(&self) -> String {
        match self {
            Self::Base(image) => image.to_string(),
            Self::ToolkitBase(image) => image.pinned.to_string(),
            Self::Tools(_)
            | Self::Fetch(_)
            | Self::Download(_)
            | Self::Toolkit(_)
            | Self::Kernel(_)
            | Self::Reuse(_)
            | Self::Root(_) => self.kind().into(),
            Self::Sign(_) => "signed".into(),
            Self::Source(source) => format!("source-{}", source.name),
            Self::Module(module) => format!("module-{}", module.name.as_str().to_ascii_lowercase()),
            Self::Image(image) => format!("image-{}", image.name),
        }
    }
}
