//! What the template of each kind of node is given: flags, lists and strings.

use super::install::{Install, Repository};
use crate::ids::{EnvName, ImageRef};
use crate::model::{Download, InTree, SignatureHash};
use crate::plan::{
    self as plan, BuildCommand, Edge, Fetched, Graph, ImageStage, KernelStage, KeyHandle, ModuleStage, Node,
    NodeId, PackageInstall, Revision, RuntimeBase, SignStage, SourceStage, StepCommand, ToolkitStage,
};
use serde::Serialize;
use serde_json::Value;

/// The template of a node; `None` for an image from a registry, which has no text.
pub(super) const fn template(node: &Node) -> Option<&'static str> {
    match node {
        Node::Base(_) | Node::ToolkitBase(_) => None,
        Node::Tools(_) => Some("tools"),
        Node::Toolkit(_) => Some("toolkit"),
        Node::Fetch(_) => Some("fetch"),
        Node::Download(_) => Some("download"),
        Node::Root(_) => Some("root"),
        Node::Sign(_) => Some("sign"),
        Node::Kernel(_) => Some("kernel"),
        Node::Source(_) => Some("source"),
        Node::Module(_) => Some("module"),
        Node::Image(_) => Some("image"),
    }
}

/// What the template of a node is given. `toolkit` is the reference of the toolkit that it stands on, where it does.
pub(super) fn of(graph: &Graph, id: NodeId, toolkit: Option<&ImageRef>) -> Value {
    let below = |edge: Edge| {
        let inputs = graph.inputs(id);
        let found = inputs.into_iter().find(|(_, found)| *found == edge);
        found.map(|(input, _)| graph.node(input).stage()).unwrap_or_default()
    };
    let context = match graph.node(id) {
        Node::Base(_) | Node::ToolkitBase(_) => Ok(Value::Null),
        Node::Root(install) => {
            serde_json::to_value(Root::new(below(Edge::From), below(Edge::Files), install))
        }
        Node::Sign(stage) => serde_json::to_value(Sign::new(stage)),
        Node::Tools(stage) | Node::Fetch(stage) | Node::Download(stage) => {
            serde_json::to_value(OnBase::new(below(Edge::From), stage))
        }
        Node::Toolkit(stage) => serde_json::to_value(Toolkit::new(below(Edge::From), stage)),
        Node::Kernel(stage) => {
            let from = toolkit.map_or_else(|| below(Edge::From), ImageRef::to_string);
            serde_json::to_value(Kernel::new(from, stage))
        }
        Node::Source(stage) => serde_json::to_value(Source::new(stage)),
        Node::Module(stage) => serde_json::to_value(Module::new(stage)),
        Node::Image(stage) => serde_json::to_value(Image::new(below(Edge::Runtime), stage)),
    };
    // Structs of strings, flags and lists always serialize.
    context.unwrap_or(Value::Null)
}

/// Items in rows that keep lines under 120 columns; the first row begins at column `start` of its line.
pub(super) fn rows<T>(
    items: impl Iterator<Item = T>,
    width_of: impl Fn(&T) -> usize,
    start: usize,
) -> Vec<Vec<T>> {
    let mut rows = vec![Vec::new()];
    let mut width = start;
    for item in items {
        let item_width = width_of(&item);
        match rows.last_mut() {
            Some(row) if width + item_width <= 105 => row.push(item),
            _ => {
                width = 8;
                rows.push(vec![item]);
            }
        }
        width += item_width;
    }
    rows
}

#[derive(Serialize)]
struct OnBase {
    base: String,
    repositories: Vec<Repository>,
    #[serde(flatten)]
    install: Install,
}

impl OnBase {
    fn new(base: String, stage: &plan::OnBase) -> Self {
        Self {
            base,
            repositories: Repository::all(&stage.repositories, stage.install.manager),
            install: Install::new(&stage.install),
        }
    }
}

/// Context of `root`.
#[derive(Serialize)]
struct Root {
    base: String,
    micro: String,
    #[serde(flatten)]
    install: Install,
}

impl Root {
    fn new(base: String, micro: String, install: &PackageInstall) -> Self {
        Self { base, micro, install: Install::new(install) }
    }
}

/// Context of `sign`.
#[derive(Serialize)]
struct Sign {
    modules: Vec<String>,
    certificate: String,
    secret: Option<String>,
    uri: Option<String>,
    pin: Option<String>,
    hash: Option<&'static str>,
    serial: String,
    #[serde(flatten)]
    install: Install,
}

