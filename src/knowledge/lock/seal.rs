//! A paragraph of the lock file -> its seal, and its name for messages.
//!
//! The seal is a digest of the paragraph's own fields, so that a value that was changed by hand, or by a merge that
//! mixed two paragraphs, is seen without asking any server. It is no signature: who wants to can compute it.

use toml::{Table, Value};

/// The name of the field that holds the seal.
pub(super) const FIELD: &str = "seal";

/// The first 16 digits of BLAKE3 over kind and fields, whatever their order.
pub(super) fn seal(kind: &str, fields: &Table) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("drvc lock entry v1");
    text(&mut hasher, kind);
    table(&mut hasher, fields);
    hasher.finalize().to_hex().chars().take(16).collect()
}

fn table(hasher: &mut blake3::Hasher, fields: &Table) {
    let mut sorted: Vec<_> = fields.iter().filter(|(key, _)| *key != FIELD).collect();
    sorted.sort_by_key(|(key, _)| *key);
    hasher.update(&(sorted.len() as u64).to_le_bytes());
    for (key, field) in sorted {
        text(hasher, key);
        item(hasher, field);
    }
}

fn item(hasher: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Table(fields) => {
            hasher.update(b"t");
            table(hasher, fields);
        }
        Value::Array(items) => {
            hasher.update(b"a").update(&(items.len() as u64).to_le_bytes());
            items.iter().for_each(|one| item(hasher, one));
        }
        Value::String(value) => {
            hasher.update(b"q");
            text(hasher, value);
        }
        // Of the other kinds the text says which it is.
        other => text(hasher, &other.to_string()),
    }
}

fn text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(b"s").update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

/// What a paragraph is about, as far as its fields say.
pub(super) fn name(kind: &str, fields: &Table) -> String {
    let get = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    match kind {
        "archive" => super::name::archive(&get("url")),
        "builder" => super::name::builder(&get("os"), &get("release"), &get("kernel"), &get("arch")),
        "git" => super::name::git(&get("url"), &get("reference")),
        "image" => super::name::image(&get("reference")),
        "kernels" => super::name::kernels(&get("os"), &get("release"), &get("arch"), &get("flavor")),
        "openshift" => super::name::openshift(&get("release"), &get("arch")),
        "headers" => super::name::headers(&get("os"), &get("release"), &get("kernel"), &get("arch")),
        "packages" => super::name::packages(&get("os"), &get("release"), &get("kernel"), &get("arch")),
        _ => super::name::zstreams(&get("release"), &get("arch")),
    }
}
