//! Lists of words as people write them, for messages.

/// `a`, `a and b`, `a, b and c`, with the word of your choice before the last.
pub(super) fn join(items: &[impl AsRef<str>], word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().into(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {word} {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn joins() {
        let none: [&str; 0] = [];
        assert_eq!(super::join(&none, "and"), "");
        assert_eq!(super::join(&["a"], "and"), "a");
        assert_eq!(super::join(&["a", "b"], "or"), "a or b");
        assert_eq!(super::join(&["a", "b", "c"], "and"), "a, b and c");
    }
}
