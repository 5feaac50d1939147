//! From a compilation and the outputs of an earlier one to the recipe of a target's key, and to the first thing in
//! it that changed.
//!
//! 1. [`why`] puts down the recipe of each stage, as [`crate::compiler::keys`] hashes it.
//! 2. [`Before::read`] takes what the last compilation left: `plan.json` has the fingerprints of the stages and the
//!    digests of the files, the Dockerfile has the instructions. Only files whose seal holds are believed.
//! 3. [`first_change`] finds the first stage with another fingerprint, and in it the first instruction or file.

use crate::compiler::compile::Compiled;
use crate::compiler::inputs::Why as LeftWhy;
use crate::compiler::keys::recipe;
use crate::compiler::outputs::{ContextFile, PlanJson};
use crate::compiler::plan::{Fetched, Node, NodeId, SourceStage, Target};
use crate::compiler::render::{Instruction, read_instructions};
use crate::compiler::seal::{self, Form};
use crate::system::fs::{ReadError, Tree};
use crate::text::ids::RelPath;
use schemars::JsonSchema;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeMap;

/// The largest output that is read, in bytes.
const LIMIT: u64 = 1 << 30;

/// Why a target has the key that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "drvc why")]
pub struct Why {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// The target's id.
    pub target: String,
    /// Its key: the fingerprint of its last stage.
    pub key: String,
    /// The first thing that is not as in the output directory.
    pub change: Change,
    /// The recipe: every stage, each after those that it uses.
    pub stages: Vec<StageRecipe>,
}

/// What a stage's fingerprint is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StageRecipe {
    /// The stage's name in the Dockerfile; the image itself for one from a registry.
    pub name: String,
    /// What it is for: `base`, `tools`, `fetch`, `download`, `kernel`, `source`, `reuse`, `module`, `sign`, `root` or
    /// `image`.
    pub kind: String,
    /// The first 16 digits of its fingerprint.
    pub fingerprint: String,
    /// The stages that it uses.
    pub inputs: Vec<Input>,
    /// Its instructions, without comments and wrapping.
    pub instructions: Vec<String>,
    /// The files of the build context that it copies.
    pub files: Vec<ContextFile>,
    /// What stands beside them and is no source, sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<NoSource>,
}

/// A file or directory that no stage copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoSource {
    /// Path relative to the manifest's directory.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// What a path source leaves out, but for what the manifest or a `.gitignore` names.
fn left_out(node: &Node) -> Vec<NoSource> {
    let Node::Source(SourceStage { origin: Fetched::Path { tree, .. }, .. }) = node else {
        return Vec::new();
    };
    let left = tree.left.iter().filter(|left| left.why != LeftWhy::Ignored);
    left.map(|left| NoSource { path: left.path.clone(), reason: left.why.to_string() }).collect()
}

/// A stage that another uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Input {
    /// How: `from`, `toolkit`, `runtime`, `files`, `symbols` or `reuse`.
    pub edge: String,
    /// The name of the stage that is used.
    pub stage: String,
    /// The first 16 digits of its fingerprint.
    pub fingerprint: String,
}

/// The first thing in a recipe that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// Nothing: the outputs have this very key.
    Nothing,
    /// There is nothing to compare with.
    NoOutputs {
        /// Why.
        reason: String,
    },
    /// A stage that was not there before.
    NewStage {
        /// Its name.
        stage: String,
    },
    /// An instruction.
    Instruction {
        /// The stage that it is in.
        stage: String,
        /// What it was; absent where it is new.
        before: Option<String>,
        /// What it is; absent where it is gone.
        after: Option<String>,
    },
    /// A file of the build context.
    File {
        /// The stage that copies it.
        stage: String,
        /// What it was; absent where it is new.
        before: Option<ContextFile>,
        /// What it is; absent where it is gone.
        after: Option<ContextFile>,
    },
    /// The references that it is pushed as; what is built is the same.
    Tags {
        /// What they were.
        before: Vec<String>,
        /// What they are.
        after: Vec<String>,
    },
    /// Comments or wrapping in its Dockerfile; what is built is the same.
    Layout,
    /// Something in a stage that the outputs do not tell.
    Untold {
        /// The stage's name.
        stage: String,
    },
}

