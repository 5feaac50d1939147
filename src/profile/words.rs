//! Lists of words as people write them, for messages.

/// `a`, `a and b`, `a, b and c`.
pub(super) fn join(items: &[impl AsRef<str>]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().into(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn joins() {
        let none: [&str; 0] = [];
        assert_eq!(super::join(&none), "");
        assert_eq!(super::join(&["a"]), "a");
        assert_eq!(super::join(&["a", "b"]), "a and b");
        assert_eq!(super::join(&["a", "b", "c"]), "a, b and c");
    }
}
