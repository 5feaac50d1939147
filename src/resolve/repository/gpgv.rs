//! From a signed file and a user's key to whether the one signed the other, as `gpgv` says.
//!
//! `gpgv` is the program that apt itself trusts for this: it is on every machine that has apt, and it gets the security
//! updates of the system. It is given exactly one keyring, and its machine-readable lines decide, not its exit code: a
//! repository is often signed by several keys, of which a user has one.

use super::{Verify, damaged};
use crate::system::process::{Environment, Interrupt, Program};
use crate::text::error::Error;
use base64::Engine;
use std::io::Write;
use std::time::Duration;
use tempfile::{NamedTempFile, TempPath};

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";

/// A keyring, and what runs `gpgv`.
#[derive(Debug)]
pub struct Gpgv {
    environment: Environment,
    interrupt: Interrupt,
    keyring: TempPath,
    /// The keyring as the user knows it, for messages.
    name: String,
}

impl Gpgv {
    /// With the keys of a file, binary or armoured, that the user calls `name`.
    ///
    /// # Errors
    /// It holds no key, or there is no place for a temporary copy.
    pub fn new(
        environment: &Environment,
        interrupt: &Interrupt,
        name: &str,
        keys: &[u8],
    ) -> Result<Self, Error> {
        let binary = dearmored(keys).ok_or_else(|| {
            Error::new("read", name, "it is not a public key of OpenPGP")
                .help("export it with `gpg --export KEY`, with `--armor` or without")
        })?;
        Ok(Self {
            environment: environment.clone(),
            interrupt: interrupt.clone(),
            keyring: kept(&binary)?,
            name: name.to_owned(),
        })
    }

    /// Runs `gpgv` and gives back what it prints of the signed text.
    fn run(&self, url: &str, words: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
        let keyring = self.keyring.to_str().unwrap_or_default();
        let program = Program::new("gpgv", &self.environment)
            .args(["--status-fd", "2", "--keyring", keyring])
            .args(words)
            .input(input)
            .timeout(Duration::from_secs(60))
            .limit(64 << 20)
            .interrupt(&self.interrupt);
        let finished = program.output()?;
        let status = String::from_utf8_lossy(&finished.stderr);
        let has = |word: &str| status.lines().any(|line| line.starts_with(&format!("[GNUPG:] {word} ")));
        if has("GOODSIG") && !has("BADSIG") {
            return Ok(finished.stdout);
        }
        let why = match () {
            () if has("BADSIG") => "the signature does not fit the text".to_owned(),
            () if has("EXPKEYSIG") => format!("the key in `{}` that signed it has expired", self.name),
            () => format!("it is signed by no key in `{}`", self.name),
        };
        Err(Error::new("trust", url, why).help("give the key that the repository is signed with as `key`"))
    }
}

impl Verify for Gpgv {
    fn clear_signed(&self, url: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        // Text before, between or behind signed parts would be taken for signed.
        let text = String::from_utf8_lossy(bytes);
        let once = |mark| text.matches(mark).count() == 1;
        if !text.starts_with(BEGIN) || !once(BEGIN) || !once("-----BEGIN PGP SIGNATURE-----") {
            return Err(damaged(url, "it is not one signed text"));
        }
        self.run(url, &["--output", "-"], bytes)
    }

    fn detached(&self, url: &str, bytes: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = kept(signature)?;
        self.run(url, &[signature.to_str().unwrap_or_default(), "-"], bytes).map(drop)
    }
}

/// A temporary file with these bytes.
fn kept(bytes: &[u8]) -> Result<TempPath, Error> {
    let write = || {
        let mut file = NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(file.into_temp_path())
    };
    write().map_err(|cause: std::io::Error| Error::new("write", "a temporary file", cause))
}

/// The keys without their armour, where they have some.
fn dearmored(keys: &[u8]) -> Option<Vec<u8>> {
    const BLOCK: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let Some(text) = std::str::from_utf8(keys).ok().filter(|text| text.contains(BLOCK)) else {
        // The first byte of a binary packet has its highest bit set.
        return keys.first().filter(|byte| **byte & 0x80 != 0).map(|_| keys.to_vec());
    };
    let mut binary = Vec::new();
    for block in text.split(BLOCK).skip(1) {
        let lines = block.lines().skip(1).skip_while(|line| line.contains(':'));
        let lines = lines.take_while(|line| !line.starts_with("-----") && !line.starts_with('='));
        let body: String = lines.flat_map(|line| line.trim().chars()).collect();
        binary.extend(base64::engine::general_purpose::STANDARD.decode(body).ok()?);
    }
    Some(binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armour_is_taken_off() {
        let block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nmQEN\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
        assert_eq!(dearmored(block.as_bytes()), Some(vec![0x99, 0x01, 0x0d]));
        assert_eq!(dearmored(block.repeat(2).as_bytes()).map(|keys| keys.len()), Some(6));
        assert_eq!(dearmored(&[0x99, 1]), Some(vec![0x99, 1]));
        assert_eq!(dearmored(b"text"), None);
        assert_eq!(dearmored(b""), None);
    }

    #[test]
    fn only_one_signed_text_is_taken() {
        let interrupt = Interrupt::default();
        let gpgv = Gpgv::new(&Environment::of_this_process(), &interrupt, "a.gpg", &[0x99, 0]).unwrap();
        for text in ["Origin: x\n", &format!("x\n{BEGIN}\n"), &format!("{BEGIN}\n\nx\n{BEGIN}\n\ny\n")] {
            let error = gpgv.clear_signed("https://example.com/InRelease", text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("not one signed text"), "{text}");
        }
    }
}
