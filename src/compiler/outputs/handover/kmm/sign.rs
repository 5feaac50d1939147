//! What KMM signs in the cluster: the files of an image, by their paths.

use super::Resources;
use super::versions::GLOBS;
use crate::compiler::model::KmmSign;
use crate::compiler::outputs::handover::{Files, Inputs};
use crate::compiler::plan::{ModuleStage, Node, Target};
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::ImageRef;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

impl Resources<'_> {
    /// Whether the cluster's KMM is known to take patterns of files to sign.
    pub(super) fn takes_patterns(&self) -> bool {
        self.settings.version.is_some_and(|(version, _)| version >= GLOBS)
    }

    /// Lets KMM sign what is in `image`, into another one.
    pub(super) fn sign(
        &self,
        value: &mut Map<String, Value>,
        sign: &KmmSign,
        signed: &[String],
        image: &ImageRef,
        builds: bool,
    ) {
        // What is pinned to a digest alone is signed into a tag of the digest's own name.
        let tag = image.tag().unwrap_or_else(|| image.as_str().rsplit(':').next().unwrap_or_default());
        value.insert("containerImage".into(), json!(format!("{}:{tag}_signed", image.repository())));
        let mut section = Map::new();
        section.insert("keySecret".into(), json!({ "name": sign.key }));
        section.insert("certSecret".into(), json!({ "name": sign.certificate }));
        if !builds {
            section.insert("unsignedImage".into(), json!(image.as_str()));
        }
        section.insert("filesToSign".into(), json!(signed));
        value.insert("sign".into(), Value::Object(section));
    }
}

/// The paths of a target's modules in its image. Where a KMM takes patterns, what only a build knows is one.
pub(super) fn signed(resources: &Resources<'_>, target: &Target, files: &mut Files) -> Option<Vec<String>> {
    let inputs = resources.inputs;
    let updates = format!("/opt/lib/modules/{}/updates", target.at.kernel);
    let mut paths = BTreeSet::new();
    for stage in modules(inputs, target) {
        for (output, optional) in &stage.outputs {
            let name = output.rsplit('/').next().unwrap_or_default();
            let name = name.split_once(".ko").map_or(name, |(name, _)| name);
            if *optional || name.contains(['*', '?', '[']) {
                if resources.takes_patterns() {
                    return Some(vec![format!("{updates}/*.ko")]);
                }
                let span = inputs.model.modules.iter().find(|module| module.name == stage.name)?.span;
                files.diagnostics.push(
                    Diagnostic::new(Code::AmbiguousMapping, format!("KMM cannot sign `{output}` of module `{}`", stage.name))
                        .label(span, "whether and how many files it is, only the build knows")
                        .label(target.span, "for this kernel")
                        .help(format!(
                            "name each file by an `output` of its own, under `on` where only some kernels have it, sign with `signing`, \
                             or write `version \"{GLOBS}\"` into `kmm` where the cluster's is no older, since that one takes patterns"
                        )),
                );
                return None;
            }
            paths.insert(format!("{updates}/{name}.ko"));
        }
    }
    Some(paths.into_iter().collect())
}

/// The modules that are built for a target.
fn modules<'a>(inputs: &Inputs<'a>, target: &Target) -> Vec<&'a ModuleStage> {
    let (mut open, mut seen, mut found) = (vec![target.root], BTreeSet::new(), Vec::new());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            if let Node::Module(stage) = inputs.plan.graph.node(id) {
                found.push(&**stage);
            }
            open.extend(inputs.plan.graph.inputs(id).iter().copied().map(|(input, _)| input));
        }
    }
    found
}
