//! From values to YAML: documents whose order is that of their members.

use serde_json::Value;
use std::fmt::Write as _;

/// Documents of one file, each behind a line of three dashes.
pub(super) fn documents(header: &str, documents: &[Value]) -> String {
    let mut text = header.to_owned();
    for document in documents {
        text.push_str("---\n");
        // A value made of texts, lists and maps with texts as keys can always be written.
        text.push_str(&serde_yaml_ng::to_string(document).unwrap_or_default());
    }
    text
}

/// A text as YAML has it in one line, whatever is in it: JSON's texts are YAML's.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}
