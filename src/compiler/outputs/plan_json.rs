//! `plan.json`: every target on a line of its own, for programs.

use crate::compiler::inputs::Files;
use crate::compiler::keys::{Fingerprint, short_digest};
use crate::compiler::outputs::Rope;
use crate::compiler::plan::{Earlier, Excluded, Node, NodeId, Plan, Target, Toolkit};
use crate::compiler::render::Stage;
use crate::system::fs::{FileDigest, Form};
use crate::text::ids::{FilePath, RelPath};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanJson {
    /// Version of this format.
    pub version: u32,
    /// What the command line set in place of the manifest's values, each as `PATH=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Local files that targets are built from: each list once, by the name that `contexts` of targets refer to.
    pub contexts: BTreeMap<String, Vec<ContextFile>>,
    /// The toolkit images that targets stand on, sorted by id: to be built before those.
    #[serde(default)]
    pub toolkits: Vec<PlanToolkit>,
    /// The targets, sorted by id.
    pub targets: Vec<PlanTarget>,
    /// What the matrix excludes, and why.
    pub excluded: Vec<PlanExcluded>,
}

/// A file of the build context.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ContextFile {
    /// Path relative to the manifest's directory.
    pub path: String,
    /// Whether it is executable.
    pub executable: bool,
    /// Whether it is a symbolic link; its content is where it leads.
    #[serde(default, skip_serializing_if = "is_false")]
    pub link: bool,
    /// BLAKE3 of its content, in hexadecimal.
    pub digest: String,
}

/// A toolkit image: the packages of one kernel, shared by all targets for it. One that is there is never made
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanToolkit {
    /// `_toolkit/os-release-arch/kernel`
    pub id: String,
    /// The reference that it is pushed as and that targets name in `FROM`; its tag ends in 16 digits of the key.
    pub reference: String,
    /// The other reference, which the manifest's `tag` makes; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The distribution.
    pub os: String,
    /// Its release.
    pub release: String,
    /// What `uname -r` prints.
    pub kernel: String,
    /// The architecture, as `uname -m` prints it.
    pub arch: String,
    /// The key: it changes exactly when what is built changes.
    pub key: String,
    /// Path of the Dockerfile beneath the output directory.
    pub dockerfile: String,
    /// The names of the lists of its files in `contexts`; absent where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// The secrets that its build needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<PlanSecret>,
    /// Its stages, in the order in which they stand in the Dockerfile.
    pub stages: Vec<PlanStage>,
}

/// A secret that a build needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub struct PlanSecret {
    /// The id to hand it over by: `--secret id=ID,src=FILE`.
    pub id: String,
    /// What it holds, in words.
    #[serde(rename = "for")]
    pub purpose: String,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanTarget {
    /// `image/os-release-arch/kernel`
    pub id: String,
    /// The image's name.
    pub image: String,
    /// The distribution.
    pub os: String,
    /// Its release.
    pub release: String,
    /// What `uname -r` prints on its nodes.
    pub kernel: String,
    /// The architecture, as `uname -m` prints it.
    pub arch: String,
    /// The kernel's flavour.
    pub flavor: String,
    /// `dtk`, `toolkit` or `distro`
    pub builder: String,
    /// Other releases with the same kernel, which this target is for too.
    pub also: Vec<String>,
    /// What is not known for certain of its kernel and release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<String>,
    /// The references that it is pushed as.
    pub tags: Vec<String>,
    /// The key: it changes exactly when what is built changes.
    pub key: String,
    /// Path of the Dockerfile beneath the output directory.
    pub dockerfile: String,
    /// The names of the lists of its files in `contexts`; absent where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// The id of the toolkit that it stands on; absent where it stands on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolkit: Option<String>,
    /// Whether an earlier kernel's modules are tried on it; absent where its image has no `reuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<PlanReuse>,
    /// The secrets that its build needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<PlanSecret>,
    /// Its stages, in the order in which they stand in the Dockerfile.
    pub stages: Vec<PlanStage>,
}

