//! `keys`: the key of each toolkit and target, a line each, so that a changed source changes this file and no Dockerfile.

use super::{PlanJson, Rope};
use std::collections::BTreeSet;

/// Its path in the output directory.
pub const NAME: &str = "keys";

/// The file, sorted by id.
pub(super) fn key_list(json: &PlanJson) -> Rope {
    let toolkits = json.toolkits.iter().map(|toolkit| line(&toolkit.id, &toolkit.key));
    let targets = json.targets.iter().map(|target| line(&target.id, &target.key));
    let lines: BTreeSet<String> = toolkits.chain(targets).collect();
    let head = "# What each image is made of, as a key: where it is another one, `drvc build` builds the image again.\n";
    std::iter::once(head.to_owned()).chain(lines).collect::<String>().into()
}

/// The line of a target or toolkit.
#[must_use]
pub fn line(id: &str, key: &str) -> String {
    format!("{id} {key}\n")
}
