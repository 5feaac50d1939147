//! From nodes to text: one Handlebars template for each kind of stage holds the layout, the contexts here hold the
//! decisions.
//!
//! Templates see flags, lists and strings, and the strings only as inert tokens ([`shape`]): what a stage looks
//! like is decided by its [`context`], never by what a manifest's text says.

mod context;
mod guard;
mod shape;
mod templates;

pub use guard::{Instruction, parse as read_instructions};
pub use templates::{TemplateFault, Templates, UnknownTemplate};

use crate::diag::{Code, Diagnostic};
use crate::fs::FileDigest;
use crate::ids::RelPath;
use crate::plan::{Fetched, Graph, Node, NodeId};
use shape::{Filled, Outline, Shape, Unsafe};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A node as text.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The lines of a Dockerfile; empty for an image from a registry.
    pub text: Arc<str>,
    /// The instructions in it, without comments and wrapping.
    pub instructions: Vec<Instruction>,
    /// The files of the build context that it copies, sorted by path.
    pub files: Vec<(RelPath, FileDigest)>,
}

/// Renders nodes, keeping each template's shapes.
pub struct Renderer<'t> {
    templates: &'t Templates,
    /// By template and structure of the context; only looked up.
    shapes: RwLock<Shapes>,
}

type Shapes = HashMap<(&'static str, Vec<u8>), Arc<Shape>>;

impl<'t> Renderer<'t> {
    /// A renderer with these templates.
    #[must_use]
    pub fn new(templates: &'t Templates) -> Self {
        Self { templates, shapes: RwLock::default() }
    }

    /// The stage of a node.
    ///
    /// # Errors
    /// A template that cannot be filled safely: a user's own, or a value that slipped through its type.
    pub fn stage(&self, graph: &Graph, id: NodeId) -> Result<Stage, Diagnostic> {
        let node = graph.node(id);
        let Some((template, context)) = context::of(graph, id) else {
            return Ok(Stage { text: "".into(), instructions: Vec::new(), files: Vec::new() });
        };
        let filled = self.fill(template, context).map_err(|reason| self.refused(template, &reason))?;
        Ok(Stage { text: filled.text.into(), instructions: filled.instructions, files: files(node) })
    }

    fn fill(&self, template: &'static str, context: serde_json::Value) -> Result<Filled, Unsafe> {
        let outline = Outline::of(&context);
        let key = (template, outline.key);
        let known = self.shapes.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let shape = match known {
            Some(shape) => shape,
            None => {
                let shape = Arc::new(Shape::new(self.templates.registry(), template, &context)?);
                self.shapes.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&shape));
                shape
            }
        };
        shape.fill(&outline.strings)
    }

    fn refused(&self, template: &str, reason: &Unsafe) -> Diagnostic {
        let report =
            Diagnostic::new(Code::UnsafeTemplate, format!("template `{template}` is refused: {reason}"));
        let report = match self.templates.user_span(template) {
            Some(span) => report.label(span, "this template"),
            None => report,
        };
        report.help(
            "a template is made of FROM, RUN, COPY, ENV, WORKDIR, LABEL, CMD, ENTRYPOINT and USER; values go through \
             `{{sq x}}` in a shell and `{{json x}}` in exec form, and plain `{{x}}` is for names",
        )
    }
}

/// The files of the build context that a node copies.
fn files(node: &Node) -> Vec<(RelPath, FileDigest)> {
    let Node::Source(source) = node else { return Vec::new() };
    let mut files: Vec<_> = match &source.origin {
        Fetched::Path { files, .. } => files.to_vec(),
        Fetched::Git { .. } => Vec::new(),
    };
    files.extend(source.patches.iter().map(|patch| (patch.file.clone(), patch.content)));
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files.dedup_by(|a, b| a.0 == b.0);
    files
}
