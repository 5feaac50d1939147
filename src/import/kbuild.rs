//! A driver's own Makefile, or its Kbuild file, into a draft: what it builds, and the variables that name a kernel.

use super::draft::{self, Build, Draft, Image, Module, Origin, Output, Project, Source};
use super::files::{Place, text};
use super::shell::Refusal;
use super::tree::{self, Facts};
use crate::system::fs::Tree;
use crate::text::ids::{KmodName, RelPath};
use std::collections::BTreeMap;

/// How deep `obj-m += dir/` is followed.
const MAX_DEPTH: usize = 5;

/// Names that Makefiles have for the kernel's build directory.
const DIRECTORIES: [&str; 14] = [
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
    let mut outputs = BTreeMap::new();
    objects(tree, &place.dir, "", "", 0, &mut outputs);
    let makefile = ["Makefile", "makefile", "GNUmakefile"]
        .iter()
        .find_map(|name| text(tree, &place.dir.join(name).ok()?).ok());
    let single = (outputs.len() == 1).then(|| outputs.keys().next().cloned()).flatten();
    let single = single.as_deref().map(|file| kmod(file).to_owned());
    let name = single.clone().unwrap_or_else(|| hint.to_owned());
    let mut module = Module {
        name: draft::module_name(&name),
        source: "driver".to_owned(),
        build: makefile.as_deref().map(build).unwrap_or_default(),
        ..Module::default()
    };
    let mut image =
        Image { name: draft::name(&name), modules: vec![module.name.clone()], ..Image::default() };
    let mut draft = Draft {
        head: vec![format!("Made from {}.", place.file)],
        project: Project {
            name: draft::name(&name),
            version: facts.version.clone().map(|version| draft::literal(&version)),
            license: facts.license.clone(),
            url: facts.remote.clone().filter(|url| url.starts_with("https://")),
            ..Project::default()
        },
        ..Draft::default()
    };
    if outputs.is_empty() {
        let text = "no `obj-m` was found: say with `output` what is built, and with `load` what is loaded";
        module.notes.push(text.to_owned());
        draft.warn(place.file.as_str(), 0, text);
        module.outputs.push(Output { file: "*.ko".to_owned(), when: String::new() });
    }
    for (file, when) in outputs {
        if when.is_empty() && KmodName::parse(kmod(&file)).is_ok() {
            image.load.push(kmod(&file).to_owned());
        }
        module.outputs.push(Output { file: draft::literal(&file), when });
    }
    if module.outputs.len() > 1 {
        image.notes.push(
            "Put what is loaded first to the front; take out what need not be loaded from the start.".into(),
        );
    }
    if facts.license.is_none() {
        draft.warn(
            place.file.as_str(),
            0,
            "no SPDX-License-Identifier was found: say `license` in `project`",
        );
    }
    draft.sources.push(source(&place.dir, facts));
    draft.modules.push(module);
    draft.images.push(image);
    Ok(draft)
}

fn source(dir: &RelPath, facts: Facts) -> Source {
    let ignore = if dir.is_root() { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
    Source {
        name: "driver".to_owned(),
        origin: Origin::Path { dir: dir.to_string(), ignore },
        instead: facts.origin(),
        ..Source::default()
    }
}

fn kmod(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".ko").unwrap_or(name)
}

/// The modules that a directory's Kbuild file, or its Makefile, builds: `.ko` files with what they depend on.
fn objects(
    tree: &impl Tree,
    dir: &RelPath,
    below: &str,
    when: &str,
    depth: usize,
    found: &mut BTreeMap<String, String>,
) {
    let read = ["Kbuild", "Makefile"].iter().find_map(|name| text(tree, &dir.join(name).ok()?).ok());
    for line in read.as_deref().map(logical_lines).unwrap_or_default() {
        let Some((condition, objects)) = object_line(&line) else { continue };
        let when = match (when, condition.as_str()) {
            (outer, "m" | "y") => outer.to_owned(),
            ("", option) => format!("{option} is set"),
            (outer, option) => format!("{outer} and {option} is set"),
        };
        for object in objects {
            if let Some(name) = object.strip_suffix(".o").filter(|_| condition != "y") {
                found.entry(format!("{below}{name}.ko")).or_insert_with(|| when.clone());
            } else if let Some(name) = object.strip_suffix('/')
                && depth < MAX_DEPTH
                && let Ok(inner) = dir.join(name)
            {
                self::objects(tree, &inner, &format!("{below}{name}/"), &when, depth + 1, found);
            }
        }
    }
}

/// `obj-m += a.o b/`: what stands behind `obj-` and the words behind the `=`.
fn object_line(line: &str) -> Option<(String, Vec<String>)> {
    let rest = line.trim_start().strip_prefix("obj-")?;
    let (left, right) = rest.split_once('=')?;
    let left = left.trim_end_matches([':', '+', '?']).trim();
    let condition = left.strip_prefix("$(").and_then(|name| name.strip_suffix(')')).unwrap_or(left);
    let known = condition == "m" || condition == "y" || condition.starts_with("CONFIG_");
    let words = right.split_whitespace().filter(|word| !word.contains(['$', '(', ')'])).map(str::to_owned);
    known.then(|| (condition.to_owned(), words.collect()))
}

/// The lines of a Makefile, continued ones joined, comments taken off.
fn logical_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    joined.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end().to_owned()).collect()
}

