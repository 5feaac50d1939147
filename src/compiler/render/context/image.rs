//! Images into what their templates are given: the files in them, what loads the modules, and labels.

use super::Pair;
use crate::compiler::model::InTree;
use crate::compiler::plan::{ImageStage, PackageInstall, RuntimeBase};
use crate::compiler::render::Site;
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
    scripts: Vec<Vec<String>>,
    replaces: Vec<String>,
    load: Vec<String>,
    files: Vec<Extra>,
    labels: Vec<Vec<Pair>>,
    recorded: bool,
    #[serde(flatten)]
    install: Install,
}

#[derive(Serialize)]
struct Extra {
    from: String,
    glob: String,
    to: String,
}

impl Image {
    pub(super) fn new(base: String, stage: &ImageStage, scripts: Vec<Vec<String>>) -> Self {
        let load: Vec<_> = stage.load.iter().map(ToString::to_string).collect();
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
            builder: Install::from_column(&stage.in_tree_install, 72),
            base,
            signed: stage.signed,
            micro: stage.base == RuntimeBase::Micro,
            own: stage.base == RuntimeBase::Own,
            conf: stage.modprobe_config.clone(),
            scripts,
            replaces: stage.replaces.iter().map(ToString::to_string).collect(),
            load: command(stage),
            files: files.collect(),
            labels: Pair::rows(Pair::all(stage.labels.iter().map(|(name, value)| (name, value))), 6),
            recorded: stage.recorded,
            install: Install::new(&stage.runtime_install),
        }
    }
}

impl Image {
    /// The same where a site has mirrors: of `images`, which files come from, and of packages.
    pub(super) fn mirrored(&mut self, site: &Site<'_>, images: impl Iterator<Item = String>) {
        let images: Vec<_> = images.collect();
        for extra in self.files.iter_mut().filter(|extra| images.contains(&extra.from)) {
            extra.from = site.mirrors.image_name(&extra.from, extra.from.contains('@'));
        }
        self.install.mirrored = site.is_prepared();
    }
}

/// The words of the command that loads the modules, where any are loaded.
fn command(stage: &ImageStage) -> Vec<String> {
    if !stage.loads_by_script() {
        return Vec::new();
    }
    let mut words = vec!["/opt/bin/drvc-load"];
    words.extend(stage.firmware.then_some("--firmware"));
    words.extend(stage.replaces.iter().flat_map(|kmod| ["--replaces", kmod.as_str()]));
    words.extend(stage.load.iter().map(AsRef::as_ref));
    words.into_iter().map(Into::into).collect()
}
