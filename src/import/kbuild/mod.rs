//! A driver's own Makefile, or its Kbuild file, into a draft: what it builds, and the variables that name a kernel.

pub(super) mod calls;
mod conditions;
pub(super) mod expand;
mod goals;
mod lines;
mod objects;
mod reading;
#[cfg(test)]
mod tests;
mod wants;

use super::commands;
use super::dockerfile::{NO_MODPROBE, unloaded};
use super::draft::{self, Build, Draft, Image, Module, Origin, Output, Project, Source, Step};
use super::files::{Place, kbuild_file, makefiles_beneath, text};
use super::shell::Refusal;
use super::tree::{self, Facts};
use crate::system::fs::Tree;
use crate::text::ids::{KmodName, RelPath};
use calls::{build, told_beneath};
use lines::logical_lines;
use objects::{Objects, called};
use std::collections::BTreeMap;
use wants::{above, tools};

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
    let above = told_beneath(tree, place, &dirs);
    for text in &above {
        draft.head.push(format!("{}: {text}", place.file));
        draft.warn(place.file.as_str(), 0, text);
    }
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
    let Objects { outputs, rust, unread, .. } = Objects::of(tree, dir, &BTreeMap::new());
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
    let above = kbuild_file(tree, dir).and_then(|(_, text)| above(&text)).filter(|_| dir == &place.dir);
    for text in unread.into_iter().chain(wants).chain(above) {
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
        let outputs = Objects::of(tree, &dir, &options(module)).outputs;
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
        for note in image.notes.iter_mut().filter(|note| note.starts_with(NO_MODPROBE)) {
            *note = unloaded(&image.load);
        }
    }
}

/// Options that a module's own call of make sets.
fn options(module: &Module) -> BTreeMap<String, String> {
    let mut pairs = module.env.clone();
    match &module.build {
        Build::Kbuild => {}
        Build::Make { variables, .. } => pairs.extend(variables.iter().cloned()),
        Build::Steps(steps) => {
            let words = steps.iter().flat_map(|step| match step {
                Step::Script(text) => text.split_whitespace().map(str::to_owned).collect(),
                Step::Run(words) => words.clone(),
            });
            pairs.extend(words.filter_map(|word| {
                word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            }));
        }
    }
    let is_set = |(name, value): &(String, String)| {
        name.starts_with("CONFIG_") && ["m", "y"].contains(&value.as_str())
    };
    pairs.into_iter().filter(is_set).collect()
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
