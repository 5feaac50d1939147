//! Which targets try an earlier kernel's modules: from the digests in the lock to chains of kernels that cannot be told apart.
//!
//! A chain has the kernels of one image, distribution, release, architecture, flavour and series, oldest first. Each is tried
//! on the nearest earlier one with the same recipe that the lock does not tell apart; where some of these are alike in
//! everything, on the first of them, so that all that try it are built side by side. Whether the modules serve is found
//! out in the build.

use super::builder::Builder;
use super::cell::Cell;
use super::earlier::{Earlier, ReuseStage, keyed};
use super::{BuildCommand, Edge, Graph, Node, NodeId, Plan, Target};
use crate::compiler::model::{Image, ImageBody, ReuseLevel};
use crate::knowledge::lock::{HeaderDigests, HeadersPin};
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{KernelText, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// A target and what it was made from.
pub(super) struct Made<'a> {
    pub image: &'a Image,
    pub cell: &'a Cell<'a>,
    pub body: ImageBody,
    pub target: Target,
}

/// What of a target has to be the same for another one to take its modules.
struct Link {
    kernel: KernelText,
    /// Its place among the recipes of the chain.
    recipe: usize,
    known: Option<HeaderDigests>,
    /// The first that is like it in everything: itself, or one that it is tried on.
    head: usize,
}

/// Makes those targets again that an earlier kernel's modules are tried on.
pub(super) fn try_earlier(builder: &mut Builder<'_>, made: &mut [Made<'_>]) {
    let mut chains: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, one) in made.iter().enumerate() {
        let Some(reuse) = one.body.reuse else { continue };
        let Target { image, at: Coordinates { os, release, arch, flavor, .. }, .. } = &one.target;
        let series = one.cell.kernel.series().to_owned();
        let key =
            (image.clone(), os.clone(), release.clone(), *arch, flavor.clone(), series, reuse.level.name());
        chains.entry(key).or_default().push(at);
    }
    for (_, mut chain) in chains {
        let of = |at: &usize| made.get(*at).map(|one| (one.target.order, &one.target.at.kernel));
        chain.sort_by(|a, b| match (of(a), of(b)) {
            (Some((order, a)), Some((_, b))) => order.compare(a.as_str(), b.as_str()).then(a.cmp(b)),
            _ => a.cmp(b),
        });
        let (mut links, mut recipes) = (Vec::new(), BTreeMap::new());
        for at in chain {
            let first = link(builder, made, (&mut links, &mut recipes), at);
            let tried = first.as_ref().ok().and_then(|&first| again(builder, made, at, first));
            let Some(one) = made.get(at) else { continue };
            let Some(reuse) = one.body.reuse else { continue };
            let first = first.and_then(|first| {
                made.get(first).map(|first| first.target.id.clone()).ok_or_else(String::new)
            });
            let Some(one) = made.get_mut(at) else { continue };
            one.target.earlier = Some(Earlier { reuse, first });
            one.target.root = tried.unwrap_or(one.target.root);
        }
    }
}

