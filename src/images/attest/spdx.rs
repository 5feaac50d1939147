//! An image, its modules, its packages and what it was built from -> an SPDX 2.3 document.
//!
//! The same image gives the same bytes: its time is the image's own, its name is made of the image's digest.

use super::installed::{Format, Installed, Packages};
use super::materials::{Material, MaterialKind, escaped, hex, image_purl};
use crate::images::verify::{Driver, Packed};
use crate::text::ids::{Digest, ImageRef};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The media type of a document.
pub const SPDX: &str = "application/spdx+json";
/// What nobody claims anything about.
const NOTHING: &str = "NOASSERTION";

/// What a document is about.
pub struct Subject<'a> {
    /// The image as it is tagged.
    pub reference: &'a ImageRef,
    /// The digest of its manifest.
    pub digest: &'a Digest,
    /// Go's name of its architecture.
    pub arch: &'a str,
    /// When it was made.
    pub created: &'a str,
    pub materials: &'a [Material],
    /// The modules, and the SHA-256 of each one's file by its path.
    pub driver: &'a Driver,
    pub sums: &'a BTreeMap<String, String>,
    /// What is installed in the image.
    pub installed: &'a Packages,
    /// What was installed in the stages that it was built in; nothing where they are not known.
    pub build: Option<&'a Packages>,
}

struct Document {
    packages: Vec<Value>,
    relationships: Vec<Value>,
}

/// The bytes of the document.
#[must_use]
pub fn document(subject: &Subject<'_>) -> Vec<u8> {
    let mut document = Document { packages: Vec::new(), relationships: Vec::new() };
    document.relate("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image");
    document.image(subject);
    document.materials(subject.materials);
    document.modules(subject);
    document.installed("installed", subject.installed, |document, id| {
        document.relate("SPDXRef-image", "CONTAINS", id);
    });
    if let Some(build) = subject.build {
        document.installed("build", build, |document, id| {
            document.relate(id, "BUILD_DEPENDENCY_OF", "SPDXRef-image");
        });
    }
    let text = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.reference.to_string(),
        "documentNamespace": namespace(subject),
        "creationInfo": {
            "created": subject.created,
            "creators": [format!("Tool: drvc-{}", env!("CARGO_PKG_VERSION"))],
        },
        "comment": gaps(subject),
        "packages": document.packages,
        "relationships": document.relationships,
    });
    serde_json::to_vec(&text).unwrap_or_default()
}

/// What is not in the document, in words.
fn gaps(subject: &Subject<'_>) -> String {
    let mut text = "Licences are not concluded.".to_owned();
    if subject.build.is_none() {
        text += " The packages of the stages that the image was built in are not listed: it was built in another run.";
    }
    for unread in subject.installed.unread.iter().chain(subject.build.iter().flat_map(|build| &build.unread))
    {
        text = text + " " + unread + ".";
    }
    text
}

/// A URI that no other document has: a UUID (version 8, RFC 9562) of what the document is about.
fn namespace(subject: &Subject<'_>) -> String {
    let build = if subject.build.is_some() { "built" } else { "found" };
    let name = format!("drvc {} {} {build} {}", env!("CARGO_PKG_VERSION"), subject.digest, subject.reference);
    let mut bytes: Vec<u8> = Sha256::digest(name).iter().take(16).copied().collect();
    for (at, keep, set) in [(6, 0x0f, 0x80), (8, 0x3f, 0x80)] {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = *byte & keep | set;
        }
    }
    let hex = hex(&bytes);
    let part = |range| hex.get(range).unwrap_or_default();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

impl Document {
    fn relate(&mut self, from: &str, how: &str, to: &str) {
        self.relationships
            .push(json!({"spdxElementId": from, "relationshipType": how, "relatedSpdxElement": to}));
    }