/// What becomes of `reuse` for a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanReuse {
    /// `headers` or `abi`
    pub level: String,
    /// The id of the target whose modules are tried: to be built before this one; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The reference of its image, which the Dockerfile names; its tag ends in 16 digits of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why its modules are compiled, where none are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A cell that no target is made for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanExcluded {
    /// The image that is not built; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The distribution.
    pub os: String,
    /// Its release.
    pub release: String,
    /// The architecture, as `uname -m` prints it.
    pub arch: String,
    /// What `uname -r` prints.
    pub kernel: String,
    /// Why, in the manifest's words.
    pub reason: String,
}

/// A stage of a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PlanStage {
    /// Its name in the Dockerfile.
    pub name: String,
    /// The first 16 digits of its fingerprint.
    pub fingerprint: String,
}

/// Describes a plan.
#[must_use]
pub fn plan_json(plan: &Plan, stages: &[Stage], keys: &[Fingerprint]) -> PlanJson {
    let describe = Describe { plan, stages, keys };
    let toolkits: Vec<_> = plan.toolkits.par_iter().map(|toolkit| describe.toolkit(toolkit)).collect();
    let targets: Vec<_> = plan.targets.par_iter().map(|target| describe.target(target)).collect();
    let mut contexts = BTreeMap::new();
    for files in stages.iter().map(|stage| &stage.files).filter(|files| !files.is_empty()) {
        let list = || files.iter().map(|(path, content)| ContextFile::new(path, content)).collect();
        contexts.entry(context_name(files)).or_insert_with(list);
    }
    let excluded = plan.excluded.iter().map(describe_excluded).collect();
    PlanJson { version: 1, set: Vec::new(), contexts, toolkits, targets, excluded }
}

/// The name of a list of files.
fn context_name(files: &Files) -> String {
    short_digest(files.digest())
}

fn describe_excluded(cell: &Excluded) -> PlanExcluded {
    PlanExcluded {
        image: cell.image.as_ref().map(ToString::to_string),
        os: cell.at.os.to_string(),
        release: cell.at.release.to_string(),
        arch: cell.at.arch.to_string(),
        kernel: cell.at.kernel.to_string(),
        reason: cell.reason.clone(),
    }
}

/// What is known while a plan is described.
struct Describe<'p> {
    plan: &'p Plan,
    stages: &'p [Stage],
    keys: &'p [Fingerprint],
}

/// What targets and toolkits have in common.
struct Dockerfile {
    path: String,
    key: String,
    contexts: Vec<String>,
    secrets: Vec<PlanSecret>,
    stages: Vec<PlanStage>,
}

