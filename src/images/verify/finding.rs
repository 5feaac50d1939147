//! What `drvc verify` may say of an image: one kind, one code.

use super::kinds::kinds;
use schemars::JsonSchema;
use serde::Serialize;

/// Most findings of a report.
const FINDINGS: usize = 500;
/// Most characters of a message: an image may hold names of any length and number.
const MESSAGE: usize = 1_000;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The driver will not load, or not be what it should be.
    Error,
    /// It may not work as meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

kinds! {
    /// The kinds of findings.
    Kind:

    /// Tools to build with are in the image.
    BuildTools = "build-tools", Warning;
    /// What certification asks for is missing.
    Certification = "certification", Warning;
    /// A symbol has another version in the kernel.
    ChangedSymbol = "changed-symbol", Error;
    /// A symbol is exported, but not to this module.
    ClosedSymbol = "closed-symbol", Error;
    /// A file that should be a module is none.
    DamagedModule = "damaged-module", Error;
    /// The certificate that modules are signed with is valid no longer.
    ExpiredCertificate = "expired-certificate", Warning;
    /// A module of the kernel's own is used.
    InTreeModule = "in-tree-module", Note;
    /// KMM's worker needs something that the image lacks.
    KmmContract = "kmm-contract", Warning;
    /// A proof of origin is not attached.
    MissingAttestation = "missing-attestation", Warning;
    /// A module that another one needs is nowhere.
    MissingDependency = "missing-dependency", Error;
    /// Firmware that a module asks for is not in the image.
    MissingFirmware = "missing-firmware", Warning;
    /// A label is missing or says something else.
    MissingLabel = "missing-label", Warning;
    /// Nothing exports a symbol that a module uses.
    MissingSymbol = "missing-symbol", Error;
    /// The image has no modules for the kernel.
    NoModules = "no-modules", Error;
    /// A symbol is not among those that stay the same within a RHEL release.
    NotOnStablelist = "not-on-stablelist", Warning;
    /// Signed by another signer, or with another hash, than the rest.
    OtherSigner = "other-signer", Error;
    /// The modules were built for another kernel, which the image says.
    ReusedModules = "reused-modules", Note;
    /// `modules.dep` is not what depmod would write.
    StaleModulesDep = "stale-modules-dep", Error;
    /// A module without a signature where one is expected.
    UnsignedModule = "unsigned-module", Error;
    /// A signature could not be checked.
    UncheckedSignature = "unchecked-signature", Note;
    /// The symbols could not be compared.
    Unverified = "unverified-symbols", Note;
    /// A proof of origin is about something else.
    WrongAttestation = "wrong-attestation", Error;
    /// Built for another kernel.
    WrongKernel = "wrong-kernel", Error;
    /// The image's key is not the target's.
    WrongKey = "wrong-key", Error;
    /// A signature was not made with the certificate's key, or not for this module.
    WrongSignature = "wrong-signature", Error;
}

/// Something to say of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What kind it is of.
    pub code: Kind,
    /// The file in the image that it is about; absent for the image as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is the matter.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// A finding about the image as a whole.
    #[must_use]
    pub fn new(code: Kind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MESSAGE) {
            message.truncate(end);
            message.push('…');
        }
        Self { level: code.level(), code, file: None, message, help: None }
    }

    /// Says which file it is about.
    #[must_use]
    pub fn at(mut self, file: &str) -> Self {
        self.file = Some(format!("/{file}"));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The worst findings of a report, each once, and how many more there are.
pub(super) fn worst(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    let more = findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        findings.truncate(FINDINGS);
        findings.push(Finding::new(Kind::Unverified, format!("there is more to say, {more} times")));
    }
    findings
}
