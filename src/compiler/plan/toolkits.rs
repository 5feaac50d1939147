//! Toolkit images: from a cell to the stages of the image that its builder stands on.

use super::builder::Builder;
use super::cell::Cell;
use super::{Edge, Node, NodeId, OnBase, Toolkit, ToolkitBase, ToolkitStage};
use crate::compiler::model::{self, Template, Variable};
use crate::knowledge::profile::{Entitlement, Profile};
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{ImageRef, OsName, RelPath, Tag};
use crate::text::source::Spanned;

/// The directory of toolkits among the outputs: no image can have this name.
pub const TOOLKITS: &str = "_toolkit";

impl Builder<'_> {
    /// The id of the toolkit that a cell's targets stand on.
    pub(super) fn toolkit_id(&self, cell: &Cell<'_>) -> Option<RelPath> {
        let is_wanted = cell.setup.builder == crate::knowledge::profile::Builder::Toolkit;
        is_wanted.then(|| id(&kernels_own(cell))).flatten().filter(|id| self.toolkits.contains_key(id))
    }

    /// The last stage of the toolkit for a cell.
    pub(super) fn toolkit(&mut self, cell: &Cell<'_>) -> NodeId {
        // A manifest that asks for toolkits and has none was refused already.
        let Some(toolkit) = &self.inputs.model.toolkit else { return self.base(cell) };
        self.warn_public(toolkit, cell.profile);
        let named = cell.setup.base.as_ref().unwrap_or(&cell.platform.base).clone();
        let pinned = self.pinned(&named, cell, cell.release_span);
        let base = self.graph.intern(Node::ToolkitBase(ToolkitBase { named, pinned }), &[]);
        let scope = self.scope(cell);
        let (of_kernel, of_release): (Vec<_>, Vec<_>) =
            toolkit.packages.iter().cloned().partition(names_the_kernel);
        let mut tools = cell.platform.toolkit();
        tools.extend(self.packages(&of_release, &scope));
        let mut kernel = self.kernel_packages(cell, &cell.packages.build);
        kernel.extend(self.kernel_packages(cell, &cell.packages.toolkit));
        kernel.extend(self.packages(&of_kernel, &scope));
        let tag = toolkit.tag.as_ref().map(|tag| Spanned::new(scope.text(&tag.value), tag.span));
        let tools = OnBase { repositories: self.repositories(cell), install: self.install(cell, tools) };
        let tools = self.graph.intern(Node::Tools(tools), &[(base, Edge::From)]);
        let mut in_tree = self.kernel_packages(cell, &cell.packages.in_tree);
        in_tree.extend(self.kernel_packages(cell, &cell.packages.toolkit_modules));
        let (kernel_version, realtime) = kernel_names(cell);
        let stage = ToolkitStage {
            repository: toolkit.repository.clone(),
            install: self.kernel_install(cell, kernel),
            in_tree: self.kernel_install(cell, in_tree),
            kernel: cell.kernel.text.clone(),
            kernel_dir: cell.packages.kernel_dir.clone(),
            compiler: cell.packages.compiler.as_ref().map(|compiler| compiler.command.clone()),
            kernel_version,
            rt_kernel_version: realtime.unwrap_or_default(),
            rhel_version: cell.el.clone().unwrap_or_default(),
            labels: labels(toolkit, cell),
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

/// The kernel without its flavour, as rpm has it, and the whole of it where it is a real-time kernel.
fn kernel_names(cell: &Cell<'_>) -> (String, Option<String>) {
    let (text, flavor) = (cell.kernel.text.as_str(), cell.kernel.flavor.as_str());
    let bare = text.strip_suffix(flavor).and_then(|bare| bare.strip_suffix('+')).unwrap_or(text);
    let realtime = flavor.split('-').any(|part| part == "rt");
    (bare.to_owned(), realtime.then(|| text.to_owned()))
}

/// As the Driver Toolkit has them, but for those that are OpenShift's own.
fn labels(toolkit: &model::Toolkit, cell: &Cell<'_>) -> Vec<(String, String)> {
    let (kernel, realtime) = kernel_names(cell);
    let base = cell.setup.base.as_ref().unwrap_or(&cell.platform.base);
    let description = "what building kernel modules for one kernel needs";
    let labels = [
        ("io.k8s.description", Some(description.to_owned())),
        ("kernel-rt-version", realtime),
        ("kernel-version", Some(kernel)),
        ("name", Some(toolkit.name.to_string())),
        ("org.opencontainers.image.base.name", Some(base.to_string())),
        ("org.opencontainers.image.title", Some(toolkit.name.to_string())),
    ];
    labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
