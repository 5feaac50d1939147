//! A file's seal: its first line holds BLAKE3 of all bytes after that line, so the file itself says whether
//! drvc wrote it and nobody has touched it since.

use crate::system::fs::{Hash, OpenFile};
use camino::Utf8Path;

/// A file larger than this has no seal.
pub const SIZE_LIMIT: u64 = 256 << 20;

/// How the first line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `# drvc-seal HEX`
    Comment,
    /// `{"seal": "HEX",`
    Json,
}

impl Form {
    /// The form of the file at this path: JSON knows no comments.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if Utf8Path::new(path).extension() == Some("json") { Self::Json } else { Self::Comment }
    }

    const fn frame(self) -> (&'static str, &'static str) {
        match self {
            Self::Comment => ("# drvc-seal ", ""),
            Self::Json => ("{\"seal\": \"", "\","),
        }
    }
}

/// The seal of a body.
#[must_use]
pub fn of(body: &str) -> Hash {
    blake3::hash(body.as_bytes()).into()
}

/// The first line of a file with this seal, line break included.
#[must_use]
pub fn first_line(form: Form, seal: &Hash) -> String {
    let (before, after) = form.frame();
    format!("{before}{}{after}\n", blake3::Hash::from_bytes(*seal).to_hex())
}

/// The seal of the file with this name, if it has one and it is true; of most other files only the first bytes
/// are read.
///
/// # Errors
/// What the system says.
pub fn of_file(name: &str, file: &mut OpenFile) -> std::io::Result<Option<Hash>> {
    let form = Form::of(name);
    let (before, _) = form.frame();
    if file.status.sig.size > SIZE_LIMIT {
        return Ok(None);
    }
    let mut bytes = file.read(before.len() as u64)?;
    if bytes != before.as_bytes() {
        return Ok(None);
    }
    bytes.append(&mut file.read(SIZE_LIMIT)?);
    Ok(verify(form, &bytes))
}

/// The seal of a whole file, if it has one and it is true of the rest.
#[must_use]
pub fn verify(form: Form, bytes: &[u8]) -> Option<Hash> {
    let (before, after) = form.frame();
    let (hex, rest) = bytes.strip_prefix(before.as_bytes())?.split_at_checked(2 * size_of::<Hash>())?;
    let body = rest.strip_prefix(after.as_bytes())?.strip_prefix(b"\n")?;
    let seal = blake3::hash(body);
    (seal.to_hex().as_bytes() == hex).then(|| seal.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_the_digest_of_what_follows() {
        let body = "FROM scratch\nCMD []\n";
        let hex = blake3::hash(body.as_bytes()).to_hex();
        assert_eq!(first_line(Form::Comment, &of(body)), format!("# drvc-seal {hex}\n"));
        assert_eq!(first_line(Form::Json, &of(body)), format!("{{\"seal\": \"{hex}\",\n"));
    }

    #[test]
    fn every_changed_bit_breaks_it() {
        for form in [Form::Comment, Form::Json] {
            let bytes = (first_line(form, &of("\"a\": 1}\n")) + "\"a\": 1}\n").into_bytes();
            assert!(verify(form, &bytes).is_some());
            for at in 0..bytes.len() {
                assert!(verify(form, &bytes[..at]).is_none());
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[at] ^= 1 << bit;
                    assert!(verify(form, &changed).is_none(), "byte {at}, bit {bit}");
                }
            }
        }
    }

    #[test]
    fn the_form_follows_the_path() {
        for (path, form) in
            [("plan.json", Form::Json), ("a/Dockerfile", Form::Comment), ("json", Form::Comment)]
        {
            assert_eq!(Form::of(path), form, "{path}");
        }
    }
}
