//! From values to YAML: documents whose order is that of their members, and whose texts are texts to every reader.
//!
//! A text is written in quotes, or as a block where it has lines: `on`, `0x10`, `1e3` and `2024-01-01` are other values
//! without, and which of them are differs between YAML 1.1 and 1.2.

use serde_json::Value;
use std::fmt::Write as _;

/// Documents of one file, each behind a line of three dashes.
pub(super) fn documents(header: &str, documents: &[Value]) -> String {
    let mut text = header.to_owned();
    for document in documents {
        text.push_str("---\n");
        write(&mut text, document, 0, "");
    }
    text
}

/// Writes a value, with `before` in front of its first line where it begins one.
fn write(text: &mut String, value: &Value, indent: usize, before: &str) {
    let margin = " ".repeat(indent);
    let begin = |text: &mut String, first: bool| text.push_str(if first { before } else { &margin });
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (at, (name, member)) in members.iter().enumerate() {
                begin(text, at == 0);
                text.push_str(&key(name));
                text.push(':');
                nested(text, member, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                begin(text, at == 0);
                match item {
                    Value::Object(members) if !members.is_empty() => write(text, item, indent + 2, "- "),
                    Value::Array(items) if !items.is_empty() => write(text, item, indent + 2, "- "),
                    _ => {
                        text.push('-');
                        nested(text, item, indent);
                    }
                }
            }
        }
        _ => nested(text, value, indent),
    }
}

/// Writes what follows a key or a dash: on the same line, or in lines of its own.
fn nested(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('\n');
            let inner = indent + 2;
            write(text, value, inner, &" ".repeat(inner));
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write(text, value, indent, &" ".repeat(indent));
        }
        Value::String(lines) if is_block(lines) => {
            text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in lines.lines() {
                if !line.is_empty() {
                    let _ = write!(text, "{:1$}{line}", "", indent + 2);
                }
                text.push('\n');
            }
        }
        Value::String(one) => drop(writeln!(text, " {}", quoted(one))),
        // Numbers, truth values, and what is empty are JSON's in YAML too.
        other => drop(writeln!(text, " {other}")),
    }
}

/// A name that drvc or Kubernetes gives to a member stands as it is; any other in quotes.
fn key(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    let is_word = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain);
    let means_else = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&name);
    if is_word && !means_else { name.to_owned() } else { quoted(name) }
}

/// Whether a text can stand as lines that are read back as they are.
fn is_block(text: &str) -> bool {
    let fits = |line: &str| !line.ends_with([' ', '\t']) && line.chars().all(|c| c == '\t' || is_printed(c));
    let begins = text.starts_with(|c: char| !c.is_whitespace());
    let ends = !text.ends_with("\n\n") && text.trim_end_matches('\n').contains('\n');
    begins && ends && !text.contains('\r') && text.lines().all(fits)
}

/// Whether both versions of YAML let a character stand, and neither takes it for the end of a line.
fn is_printed(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text as YAML has it in one line, whatever is in it: JSON's texts are YAML's.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if is_printed(letter) => quoted.push(letter),
            letter => drop(write!(quoted, "\\u{:04x}", u32::from(letter))),
        }
    }
    quoted + "\""
}

/// Texts as a list in one line.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<_> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Texts that are something else without quotes, to a reader of one version or the other.
    const OTHERWISE: &[&str] = &[
        "",
        "~",
        "null",
        "Null",
        "on",
        "off",
        "yes",
        "no",
        "y",
        "n",
        "true",
        "0x10",
        "0o7",
        "010",
        "1e3",
        "1_000",
        "1:30",
        ".inf",
        ".nan",
        "2024-01-01",
        "@scope/driver",
        "`x`",
        "- a",
        "a: b",
        "a #b",
        "*x",
        "&x",
        "!x",
        "%x",
        "|",
        ">",
        "{a",
        "[a",
        "'",
        "\"",
        "\\",
        "<<",
        "=",
        " a",
        "a ",
        "a\tb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "é",
        "😀",
        "\u{7f}",
    ];

    fn read_back(value: &Value) -> Value {
        let text = documents("# made\n", std::slice::from_ref(value));
        serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn texts_stay_texts() {
        for text in OTHERWISE {
            let value = json!({ "a": text, (*text): [text, [text], { "b": text }], "d": { (*text): {} } });
            assert_eq!(read_back(&value), value);
        }
        for lines in [
            "a\n",
            "a\nb",
            "a\n\n  b\n",
            "a\n\n",
            " a\nb\n",
            "a \nb\n",
            "\na\n",
            "a\n# b\n---\n...\n",
            "a\r\nb\n",
            "a\n\tb\n",
        ] {
            let value =
                json!({ "a": { "b": lines }, "c": [lines], "e": true, "f": [], "g": {}, "h": null, "i": -1 });
            assert_eq!(read_back(&value), value, "{lines:?}");
        }
        assert!(documents("", &[json!({ "a": "x\n\ny\n" })]).contains("a: |\n  x\n\n  y\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in "[\\PC\\n\\t ]{0,40}", name in "\\PC{1,10}") {
            let value = json!({ name: { "a": text, "b": [[text], [{ "c": text }]] } });
            prop_assert_eq!(read_back(&value), value);
        }
    }
}
