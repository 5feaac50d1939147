//! From a text with holes such as `<<name>>` to the text with their values in them.

/// Puts values into the holes of a template, in one pass: what a value says is never a hole.
///
/// A hole that is a line of its own stands for any number of lines, each with its line feed.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let value = |name: &str| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
    let mut text = String::new();
    for line in template.split_inclusive('\n') {
        if let Some(name) = line.trim_end().strip_prefix("<<").and_then(|rest| rest.strip_suffix(">>")) {
            text.push_str(value(name));
            continue;
        }
        let mut rest = line;
        while let Some((before, name, after)) = hole(rest) {
            text.push_str(before);
            text.push_str(value(name));
            rest = after;
        }
        text.push_str(rest);
    }
    text
}

/// The first hole of a line: what is before it, its name, and what is behind it.
fn hole(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("<<")?;
    let (name, after) = rest.split_once(">>")?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_holes_and_are_none() {
        let template = "a: <<one>> and <<two>>\n<<lines>>\n<<none>>\nend\n";
        let values = [("one", "<<two>>"), ("two", "2"), ("lines", "  - x\n  - y\n")];
        assert_eq!(fill(template, &values), "a: <<two>> and 2\n  - x\n  - y\nend\n");
    }
}
