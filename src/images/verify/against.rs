//! A driver and the symbols of another kernel -> whether the same modules would load there.

use super::{Driver, Symvers};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// How a driver fares on another kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Against {
    /// The kernel, in the words of whoever asked.
    pub kernel: String,
    /// Whether every symbol is there in the version that the modules were built against. A kernel that keeps versions
    /// of symbols leaves its release out when it compares `vermagic` (`same_magic` in `kernel/module/version.c`).
    pub loads: bool,
    /// Symbols that it does not export.
    pub missing: Vec<String>,
    /// Symbols that it exports in another version, or that have a version on one side alone.
    pub changed: Vec<String>,
    /// Symbols that it keeps from the driver: by licence, by a namespace, or in a module that the driver does not depend on.
    pub closed: Vec<String>,
    /// How many of all symbols that the driver's own kernel exports it has in another version, or not at all; absent
    /// where the symbols of the own kernel are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<usize>,
}

/// Compares what the modules of a driver use with what a kernel exports.
#[must_use]
pub fn against(driver: &Driver, kernel: &str, symvers: &Symvers, own: Option<&Symvers>) -> Against {
    let exported: BTreeSet<&str> =
        driver.modules.iter().flat_map(|packed| &packed.module.exports).map(String::as_str).collect();
    let (mut missing, mut changed, mut closed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for packed in driver.built() {
        let misfits = symvers.mismatches(&packed.module, &exported);
        missing.extend(misfits.missing);
        changed.extend(misfits.changed.into_iter().chain(misfits.unversioned));
        closed.extend(misfits.closed);
    }
    Against {
        kernel: kernel.to_owned(),
        loads: missing.is_empty() && changed.is_empty() && closed.is_empty(),
        missing: missing.into_iter().collect(),
        changed: changed.into_iter().collect(),
        closed: closed.into_iter().collect(),
        differences: own.map(|own| own.differences(symvers)),
    }
}
