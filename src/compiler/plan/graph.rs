//! The graph of stages: nodes interned by value, edges from what is used to what uses it. petgraph stays in here.

use super::Node;
use foldhash::fast::FixedState;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Its place in the order in which nodes were made.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How one stage uses another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// `FROM`
    From,
    /// `FROM` of the second stage of an image: its runtime base.
    Runtime,
    /// `FROM` a toolkit image, which has a Dockerfile of its own.
    Toolkit,
    /// `FROM` the image of an earlier kernel, which has a Dockerfile of its own.
    Reuse,
    /// `COPY --from`
    Files,
    /// `COPY --from`, and its exported symbols.
    Symbols,
}

impl Edge {
    /// Whether what is used has a Dockerfile of its own.
    const fn leaves_dockerfile(self) -> bool {
        matches!(self, Self::Toolkit | Self::Reuse)
    }

    /// The name that `graph` prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Runtime => "runtime",
            Self::Toolkit => "toolkit",
            Self::Reuse => "reuse",
            Self::Files => "files",
            Self::Symbols => "symbols",
        }
    }
}

/// A node and what it uses.
type Used = (Node, Box<[(NodeId, Edge)]>);

/// All stages of all targets, each once.
#[derive(Debug, Default)]
pub struct Graph {
    /// In the order of making.
    nodes: Vec<Used>,
    /// Nodes by the hash of their value and inputs; only looked up, never iterated.
    interned: HashMap<u64, Vec<NodeId>, FixedState>,
}

impl Graph {
    /// The node of this value with these inputs: the same one for the same value and inputs.
    pub fn intern(&mut self, node: Node, inputs: &[(NodeId, Edge)]) -> NodeId {
        let hash = FixedState::default().hash_one((&node, inputs));
        let known = self.interned.get(&hash).into_iter().flatten().copied();
        for id in known {
            if self.node(id) == &node && self.inputs(id) == inputs {
                return id;
            }
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push((node, inputs.into()));
        self.interned.entry(hash).or_default().push(id);
        id
    }

    /// The node itself.
    ///
    /// # Panics
    /// When the id comes from another graph.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()].0
    }

    /// What a node uses, in the order in which its stage does.
    #[must_use]
    pub fn inputs(&self, id: NodeId) -> &[(NodeId, Edge)] {
        self.nodes.get(id.index()).map_or(&[], |(_, inputs)| inputs)
    }

    /// What a node uses that has a Dockerfile of its own, and so is named by its key: a toolkit, or an earlier image.
    #[must_use]
    pub fn keyed_below(&self, id: NodeId) -> Option<NodeId> {
        self.inputs(id).iter().find(|(_, edge)| edge.leaves_dockerfile()).map(|(input, _)| *input)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every node, each after all that it uses.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        // Inputs exist before what uses them, so the order of making is a topological one.
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// Of each node whether one of these is it, or uses it in any way.
    #[must_use]
    pub fn used_by(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
        let mut used = vec![false; self.len()];
        let mut open: Vec<NodeId> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            if let Some(seen) = used.get_mut(id.index()).filter(|seen| !**seen) {
                *seen = true;
                open.extend(self.inputs(id).iter().map(|(input, _)| *input));
            }
        }
        used
    }

    /// A node and all that it stands on within its Dockerfile, each after all that it uses. The order depends on these
    /// nodes alone, not on what else is in the graph.
    #[must_use]
    pub fn ancestry(&self, root: NodeId) -> Vec<NodeId> {
        let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
        let mut open = vec![(root, false)];
        while let Some((id, inputs_done)) = open.pop() {
            if inputs_done {
                order.push(id);
            } else if seen.insert(id) {
                open.push((id, true));
                let inputs = self.inputs(id).iter().rev();
                let inputs = inputs.filter(|(_, edge)| !edge.leaves_dockerfile());
                open.extend(inputs.map(|(input, _)| (*input, false)));
            }
        }
        order
    }
}

/// The shortest cycle among `edges` (from, to), as the nodes on it in order; `None` where there is no cycle.
#[must_use]
pub fn shortest_cycle(nodes: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let pairs = edges.iter().filter_map(|&(a, b)| Some((u32::try_from(a).ok()?, u32::try_from(b).ok()?)));
    let mut graph: DiGraph<(), ()> = DiGraph::from_edges(pairs);
    while graph.node_count() < nodes {
        graph.add_node(());
    }
    let knots = petgraph::algo::kosaraju_scc(&graph);
    let mut starts: Vec<_> = knots.into_iter().filter(|knot| knot.len() > 1).flatten().collect();
    starts.extend(graph.node_indices().filter(|&node| graph.contains_edge(node, node)));
    starts.sort();
    let cycles = starts.into_iter().filter_map(|start| cycle_through(&graph, start));
    let shortest = cycles.min_by_key(Vec::len)?;
    Some(shortest.into_iter().map(NodeIndex::index).collect())
}

/// The shortest way from a node back to itself, breadth first.
fn cycle_through(graph: &DiGraph<(), ()>, start: NodeIndex) -> Option<Vec<NodeIndex>> {
    let mut came_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        let mut next: Vec<_> = graph.neighbors(node).collect();
        next.sort();
        for neighbor in next {
            if neighbor == start {
                let mut path = vec![node];
                while let Some(&before) = path.last().and_then(|last| came_from.get(last)) {
                    path.push(before);
                }
                path.reverse();
                return Some(path);
            }
            if let std::collections::hash_map::Entry::Vacant(place) = came_from.entry(neighbor) {
                place.insert(node);
                queue.push_back(neighbor);
            }
        }
    }
    None
}