/// How a Makefile is called: with drvc's kernel in every variable that names one; or not at all, where it has none.
fn build(text: &str) -> Build {
    let lines = logical_lines(text);
    let assigned: BTreeMap<&str, &str> = lines.iter().filter_map(|line| assignment(line)).collect();
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
        let Some(Origin::Path { dir, .. }) = sources.map(|source| &source.origin) else { continue };
        let dir = [dir.as_str(), module.dir.as_deref().unwrap_or(".")]
            .iter()
            .filter(|part| **part != ".")
            .try_fold(RelPath::root(), |path, part| path.join(part));
        let Ok(dir) = dir else { continue };
        let makefile = ["Makefile", "makefile", "GNUmakefile"].iter().find_map(|name| {
            let file = dir.join(name).ok()?;
            text(tree, &file).ok().map(|text| (file, text))
        });
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
                if !variables.iter().any(|(known, _)| *known == name) {
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

/// `NAME ?= VALUE`
fn assignment(line: &str) -> Option<(&str, &str)> {
    if line.starts_with('\t') {
        return None;
    }
    let (left, right) = line.split_once('=')?;
    let name = left.trim().trim_start_matches("export ").trim_end_matches([':', '?', '+']).trim();
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain.then(|| (name, right.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Kind, write};
    use crate::system::fs::Memory;

    fn imported(files: &[(&str, &str)]) -> String {
        let mut tree = Memory::new();
        for (path, text) in files {
            tree.insert(RelPath::parse(path).unwrap(), *text);
        }
        let file = RelPath::parse(files[0].0).unwrap();
        let place = Place { kind: Kind::Kbuild, file, dir: RelPath::root(), text: files[0].1.to_owned() };
        let mut draft = import(&tree, &place, "hint").unwrap();
        draft.matrix = crate::import::matrix::examples().remove(0);
        write(&draft)
    }

    #[test]
    fn makefiles_have_a_say_in_dockerfiles() {
        let makefile =
            "obj-m := f.o\nKVER ?= $(shell uname -r)\nall:\n\tmake -C /usr/src/kernels/$(KVER) M=$(PWD)\n";
        let dockerfile = "FROM a\nARG KERNEL_VERSION\nCOPY src /src\nRUN cd /src && make KERNEL_SRC_DIR=/usr/src/kernels/${KERNEL_VERSION}\n";
        let mut tree = Memory::new();
        tree.insert(RelPath::parse("src/Makefile").unwrap(), makefile);
        let file = RelPath::parse("Dockerfile").unwrap();
        let place = Place { kind: Kind::Dockerfile, file, dir: RelPath::root(), text: dockerfile.to_owned() };
        let draft = crate::import::draft(&tree, &place, "hint").unwrap();
        assert_eq!(
            draft.warnings,
            [
                "Dockerfile: make is given `KERNEL_SRC_DIR`, which `src/Makefile` does not use",
                "Dockerfile: make is not given `KVER`, which `src/Makefile` names the kernel by"
            ]
        );
        assert!(write(&draft).contains("make KERNEL_SRC_DIR=\"{kernel_dir}\" KVER=\"{kernel}\""));
    }

    #[test]
    fn what_is_built_is_found() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("Kbuild", "obj-m := foo.o\nfoo-objs := a.o b.o\n")],
                "module \"foo\" {\n    source \"driver\"\n}\n",
            ),
            (&[("Makefile", "obj-m += a.o \\\n  b.o # c.o\n")], "    output \"a.ko\" \"b.ko\"\n"),
            (
                &[("Kbuild", "obj-$(CONFIG_X) += x.o\nobj-m += y.o")],
                "    // where CONFIG_X is set:\n    output \"x.ko\" optional=#true\n",
            ),
            (
                &[("Kbuild", "obj-m += sub/\n"), ("sub/Makefile", "obj-m := s.o")],
                "module \"s\" {\n    source \"driver\"\n    output \"sub/s.ko\"\n",
            ),
            (
                &[(
                    "Makefile",
                    "obj-m := f.o\nKVER ?= $(shell uname -r)\nKDIR ?= /lib/modules/$(KVER)/build\nall:\n\t$(MAKE) -C $(KDIR) M=$(PWD)\n",
                )],
                "    make \"all\" KDIR=\"{kernel_dir}\" KVER=\"{kernel}\"\n",
            ),
            (
                &[("Makefile", "obj-m := f.o\ndefault:\n\t$(MAKE) -C $(KERNEL_SRC) M=$(PWD)\n")],
                "    make \"default\" KERNEL_SRC=\"{kernel_dir}\"\n",
            ),
            (&[("Makefile", "obj-m := f.o\nODD := $(shell uname -r)\n")], "    make ODD=\"{kernel}\"\n"),
            (&[("Makefile", "all:\n\ttrue\n")], "    // no `obj-m` was found"),
            (
                &[
                    ("Kbuild", "obj-m := f.o"),
                    ("f.c", "// SPDX-License-Identifier: GPL-2.0-only\nMODULE_VERSION(\"1.2\");\n"),
                ],
                "    version \"1.2\"\n    license \"GPL-2.0-only\"\n",
            ),
            (
                &[
                    ("Kbuild", "obj-m := f.o"),
                    (".git/config", "[remote \"origin\"]\n\turl = git@github.com:a/b.git\n"),
                    (".git/HEAD", "ref: refs/heads/main\n"),
                ],
                "    /-git \"ssh://git@github.com/a/b.git\" branch=\"main\"\n",
            ),
        ];
        for (files, expected) in cases {
            let manifest = imported(files);
            assert!(manifest.contains(expected), "{files:?}\n{manifest}");
        }
    }
}
