//! The image's own stage: what is packed, how modules are configured and loaded, and the labels.

use super::builder::Builder;
use super::cell::Cell;
use super::modprobe::{Modprobe, underscored};
use super::{ExtraFiles, ImageStage, PackageInstall, RuntimeBase};
use crate::compiler::model::{Base, Image, ImageBody, ModuleId};
use crate::knowledge::profile::PackageManager;
use crate::language::kdl::quote;
use crate::text::diag::{Code, Diagnostic, nearest};
use crate::text::ids::{ImageRef, KmodName, ModuleName, PackageName, module_file_stem};
use crate::text::source::{Span, Spanned};
use std::collections::BTreeMap;

impl Builder<'_> {
    /// The last two stages of a target: `pack` and the runtime image.
    pub(super) fn image_stage(
        &mut self,
        image: &Image,
        body: &ImageBody,
        cell: &Cell<'_>,
        order: &[ModuleId],
        runtime: &Runtime,
        parts: Parts,
    ) -> ImageStage {
        let produced = self.produced(order, cell, image);
        self.check_loads(image, body, &produced);
        let scope = self.scope(cell).image(&image.layers.name);
        let packages = match runtime.kind {
            RuntimeBase::Minimal => self.runtime_packages(image, body, cell),
            RuntimeBase::Micro => Vec::new(),
            RuntimeBase::Own => self.packages(&body.packages, &scope),
        };
        let labels = self.labels(image, body, cell, runtime);
        ImageStage {
            name: image.layers.name.clone(),
            modules: parts.modules,
            kernel: cell.kernel.text.clone(),
            in_tree: body.in_tree.unwrap_or_default(),
            in_tree_install: self.in_tree_install(cell),
            signed: parts.signed,
            base: runtime.kind,
            runtime_install: PackageInstall {
                manager: cell.platform.runtime_manager,
                options: Vec::new(),
                packages,
                subscription: None,
                of_kernel: None,
            },
            modprobe_config: Modprobe::of(body, |template| scope.text(template)).lines(),
            replaces: body.replaces.iter().map(underscored).collect(),
            load: load_order(&body.load, &produced),
            softdeps: body
                .softdeps
                .iter()
                .flat_map(|dep| dep.pre.iter().chain(&dep.post))
                .map(underscored)
                .collect(),
            firmware: !body.firmware.is_empty(),
            files: parts.files,
            labels: labels.into_iter().collect(),
            recorded: body.reuse.is_some(),
        }
    }

    /// What the runtime image needs to load modules, and what the manifest adds.
    pub(super) fn runtime_packages(
        &self,
        image: &Image,
        body: &ImageBody,
        cell: &Cell<'_>,
    ) -> Vec<PackageName> {
        let scope = self.scope(cell).image(&image.layers.name);
        let mut packages = cell.platform.runtime.clone();
        packages.extend(self.packages(&body.packages, &scope));
        packages.sort();
        packages.dedup();
        packages
    }

    /// What the image stands on, pinned.
    pub(super) fn runtime(&mut self, image: &Image, body: &ImageBody, cell: &Cell<'_>) -> Option<Runtime> {
        let runtime = |kind, name: &ImageRef, pinned| Runtime { kind, name: name.clone(), pinned };
        match body.base.as_ref().map(|base| (&base.value, base.span)) {
            None | Some((Base::Minimal, _)) => {
                let name = &cell.platform.minimal;
                Some(runtime(RuntimeBase::Minimal, name, self.pinned(name, cell, cell.release_span)))
            }
            Some((Base::Micro, span)) => {
                let has_installroot = cell.platform.manager == PackageManager::Dnf;
                let Some(name) = cell.platform.micro.as_ref().filter(|_| has_installroot) else {
                    self.no_micro(cell, span);
                    let name = &cell.platform.minimal;
                    return Some(runtime(
                        RuntimeBase::Minimal,
                        name,
                        self.pinned(name, cell, cell.release_span),
                    ));
                };
                Some(runtime(RuntimeBase::Micro, name, self.pinned(name, cell, cell.release_span)))
            }
            Some((Base::Own(template), span)) => {
                let text = self.scope(cell).image(&image.layers.name).text(template).replace(['+', '~'], "_");
                let name = self.parse(&text, span, "image reference", ImageRef::parse)?;
                let pinned = self.pinned(&name, cell, span);
                Some(runtime(RuntimeBase::Own, &name, pinned))
            }
        }
    }

    fn no_micro(&mut self, cell: &Cell<'_>, span: Span) {
        let (title, release) = (&cell.profile.title, &cell.release.release);
        self.report_once(
            Diagnostic::new(Code::UnverifiedBase, format!("drvc knows no micro image of {title} {release}"))
                .label(span, "an image without a package manager")
                .label(cell.release_span, "not for this release")
                .help("the minimal image is taken; `base \"IMAGE\"` names another"),
        );
    }

    /// How an image's modules are configured and ordered in a cell.
    pub(super) fn modprobe(&self, image: &Image, body: &ImageBody, cell: &Cell<'_>) -> Modprobe {
        let scope = self.scope(cell).image(&image.layers.name);
        Modprobe::of(body, |template| scope.text(template))
    }

    /// The first of these references by the digest that the lock has for it, where an output names images.
    pub(super) fn pinned_reference(&self, tags: &[ImageRef]) -> Option<ImageRef> {
        self.inputs.model.output.kmm.as_ref()?;
        let tag = tags.first()?;
        let pin = self.inputs.lock.known_image(tag)?;
        ImageRef::parse(&format!("{}@{}", tag.repository(), pin.digest)).ok()
    }

    /// The kernel modules that each module is known to produce, in build order. Patterns tell nothing.
    fn produced(&mut self, order: &[ModuleId], cell: &Cell<'_>, image: &Image) -> Vec<Produced> {
        let mut produced = Vec::new();
        for &module in order {
            let Some(layers) = self.inputs.model.modules.get(module.0) else { continue };
            let Some(body) = self.module_body(module, cell, image) else { continue };
            let scope = self.scope(cell).module(&layers.name);
            let globs: Vec<_> = match body.outputs.as_slice() {
                [] => vec![format!("{}.ko", layers.name)],
                outputs => outputs.iter().map(|output| scope.text(&output.glob)).collect(),
            };
            let names = globs
                .iter()
                .filter_map(|glob| module_file_stem(glob))
                .filter_map(|name| KmodName::parse(name).ok());
            let kmods: Vec<_> = names.map(|name| underscored(&name)).collect();
            produced.push(Produced { all_known: kmods.len() == globs.len(), kmods });
        }
        produced
    }

    /// A kernel module that is loaded but not built is perhaps the kernel's own; one that is nearly spelled like one that
    /// is built is a mistake.
    fn check_loads(&mut self, image: &Image, body: &ImageBody, produced: &[Produced]) {
        let known: Vec<_> = produced.iter().flat_map(|module| &module.kmods).map(KmodName::as_str).collect();
        let all_known = produced.iter().all(|module| module.all_known);
        let loads = body.load.iter().map(|load| (load, "loaded here, built nowhere"));
        let options = body.options.iter().map(|option| (&option.kmod, "configured here, built nowhere"));
        for (kmod, label) in loads.chain(options) {
            let name = underscored(&kmod.value);
            if known.contains(&name.as_str()) {
                continue;
            }
            let message = format!("no module of image `{}` builds `{name}`", image.layers.name);
            let report = Diagnostic::new(Code::UnknownKmod, message);
            let report = if let Some(module) = self.builds(&name).filter(|_| all_known) {
                report
                    .label(kmod.span, format!("module `{module}` builds it, and is not in this image"))
                    .label(image.layers.span, "this image")
                    .help(format!("add `module \"{module}\"` to the image, or take `{name}` out"))
            } else if let Some(near) = nearest(name.as_str(), known.iter().copied()).filter(|_| all_known) {
                report
                    .label(kmod.span, label)
                    .help(format!("did you mean `{near}`?"))
                    .suggest(kmod.span, quote(near))
            } else {
                continue;
            };
            self.report_once(report);
        }
    }

    /// The module of the manifest whose outputs name this kernel module, without variables and everywhere.
    fn builds(&self, kmod: &KmodName) -> Option<&ModuleName> {
        let stem = |text: &str| module_file_stem(text).map(|name| name.replace('-', "_"));
        let wanted = Some(kmod.to_string());
        let found = self.inputs.model.modules.iter().find(|module| match module.base.outputs.as_slice() {
            [] => Some(module.name.as_str().replace('-', "_")) == wanted,
            outputs => outputs.iter().any(|output| output.glob.as_literal().and_then(stem) == wanted),
        });
        found.map(|module| &module.name)
    }

    fn labels(
        &self,
        image: &Image,
        body: &ImageBody,
        cell: &Cell<'_>,
        runtime: &Runtime,
    ) -> BTreeMap<String, String> {
        let project = &self.inputs.model.project;
        let mut labels = BTreeMap::new();
        let mut set = |key: &str, value: Option<&str>| {
            labels.extend(value.map(|value| (key.to_string(), value.to_string())));
        };
        set("org.opencontainers.image.title", Some(image.layers.name.as_str()));
        set("org.opencontainers.image.version", project.version.as_deref());
        set("org.opencontainers.image.licenses", project.license.as_deref());
        set("org.opencontainers.image.description", project.description.as_deref());
        set("org.opencontainers.image.vendor", project.vendor.as_deref());
        set("org.opencontainers.image.url", project.url.as_deref());
        set("org.opencontainers.image.base.name", Some(runtime.name.as_str()));
        set("org.opencontainers.image.base.digest", runtime.pinned.digest());
        set("kernel-version", Some(cell.kernel.text.as_str()));
        // Bases have labels of their own by these names, which would speak for the image.
        if let Some(vendor) = &project.vendor {
            set("name", Some(image.layers.name.as_str()));
            set("vendor", Some(vendor));
            set("version", project.version.as_deref());
            set("release", Some(cell.kernel.text.as_str()));
            set("summary", project.description.as_deref());
            set("description", project.description.as_deref());
            set("maintainer", project.maintainer.as_deref());
        }
        let scope = self.scope(cell).image(&image.layers.name);
        labels.extend(body.labels.iter().map(|(key, value)| (key.clone(), scope.text(value))));
        labels
    }
}

