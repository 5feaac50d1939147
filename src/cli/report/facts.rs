//! What the page is made from, and how targets stand on it.

use crate::compiler::compile::{Compilation, Compiled};
use crate::images::record::{Builds, TargetState};
use crate::system::fs::Disk;
use crate::text::ids::RelPath;

/// What the page is made from.
pub(super) struct Facts<'a> {
    pub(super) compilation: &'a Compilation,
    pub(super) compiled: &'a Compiled,
    pub(super) builds: Option<Builds>,
    pub(super) disk: &'a Disk,
    pub(super) out: &'a RelPath,
    pub(super) manifest: &'a str,
    /// The targets that are meant, by their places in the plan.
    pub(super) chosen: Vec<usize>,
    /// Whether these are not all.
    pub(super) is_part: bool,
}

/// How a target stands: by its image where builds are on record, or else by its Dockerfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Failed,
    Changed,
    NotBuilt,
    ToCompile,
    Unpinned,
    Compiled,
    Reused,
    UpToDate,
}

impl State {
    pub(super) const ALL: [Self; 8] = [
        Self::Failed,
        Self::Changed,
        Self::NotBuilt,
        Self::ToCompile,
        Self::Unpinned,
        Self::Compiled,
        Self::Reused,
        Self::UpToDate,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Changed => "changed",
            Self::NotBuilt => "not built",
            Self::ToCompile => "to compile",
            Self::Unpinned => "unpinned",
            Self::Compiled => "compiled",
            Self::Reused => "reused",
            Self::UpToDate => "up to date",
        }
    }

    /// The class that gives it its colour.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Failed => "f",
            Self::Changed | Self::ToCompile => "c",
            Self::NotBuilt | Self::Compiled => "n",
            Self::Unpinned => "p",
            Self::Reused => "r",
            Self::UpToDate => "u",
        }
    }

    /// Whether it needs nobody.
    pub(super) const fn is_calm(self) -> bool {
        matches!(self, Self::Compiled | Self::Reused | Self::UpToDate)
    }

    pub(super) const fn known(self) -> Option<TargetState> {
        match self {
            Self::Failed => Some(TargetState::Failed),
            Self::Changed => Some(TargetState::Changed),
            Self::NotBuilt => Some(TargetState::NotBuilt),
            Self::Unpinned => Some(TargetState::Unpinned),
            Self::Reused => Some(TargetState::Reused),
            Self::UpToDate => Some(TargetState::UpToDate),
            Self::ToCompile | Self::Compiled => None,
        }
    }
}

impl From<TargetState> for State {
    fn from(state: TargetState) -> Self {
        match state {
            TargetState::Failed => Self::Failed,
            TargetState::Changed => Self::Changed,
            TargetState::NotBuilt => Self::NotBuilt,
            TargetState::Unpinned => Self::Unpinned,
            TargetState::Reused => Self::Reused,
            TargetState::UpToDate => Self::UpToDate,
        }
    }
}

/// Where the page says more of a target.
pub(super) fn anchor(at: usize) -> String {
    format!("t{at}")
}
