//! From a cell to its stages: every variable replaced, every pin put in, each stage made once.

use super::cell::Cell;
use super::cells::{dead, selected};
use super::order::build_order;
use super::scope::{BUILD_ROOT, Scope, slug};
use super::targets::Group;
use super::{
    BuildCommand, ContextPatch, Edge, Fetched, Graph, Inputs, KernelStage, ModuleStage, Node, NodeId,
    PackageInstall, Revision, SourceStage, StepCommand,
};
use crate::diag::{Code, Diagnostic, Diagnostics, listed, nearest};
use crate::ids::{AbsPath, CommandOption, ImageRef, ModuleName, PackageName, RelPath, Tag};
use crate::model::{
    Build, GitReference, Image, ImageBody, Lay, Layers, ModuleBody, ModuleId, Origin, Selector, SourceBody,
    SourceId, Step, Template,
};
use crate::profile;
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Makes the stages of targets.
pub(super) struct Builder<'a> {
    pub(super) inputs: Inputs<'a>,
    graph: Graph,
    pub(super) diagnostics: Diagnostics,
    /// Module stages by module, cell and image; the image counts only where a selector names one.
    modules: BTreeMap<(ModuleId, usize, usize), (NodeId, AbsPath)>,
    /// Bodies with their overlays laid over, so that most cells share one.
    module_bodies: Bodies<ModuleId, ModuleBody>,
    source_bodies: Bodies<SourceId, SourceBody>,
    /// Directories of local sources that were looked up.
    directories: BTreeSet<RelPath>,
    /// What was already warned about.
    warned: BTreeSet<String>,
    /// Images without a digest, by the release that they are for.
    unpinned: BTreeMap<Span, BTreeSet<ImageRef>>,
    images_matter: bool,
}

/// Bodies by what they are of and the overlays laid over, and which overlays ever were.
struct Bodies<I, B> {
    made: BTreeMap<(I, Vec<usize>), Rc<B>>,
    used: BTreeSet<(I, usize)>,
    seen: BTreeSet<I>,
}

impl<I: Ord + Copy, B: Lay> Bodies<I, B> {
    const fn new() -> Self {
        Self { made: BTreeMap::new(), used: BTreeSet::new(), seen: BTreeSet::new() }
    }

    fn get<N>(&mut self, id: I, layers: &Layers<N, B>, selects: impl Fn(&Selector) -> bool) -> Rc<B> {
        let overlays = selected(&layers.overlays, selects);
        self.seen.insert(id);
        self.used.extend(overlays.iter().map(|&at| (id, at)));
        let made = self.made.entry((id, overlays));
        let overlays = made.key().1.clone();
        Rc::clone(made.or_insert_with(|| Rc::new(layers.with(&overlays))))
    }
}

impl<'a> Builder<'a> {
    pub fn new(inputs: &Inputs<'a>) -> Self {
        let model = inputs.model;
        let selectors = model
            .modules
            .iter()
            .flat_map(|module| module.overlays.iter().map(|overlay| &overlay.selector))
            .chain(
                model
                    .sources
                    .iter()
                    .flat_map(|source| source.overlays.iter().map(|overlay| &overlay.selector)),
            );
        Self {
            inputs: *inputs,
            graph: Graph::default(),
            diagnostics: Diagnostics::default(),
            modules: BTreeMap::new(),
            module_bodies: Bodies::new(),
            source_bodies: Bodies::new(),
            directories: BTreeSet::new(),
            warned: BTreeSet::new(),
            unpinned: BTreeMap::new(),
            images_matter: selectors.into_iter().any(Selector::names_image),
        }
    }

