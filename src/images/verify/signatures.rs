//! Modules' signatures against each other, against what is expected, and against the certificate where it is known.

use super::driver::beginning;
use super::finding::{Finding, Kind};
use super::{Driver, Expected, Packed};
use crate::images::image::Image;
use crate::knowledge::certificate::has_expired;
use crate::knowledge::signature::{SignatureVerdict, check_signature};
use std::collections::BTreeMap;

pub(super) fn check(image: &Image, driver: &Driver, expected: &Expected) -> Vec<Finding> {
    let mut findings = compare(driver, expected);
    if let Some(certificate) = &expected.certificate {
        findings.extend(driver.built().filter_map(|packed| proof(image, packed, certificate)));
        if expected.now.is_some_and(|now| has_expired(certificate, now)) {
            let message = "the certificate that the modules are signed with has expired";
            findings.push(
                Finding::new(Kind::ExpiredCertificate, message).help(
                    "kernels load the modules all the same; sign with a new one before others refuse it",
                ),
            );
        }
    }
    findings
}

/// What is wrong with a module's signature, by the certificate that it should be made with.
fn proof(image: &Image, packed: &Packed, certificate: &[u8]) -> Option<Finding> {
    let signature = packed.module.signature.as_ref()?;
    let verdict = match beginning(image, &packed.path, signature.signed) {
        Some(content) => check_signature(&signature.message, &content, certificate),
        None => SignatureVerdict::Unknown("the module is too large"),
    };
    let name = &packed.module.name;
    let finding = match verdict {
        SignatureVerdict::Right => return None,
        SignatureVerdict::Wrong(why) => {
            Finding::new(Kind::WrongSignature, format!("the signature of `{name}` is wrong: {why}"))
                .help("a node refuses it: sign the module that is shipped, with the key of this certificate")
        }
        SignatureVerdict::Unknown(why) => Finding::new(
            Kind::UncheckedSignature,
            format!("the signature of `{name}` was not checked: {why}"),
        ),
    };
    Some(finding.at(&packed.path))
}

/// Against each other, and against what the manifest asks for.
fn compare(driver: &Driver, expected: &Expected) -> Vec<Finding> {
    let (signed, unsigned): (Vec<&Packed>, Vec<&Packed>) =
        driver.built().partition(|packed| packed.module.signature.is_some());
    let mut findings = Vec::new();
    if expected.signed || !signed.is_empty() {
        findings.extend(unsigned.into_iter().map(|packed| {
            let why = if expected.signed {
                "the manifest asks for signatures"
            } else {
                "others in the image are signed"
            };
            Finding::new(Kind::UnsignedModule, format!("`{}` is not signed, and {why}", packed.module.name))
                .at(&packed.path)
                .help("a node with Secure Boot refuses it: sign every module, after stripping")
        }));
    }
    let mut signers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for signature in signed.iter().filter_map(|packed| packed.module.signature.as_ref()) {
        *signers.entry((&signature.signer, &signature.hash)).or_default() += 1;
    }
    let most = signers.iter().max_by_key(|(_, count)| **count).map(|(signer, _)| *signer);
    for packed in signed {
        if let (Some(signature), Some((signer, hash))) = (&packed.module.signature, most)
            && (signature.signer.as_str(), signature.hash.as_str()) != (signer, hash)
        {
            let message = format!(
                "`{}` is signed by `{}` with {}, others by `{signer}` with {hash}",
                packed.module.name, signature.signer, signature.hash
            );
            findings.push(Finding::new(Kind::OtherSigner, message).at(&packed.path));
        }
    }
    findings
}
