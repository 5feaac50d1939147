//! From nodes to text: one Handlebars template for each kind of stage holds the layout, the contexts here hold the
//! decisions.
//!
//! Templates see flags, lists and strings, and the strings only as inert tokens ([`shape`]): what a stage looks
//! like is decided by its [`context`], never by what a manifest's text says.

mod context;
mod guard;
mod install;
mod limits;
mod outline;
mod scripts;
mod shape;
mod templates;
mod token;

pub use guard::{Instruction, parse as read_instructions};
pub use scripts::{Script, inline as with_inline_scripts};
pub use templates::{TemplateFault, Templates, UnknownTemplate};

use crate::compiler::inputs::Files;
use crate::compiler::plan::{
    Fetched, Graph, KernelStage, ModuleStage, Node, NodeId, OnBase, RepositoryFile, SigningKey,
};
use crate::system::fs::Hash;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{FilePath, ImageRef, RelPath};
use crate::text::mirrors::Mirrors;
use outline::Outline;
use serde::Serialize;
use shape::{Filled, Shape, Unsafe};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

/// A node as text.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// The lines of a Dockerfile; empty for an image from a registry.
    pub text: Arc<str>,
    /// BLAKE3 of the instructions in it and of the digests of its scripts, each with its length before it.
    pub digest: Hash,
    /// The files of the build context that it copies, sorted by path.
    pub files: Files,
    /// The scripts that it copies from beneath the output directory.
    pub scripts: Vec<&'static Script>,
    /// The certificates of the site's authorities, where it copies them: they are in no key.
    pub authority: Option<RelPath>,
}

/// What a site has in place of the internet. It decides where something comes from and not what it is, so no key has it.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// Where images, packages, repositories and files are.
    pub mirrors: &'s Mirrors,
    /// The certificates of its authorities.
    pub authority: Option<&'s RelPath>,
}

impl Site<'_> {
    /// Whether a stage has to do something before it can ask a network.
    const fn is_prepared(&self) -> bool {
        self.authority.is_some() || !self.mirrors.packages.0.is_empty()
    }
}

impl Stage {
    /// The instructions of the text, without comments and wrapping.
    #[must_use]
    pub fn instructions(&self) -> Vec<Instruction> {
        // The template was read already, and values change nothing of that.
        read_instructions(&self.text).unwrap_or_default()
    }
}

/// Renders nodes, keeping each template's shapes.
pub struct Renderer<'t> {
    templates: &'t Templates,
    /// The output directory.
    out: &'t RelPath,
    site: Option<Site<'t>>,
    /// By template and structure of the context; only looked up.
    shapes: RwLock<Shapes>,
    /// Stages of modules, which most kernels share; only looked up.
    modules: RwLock<HashMap<ModuleStage, Stage>>,
}

