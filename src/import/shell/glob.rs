//! A shell's patterns.

/// Whether a text fits a shell's pattern; `None` where the pattern says what this does not know.
pub(super) fn glob(pattern: &str, text: &str) -> Option<bool> {
    if pattern.len() > 1000 {
        return None;
    }
    regex::Regex::new(&format!("^(?s:{})$", glob_expression(pattern)?)).ok().map(|regex| regex.is_match(text))
}

/// A shell's pattern, with extended ones, as a regular expression.
pub(super) fn glob_expression(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut closing: Vec<&str> = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push_str(&regex::escape(&rest.next()?.to_string())),
            '!' if rest.peek() == Some(&'(') => return None,
            '@' | '?' | '*' | '+' if rest.peek() == Some(&'(') => {
                rest.next();
                out.push_str("(?:");
                closing.push(match c {
                    '@' => ")",
                    '?' => ")?",
                    '*' => ")*",
                    _ => ")+",
                });
            }
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '|' if !closing.is_empty() => out.push('|'),
            ')' if !closing.is_empty() => out.push_str(closing.pop().unwrap_or_default()),
            '[' => {
                let set: String = rest.clone().collect();
                let end = set
                    .char_indices()
                    .skip(1)
                    .find(|(at, c)| {
                        *c == ']'
                            && !set
                                .get(..*at)
                                .is_some_and(|s| s.ends_with(':') || s.rfind("[:") > s.rfind(":]"))
                    })?
                    .0;
                let inner = set.get(..end)?;
                let inner = inner.strip_prefix('!').map_or(inner.to_owned(), |inner| format!("^{inner}"));
                out.push_str(&format!("[{}]", inner.replace('\\', "\\\\").replace("&&", "&\\&")));
                rest.nth(set.get(..end)?.chars().count());
            }
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    closing.is_empty().then_some(out)
}