/// What an image stands on.
pub(super) struct Runtime {
    pub kind: RuntimeBase,
    /// The reference as it was named.
    pub name: ImageRef,
    /// The same with its digest, where that is known.
    pub pinned: ImageRef,
}

/// What comes into an image from other stages.
pub(super) struct Parts {
    /// Its modules, in build order.
    pub modules: Vec<ModuleName>,
    /// Whether a stage signed the modules.
    pub signed: bool,
    pub files: Vec<ExtraFiles>,
}

/// What a module is known to produce.
struct Produced {
    kmods: Vec<KmodName>,
    /// Whether every output is a name and no pattern.
    all_known: bool,
}

/// What is loaded, in the order written, except that what a module needs comes before it.
fn load_order(load: &[Spanned<KmodName>], produced: &[Produced]) -> Vec<KmodName> {
    let rank = |kmod: &KmodName| produced.iter().position(|module| module.kmods.contains(kmod));
    let mut order: Vec<KmodName> = Vec::new();
    for kmod in load.iter().map(|load| underscored(&load.value)) {
        if order.contains(&kmod) {
            continue;
        }
        // `produced` is in build order: whatever ranks higher may stand on this one.
        let place =
            rank(&kmod).and_then(|own| order.iter().position(|other| rank(other).is_some_and(|r| r > own)));
        order.insert(place.unwrap_or(order.len()), kmod);
    }
    order
}