    /// The graph, and what was found wrong while it was made.
    pub fn finish(mut self, groups: &[Group<'_>]) -> (Graph, Diagnostics) {
        let model = self.inputs.model;
        let views = || {
            groups.iter().flat_map(|group| {
                let name = group.image.layers.name.as_str();
                group.cells.iter().map(move |cell| cell.view(Some(name)))
            })
        };
        for &id in &self.module_bodies.seen {
            let overlays =
                model.modules.get(id.0).into_iter().flat_map(|module| module.overlays.iter().enumerate());
            for (_, overlay) in overlays.filter(|(at, _)| !self.module_bodies.used.contains(&(id, *at))) {
                self.diagnostics.push(dead(&overlay.selector, "`on`", views()));
            }
        }
        for &id in &self.source_bodies.seen {
            let overlays =
                model.sources.get(id.0).into_iter().flat_map(|source| source.overlays.iter().enumerate());
            for (_, overlay) in overlays.filter(|(at, _)| !self.source_bodies.used.contains(&(id, *at))) {
                self.diagnostics.push(dead(&overlay.selector, "`on`", views()));
            }
        }
        self.diagnostics.extend(unpinned_images(&self.unpinned));
        (self.graph, self.diagnostics)
    }

    /// Cells that are merged must be built the same way.
    pub fn differing_overlays(&self, group: &Group<'_>) -> Option<Diagnostic> {
        let (first, others) = group.cells.split_first()?;
        let image = group.image.layers.name.as_str();
        let model = self.inputs.model;
        let selectors = model
            .sources
            .iter()
            .flat_map(|source| source.overlays.iter().map(|overlay| &overlay.selector))
            .chain(
                model
                    .modules
                    .iter()
                    .flat_map(|module| module.overlays.iter().map(|overlay| &overlay.selector)),
            )
            .chain(group.image.layers.overlays.iter().map(|overlay| &overlay.selector));
        let selectors: Vec<_> = selectors.collect();
        for other in others {
            let differs = |selector: &&&Selector| {
                selector.selects(&first.view(Some(image))) != selector.selects(&other.view(Some(image)))
            };
            if let Some(selector) = selectors.iter().find(differs) {
                let name = |cell: &Cell<'_>| format!("{} {}", cell.profile.os, cell.release.release);
                let label = |cell: &Cell<'_>| match selector.selects(&cell.view(Some(image))) {
                    true => "selected by it",
                    false => "not selected by it",
                };
                return Some(
                    Diagnostic::new(
                        Code::MergedCellsDiffer,
                        format!("{} and {} run one kernel, so they share one image", name(first), name(other)),
                    )
                    .label(selector.span, "holds for one of them only")
                    .label(first.release_span, label(first))
                    .label(other.release_span, label(other))
                    .help("select by `kernel`, `el` or `family`, which both have in common, or exclude one of them"),
                );
            }
        }
        None
    }

    /// The reference that an image is pushed as for a cell.
    pub fn reference(&mut self, image: &Image, cell: &Cell<'_>) -> Result<ImageRef, Diagnostic> {
        let body = self.image_body(image, cell);
        let scope = self.scope(cell).image(&image.layers.name);
        let span = image.layers.span;
        let repository = match &body.repository {
            Some(template) => scope.text(template),
            None => match &self.inputs.model.project.registry {
                Some(registry) => format!("{registry}/{}", image.layers.name),
                None => image.layers.name.to_string(),
            },
        };
        let tag =
            body.tag.as_ref().map_or_else(|| cell.kernel.text.to_string(), |template| scope.text(template));
        let tag = tag.replace(['+', '~'], "_");
        let problem = |part: &str, rule: &str, place: Span| {
            Diagnostic::new(
                Code::MalformedReference,
                format!("`{repository}:{tag}` is not an image reference"),
            )
            .label(place, format!("gives this {part}"))
            .help(format!("a {part} is {rule}"))
        };
        let tag_span = body.tag.as_ref().map_or(span, |template| template.span);
        Tag::parse(&tag).map_err(|rule| problem("tag", rule.0, tag_span))?;
        let repository_span = body.repository.as_ref().map_or(span, |template| template.span);
        crate::ids::Repository::parse(&repository)
            .map_err(|rule| problem("repository", rule.0, repository_span))?;
        ImageRef::parse(&format!("{repository}:{tag}")).map_err(|rule| problem("reference", rule.0, span))
    }

