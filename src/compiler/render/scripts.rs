//! The scripts that stages run: files of this project, written beneath the output directory and copied in from there.

use crate::compiler::plan::Node;
use crate::text::ids::RelPath;
use std::fmt::Write as _;

/// A script of `/drvc/bin`.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// The name of its file.
    pub name: &'static str,
    /// What it says, in the language of `sh`.
    pub text: &'static str,
}

/// The directory of scripts within the output directory.
const DIRECTORY: &str = "build";

/// Where stages have them.
const BIN: &str = "/drvc/bin/";

macro_rules! script {
    ($name:literal) => {
        Script { name: $name, text: include_str!(concat!("scripts/", $name, ".sh")) }
    };
}

/// What the stage of a kernel and those of its modules run.
const KERNEL: &[Script] = &[script!("check-kernel"), script!("check-config"), script!("install-module")];
const SIGN: &[Script] = &[script!("sign")];
const PACK: &[Script] = &[script!("find-in-tree"), script!("pack")];
const PACK_TO_LOAD: &[Script] = &[script!("find-in-tree"), script!("pack"), script!("drvc-load")];

impl Script {
    /// Those that the stage of a node brings in.
    #[must_use]
    pub fn of(node: &Node) -> &'static [Self] {
        match node {
            Node::Kernel(_) => KERNEL,
            Node::Sign(_) => SIGN,
            Node::Image(image) if image.loads_by_script() => PACK_TO_LOAD,
            Node::Image(_) => PACK,
            _ => &[],
        }
    }

    /// All there are.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        KERNEL.iter().chain(SIGN).chain(PACK_TO_LOAD)
    }

    /// Its path within the output directory.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{DIRECTORY}/{}", self.name)
    }
}

/// The words of the COPY that brings scripts into a stage: their paths beneath the output directory, and where to.
pub(super) fn words(scripts: &[Script], out: &RelPath) -> Vec<String> {
    let paths = scripts.iter().map(|script| format!("{out}/{}", script.path()));
    paths.chain([BIN.to_owned()]).collect()
}

/// An instruction as keys see it: that COPY without the output directory's name, which changes nothing in an image.
pub(super) fn without_directory(instruction: &mut String, out: &RelPath) {
    let before = format!(" {out}/{DIRECTORY}/");
    if instruction.starts_with("COPY ") && instruction.contains(&before) {
        *instruction = instruction.replace(&before, &format!(" {DIRECTORY}/"));
    }
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
