//! Which targets try an earlier kernel's modules: from the digests in the lock to chains of kernels that cannot be told apart.
//!
//! A chain has the kernels of one image, distribution, release, architecture, flavour and series, oldest first. Each is tried
//! on the nearest earlier one with the same recipe that the lock does not tell apart; where some of these are alike in
//! everything, on the first of them, so that all that try it are built side by side. Whether the modules serve is found
//! out in the build.

use super::builder::Builder;
use super::cell::Cell;
use super::earlier::{Earlier, ReuseStage, keyed};
use super::links::Links;
use super::{BuildCommand, Edge, Graph, Node, NodeId, Plan, Target};
use crate::compiler::model::{Image, ImageBody};
use crate::knowledge::lock::HeadersPin;
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{ImageRef, KernelText, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// A target and what it was made from.
pub(super) struct Made<'a> {
    pub image: &'a Image,
    pub cell: &'a Cell<'a>,
    pub body: ImageBody,
    pub target: Target,
}

/// Makes those targets again that an earlier kernel's modules are tried on.
pub(super) fn try_earlier<'a>(builder: &mut Builder<'a>, made: &mut [Made<'a>]) {
    let mut chains: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, one) in made.iter().enumerate() {
        let Some(reuse) = one.body.reuse else { continue };
        let Target { image, at: Coordinates { os, release, arch, flavor, .. }, .. } = &one.target;
        let series = one.cell.kernel.series().to_owned();
        let key =
            (image.clone(), os.clone(), release.clone(), *arch, flavor.clone(), series, reuse.level.name());
        chains.entry(key).or_default().push(at);
    }
    for mut chain in chains.into_values() {
        let of = |at: &usize| made.get(*at).map(|one| (one.target.order, &one.target.at.kernel));
        chain.sort_by(|a, b| match (of(a), of(b)) {
            (Some((order, a)), Some((_, b))) => order.compare(a.as_str(), b.as_str()).then(a.cmp(b)),
            _ => a.cmp(b),
        });
        let level = |at: &usize| Some(made.get(*at)?.body.reuse?.level);
        let Some(level) = chain.first().and_then(level) else { continue };
        let mut links = Links::new(level);
        for at in chain {
            let Some(one) = made.get(at) else { continue };
            let Some(reuse) = one.body.reuse else { continue };
            let ancestry = builder.graph.ancestry(one.target.root);
            let first = link(builder, one, &ancestry, (&mut links, at))
                .and_then(|first| made.get(first).ok_or_else(String::new));
            let tried = first.as_ref().ok().and_then(|first| again(builder, one, first, &ancestry));
            let first = first.map(|first| first.target.id.clone());
            let Some(one) = made.get_mut(at) else { continue };
            one.target.earlier = Some(Earlier { reuse, first });
            one.target.root = tried.unwrap_or(one.target.root);
        }
    }
}

/// The target whose modules are tried on this one, or why none is; and this one becomes a link of the chain.
fn link<'k>(
    builder: &mut Builder<'k>,
    one: &Made<'k>,
    ancestry: &[NodeId],
    (links, at): (&mut Links<'k>, usize),
) -> Result<usize, String> {
    let Coordinates { os, release, kernel, arch, .. } = &one.target.at;
    let key = (os.clone(), release.clone(), kernel.clone(), *arch);
    let known = match builder.inputs.lock.headers(&key) {
        Some(HeadersPin::Known(known)) => Some(known),
        Some(HeadersPin::Unknown(_)) => None,
        None => {
            builder.report_once(unlocked(one));
            return Err("the lock does not say what its headers hold".into());
        }
    };
    let recipe = recipe(&builder.graph, ancestry, one.cell)?;
    links.add(at, &one.cell.kernel.text, known, recipe)
}

/// How a target's modules are made, whatever its kernel is called.
fn recipe(graph: &Graph, ancestry: &[NodeId], cell: &Cell<'_>) -> Result<String, String> {
    let mut text = format!("{:?} {:?} ", cell.setup.builder, cell.setup.base);
    for &id in ancestry {
        match graph.node(id) {
            Node::Module(module) => {
                if module.build == BuildCommand::Prebuilt {
                    return Err(format!("module `{}` is not compiled", module.name));
                }
                let described = format!("{module:?}");
                if described.contains("/drvc/out") {
                    return Err(format!("module `{}` brings more than modules", module.name));
                }
                let sources = graph.inputs(id).iter().filter(|(_, edge)| *edge == Edge::Files);
                let sources: Vec<_> = sources.map(|(source, _)| source.index()).collect();
                text += &format!("{sources:?} {described} ");
            }
            Node::Kernel(kernel) => {
                // A Driver Toolkit or a toolkit is another image for each kernel.
                let below = graph.inputs(id).iter().map(|(input, _)| *input);
                let tools = below.filter(|&input| matches!(graph.node(input), Node::Tools(_)));
                let tools: Vec<_> = tools.map(NodeId::index).collect();
                text += &format!("{tools:?} {:?} ", kernel.repositories);
            }
            Node::Sign(sign) => text += &format!("{sign:?} "),
            Node::Image(image) => {
                let of_modules = |from: &str| {
                    ancestry.iter().any(|&id| {
                        matches!(graph.node(id), Node::Module(_)) && graph.node(id).stage() == from
                    })
                };
                if let Some(file) = image.files.iter().find(|file| of_modules(&file.from)) {
                    return Err(format!("`{}` comes from the build of a module", file.glob));
                }
                text += &format!("{:?} ", image.modules);
            }
            _ => {}
        }
    }
    let text = text.replace(cell.packages.kernel_dir.as_str(), "\u{1}");
    Ok(text.replace(cell.kernel.text.as_str(), "\u{2}"))
}

