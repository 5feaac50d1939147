//! Certificates: from the bytes of an X.509 file to what a signature made with it is recognised by.

use crate::system::fs::FileDigest;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::RelPath;
use std::time::SystemTime;
use x509_cert::der::{Decode, DecodePem};

/// The line that a certificate begins with in PEM.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Kinds of keys that the kernel's `sign-file` or its check of modules cannot use, by their numbers in RFC 8410, RFC 4055 and
/// RFC 3279. What is not known may do.
const UNFIT: &[(&str, &str)] = &[
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
];

/// A certificate beside the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The file.
    pub content: FileDigest,
    /// The serial number, as `modinfo -F sig_key` prints it: `4F:0A:…`.
    pub serial: String,
}

/// The certificate in PEM or DER.
pub(super) fn parse(bytes: &[u8]) -> Result<x509_cert::Certificate, String> {
    let text = String::from_utf8_lossy(bytes);
    // What stands before it is for people, as `openssl x509 -text` writes it.
    let pem = text.find(BEGIN).and_then(|at| text.get(at..));
    let read = match (bytes.first(), pem) {
        (Some(0x30), _) => x509_cert::Certificate::from_der(bytes),
        (_, Some(pem)) => x509_cert::Certificate::from_pem(pem),
        _ => return Err(format!("it has no line `{BEGIN}`")),
    };
    read.map_err(|error| error.to_string())
}

/// Whether a certificate, as PEM or DER, is valid no longer. Kernels load modules all the same; whoever checks images may not.
#[must_use]
pub fn has_expired(bytes: &[u8], now: SystemTime) -> bool {
    parse(bytes).is_ok_and(|one| one.tbs_certificate.validity.not_after.to_system_time() < now)
}

/// Checks certificates of authorities, as PEM one after the other.
///
/// # Errors
/// A report without a place, as for [`Certificate::read`].
pub fn check_authorities(path: &RelPath, bytes: &[u8]) -> Result<(), Diagnostic> {
    let text = String::from_utf8_lossy(bytes);
    refuse_key(path, &text)?;
    // The crate ends the process over what holds nothing.
    let chain = match text.contains(BEGIN) {
        true => x509_cert::Certificate::load_pem_chain(bytes),
        false => Ok(Vec::new()),
    };
    let why = match chain {
        Ok(chain) if !chain.is_empty() => return Ok(()),
        Ok(_) => format!("it has no line `{BEGIN}`"),
        Err(error) => error.to_string(),
    };
    let problem = format!("`{path}` holds no certificates: {why}");
    Err(Diagnostic::new(Code::MalformedCertificate, problem)
        .help("give X.509 certificates as PEM, one after the other"))
}

fn refuse_key(path: &RelPath, text: &str) -> Result<(), Diagnostic> {
    if !text.contains("PRIVATE KEY-----") {
        return Ok(());
    }
    let problem = format!("`{path}` holds a private key beside the certificate");
    Err(Diagnostic::new(Code::SecretInManifest, problem).help(
        "keep the certificate alone in this file, and take the key out of the repository and its history",
    ))
}

impl Certificate {
    /// Reads PEM or DER.
    ///
    /// # Errors
    /// A report without a place: the file is no certificate, or holds a private key too.
    pub fn read(path: &RelPath, bytes: &[u8], content: FileDigest) -> Result<Self, Diagnostic> {
        let text = String::from_utf8_lossy(bytes);
        refuse_key(path, &text)?;
        let malformed = |why: &str| {
            Diagnostic::new(Code::MalformedCertificate, format!("`{path}` is not a certificate: {why}"))
                .help("give one X.509 certificate, as PEM or DER")
        };
        let certificate = parse(bytes).map_err(|why| malformed(&why))?;
        let algorithm = certificate.tbs_certificate.subject_public_key_info.algorithm.oid.to_string();
        if let Some((_, name)) = UNFIT.iter().find(|(number, _)| *number == algorithm) {
            let problem =
                format!("`{path}` is for a key of kind {name}, which no kernel checks modules with");
            return Err(Diagnostic::new(Code::MalformedCertificate, problem)
                .help("make an RSA key, or an ECDSA key of NIST P-256 or P-384 for kernels from 5.13 on"));
        }
        let serial = certificate.tbs_certificate.serial_number.as_bytes();
        // In DER a number with its highest bit set has a zero before it, which is not printed.
        let start = serial.iter().position(|byte| *byte != 0).unwrap_or(0);
        let digits: Vec<_> = serial.iter().skip(start).map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { content, serial: digits.join(":") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../examples/05-module-chain/keys/module-signing.pem");

    fn read(bytes: &[u8]) -> Result<Certificate, Diagnostic> {
        let path = RelPath::parse("cert.pem").unwrap();
        Certificate::read(&path, bytes, FileDigest::new([0; 32], 0o644, crate::system::fs::Form::Plain))
    }

    #[test]
    fn pem_der_and_what_people_put_before_it_are_one() {
        let pem = read(PEM.as_bytes()).unwrap();
        assert!(pem.serial.split(':').all(|digits| digits.len() == 2), "{}", pem.serial);
        assert_eq!(read(format!("Certificate:\n    Data: \n{PEM}").as_bytes()).unwrap(), pem);
        let lines: String = PEM.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines).unwrap();
        assert_eq!(read(&der).unwrap(), pem);
    }

    #[test]
    fn authorities_are_certificates() {
        let check = |text: &str| check_authorities(&RelPath::parse("ca.pem").unwrap(), text.as_bytes());
        assert_eq!(check(&format!("{PEM}\n{PEM}\n\n")), Ok(()));
        for nothing in ["", "\n", " \r\n", "no certificate"] {
            assert!(check(nothing).unwrap_err().message.contains("it has no line"), "{nothing:?}");
        }
        assert!(check(BEGIN).is_err() && check(&PEM[..PEM.len() - 30]).is_err());
    }

    #[test]
    fn keys_that_no_module_can_be_signed_with_are_refused() {
        let ed25519 = include_bytes!("../../tests/data/ed25519.pem");
        let refused = read(ed25519).unwrap_err();
        assert!(refused.message.contains("Ed25519"), "{refused:?}");
        assert!(read(include_bytes!("../../tests/data/p384.pem")).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let key = format!("{PEM}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        for (bytes, code) in [
            (&b""[..], Code::MalformedCertificate),
            (&PEM.as_bytes()[..200], Code::MalformedCertificate),
            (&[0x30, 0x82, 0xff, 0xff], Code::MalformedCertificate),
            (key.as_bytes(), Code::SecretInManifest),
        ] {
            assert_eq!(read(bytes).unwrap_err().code, code);
        }
    }
}
