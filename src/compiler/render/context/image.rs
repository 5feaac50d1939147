//! Images into what their templates are given: the files in them, what loads the modules, and labels.

use super::Pair;
use crate::compiler::model::InTree;
use crate::compiler::plan::{ImageStage, PackageInstall, RuntimeBase};
use crate::compiler::render::install::Install;
use serde::Serialize;

/// Context of `root`.
#[derive(Serialize)]
pub(super) struct Root {
    base: String,
    micro: String,
    #[serde(flatten)]
    install: Install,
}

impl Root {
    pub(super) fn new(base: String, micro: String, install: &PackageInstall) -> Self {
        Self { base, micro, install: Install::new(install) }
    }
}

/// Context of `pack` and `runtime`. The package manager's flags are the builder's in `builder` and the runtime
/// image's beside it.
#[derive(Serialize)]
pub(super) struct Image {
    image: String,
    modules: Vec<String>,
    wants: Vec<String>,
    in_tree_copy: bool,
    in_tree_none: bool,
    builder: Install,
    base: String,
    signed: bool,
    micro: bool,
    own: bool,
    conf: Vec<String>,
    load_script: Option<LoadScript>,
    load: Vec<String>,
    files: Vec<Extra>,
    labels: Vec<Vec<Pair>>,
    #[serde(flatten)]
    install: Install,
}

#[derive(Serialize)]
struct Extra {
    from: String,
    glob: String,
    to: String,
}

#[derive(Serialize)]
struct LoadScript {
    firmware: bool,
    replaces: Vec<String>,
    loads: Vec<String>,
    unloads: Vec<String>,
}

impl Image {
    pub(super) fn new(base: String, stage: &ImageStage) -> Self {
        let load: Vec<_> = stage.load.iter().map(ToString::to_string).collect();
        let by_script = !load.is_empty() && (load.len() > 1 || !stage.replaces.is_empty() || stage.firmware);
        let load_script = by_script.then(|| LoadScript {
            firmware: stage.firmware,
            replaces: stage.replaces.iter().map(ToString::to_string).collect(),
            loads: load.clone(),
            unloads: load.iter().rev().cloned().collect(),
        });
        let command = match load.as_slice() {
            [] => Vec::new(),
            _ if by_script => vec!["drvc-load".into()],
            words => {
                ["modprobe", "-d", "/opt"].into_iter().map(Into::into).chain(words.iter().cloned()).collect()
            }
        };
        let files = stage.files.iter().map(|extra| Extra {
            from: extra.from.clone(),
            glob: extra.glob.clone(),
            to: extra.to.to_string(),
        });
        Self {
            image: stage.name.to_string(),
            modules: stage.modules.iter().map(|name| name.as_str().to_ascii_lowercase()).collect(),
            wants: load.into_iter().chain(stage.softdeps.iter().map(ToString::to_string)).collect(),
            in_tree_copy: stage.in_tree == InTree::Copy,
            in_tree_none: stage.in_tree == InTree::None,
            builder: Install::from_column(&stage.in_tree_install, 90),
            base,
            signed: stage.signed,
            micro: stage.base == RuntimeBase::Micro,
            own: stage.base == RuntimeBase::Own,
            conf: stage.modprobe_config.clone(),
            load_script,
            load: command,
            files: files.collect(),
            labels: Pair::rows(Pair::all(stage.labels.iter().map(|(name, value)| (name, value))), 6),
            install: Install::new(&stage.runtime_install),
        }
    }
}
