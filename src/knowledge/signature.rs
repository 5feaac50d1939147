//! A module's PKCS#7 signature and a certificate -> whether the one was made with the key of the other.

use super::certificate::parse;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use der::{Decode as _, Encode as _};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

const RSA: &str = "1.2.840.113549.1.1.1";
const ECDSA: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const SHA1: &str = "1.3.14.3.2.26";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// What is known of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// It was made with that key, for these bytes.
    Right,
    /// It was not.
    Wrong(&'static str),
    /// Nothing here can tell.
    Unknown(&'static str),
}

/// Checks `message`, the signature of `content` as `sign-file` appends it, by a certificate as PEM or DER.
#[must_use]
pub fn check_signature(message: &[u8], content: &[u8], certificate: &[u8]) -> SignatureVerdict {
    use SignatureVerdict::{Right, Unknown, Wrong};
    let Ok(certificate) = parse(certificate) else { return Unknown("the certificate cannot be read") };
    let data = ContentInfo::from_der(message).and_then(|info| info.content.decode_as::<SignedData>());
    let Ok(data) = data else { return Wrong("it is damaged") };
    let [signer] = data.signer_infos.0.as_slice() else { return Unknown("it has several signers") };
    if signer.signed_attrs.is_some() {
        return Unknown("it is of attributes, which sign-file does not write");
    }
    let own = &certificate.tbs_certificate;
    if let SignerIdentifier::IssuerAndSerialNumber(id) = &signer.sid
        && (id.issuer != own.issuer || id.serial_number != own.serial_number)
    {
        return Wrong("it names another certificate");
    }
    let key = &own.subject_public_key_info;
    let curve = key.algorithm.parameters.as_ref().and_then(|one| one.to_der().ok());
    let curve =
        curve.and_then(|der| der::oid::ObjectIdentifier::from_der(&der).ok()).map(|oid| oid.to_string());
    let (kind, hash) = (key.algorithm.oid.to_string(), signer.digest_alg.oid.to_string());
    let Some(algorithm) = algorithm(&kind, curve.as_deref().unwrap_or_default(), &hash) else {
        return Unknown("drvc does not know this kind of key with this hash");
    };
    let key = UnparsedPublicKey::new(algorithm, key.subject_public_key.raw_bytes());
    match key.verify(content, signer.signature.as_bytes()) {
        Ok(()) => Right,
        Err(_) => Wrong("the module was changed after it was signed, or the key is another one"),
    }
}

fn algorithm(kind: &str, curve: &str, hash: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (kind, curve, hash) {
        (RSA, _, SHA1) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (RSA, _, SHA256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (RSA, _, SHA384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (RSA, _, SHA512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (ECDSA, P256, SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
        (ECDSA, P256, SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
        (ECDSA, P384, SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
        (ECDSA, P384, SHA384) => &signature::ECDSA_P384_SHA384_ASN1,
        _ => return None,
    })
}
