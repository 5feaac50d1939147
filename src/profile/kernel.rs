//! Kernels as values: from the text of `uname -r` to flavour, architecture and EL minor.

use crate::ids::{Arch, Flavor, KernelText};
use std::fmt;

/// A kernel, read by its distribution's grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    /// What `uname -r` prints; without the architecture where that was left out.
    pub text: KernelText,
    /// The architecture, where the text names it or [`super::Profile::with_arch`] gave it.
    pub arch: Option<Arch>,
    /// The flavour; the profile's default where the text names none.
    pub flavor: Flavor,
    /// The minor of Enterprise Linux that it belongs to, where it is a kernel of that family.
    pub el: Option<El>,
}

/// A version of Enterprise Linux: `8`, `9.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct El {
    /// 8 in 8.6.
    pub major: u32,
    /// 6 in 8.6; `None` where the kernel does not tell.
    pub minor: Option<u32>,
}

impl fmt::Display for El {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Why a text is no kernel of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KernelError {
    /// The kind of mistake.
    pub kind: KernelErrorKind,
    /// What is wrong.
    pub message: String,
    /// Why here, for the label.
    pub label: String,
    /// What would be right.
    pub help: String,
}

/// The kinds of [`KernelError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelErrorKind {
    /// Not of any shape that the distribution's kernels have.
    Malformed,
    /// A kernel of another distribution.
    Foreign,
    /// Its parts contradict each other.
    Contradictory,
}

impl KernelError {
    pub(super) fn malformed(text: &str) -> Self {
        Self {
            kind: KernelErrorKind::Malformed,
            message: format!("`{text}` is not a kernel"),
            label: String::new(),
            help: String::new(),
        }
    }
}