    /// Adds a package; `more` are the fields that only some have.
    fn add(&mut self, id: &str, name: &str, purpose: &str, more: Value) {
        let mut package = json!({
            "SPDXID": id,
            "name": name,
            "downloadLocation": NOTHING,
            "filesAnalyzed": false,
            "licenseConcluded": NOTHING,
            "licenseDeclared": NOTHING,
            "copyrightText": NOTHING,
            "primaryPackagePurpose": purpose,
        });
        if let (Some(package), Value::Object(more)) = (package.as_object_mut(), more) {
            package.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.packages.push(package);
    }

    fn image(&mut self, subject: &Subject<'_>) {
        let purl =
            format!("{}&arch={}", image_purl(subject.reference, Some(subject.digest.as_str())), subject.arch);
        self.add(
            "SPDXRef-image",
            subject.reference.repository(),
            "CONTAINER",
            json!({
                "versionInfo": subject.reference.tag(),
                "checksums": [checksum("sha256", subject.digest.as_str().trim_start_matches("sha256:"))],
                "externalRefs": [purl_reference(&purl)],
            }),
        );
    }

    fn materials(&mut self, materials: &[Material]) {
        let mut sources = Vec::new();
        for (number, material) in materials.iter().enumerate() {
            let (word, purpose) = match material.kind {
                MaterialKind::Base => ("base", "CONTAINER"),
                MaterialKind::BuildBase => ("build-base", "CONTAINER"),
                MaterialKind::Source => ("source", "SOURCE"),
                MaterialKind::Patch(_) => ("patch", "SOURCE"),
            };
            let id = format!("SPDXRef-{word}-{number}");
            let purl = material.uri.as_deref().filter(|uri| uri.starts_with("pkg:"));
            let location = material.uri.as_deref().filter(|_| purl.is_none());
            let sum = material.digest.as_ref().filter(|(kind, _)| *kind == "sha256");
            // A checksum of the format would have to be longer for SPDX's own tools to take it.
            let local = material.digest.as_ref().filter(|(kind, _)| *kind == "blake3");
            let local = local.map(|(_, sum)| format!("beside the manifest; BLAKE3 {sum}"));
            self.add(
                &id,
                &material.name,
                purpose,
                json!({
                    "versionInfo": material.version,
                    "downloadLocation": location.unwrap_or(NOTHING),
                    "checksums": sum.map(|(kind, sum)| vec![checksum(kind, sum)]),
                    "externalRefs": purl.map(|purl| vec![purl_reference(purl)]),
                    "sourceInfo": local,
                }),
            );
            match material.kind {
                MaterialKind::Base => self.relate("SPDXRef-image", "DESCENDANT_OF", &id),
                MaterialKind::BuildBase => self.relate(&id, "BUILD_DEPENDENCY_OF", "SPDXRef-image"),
                MaterialKind::Source => {
                    self.relate("SPDXRef-image", "GENERATED_FROM", &id);
                    sources.push(id);
                }
                MaterialKind::Patch(source) => {
                    if let Some(source) = sources.get(source).cloned() {
                        self.relate(&id, "PATCH_FOR", &source);
                    }
                }
            }
        }
    }

    fn modules(&mut self, subject: &Subject<'_>) {
        for (number, packed) in subject.driver.built().enumerate() {
            let id = format!("SPDXRef-module-{number}");
            let path = format!("/{}", packed.path);
            let sum = subject.sums.get(&packed.path).map(|sum| vec![checksum("sha256", sum)]);
            self.add(
                &id,
                &packed.module.name,
                "DEVICE",
                json!({
                    "versionInfo": packed.module.version,
                    "packageFileName": path,
                    "checksums": sum,
                    "comment": described(packed),
                }),
            );
            self.relate("SPDXRef-image", "CONTAINS", &id);
        }
    }

    fn installed(&mut self, word: &str, packages: &Packages, relate: fn(&mut Self, &str)) {
        for (number, package) in packages.installed.iter().enumerate() {
            let id = format!("SPDXRef-{word}-{number}");
            let purl = purl(package, packages.system.as_ref());
            self.add(
                &id,
                &package.name,
                "LIBRARY",
                json!({
                    "versionInfo": package.version,
                    "sourceInfo": package.source.as_ref().map(|source| format!("built from {source}")),
                    "externalRefs": [purl_reference(&purl)],
                }),
            );
            relate(self, &id);
        }
    }
}

/// What a module says of itself, and who signed it.
fn described(packed: &Packed) -> String {
    let module = &packed.module;
    let fields = [
        ("kernel module", module.vermagic.as_deref()),
        ("srcversion", module.srcversion.as_deref()),
        ("licence", module.license.as_deref()),
        ("signed by", module.signature.as_ref().map(|signature| signature.signer.as_str())),
        ("with", module.signature.as_ref().map(|signature| signature.hash.as_str())),
    ];
    let said = fields.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?.trim())));
    let unsigned = module.signature.is_none().then(|| "not signed".to_owned());
    said.chain(unsigned).collect::<Vec<_>>().join("; ")
}

/// `pkg:deb/debian/NAME@VERSION?…`, as the package URL's types of `deb` and `rpm` have it.
fn purl(package: &Installed, system: Option<&(String, String)>) -> String {
    let (kind, version, epoch) = match (package.format, package.version.split_once(':')) {
        (Format::Rpm, Some((epoch, version))) => ("rpm", version, Some(epoch)),
        (Format::Rpm, None) => ("rpm", package.version.as_str(), None),
        (Format::Deb, _) => ("deb", package.version.as_str(), None),
    };
    let id = system.map_or("", |(id, _)| id.as_str());
    // The vendor of Red Hat's systems goes by another name than its system.
    let namespace = match id {
        "" => String::new(),
        "rhel" => "redhat/".to_owned(),
        other => escaped(other) + "/",
    };
    let epoch = epoch.map(|epoch| format!("&epoch={}", escaped(epoch))).unwrap_or_default();
    let distro = system.map(|(id, version)| format!("&distro={}-{}", escaped(id), escaped(version)));
    format!(
        "pkg:{kind}/{namespace}{}@{}?arch={}{epoch}{}",
        escaped(&package.name),
        escaped(version),
        escaped(&package.arch),
        distro.unwrap_or_default()
    )
}

fn purl_reference(purl: &str) -> Value {
    json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl})
}

fn checksum(kind: &str, sum: &str) -> Value {
    json!({"algorithm": kind.to_ascii_uppercase(), "checksumValue": sum})
}
