//! From a file and what a repository says of it to whether it is that file.

use super::damaged;
use crate::text::error::Error;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A checksum as repositories name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    kind: Kind,
    hex: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Sha256,
    Sha384,
    Sha512,
}

impl Sum {
    /// Reads a checksum; `None` for kinds that no longer protect (MD5, SHA-1), and for what is none.
    #[must_use]
    pub fn parse(kind: &str, hex: &str) -> Option<Self> {
        let (kind, length) = match kind {
            "sha256" => (Kind::Sha256, 64),
            "sha384" => (Kind::Sha384, 96),
            "sha512" => (Kind::Sha512, 128),
            _ => return None,
        };
        let hex = hex.to_ascii_lowercase();
        let fits = hex.len() == length && hex.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then_some(Self { kind, hex })
    }

    /// The checksum in hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Holds a file to it.
    ///
    /// # Errors
    /// It is another file.
    pub fn check(&self, url: &str, bytes: &[u8]) -> Result<(), Error> {
        let found = match self.kind {
            Kind::Sha256 => hex(&Sha256::digest(bytes)),
            Kind::Sha384 => hex(&Sha384::digest(bytes)),
            Kind::Sha512 => hex(&Sha512::digest(bytes)),
        };
        if found == self.hex {
            return Ok(());
        }
        Err(damaged(url, format!("its checksum is {found}, and should be {}", self.hex)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_to_its_checksum() {
        let empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
        let sum = Sum::parse("sha256", empty).unwrap();
        assert!(sum.check("https://example.com/x", b"").is_ok());
        let error = sum.check("https://example.com/x", b"1").unwrap_err().to_string();
        assert!(error.contains("https://example.com/x") && error.contains(&empty.to_lowercase()), "{error}");
        for (kind, hex) in [("md5", "d41d8cd98f00b204e9800998ecf8427e"), ("sha256", "e3"), ("sha512", empty)]
        {
            assert_eq!(Sum::parse(kind, hex), None, "{kind} {hex}");
        }
    }
}
