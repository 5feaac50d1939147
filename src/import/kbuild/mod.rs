//! A driver's own Makefile, or its Kbuild file, into a draft: what it builds, and the variables that name a kernel.

mod conditions;
pub(super) mod expand;
mod lines;
mod objects;
mod reading;
#[cfg(test)]
mod tests;

use super::commands;
use super::draft::{self, Build, Draft, Image, Module, Origin, Output, Project, Source, Step};
use super::files::{Place, kbuild_file, makefiles_beneath, text};
use super::shell::Refusal;
use super::tree::{self, Facts};
use crate::system::fs::{Kind, Tree};
use crate::text::ids::{KmodName, RelPath};
use lines::{assignment, logical_lines};
use objects::{Objects, called};
use std::collections::BTreeMap;

/// Names that Makefiles have for the kernel's build directory.
const DIRECTORIES: [&str; 15] = [
    "KDIR",
    "KERNELDIR",
    "KERNEL_DIR",
    "KERNEL_SRC",
    "KERNEL_SRC_DIR",
    "KERNEL_SOURCE",
    "KERNEL_SOURCE_DIR",
    "KERNEL_PATH",
    "KERNEL_TREE",
    "KERN_DIR",
    "KSRC",
    "KBUILD_DIR",
    "KERNEL_BUILD",
    "LINUX_SRC",
    "KLIB_BUILD",
];
/// Names that Makefiles have for the kernel's release.
const RELEASES: [&str; 10] = [
    "KVER",
    "KVERS",
    "KVERSION",
    "KERNEL_VERSION",
    "KERNELVER",
    "KERNELVERSION",
    "KERNEL_RELEASE",
    "KREL",
    "KERNVER",
    "UNAME_R",
];

/// Makes a draft of a tree with a Makefile. `hint` is a name for it.
///
/// # Errors
/// Never; the type is that of all imports.
pub fn import(tree: &impl Tree, place: &Place, hint: &str) -> Result<Draft, Refusal> {
    let facts = tree::facts(tree, &place.dir);
    let dirs = built_in(tree, place);
    let mut draft = Draft { head: vec![format!("Made from {}.", place.file)], ..Draft::default() };
    let mut image = Image::default();
    let several = dirs.len() > 1;
    for dir in &dirs {
        let hint = if several { dir.as_str().rsplit('/').next().unwrap_or(hint) } else { hint };
        let module = module(tree, place, dir, hint, &mut draft, &mut image);
        image.modules.push(module.name.clone());
        draft.modules.push(module);
    }
    let name = match draft.modules.as_slice() {
        [only] => only.name.clone(),
        _ => hint.to_owned(),
    };
    image.name = draft::name(&name);
    draft.project = Project {
        name: draft::name(&name),
        version: facts.version.clone().map(|version| draft::literal(&version)),
        license: facts.license.clone(),
        url: facts.remote.clone().filter(|url| url.starts_with("https://")),
        ..Project::default()
    };
    if draft.modules.iter().map(|module| module.outputs.len()).sum::<usize>() > 1 {
        image.notes.push(
            "Put what is loaded first to the front; take out what need not be loaded from the start.".into(),
        );
    }
    for note in &facts.notes {
        draft.head.push(note.clone());
    }
    if facts.license.is_none() {
        draft.warn(
            place.file.as_str(),
            0,
            "no licence is said by SPDX-License-Identifier, nor by a MODULE_LICENSE that names one: say `license` in `project`",
        );
    }
    draft.sources.push(source(&place.dir, facts));
    draft.images.push(image);
    Ok(draft)
}

/// The directories that modules are built in: that of the place; where its file builds none, those beneath that do.
fn built_in(tree: &impl Tree, place: &Place) -> Vec<RelPath> {
    let above = place.file.as_str().rsplit_once('/').map_or(".", |(dir, _)| dir);
    let here = RelPath::parse(above).unwrap_or_else(|_| place.dir.clone());
    let start = if here.is_within(&place.dir) { &place.dir } else { &here };
    let found = builders(tree, start, 0);
    if found.is_empty() { vec![here] } else { found }
}

