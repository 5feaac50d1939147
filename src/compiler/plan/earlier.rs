//! An earlier kernel's image, whose modules another target tries: which one it is, and by what name it is found.

use crate::compiler::model::Reuse;
use crate::text::ids::{ImageRef, KernelText, RelPath};

/// The longest tag.
const TAG: usize = 128;

/// What becomes of `reuse` for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// What the manifest asks for.
    pub reuse: Reuse,
    /// The target whose modules are tried; or why there is none.
    pub first: Result<RelPath, String>,
}

/// An earlier kernel's modules beside the packages of this one: they are taken where they serve it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReuseStage {
    /// What has to be the same, and what happens where it is not.
    pub reuse: Reuse,
    /// The image that is pushed for the earlier kernel, by its first name.
    pub image: ImageRef,
    /// The earlier kernel.
    pub kernel: KernelText,
}

impl ReuseStage {
    /// The reference of the earlier image, given its key: one that is there is never replaced.
    #[must_use]
    pub fn reference(&self, key: &str) -> Option<ImageRef> {
        keyed(&self.image, key)
    }
}

/// The name of an image that holds its key: its tag, as far as there is room, and 16 digits.
#[must_use]
pub fn keyed(image: &ImageRef, key: &str) -> Option<ImageRef> {
    let (digits, tag) = (key.get(..16)?, image.tag()?);
    let tag = tag.get(..tag.len().min(TAG - digits.len() - 1))?;
    ImageRef::parse(&format!("{}:{tag}-{digits}", image.repository())).ok()
}
