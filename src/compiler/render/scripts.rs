//! The scripts that stages run: files of this project, written beneath the output directory and copied in from there.

use crate::compiler::plan::{Edge, Graph, Node, NodeId};
use crate::system::fs::Hash;
use crate::text::ids::RelPath;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// A script of `/drvc/bin`.
#[derive(Debug)]
pub struct Script {
    /// The name of its file.
    pub name: &'static str,
    /// What it says, in the language of `sh`.
    pub text: &'static str,
    digest: OnceLock<Hash>,
}

/// The directory of scripts within the output directory.
const DIRECTORY: &str = "build";

/// Where stages have them.
const BIN: &str = "/drvc/bin/";

macro_rules! script {
    ($name:literal) => {
        Script { name: $name, text: include_str!(concat!("scripts/", $name, ".sh")), digest: OnceLock::new() }
    };
}

static CHECK_KERNEL: Script = script!("check-kernel");
static CHECK_CONFIG: Script = script!("check-config");
static INSTALL_MODULE: Script = script!("install-module");
static KERNEL_COMPILER: Script = script!("kernel-compiler");
static WITH_SUBSCRIPTION: Script = script!("with-subscription");
static CHECK_REUSE: Script = script!("check-reuse");
static UNLESS_REUSED: Script = script!("unless-reused");
static WITH_LOGIN: Script = script!("with-login");
pub(super) static USE_MIRRORS: Script = script!("use-mirrors");
static SIGN: Script = script!("sign");
static FIND_IN_TREE: Script = script!("find-in-tree");
static PACK: Script = script!("pack");
static DRVC_LOAD: Script = script!("drvc-load");

impl Script {
    /// Those that the stage of a node brings in, once its packages are there. A kernel's stage has what all of its modules
    /// run.
    #[must_use]
    pub fn of(node: &Node) -> Vec<&'static Self> {
        match node {
            Node::Kernel(_) => vec![&CHECK_KERNEL, &INSTALL_MODULE],
            Node::Toolkit(_) => vec![&KERNEL_COMPILER],
            Node::Reuse(_) => vec![&CHECK_REUSE, &UNLESS_REUSED],
            Node::Module(module) if !module.requires_config.is_empty() => vec![&CHECK_CONFIG],
            Node::Source(source) if source.login().is_some() => vec![&WITH_LOGIN],
            Node::Sign(_) => vec![&SIGN],
            Node::Image(image) => {
                let record = image.recorded.then_some(&CHECK_REUSE);
                let load = image.loads_by_script().then_some(&DRVC_LOAD);
                [&FIND_IN_TREE, &PACK].into_iter().chain(record).chain(load).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the packages of its stage are installed with, unless a stage below brings that in already.
    #[must_use]
    pub fn before_packages(graph: &Graph, mut id: NodeId) -> Option<&'static Self> {
        needs_subscription(graph.node(id)).then_some(())?;
        // One text of a module's stage serves all kernels, whatever these are built on.
        while !matches!(graph.node(id), Node::Module(_)) {
            match graph.inputs(id).iter().find(|(_, edge)| matches!(edge, Edge::From | Edge::Toolkit)) {
                None => break,
                Some((from, _)) if needs_subscription(graph.node(*from)) => return None,
                Some((from, _)) => id = *from,
            }
        }
        Some(&WITH_SUBSCRIPTION)
    }

    /// BLAKE3 of its text.
    pub(super) fn digest(&self) -> &Hash {
        self.digest.get_or_init(|| blake3::hash(self.text.as_bytes()).into())
    }

    /// All there are.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [
            &CHECK_KERNEL,
            &CHECK_CONFIG,
            &INSTALL_MODULE,
            &KERNEL_COMPILER,
            &WITH_SUBSCRIPTION,
            &CHECK_REUSE,
            &UNLESS_REUSED,
            &WITH_LOGIN,
            &USE_MIRRORS,
            &SIGN,
            &FIND_IN_TREE,
            &PACK,
            &DRVC_LOAD,
        ]
        .into_iter()
    }

    /// Its path within the output directory.
    #[must_use]
    pub fn path(&self) -> String {
        [DIRECTORY, "/", self.name].concat()
    }
}

/// Whether packages of the node's stage come with a subscription that secrets give.
fn needs_subscription(node: &Node) -> bool {
    match node {
        Node::Tools(stage) | Node::Fetch(stage) | Node::Download(stage) => stage.install.has_secrets(),
        Node::Toolkit(stage) => stage.install.has_secrets(),
        Node::Kernel(stage) => stage.install.has_secrets(),
        Node::Source(stage) => stage.install.has_secrets(),
        Node::Module(stage) => stage.install.has_secrets(),
        Node::Sign(stage) => stage.install.has_secrets(),
        Node::Image(stage) => stage.in_tree_install.has_secrets(),
        Node::Base(_) | Node::ToolkitBase(_) | Node::Root(_) | Node::Reuse(_) => false,
    }
}

/// The words of the COPY that brings scripts into a stage: their paths beneath the output directory, and where to.
pub(super) fn words(scripts: &[&Script], out: &RelPath) -> Vec<String> {
    let paths = scripts.iter().map(|script| [out.as_str(), "/", DIRECTORY, "/", script.name].concat());
    paths.chain([BIN.to_owned()]).collect()
}

/// An instruction as keys see it: that COPY without the output directory's name, which changes nothing in an image.
pub(super) fn without_directory<'i>(instruction: &'i str, out: &RelPath) -> Cow<'i, str> {
    let Some(words) = instruction.strip_prefix("COPY ").filter(|words| words.starts_with(out.as_str()))
    else {
        return instruction.into();
    };
    let script = |word| {
        let path = str::strip_prefix(word, out.as_str())?.strip_prefix('/')?;
        path.strip_prefix(DIRECTORY)?.starts_with('/').then_some(path)
    };
    let mut text = String::with_capacity(instruction.len());
    text.push_str("COPY");
    words.split(' ').for_each(|word| text.extend([" ", script(word).unwrap_or(word)]));
    text.into()
}

/// A Dockerfile that needs no build context for its scripts: their text takes the place of the COPY that brings them.
#[must_use]
pub fn inline(dockerfile: &str, out: &RelPath) -> String {
    let start = format!("COPY {out}/{DIRECTORY}/");
    let (mut text, mut copied) = (String::with_capacity(dockerfile.len()), String::new());
    for line in dockerfile.split_inclusive('\n') {
        if copied.is_empty() && !line.starts_with(&start) {
            text.push_str(line);
            continue;
        }
        copied.push_str(line);
        if !line.trim_end().ends_with('\\') {
            let names =
                copied.split_whitespace().filter_map(|word| word.rsplit_once(&format!("{DIRECTORY}/")));
            let scripts = names.filter_map(|(_, name)| Script::all().find(|script| script.name == name));
            scripts.for_each(|script| write_out(&mut text, script));
            copied.clear();
        }
    }
    text + &copied
}

/// A RUN that writes a script, line by line: engines of these days do not all know heredocs.
fn write_out(text: &mut String, script: &Script) {
    text.push_str("RUN mkdir -p /drvc/bin && printf '%s\\n' \\\n");
    for line in script.text.lines() {
        let _ = writeln!(text, "    '{}' \\", line.replace('\'', r"'\''"));
    }
    let _ = writeln!(text, "    >{BIN}{}", script.name);
}
