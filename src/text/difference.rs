//! What differs between two texts, line by line.

use similar::TextDiff;
use std::time::Duration;

/// Texts that have little in common take time by the product of their lines: after so long the rest counts as different.
const LONGEST: Duration = Duration::from_secs(1);

/// The lines that make `after` of `before`.
#[must_use]
pub fn by_line<'t>(before: &'t str, after: &'t str) -> TextDiff<'t, 't, 't, str> {
    TextDiff::configure().timeout(LONGEST).diff_lines(before, after)
}
