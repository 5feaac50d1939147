//! Mirrors that nothing in a plan is found in. Which repositories an image knows is not known before it is built.

use super::{Fetched, Graph, Node};
use crate::compiler::model::{Mirror, MirrorRule};
use crate::language::syntax::ast::MirrorKind;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::mirrors::Mirrors;
use crate::text::source::FileId;

/// A warning for each unused mirror of `manifest`; those of a file that it includes are for others too.
pub(in crate::compiler) fn unused(
    mirror: &Mirror,
    mirrors: &Mirrors,
    graph: &Graph,
    manifest: Option<FileId>,
) -> Diagnostics {
    let used: Vec<_> = graph.ids().flat_map(|id| used_by(graph.node(id), mirrors)).collect();
    let submodules = graph.ids().any(|id| match graph.node(id) {
        Node::Source(source) => matches!(source.origin, Fetched::Git { submodules: true, .. }),
        _ => false,
    });
    let mut found = Diagnostics::default();
    for MirrorRule { kind, from, .. } in &mirror.rules {
        let what = match kind {
            MirrorKind::Images => "no image of these builds",
            MirrorKind::Git if !submodules => "no git repository of a source",
            MirrorKind::Files => "no file that a source downloads",
            MirrorKind::Git | MirrorKind::Packages => continue,
        };
        if Some(from.span.file) == manifest && !used.contains(&(*kind, from.value.as_str())) {
            found.push(
                Diagnostic::new(Code::UnusedMirror, format!("the mirror of `{}` is never used", from.value))
                    .label(from.span, format!("{what} begins with this"))
                    .help("correct it or take it out; a mirror that other manifests use can go in a file that they all include"),
            );
        }
    }
    found
}

fn used_by<'m>(node: &Node, mirrors: &'m Mirrors) -> Option<(MirrorKind, &'m str)> {
    let image = |name: &str, by_digest| {
        Some((MirrorKind::Images, mirrors.of_image(name, by_digest)?.prefix.as_str()))
    };
    let of = |kind, found: Option<&'m (String, String)>| Some((kind, found?.0.as_str()));
    match node {
        Node::Base(base) => image(base.as_str(), base.digest().is_some()),
        Node::ToolkitBase(base) => image(base.pinned.as_str(), base.pinned.digest().is_some()),
        Node::Source(source) => match &source.origin {
            Fetched::Git { url, .. } => of(MirrorKind::Git, mirrors.git.of(url.as_str())),
            Fetched::Download { url, .. } => of(MirrorKind::Files, mirrors.files.of(url.as_str())),
            Fetched::Image { .. } | Fetched::Path { .. } => None,
        },
        _ => None,
    }
}
