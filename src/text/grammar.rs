//! What the grammars of names and of paths have in common.

/// Why a text is not of a type: a fragment that completes "`TEXT` is not a NAME: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// Whether a text has so many bytes, each a letter, a digit or one of `extra`.
#[expect(clippy::manual_contains, reason = "takes less work than `contains` for so few bytes")]
pub(super) fn all(text: &str, length: std::ops::RangeInclusive<usize>, extra: &[u8]) -> bool {
    length.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || extra.iter().any(|&other| other == b))
}

pub(super) fn is_rel_path(text: &str) -> bool {
    all(text, 1..=200, b"._+~@:,=/-")
        && !text.starts_with('-')
        && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