impl Sign {
    fn new(stage: &SignStage) -> Self {
        let (secret, uri, pin) = match &stage.key {
            KeyHandle::Secret(id) => (Some(id.to_string()), None, None),
            KeyHandle::Token(uri, pin) => (None, Some(uri.clone()), pin.as_ref().map(ToString::to_string)),
        };
        Self {
            modules: stage.modules.iter().map(|name| name.as_str().to_ascii_lowercase()).collect(),
            certificate: stage.certificate.0.to_string(),
            secret,
            uri,
            pin,
            hash: stage.hash.map(SignatureHash::name),
            serial: stage.serial.clone(),
            install: Install::new(&stage.install),
        }
    }
}

#[derive(Serialize)]
struct Kernel {
    from: String,
    kernel: String,
    kernel_dir: String,
    arch: String,
    dtk: bool,
    repositories: Vec<Repository>,
    #[serde(flatten)]
    install: Install,
}

impl Kernel {
    fn new(from: String, stage: &KernelStage) -> Self {
        Self {
            from,
            kernel: stage.kernel.to_string(),
            kernel_dir: stage.kernel_dir.to_string(),
            arch: stage.arch.to_string(),
            dtk: stage.driver_toolkit,
            repositories: Repository::all(&stage.repositories, stage.install.manager),
            install: Install::new(&stage.install),
        }
    }
}

/// Context of `toolkit`. The kernel's own modules are in `in_tree`.
#[derive(Serialize)]
struct Toolkit {
    from: String,
    kernel: String,
    kernel_dir: String,
    compiler: String,
    in_tree: Install,
    kernel_version: String,
    rt_kernel_version: String,
    rhel_version: String,
    labels: Vec<Vec<Pair>>,
    #[serde(flatten)]
    install: Install,
}

impl Toolkit {
    fn new(from: String, stage: &ToolkitStage) -> Self {
        Self {
            from,
            kernel: stage.kernel.to_string(),
            kernel_dir: stage.kernel_dir.to_string(),
            compiler: stage.compiler.as_ref().map_or("gcc".into(), ToString::to_string),
            in_tree: Install::new(&stage.in_tree),
            kernel_version: stage.kernel_version.clone(),
            rt_kernel_version: stage.rt_kernel_version.clone(),
            rhel_version: stage.rhel_version.clone(),
            labels: Pair::rows(Pair::all(stage.labels.iter().map(|(name, value)| (name, value))), 6),
            install: Install::new(&stage.install),
        }
    }
}

#[derive(Serialize)]
struct Source {
    name: String,
    plain: bool,
    from: &'static str,
    path: Option<String>,
    git: Option<Git>,
    download: Option<Downloaded>,
    image: Option<OtherImage>,
    patches: Vec<Patch>,
    #[serde(flatten)]
    install: Install,
}

#[derive(Serialize)]
struct Downloaded {
    url: String,
    file: String,
    sha256: Option<String>,
    archive: bool,
    strip: u32,
    srpm: bool,
}

#[derive(Serialize)]
struct OtherImage {
    from: String,
    dir: String,
}

#[derive(Serialize)]
struct Git {
    url: String,
    #[serde(rename = "ref")]
    reference: String,
    pinned: bool,
    submodules: bool,
}

#[derive(Serialize)]
struct Patch {
    file: String,
    strip: u32,
    n: usize,
}

impl Source {
    fn new(stage: &SourceStage) -> Self {
        let (mut path, mut git, mut download, mut image) = (None, None, None, None);
        match &stage.origin {
            Fetched::Path { dir, .. } => path = Some(dir.to_string()),
            Fetched::Image { image: from, dir } => {
                image = Some(OtherImage { from: from.to_string(), dir: dir.to_string() });
            }
            Fetched::Download { kind, url, sha256, file } => {
                let (archive, strip) = match kind {
                    Download::Archive { strip } => (true, *strip),
                    Download::File | Download::Srpm => (false, 0),
                };
                download = Some(Downloaded {
                    url: url.to_string(),
                    file: file.to_string(),
                    sha256: sha256.as_ref().map(ToString::to_string),
                    archive,
                    strip,
                    srpm: *kind == Download::Srpm,
                });
            }
            Fetched::Git { url, revision, submodules } => {
                let (reference, pinned) = match revision {
                    Revision::Commit(commit) => (commit.to_string(), true),
                    Revision::Unpinned(reference) => (reference.clone(), false),
                };
                git = Some(Git { url: url.to_string(), reference, pinned, submodules: *submodules });
            }
        }
        let patches = stage.patches.iter().zip(1..);
        let patches = patches.map(|(patch, n)| Patch { file: patch.file.to_string(), strip: patch.strip, n });
        Self {
            name: stage.name.to_string(),
            plain: (path.is_some() || image.is_some()) && stage.patches.is_empty(),
            from: if download.is_some() { "download" } else { "fetch" },
            path,
            git,
            download,
            image,
            patches: patches.collect(),
            install: Install::new(&stage.install),
        }
    }
}

#[derive(Serialize)]
struct Pair {
    name: String,
    value: String,
}

