//! A target, what it was built from and this run -> an in-toto statement with SLSA provenance (`slsa.dev/provenance/v1`).

use super::materials::{Material, hex};
use crate::images::build::PROVENANCE;
use crate::text::ids::{Digest, ImageRef};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// How drvc builds: the parameters are those of this format.
const BUILD_TYPE: &str = "urn:drvc:build:1";

/// What a run knows of itself.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// A URI of whoever is to be trusted for the build.
    pub builder: String,
    /// The engine's name.
    pub engine: String,
    /// The names of the options that it was given; their values may be secrets.
    pub options: Vec<String>,
    /// The manifest's path.
    pub manifest: String,
    /// What `--set` has given.
    pub settings: Vec<String>,
    /// The manifest, what it includes, and the lock: their paths and SHA-256.
    pub files: Vec<(String, String)>,
    /// When the run began and when the image was attested, as RFC 3339 has it.
    pub began: String,
    pub ended: String,
}

/// What was built.
pub struct BuiltTarget<'a> {
    pub id: &'a str,
    pub key: &'a str,
    pub reference: &'a ImageRef,
    pub digest: &'a Digest,
    /// The path and the text of the Dockerfile.
    pub dockerfile: (&'a str, &'a str),
    /// The ids of the secrets that the build was given.
    pub secrets: Vec<&'a str>,
    /// Base images that no digest pins, each with the id that it had: `NAME=ID`, with blanks between.
    pub unpinned: Option<&'a str>,
    pub materials: &'a [Material],
    /// The name and the SHA-256 of each other document that was made with this one.
    pub beside: &'a [(String, String)],
}

/// The statement; its predicate is in `predicate`.
#[must_use]
pub fn statement(built: &BuiltTarget<'_>, run: &RunFacts) -> Value {
    let sha256 = built.digest.as_str().trim_start_matches("sha256:");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": built.reference.repository(), "digest": {"sha256": sha256}}],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "manifest": run.manifest,
                    "target": built.id,
                    "settings": run.settings,
                    "engineOptions": run.options,
                    "secrets": built.secrets,
                },
                "internalParameters": {
                    "key": built.key,
                    "engine": run.engine,
                    "dockerfile": {"name": built.dockerfile.0, "sha256": sum(built.dockerfile.1.as_bytes())},
                },
                "resolvedDependencies": dependencies(built, run),
            },
            "runDetails": {
                "builder": {"id": run.builder, "version": {"drvc": env!("CARGO_PKG_VERSION")}},
                "metadata": {
                    "invocationId": format!("{}@{}", built.key, run.began),
                    "startedOn": run.began,
                    "finishedOn": run.ended,
                },
                "byproducts": built.beside.iter()
                    .map(|(name, sum)| json!({"name": name, "digest": {"sha256": sum}}))
                    .collect::<Vec<_>>(),
            },
        },
    })
}

fn dependencies(built: &BuiltTarget<'_>, run: &RunFacts) -> Vec<Value> {
    let files = run.files.iter().map(|(name, sum)| json!({"name": name, "digest": {"sha256": sum}}));
    let materials = built.materials.iter().map(|material| {
        let mut entry = Map::new();
        entry.insert("name".into(), json!(material.name));
        if let Some(uri) = &material.uri {
            entry.insert("uri".into(), json!(uri));
        }
        if let Some((kind, digest)) = &material.digest {
            entry.insert("digest".into(), json!({*kind: digest}));
        }
        Value::Object(entry)
    });
    // What was found under a tag: an engine tells the id of an image, which is the digest of its configuration.
    let unpinned = built.unpinned.into_iter().flat_map(|text| text.split(' '));
    let unpinned = unpinned.filter_map(|word| word.rsplit_once('='));
    let unpinned = unpinned
        .map(|(name, id)| json!({"name": format!("configuration of {name}"), "digest": {"sha256": id}}));
    files.chain(materials).chain(unpinned).collect()
}

/// The SHA-256 of some bytes.
#[must_use]
pub fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
