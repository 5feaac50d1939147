//! The lines of a Makefile, and what each of them is, before anything is put into it.

/// The lines of a Makefile, continued ones joined, comments taken off.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    joined.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end().to_owned()).collect()
}

/// `export NAME ?= VALUE` outside of a recipe: the name, the value, and whether other makes see it.
pub(super) fn assignment(line: &str) -> Option<(&str, &str, bool)> {
    if line.starts_with('\t') {
        return None;
    }
    let (left, right) = line.split_once('=')?;
    let left = left.trim().trim_end_matches([':', '?', '+']).trim();
    let (exported, name) = match left.strip_prefix("export ").or_else(|| left.strip_prefix("override ")) {
        Some(name) => (left.starts_with("export"), name.trim()),
        None => (false, left),
    };
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let plain = !name.is_empty() && !name.starts_with("obj-") && name.bytes().all(of_name);
    plain.then(|| (name, right.trim(), exported))
}

/// What stands behind `override`, and whether it is there.
pub(super) fn overriding(line: &str) -> (bool, &str) {
    line.trim_start().strip_prefix("override ").map_or((false, line), |rest| (true, rest.trim_start()))
}

/// The character before the `=` of an assignment, where it is one of `:`, `?` and `+`.
pub(super) fn operator(left: &str) -> Option<char> {
    left.trim_end().chars().next_back().filter(|c| matches!(c, ':' | '?' | '+'))
}

/// What stands between `define` and its `endef`, a line each.
pub(super) fn defined(lines: &mut impl Iterator<Item = String>) -> String {
    let (mut body, mut depth) = (Vec::new(), 1_usize);
    for line in lines {
        match overriding(&line).1.split_whitespace().next() {
            Some("define") => depth += 1,
            Some("endef") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        body.push(line);
    }
    body.join("\n")
}

/// What an `include` names.
pub(super) fn included(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches(['-', 's']);
    line.strip_prefix("include ").map(|name| name.trim().to_owned())
}
