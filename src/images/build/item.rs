//! What a run of `drvc build` is to bring about.

use crate::compiler::compile::Compiled;

/// Something that is to be there in the end, by its place in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A toolkit image.
    Toolkit(usize),
    /// A target's image.
    Target(usize),
}

impl Item {
    /// The id: that of the target, or of the toolkit.
    #[must_use]
    pub fn id(self, compiled: &Compiled) -> &str {
        match self {
            Self::Toolkit(at) => compiled.json().toolkits.get(at).map(|toolkit| &toolkit.id),
            Self::Target(at) => compiled.json().targets.get(at).map(|target| &target.id),
        }
        .map_or("", String::as_str)
    }

    /// The place in the plan of a target that this is, or that stands on it.
    #[must_use]
    pub fn target(self, compiled: &Compiled) -> Option<usize> {
        match self {
            Self::Target(at) => Some(at),
            Self::Toolkit(at) => {
                let id = &compiled.json().toolkits.get(at)?.id;
                compiled.json().targets.iter().position(|target| target.toolkit.as_ref() == Some(id))
            }
        }
    }
}
