//! A manifest in another language than KDL: one report that says so, in place of one for each of its words.

use crate::text::diag::{Code, Diagnostic};
use crate::text::source::{FileId, Sources, Span};

/// Reports a text that is no KDL at all, but what other tools read.
pub(super) fn check(file: FileId, sources: &Sources) -> Option<Diagnostic> {
    let source = sources.get(file);
    let (at, line) = first_line(&source.text)?;
    let (language, name) = language(line, &source.text)?;
    let help = match name {
        Some(name) => format!("rename it to `{name}` and run `drvc init --from {name}`, which makes a manifest of it"),
        None => "rename it and run `drvc init`, which writes a manifest to begin with; `drvc explain unreadable-manifest` shows one"
            .to_owned(),
    };
    let message = format!("the manifest is {language}; drvc reads KDL");
    let end = at + line.chars().next().map_or(0, char::len_utf8);
    let report = Diagnostic::new(Code::UnreadableManifest, message);
    Some(report.label(Span::new(file, at, end), format!("begins as {language} does")).help(help))
}

/// The first line that says something, without its indentation, and where it begins.
fn first_line(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        let is_comment =
            words.starts_with("//") || words == "#" || words.starts_with("# ") || words.starts_with("#!");
        if !words.is_empty() && !is_comment {
            return Some((at + line.find(words).unwrap_or(0), words));
        }
        at += line.len();
    }
    None
}

/// The language of a text, and for what `drvc init` reads the name under which it does.
fn language(first: &str, text: &str) -> Option<(&'static str, Option<&'static str>)> {
    let lines = || text.lines().map(str::trim);
    // No language but KDL has a line such as `source "driver" {`.
    let is_block = |line: &str| line.ends_with('{') && line.starts_with(|c: char| c.is_ascii_lowercase());
    if first.starts_with('{') || (first.starts_with('[') && !first.ends_with(']')) {
        return Some(("JSON", None));
    }
    if lines().any(is_block) {
        return None;
    }
    let word = first.split([' ', '=', ':']).next().unwrap_or_default();
    let after = first.strip_prefix(word).unwrap_or_default();
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if lines().any(|line| line.starts_with("PACKAGE_NAME=")) {
        Some(("a dkms.conf", Some("dkms.conf")))
    } else if lines().any(|line| line.starts_with("obj-m") || line.starts_with("obj-$(")) {
        Some(("a Makefile", Some("Makefile")))
    } else if matches!(word, "FROM" | "ARG") && lines().any(|line| line.starts_with("FROM ")) {
        Some(("a Dockerfile", Some("Dockerfile")))
    } else if first == "---" || (plain && (after == ":" || after.starts_with(": "))) {
        let module = lines().any(|line| line == "kind: Module");
        Some(("YAML", module.then_some("module.yaml")))
    } else if is_table(first) || (plain && after.starts_with(" =") && lines().any(is_table)) {
        Some(("TOML", None))
    } else {
        None
    }
}

/// `[table]` or `[[table]]`
fn is_table(line: &str) -> bool {
    line.starts_with('[') && line.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_languages_are_known_by_their_first_line() {
        for (text, expected) in [
            ("{\n  \"project\": {}\n}\n", Some("JSON")),
            ("[{\"a\": 1},\n", Some("JSON")),
            ("project:\n  name: x\n", Some("YAML")),
            ("# drivers\n---\nkind: Module\n", Some("YAML")),
            ("name = \"x\"\n\n[source]\n", Some("TOML")),
            ("[project]\nname = \"x\"\n", Some("TOML")),
            ("# syntax=docker/dockerfile:1\nARG A\nFROM debian:12\n", Some("a Dockerfile")),
            ("PACKAGE_NAME=\"x\"\n", Some("a dkms.conf")),
            ("obj-m := x.o\n", Some("a Makefile")),
            ("// drivers\ndrvc edition=1\n", None),
            ("# drivers\ndrvc edition=1\n", None),
            ("project: \"x\" {\n}\n", None),
            ("registry = \"x\"\nsource \"driver\" {\n}\n", None),
            ("", None),
        ] {
            let found = first_line(text).and_then(|(_, first)| language(first, text));
            assert_eq!(found.map(|(language, _)| language), expected, "{text}");
        }
    }
}