/// The target whose modules are tried on this one, or why none is; and this one becomes a link of the chain.
fn link(
    builder: &mut Builder<'_>,
    made: &[Made<'_>],
    (links, recipes): (&mut Vec<Link>, &mut BTreeMap<String, usize>),
    at: usize,
) -> Result<usize, String> {
    let missing = || "there is no such target".to_owned();
    let one = made.get(at).ok_or_else(missing)?;
    let level = one.body.reuse.ok_or_else(missing)?.level;
    let Target { at: Coordinates { os, release, kernel, arch, .. }, root, .. } = &one.target;
    let key = (os.clone(), release.clone(), kernel.clone(), *arch);
    let known = match builder.inputs.lock.headers(&key) {
        Some(HeadersPin::Known(known)) => Some(known.clone()),
        Some(HeadersPin::Unknown(_)) => None,
        None => {
            builder.report_once(unlocked(one));
            return Err("the lock does not say what its headers hold".into());
        }
    };
    let recipe = recipe(&builder.graph, *root, one.cell)?;
    let number = recipes.len();
    let recipe = *recipes.entry(recipe).or_insert(number);
    let found = nearest(links, recipe, known.as_ref(), level);
    let head = match &found {
        Ok((head, true)) => *head,
        _ => at,
    };
    links.push(Link { kernel: kernel.clone(), recipe, known, head });
    found.map(|(first, _)| first)
}

/// For kernels of one series, oldest first, and what is known of their headers: the earlier one on which each would be tried,
/// or why none is.
#[must_use]
pub fn chain(
    kernels: &[(KernelText, Option<HeaderDigests>)],
    level: ReuseLevel,
) -> Vec<Result<usize, String>> {
    let mut links: Vec<Link> = Vec::new();
    let mut tried = Vec::new();
    for (at, (kernel, known)) in kernels.iter().enumerate() {
        let found = nearest(&links, 0, known.as_ref(), level);
        let head = if let Ok((head, true)) = &found { *head } else { at };
        links.push(Link { kernel: kernel.clone(), recipe: 0, known: known.clone(), head });
        tried.push(found.map(|(first, _)| first));
    }
    tried
}

/// The nearest earlier target that is not known to differ, and whether it is like this one in everything.
fn nearest(
    links: &[Link],
    recipe: usize,
    known: Option<&HeaderDigests>,
    level: ReuseLevel,
) -> Result<(usize, bool), String> {
    let Some(last) = links.last() else { return Err("it is the first of its chain".into()) };
    let same_recipe = || links.iter().rev().filter(|link| link.recipe == recipe);
    let Some(nearest) = same_recipe().next() else {
        return Err(format!("it is not built as {} is", last.kernel));
    };
    let Some(known) = known else {
        // Nothing tells these apart, nor together: all of them are tried on the first, side by side.
        let first = links.iter().find(|link| link.recipe == recipe && link.known.is_none());
        return Ok((first.unwrap_or(nearest).head, false));
    };
    let is_alike = |link: &&Link| link.known.as_ref().is_some_and(|other| alike(known, other));
    if let Some(alike) = same_recipe().find(is_alike) {
        return Ok((alike.head, true));
    }
    let differs = |link: &Link| link.known.as_ref().and_then(|other| difference(known, other, level));
    match same_recipe().find(|link| differs(link).is_none()) {
        Some(link) => Ok((link.head, false)),
        None => {
            let what = differs(nearest).unwrap_or_default();
            Err(format!("its {what} differ from those of {}", nearest.kernel))
        }
    }
}

fn alike(one: &HeaderDigests, other: &HeaderDigests) -> bool {
    (&one.headers, &one.options, &one.symbols) == (&other.headers, &other.options, &other.symbols)
}

/// What tells two kernels apart, before anything is known of the modules.
fn difference(one: &HeaderDigests, other: &HeaderDigests, level: ReuseLevel) -> Option<&'static str> {
    if one.options != other.options {
        return Some("options");
    }
    if level == ReuseLevel::Headers && one.headers != other.headers {
        return Some("headers");
    }
    (one.layout.is_none() || one.layout != other.layout).then_some("symbols")
}

/// How a target's modules are made, whatever its kernel is called.
fn recipe(graph: &Graph, root: NodeId, cell: &Cell<'_>) -> Result<String, String> {
    let mut text = format!("{:?} {:?} ", cell.setup.builder, cell.setup.base);
    let ancestry = graph.ancestry(root);
    for &id in &ancestry {
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

/// The image of a target, with the modules of an earlier one tried first.
fn again(builder: &mut Builder<'_>, made: &[Made<'_>], at: usize, first: usize) -> Option<NodeId> {
    let (one, first) = (made.get(at)?, made.get(first)?);
    let stage = ReuseStage {
        reuse: one.body.reuse?,
        image: first.target.tags.first()?.clone(),
        kernel: first.target.at.kernel.clone(),
    };
    let kernel = builder.kernel(one.cell);
    let inputs = [(kernel, Edge::From), (first.target.root, Edge::Reuse)];
    builder.tried = Some(builder.graph.intern(Node::Reuse(Box::new(stage)), &inputs));
    // Everything that is wrong with it was found when it was made for the first time.
    let (modules, diagnostics) = (std::mem::take(&mut builder.modules), builder.diagnostics.clone());
    let root = builder.image(one.image, &one.body, one.cell);
    (builder.modules, builder.diagnostics, builder.tried) = (modules, diagnostics, None);
    Some(root)
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
}
