//! An image in its registry -> proofs of its origin, attached to it: what is in it (SPDX), and how it was built (SLSA).
//!
//! 1. [`materials`] says what a target's Dockerfile pins, [`Packages::read`] what is installed in some files.
//! 2. [`spdx::document`] and [`provenance::statement`] make documents of that.
//! 3. [`Attester::attest`] attaches them to the image as artifacts that refer to it, and lets cosign sign.
//! 4. [`check::read_back`] reads what is attached to an image, and holds it against the image.

pub mod check;
mod cosign;
mod installed;
mod materials;
mod provenance;
mod spdx;

pub use cosign::Cosign;
pub use installed::Packages;
pub use provenance::{RunFacts, sum};

use crate::compiler::compile::Compiled;
use crate::compiler::plan::{Node, Target};
use crate::images::build::{PREDICATE, PROVENANCE, Proofs, STATEMENT, StageFiles, files_of_stages};
use crate::images::engine::{BASE_LABEL, local_name};
use crate::images::image::{Image, from_registry};
use crate::images::verify::Driver;
use crate::knowledge::profile::PackageManager;
use crate::system::oci::{Attachment, ImageConfig, Registry};
use crate::text::error::Error;
use crate::text::ids::{Digest, ImageRef, RelPath, Repository};
use materials::materials;
use provenance::BuiltTarget;
use serde_json::Value;
use sha2::Digest as _;
use spdx::SPDX;
use std::collections::BTreeMap;
use std::io::Read as _;

/// What a file of the list of contents is called.
const LIST: &str = "sbom.spdx.json";
/// A time where an image does not say its own.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// What is attached to images, and with what.
pub struct Attester<'a> {
    pub registry: &'a Registry,
    pub sbom: bool,
    /// What is said of the run; nothing where no provenance is asked for.
    pub run: Option<RunFacts>,
    pub cosign: Option<Cosign>,
    /// How the stages of a build are read.
    pub stages: StageFiles<'a>,
}

/// An image of a target, as its registry has it.
struct Pushed<'a> {
    at: usize,
    target: &'a Target,
    /// As it is tagged, and by its digest.
    own: &'a ImageRef,
    image: ImageRef,
    digest: Digest,
    config: ImageConfig,
    /// Whether this run has built it.
    is_new: bool,
}

impl Attester<'_> {
    /// Attaches what is asked for to the image of a target that its registry has under `own`, and says what that was.
    /// Without `is_new`, this run has not built it: then it only gets a list of what is in it, unless it has one.
    ///
    /// # Errors
    /// The registry has another image than the engine has built, or refuses; the stages cannot be read; cosign fails.
    pub fn attest(&self, at: usize, own: &ImageRef, is_new: bool) -> Result<Vec<&'static str>, Error> {
        let absent = || Error::new("attest", own.as_str(), "its registry does not have it");
        let target = self.stages.compiled.plan.targets.get(at).ok_or_else(absent)?;
        let found = self.registry.image_for(own, target.at.arch)?;
        let (digest, manifest, config) = found.ok_or_else(absent)?;
        if is_new {
            self.require_same(own, &digest, &manifest.config.digest)?;
        }
        let repository = repository_of(own)?;
        let image = with_digest(&repository, &digest)?;
        let subject = self.registry.manifest(&image)?;
        let pushed = Pushed { at, target, own, image, digest, config, is_new };
        let mut attached = Vec::new();
        let mut beside = Vec::new();
        if self.sbom && (is_new || !self.has_list(&repository, &pushed.digest)?) {
            let bytes = self.list(&pushed)?;
            beside.push((LIST.to_owned(), sum(&bytes)));
            self.sign(&pushed, "spdxjson", &bytes)?;
            self.registry.attach(&repository, &subject, &attachment(SPDX, LIST, bytes, None))?;
            attached.push("SPDX");
        }
        if let Some(run) = self.run.as_ref().filter(|_| is_new) {
            let statement = self.statement(&pushed, &beside, run);
            let bytes = |value| serde_json::to_vec(value).unwrap_or_default();
            let predicate = statement.get("predicate").map(bytes).unwrap_or_default();
            self.sign(&pushed, "slsaprovenance1", &predicate)?;
            let attachment = attachment(
                STATEMENT,
                "provenance.intoto.json",
                bytes(&statement),
                Some((PREDICATE, PROVENANCE)),
            );
            self.registry.attach(&repository, &subject, &attachment)?;
            attached.push("SLSA provenance");
        }
        if let Some(cosign) = self.cosign.as_ref().filter(|_| is_new) {
            cosign.sign(&pushed.image)?;
            attached.push("signature");
        }
        Ok(attached)
    }

    /// What an image must have so that it need not be built again.
    #[must_use]
    pub const fn proofs(&self) -> Proofs {
        Proofs { provenance: self.run.is_some(), signature: self.cosign.is_some() }
    }

    fn has_list(&self, repository: &Repository, image: &Digest) -> Result<bool, Error> {
        let all = self.registry.referrers(repository, image)?;
        Ok(all.iter().any(|one| one.artifact_type.as_deref() == Some(SPDX)))
    }

    fn sign(&self, pushed: &Pushed<'_>, kind: &str, predicate: &[u8]) -> Result<(), Error> {
        match self.cosign.as_ref().filter(|_| pushed.is_new) {
            Some(cosign) => cosign.attest(&pushed.image, kind, predicate),
            None => Ok(()),
        }
    }

    /// What was pushed must be what is there: somebody else may push to the same tag, or a registry may lie.
    fn require_same(&self, own: &ImageRef, digest: &Digest, config: &Digest) -> Result<(), Error> {
        let engine = self.stages.engine;
        let built = engine.inspect_one(&local_name(own, engine.kind()))?;
        let is_it = |there: &Digest| there.as_str().trim_start_matches("sha256:") == built.id;
        if is_it(config) || is_it(digest) {
            return Ok(());
        }
        let cause = format!("its registry has {config} there, and {} was built", built.id);
        Err(Error::new("attest", own.as_str(), cause).help("somebody else pushes to this tag: run it again"))
    }

    fn list(&self, pushed: &Pushed<'_>) -> Result<Vec<u8>, Error> {
        let found = from_registry(self.registry, &pushed.image, Some(pushed.target.at.arch))?;
        let image = found.ok_or_else(|| Error::new("fetch", pushed.image.as_str(), "it is gone"))?;
        let driver = Driver::read(&image, Some(pushed.target.at.kernel.as_str()));
        let build = if pushed.is_new { Some(self.build_packages(pushed)?) } else { None };
        Ok(spdx::document(&spdx::Subject {
            reference: pushed.own,
            digest: &pushed.digest,
            arch: &pushed.config.architecture,
            created: &created(pushed.config.created.as_deref()),
            materials: &materials(self.stages.compiled, pushed.target),
            sums: &sums(&image, &driver),
            driver: &driver,
            installed: &Packages::read(&image.root, ""),
            build: build.as_ref(),
        }))
    }

    /// What is installed in the stages that compile.
    fn build_packages(&self, pushed: &Pushed<'_>) -> Result<Packages, Error> {
        let stages = package_stages(self.stages.compiled, pushed.target);
        let at = &pushed.target.at;
        let mut all =
            Packages { system: Some((at.os.to_string(), at.release.to_string())), ..Packages::default() };
        if stages.is_empty() {
            return Ok(all);
        }
        let files = files_of_stages(&self.stages, pushed.at, &stages)?;
        for (stage, _) in &stages {
            let packages = Packages::read(&files.root, stage);
            all.installed.extend(packages.installed);
            all.unread.extend(packages.unread);
        }
        Ok(all)
    }

    fn statement(&self, pushed: &Pushed<'_>, beside: &[(String, String)], run: &RunFacts) -> Value {
        let compiled = self.stages.compiled;
        let plan = compiled.json().targets.get(pushed.at);
        let path = plan.map_or("", |plan| plan.dockerfile.as_str());
        let output = RelPath::parse(path).ok().and_then(|path| compiled.outputs().get(&path));
        let text = output.map(|output| output.text()).unwrap_or_default();
        let secrets = plan.map(|plan| plan.secrets.iter().map(|secret| secret.id.as_str()).collect());
        let built = BuiltTarget {
            id: pushed.target.id.as_str(),
            key: plan.map_or("", |plan| &plan.key),
            reference: pushed.own,
            digest: &pushed.digest,
            dockerfile: (path, &text),
            secrets: secrets.unwrap_or_default(),
            unpinned: pushed.config.config.labels.get(BASE_LABEL).map(String::as_str),
            materials: &materials(compiled, pushed.target),
            beside,
        };
        provenance::statement(&built, run)
    }
}

