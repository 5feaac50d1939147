//! What became of a target.

use super::failure::Failure;
use super::image_status::Place;
use super::item::Item;
use super::log::Trial;
use std::collections::BTreeMap;
use std::time::Duration;

/// What became of each target, and of each toolkit that was asked for.
pub type Verdicts = BTreeMap<Item, Verdict>;

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its image was there.
    UpToDate(Place),
    /// Its image was there, and got names that it lacked.
    Named,
    /// It was built, in this time.
    Built(Duration),
    /// It was built in this time, and an earlier kernel's modules were tried.
    Tried(Trial, Duration),
    /// Its image was there, and is in its registry now, after this time.
    Pushed(Duration),
    /// Its image is not there: it could not be built, or what it stands on could not.
    Failed(Box<Failure>),
    /// Nothing was tried, and why.
    NotBuilt(String),
    /// It would be built, and why: under `--dry-run`.
    Would(String),
}

impl Verdict {
    /// Whether the image is there.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::UpToDate(_) | Self::Named | Self::Built(_) | Self::Tried(..) | Self::Pushed(_))
    }

    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::UpToDate(_) => "up-to-date",
            Self::Named => "named",
            Self::Built(_) => "built",
            Self::Tried(Trial::Reused(_), _) => "reused",
            Self::Tried(Trial::Compiled(_), _) => "tried-and-built",
            Self::Pushed(_) => "pushed",
            Self::Failed(_) => "failed",
            Self::NotBuilt(_) => "not-built",
            Self::Would(_) => "would-build",
        }
    }
}
