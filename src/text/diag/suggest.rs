//! From a misspelt word to the one that was probably meant.

/// The candidate nearest to `word`, if any is near enough to be meant: for "did you mean".
///
/// Among equally near ones the first is taken. Case does not count, and neither do `-` against `_`.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace('_', "-");
    let folded = fold(word);
    let allowed = (word.chars().count() / 3).max(1);
    let ranked = candidates.into_iter().map(|one| (strsim::damerau_levenshtein(&folded, &fold(one)), one));
    ranked
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
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
