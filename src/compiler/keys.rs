//! Fingerprints: from stages to keys. One recipe says what goes in; the hash and `why` both read it.
//!
//! A node's fingerprint is BLAKE3 over its kind, its instructions (without comments and wrapping), its context
//! files (path, executable or a link, digest) and the fingerprints of what it uses. A target's key is the fingerprint
//! of its image. Each field is tagged and length-prefixed, so no two recipes are the same bytes.

use crate::compiler::inputs::Files;
use crate::compiler::plan::{Edge, Graph, Node, NodeId};
use crate::compiler::render::{Renderer, Stage};
use crate::system::fs::Hash;
use crate::text::diag::Diagnostic;
use crate::text::ids::ImageRef;
use rayon::prelude::*;
use std::fmt;

/// The label by which an image says what it was made of.
pub const LABEL: &str = "dev.drvc.key";
/// The domain of every hash here: another use of BLAKE3 gives another digest for the same bytes.
const DOMAIN: &str = "drvc stage fingerprint, version 1";

/// The instruction that gives an image its key, with other labels beside it. It is the last one of the file that is built and
/// stands nowhere else: `--label` marks what a failed build leaves too, and an `ARG` does not reach an image out of the cache.
#[must_use]
pub fn instruction(key: &str, others: &[(&str, &str)]) -> String {
    let all = others.iter().copied().chain([(LABEL, key)]);
    all.fold("LABEL".into(), |text, (name, value)| format!("{text} {name}='{value}'")) + "\n"
}

/// A node's fingerprint, or a target's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The first 16 hexadecimal digits: for people, and for tags.
    #[must_use]
    pub fn short(&self) -> String {
        short_digest(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// The first 16 hexadecimal digits of a digest.
#[must_use]
pub fn short_digest(digest: &Hash) -> String {
    digest.first_chunk().map(|first| format!("{:016x}", u64::from_be_bytes(*first))).unwrap_or_default()
}

/// What a fingerprint is made of.
#[derive(Debug)]
pub struct Recipe<'a> {
    /// The node's kind.
    pub kind: &'static str,
    /// The image that it is, for one from a registry; the stage's name for others.
    pub name: String,
    /// Digest of its instructions.
    pub instructions: &'a Hash,
    /// Its context files.
    pub files: &'a Files,
    /// What it uses, and how.
    pub inputs: Vec<(Edge, Fingerprint)>,
}

impl Recipe<'_> {
    /// The hash of all of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut text = Vec::with_capacity(256 + 64 * self.inputs.len());
        let mut field = |tag: u8, bytes: &[u8]| {
            text.push(tag);
            text.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            text.extend_from_slice(bytes);
        };
        field(1, self.kind.as_bytes());
        field(2, self.name.as_bytes());
        field(3, self.instructions);
        field(5, self.files.digest());
        field(9, &(self.inputs.len() as u64).to_le_bytes());
        for (edge, fingerprint) in &self.inputs {
            field(10, edge.name().as_bytes());
            field(11, &fingerprint.0);
        }
        Fingerprint(blake3::derive_key(DOMAIN, &text))
    }
}

/// The recipe of a node, given the fingerprints of all nodes made before it.
#[must_use]
pub fn recipe<'a>(graph: &Graph, id: NodeId, stage: &'a Stage, known: &[Fingerprint]) -> Recipe<'a> {
    let node = graph.node(id);
    let inputs = graph.inputs(id).iter().copied();
    let inputs = inputs.filter_map(|(input, edge)| Some((edge, *known.get(input.index())?)));
    Recipe {
        kind: node.kind(),
        name: node.key_name(),
        instructions: &stage.digest,
        files: &stage.files,
        inputs: inputs.collect(),
    }
}

/// The stages of all nodes and their fingerprints, by their place in the graph; nothing for those that are not used.
///
/// What stands on a toolkit, or tries an earlier image, names it by its key, so such stages are rendered when that is known,
/// all others before.
///
/// # Errors
/// The first template that cannot be filled safely.
pub fn stages(
    graph: &Graph,
    renderer: &Renderer<'_>,
    used: &[bool],
) -> Result<(Vec<Stage>, Vec<Fingerprint>), Diagnostic> {
    let ids: Vec<_> = graph.ids().collect();
    let early = ids.par_iter().map(|&id| match graph.keyed_below(id) {
        _ if used.get(id.index()) != Some(&true) => Ok(Some(Stage::default())),
        None => renderer.stage(graph, id, None).map(Some),
        Some(_) => Ok(None),
    });
    // Of several mistakes the first is told, whichever is found first.
    let early: Vec<_> = early.collect();
    let mut stages = early.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut known = vec![Fingerprint::default(); ids.len()];
    for level in levels(graph) {
        let made = level.par_iter().map(|&id| {
            let late = match stages.get(id.index()) {
                Some(Some(stage)) => return Ok((None, recipe(graph, id, stage, &known).fingerprint())),
                _ => renderer.stage(graph, id, keyed_reference(graph, id, &known).as_ref())?,
            };
            let fingerprint = recipe(graph, id, &late, &known).fingerprint();
            Ok((Some(late), fingerprint))
        });
        let made: Vec<_> = made.collect();
        let made = made.into_iter().collect::<Result<Vec<_>, Diagnostic>>()?;
        for (id, (late, fingerprint)) in level.iter().zip(made) {
            if let Some(place) = known.get_mut(id.index()) {
                *place = fingerprint;
            }
            if let (Some(place), Some(_)) = (stages.get_mut(id.index()), &late) {
                *place = late;
            }
        }
    }
    Ok((stages.into_iter().flatten().collect(), known))
}

/// All nodes in groups: each uses nodes of earlier groups alone.
fn levels(graph: &Graph) -> Vec<Vec<NodeId>> {
    let mut levels: Vec<Vec<NodeId>> = Vec::new();
    let mut heights: Vec<usize> = Vec::new();
    for id in graph.ids() {
        let below = graph.inputs(id).iter().map(|(input, _)| input.index());
        let height = below.filter_map(|input| heights.get(input)).map(|height| height + 1).max().unwrap_or(0);
        heights.push(height);
        match levels.get_mut(height) {
            Some(level) => level.push(id),
            None => levels.push(vec![id]),
        }
    }
    levels
}

/// The reference of the toolkit or the earlier image that a node stands on.
fn keyed_reference(graph: &Graph, id: NodeId, known: &[Fingerprint]) -> Option<ImageRef> {
    let below = graph.keyed_below(id)?;
    let key = known.get(below.index())?.to_string();
    match (graph.node(below), graph.node(id)) {
        // The plan has refused kernels that make no tag.
        (Node::Toolkit(stage), _) => stage.reference(&key).ok(),
        (_, Node::Reuse(stage)) => stage.reference(&key),
        _ => None,
    }
}