type Shapes = HashMap<(&'static str, Vec<u8>), Arc<Shape>>;

impl<'t> Renderer<'t> {
    /// A renderer with these templates, for outputs beneath `out`.
    #[must_use]
    pub fn new(templates: &'t Templates, out: &'t RelPath) -> Self {
        Self { templates, out, site: None, shapes: RwLock::default(), modules: RwLock::default() }
    }

    /// The same, at a site that has mirrors or authorities of its own.
    #[must_use]
    pub fn at(self, site: Site<'t>) -> Self {
        let differs = site.authority.is_some() || !site.mirrors.is_empty();
        Self { site: differs.then_some(site), ..self }
    }

    /// The stage of a node. `toolkit` is the reference of the toolkit that it stands on, where it does.
    ///
    /// # Errors
    /// A template that cannot be filled safely: a user's own, or a value that slipped through its type.
    pub fn stage(&self, graph: &Graph, id: NodeId, toolkit: Option<&ImageRef>) -> Result<Stage, Diagnostic> {
        let Node::Module(module) = graph.node(id) else { return self.render(graph, id, toolkit) };
        if let Some(known) = self.modules.read().unwrap_or_else(PoisonError::into_inner).get(&**module) {
            return Ok(known.clone());
        }
        let stage = self.render(graph, id, None)?;
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        Ok(modules.entry((**module).clone()).or_insert(stage).clone())
    }

    fn render(&self, graph: &Graph, id: NodeId, toolkit: Option<&ImageRef>) -> Result<Stage, Diagnostic> {
        let node = graph.node(id);
        let filled = self.filled(graph, id, toolkit, None)?.unwrap_or_default();
        let mut scripts: Vec<_> =
            Script::before_packages(graph, id).into_iter().chain(Script::of(node)).collect();
        let digest = digest(graph, id, &filled, &scripts, self.out);
        let (mut text, mut authority) = (filled.text, None);
        if let Some(site) = &self.site {
            text = self.filled(graph, id, toolkit, Some(site))?.map_or(text, |filled| filled.text);
            if site.is_prepared() && context::site::begins(graph, id) {
                scripts.push(&scripts::USE_MIRRORS);
                authority = site.authority.cloned();
            }
        }
        Ok(Stage { text: text.into(), digest, files: files(node), scripts, authority })
    }

    /// A node's template, filled; for its key without what the site has.
    fn filled(
        &self,
        graph: &Graph,
        id: NodeId,
        toolkit: Option<&ImageRef>,
        site: Option<&Site<'_>>,
    ) -> Result<Option<Filled>, Diagnostic> {
        let Some((template, context)) = context::of(graph, id, toolkit, self.out, site) else {
            return Ok(None);
        };
        self.fill(template, &context).map(Some).map_err(|reason| self.refused(template, &reason))
    }

    fn fill(&self, template: &'static str, context: &impl Serialize) -> Result<Filled, Unsafe> {
        let mut outline = Outline::of(context);
        let key = (template, std::mem::take(&mut outline.key));
        let known = self.shapes.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let shape = match known {
            Some(shape) => shape,
            None => {
                let context = serde_json::to_value(context).map_err(|error| Unsafe(error.to_string()))?;
                let shape = Arc::new(Shape::new(self.templates.registry(), template, &context)?);
                self.shapes.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&shape));
                shape
            }
        };
        shape.fill(&outline)
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

/// The digest of a stage: of its instructions as keys see them, and of its scripts.
fn digest(graph: &Graph, id: NodeId, filled: &Filled, scripts: &[&Script], out: &RelPath) -> Hash {
    // All of it at once: BLAKE3 hashes long texts side by side, and short ones one after the other.
    let mut bytes = Vec::with_capacity(2 * filled.text.len());
    let mut add = |part: &[u8]| {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    };
    for (at, instruction) in filled.instructions().enumerate() {
        let named = if at == 0 { named_base(graph, id, instruction) } else { instruction.into() };
        add(scripts::without_directory(&named, out).as_bytes());
    }
    scripts.iter().for_each(|script| add(script.digest()));
    blake3::derive_key("drvc instructions, version 1", &bytes)
}

/// The first instruction as keys see it: where a stage stands on the base image of a toolkit, that is named without its
/// digest. A toolkit that exists is not made again for a newer base, since old kernels leave the repositories.
fn named_base<'i>(graph: &Graph, id: NodeId, from: &'i str) -> Cow<'i, str> {
    let below = graph.inputs(id).iter().find_map(|(input, _)| match graph.node(*input) {
        Node::ToolkitBase(base) => Some(base),
        _ => None,
    });
    below.map_or(from.into(), |base| from.replacen(base.pinned.as_str(), base.named.as_str(), 1).into())
}

/// The files of the build context that a node copies.
fn files(node: &Node) -> Files {
    let source = match node {
        Node::Source(source) => source,
        Node::Sign(sign) => {
            return Files::from(vec![(sign.certificate.0.clone().into(), sign.certificate.1)]);
        }
        Node::Tools(OnBase { repositories, .. })
        | Node::Fetch(OnBase { repositories, .. })
        | Node::Download(OnBase { repositories, .. })
        | Node::Kernel(KernelStage { repositories, .. }) => return keys(repositories),
        _ => return Files::default(),
    };
    let tree = match &source.origin {
        Fetched::Path { tree, .. } if source.patches.is_empty() => return tree.files.clone(),
        Fetched::Path { tree, .. } => tree.files.to_vec(),
        Fetched::Git { .. } | Fetched::Download { .. } | Fetched::Image { .. } => Vec::new(),
    };
    let patches = source.patches.iter().map(|patch| (patch.file.clone().into(), patch.content));
    let files: BTreeMap<_, _> = tree.into_iter().chain(patches).collect();
    files.into_iter().collect::<Vec<_>>().into()
}

/// The keys of package repositories.
fn keys(repositories: &[RepositoryFile]) -> Files {
    let keys = repositories.iter().filter_map(|repository| match &repository.key {
        Some(SigningKey::File(file, content)) => Some((FilePath::from(file.clone()), *content)),
        _ => None,
    });
    let keys: BTreeMap<_, _> = keys.collect();
    keys.into_iter().collect::<Vec<_>>().into()
}
