//! From syntax tree to meaning: names resolved, values parsed, overlays kept beside what they are laid over.
//!
//! Nothing here knows a cell: which overlay applies where is decided by [`crate::compiler::plan`]. A [`Model`] cannot hold
//! a value that a Dockerfile could not carry.

mod commands;
mod context;
mod entitlement;
mod image;
mod install;
mod kmm;
mod kubernetes;
mod layers;
mod login;
mod lower;
mod matrix;
mod mirror;
mod module;
mod names;
mod other_kernels;
mod packed;
mod output;
mod repair;
mod repository;
mod secrets;
mod signing;
pub mod selector;
mod source;
pub mod text;
mod toolkit;
mod values;
mod variables;

pub use entitlement::{Access, Entitlement};
pub use image::{Base, Extra, ExtraFrom, Image, ImageBody, InTree, KmodOption, Reuse, ReuseLevel, Softdep};
pub use install::Install;
pub use kmm::{Dra, Kmm, KmmBuild, KmmSign, KmmVersion, Plugin, RawArgs, Toleration};
pub use layers::{Layers, Merge, ModuleId, Overlay, SourceId, selected};
pub use login::{Login, Way};
pub use lower::lower;
pub use matrix::{CellBody, Exclude, KernelRule, Matrix, OsRule};
pub use mirror::{Mirror, MirrorRule};
pub use module::{Build, ConfigRule, ModuleBody, ModuleOutput, SourceUse, Step};
pub use output::{Bake, BuildConfig, Engine, Output, Pipeline, Service};
pub use repository::{AddedRepository, PackageRepository, RepositoryKey};
pub use selector::Selector;
pub use signing::{SignatureHash, Signing, SigningKey};
pub use source::{Download, GitReference, Origin, Patch, SourceBody};
pub use text::{Template, Variable};
pub use toolkit::Toolkit;

use crate::text::ids::{ModuleName, Name, Repository};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// A manifest that means something.
#[derive(Clone, Debug)]
pub struct Model {
    pub project: Project,
    pub sources: Vec<Layers<Name, SourceBody>>,
    pub modules: Vec<Layers<ModuleName, ModuleBody>>,
    pub images: Vec<Image>,
    pub signing: Option<Signing>,
    pub toolkit: Option<Toolkit>,
    pub entitlement: Option<Entitlement>,
    pub mirror: Mirror,
    pub matrix: Matrix,
    pub output: Output,
}

impl Model {
    /// What selects cells, wherever it stands.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        fn of<N, B>(layers: &Layers<N, B>) -> impl Iterator<Item = &Selector> {
            layers.overlays.iter().map(|overlay| &overlay.selector)
        }
        let of_matrix = self.matrix.overlays.iter().map(|overlay| &overlay.selector);
        let excludes = self.matrix.exclude.iter().map(|exclude| &exclude.selector);
        let images = self.images.iter().flat_map(|image| image.only.iter().chain(of(&image.layers)));
        let modules = self.modules.iter().flat_map(of);
        let sources = self.sources.iter().flat_map(of);
        of_matrix.chain(excludes).chain(images).chain(modules).chain(sources)
    }

    /// Where the stages of sources, modules, images and signing come from, by the names that the stages have: a module's is the
    /// place that says how it is built, or else its name.
    #[must_use]
    pub fn places(&self) -> BTreeMap<String, Span> {
        let sources = self.sources.iter().map(|source| (format!("source-{}", source.name), source.span));
        let modules = self.modules.iter().map(|module| {
            let span = module.base.build.as_ref().map_or(module.span, |build| build.span);
            (format!("module-{}", module.name.as_str().to_ascii_lowercase()), span)
        });
        let images =
            self.images.iter().map(|image| (format!("image-{}", image.layers.name), image.layers.span));
        let signing = self.signing.iter().map(|signing| ("signed".to_owned(), signing.span));
        sources.chain(modules).chain(images).chain(signing).collect()
    }
}

/// `project`: defaults for repositories, tags and labels.
#[derive(Clone, Debug)]
pub struct Project {
    pub name: Name,
    pub registry: Option<Repository>,
    pub version: Option<String>,
    pub license: Option<String>,
    pub description: Option<String>,
    pub vendor: Option<String>,
    pub maintainer: Option<String>,
    pub url: Option<String>,
}
