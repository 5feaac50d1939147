//! Words of a command line into values, and the words that there are.

use crate::compiler::model::ReuseLevel;
use crate::knowledge::profile::Profiles;
use crate::text::diag::listed;
use crate::text::ids::{Arch, Flavor};
use clap_complete::CompletionCandidate;

pub(super) fn arch(text: &str) -> Result<Arch, String> {
    let names: Vec<_> = Arch::ALL.iter().map(|arch| arch.name()).collect();
    Arch::parse(text).ok_or_else(|| format!("write {}", listed(names, "or")))
}

pub(super) fn flavor(text: &str) -> Result<Flavor, String> {
    Flavor::parse(text).map_err(|rule| format!("write {rule}"))
}

pub(super) fn level(text: &str) -> Result<ReuseLevel, String> {
    let all = [ReuseLevel::Headers, ReuseLevel::Abi];
    all.into_iter().find(|level| level.name() == text).ok_or_else(|| "write headers or abi".to_owned())
}

/// The distributions that drvc knows.
pub(super) fn systems() -> Vec<CompletionCandidate> {
    Profiles::builtin().names().into_iter().map(CompletionCandidate::new).collect()
}
