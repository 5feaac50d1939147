//! Modules' signatures against each other and against what is expected.

use super::finding::{Finding, Kind};
use super::{Driver, Expected, Packed};
use std::collections::BTreeMap;

pub(super) fn check(driver: &Driver, expected: &Expected) -> Vec<Finding> {
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
