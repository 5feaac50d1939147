//! YAML into documents, and what is at a path in one.

use crate::import::shell::Refusal;
use serde_yaml_ng::{Deserializer, Value};

/// How deep brackets of YAML may stand in each other, and how many documents a file may have.
const MAX_DEPTH: usize = 200;
const MAX_DOCUMENTS: usize = 1000;

/// The documents of a file, and those in a `List`.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, Refusal> {
    use serde::Deserialize as _;
    let depth = text.bytes().fold((0_usize, 0_usize), |(now, most), byte| match byte {
        b'{' | b'[' => (now + 1, most.max(now + 1)),
        b'}' | b']' => (now.saturating_sub(1), most),
        _ => (now, most),
    });
    if depth.1 > MAX_DEPTH {
        return Err(Refusal(format!("its brackets are nested more than {MAX_DEPTH} deep")));
    }
    let mut documents = Vec::new();
    for document in Deserializer::from_str(text) {
        let refused = |error: serde_yaml_ng::Error| Refusal(format!("it is no YAML: {error}"));
        let mut document = Value::deserialize(document).map_err(refused)?;
        document.apply_merge().map_err(refused)?;
        match at(&document, &["items"]).and_then(Value::as_sequence) {
            Some(items) => documents.extend(items.iter().take(MAX_DOCUMENTS).cloned()),
            None => documents.push(document),
        }
        if documents.len() > MAX_DOCUMENTS {
            return Err(Refusal(format!("it holds more than {MAX_DOCUMENTS} documents")));
        }
    }
    Ok(documents)
}

/// A text, number or truth value as a text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The `kernelMappings`.
pub(super) fn mapped(container: &Value) -> impl Iterator<Item = &Value> {
    at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten()
}

/// Every `build`: that of the container, and those of its mappings.
pub(super) fn builds(container: &Value) -> impl Iterator<Item = &Value> {
    everywhere(container, "build")
}

/// A field of the container, and of each of its mappings.
pub(super) fn everywhere<'v>(container: &'v Value, field: &'static str) -> impl Iterator<Item = &'v Value> {
    at(container, &[field]).into_iter().chain(mapped(container).filter_map(move |one| at(one, &[field])))
}

pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}

pub(super) fn string(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path)?.as_str().map(str::to_owned)
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}
