//! Signatures as `sign-file` writes them, made by openssl, and the certificates that they should be by.

use drvc::knowledge::certificate::has_expired;
use drvc::knowledge::signature::{SignatureVerdict, check_signature};

const CONTENT: &[u8] = b"a module\n";
const RSA: (&[u8], &[u8]) =
    (include_bytes!("../data/signatures/rsa.p7s"), include_bytes!("../data/signatures/rsa.pem"));
const P384: (&[u8], &[u8]) =
    (include_bytes!("../data/signatures/p384.p7s"), include_bytes!("../data/signatures/p384.pem"));

#[test]
fn a_signature_is_right_for_its_content_and_its_certificate_alone() {
    for (signature, certificate) in [RSA, P384] {
        assert_eq!(check_signature(signature, CONTENT, certificate), SignatureVerdict::Right);
        let changed = check_signature(signature, b"another module\n", certificate);
        assert!(matches!(changed, SignatureVerdict::Wrong(why) if why.contains("changed")), "{changed:?}");
        let cut = check_signature(&signature[..signature.len() / 2], CONTENT, certificate);
        assert_eq!(cut, SignatureVerdict::Wrong("it is damaged"));
    }
    let other = check_signature(RSA.0, CONTENT, P384.1);
    assert_eq!(other, SignatureVerdict::Wrong("it names another certificate"));
    // The name and number are those of the certificate, and the key is another.
    let mut forged = RSA.0.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(check_signature(&forged, CONTENT, RSA.1), SignatureVerdict::Wrong(_)));
    let nothing = check_signature(RSA.0, CONTENT, b"");
    assert!(matches!(nothing, SignatureVerdict::Unknown(_)), "{nothing:?}");
}

#[test]
fn a_certificate_expires() {
    let after = |years: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(years * 366 * 24 * 3600);
    for (_, certificate) in [RSA, P384] {
        assert!(!has_expired(certificate, after(0)) && has_expired(certificate, after(500)));
    }
    assert!(!has_expired(b"no certificate", after(500)));
}
