//! Toolkit images: from a cell to the stages of the image that its builder stands on.

use super::builder::Builder;
use super::cell::Cell;
use super::{Edge, Node, NodeId, OnBase, Toolkit, ToolkitBase, ToolkitStage};
use crate::compiler::model::{self, Template, Variable};
use crate::knowledge::profile::{Entitlement, KernelPackages, Profile};
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Flavor, ImageRef, OsName, RelPath, Tag};
use crate::text::source::Spanned;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The directory of toolkits among the outputs: no image can have this name.
pub const TOOLKITS: &str = "_toolkit";

impl Builder<'_> {
    /// The id of the toolkit that a cell's targets stand on.
    pub(super) fn toolkit_id(&self, cell: &Cell<'_>) -> Option<RelPath> {
        let is_wanted = cell.setup.builder == crate::knowledge::profile::Builder::Toolkit;
        let toolkit = self.inputs.model.toolkit.as_ref().filter(|_| is_wanted)?;
        id(&kernels_own(held(toolkit, cell).first()?)).filter(|id| self.toolkits.contains_key(id))
    }

    /// The last stage of the toolkit for a cell.
    pub(super) fn toolkit(&mut self, cell: &Cell<'_>) -> NodeId {
        // A manifest that asks for toolkits and has none was refused already.
        let Some(toolkit) = &self.inputs.model.toolkit else { return self.base(cell) };
        self.warn_public(toolkit, cell.profile);
        let held = held(toolkit, cell);
        let cell = held.first().unwrap_or(cell);
        let named = cell.setup.base.as_ref().unwrap_or(&cell.platform.base).clone();
        let pinned = self.pinned(&named, cell, cell.release_span);
        let base = self.graph.intern(Node::ToolkitBase(ToolkitBase { named, pinned }), &[]);
        let scope = self.scope(cell);
        let (of_kernel, of_release): (Vec<_>, Vec<_>) =
            toolkit.packages.iter().cloned().partition(names_the_kernel);
        let mut tools = cell.platform.toolkit();
        tools.extend(self.packages(&of_release, &scope));
        let tag = toolkit.tag.as_ref().map(|tag| Spanned::new(scope.text(&tag.value), tag.span));
        let tools = OnBase { repositories: self.repositories(cell), install: self.install(cell, tools) };
        let tools = self.graph.intern(Node::Tools(tools), &[(base, Edge::From)]);
        let (mut kernel, mut in_tree) = (Vec::new(), Vec::new());
        for one in &held {
            let packages = &one.packages;
            kernel.extend(self.kernel_packages(one, &packages.build));
            kernel.extend(self.kernel_packages(one, &packages.toolkit));
            in_tree.extend(self.kernel_packages(one, &packages.in_tree));
            in_tree.extend(self.kernel_packages(one, &packages.toolkit_modules));
        }
        kernel.extend(self.packages(&of_kernel, &scope));
        let stage = ToolkitStage {
            repository: toolkit.repository.clone(),
            install: self.kernel_install(cell, unique(kernel)),
            in_tree: self.kernel_install(cell, unique(in_tree)),
            kernel: cell.kernel.text.clone(),
            kernel_dir: cell.packages.kernel_dir.clone(),
            beside: held.iter().skip(1).map(|one| one.packages.kernel_dir.clone()).collect(),
            compiler: cell.packages.compiler.as_ref().map(|compiler| compiler.command.clone()),
            kernel_version: without_flavor(cell),
            rt_kernel_version: realtime(&held).unwrap_or_default(),
            rhel_version: cell.el.clone().unwrap_or_default(),
            labels: labels(toolkit, &held),
        };
        if let Err(rule) = stage.reference("0123456789abcdef") {
            self.report_once(
                Diagnostic::new(
                    Code::MalformedReference,
                    "the toolkit of this kernel would have no valid tag",
                )
                .label(cell.span, "the tag is this, `-` and 16 digits")
                .help(format!("a tag is {rule}")),
            );
        }
        let root = self.graph.intern(Node::Toolkit(Box::new(stage)), &[(tools, Edge::From)]);
        let tag = tag.and_then(|tag| self.toolkit_tag(toolkit, &tag));
        self.register(cell, root, tag);
        root
    }

    /// Notes the toolkit by its id, under which there can be one only.
    fn register(&mut self, cell: &Cell<'_>, root: NodeId, tag: Option<ImageRef>) {
        let at = kernels_own(cell);
        let Some(id) = id(&at) else {
            self.report_once(
                Diagnostic::new(Code::PathTooLong, "the paths of this toolkit's outputs would be too long")
                    .label(cell.span, "this kernel is part of them")
                    .help("use another builder for it"),
            );
            return;
        };
        let toolkit = Toolkit { id: id.clone(), at, tag: tag.clone(), root, span: cell.release_span };
        let same = |other: &&Toolkit| tag.is_some() && other.tag == tag && other.id != id;
        if let Some(other) = self.toolkits.values().find(same) {
            let name = tag.as_ref().map(ToString::to_string).unwrap_or_default();
            let report = Diagnostic::new(
                Code::SharedTag,
                format!("two toolkits would be pushed as `{name}`"),
            )
            .label(other.span, "one of them")
            .label(cell.release_span, "the other")
            .help(
                "put what tells them apart into the toolkit's `tag`, such as `{kernel}`, `{os}` and `{arch}`",
            );
            self.report_once(report);
        }
        let first = self.toolkits.entry(id).or_insert(toolkit);
        if first.root != root {
            let report = Diagnostic::new(
                Code::MergedCellsDiffer,
                format!("two releases that run kernel `{}` need different toolkits of it", cell.kernel.text),
            )
            .label(first.span, "one of them")
            .label(cell.release_span, "the other")
            .help("give both the same `base`, `entitlement` and `repository`");
            self.report_once(report);
        }
    }

    /// The name that the user's tag makes for a cell.
    fn toolkit_tag(&mut self, toolkit: &model::Toolkit, tag: &Spanned<String>) -> Option<ImageRef> {
        let text = tag.value.replace(['+', '~'], "_");
        let parsed =
            Tag::parse(&text).and_then(|tag| ImageRef::parse(&format!("{}:{tag}", toolkit.repository)));
        parsed
            .map_err(|rule| {
                let report = Diagnostic::new(Code::MalformedReference, format!("`{text}` is not a tag"));
                self.report_once(report.label(tag.span, "gives this").help(format!("a tag is {rule}")));
            })
            .ok()
    }

    /// Subscribed content must not be handed to everybody.
    fn warn_public(&mut self, toolkit: &model::Toolkit, profile: &Profile) {
        let subscribed = profile.entitlements.first().is_some_and(|first| *first != Entitlement::None);
        if !subscribed || !toolkit.is_public {
            return;
        }
        let repository = &toolkit.repository;
        let family = profile.kernels_of.as_ref().unwrap_or(&profile.os);
        self.report_once(
            Diagnostic::new(
                Code::PublicToolkit,
                format!("toolkits with subscribed packages of `{family}` go to a public registry"),
            )
            .label(
                toolkit.repository_span,
                format!("everybody can pull `{repository}`, unless it is private"),
            )
            .help(
                "make it private and say so with `private=#true`, or keep toolkits in a registry of your own",
            ),
        );
    }
}

