//! Names of objects, and labels, as Kubernetes takes them.

use super::context::Lower;
use crate::language::syntax::ast;
use crate::text::ids::Invalid;
use std::collections::BTreeMap;

/// Labels of nodes.
pub(super) fn labels(lower: &mut Lower<'_>, pairs: &[ast::Pair]) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for pair in pairs {
        let key = lower.parse("label of a node", &pair.key, parse_label_key);
        let value = lower.parse("value of a label", &pair.value, parse_label_value);
        labels.extend(key.zip(value));
    }
    labels
}

/// The name of an object of Kubernetes: a DNS label, or several with dots between them.
pub(super) fn object(lower: &mut Lower<'_>, text: &ast::Text) -> Option<String> {
    lower.parse("name of an object", text, |name| {
        let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let part = |part: &str| edge(part.bytes().next()) && edge(part.bytes().last());
        let all =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        let fits = all && name.len() <= 253 && name.split('.').all(part);
        if fits {
            Ok(name.to_owned())
        } else {
            Err(Invalid("1 to 253 of a-z 0-9 - ., first and last a letter or digit"))
        }
    })
}

pub(super) fn parse_label_key(text: &str) -> Result<String, Invalid> {
    let (prefix, name) = text.rsplit_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let prefixed = prefix.is_none_or(|prefix| matches!(prefix.len(), 1..=253) && prefix.bytes().all(host));
    if prefixed && !name.is_empty() && parse_label_value(name).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(Invalid(
            "1 to 63 of A-Z a-z 0-9 . _ -, first and last a letter or digit, perhaps a domain and / before it",
        ))
    }
}

pub(super) fn parse_label_value(text: &str) -> Result<String, Invalid> {
    let edge = |byte: Option<u8>| byte.is_none_or(|b| b.is_ascii_alphanumeric());
    let fits = text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits && edge(text.bytes().next()) && edge(text.bytes().last()) {
        Ok(text.to_owned())
    } else {
        Err(Invalid("up to 63 of A-Z a-z 0-9 . _ -, first and last a letter or digit"))
    }
}
