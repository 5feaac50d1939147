//! A source's stage: fetched by its pin and patched, on the base image of the release.

use super::cell::Cell;
use super::nodes::Builder;
use super::{ContextPatch, Edge, Fetched, Node, NodeId, Revision, SourceStage};
use crate::diag::{Code, Diagnostic};
use crate::model::{GitReference, Image, Origin, SourceId};
use crate::source::Span;

impl Builder<'_> {
    /// A source's stage, and the name of it.
    pub(super) fn source(
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

    pub(super) fn revision(
        &mut self,
        url: &crate::ids::GitUrl,
        reference: &GitReference,
        span: Span,
    ) -> Revision {
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
}
