//! `drvc plan --nodes FILE`: which nodes of a cluster the plan covers, and by which image.

use super::table::{blank, lines};
use super::{Exit, Failure};
use crate::compiler::outputs::{NodeImage, NodeKernel, NodeList, NodesJson, PlanJson, nodes};
use crate::system::fs::{Disk, Tree};
use crate::text::diag::{count, shown};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::Utf8Path;
use std::io::Read;

/// The longest list of nodes that is read, in bytes.
const LIMIT: u64 = 256 << 20;
/// At most so many nodes of a kernel are named.
const NAMED: usize = 3;

/// Reads what `kubectl get nodes -o json` wrote to a file, or with `-` to standard input, and compares it with a plan.
pub(super) fn compare(plan: &PlanJson, file: &Utf8Path) -> Result<NodesJson, Failure> {
    let bytes = if file == "-" { of_stdin() } else { of_file(file) }?;
    let list: NodeList = serde_json::from_slice(&bytes).map_err(|cause| {
        let error = Error::new("read", file.as_str(), format!("it is not a list of nodes: {cause}"));
        error.help("make it with `kubectl get nodes -o json`")
    })?;
    Ok(nodes(plan, list))
}

fn of_stdin() -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LIMIT).read_to_end(&mut bytes);
    read.map_err(|cause| Error::new("read", "standard input", cause))?;
    Ok(bytes)
}

fn of_file(file: &Utf8Path) -> Result<Vec<u8>, Error> {
    let name = file.file_name().and_then(|name| RelPath::parse(name).ok());
    let name = name.ok_or_else(|| Error::new("read", file.as_str(), "it has no name that drvc reads"))?;
    let directory = Disk::open(file.parent().unwrap_or(Utf8Path::new("")))?;
    let found = directory.read(&name, LIMIT).map_err(|cause| Error::new("read", file.as_str(), cause))?;
    Ok(found.value)
}

/// A line for each kernel and image, and how many nodes are covered.
pub(super) fn table(found: &NodesJson) -> String {
    let mut table = blank(&["KERNEL", "ARCH", "NODES", "IMAGE", "COVERED BY"]);
    for NodeKernel { kernel, arch, nodes, images } in &found.kernels {
        let more =
            if nodes.len() > NAMED { format!(" and {} more", nodes.len() - NAMED) } else { String::new() };
        let names: Vec<_> = nodes.iter().take(NAMED).map(String::as_str).collect();
        for image in images {
            table.add_row([kernel, arch, &(names.join(", ") + &more), &image.image, &covered_by(image)]);
        }
    }
    let missing: Vec<_> = found.kernels.iter().filter(|kernel| !kernel.is_covered()).collect();
    let verdict = match missing.as_slice() {
        [] => format!("all {} are covered\n", count(found.nodes, "node")),
        _ => {
            let not = found.nodes - found.covered;
            let kernels: Vec<_> = missing.iter().map(|kernel| shown(&kernel.kernel)).collect();
            format!(
                "{not} of {} are not covered: add {} to the matrix\n",
                count(found.nodes, "node"),
                kernels.join(", ")
            )
        }
    };
    format!("{}\n{verdict}", lines(&table))
}

fn covered_by(image: &NodeImage) -> String {
    match (image.tags.as_slice(), &image.excluded) {
        ([], Some(reason)) => format!("nothing: excluded, {reason}"),
        ([], None) => "nothing".into(),
        (tags, _) => tags.join("\n"),
    }
}

/// 3 where a node is not covered: the matrix is not up to date with the cluster.
pub(super) fn exit(found: &NodesJson) -> Exit {
    if found.covered == found.nodes { Exit::Fine } else { Exit::OutOfDate }
}
