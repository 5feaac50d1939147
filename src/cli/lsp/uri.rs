//! Between the addresses that editors name files by and paths.

use camino::{Utf8Path, Utf8PathBuf};
use std::fmt::Write as _;

/// The path of a `file:` address on this machine.
pub(super) fn path(uri: &str) -> Option<Utf8PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    let path = Utf8PathBuf::from(String::from_utf8(bytes).ok()?);
    path.is_absolute().then_some(path)
}

/// The address of a path.
pub(super) fn of(path: &Utf8Path) -> String {
    path.as_str().bytes().fold("file://".to_owned(), |mut uri, byte| {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => drop(write!(uri, "%{byte:02X}")),
        }
        uri
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_comes_back() {
        for text in ["/a b/ä%41.kdl", "/x/drivers.kdl", "/"] {
            assert_eq!(path(&of(Utf8Path::new(text))).unwrap(), text);
        }
        assert_eq!(path("file://localhost/a%3Ab").unwrap(), "/a:b");
        for uri in ["untitled:1", "file:///%zz", "file:///%ff", "file://host/x", "file:///%4"] {
            assert_eq!(path(uri), None, "{uri}");
        }
    }
}