/// The recipe of a target of `compiled`, and what changed in it since the outputs beneath `out` were written.
#[must_use]
pub fn why(compiled: &Compiled, target: &Target, tree: &dyn Tree, out: &RelPath) -> Why {
    why_since(&Earlier::read(tree, out), compiled, target, tree, out)
}

/// The same for one of many targets: the plan of the outputs is read once for all.
#[must_use]
pub fn why_since(
    earlier: &Earlier,
    compiled: &Compiled,
    target: &Target,
    tree: &dyn Tree,
    out: &RelPath,
) -> Why {
    let ancestry = compiled.plan.graph.ancestry(target.root);
    let stages: Vec<_> = ancestry.into_iter().filter_map(|id| stage_recipe(compiled, id)).collect();
    let key = compiled.fingerprints.get(target.root.index()).map(ToString::to_string).unwrap_or_default();
    let change = match Before::read(earlier, target, tree, out) {
        Ok(before) if before.key == key => Change::Nothing,
        Ok(before) => first_change(&stages, &before),
        Err(reason) => Change::NoOutputs { reason },
    };
    Why { version: 1, target: target.id.to_string(), key, change, stages }
}

fn stage_recipe(compiled: &Compiled, id: NodeId) -> Option<StageRecipe> {
    let graph = &compiled.plan.graph;
    let stage = compiled.stages.get(id.index())?;
    let recipe = recipe(graph, id, stage, &compiled.fingerprints);
    let inputs = graph.inputs(id).iter().copied().zip(&recipe.inputs);
    let inputs = inputs.map(|((input, _), (edge, fingerprint))| Input {
        edge: edge.name().into(),
        stage: graph.node(input).stage(),
        fingerprint: fingerprint.short(),
    });
    Some(StageRecipe {
        inputs: inputs.collect(),
        left_out: left_out(graph.node(id)),
        kind: recipe.kind.into(),
        fingerprint: compiled.fingerprints.get(id.index())?.short(),
        instructions: stage.instructions().into_iter().map(|instruction| instruction.0).collect(),
        files: recipe.files.iter().map(|(path, content)| ContextFile::new(path, content)).collect(),
        name: recipe.name,
    })
}

/// The first thing that is not the same in a target of one compilation and a target of another.
#[must_use]
pub fn difference(before: (&Compiled, &Target), after: (&Compiled, &Target)) -> Change {
    let stages = |(compiled, target): (&Compiled, &Target)| -> Vec<(String, NodeId, String)> {
        let graph = &compiled.plan.graph;
        let rendered = graph.ancestry(target.root).into_iter().filter_map(|id| {
            let text = compiled.stages.get(id.index()).filter(|stage| !stage.text.is_empty());
            text.and_then(|_| {
                Some((graph.node(id).stage(), id, compiled.fingerprints.get(id.index())?.short()))
            })
        });
        rendered.collect()
    };
    let (old, new) = (stages(before), stages(after));
    let known = |name: &String| old.iter().find(|(stage, ..)| stage == name);
    let changed = new.iter().filter(|(name, _, key)| known(name).is_none_or(|(.., old)| old != key));
    let changes = changed.map(|(stage, id, _)| {
        let stage = stage.clone();
        let Some((_, old_id, _)) = known(&stage) else { return Change::NewStage { stage } };
        let (Some(old), Some(new)) = (stage_recipe(before.0, *old_id), stage_recipe(after.0, *id)) else {
            return Change::Untold { stage };
        };
        if let Some((before, after)) = first_difference(&old.instructions, &new.instructions) {
            return Change::Instruction { stage, before, after };
        }
        match file_difference(&old.files, &new.files) {
            Some((before, after)) => Change::File { stage, before, after },
            None => Change::Untold { stage },
        }
    });
    first_told(changes).unwrap_or_else(|| without_stages(before.1, after.1, &old, &new))
}

