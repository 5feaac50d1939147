//! Lowering: turns the syntax tree into a [`Model`], reporting every value that does not parse and every name
//! that does not resolve.
//!
//! 1. Names are collected into [`Lower`], so that order in the file does not matter.
//! 2. [`lower`] goes through the nodes of the language, each by the function of its own file.
//! 3. What was named but never used is pointed out last.

use super::context::Lower;
use super::entitlement::lower_entitlement;
use super::image::{Image, lower_image, lower_license};
use super::layers::Layers;
use super::matrix::lower_matrix;
use super::mirror::lower_mirrors;
use super::module::{ModuleBody, lower_module};
use super::output::lower_output;
use super::signing::lower_signing;
use super::source::{SourceBody, lower_source};
use super::toolkit::lower_toolkit;
use super::{Model, Project};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{Invalid, ModuleName, Name, Repository};
use crate::text::source::Sources;

/// What stands at the top of the output directory beside the directories of images.
const OUTPUT_FILES: [&str; 2] = ["keys", "plan.json"];

/// Turns a syntax tree into a model; whatever cannot be lowered is reported and left out.
pub fn lower(manifest: &ast::Manifest, sources: &Sources) -> (Model, Diagnostics) {
    let mut lower = Lower::new(manifest, sources);
    super::secrets::refuse(manifest, &mut lower.diagnostics);
    let license_file =
        manifest.project.license_file.as_ref().and_then(|file| lower_license(&mut lower, file));
    let mut model = Model {
        project: lower.project(&manifest.project),
        sources: manifest.sources.iter().filter_map(|source| lower.source(source)).collect(),
        modules: manifest.modules.iter().filter_map(|module| lower.module(module)).collect(),
        images: manifest.images.iter().filter_map(|image| lower.image(image)).collect(),
        signing: manifest.signing.as_ref().and_then(|signing| lower_signing(&mut lower, signing)),
        toolkit: manifest.toolkit.as_ref().and_then(|toolkit| lower_toolkit(&mut lower, toolkit)),
        entitlement: manifest.entitlement.as_ref().and_then(|it| lower_entitlement(&mut lower, it)),
        mirror: lower_mirrors(&mut lower, &manifest.mirrors),
        matrix: lower_matrix(&mut lower, &manifest.matrix),
        output: lower_output(&mut lower, manifest.output.as_ref()),
    };
    for image in &mut model.images {
        image.layers.base.files.extend(license_file.clone());
    }
    super::packed::check(manifest, &mut lower.diagnostics);
    // Where something is wrong, the use of a name may be what was left out.
    if !lower.diagnostics.has_errors() {
        lower.diagnostics.extend(lower.names.unused(manifest));
    }
    (model, lower.diagnostics)
}

impl Lower<'_> {
    fn project(&mut self, project: &ast::Project) -> Project {
        let text = |text: &Option<ast::Text>| text.as_ref().map(|text| text.value.clone());
        Project {
            name: self.name("project", &project.name),
            registry: project.registry.as_ref().and_then(|t| self.parse("registry", t, Repository::parse)),
            version: text(&project.version),
            license: text(&project.license),
            description: text(&project.description),
            vendor: text(&project.vendor),
            maintainer: text(&project.maintainer),
            url: text(&project.url),
        }
    }

    fn source(&mut self, source: &ast::Source) -> Option<Layers<Name, SourceBody>> {
        let name = self.name("source", &source.name);
        let base = lower_source(self, &source.body);
        let overlays = source.on.iter().filter_map(|on| self.overlay(on, lower_source)).collect();
        Some(Layers { name, span: source.name.span, base, overlays })
    }

    fn module(&mut self, module: &ast::Module) -> Option<Layers<ModuleName, ModuleBody>> {
        let stand_in = || ModuleName::parse("unnamed").ok();
        // `x.ko` would make `x.ko.ko`.
        let parse = |name: &str| match name.ends_with(".ko") {
            true => Err(Invalid("the name without `.ko`")),
            false => ModuleName::parse(name),
        };
        let name = self.parse("module name", &module.name, parse).or_else(stand_in)?;
        let base = lower_module(self, &module.body);
        let overlays: Vec<_> = module.on.iter().filter_map(|on| self.overlay(on, lower_module)).collect();
        let written = module.body.source.is_some() || module.on.iter().any(|on| on.body.source.is_some());
        if !written {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingSource,
                    format!("module `{}` names no source", module.name.value),
                )
                .label(module.name.span, "built from what?")
                .help("add `source \"NAME\"` with the name of one of the manifest's sources, and `dir=\"DIR\"` where its Makefile is not at the top"),
            );
        }
        Some(Layers { name, span: module.name.span, base, overlays })
    }

    fn image(&mut self, image: &ast::Image) -> Option<Image> {
        let name = self.name("image", &image.name);
        if OUTPUT_FILES.contains(&name.as_str()) {
            let problem = format!("`{name}` is the name of a file that drvc writes");
            let report = Diagnostic::new(Code::MalformedValue, problem)
                .label(image.name.span, "its Dockerfiles would be beneath a directory of this name")
                .help(format!("choose another name, such as `{}-image`", name.as_str().replace('.', "-")));
            self.diagnostics.push(report);
        }
        let base = lower_image(self, &image.body);
        let overlays = image.on.iter().filter_map(|on| self.overlay(on, lower_image)).collect();
        let only = image.only.iter().filter_map(|selector| self.selector(selector)).collect();
        Some(Image { only, layers: Layers { name, span: image.name.span, base, overlays } })
    }
}
