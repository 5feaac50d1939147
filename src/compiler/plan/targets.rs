//! From groups of cells to targets.

use super::builder::Builder;
use super::cell::Cell;
use super::earlier::Earlier;
use super::groups::Group;
use super::{Modprobe, NodeId};
use crate::compiler::model::ImageBody;
use crate::compiler::model::selector::View;
use crate::knowledge::profile::{self, VersionOrder};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{Arch, Flavor, ImageRef, KernelText, Name, OsName, RelPath, Release};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// The longest name of a file in a target's directory.
const LONGEST_NAME: &str = "Dockerfile.dockerignore";

/// One image for one kernel: one Dockerfile.
#[derive(Clone, Debug)]
pub struct Target {
    /// `image/os-release-arch/kernel`, the directory of its outputs.
    pub id: RelPath,
    /// The image's name.
    pub image: Name,
    /// The distribution that its builder is of.
    pub os: OsName,
    /// The release: the lowest where several are merged.
    pub release: Release,
    /// The architecture.
    pub arch: Arch,
    pub kernel: KernelText,
    /// The kernel's flavour.
    pub flavor: Flavor,
    /// Where the builder comes from.
    pub builder: profile::Builder,
    /// Whether its builder installs from repositories that only subscribers reach.
    pub subscribed: bool,
    /// Other releases that this target is for too.
    pub merged: Vec<Other>,
    /// The references it is to be pushed as.
    pub tags: Vec<ImageRef>,
    /// The image that the lock says stands in the registry for its first reference.
    pub pinned: Option<ImageRef>,
    /// How its modules are configured and ordered.
    pub modprobe: Modprobe,
    /// The id of the toolkit that it stands on.
    pub toolkit: Option<RelPath>,
    /// Its image in the graph.
    pub root: NodeId,
    /// The same with modules that are compiled in any case: the same node, where no earlier kernel's are tried.
    pub compiled: NodeId,
    /// What is not known for certain of its kernel and release.
    pub unverified: Vec<String>,
    /// Where its kernel was named.
    pub span: Span,
    /// The family of its distribution, for selectors.
    family: OsName,
    /// The kernel's EL minor, where it has one, for selectors.
    el: Option<String>,
    /// How its distribution orders versions.
    pub order: VersionOrder,
    /// Which earlier kernel's modules are tried on it, where its image has `reuse`.
    pub earlier: Option<Earlier>,
}

impl Target {
    /// What selectors see of it.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View {
            os: self.os.as_str(),
            family: self.family.as_str(),
            release: self.release.as_str(),
            el: self.el.as_deref(),
            kernel: self.kernel.as_str(),
            arch: self.arch.name(),
            flavor: self.flavor.as_str(),
            image: Some(self.image.as_str()),
            order: self.order,
        }
    }
}

/// A release that was merged into a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The distribution.
    pub os: OsName,
    pub release: Release,
}

/// The target of a group.
pub(super) fn target(
    builder: &Builder<'_>,
    group: &Group<'_>,
    cell: &Cell<'_>,
    body: &ImageBody,
    root: NodeId,
) -> Result<Target, Diagnostic> {
    let image = &group.image.layers.name;
    let (os, release) = (&cell.profile.os, &cell.release.release);
    let path = format!("{image}/{os}-{release}-{}/{}", cell.arch, cell.kernel.text);
    let id = RelPath::parse(&path).ok().filter(|id| id.join(LONGEST_NAME).is_ok());
    let id = id.ok_or_else(|| {
        let length = path.len() + 1 + LONGEST_NAME.len();
        let problem =
            format!("the paths of this target's outputs would have {length} bytes: 200 are the most");
        Diagnostic::new(Code::PathTooLong, problem)
            .label(group.image.layers.span, "this name is part of them")
            .label(cell.span, "and so is this kernel")
            .help("shorten the image's name")
    })?;
    let mut tags = Vec::new();
    for cell in &group.cells {
        let tag = builder.reference(group.image, body, cell)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let merged = group.cells.iter().skip(1);
    let merged =
        merged.map(|cell| Other { os: cell.profile.os.clone(), release: cell.release.release.clone() });
    Ok(Target {
        id,
        image: image.clone(),
        os: os.clone(),
        release: release.clone(),
        arch: cell.arch,
        kernel: cell.kernel.text.clone(),
        flavor: cell.kernel.flavor.clone(),
        builder: cell.setup.builder,
        subscribed: cell.setup.builder == profile::Builder::Distro
            && cell.setup.base.is_none()
            && cell.profile.entitlements.first().is_some_and(|first| *first != profile::Entitlement::None),
        merged: merged.collect(),
        pinned: builder.pinned_reference(&tags),
        modprobe: builder.modprobe(group.image, body, cell),
        tags,
        toolkit: builder.toolkit_id(cell),
        root,
        compiled: root,
        unverified: cell.doubts.clone(),
        span: cell.span,
        family: cell.profile.family.clone(),
        el: cell.el.clone(),
        order: cell.profile.order,
        earlier: None,
    })
}

/// One tag must be one image; several architectures of one image may share it and become one index.
pub(super) fn refuse_shared_tags(targets: &[Target], diagnostics: &mut Diagnostics) {
    let mut owners: BTreeMap<&ImageRef, &Target> = BTreeMap::new();
    for target in targets {
        for tag in &target.tags {
            let Some(owner) = owners.get(tag) else {
                owners.insert(tag, target);
                continue;
            };
            if differ_only_in_arch(owner, target) {
                continue;
            }
            let add = ["{os}", "{release}", "{kernel}", "{image}"];
            let parts = [
                owner.os != target.os,
                owner.release != target.release,
                owner.kernel != target.kernel,
                owner.image != target.image,
            ];
            let parts: Vec<_> =
                add.iter().zip(parts).filter(|(_, differs)| *differs).map(|(part, _)| *part).collect();
            diagnostics.push(
                Diagnostic::new(Code::SharedTag, format!("two targets would be pushed as `{tag}`"))
                    .label(target.span, format!("`{}`", target.id))
                    .label(owner.span, format!("`{}`", owner.id))
                    .help(format!(
                        "put what tells them apart into the image's `tag`, such as `tag \"{}\"`",
                        parts.join("-")
                    )),
            );
        }
    }
}

fn differ_only_in_arch(a: &Target, b: &Target) -> bool {
    let bare = |target: &Target| {
        target.kernel.as_str().replace(target.arch.name(), "").replace(target.arch.debian(), "")
    };
    a.arch != b.arch && a.image == b.image && a.os == b.os && a.release == b.release && bare(a) == bare(b)
}
