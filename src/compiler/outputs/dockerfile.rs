//! From stages to files: a Dockerfile and its ignore file for each target and toolkit, `plan.json` and `keys`.

use super::ignore_file::ignore_file;
use super::{PlanJson, PlanSecret, key_list};
use crate::compiler::outputs::{Output, Outputs, Rope};
use crate::compiler::plan::{Fetched, Node, NodeId, Plan, SourceStage};
use crate::compiler::render::Stage;
use crate::system::fs::Hash;
use crate::text::ids::{Arch, RelPath};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

/// The files of every target, and those that are there once. `manifest` and `out` are as the header names them.
#[must_use]
pub fn outputs(plan: &Plan, stages: &[Stage], json: &PlanJson, manifest: &RelPath, out: &RelPath) -> Outputs {
    let parts = Parts { plan, stages, manifest, out, ignored: RwLock::default() };
    let targets = plan.targets.par_iter().zip(&json.targets).flat_map_iter(|(target, described)| {
        let header = Header {
            id: &target.id,
            arch: target.at.arch,
            tags: &described.tags,
            secrets: &described.secrets,
        };
        parts.files(&header, target.root)
    });
    let toolkits = plan.toolkits.par_iter().zip(&json.toolkits).flat_map_iter(|(toolkit, described)| {
        let header = Header {
            id: &toolkit.id,
            arch: toolkit.at.arch,
            tags: std::slice::from_ref(&described.reference),
            secrets: &described.secrets,
        };
        parts.files(&header, toolkit.root)
    });
    let mut outputs: Outputs = targets.chain(toolkits).collect::<Vec<_>>().into_iter().collect();
    for (name, text) in [
        ("plan.json", json.to_rope()),
        (key_list::NAME, key_list::key_list(json)),
        (".gitattributes", "# Reviews fold away what is generated.\n* linguist-generated\n".into()),
    ] {
        outputs.extend(RelPath::parse(name).ok().map(|path| (path, text)));
    }
    let scripts: BTreeMap<_, _> =
        stages.iter().flat_map(|stage| &stage.scripts).map(|script| (script.name, script)).collect();
    for script in scripts.into_values() {
        if let Ok(path) = RelPath::parse(&script.path()) {
            outputs.insert(path, Rope::from(script.text));
        }
    }
    outputs
}

/// What Dockerfiles are put together from.
struct Parts<'p> {
    plan: &'p Plan,
    stages: &'p [Stage],
    manifest: &'p RelPath,
    out: &'p RelPath,
    /// Ignore files by the lists of files that they let in.
    ignored: RwLock<BTreeMap<Vec<Hash>, Arc<str>>>,
}

/// What the head of a Dockerfile says of how it is built.
struct Header<'h> {
    id: &'h RelPath,
    arch: Arch,
    tags: &'h [String],
    secrets: &'h [PlanSecret],
}

impl Parts<'_> {
    /// The Dockerfile whose last stage is `root`, and its ignore file.
    fn files(&self, header: &Header<'_>, root: NodeId) -> impl Iterator<Item = (RelPath, Output)> + use<> {
        let blank: Arc<str> = "\n".into();
        let mut dockerfile = Rope::from(self.header(header));
        let ancestry = self.plan.graph.ancestry(root);
        for stage in ancestry.iter().filter_map(|id| self.stages.get(id.index())) {
            if stage.text.is_empty() {
                continue;
            }
            dockerfile.push(Arc::clone(&blank));
            dockerfile.push(Arc::clone(&stage.text));
        }
        let file = |name: &str, text: Rope| {
            let path = header.id.join(name).ok()?;
            let output = Output::new(&path, text);
            Some((path, output))
        };
        let mut ignore = Rope::from(self.ignore_file(&ancestry));
        ignore.push(self.scripts(&ancestry));
        file("Dockerfile", dockerfile).into_iter().chain(file("Dockerfile.dockerignore", ignore))
    }

    /// The ignore file of these stages: made once for all targets that copy the same files.
    fn ignore_file(&self, ancestry: &[NodeId]) -> Arc<str> {
        let stages = ancestry.iter().filter_map(|id| Some((*id, self.stages.get(id.index())?)));
        let stages: Vec<_> = stages.filter(|(_, stage)| !stage.files.is_empty()).collect();
        let lists: Vec<_> = stages.iter().map(|(_, stage)| *stage.files.digest()).collect();
        if let Some(known) = self.ignored.read().unwrap_or_else(PoisonError::into_inner).get(&lists) {
            return Arc::clone(known);
        }
        let trees: Vec<_> = stages
            .iter()
            .filter_map(|(id, _)| match self.plan.graph.node(*id) {
                Node::Source(SourceStage { origin: Fetched::Path { dir, tree }, .. }) => Some((dir, tree)),
                _ => None,
            })
            .collect();
        let files = stages.iter().flat_map(|(_, stage)| stage.files.iter().map(|(path, _)| path));
        let text: Arc<str> = ignore_file(&trees, files).into();
        self.ignored.write().unwrap_or_else(PoisonError::into_inner).entry(lists).or_insert(text).clone()
    }

    /// The lines of an ignore file that let in the scripts of these stages, and the authorities.
    fn scripts(&self, ancestry: &[NodeId]) -> String {
        let stages = ancestry.iter().filter_map(|id| self.stages.get(id.index()));
        let stages: Vec<_> = stages.collect();
        let authorities: BTreeSet<_> = stages.iter().filter_map(|stage| stage.authority.as_ref()).collect();
        let names: BTreeSet<_> =
            stages.iter().flat_map(|stage| &stage.scripts).map(|script| script.path()).collect();
        let scripts = names.iter().map(|name| ["!", self.out.as_str(), "/", name, "\n"].concat());
        authorities.iter().map(|file| format!("!{file}\n")).chain(scripts).collect()
    }

    /// What made the file, and the command that builds it in its directory. Only values of narrow grammars stand in it.
    /// Secrets are files named by their ids in the directory `$S`, beside the project unless said.
    fn header(&self, header: &Header<'_>) -> String {
        let mut text = String::new();
        let secrets = header.secrets.iter();
        let secrets: String =
            secrets.map(|secret| format!("#   --secret id={0},src=$S/{0} \\\n", secret.id)).collect();
        let depth = self.out.as_str().split('/').count() + header.id.as_str().split('/').count();
        let project = vec![".."; depth].join("/");
        let tags = header.tags.iter().map(|tag| format!("-t {tag}"));
        let _ = write!(
            text,
            "# Made by drvc from {}: do not edit, run `drvc compile`. To build it, in this directory:\n\
             # {}podman build --platform linux/{} -f Dockerfile --ignorefile Dockerfile.dockerignore \\\n\
             {secrets}#   {} {project}\n",
            self.manifest,
            if header.secrets.is_empty() { String::new() } else { format!("S=${{S:-{project}/..}}\n# ") },
            header.arch.oci(),
            tags.collect::<Vec<_>>().join(" \\\n#   "),
        );
        text
    }
}