/// The image of a target, with the modules of an earlier one tried first: the same stages, but that those of modules stand on
/// the trial. `ancestry` is that of the target.
fn again(builder: &mut Builder<'_>, one: &Made<'_>, first: &Made<'_>, ancestry: &[NodeId]) -> Option<NodeId> {
    let stage = ReuseStage {
        reuse: one.body.reuse?,
        image: first.target.tags.first()?.clone(),
        kernel: first.target.at.kernel.clone(),
    };
    let inputs = [(builder.kernel(one.cell), Edge::From), (first.target.root, Edge::Reuse)];
    let graph = &mut builder.graph;
    let trial = graph.intern(Node::Reuse(Box::new(stage)), &inputs);
    let mut instead: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for &id in ancestry {
        let compiles = matches!(graph.node(id), Node::Module(_));
        let mut inputs = graph.inputs(id).to_vec();
        for (input, edge) in &mut inputs {
            let other = if compiles && *edge == Edge::From { Some(&trial) } else { instead.get(input) };
            *input = other.copied().unwrap_or(*input);
        }
        if inputs == graph.inputs(id) {
            continue;
        }
        let mut node = graph.node(id).clone();
        if let Node::Module(stage) = &mut node {
            stage.tries = true;
        }
        instead.insert(id, graph.intern(node, &inputs));
    }
    instead.get(&one.target.root).copied()
}

fn unlocked(one: &Made<'_>) -> Diagnostic {
    let problem =
        format!("the lock file does not say what the headers of kernel `{}` hold", one.target.at.kernel);
    Diagnostic::new(Code::UnlockedHeaders, problem)
        .label(one.target.span, "so its modules are compiled, whatever other kernels have")
        .label(one.image.layers.span, "this image would reuse those of an earlier kernel")
        .help("run `drvc lock`")
}

impl Plan {
    /// The kernels whose modules a target may hold: its own, and each that the lock ties to it.
    #[must_use]
    pub fn may_hold(&self, target: &Target) -> BTreeSet<KernelText> {
        let mut kernels = BTreeSet::new();
        let mut open = Some(target);
        while let Some(target) = open.filter(|target| kernels.insert(target.at.kernel.clone())) {
            let first = target.earlier.as_ref().and_then(|earlier| earlier.first.as_ref().ok());
            open = first.and_then(|first| self.targets.iter().find(|target| target.id == *first));
        }
        kernels
    }

    /// Of each stage whether some output has it. That an earlier kernel's modules are not tried is for clusters alone.
    #[must_use]
    pub fn used_stages(&self, for_clusters: bool) -> Vec<bool> {
        let targets = self.targets.iter().map(|target| target.root);
        let compiled = self.targets.iter().map(|target| target.compiled).filter(|_| for_clusters);
        let toolkits = self.toolkits.iter().map(|toolkit| toolkit.root);
        self.graph.used_by(targets.chain(compiled).chain(toolkits))
    }

    /// Gives each image whose modules others try a name that holds its key, under which they find it.
    pub fn name_firsts(&mut self, key: impl Fn(NodeId) -> String) {
        let earlier = self.targets.iter().filter_map(|target| target.earlier.as_ref()?.first.as_ref().ok());
        let firsts: BTreeSet<RelPath> = earlier.cloned().collect();
        for target in self.targets.iter_mut().filter(|target| firsts.contains(&target.id)) {
            let name = target.tags.first().and_then(|tag| keyed(tag, &key(target.root)));
            target.tags.extend(name);
        }
    }

    /// The name that [`Self::name_firsts`] gave an image.
    #[must_use]
    pub fn name_of_first(&self, id: &RelPath) -> Option<&ImageRef> {
        let at = self.targets.binary_search_by(|target| target.id.cmp(id)).ok()?;
        self.targets.get(at)?.tags.last()
    }
}
