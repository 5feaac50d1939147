//! Paths beneath the manifest's directory: any that a file may have, and the narrow ones that a manifest may name.

use super::diag::is_hostile;
use super::grammar::{Invalid, is_rel_path};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The path of a file or directory that was found. It may hold blanks, brackets, quotes: it is never part of an
/// instruction, and of an ignore file or a report only with escapes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(Arc<str>);

/// A path relative to the manifest's directory (or to a source's) that may stand unquoted in a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(FilePath);

impl FilePath {
    /// What a value may look like, for messages.
    pub const RULE: &'static str =
        "a relative path of at most 4,000 bytes without control characters, line breaks, .. or //";

    /// # Errors
    /// The rule, where the text breaks it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let part = |part: &str| !matches!(part, "" | "." | "..");
        let hostile = |text: &str| text.contains(|character| is_hostile(character) || character == '\n');
        let fits = text.len() <= 4000 && !hostile(text) && text.split('/').all(part);
        if text == "." || fits { Ok(Self(text.into())) } else { Err(Invalid(Self::RULE)) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the directory itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "."
    }

    /// As a path for the file system.
    #[must_use]
    pub fn as_path(&self) -> &Utf8Path {
        Utf8Path::new(&self.0)
    }

    /// Whether it lies beneath `directory` or is it.
    #[must_use]
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.is_root() || self.as_path().starts_with(directory.as_path())
    }

    /// The path from `directory`, in which it lies.
    #[must_use]
    pub fn beneath(&self, directory: &Self) -> Option<&str> {
        if directory.is_root() {
            return Some(&self.0);
        }
        self.0.strip_prefix(directory.as_str())?.strip_prefix('/')
    }

    /// A name in this directory.
    ///
    /// # Errors
    /// The rule, where the joined path breaks it.
    pub fn join_file(&self, name: &str) -> Result<Self, Invalid> {
        if self.is_root() { Self::parse(name) } else { Self::parse(&format!("{self}/{name}")) }
    }

    /// The directory that holds it; `None` for the root.
    #[must_use]
    pub fn directory(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rsplit_once('/').map_or_else(|| Self(".".into()), |(above, _)| Self(above.into())))
    }
}

impl RelPath {
    /// What a value may look like, for messages.
    pub const RULE: &'static str =
        "a relative path of A-Z a-z 0-9 . _ + ~ @ : , = - without .. or //, at most 200 bytes";

    /// # Errors
    /// The rule, where the text breaks it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = text == "." || is_rel_path(text);
        if fits { Ok(Self(FilePath(text.into()))) } else { Err(Invalid(Self::RULE)) }
    }

    /// The directory itself, written `.`.
    #[must_use]
    pub fn root() -> Self {
        Self(FilePath(".".into()))
    }

    /// This path with another beneath it.
    ///
    /// # Errors
    /// The rule, where the joined path breaks it.
    pub fn join(&self, below: &str) -> Result<Self, Invalid> {
        if self.is_root() { Self::parse(below) } else { Self::parse(&[self.as_str(), "/", below].concat()) }
    }

    /// The directory that holds it; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.directory().map(Self)
    }
}

/// Wherever a file that was found will do, one that was named does.
impl Deref for RelPath {
    type Target = FilePath;
    fn deref(&self) -> &FilePath {
        &self.0
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).map_err(|rule| format!("expected {rule}"))
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    )*};
}

as_text!(FilePath, RelPath);

impl From<RelPath> for FilePath {
    fn from(path: RelPath) -> Self {
        path.0
    }
}

impl PartialEq<RelPath> for FilePath {
    fn eq(&self, other: &RelPath) -> bool {
        *self == other.0
    }
}
