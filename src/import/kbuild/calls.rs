//! How make is called for a Makefile: with which variables and targets, and what other calls of it say.

use super::goals;
use super::lines::{assignment, logical_lines};
use super::reading::OF_KBUILD;
use super::{DIRECTORIES, RELEASES, directory, makefile};
use crate::import::draft::{self, Build, Draft};
use crate::import::files::Place;
use crate::system::fs::Tree;
use crate::text::ids::RelPath;
use std::collections::BTreeMap;

/// How a Makefile is called: with drvc's kernel in every variable that names one; or not at all, where it has none.
pub(super) fn build(text: &str) -> Build {
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
    // Some of them are the directory above.
    for name in DIRECTORIES {
        if [format!("$({name})/build"), format!("${{{name}}}/build")].iter().any(|use_| text.contains(use_)) {
            variables.insert(name.to_owned(), "/lib/modules/{kernel}".to_owned());
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
    if (variables.is_empty() && !says_more(&lines)) || only_by_subdirs(&lines) {
        return Build::Kbuild;
    }
    Build::Make {
        targets: goals::goal(&lines).into_iter().collect(),
        variables: variables.into_iter().collect(),
    }
}

/// The calls of the kernel's build system that build, each with the variables that it is given beside the directory.
fn kbuild_calls(lines: &[String]) -> Vec<BTreeMap<&str, &str>> {
    let builds = |line: &&String| {
        (line.contains(" M=") || line.contains(" SUBDIRS="))
            && !line.split_whitespace().any(|word| word.ends_with("clean") || word.ends_with("install"))
    };
    let more = |line| -> BTreeMap<&str, &str> {
        let pairs = str::split_whitespace(line).filter_map(|word| word.split_once('='));
        pairs.filter(|(name, _)| is_name(name) && !["M", "SUBDIRS", "V", "W"].contains(name)).collect()
    };
    lines.iter().filter(builds).map(|line| more(line)).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the kernel's build system is told more than where the sources are, so that only the Makefile can call it.
fn says_more(lines: &[String]) -> bool {
    kbuild_calls(lines).iter().any(|call| !call.is_empty())
}

/// Variables that every call of the kernel's build system gives the same value.
pub(super) fn told(lines: &[String]) -> BTreeMap<String, String> {
    let calls = kbuild_calls(lines);
    let Some((first, others)) = calls.split_first() else { return BTreeMap::new() };
    let same = |(name, value): &(&&str, &&str)| others.iter().all(|call| call.get(**name) == Some(*value));
    let plain = |(name, value): &(&&str, &&str)| {
        let given = OF_KBUILD.iter().any(|(known, _)| known == *name);
        !given
            && !DIRECTORIES.contains(*name)
            && !RELEASES.contains(*name)
            && !value.contains(['$', '`', '"', '\''])
    };
    let found = first.iter().filter(|pair| same(pair) && plain(pair));
    found.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Whether the kernel's build system is only called by the name that it had for `M` before 5.4, and told nothing more.
pub(super) fn only_by_subdirs(lines: &[String]) -> bool {
    let mut calls = lines.iter().filter(|line| line.contains(" -C ") && line.contains('=')).peekable();
    let plain = |line: &String| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "-C").skip(2);
        line.contains("SUBDIRS=")
            && words.all(|word| word.starts_with("SUBDIRS=") || ["modules", "clean"].contains(&word))
    };
    calls.peek().is_some() && calls.all(plain)
}

/// Holds how the modules of a draft call make to the Makefiles of their sources, where those are here: variables that
/// no line of it uses, and a kernel that is asked of the machine that builds.
pub(in crate::import) fn held_to_makefiles(tree: &impl Tree, place: &Place, draft: &mut Draft) {
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

/// What a Makefile tells those beneath it that are built instead: no module is given it.
pub(super) fn told_beneath(tree: &impl Tree, place: &Place, dirs: &[RelPath]) -> Vec<String> {
    let Some((file, text)) = makefile(tree, &place.dir) else { return Vec::new() };
    if dirs.iter().any(|dir| file.as_str() == format!("{dir}/Makefile") || *dir == place.dir) {
        return Vec::new();
    }
    let lines = logical_lines(&text);
    let calls = lines.iter().filter(|line| line.contains("$(MAKE)") || line.contains("make -C"));
    let mut said = Vec::new();
    for word in calls.flat_map(|line| line.split_whitespace()) {
        let Some((name, _)) = word.split_once('=') else { continue };
        let of_kernel = DIRECTORIES.contains(&name) || RELEASES.contains(&name);
        if !is_name(name) || of_kernel || ["M", "SUBDIRS", "V", "W", "ARCH"].contains(&name) {
            continue;
        }
        let advice = match name {
            "KBUILD_EXTRA_SYMBOLS" => "say `needs` in the module that uses them",
            _ => "say it in the `make` of the module that it is for",
        };
        let text = format!("`{}` is left out: {advice}", draft::literal(word));
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said
}