    /// The stages of an image for a cell.
    pub fn image(&mut self, image: &Image, cell: &Cell<'_>) -> NodeId {
        let body = self.image_body(image, cell);
        let at = if self.images_matter { self.image_index(image) } else { 0 };
        let roots: Vec<_> = body.modules.iter().map(|module| module.value).collect();
        let order = build_order(&roots, |module| self.needs(module, cell, image));
        for &module in &order {
            self.module(module, cell, image, at);
        }
        let runtime = self.pinned(&cell.platform.minimal, cell.release_span);
        let runtime_node = self.graph.intern(Node::Base(runtime.clone()), &[]);
        let mut inputs = vec![(self.kernel(cell), Edge::From)];
        let made = order.iter().filter_map(|&module| self.modules.get(&(module, cell.id, at)));
        inputs.extend(made.map(|&(node, _)| (node, Edge::Files)));
        inputs.push((runtime_node, Edge::Runtime));
        let names = order.iter().filter_map(|module| self.inputs.model.modules.get(module.0));
        let names: Vec<_> = names.map(|module| module.name.clone()).collect();
        let stage = self.image_stage(image, &body, cell, names, &order, &runtime);
        self.graph.intern(Node::Image(Box::new(stage)), &inputs)
    }

    fn image_index(&self, image: &Image) -> usize {
        self.inputs.model.images.iter().position(|known| known.layers.name == image.layers.name).unwrap_or(0)
    }

    pub(super) fn image_body(&self, image: &Image, cell: &Cell<'_>) -> ImageBody {
        let view = cell.view(Some(image.layers.name.as_str()));
        image.layers.with(&selected(&image.layers.overlays, |selector| selector.selects(&view)))
    }

    pub(super) fn module_body(
        &mut self,
        module: ModuleId,
        cell: &Cell<'_>,
        image: &Image,
    ) -> Option<Rc<ModuleBody>> {
        let layers = self.inputs.model.modules.get(module.0)?;
        let view = cell.view(Some(image.layers.name.as_str()));
        Some(self.module_bodies.get(module, layers, |selector| selector.selects(&view)))
    }

    fn needs(&mut self, module: ModuleId, cell: &Cell<'_>, image: &Image) -> Vec<ModuleId> {
        let body = self.module_body(module, cell, image);
        body.map_or_else(Vec::new, |body| body.needs.iter().map(|need| need.value).collect())
    }