/// The first of these. An earlier kernel's image that is tried has another name whenever it is another one, mostly for what
/// changed in this target too: that is told where nothing else is.
fn first_told(changes: impl Iterator<Item = Change>) -> Option<Change> {
    let mut another_image = None;
    for change in changes {
        match &change {
            Change::Instruction { stage, before: Some(before), after: Some(after) }
                if stage == "reuse" && before.starts_with("FROM ") && after.starts_with("FROM ") =>
            {
                another_image = another_image.or(Some(change));
            }
            Change::Untold { .. } if another_image.is_some() => {}
            _ => return Some(change),
        }
    }
    another_image
}

/// What differs between two targets none of whose stages is another one: one may be gone.
fn without_stages(
    before: &Target,
    after: &Target,
    old: &[(String, NodeId, String)],
    new: &[(String, NodeId, String)],
) -> Change {
    if before.tags != after.tags {
        let texts = |target: &Target| target.tags.iter().map(ToString::to_string).collect();
        return Change::Tags { before: texts(before), after: texts(after) };
    }
    let gone = old.iter().find(|(name, ..)| !new.iter().any(|(stage, ..)| stage == name));
    match gone {
        Some((stage, ..)) => Change::Untold { stage: stage.clone() },
        None => Change::Layout,
    }
}

