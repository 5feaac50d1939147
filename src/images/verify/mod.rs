//! An image, and what is known of its kernel -> what is wrong with it, before any node loads it.
//!
//! 1. [`Driver::read`] finds the modules in the image: which kernel they are for, where they lie, what they say.
//! 2. [`verify`] goes through the checks: `modules` (kernel, symbols, dependencies), `signatures`, `depmod`, `contract`
//!    (layout, KMM, firmware, labels, leftover tools), `certification`.
//! 3. What they find is a [`Report`]. Nothing of the image is run.

mod against;
mod certification;
mod contract;
mod depmod;
mod driver;
mod finding;
mod kinds;
mod module;
mod modules;
mod signatures;
mod symvers;
#[cfg(test)]
mod tests;

pub use against::{Against, against};
pub use driver::{Driver, Packed};
pub use finding::{Finding, Kind, Level};
pub(crate) use kinds::kinds;
pub use module::{Damaged, Module, Signature, kmod_name};
pub use symvers::{Export, SymbolMismatches, Symvers};

use crate::images::image::Image;
use crate::text::ids::KernelText;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::SystemTime;

/// What is known of an image besides itself.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The kernel's symbols.
    pub symvers: Option<Symvers>,
    /// The kernels whose modules it may hold, where the lock says which are alike.
    pub kernels: Option<BTreeSet<KernelText>>,
    /// Why there are no symbols, where somebody tried.
    pub unknown: Option<String>,
    /// Symbols that RHEL keeps the same within a release.
    pub stablelist: Option<BTreeSet<String>>,
    /// The key of the target that it should be.
    pub key: Option<String>,
    /// Whether its modules have to be signed.
    pub signed: bool,
    /// The certificate that they should be signed with, as PEM or DER.
    pub certificate: Option<Vec<u8>>,
    /// When it is asked, for what expires.
    pub now: Option<SystemTime>,
    /// Whether it is to be certified.
    pub certification: bool,
    /// The labels that are its own, where that is known; any other is of its base.
    pub labels: Option<BTreeSet<String>>,
}

/// What was found out about an image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The image.
    pub image: String,
    /// Digest of its configuration.
    pub id: String,
    /// The kernel that it is for, as `uname -r` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Its modules.
    pub modules: Vec<ModuleReport>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerReport>,
    /// What there is to say, worst first.
    pub findings: Vec<Finding>,
    /// What is attached to it in its registry; absent where that was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached: Option<Vec<AttachedReport>>,
    /// How it fares on other kernels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Against>,
}

/// What was found out about a module.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ModuleReport {
    /// Its path in the image.
    pub path: String,
    /// Its name.
    pub name: String,
    /// How many symbols it leaves to others.
    pub symbols: usize,
    /// Modules that it depends on.
    pub depends: Vec<String>,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// With which hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// What a layer weighs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LayerReport {
    /// Its digest.
    pub digest: String,
    /// Bytes as it is stored.
    pub stored: u64,
    /// Bytes of its files.
    pub files: u64,
}

/// A document that is attached to an image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AttachedReport {
    /// What it is: a media type, or the type of a statement.
    pub kind: String,
    /// The artifact's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether it was held against the image.
    pub checked: bool,
}

impl Report {
    /// Whether there is anything but notes.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.findings.iter().any(|finding| finding.level != Level::Note)
    }
}

/// Looks through an image.
#[must_use]
pub fn verify(image: &Image, driver: &Driver, expected: &Expected) -> Report {
    let mut findings = driver.findings.clone();
    if driver.kernel.is_some() {
        findings.extend(modules::check(driver, expected));
        findings.extend(signatures::check(image, driver, expected));
        findings.extend(depmod::check(image, driver));
    }
    findings.extend(contract::check(image, driver, expected));
    findings.extend(certification::check(image, expected));
    let findings = finding::worst(findings);
    let module = |packed: &Packed| ModuleReport {
        path: format!("/{}", packed.path),
        name: packed.module.name.clone(),
        symbols: packed.module.imports.len(),
        depends: packed.module.depends.clone(),
        signer: packed.module.signature.as_ref().map(|signature| signature.signer.clone()),
        hash: packed.module.signature.as_ref().map(|signature| signature.hash.clone()),
    };
    let layers = image.layers.iter().map(|layer| LayerReport {
        digest: layer.digest.clone(),
        stored: layer.stored,
        files: layer.files,
    });
    Report {
        image: image.name.clone(),
        id: image.id.clone(),
        kernel: driver.kernel.clone(),
        modules: driver.modules.iter().map(module).collect(),
        layers: layers.collect(),
        findings,
        attached: None,
        against: Vec::new(),
    }
}