/// The directory itself, where its file has a line `obj-…` or is called with a kernel; else those that its calls of make
/// go to; else those beneath that have such a line.
fn builders(tree: &impl Tree, dir: &RelPath, depth: usize) -> Vec<RelPath> {
    let lines = kbuild_file(tree, dir).map(|(_, text)| logical_lines(&text)).unwrap_or_default();
    let makefile = makefile(tree, dir);
    let is_called = makefile.as_ref().is_some_and(|(_, text)| build(text) != Build::Kbuild);
    if is_called || lines.iter().any(|line| names_objects(line)) {
        return vec![dir.clone()];
    }
    let inner = called(&lines, dir, tree).into_iter().filter_map(|inner| dir.join(&inner).ok());
    let mut found: Vec<RelPath> = Vec::new();
    for one in inner.filter(|_| depth < 3).flat_map(|inner| builders(tree, &inner, depth + 1)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    if found.is_empty() && depth == 0 { makefiles_beneath(tree, dir) } else { found }
}

/// Whether a line may put something into `obj-m` or `obj-y`.
fn names_objects(line: &str) -> bool {
    line.trim_start().starts_with("obj-") || (!line.starts_with('\t') && line.contains("obj-"))
}

fn module(
    tree: &impl Tree,
    place: &Place,
    dir: &RelPath,
    hint: &str,
    draft: &mut Draft,
    image: &mut Image,
) -> Module {
    let Objects { outputs, rust, unread, .. } = Objects::of(tree, dir);
    let makefile = makefile(tree, dir).map(|(_, text)| text);
    let single = (outputs.len() == 1).then(|| outputs.keys().next().cloned()).flatten();
    let single = single.as_deref().map(|file| kmod(file).to_owned());
    let below = dir.as_str().strip_prefix(place.dir.as_str()).unwrap_or(dir.as_str()).trim_start_matches('/');
    let below = if place.dir.is_root() { dir.as_str() } else { below };
    let mut name = draft::module_name(single.as_deref().unwrap_or(hint));
    if draft.modules.iter().any(|module| module.name == name) {
        name = draft::module_name(&format!("{name}-{}", draft.modules.len() + 1));
    }
    let mut module = Module {
        name,
        source: "driver".to_owned(),
        dir: Some(below.to_owned()).filter(|_| dir != &place.dir),
        build: makefile.as_deref().map(build).unwrap_or_default(),
        ..Module::default()
    };
    configured(tree, dir, &mut module, draft);
    let wants = tools(tree, dir, makefile.as_deref().unwrap_or_default());
    for text in unread.into_iter().chain(wants) {
        draft.warn(place.file.as_str(), 0, &text);
        module.notes.push(text);
    }
    if rust {
        let text = "it is written in Rust: the kernel must have CONFIG_RUST, and `packages` the compiler that the kernel was built with (its CONFIG_RUSTC_VERSION_TEXT)";
        module.requires_config.push("CONFIG_RUST".to_owned());
        module.notes.push(text.to_owned());
        draft.warn(place.file.as_str(), 0, text);
    }
    if outputs.is_empty() {
        let text = "no `obj-m` was found: say with `output` what is built, and with `load` what is loaded";
        module.notes.push(text.to_owned());
        draft.warn(place.file.as_str(), 0, text);
        module.outputs.push(Output { file: "*.ko".to_owned(), when: String::new() });
    }
    for (file, when) in outputs {
        if when.is_empty()
            && KmodName::parse(kmod(&file)).is_ok()
            && !image.load.iter().any(|known| known == kmod(&file))
        {
            image.load.push(kmod(&file).to_owned());
        }
        module.outputs.push(Output { file: draft::literal(&file), when });
    }
    module
}

/// What a Makefile asks for that a build does not have unless it is said.
fn tools(tree: &impl Tree, dir: &RelPath, makefile: &str) -> Vec<String> {
    let mut wants = Vec::new();
    // The kernel's backports project, and those that took over its build system.
    let defconfigs = dir.join("defconfigs").ok().and_then(|dir| tree.list(&dir).ok());
    if let Some(one) = defconfigs.iter().flat_map(|found| &found.value).find(|one| one.kind == Kind::File) {
        wants.push(format!(
            "a configuration is made before: say which with `run` before `make`, for example `run \"make\" \"defconfig-{}\"`",
            draft::literal(&one.name)
        ));
    }
    if ["git describe", "git rev-parse", "git log", "git show"].iter().any(|call| makefile.contains(call)) {
        wants.push(
            "make asks git, and a source has neither `.git` nor git in the build: give make what it asks for as a variable".to_owned(),
        );
    }
    let entries = tree.list(dir).map(|found| found.value).unwrap_or_default();
    let is_cpp = |name: &str| [".cpp", ".cc", ".cxx"].iter().any(|end| name.ends_with(end));
    if makefile.contains("$(CXX)") || makefile.contains("g++") || entries.iter().any(|one| is_cpp(&one.name))
    {
        wants.push(
            "it has C++: `packages \"g++\"` of Debian and its kin, `\"gcc-c++\"` of RHEL's and SUSE's"
                .to_owned(),
        );
    }
    wants
}

/// A `configure` script, or what makes one: it is run before make.
fn configured(tree: &impl Tree, dir: &RelPath, module: &mut Module, draft: &mut Draft) {
    let read = |name: &str| dir.join(name).ok().and_then(|file| text(tree, &file).ok());
    let (script, makes_it) = (read("configure"), read("configure.ac").or_else(|| read("configure.in")));
    let Some(said) = makes_it.as_ref().or(script.as_ref()) else { return };
    // `AC_ARG_WITH([linux], …` and `--with-linux=` both name the option.
    let names =
        ["linux", "linux-obj", "kernel", "kernel-source", "kernel-build", "kbuild", "ksource", "linux-dir"];
    let has = |name: &&&str| {
        said.contains(&format!("--with-{name}="))
            || said.contains(&format!("AC_ARG_WITH([{name}]"))
            || said.contains(&format!("AC_ARG_WITH({name},"))
    };
    let option = names.iter().find(has).map(|name| format!("--with-{name}={{kernel_dir}}"));
    let text = match &option {
        Some(option) => format!("`./configure` is given `{option}`: see whether it wants more"),
        None => "`./configure` is run without options: say what it finds the kernel by".to_owned(),
    };
    draft.warn(&dir.join("configure").map(|file| file.to_string()).unwrap_or_default(), 0, &text);
    module.notes.push(text);
    let mut steps = Vec::new();
    if script.is_none() {
        steps.push(Step::Run(vec!["autoreconf".to_owned(), "-fi".to_owned()]));
        module.packages = vec!["autoconf".to_owned(), "automake".to_owned(), "libtool".to_owned()];
    }
    steps.push(Step::Run(["./configure".to_owned()].into_iter().chain(option).collect()));
    steps.extend(match std::mem::take(&mut module.build) {
        Build::Kbuild => vec![Step::Script("make".to_owned())],
        other => commands::steps(other),
    });
    module.build = Build::Steps(steps);
}

/// Puts what the Makefile of a source builds where a Dockerfile does not say what comes out.
pub(super) fn outputs_from_tree(tree: &impl Tree, draft: &mut Draft) {
    let sources = draft.sources.clone();
    let mut load = Vec::new();
    for module in draft.modules.iter_mut().filter(|module| {
        module.outputs.iter().all(|output| output.file == "*.ko") && !module.outputs.is_empty()
    }) {
        let source = sources.iter().find(|source| source.name == module.source);
        let Some(dir) = source.and_then(|source| directory(source, module.dir.as_deref())) else { continue };
        let outputs = Objects::of(tree, &dir).outputs;
        if outputs.is_empty() {
            continue;
        }
        module.notes.retain(|note| !note.contains("`.ko` files"));
        load.extend(
            outputs.iter().filter(|(_, when)| when.is_empty()).map(|(file, _)| kmod(file).to_owned()),
        );
        module.outputs =
            outputs.into_iter().map(|(file, when)| Output { file: draft::literal(&file), when }).collect();
    }
    for image in draft.images.iter_mut().filter(|image| image.load.is_empty()) {
        image.load = load.iter().filter(|kmod| KmodName::parse(kmod).is_ok()).cloned().collect();
    }
}

/// The directory of the project that a module of a path source is built in.
fn directory(source: &Source, dir: Option<&str>) -> Option<RelPath> {
    let Origin::Path { dir: top, .. } = &source.origin else { return None };
    let parts = [top.as_str(), dir.unwrap_or(".")];
    parts.iter().filter(|part| **part != ".").try_fold(RelPath::root(), |path, part| path.join(part)).ok()
}

/// The Makefile of a directory, not its Kbuild file.
fn makefile(tree: &impl Tree, dir: &RelPath) -> Option<(RelPath, String)> {
    ["Makefile", "makefile", "GNUmakefile", "Makefile.in"].iter().find_map(|name| {
        let file = dir.join(name).ok()?;
        text(tree, &file).ok().map(|text| (file, text))
    })
}

fn source(dir: &RelPath, facts: Facts) -> Source {
    let ignore = if dir.is_root() { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
    Source {
        name: "driver".to_owned(),
        origin: Origin::path(dir.as_str(), ignore),
        instead: facts.origin(),
        ..Source::default()
    }
}

fn kmod(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".ko").unwrap_or(name)
}

/// How a Makefile is called: with drvc's kernel in every variable that names one; or not at all, where it has none.
fn build(text: &str) -> Build {
    let lines = logical_lines(text);
    let assigned: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| assignment(line)).map(|(name, value, _)| (name, value)).collect();
    let mut variables = BTreeMap::new();
    for (name, value) in &assigned {
        let value = value.replace(' ', "");
        if value == "$(shelluname-r)" || value == "`uname-r`" {
            variables.insert((*name).to_owned(), "{kernel}".to_owned());
        } else if value.starts_with("/lib/modules/") && value.ends_with("/build") {
            variables.insert((*name).to_owned(), "{kernel_dir}".to_owned());
        }
    }
    for (names, value) in [(DIRECTORIES.as_slice(), "{kernel_dir}"), (RELEASES.as_slice(), "{kernel}")] {
        for name in names {
            let used = text.contains(&format!("$({name})")) || text.contains(&format!("${{{name}}}"));
            if used || assigned.contains_key(name) {
                variables.entry((*name).to_owned()).or_insert_with(|| value.to_owned());
            }
        }
    }
    if variables.is_empty() {
        return Build::Kbuild;
    }
    let has = |target: &str| {
        lines.iter().any(|line| line.starts_with(&format!("{target}:")) && !line.contains(":="))
    };
    let target = ["modules", "all", "default"].into_iter().find(|target| has(target));
    // A rule for whatever is asked for is no goal of its own.
    let target = target.or_else(|| has("%").then_some("modules"));
    Build::Make {
        targets: target.map(str::to_owned).into_iter().collect(),
        variables: variables.into_iter().collect(),
    }
}

