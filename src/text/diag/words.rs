//! From names and numbers to the words of a message.

/// The longest piece of a text that a message repeats, in characters.
const LONGEST: usize = 60;
/// The longest line that a help gives to paste.
const LONGEST_LINE: usize = 400;

/// A text of the user's in backticks; a long one is cut.
#[must_use]
pub fn shown(text: &str) -> String {
    cut(text, LONGEST)
}

/// A line that a help gives to paste, in backticks: whole, unless nobody would paste it.
#[must_use]
pub fn pasted(line: &str) -> String {
    cut(line, LONGEST_LINE)
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// ``1 `thing` `` or ``2 `thing`s``, as a sentence needs it.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// `a source` or `an image`, by how the word is spoken.
#[must_use]
pub fn article(thing: &str) -> String {
    let vowel = thing.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    // `URL` and `SHA-256` are spoken by their letters and as words.
    let vowel = vowel && !thing.starts_with("UR") && !thing.starts_with("uni");
    format!("{} {thing}", if vowel { "an" } else { "a" })
}

/// `` `a` ``, `` `a` or `b` ``, `` `a`, `b` or `c` ``, with the word of your choice before the last.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    joined(names.into_iter().map(shown).collect(), last)
}

/// The same for lines to paste.
#[must_use]
pub fn lines(lines: &[String], last: &str) -> String {
    joined(lines.iter().map(|line| pasted(line)).collect(), last)
}

fn joined(names: Vec<String>, last: &str) -> String {
    match names.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_grammatical() {
        assert_eq!(shown("a"), "`a`");
        assert_eq!(shown(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!((count(1, "node"), count(2, "node")), ("1 node".to_owned(), "2 nodes".to_owned()));
        assert_eq!(listed(["a"], "or"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