impl Describe<'_> {
    fn dockerfile(&self, id: &RelPath, root: NodeId) -> Dockerfile {
        let (mut described, mut secrets, mut contexts) = (Vec::new(), BTreeMap::new(), Vec::new());
        for id in self.plan.graph.ancestry(root) {
            let (Some(stage), Some(key)) = (self.stages.get(id.index()), self.keys.get(id.index())) else {
                continue;
            };
            let node = self.plan.graph.node(id);
            secrets
                .extend(node.secrets().into_iter().map(|(id, purpose)| (id.to_string(), purpose.to_owned())));
            if !stage.text.is_empty() {
                described.push(PlanStage { name: node.stage(), fingerprint: key.short() });
            }
            if !stage.files.is_empty() {
                contexts.push(context_name(&stage.files));
            }
        }
        contexts.sort();
        contexts.dedup();
        Dockerfile {
            path: id.join("Dockerfile").as_ref().map(RelPath::to_string).unwrap_or_default(),
            key: self.keys.get(root.index()).map(ToString::to_string).unwrap_or_default(),
            contexts,
            secrets: secrets.into_iter().map(|(id, purpose)| PlanSecret { id, purpose }).collect(),
            stages: described,
        }
    }

    fn target(&self, target: &Target) -> PlanTarget {
        let Dockerfile { path, key, contexts, secrets, stages } = self.dockerfile(&target.id, target.root);
        PlanTarget {
            id: target.id.to_string(),
            image: target.image.to_string(),
            os: target.at.os.to_string(),
            release: target.at.release.to_string(),
            kernel: target.at.kernel.to_string(),
            arch: target.at.arch.to_string(),
            flavor: target.at.flavor.to_string(),
            builder: target.builder.name().into(),
            also: target.merged.iter().map(|other| format!("{} {}", other.os, other.release)).collect(),
            unverified: target.unverified.clone(),
            tags: target.tags.iter().map(ToString::to_string).collect(),
            key,
            dockerfile: path,
            contexts,
            toolkit: target.toolkit.as_ref().map(RelPath::to_string),
            reuse: target.earlier.as_ref().map(|earlier| self.reuse(earlier)),
            secrets,
            stages,
        }
    }

    fn reuse(&self, earlier: &Earlier) -> PlanReuse {
        let first = earlier.first.as_ref().ok();
        PlanReuse {
            level: earlier.reuse.level.name().to_owned(),
            first: first.map(ToString::to_string),
            reference: first.and_then(|id| self.plan.name_of_first(id)).map(ToString::to_string),
            reason: earlier.first.as_ref().err().cloned(),
        }
    }

    fn toolkit(&self, toolkit: &Toolkit) -> PlanToolkit {
        let Dockerfile { path, key, contexts, secrets, stages } = self.dockerfile(&toolkit.id, toolkit.root);
        let reference = match self.plan.graph.node(toolkit.root) {
            Node::Toolkit(stage) => stage.reference(&key).map(String::from),
            _ => Ok(String::new()),
        };
        PlanToolkit {
            id: toolkit.id.to_string(),
            reference: reference.unwrap_or_default(),
            tag: toolkit.tag.as_ref().map(ToString::to_string),
            os: toolkit.at.os.to_string(),
            release: toolkit.at.release.to_string(),
            kernel: toolkit.at.kernel.to_string(),
            arch: toolkit.at.arch.to_string(),
            key,
            dockerfile: path,
            contexts,
            secrets,
            stages,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl ContextFile {
    /// Describes a file.
    #[must_use]
    pub fn new(path: &FilePath, content: &FileDigest) -> Self {
        Self {
            path: path.to_string(),
            executable: content.executable,
            link: content.form == Form::Link,
            digest: blake3::Hash::from_bytes(content.digest).to_hex().to_string(),
        }
    }
}

impl PlanJson {
    /// As `plan.json` is written: one target a line.
    #[must_use]
    pub fn to_rope(&self) -> Rope {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let mut rope = Rope::from(format!("{{\n\"version\": {},\n", self.version));
        if !self.set.is_empty() {
            rope.push(format!("\"set\": {},\n", json(serde_json::to_string(&self.set))));
        }
        rope.push("\"contexts\": {");
        for (at, (name, files)) in self.contexts.iter().enumerate() {
            let comma = if at == 0 { "\n" } else { ",\n" };
            rope.push(format!("{comma}\"{name}\": [\n"));
            let files: Vec<_> = files.iter().map(|file| json(serde_json::to_string(file))).collect();
            rope.push(files.join(",\n") + "\n]");
        }
        rope.push("\n},\n\"toolkits\": [");
        lines(&mut rope, &self.toolkits);
        rope.push("\n],\n\"targets\": [");
        lines(&mut rope, &self.targets);
        rope.push("\n],\n\"excluded\": [");
        lines(&mut rope, &self.excluded);
        rope.push("\n]\n}\n");
        rope
    }
}

/// The items of an array, one a line.
fn lines<T: Serialize + Sync>(rope: &mut Rope, items: &[T]) {
    let comma: Arc<str> = ",\n".into();
    let texts = items.par_iter().map(|item| serde_json::to_string(item).unwrap_or_default());
    for (at, text) in texts.collect::<Vec<_>>().into_iter().enumerate() {
        rope.push(if at == 0 { "\n".into() } else { Arc::clone(&comma) });
        rope.push(text);
    }
}

impl PlanJson {
    /// The place of the target whose modules are tried on this one, by the places of both.
    #[must_use]
    pub fn first_of(&self, target: usize) -> Option<usize> {
        let first = self.targets.get(target)?.reuse.as_ref()?.first.as_ref()?;
        self.targets.binary_search_by(|target| target.id.cmp(first)).ok()
    }
}
