//! From groups of cells to targets.

use super::builder::Builder;
use super::cell::Cell;
use super::earlier::Earlier;
use super::groups::Group;
use super::{Modprobe, NodeId};
use crate::compiler::model::ImageBody;
use crate::compiler::model::selector::View;
use crate::knowledge::profile::{self, VersionOrder};
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{ImageRef, Name, OsName, RelPath, Release};
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
    /// What it is built for: of several releases with one build the lowest.
    pub at: Coordinates,
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
            os: self.at.os.as_str(),
            family: self.family.as_str(),
            release: self.at.release.as_str(),
            el: self.el.as_deref(),
            kernel: self.at.kernel.as_str(),
            arch: self.at.arch.name(),
            flavor: self.at.flavor.as_str(),
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
    let at = cell.coordinates();
    let path = format!("{image}/{at}");
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
        at,
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
            // Two of one id have one name, which is reported where it is given twice.
            if differ_only_in_arch(owner, target) || owner.id == target.id {
                continue;
            }
            let add = ["{os}", "{release}", "{kernel}", "{image}"];
            let parts = [
                owner.at.os != target.at.os,
                owner.at.release != target.at.release,
                owner.at.kernel != target.at.kernel,
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
    let bare =
        |at: &Coordinates| at.kernel.as_str().replace(at.arch.name(), "").replace(at.arch.debian(), "");
    let one_image = (&a.image, &a.at.os, &a.at.release) == (&b.image, &b.at.os, &b.at.release);
    a.at.arch != b.at.arch && one_image && bare(&a.at) == bare(&b.at)
}
