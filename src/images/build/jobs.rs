//! From the targets that lack an image to builds, and what each of them waits for.
//!
//! podman and buildah build a stage twice when two builds that share it run at a time. There, with more than one worker, a
//! stage that several targets are built on is a job of its own, which the targets wait for. A chain of stages that the same
//! targets stand on is one job.

use crate::compiler::compile::Compiled;
use crate::compiler::plan::{Fetched, Node, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// One run of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it makes.
    pub work: Work,
    /// The jobs that it waits for, by their place.
    pub needs: Vec<usize>,
}

/// What a job makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// The stage of this name, which several targets share, from the Dockerfile of the first of them. Targets are their
    /// places in the plan.
    Stage {
        /// The stage's name.
        name: String,
        /// Who stands on it.
        users: Vec<usize>,
    },
    /// The toolkit image at this place in the plan, which targets stand on.
    Toolkit {
        /// Its place in the plan.
        at: usize,
        /// Who stands on it.
        users: Vec<usize>,
    },
    /// The image of the target at this place in the plan.
    Target(usize),
    /// That image in its registry: the engine has it.
    Push(usize),
}

impl Work {
    /// The target whose Dockerfile it builds, by its place in the plan.
    #[must_use]
    pub fn target(&self) -> usize {
        match self {
            Self::Stage { users, .. } | Self::Toolkit { users, .. } => {
                users.first().copied().unwrap_or_default()
            }
            Self::Target(target) | Self::Push(target) => *target,
        }
    }

    /// What it makes, in words: a target's id, or a stage and what it is for.
    #[must_use]
    pub fn name(&self, compiled: &Compiled) -> String {
        let Some(target) = compiled.plan.targets.get(self.target()) else { return String::new() };
        match self {
            Self::Toolkit { at, .. } => {
                compiled.json().toolkits.get(*at).map_or_else(String::new, |toolkit| toolkit.id.clone())
            }
            Self::Target(_) | Self::Push(_) => target.id.to_string(),
            Self::Stage { name, .. } if name == "tools" || name == "fetch" => {
                format!("stage {name} of {}", target.at.system())
            }
            Self::Stage { name, .. } => format!("stage {name} of {}", target.at.kernel),
        }
    }
}

/// Toolkits, and the targets that stand on each; all by their places in the plan.
pub type Users = BTreeMap<usize, Vec<usize>>;

/// The toolkits that these targets stand on.
#[must_use]
pub fn users_of_toolkits(compiled: &Compiled, targets: &[usize]) -> Users {
    let places = compiled.json().toolkits.iter().enumerate().map(|(at, toolkit)| (&toolkit.id, at));
    let places: BTreeMap<_, _> = places.collect();
    let mut found = Users::new();
    for &target in targets {
        let id = compiled.json().targets.get(target).and_then(|target| target.toolkit.as_ref());
        if let Some(&place) = id.and_then(|id| places.get(id)) {
            found.entry(place).or_default().push(target);
        }
    }
    found
}

/// The jobs that build `targets` (places in the plan), each after those that it needs: `toolkits` (which are not there
/// yet) first. With `share`, stages that several targets are built on are jobs of their own.
#[must_use]
pub fn jobs(compiled: &Compiled, targets: &[usize], toolkits: Users, share: bool) -> Vec<Job> {
    let stages = if share { shared(compiled, targets) } else { BTreeMap::new() };
    let work = toolkits.into_iter().map(|(at, users)| Work::Toolkit { at, users });
    let mut jobs: Vec<Job> = work.map(|work| Job { work, needs: Vec::new() }).collect();
    let mut below: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, job) in jobs.iter().enumerate() {
        if let Work::Toolkit { users, .. } = &job.work {
            below.extend(users.iter().map(|&user| (user, at)));
        }
    }
    let toolkits_of =
        |users: &[usize]| users.iter().filter_map(|user| below.get(user).copied()).collect::<Vec<_>>();
    let mut made: BTreeMap<NodeId, usize> = BTreeMap::new();
    let needs_of = |root: NodeId, made: &BTreeMap<NodeId, usize>| -> Vec<usize> {
        let ancestry = compiled.plan.graph.ancestry(root);
        let needs = ancestry.iter().filter(|&&id| id != root).filter_map(|id| made.get(id).copied());
        needs.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let depth = |at: &usize| std::iter::successors(Some(*at), |&at| compiled.json().first_of(at)).count();
    for (id, mut users) in stages {
        // The Dockerfile of the first user is the one that is built: one that waits for as few images as can be.
        users.sort_by_key(depth);
        let mut needs = needs_of(id, &made);
        needs.extend(toolkits_of(&users).into_iter().collect::<BTreeSet<_>>());
        let work = Work::Stage { name: compiled.plan.graph.node(id).stage(), users };
        made.insert(id, jobs.len());
        jobs.push(Job { work, needs });
    }
    let first_target = jobs.len();
    for &target in targets {
        let Some(root) = compiled.plan.targets.get(target).map(|target| target.root) else { continue };
        let mut needs = needs_of(root, &made);
        needs.extend(toolkits_of(&[target]));
        jobs.push(Job { work: Work::Target(target), needs });
    }
    let places: BTreeMap<usize, usize> =
        jobs.iter().enumerate().skip(first_target).map(|(at, job)| (job.work.target(), at)).collect();
    for job in jobs.iter_mut().filter(|job| !matches!(job.work, Work::Toolkit { .. })) {
        let first = compiled.json().first_of(job.work.target()).and_then(|first| places.get(&first));
        job.needs.extend(first);
    }
    jobs
}

/// The stages that are worth a job of their own, each after those that it stands on, and who stands on them.
fn shared(compiled: &Compiled, targets: &[usize]) -> BTreeMap<NodeId, Vec<usize>> {
    let graph = &compiled.plan.graph;
    let mut users: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for &at in targets {
        let Some(target) = compiled.plan.targets.get(at) else { continue };
        for id in graph.ancestry(target.root) {
            if id != target.root && is_work(graph.node(id)) {
                users.entry(id).or_default().push(at);
            }
        }
    }
    users.retain(|_, users| users.len() > 1);
    let mut uses: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
    for &id in users.keys() {
        for &(input, _) in graph.inputs(id) {
            uses.entry(input).or_default().insert(id);
        }
    }
    // What the very same targets stand on by one further stage alone is made on the way to that.
    let on_the_way = |id: &NodeId| {
        let above: Vec<_> = uses.get(id).into_iter().flatten().collect();
        matches!(above.as_slice(), [next] if users.get(next) == users.get(id))
    };
    users.iter().filter(|(id, _)| !on_the_way(id)).map(|(id, users)| (*id, users.clone())).collect()
}

/// Whether making the stage is work at all: an image from a registry has no stage, and copying files is done in no time.
fn is_work(node: &Node) -> bool {
    match node {
        Node::Base(_) => false,
        Node::Source(source) => !(source.patches.is_empty() && matches!(source.origin, Fetched::Path { .. })),
        _ => true,
    }
}
