//! A target's stages -> what its build is made of, as its Dockerfile pins it: images, sources, patches, packages.

use crate::compiler::compile::Compiled;
use crate::compiler::plan::{Edge, Fetched, Node, Revision, SourceStage, Target};
use crate::text::ids::ImageRef;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Something that a build is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    pub kind: MaterialKind,
    pub name: String,
    /// Where it is, as a URI; nothing for a file that lies beside the manifest.
    pub uri: Option<String>,
    /// The kind of a digest, by in-toto's name, and the digest.
    pub digest: Option<(&'static str, String)>,
    /// The version, where it has one.
    pub version: Option<String>,
}

/// What something is to a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaterialKind {
    /// The image that the finished one is built on.
    Base,
    /// An image that stages of the build are on.
    BuildBase,
    /// A source of modules, firmware or files.
    Source,
    /// A patch of the source of this number among the sources.
    Patch(usize),
}

/// What a target's build is made of, each once, in the order of its stages.
#[must_use]
pub fn materials(compiled: &Compiled, target: &Target) -> Vec<Material> {
    let graph = &compiled.plan.graph;
    let runtime: BTreeSet<_> = graph
        .inputs(target.root)
        .iter()
        .filter(|(_, edge)| *edge == Edge::Runtime)
        .map(|(id, _)| *id)
        .collect();
    let mut found = Vec::new();
    let mut sources = 0;
    for id in graph.ancestry(target.root) {
        match graph.node(id) {
            Node::Base(image) if runtime.contains(&id) => found.push(base(image, MaterialKind::Base)),
            Node::Base(image) => found.push(base(image, MaterialKind::BuildBase)),
            Node::ToolkitBase(image) => found.push(base(&image.pinned, MaterialKind::BuildBase)),
            Node::Source(stage) => {
                found.push(source(stage));
                found.extend(stage.patches.iter().map(|patch| Material {
                    kind: MaterialKind::Patch(sources),
                    name: patch.file.to_string(),
                    uri: None,
                    digest: Some(("blake3", hex(&patch.content.digest))),
                    version: None,
                }));
                sources += 1;
            }
            _ => {}
        }
    }
    found
}

fn base(image: &ImageRef, kind: MaterialKind) -> Material {
    Material {
        kind,
        name: image.repository().to_owned(),
        uri: Some(image_purl(image, None)),
        digest: image.digest().map(sha256),
        version: image.digest().or(image.tag()).map(ToOwned::to_owned),
    }
}

fn source(stage: &SourceStage) -> Material {
    let mut material = Material {
        kind: MaterialKind::Source,
        name: stage.name.to_string(),
        uri: None,
        digest: None,
        version: None,
    };
    match &stage.origin {
        Fetched::Git { url, revision, .. } => {
            let (revision, pinned) = match revision {
                Revision::Commit(commit) => (commit.as_str(), true),
                Revision::Unpinned(reference) => (reference.as_str(), false),
            };
            let url = url.as_str();
            let scheme = if url.starts_with("git:") { "" } else { "git+" };
            material.uri = Some(format!("{scheme}{url}@{revision}"));
            material.digest = pinned.then(|| ("gitCommit", revision.to_owned()));
            material.version = Some(revision.to_owned());
        }
        Fetched::Path { tree, .. } => material.digest = Some(("blake3", hex(tree.files.digest()))),
        Fetched::Download { url, sha256, .. } => {
            material.uri = Some(url.to_string());
            material.digest = sha256.as_ref().map(|sum| ("sha256", sum.to_string()));
        }
        Fetched::Image { image, .. } => {
            material.uri = Some(image_purl(image, None));
            material.digest = image.digest().map(sha256);
            material.version = image.digest().or(image.tag()).map(ToOwned::to_owned);
        }
    }
    material
}

fn sha256(digest: &str) -> (&'static str, String) {
    ("sha256", digest.trim_start_matches("sha256:").to_owned())
}

/// The package URL of an image, whose digest is that of the reference or this one.
#[must_use]
pub fn image_purl(image: &ImageRef, digest: Option<&str>) -> String {
    let repository = image.repository();
    let name = repository.rsplit('/').next().unwrap_or(repository).to_ascii_lowercase();
    let digest = digest.or(image.digest()).map(|digest| format!("@{}", escaped(digest))).unwrap_or_default();
    let tag = image.tag().map(|tag| format!("&tag={}", escaped(tag))).unwrap_or_default();
    format!("pkg:oci/{name}{digest}?repository_url={}{tag}", escaped(repository))
}

/// A text as a part of a package URL.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => drop(write!(text, "%{byte:02X}")),
        }
        text
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