/// The first file that differs, by path.
fn file_difference(
    old: &[ContextFile],
    new: &[ContextFile],
) -> Option<(Option<ContextFile>, Option<ContextFile>)> {
    let by_path = |files: &[ContextFile]| -> BTreeMap<String, ContextFile> {
        files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (old, new) = (by_path(old), by_path(new));
    let mut paths: Vec<_> = old.keys().chain(new.keys()).collect();
    paths.sort();
    let path = paths.into_iter().find(|path| old.get(*path) != new.get(*path))?;
    Some((old.get(path).cloned(), new.get(path).cloned()))
}

/// The plan of the outputs as an earlier compilation left it; or why there is none.
pub struct Earlier(Result<PlanJson, String>);

impl Earlier {
    /// Reads it beneath the output directory.
    #[must_use]
    pub fn read(tree: &dyn Tree, out: &RelPath) -> Self {
        let of_other = |_| format!("`{out}/plan.json` was written by another version of drvc");
        let plan = sealed(tree, out, "plan.json");
        Self(plan.and_then(|plan| serde_json::from_str(&plan).map_err(of_other)))
    }
}

/// A target as an earlier compilation left it.
struct Before {
    key: String,
    /// Each stage's name and fingerprint, in order.
    stages: Vec<(String, String)>,
    /// By the name of the stage; `None` where the Dockerfile is not to be believed.
    instructions: Option<BTreeMap<String, Vec<String>>>,
    files: BTreeMap<String, ContextFile>,
}

impl Before {
    fn read(earlier: &Earlier, target: &Target, tree: &dyn Tree, out: &RelPath) -> Result<Self, String> {
        let PlanJson { targets, contexts, .. } = earlier.0.as_ref().map_err(String::clone)?;
        let found = targets.iter().find(|old| old.id == target.id.as_str());
        let old = found.ok_or_else(|| "this target is new".to_owned())?;
        let files = old.contexts.iter().filter_map(|name| contexts.get(name)).flatten();
        let stages = old.stages.iter().map(|stage| (stage.name.clone(), stage.fingerprint.clone()));
        let stages: Vec<_> = stages.collect();
        let text = sealed(tree, out, &format!("{}/Dockerfile", target.id));
        let instructions = text.ok().and_then(|text| read_instructions(&text).ok());
        Ok(Self {
            key: old.key.clone(),
            instructions: instructions.map(|instructions| by_stage(instructions, &stages)),
            files: files.map(|file| (file.path.clone(), file.clone())).collect(),
            stages,
        })
    }
}

/// An output whose seal holds.
fn sealed(tree: &dyn Tree, out: &RelPath, name: &str) -> Result<String, String> {
    let path = out.join(name).map_err(|rule| rule.to_string())?;
    let bytes = match tree.read(&path, LIMIT) {
        Ok(found) => found.value,
        Err(ReadError::Absent) => return Err("nothing was compiled here before".into()),
        Err(error) => return Err(format!("`{path}` cannot be read: {error}")),
    };
    match seal::verify(Form::of(path.as_str()), &bytes) {
        Some(_) => String::from_utf8(bytes).map_err(|_| format!("`{path}` is not text")),
        None => Err(format!("`{path}` was edited since drvc wrote it")),
    }
}

/// The instructions of each stage. The image and `reuse` have two `FROM`s: what no stage is called belongs to the next one.
fn by_stage(instructions: Vec<Instruction>, stages: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stage = stages.last().map(|(name, _)| name.as_str()).unwrap_or_default();
    let mut open = Vec::new();
    for Instruction(text) in instructions.into_iter().rev() {
        if let Some(from) = text.strip_prefix("FROM ") {
            let name = from.rsplit_once(" AS ").map_or("", |(_, name)| name);
            stage = stages.iter().find(|(stage, _)| stage == name).map_or(stage, |(stage, _)| stage);
            open.push(text);
            all.entry(stage.to_owned()).or_default().append(&mut open);
        } else {
            open.push(text);
        }
    }
    all.entry(stage.to_owned()).or_default().append(&mut open);
    all.values_mut().for_each(|instructions| instructions.reverse());
    all
}

/// The first stage that is not what it was, and the first thing in it.
fn first_change(stages: &[StageRecipe], before: &Before) -> Change {
    let known = |stage: &StageRecipe| before.stages.iter().find(|(name, _)| *name == stage.name);
    let rendered = stages.iter().filter(|stage| !stage.instructions.is_empty());
    let changed = rendered.filter(|stage| known(stage).is_none_or(|(_, old)| *old != stage.fingerprint));
    let changes = changed.map(|stage| {
        let name = stage.name.clone();
        if known(stage).is_none() {
            return Change::NewStage { stage: name };
        }
        if let Some((before, after)) = changed_instruction(stage, before) {
            return Change::Instruction { stage: name, before, after };
        }
        match changed_file(stage, stages, before) {
            Some((before, after)) => Change::File { stage: name, before, after },
            None => Change::Untold { stage: name },
        }
    });
    first_told(changes).unwrap_or_else(|| {
        let stage = stages.last().map(|stage| stage.name.clone()).unwrap_or_default();
        Change::Untold { stage }
    })
}

fn changed_instruction(stage: &StageRecipe, before: &Before) -> Option<(Option<String>, Option<String>)> {
    first_difference(before.instructions.as_ref()?.get(&stage.name)?, &stage.instructions)
}

fn first_difference(old: &[String], new: &[String]) -> Option<(Option<String>, Option<String>)> {
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    let change = ops.into_iter().find(|op| !matches!(op, DiffOp::Equal { .. }))?;
    let first = |lines: &[String], range: std::ops::Range<usize>| lines.get(range)?.first().cloned();
    Some((first(old, change.old_range()), first(new, change.new_range())))
}

/// The first file of the stage that differs, or the first that is gone: files that no stage copies any more.
fn changed_file(
    stage: &StageRecipe,
    stages: &[StageRecipe],
    before: &Before,
) -> Option<(Option<ContextFile>, Option<ContextFile>)> {
    let here = stage.files.iter().find(|file| before.files.get(&file.path) != Some(*file));
    let copied: Vec<&ContextFile> = stages.iter().flat_map(|stage| &stage.files).collect();
    let gone = before.files.values().find(|old| !copied.iter().any(|file| file.path == old.path));
    match (here, gone) {
        (Some(new), Some(old)) if old.path < new.path => Some((Some(old.clone()), None)),
        (Some(new), _) => Some((before.files.get(&new.path).cloned(), Some(new.clone()))),
        (None, old) => Some((Some(old?.clone()), None)),
    }
}