    /// A module's stage, after those of all that it needs.
    fn module(&mut self, module: ModuleId, cell: &Cell<'_>, image: &Image, at: usize) {
        if self.modules.contains_key(&(module, cell.id, at)) {
            return;
        }
        let Some(body) = self.module_body(module, cell, image) else { return };
        let Some(layers) = self.inputs.model.modules.get(module.0) else { return };
        let needs = build_order(&self.needs(module, cell, image), |need| self.needs(need, cell, image));
        let built: Vec<_> =
            needs.iter().filter_map(|&need| self.modules.get(&(need, cell.id, at)).cloned()).collect();
        let Some(used) = &body.source else {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingSource,
                    format!("module `{}` has no source for some cells", layers.name),
                )
                .label(layers.span, "built from what?")
                .label(cell.span, "for this kernel")
                .help("say `source` outside `on`, so that it holds for every cell"),
            );
            return;
        };
        let Some((source, source_name)) = self.source(used.source, cell, image) else { return };
        let scope = self.scope(cell).module(&layers.name);
        let dir = used.dir.as_ref().map(|dir| scope.text(dir));
        let root = format!("{BUILD_ROOT}/{}", slug(&layers.name));
        let place = used.dir.as_ref().map_or(used.span, |dir| dir.span);
        let dir = dir
            .filter(|dir| dir != ".")
            .map_or_else(|| root.clone(), |dir| format!("{root}/{}", dir.trim_end_matches('/')));
        let Some(dir) = self.parse(&dir, place, "directory", AbsPath::parse) else { return };
        self.check_directory(source, dir.as_str().strip_prefix(&format!("{root}/")), place);
        let dirs = needs.iter().zip(&built).filter_map(|(need, (_, dir))| {
            Some((self.inputs.model.modules.get(need.0)?.name.clone(), dir.clone()))
        });
        let dirs: Vec<_> = dirs.collect();
        let scope = scope.dirs(&dirs);
        let stage = self.module_stage(&layers.name, &body, cell, &scope, source_name, dir.clone());
        let mut inputs = vec![(self.kernel(cell), Edge::From), (source, Edge::Files)];
        inputs.extend(built.iter().map(|&(node, _)| (node, Edge::Symbols)));
        let node = self.graph.intern(Node::Module(Box::new(stage)), &inputs);
        self.modules.insert((module, cell.id, at), (node, dir));
    }

    /// A local source must have files in the directory that is built.
    fn check_directory(&mut self, source: NodeId, below: Option<&str>, place: Span) {
        let Node::Source(SourceStage { origin: Fetched::Path { dir, files }, name, .. }) =
            self.graph.node(source)
        else {
            return;
        };
        let Some(below) = below.and_then(|below| dir.join(below).ok()) else { return };
        if !self.directories.insert(below.clone()) || files.iter().any(|(path, _)| path.is_within(&below)) {
            return;
        }
        let report =
            Diagnostic::new(Code::MissingDirectory, format!("source `{name}` has nothing in `{below}`"))
                .label(place, "built from an empty directory");
        let known: BTreeSet<_> = files.iter().filter_map(|(path, _)| path.parent()).collect();
        let inside =
            |path: &str| path.strip_prefix(dir.as_str()).unwrap_or(path).trim_start_matches('/').to_owned();
        let known: Vec<_> =
            known.iter().map(|path| inside(path.as_str())).filter(|path| !path.is_empty()).collect();
        let help = match nearest(&inside(below.as_str()), known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the source has no directories: leave `dir` out".into(),
            None => format!(
                "write a directory of the source: {}",
                listed(known.iter().take(6).map(String::as_str), "or")
            ),
        };
        self.report_once(report.help(help));
    }

    fn module_stage(
        &mut self,
        name: &ModuleName,
        body: &ModuleBody,
        cell: &Cell<'_>,
        scope: &Scope<'_>,
        source: crate::ids::Name,
        dir: AbsPath,
    ) -> ModuleStage {
        let text = |template: &Template| scope.text(template);
        let build = match body.build.as_ref().map(|build| &build.value) {
            None => BuildCommand::Kbuild,
            Some(Build::Prebuilt) => BuildCommand::Prebuilt,
            Some(Build::Make { targets, variables }) => BuildCommand::Make {
                targets: targets.iter().map(text).collect(),
                variables: variables.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            },
            Some(Build::Steps(steps)) => BuildCommand::Steps(
                steps
                    .iter()
                    .map(|step| match step {
                        Step::Run(words) => StepCommand::Run(words.iter().map(text).collect()),
                        Step::Script(script) => StepCommand::Script(text(script)),
                    })
                    .collect(),
            ),
        };
        let outputs = match body.outputs.as_slice() {
            [] => vec![(format!("{name}.ko"), false)],
            outputs => outputs.iter().map(|output| (text(&output.glob), output.optional)).collect(),
        };
        let symvers =
            scope.built_dirs().filter_map(|dir| AbsPath::parse(&format!("{dir}/Module.symvers")).ok());
        ModuleStage {
            name: name.clone(),
            source,
            dir,
            kernel: cell.kernel.text.clone(),
            kernel_dir: cell.packages.kernel_dir.clone(),
            install: self.install(cell, self.packages(&body.packages, scope)),
            env: body.env.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            built: scope.built_names(),
            extra_symbols: symvers.collect(),
            compiler: cell.packages.compiler.clone(),
            build,
            outputs,
            requires_config: body.requires_config.clone(),
        }
    }

    /// A source's stage, and the name of it.
    fn source(
        &mut self,
        source: SourceId,
        cell: &Cell<'_>,
        image: &Image,
    ) -> Option<(NodeId, crate::ids::Name)> {
        let layers = self.inputs.model.sources.get(source.0)?;
        let view = cell.view(Some(image.layers.name.as_str()));
        let body = self.source_bodies.get(source, layers, |selector| selector.selects(&view));
        // The validator lets no source through that has no origin.
        let origin = body.origin.as_ref()?;
        let patches: Vec<_> = body
            .patches
            .iter()
            .filter_map(|patch| {
                let content = self.inputs.contexts.patch(&patch.file)?;
                Some(ContextPatch { file: patch.file.clone(), strip: patch.strip, content })
            })
            .collect();
        let (origin, stands_on_base) = match &origin.value {
            Origin::Path { dir, include, ignore } => {
                let files = self.inputs.contexts.tree(dir, include, ignore);
                (Fetched::Path { dir: dir.clone(), files }, !patches.is_empty())
            }
            Origin::Git { url, reference, submodules } => {
                let revision = self.revision(url, reference, origin.span);
                (Fetched::Git { url: url.clone(), revision, submodules: *submodules }, true)
            }
        };
        let inputs = if stands_on_base { vec![(self.fetch(cell), Edge::From)] } else { Vec::new() };
        let name = layers.name.clone();
        let node = Node::Source(SourceStage { name: name.clone(), origin, patches });
        Some((self.graph.intern(node, &inputs), name))
    }

    fn revision(&mut self, url: &crate::ids::GitUrl, reference: &GitReference, span: Span) -> Revision {
        let full = match reference {
            GitReference::Commit(commit) => return Revision::Commit(commit.clone()),
            named => named.full_name().unwrap_or_default(),
        };
        if let Some(commit) = self.inputs.lock.commit(url, &full) {
            return Revision::Commit(commit.clone());
        }
        if self.warned.insert(format!("{url} {full}")) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::UnpinnedSource,
                    format!("nothing says which commit `{full}` of this source is"),
                )
                .label(span, "may be another one in every build")
                .help("pin it in `drivers.lock`, or write `commit=` with the commit in full"),
            );
        }
        Revision::Unpinned(full)
    }

    /// The stage that fetches and patches, on the base image of the release.
    fn fetch(&mut self, cell: &Cell<'_>) -> NodeId {
        let base = self.base(cell);
        let install = self.install(cell, cell.platform.fetch.clone());
        self.graph.intern(Node::Fetch(install), &[(base, Edge::From)])
    }

    fn base(&mut self, cell: &Cell<'_>) -> NodeId {
        let image = cell.setup.base.as_ref().unwrap_or(&cell.platform.base);
        let image = self.pinned(image, cell.release_span);
        self.graph.intern(Node::Base(image), &[])
    }

    /// The kernel's stage: packages on the tools, or a Driver Toolkit.
    fn kernel(&mut self, cell: &Cell<'_>) -> NodeId {
        let driver_toolkit = cell.setup.builder == profile::Builder::Dtk;
        let (below, packages) = if driver_toolkit {
            let image = self.driver_toolkit(cell);
            (self.graph.intern(Node::Base(image), &[]), Vec::new())
        } else {
            let base = self.base(cell);
            let tools = self.install(cell, cell.platform.tools.clone());
            let tools = self.graph.intern(Node::Tools(tools), &[(base, Edge::From)]);
            (tools, self.kernel_packages(cell, &cell.packages.build))
        };
        let stage = KernelStage {
            install: self.kernel_install(cell, packages),
            kernel: cell.kernel.text.clone(),
            arch: cell.arch,
            kernel_dir: cell.packages.kernel_dir.clone(),
            driver_toolkit,
        };
        self.graph.intern(Node::Kernel(stage), &[(below, Edge::From)])
    }

    fn driver_toolkit(&mut self, cell: &Cell<'_>) -> ImageRef {
        match (cell.openshift, &cell.platform.dtk) {
            (Some(pin), _) => pin.driver_toolkit.clone(),
            (None, Some(image)) => self.pinned(image, cell.release_span),
            (None, None) => self.pinned(&cell.platform.base, cell.release_span),
        }
    }

    /// The exact versions that the lock has for the kernel's own packages, or the packages as they are.
    fn kernel_packages(&self, cell: &Cell<'_>, packages: &[PackageName]) -> Vec<PackageName> {
        let (os, release) = (&cell.profile.os, &cell.release.release);
        let pins = self.inputs.lock.packages(os, release, &cell.kernel.text, cell.arch);
        let pinned = |package: &PackageName| {
            let of_package = |pin: &&PackageName| {
                pin.as_str().strip_prefix(package.as_str()).is_some_and(|rest| rest.starts_with(['=', '-']))
            };
            pins.iter().find(of_package).unwrap_or(package).clone()
        };
        packages.iter().map(pinned).collect()
    }

    pub(super) fn kernel_install(&self, cell: &Cell<'_>, packages: Vec<PackageName>) -> PackageInstall {
        let mut install = self.install(cell, packages);
        if !install.packages.is_empty() {
            install.options.extend(cell.packages.repositories.iter().filter_map(enable));
            install.options.dedup();
        }
        install
    }

    /// The kernel's own modules, for where they are needed; a Driver Toolkit has them.
    pub(super) fn in_tree_install(&self, cell: &Cell<'_>) -> PackageInstall {
        let has_them = cell.setup.builder == profile::Builder::Dtk;
        let packages = if has_them { Vec::new() } else { self.kernel_packages(cell, &cell.packages.in_tree) };
        self.kernel_install(cell, packages)
    }

    /// An installation in the builder.
    fn install(&self, cell: &Cell<'_>, packages: Vec<PackageName>) -> PackageInstall {
        let mut options = Vec::new();
        if !packages.is_empty() {
            options.clone_from(&cell.platform.install_options);
            options.extend(cell.setup.enable.iter().filter_map(enable));
        }
        PackageInstall { manager: cell.profile.manager, options, packages }
    }

    /// Package names with their variables replaced.
    pub(super) fn packages(&self, templates: &[Template], scope: &Scope<'_>) -> Vec<PackageName> {
        let names = templates.iter().filter_map(|template| PackageName::parse(&scope.text(template)).ok());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The image by the digest that the lock has for it; as it is, with a warning, where it has none.
    fn pinned(&mut self, image: &ImageRef, span: Span) -> ImageRef {
        let digest = match image.digest() {
            Some(digest) => Some(digest.to_string()),
            None => self.inputs.lock.image(image).map(|pin| pin.digest.to_string()),
        };
        let pinned =
            digest.and_then(|digest| ImageRef::parse(&format!("{}@{digest}", image.repository())).ok());
        if pinned.is_none() {
            self.unpinned.entry(span).or_default().insert(image.clone());
        }
        pinned.unwrap_or_else(|| image.clone())
    }

    fn parse<T>(
        &mut self,
        text: &str,
        span: Span,
        kind: &str,
        parse: fn(&str) -> Result<T, crate::ids::Invalid>,
    ) -> Option<T> {
        let rule = match parse(text) {
            Ok(value) => return Some(value),
            Err(rule) => rule,
        };
        self.diagnostics.push(
            Diagnostic::new(Code::MalformedValue, format!("`{text}` is not a {kind}"))
                .label(span, "gives this")
                .help(format!("write {rule}")),
        );
        None
    }

    /// Adds a report that many targets would repeat.
    pub(super) fn report_once(&mut self, report: Diagnostic) {
        let place = report.labels.first().map(|label| label.span);
        if self.warned.insert(format!("{} {place:?}", report.code)) {
            self.diagnostics.push(report);
        }
    }

    pub(super) fn scope<'s>(&self, cell: &'s Cell<'_>) -> Scope<'s>
    where
        'a: 's,
    {
        Scope::new(&self.inputs.model.project, cell)
    }
}

/// The option that enables a repository; dnf, microdnf, tdnf and yum share it.
fn enable(id: &crate::ids::Name) -> Option<CommandOption> {
    CommandOption::parse(&format!("--enablerepo={id}")).ok()
}

/// One report for all images that could be another one tomorrow.
fn unpinned_images(unpinned: &BTreeMap<Span, BTreeSet<ImageRef>>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let all: BTreeSet<_> = unpinned.values().flatten().collect();
    if all.is_empty() {
        return diagnostics;
    }
    let message = match all.len() {
        1 => "a base image is not pinned to a digest".into(),
        n => format!("{n} base images are not pinned to a digest"),
    };
    let mut report = Diagnostic::new(Code::UnpinnedImage, message);
    for (span, images) in unpinned {
        let images = images.iter().filter_map(|image| image.as_str().rsplit('/').next());
        let images: Vec<_> = images.map(|image| format!("`{image}`")).collect();
        report = report.label(*span, images.join(", "));
    }
    diagnostics
        .push(report.help("pin each in `drivers.lock`, so that every build stands on the same images"));
    diagnostics
}