/// The stages of a target that packages are installed in, each with the place of its database.
fn package_stages(compiled: &Compiled, target: &Target) -> Vec<(String, String)> {
    let graph = &compiled.plan.graph;
    let install = |node: &Node| -> Option<PackageManager> {
        match node {
            Node::Kernel(stage) => Some(stage.install.manager),
            Node::Module(stage) if !stage.install.packages.is_empty() => Some(stage.install.manager),
            Node::Fetch(stage) | Node::Download(stage) => Some(stage.install.manager),
            _ => None,
        }
    };
    let stages = graph.ancestry(target.root).into_iter().map(|id| graph.node(id));
    let stage = |node: &Node| {
        let path = match install(node)? {
            PackageManager::Apt => installed::DPKG,
            _ => installed::RPM[0],
        };
        Some((node.stage(), path.to_owned()))
    };
    stages.filter_map(stage).collect()
}

/// The SHA-256 of each module's file, by its path.
fn sums(image: &Image, driver: &Driver) -> BTreeMap<String, String> {
    let sum = |path: &str| -> Option<String> {
        let mut file = image.root.part(image.root.get(path)?).ok()?;
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer).ok()? {
                0 => return Some(materials::hex(&hasher.finalize())),
                number => hasher.update(buffer.get(..number)?),
            }
        }
    };
    driver.built().filter_map(|packed| Some((packed.path.clone(), sum(&packed.path)?))).collect()
}

/// An image's time as SPDX has it: in UTC, without parts of a second.
fn created(text: Option<&str>) -> String {
    let whole = text.and_then(|text| text.get(..19));
    let shape = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits == 14 && text.as_bytes().get(10) == Some(&b'T')
    };
    match whole.filter(|whole| shape(whole) && text.is_some_and(|text| text.ends_with('Z'))) {
        Some(whole) => format!("{whole}Z"),
        None => EPOCH.to_owned(),
    }
}

fn attachment(kind: &str, title: &str, bytes: Vec<u8>, annotation: Option<(&str, &str)>) -> Attachment {
    let annotations = annotation.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Attachment { kind: kind.to_owned(), title: title.to_owned(), bytes, annotations: annotations.collect() }
}

fn repository_of(image: &ImageRef) -> Result<Repository, Error> {
    Repository::parse(image.repository()).map_err(|rule| Error::new("use", image.as_str(), rule.0))
}

fn with_digest(repository: &Repository, digest: &Digest) -> Result<ImageRef, Error> {
    let text = format!("{repository}@{digest}");
    ImageRef::parse(&text).map_err(|rule| Error::new("use", text, rule.0))
}