impl Pair {
    /// Pairs in rows, the first of which begins at column `start`.
    fn rows(pairs: Vec<Self>, start: usize) -> Vec<Vec<Self>> {
        rows(pairs.into_iter(), |pair| pair.name.len() + pair.value.len() + 4, start)
    }

    fn all<'p>(pairs: impl IntoIterator<Item = (&'p (impl ToString + 'p), &'p String)>) -> Vec<Self> {
        pairs.into_iter().map(|(name, value)| Self { name: name.to_string(), value: value.clone() }).collect()
    }
}

#[derive(Serialize)]
struct Module {
    name: String,
    source: String,
    dir: String,
    needs: Vec<String>,
    symvers: Vec<String>,
    env: Vec<Pair>,
    steps: Vec<Step>,
    check_apart: bool,
    outputs: Vec<String>,
    optional: Vec<String>,
    check_config: bool,
    config: Vec<String>,
    not_config: Vec<String>,
    prebuilt: bool,
    #[serde(flatten)]
    install: Install,
}

#[derive(Default, Serialize)]
struct Step {
    kbuild: bool,
    symvers: bool,
    compiler: Option<String>,
    make: Option<Make>,
    run: Option<Vec<String>>,
    script: Option<String>,
}

#[derive(Serialize)]
struct Make {
    targets: Vec<String>,
    vars: Vec<Vec<Pair>>,
}

impl Module {
    fn new(stage: &ModuleStage) -> Self {
        let needs = !stage.extra_symbols.is_empty();
        let steps = match &stage.build {
            BuildCommand::Kbuild => {
                let compiler = stage.compiler.as_ref().map(ToString::to_string);
                vec![Step { kbuild: true, symvers: needs, compiler, ..Step::default() }]
            }
            BuildCommand::Prebuilt => Vec::new(),
            BuildCommand::Steps(steps) => steps.iter().map(|step| Step::new(step, stage)).collect(),
        };
        let outputs = |optional: bool| {
            let outputs = stage.outputs.iter().filter(move |(_, is_optional)| *is_optional == optional);
            outputs.map(|(glob, _)| glob.clone()).collect()
        };
        let config = |set: bool| {
            let rules = stage.requires_config.iter().filter(move |rule| rule.set == set);
            rules.map(|rule| rule.name.to_string()).collect()
        };
        Self {
            name: stage.name.as_str().to_ascii_lowercase(),
            source: stage.source.to_string(),
            dir: stage.dir.to_string(),
            needs: stage.built.iter().map(|name| name.as_str().to_ascii_lowercase()).collect(),
            symvers: stage.extra_symbols.iter().map(ToString::to_string).collect(),
            env: Pair::all(stage.env.iter().map(|(name, value)| (name, value))),
            check_apart: steps.last().is_none_or(|step| step.script.is_some()),
            steps,
            outputs: outputs(false),
            optional: outputs(true),
            check_config: !stage.requires_config.is_empty(),
            config: config(true),
            not_config: config(false),
            prebuilt: stage.build == BuildCommand::Prebuilt,
            install: Install::new(&stage.install),
        }
    }
}

impl Step {
    fn new(step: &StepCommand, stage: &ModuleStage) -> Self {
        match step {
            StepCommand::Make { targets, variables } => Self::make(targets, variables, stage),
            StepCommand::Run(words) => Self { run: Some(words.clone()), ..Self::default() },
            StepCommand::Script(script) => Self { script: Some(script.clone()), ..Self::default() },
        }
    }

    /// What the kernel's compiler and other modules' symbols need is added to the variables. A makefile that sets the
    /// variable of the symbols itself has its neighbours in mind as its own tree has them.
    fn make(targets: &[String], variables: &[(EnvName, String)], stage: &ModuleStage) -> Self {
        let mut vars = Pair::all(variables.iter().map(|(name, value)| (name, value)));
        if let Some(compiler) = &stage.compiler
            && !vars.iter().any(|var| var.name == "CC")
        {
            vars.push(Pair { name: "CC".into(), value: compiler.to_string() });
        }
        let symvers =
            !stage.extra_symbols.is_empty() && !vars.iter().any(|var| var.name == "KBUILD_EXTRA_SYMBOLS");
        let start =
            20 + if symvers { 46 } else { 0 } + targets.iter().map(|target| target.len() + 3).sum::<usize>();
        let make = Make { targets: targets.to_vec(), vars: Pair::rows(vars, start) };
        Self { make: Some(make), symvers, ..Self::default() }
    }
}

/// Context of `pack` and `runtime`. The package manager's flags are the builder's in `builder` and the runtime
/// image's beside it.
#[derive(Serialize)]
struct Image {
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
    fn new(base: String, stage: &ImageStage) -> Self {
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