/// Whether a package's name is another for each kernel.
fn names_the_kernel(package: &Template) -> bool {
    package.variables().any(|(variable, _)| matches!(variable, Variable::Kernel | Variable::Flavor))
}

fn family<'c>(cell: &'c Cell<'_>) -> &'c OsName {
    cell.profile.kernels_of.as_ref().unwrap_or(&cell.profile.os)
}

/// The cell as a point of the distribution that its kernels are of: one toolkit serves all that run them.
fn kernels_own(cell: &Cell<'_>) -> Coordinates {
    let (os, release) = (family(cell).clone(), cell.platform.release.clone());
    Coordinates { os, release, ..cell.coordinates() }
}

fn id(at: &Coordinates) -> Option<RelPath> {
    let id = RelPath::parse(&format!("{TOOLKITS}/{at}")).ok()?;
    id.join("Dockerfile.dockerignore").is_ok().then_some(id)
}

/// The cells whose kernels one toolkit image holds: the cell alone, or the kernel without a flavour, which names the image,
/// and those of the flavours that the manifest names, whichever of them the cell is.
fn held<'a>(toolkit: &model::Toolkit, cell: &Cell<'a>) -> Vec<Cell<'a>> {
    let other = |flavor: Option<&Flavor>| {
        let stream = cell.setup.stream.as_deref();
        let kernel = cell.profile.in_flavor(&cell.kernel, flavor, &cell.release)?;
        let packages = cell.profile.packages_of_stream(&kernel, &cell.release, cell.arch, stream).ok()?;
        Some(Cell { kernel, packages: Arc::new(packages), ..cell.clone() })
    };
    let is_listed = toolkit.flavors.contains(&cell.kernel.flavor);
    let shared = (!toolkit.flavors.is_empty()).then(|| other(None)).flatten();
    let Some(mut plain) = shared.filter(|plain| is_listed || plain.kernel == cell.kernel) else {
        return vec![cell.clone()];
    };
    let others: Vec<_> = toolkit.flavors.iter().filter_map(|flavor| other(Some(flavor))).collect();
    let mut packages = KernelPackages::clone(&plain.packages);
    packages.repositories.extend(others.iter().flat_map(|other| other.packages.repositories.clone()));
    packages.repositories = unique(packages.repositories);
    plain.packages = Arc::new(packages);
    std::iter::once(plain).chain(others).collect()
}

/// Each once, in the order of their first places.
fn unique<T: Ord + Clone>(all: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}

/// The kernel without its flavour, as rpm has it.
fn without_flavor(cell: &Cell<'_>) -> String {
    let (text, flavor) = (cell.kernel.text.as_str(), cell.kernel.flavor.as_str());
    text.strip_suffix(flavor).and_then(|bare| bare.strip_suffix('+')).unwrap_or(text).to_owned()
}

/// The real-time kernel among those of a toolkit.
fn realtime(held: &[Cell<'_>]) -> Option<String> {
    let is_realtime = |cell: &&Cell<'_>| cell.kernel.flavor.as_str().split('-').any(|part| part == "rt");
    held.iter().find(is_realtime).map(|cell| cell.kernel.text.to_string())
}

/// As the Driver Toolkit has them, but for those that are OpenShift's own.
fn labels(toolkit: &model::Toolkit, held: &[Cell<'_>]) -> Vec<(String, String)> {
    let Some(cell) = held.first() else { return Vec::new() };
    let base = cell.setup.base.as_ref().unwrap_or(&cell.platform.base);
    let description = "what building kernel modules for one kernel needs";
    let labels = [
        ("io.k8s.description", Some(description.to_owned())),
        ("kernel-rt-version", realtime(held)),
        ("kernel-version", Some(without_flavor(cell))),
        ("name", Some(toolkit.name.to_string())),
        ("org.opencontainers.image.base.name", Some(base.to_string())),
        ("org.opencontainers.image.title", Some(toolkit.name.to_string())),
    ];
    labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
