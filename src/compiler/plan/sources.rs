//! A source's stage: fetched by its pin and patched, on the base image of the release.

use super::builder::Builder;
use super::cell::Cell;
use super::{ContextPatch, Edge, Fetched, Node, NodeId, Revision, SourceStage};
use crate::compiler::model::{Download, GitReference, Image, Origin, SourceId};
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{FileUrl, PackageName, Sha256};
use crate::text::source::Span;

/// What fetches the files that Git LFS holds: every distribution has it under this name.
const GIT_LFS: &str = "git-lfs";

impl Builder<'_> {
    /// A source's stage, and the name of it.
    pub(super) fn source(
        &mut self,
        source: SourceId,
        cell: &Cell<'_>,
        image: &Image,
    ) -> Option<(NodeId, crate::text::ids::Name)> {
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
        let mut packages = Vec::new();
        let mut inputs = Vec::new();
        let origin = match &origin.value {
            Origin::Path { dir, include, ignore } => {
                if !patches.is_empty() {
                    inputs.push((self.fetch(cell), Edge::From));
                }
                let tree = self.inputs.contexts.tree(source, dir, include, ignore)?;
                Fetched::Path { dir: dir.clone(), tree }
            }
            Origin::Git { url, reference, submodules, lfs, login } => {
                if url.is_ssh() {
                    packages.clone_from(&cell.platform.ssh);
                }
                if *lfs == Some(true) {
                    packages.extend(PackageName::parse(GIT_LFS));
                }
                inputs.push((self.fetch(cell), Edge::From));
                let revision = self.revision(url, reference, origin.span);
                let (url, login) = (url.clone(), login.clone());
                Fetched::Git { url, revision, submodules: *submodules, lfs: *lfs, login }
            }
            Origin::Download { kind, url: template, sha256, login } => {
                inputs.push((self.download(cell), Edge::From));
                if *kind == Download::Srpm {
                    packages.clone_from(&cell.platform.srpm);
                }
                let url = self.scope(cell).text(template);
                let url = self.parse(&url, template.span, "URL", FileUrl::parse)?;
                let file = self.file_name(url.as_str(), template.span)?;
                let sha256 = sha256.clone().or_else(|| self.checksum(&url, template.span));
                Fetched::Download { kind: *kind, url, sha256, file, login: login.clone() }
            }
            Origin::Image { reference, dir } => {
                if !patches.is_empty() {
                    inputs.push((self.fetch(cell), Edge::From));
                }
                let (image, node) = self.other_image(reference, image, cell)?;
                inputs.push((node, Edge::Files));
                Fetched::Image { image, dir: dir.clone() }
            }
        };
        let install = self.install(cell, packages);
        let name = layers.name.clone();
        let node = Node::Source(SourceStage { name: name.clone(), origin, patches, install });
        Some((self.graph.intern(node, &inputs), name))
    }

    /// The checksum that the lock has for a file.
    fn checksum(&mut self, url: &FileUrl, span: Span) -> Option<Sha256> {
        let known = self.inputs.lock.archive(url).cloned();
        if known.is_none() && self.warned.insert(url.to_string()) {
            self.diagnostics.push(
                Diagnostic::new(Code::UnpinnedSource, format!("nothing says what `{url}` holds"))
                    .label(span, "may be another file in every build")
                    .help("run `drvc lock`, or write `sha256=` with its checksum"),
            );
        }
        known
    }

    pub(super) fn revision(
        &mut self,
        url: &crate::text::ids::GitUrl,
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
                .help("run `drvc lock`, or write `commit=` with the commit in full"),
            );
        }
        Revision::Unpinned(full)
    }
}
