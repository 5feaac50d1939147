//! From the nodes of a cluster to those whose kernels the plan covers, by which image, and those that it does not.

use super::plan_json::{PlanExcluded, PlanJson};
use crate::text::ids::Arch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What of `kubectl get nodes -o json` matters here.
#[derive(Debug, Deserialize)]
pub struct NodeList {
    items: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    metadata: Metadata,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(rename = "nodeInfo")]
    info: NodeInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    kernel_version: String,
    architecture: String,
}

/// The kernels of a cluster against the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "drvc plan --nodes")]
pub struct NodesJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them every image of the manifest has a target for.
    pub covered: usize,
    /// Each kernel of the cluster.
    pub kernels: Vec<NodeKernel>,
}

/// A kernel that nodes run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeKernel {
    /// What `uname -r` prints there.
    pub kernel: String,
    /// The architecture, as `uname -m` prints it.
    pub arch: String,
    /// The names of the nodes.
    pub nodes: Vec<String>,
    /// Each image of the manifest.
    pub images: Vec<NodeImage>,
}

/// An image for a kernel that nodes run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeImage {
    /// The image's name.
    pub image: String,
    /// The targets that are for the kernel; none where it is not covered.
    pub targets: Vec<String>,
    /// What they are pushed as.
    pub tags: Vec<String>,
    /// Why the matrix leaves it out, in the manifest's words; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
}

/// Compares the nodes of a cluster with a plan.
#[must_use]
pub fn nodes(plan: &PlanJson, list: NodeList) -> NodesJson {
    let mut kernels: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for Node { metadata, status: Status { info } } in list.items {
        let arch = Arch::ALL.into_iter().find(|arch| arch.oci() == info.architecture);
        let arch = arch.map_or(info.architecture, |arch| arch.name().to_owned());
        kernels.entry((info.kernel_version, arch)).or_default().insert(metadata.name);
    }
    let images: BTreeSet<&str> = plan.targets.iter().map(|target| target.image.as_str()).collect();
    let kernels = kernels.into_iter().map(|((kernel, arch), nodes)| NodeKernel {
        images: images.iter().map(|image| node_image(plan, image, &kernel, &arch)).collect(),
        nodes: nodes.into_iter().collect(),
        kernel,
        arch,
    });
    let kernels: Vec<NodeKernel> = kernels.collect();
    let number = |covered: bool| -> usize {
        kernels.iter().filter(|kernel| !covered || kernel.is_covered()).map(|kernel| kernel.nodes.len()).sum()
    };
    NodesJson { version: 1, nodes: number(false), covered: number(true), kernels }
}

fn node_image(plan: &PlanJson, image: &str, kernel: &str, arch: &str) -> NodeImage {
    let is =
        |target: &&super::PlanTarget| target.image == image && target.kernel == kernel && target.arch == arch;
    let targets: Vec<_> = plan.targets.iter().filter(is).collect();
    let excluded = |cell: &&PlanExcluded| {
        cell.kernel == kernel && cell.arch == arch && cell.image.as_deref().is_none_or(|name| name == image)
    };
    let excluded = plan.excluded.iter().find(excluded).filter(|_| targets.is_empty());
    NodeImage {
        image: image.to_owned(),
        tags: targets.iter().flat_map(|target| target.tags.iter().cloned()).collect(),
        targets: targets.into_iter().map(|target| target.id.clone()).collect(),
        excluded: excluded.map(|cell| cell.reason.clone()),
    }
}

impl NodeKernel {
    /// Whether every image of the manifest has a target for it.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.images.iter().all(|image| !image.targets.is_empty())
    }
}
