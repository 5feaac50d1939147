//! From stages to files: a Dockerfile and its ignore file for each target and toolkit, `plan.json` and `keys`.

use super::{PlanJson, PlanSecret, key_list};
use crate::compiler::outputs::{Output, Outputs, Rope};
use crate::compiler::plan::{NodeId, Plan};
use crate::compiler::render::Stage;
use crate::text::ids::{Arch, RelPath};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The files of every target, and those that are there once. `manifest` and `out` are as the header names them.
#[must_use]
pub fn outputs(plan: &Plan, stages: &[Stage], json: &PlanJson, manifest: &RelPath, out: &RelPath) -> Outputs {
    let parts = Parts { plan, stages, manifest, out };
    let targets = plan.targets.par_iter().zip(&json.targets).flat_map_iter(|(target, described)| {
        let header =
            Header { id: &target.id, arch: target.arch, tags: &described.tags, secrets: &described.secrets };
        parts.files(&header, target.root)
    });
    let toolkits = plan.toolkits.par_iter().zip(&json.toolkits).flat_map_iter(|(toolkit, described)| {
        let header = Header {
            id: &toolkit.id,
            arch: toolkit.arch,
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
    outputs
}

/// What Dockerfiles are put together from.
struct Parts<'p> {
    plan: &'p Plan,
    stages: &'p [Stage],
    manifest: &'p RelPath,
    out: &'p RelPath,
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
        let mut ignored = BTreeMap::new();
        for stage in self.plan.graph.ancestry(root).iter().filter_map(|id| self.stages.get(id.index())) {
            if stage.text.is_empty() {
                continue;
            }
            dockerfile.push(Arc::clone(&blank));
            dockerfile.push(Arc::clone(&stage.text));
            ignored.extend(stage.files.iter().map(|(path, _)| (path.as_str(), ())));
        }
        let file = |name: &str, text: &Rope| {
            let path = header.id.join(name).ok()?;
            let output = Output::new(&path, text);
            Some((path, output))
        };
        let ignore = Rope::from(ignore_file(ignored.keys().copied()));
        file("Dockerfile", &dockerfile).into_iter().chain(file("Dockerfile.dockerignore", &ignore))
    }

    /// What made the file, and the command that builds it. Only values of narrow grammars stand in it. Secrets are files
    /// named by their ids in the directory `$S`, outside of the project unless said.
    fn header(&self, header: &Header<'_>) -> String {
        let mut text = String::new();
        let secrets = header.secrets.iter();
        let secrets: String =
            secrets.map(|secret| format!("#   --secret id={0},src=$S/{0} \\\n", secret.id)).collect();
        let tags = header.tags.iter().map(|tag| format!("-t {tag}"));
        let _ = write!(
            text,
            "# Made by drvc from {}: do not edit, run `drvc compile`. To build it where that file lies:\n\
             # D={}/{}{}\n\
             # podman build --platform linux/{} --ignorefile $D/Dockerfile.dockerignore -f $D/Dockerfile \\\n\
             {secrets}#  {} .\n",
            self.manifest,
            self.out,
            header.id,
            if header.secrets.is_empty() { "" } else { " S=${S:-..}" },
            header.arch.oci(),
            tags.collect::<Vec<_>>().join(" "),
        );
        text
    }
}

/// Lets in exactly the files that stages copy.
fn ignore_file<'p>(paths: impl Iterator<Item = &'p str>) -> String {
    let mut text = String::from("# The build context: these files and no other.\n*\n");
    for path in paths {
        let _ = writeln!(text, "!{path}");
    }
    text
}