/// Holds how the modules of a draft call make to the Makefiles of their sources, where those are here: variables that
/// no line of it uses, and a kernel that is asked of the machine that builds.
pub(super) fn held_to_makefiles(tree: &impl Tree, place: &Place, draft: &mut Draft) {
    let mut found = Vec::new();
    for module in &mut draft.modules {
        let sources = draft.sources.iter().find(|source| source.name == module.source);
        let Some(dir) = sources.and_then(|source| directory(source, module.dir.as_deref())) else { continue };
        let makefile = makefile(tree, &dir);
        let (Some((file, text)), Build::Make { variables, .. }) = (makefile, &mut module.build) else {
            continue;
        };
        let of_kernel = |value: &str| value == "{kernel}" || value == "{kernel_dir}";
        for (name, _) in variables.iter().filter(|(_, value)| of_kernel(value)) {
            if !text.contains(name.as_str()) {
                found.push(format!("make is given `{name}`, which `{file}` does not use"));
            }
        }
        if let Build::Make { variables: wanted, .. } = build(&text) {
            for (name, value) in wanted {
                let is_set = |line: &str| {
                    let rest = line.strip_prefix(name.as_str()).map(str::trim_start).unwrap_or_default();
                    rest.starts_with(['=', ':'])
                };
                let from_env =
                    module.env.iter().any(|(known, _)| *known == name) && !text.lines().any(is_set);
                if !from_env && !variables.iter().any(|(known, _)| *known == name) {
                    found.push(format!("make is not given `{name}`, which `{file}` names the kernel by"));
                    variables.push((name, value));
                }
            }
        }
    }
    for text in found {
        draft.head.push(format!("{}: {text}", place.file));
        draft.warn(place.file.as_str(), 0, &text);
    }
}
