//! The stage that has what building for a kernel needs: packages on the tools, or an image that has them.

use super::builder::Builder;
use super::cell::Cell;
use super::{Edge, KernelStage, Node, NodeId, OnBase, PackageInstall};
use crate::knowledge::profile;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::ImageRef;

impl Builder<'_> {
    /// The kernel's stage: packages on the tools, or an image that has them.
    pub(super) fn kernel(&mut self, cell: &Cell<'_>) -> NodeId {
        if let Some(known) = self.kernels.get(&cell.id) {
            return *known;
        }
        let mut repositories = Vec::new();
        let (below, packages) = match cell.setup.builder {
            profile::Builder::Dtk => {
                repositories = self.repositories(cell);
                let image = self.driver_toolkit(cell);
                ((self.graph.intern(Node::Base(image), &[]), Edge::From), Vec::new())
            }
            profile::Builder::Toolkit => ((self.toolkit(cell), Edge::Toolkit), Vec::new()),
            profile::Builder::Distro => {
                let base = self.base(cell);
                let install = self.install(cell, cell.platform.tools.clone());
                let tools = OnBase { repositories: self.repositories(cell), install };
                let tools = self.graph.intern(Node::Tools(tools), &[(base, Edge::From)]);
                ((tools, Edge::From), self.kernel_packages(cell, &cell.packages.build))
            }
        };
        let stage = KernelStage {
            install: self.kernel_install(cell, packages),
            kernel: cell.kernel.text.clone(),
            arch: cell.arch,
            kernel_dir: cell.packages.kernel_dir.clone(),
            driver_toolkit: cell.setup.builder == profile::Builder::Dtk,
            repositories,
        };
        let node = self.graph.intern(Node::Kernel(stage), &[below]);
        self.kernels.insert(cell.id, node);
        node
    }

    pub(super) fn driver_toolkit(&mut self, cell: &Cell<'_>) -> ImageRef {
        let named = cell.setup.base.as_ref();
        match (named, cell.openshift, &cell.platform.dtk) {
            (None, Some(pin), _) => pin.driver_toolkit.clone(),
            (Some(image), ..) | (None, None, Some(image)) => self.pinned(image, cell, cell.release_span),
            (None, None, None) => {
                let (title, release) = (&cell.profile.title, &cell.release.release);
                let problem =
                    format!("drvc knows no Driver Toolkit image of {title} {release} for this kernel");
                self.report_once(
                    Diagnostic::new(Code::UnavailableBuilder, problem)
                        .label(cell.release_span, "of this release")
                        .label(cell.span, "for this kernel")
                        .help("name the image with `base`, leave out `kernel` so that `drvc lock` takes it from the release, or use `builder \"toolkit\"`"),
                );
                cell.platform.base.clone()
            }
        }
    }

    /// The kernel's own modules, for where they are needed; toolkits have them.
    pub(super) fn in_tree_install(&mut self, cell: &Cell<'_>) -> PackageInstall {
        let packages = match cell.setup.builder {
            profile::Builder::Distro => self.kernel_packages(cell, &cell.packages.in_tree),
            profile::Builder::Dtk | profile::Builder::Toolkit => Vec::new(),
        };
        self.kernel_install(cell, packages)
    }
}
