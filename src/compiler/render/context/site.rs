//! What a site has in place of the internet, as the steps that need it are given it.

use crate::compiler::plan::{Graph, Node, NodeId};
use crate::compiler::render::{Site, scripts};
use crate::text::ids::RelPath;
use serde::Serialize;

/// So many pairs are given to one call, which then is short enough to be read.
const PAIRS: usize = 3;
/// Pairs up to this width share a line.
const WIDTH: usize = 80;

/// The call of `use-mirrors`, and what it is given.
#[derive(Serialize)]
pub(super) struct Mirrors {
    ca: Option<String>,
    script: String,
    calls: Vec<Vec<Pair>>,
}

#[derive(Serialize)]
struct Pair {
    from: String,
    to: String,
    long: bool,
}

impl Mirrors {
    fn new(site: &Site<'_>, out: &RelPath) -> Self {
        let pairs: Vec<_> = site.mirrors.packages.0.iter().map(|(from, to)| Pair::new(from, to)).collect();
        let mut calls = Vec::new();
        let mut pairs = pairs.into_iter().peekable();
        while pairs.peek().is_some() || calls.is_empty() {
            calls.push(pairs.by_ref().take(PAIRS).collect());
        }
        let script = format!("{out}/{}", scripts::USE_MIRRORS.path());
        Self { ca: site.authority.map(ToString::to_string), script, calls }
    }
}

impl Pair {
    fn new(from: &str, to: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned(), long: from.len() + to.len() > WIDTH }
    }
}

/// A setting of git that leads on from one address to another.
#[derive(Serialize)]
pub(super) struct GitMirror {
    key: String,
    from: String,
    long: bool,
}

/// What a stage does about the site: it begins to use the mirrors, and git does.
pub(super) struct Uses {
    pub mirrors: Option<Mirrors>,
    pub git_mirrors: Vec<GitMirror>,
}

impl Uses {
    pub(super) fn of(graph: &Graph, id: NodeId, site: Option<&Site<'_>>, out: &RelPath) -> Self {
        let Some(site) = site else { return Self { mirrors: None, git_mirrors: Vec::new() } };
        let mirrors = begins(graph, id).then_some(site).filter(|site| site.is_prepared());
        let git = site.mirrors.git.0.iter().filter(|_| matches!(graph.node(id), Node::Fetch(_)));
        let git = git.map(|(from, to)| GitMirror {
            key: format!("url.{to}/.insteadOf"),
            from: format!("{from}/"),
            long: from.len() + to.len() > WIDTH - 28,
        });
        Self { mirrors: mirrors.map(|site| Mirrors::new(site, out)), git_mirrors: git.collect() }
    }
}

/// Whether a stage is the first that asks a network on what it is built on. A toolkit may be older than the mirrors.
pub(in crate::compiler::render) fn begins(graph: &Graph, id: NodeId) -> bool {
    match graph.node(id) {
        Node::Tools(_) | Node::Fetch(_) | Node::Download(_) | Node::Root(_) => true,
        Node::Kernel(_) => {
            !graph.inputs(id).iter().any(|(input, _)| matches!(graph.node(*input), Node::Tools(_)))
        }
        _ => false,
    }
}
