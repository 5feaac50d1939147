//! The values of variables for one cell.

use super::cell::Cell;
use crate::compiler::model::{Project, Template, Variable};
use crate::text::ids::{AbsPath, ModuleName, Name};
use std::borrow::Cow;

/// Where sources and modules lie in builder stages.
pub(super) const BUILD_ROOT: &str = "/usr/src/drvc";

/// What becomes `/opt` of the image.
pub(super) const OUT: &str = "/drvc/out";

/// A module's name as stages and directories carry it: stage names have no capitals.
pub(super) fn slug(name: &ModuleName) -> String {
    name.as_str().to_ascii_lowercase()
}

/// What variables stand for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    project: &'s Project,
    cell: &'s Cell<'s>,
    image: Option<&'s Name>,
    module: Option<&'s ModuleName>,
    dirs: &'s [(ModuleName, AbsPath)],
}

impl<'s> Scope<'s> {
    /// The values that every text of a cell has.
    pub fn new(project: &'s Project, cell: &'s Cell<'_>) -> Self {
        Self { project, cell, image: None, module: None, dirs: &[] }
    }

    /// Those of an image too.
    pub fn image(self, image: &'s Name) -> Self {
        Self { image: Some(image), ..self }
    }

    /// Those of a module too.
    pub fn module(self, module: &'s ModuleName) -> Self {
        Self { module: Some(module), ..self }
    }

    /// Those of the built trees that the module needs too.
    pub fn dirs(self, dirs: &'s [(ModuleName, AbsPath)]) -> Self {
        Self { dirs, ..self }
    }

    /// The directories of the built trees, in build order.
    pub fn built_dirs(&self) -> impl Iterator<Item = &AbsPath> {
        self.dirs.iter().map(|(_, dir)| dir)
    }

    /// The names of the modules whose built trees are there.
    pub fn built_names(&self) -> Vec<ModuleName> {
        self.dirs.iter().map(|(name, _)| name.clone()).collect()
    }

    /// A text with its variables replaced.
    pub fn text(&self, template: &Template) -> String {
        template.evaluate(|variable| self.value(variable))
    }

    fn value(&self, variable: &Variable) -> Cow<'s, str> {
        let cell = self.cell;
        match variable {
            Variable::Kernel => cell.kernel.text.as_str().into(),
            Variable::KernelDir => cell.packages.kernel_dir.as_str().into(),
            Variable::KernelSrcDir => cell.packages.kernel_src_dir.as_str().into(),
            Variable::Arch => cell.arch.name().into(),
            Variable::Os => cell.profile.os.as_str().into(),
            Variable::Release => cell.release.release.as_str().into(),
            Variable::Flavor => cell.kernel.flavor.as_str().into(),
            Variable::Registry => {
                self.project.registry.as_ref().map_or("", |registry| registry.as_str()).into()
            }
            Variable::Version => self.project.version.as_deref().unwrap_or_default().into(),
            Variable::Image => self.image.map_or("", |image| image.as_str()).into(),
            Variable::Module => self.module.map_or("", |module| module.as_str()).into(),
            Variable::SourceDir => match self.module {
                Some(module) => format!("{BUILD_ROOT}/{}", slug(module)).into(),
                None => BUILD_ROOT.into(),
            },
            Variable::Out => OUT.into(),
            Variable::Dir(name) => {
                let known = self.dirs.iter().find(|(module, _)| module == name);
                known.map_or("", |(_, dir)| dir.as_str()).into()
            }
        }
    }
}
