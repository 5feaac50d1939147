//! What is attached to an image in its registry -> whether it is about that image, and true of what is in it.

use super::installed::Packages;
use super::spdx::SPDX;
use super::{repository_of, sums};
use crate::images::build::{PROVENANCE, STATEMENT, is_provenance, is_signed};
use crate::images::engine::KEY_LABEL;
use crate::images::image::Image;
use crate::images::verify::{AttachedReport, Driver, Finding, Kind};
use crate::system::oci::{Descriptor, Registry};
use crate::text::error::Error;
use crate::text::ids::{Digest, ImageRef, Repository};
use serde_json::Value;
use std::collections::BTreeSet;

/// Largest document.
const DOCUMENT: u64 = 64 << 20;

/// What is attached, and what is wrong with it.
#[derive(Debug, Default)]
pub struct ReadBack {
    pub attached: Vec<AttachedReport>,
    pub findings: Vec<Finding>,
}

/// Reads what is attached to an image that its registry has under `reference`, and holds it against the image.
///
/// # Errors
/// The registry cannot be asked, or what it sends is not what its digest says.
pub fn read_back(
    registry: &Registry,
    reference: &ImageRef,
    image: &Image,
    driver: &Driver,
    key: Option<&str>,
) -> Result<ReadBack, Error> {
    let repository = repository_of(reference)?;
    let arch = image.config.arch();
    let found = arch.map(|arch| registry.image_for(reference, arch)).transpose()?.flatten();
    let absent = || Error::new("find", reference.as_str(), "its registry does not have it");
    let (digest, ..) = found.ok_or_else(absent)?;
    let artifacts = registry.referrers(&repository, &digest)?;
    let key = key.or_else(|| image.config.labels.get(KEY_LABEL).map(String::as_str));
    let with = With { registry, repository: &repository, digest: &digest, image, driver, key };
    let mut read = ReadBack::default();
    for artifact in &artifacts {
        read.attached.push(with.artifact(artifact, &mut read.findings)?);
    }
    if is_signed(registry, &repository, &digest, &artifacts)? {
        let kind = "signature of cosign".to_owned();
        read.attached.push(AttachedReport { kind, digest: None, checked: false });
    }
    let of = |name: &str| read.attached.iter().any(|one| one.kind == name);
    for (kind, option) in [(SPDX, "--sbom"), (PROVENANCE, "--provenance")] {
        if !of(kind) {
            let message = format!("nothing of `{kind}` is attached to the image");
            let help = format!("build it with `drvc build --push {option}`");
            read.findings.push(Finding::new(Kind::MissingAttestation, message).help(help));
        }
    }
    Ok(read)
}

struct With<'a> {
    registry: &'a Registry,
    repository: &'a Repository,
    digest: &'a Digest,
    image: &'a Image,
    driver: &'a Driver,
    key: Option<&'a str>,
}

impl With<'_> {
    fn artifact(&self, artifact: &Descriptor, findings: &mut Vec<Finding>) -> Result<AttachedReport, Error> {
        let kind = artifact.artifact_type.as_deref().unwrap_or(&artifact.media_type);
        let known = kind == SPDX || kind == STATEMENT;
        let document = match known {
            true => Some(self.registry.attached(self.repository, artifact, DOCUMENT)?),
            false => None,
        };
        let read = document.map(|bytes| serde_json::from_slice(&bytes).unwrap_or(Value::Null));
        let (wrong, checked) = match &read {
            Some(list) if kind == SPDX => (self.list(list), is_ours(list)),
            Some(statement) if kind == STATEMENT => (self.statement(statement), true),
            _ => (Vec::new(), false),
        };
        let name = if is_provenance(artifact) { PROVENANCE } else { kind };
        findings.extend(wrong.into_iter().map(|what| {
            let message = format!("`{name}` ({}) {what}", artifact.digest);
            Finding::new(Kind::WrongAttestation, message)
                .help("trust neither: find out who attached it, and build the image again")
        }));
        Ok(AttachedReport { kind: name.to_owned(), digest: Some(artifact.digest.to_string()), checked })
    }

    /// What is wrong with an SPDX document of drvc's own; those of other tools name things in other ways.
    fn list(&self, document: &Value) -> Vec<String> {
        if !is_ours(document) {
            return Vec::new();
        }
        let packages: Vec<&Value> =
            document.get("packages").and_then(Value::as_array).into_iter().flatten().collect();
        let of = |word: &str| packages.iter().copied().filter(move |one| id(one).starts_with(word)).collect();
        let mut wrong = Vec::new();
        let image: Vec<&Value> = of("SPDXRef-image");
        if !image.iter().any(|one| checksum(one) == self.digest.as_str().strip_prefix("sha256:")) {
            wrong.push("is about another image".to_owned());
        }
        let modules: Vec<&Value> = of("SPDXRef-module-");
        let there = sums(self.image, self.driver);
        for (path, sum) in &there {
            let named = |one: &&&Value| text(one, "packageFileName") == Some(&format!("/{path}"));
            match modules.iter().find(named) {
                None => wrong.push(format!("does not name /{path}")),
                Some(one) if checksum(one) != Some(sum) => wrong.push(format!("has another sum for /{path}")),
                Some(_) => {}
            }
        }
        if modules.len() > there.len() {
            wrong.push("names modules that are not in the image".to_owned());
        }
        let pair = |one: &Value| Some((text(one, "name")?.to_owned(), text(one, "versionInfo")?.to_owned()));
        let said: BTreeSet<_> = of("SPDXRef-installed-").into_iter().filter_map(pair).collect();
        let found = Packages::read(&self.image.root, "").installed;
        let found: BTreeSet<_> = found.into_iter().map(|one| (one.name, one.version)).collect();
        if let Some((name, version)) = said.symmetric_difference(&found).next() {
            wrong.push(format!("does not list what is installed: {name} {version} is in one of them only"));
        }
        wrong
    }

    /// What is wrong with a statement.
    fn statement(&self, statement: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let subjects = statement.get("subject").and_then(Value::as_array).into_iter().flatten();
        let mut sums = subjects.filter_map(|one| one.pointer("/digest/sha256")?.as_str());
        if !sums.any(|sum| self.digest.as_str().strip_prefix("sha256:") == Some(sum)) {
            wrong.push("is about another image".to_owned());
        }
        let key =
            statement.pointer("/predicate/buildDefinition/internalParameters/key").and_then(Value::as_str);
        if let (Some(said), Some(key)) = (key, self.key)
            && said != key
        {
            wrong.push("is of a build with another key".to_owned());
        }
        wrong
    }
}

/// Whether drvc has written a document.
fn is_ours(document: &Value) -> bool {
    let creators = document.pointer("/creationInfo/creators").and_then(Value::as_array);
    creators.into_iter().flatten().any(|one| one.as_str().is_some_and(|name| name.starts_with("Tool: drvc-")))
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

fn id(package: &Value) -> &str {
    text(package, "SPDXID").unwrap_or_default()
}

fn checksum(package: &Value) -> Option<&str> {
    let sums = package.get("checksums")?.as_array()?;
    text(sums.iter().find(|sum| text(sum, "algorithm") == Some("SHA256"))?, "checksumValue")
}
