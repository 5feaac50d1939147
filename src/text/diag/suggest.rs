//! From a misspelt word to the one that was probably meant.

/// The candidate nearest to `word`, if any is near enough to be meant: for "did you mean".
///
/// Among equally near ones the first is taken. Case does not count, and neither do `-` against `_`.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace('_', "-");
    let folded = fold(word);
    let allowed = (word.chars().count() / 3).max(1);
    let letters = Letters::of(&folded);
    // Most are too far away, which is seen at once.
    let near = candidates.into_iter().map(|one| (fold(one), one));
    let near = near.filter(|(folded, _)| letters.least_distance(&Letters::of(folded)) <= allowed);
    let ranked = near.map(|(one_folded, one)| (strsim::osa_distance(&folded, &one_folded), one));
    ranked
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// How often each letter comes in a word, by its lowest bits.
struct Letters([u16; 32]);

impl Letters {
    fn of(word: &str) -> Self {
        let mut counts = [0; 32];
        for letter in word.chars() {
            if let Some(count) = counts.get_mut(letter as usize % 32) {
                *count = u16::saturating_add(*count, 1);
            }
        }
        Self(counts)
    }

    /// No fewer edits than this make one word of the other: an edit takes out one letter, and puts in one.
    fn least_distance(&self, other: &Self) -> usize {
        let surplus = |from: &Self, to: &Self| {
            from.0
                .iter()
                .zip(&to.0)
                .map(|(one, other)| usize::from(one.saturating_sub(*other)))
                .sum::<usize>()
        };
        surplus(self, other).max(surplus(other, self))
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let cases = [
            ("modul", Some("module")),
            ("Image", Some("image")),
            ("imgae", Some("image")),
            ("sorce", Some("source")),
            ("requires_config", Some("requires-config")),
            ("x", None),
            ("kernel", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, ["source", "module", "image", "requires-config"]), expected, "{word}");
        }
    }
}
