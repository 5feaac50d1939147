//! From stages to files: a Dockerfile and its ignore file for each target, and `plan.json`.

use super::PlanJson;
use crate::fingerprint::Fingerprint;
use crate::ids::RelPath;
use crate::outputs::{Output, Outputs, Rope};
use crate::plan::{Plan, Target};
use crate::render::Stage;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// The files of every target, and `plan.json`. `manifest` and `out` are as the header names them.
#[must_use]
pub fn outputs(
    plan: &Plan,
    stages: &[Stage],
    keys: &[Fingerprint],
    json: &PlanJson,
    manifest: &RelPath,
    out: &RelPath,
) -> Outputs {
    let blank: Arc<str> = "\n".into();
    let files = plan.targets.par_iter().flat_map_iter(|target| {
        let mut dockerfile = Rope::from(header(plan, target, manifest, out));
        let mut ignored = BTreeMap::new();
        for stage in plan.graph.ancestry(target.root).iter().filter_map(|id| stages.get(id.index())) {
            if stage.text.is_empty() {
                continue;
            }
            dockerfile.push(Arc::clone(&blank));
            dockerfile.push(Arc::clone(&stage.text));
            ignored.extend(stage.files.iter().map(|(path, _)| (path.as_str(), ())));
        }
        if let Some(key) = keys.get(target.root.index()) {
            dockerfile.push(format!("LABEL dev.drvc.key='{key}'\n"));
        }
        let file = |name: &str, text: &Rope| {
            let path = target.id.join(name).ok()?;
            let output = Output::new(&path, text);
            Some((path, output))
        };
        let ignore = Rope::from(ignore_file(ignored.keys().copied()));
        file("Dockerfile", &dockerfile).into_iter().chain(file("Dockerfile.dockerignore", &ignore))
    });
    let mut outputs: Outputs = files.collect::<Vec<_>>().into_iter().collect();
    if let Ok(path) = RelPath::parse("plan.json") {
        outputs.insert(path, &json.to_rope());
    }
    outputs
}

/// What made the file, and the command that builds it. Only values of narrow grammars stand in it. Secrets are files
/// named by their ids in the directory `$S`, outside of the project unless said.
fn header(plan: &Plan, target: &Target, manifest: &RelPath, out: &RelPath) -> String {
    let mut text = String::new();
    let tags: String = target.tags.iter().fold(String::new(), |mut tags, tag| {
        let _ = write!(tags, " -t {tag}");
        tags
    });
    let ancestry = plan.graph.ancestry(target.root);
    let secrets = ancestry.iter().flat_map(|id| plan.graph.node(*id).secrets());
    let secrets: BTreeSet<_> = secrets.map(|(id, _)| id.as_str()).collect();
    let directory = if secrets.is_empty() { "" } else { " S=${S:-..}" };
    let secrets: String = secrets.iter().map(|id| format!("#   --secret id={id},src=$S/{id} \\\n")).collect();
    let _ = write!(
        text,
        "# Made by drvc from {manifest}: do not edit, run `drvc compile`. To build it where that file lies:\n\
         # D={out}/{}{directory}\n\
         # podman build --platform linux/{} --ignorefile $D/Dockerfile.dockerignore -f $D/Dockerfile \\\n\
         {secrets}# {tags} .\n",
        target.id,
        target.arch.oci(),
    );
    text
}

/// Lets in exactly the files that stages copy.
fn ignore_file<'p>(paths: impl Iterator<Item = &'p str>) -> String {
    let mut text = String::from("# The build context: these files and no other.\n*\n");
    for path in paths {
        let _ = writeln!(text, "!{path}");
    }
    text
}
