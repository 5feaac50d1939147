//! What to do about a failure whose cause is plain: a symbol that another module exports, a file that Git LFS holds.

use super::log::Step;
use crate::compiler::compile::Compiled;
use crate::compiler::needs::exported;
use crate::compiler::plan::{Fetched, ModuleStage, Node, NodeId};
use crate::system::fs::Tree;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How much is read of one file, in bytes; and how many files in all.
const MOST_BYTES: u64 = 4 << 20;
const MOST_FILES: usize = 20_000;

static UNDEFINED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""(?<symbol>[A-Za-z_]\w*)" \[[^\]]*\] undefined!"#).ok());

/// The edit that settles what stopped a build, where it is plain.
pub(super) fn advice(
    compiled: &Compiled,
    tree: &dyn Tree,
    step: Option<&Step>,
    error: Option<&str>,
) -> Option<String> {
    pointer(step?, error?).or_else(|| undefined(compiled, tree, step, error))
}

/// A file of a git source that Git LFS holds.
fn pointer(step: &Step, error: &str) -> Option<String> {
    let source = step.stage.strip_prefix("source-")?;
    let (file, _) = error.split_once(":version https://git-lfs")?;
    Some(format!(
        "Git LFS holds `{file}`: in `source \"{source}\"`, write `lfs #true` in the block of `git`, or `lfs #false` where no build needs such files"
    ))
}

/// For an undefined symbol: `needs`, with the module that exports it where a local source says so.
fn undefined(
    compiled: &Compiled,
    tree: &dyn Tree,
    step: Option<&Step>,
    error: Option<&str>,
) -> Option<String> {
    let symbol = UNDEFINED.as_ref()?.captures(error?)?.name("symbol")?.as_str();
    let failed = step?.stage.strip_prefix("module-")?;
    let is_failed = |module: &ModuleStage| module.name.as_str().eq_ignore_ascii_case(failed);
    let modules = |id: NodeId| match compiled.plan.graph.node(id) {
        Node::Module(module) => Some((id, module)),
        _ => None,
    };
    let all: Vec<_> = compiled.plan.graph.ids().filter_map(modules).collect();
    let (_, user) = all.iter().find(|(_, module)| is_failed(module))?;
    let mut seen = BTreeSet::new();
    let exporter = all.iter().find(|(id, module)| {
        !is_failed(module) && seen.insert(&module.name) && exports(compiled, tree, *id, module, symbol)
    });
    Some(match exporter {
        Some((_, module)) if user.built.contains(&module.name) => {
            let name = &module.name;
            format!(
                "`{name}` exports `{symbol}` and is in `needs`: check that its `Module.symvers` is read, and its configuration"
            )
        }
        Some((_, module)) => {
            let name = &module.name;
            format!("`{name}` exports `{symbol}`: add `needs \"{name}\"` to `module \"{}\"`", user.name)
        }
        None => format!(
            "add `needs \"NAME\"` to `module \"{}\"` where another module exports `{symbol}`; otherwise this kernel does not",
            user.name
        ),
    })
}

/// Whether a file in the module's directory of a local source exports the symbol.
fn exports(compiled: &Compiled, tree: &dyn Tree, id: NodeId, module: &ModuleStage, symbol: &str) -> bool {
    let root = format!("/usr/src/drvc/{}", module.name);
    let below = module.dir.as_str().strip_prefix(&root).unwrap_or_default();
    compiled.plan.graph.inputs(id).iter().copied().any(|(input, _)| {
        let Node::Source(source) = compiled.plan.graph.node(input) else { return false };
        let Fetched::Path { dir, .. } = &source.origin else { return false };
        let directory = format!("{dir}{below}/");
        let directory = directory.strip_prefix("./").unwrap_or(&directory);
        let files = compiled.stages.get(input.index()).into_iter().flat_map(|stage| stage.files.iter());
        let code = files.filter(|(path, _)| {
            path.as_str().starts_with(directory)
                && [".c", ".h", ".S"].iter().any(|ending| path.as_str().ends_with(ending))
        });
        let exports =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().any(|line| exported(line) == Some(symbol));
        code.take(MOST_FILES)
            .any(|(path, _)| tree.read(path, MOST_BYTES).is_ok_and(|found| exports(&found.value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_of_git_lfs_is_named_with_its_source() {
        let step = |stage: &str| Step { stage: stage.into(), at: 2, of: 2, instruction: String::new() };
        let error = "fw/a b.bin:version https://git-lfs.github.com/spec/v1";
        let help = pointer(&step("source-driver"), error).unwrap_or_default();
        assert!(
            help.starts_with("Git LFS holds `fw/a b.bin`: in `source \"driver\"`, write `lfs #true`"),
            "{help}"
        );
        assert_eq!(pointer(&step("module-driver"), error), None);
        assert_eq!(pointer(&step("source-driver"), "fatal: not found"), None);
    }
}
