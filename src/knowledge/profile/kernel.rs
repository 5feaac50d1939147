//! Kernels as values: from the text of `uname -r` to flavour, architecture, series and EL minor.

use super::layer::Shape;
use crate::text::ids::{Arch, Flavor, KernelText};
use std::fmt;

/// A kernel, read by its distribution's grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    /// What `uname -r` prints; without the architecture where that was left out.
    pub text: KernelText,
    /// The architecture, where the text names it or [`Profile::with_arch`] gave it.
    pub arch: Option<Arch>,
    /// The flavour; the profile's default where the text names none.
    pub flavor: Flavor,
    /// The version of Enterprise Linux that it belongs to, where it is a kernel of that family. Its minor comes from
    /// the build number, never from the suffix alone.
    pub el: Option<El>,
    /// What releases list as theirs: all kernels that begin alike, such as `5.14.0-427`.
    pub(super) series: Box<str>,
    /// What the profile does not know of it.
    pub unknown: Option<Unknown>,
    /// Which of the profile's shapes it has.
    pub(super) shape: usize,
    /// Where the shape's named groups lie in the text.
    pub(super) groups: Box<[Option<(u8, u8)>]>,
}

/// What a profile does not know of a kernel that it reads all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknown {
    /// Its text has no shape that the distribution's kernels are known to have.
    Shape,
    /// It is of a series that no known release ships.
    Series,
}

/// A version of Enterprise Linux: `8`, `9.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct El {
    pub major: u32,
    /// 6 in 8.6; `None` where the kernel does not tell.
    pub minor: Option<u32>,
}

impl El {
    /// Reads `9` or `9.4`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((major, minor)) = text.split_once('.') else {
            return Some(Self { major: text.parse().ok()?, minor: None });
        };
        Some(Self { major: major.parse().ok()?, minor: Some(minor.parse().ok()?) })
    }
}

impl El {
    /// What the end of a kernel's text tells: `el9_4`.
    pub(super) fn of_suffix(suffix: &str) -> Option<Self> {
        Self::parse(&suffix.strip_prefix("el")?.replace('_', "."))
    }

    /// What two versions have in common: kernels that all minors ship tell the major alone.
    pub(super) fn common(self, other: Self) -> Self {
        Self { minor: self.minor.filter(|minor| other.minor == Some(*minor)), ..self }
    }
}

impl fmt::Display for El {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Why a text is not a kernel of a distribution.
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

impl Kernel {
    /// The part of the text that a named group of its shape matched.
    pub(super) fn group(&self, shape: &Shape, name: &str) -> Option<&str> {
        let index = shape.pattern.capture_names().flatten().position(|known| known == name)?;
        let (start, end) = (*self.groups.get(index)?)?;
        self.text.as_str().get(usize::from(start)..usize::from(end))
    }
}
