//! Kbuild files into the modules that they build, each with what it depends on. Nothing is run: what only make could
//! tell is named.

use super::conditions::{Conditions, only_option};
use super::expand::Scope;
use super::{DIRECTORIES, RELEASES};
use crate::import::files::{KBUILD_NAMES, kbuild_file, text};
use crate::system::fs::{Kind, Tree};
use crate::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// How deep `obj-m += dir/` and `include` are followed, and how many directories in all.
const MAX_DEPTH: usize = 5;
const MAX_FILES: usize = 400;
/// What kbuild itself sets while it reads a driver's file; directories are relative to that of the file.
const OF_KBUILD: [(&str, &str); 9] = [
    ("KERNELRELEASE", "{kernel}"),
    ("KBUILD_EXTMOD", "."),
    ("KBUILD_SRC", "{kernel_dir}"),
    ("srctree", "{kernel_dir}"),
    ("objtree", "{kernel_dir}"),
    ("MAKELEVEL", "2"),
    ("M", "."),
    ("src", "."),
    ("obj", "."),
];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// `.ko` files, with why they may be missing; empty where they may not.
    pub(super) outputs: BTreeMap<String, String>,
    /// Whether one of them is written in Rust.
    pub(super) rust: bool,
    /// Lines that name modules in a way that only make can tell.
    pub(super) unread: Vec<String>,
    files: usize,
}

/// The lines of a Makefile, continued ones joined, comments taken off.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    joined.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end().to_owned()).collect()
}

/// `export NAME ?= VALUE` outside of a recipe: the name, the value, and whether other makes see it.
pub(super) fn assignment(line: &str) -> Option<(&str, &str, bool)> {
    if line.starts_with('\t') {
        return None;
    }
    let (left, right) = line.split_once('=')?;
    let left = left.trim().trim_end_matches([':', '?', '+']).trim();
    let (exported, name) = match left.strip_prefix("export ").or_else(|| left.strip_prefix("override ")) {
        Some(name) => (left.starts_with("export"), name.trim()),
        None => (false, left),
    };
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let plain = !name.is_empty() && !name.starts_with("obj-") && name.bytes().all(of_name);
    plain.then(|| (name, right.trim(), exported))
}

/// Options that are set to `m` or `y`: by the calls of make of a file, and by what it exports.
fn given(lines: &[String]) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    for line in lines {
        if let Some((name, value, true)) = assignment(line).filter(|(name, ..)| name.starts_with("CONFIG_")) {
            given.insert(name.to_owned(), value.to_owned());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let calls = words
            .iter()
            .any(|word| ["$(MAKE)", "${MAKE}", "make"].contains(&word.trim_start_matches(['@', '+', '-'])));
        let pairs = words.iter().filter_map(|word| word.split_once('=')).filter(|_| calls);
        let options = pairs.filter(|(name, value)| name.starts_with("CONFIG_") && ["m", "y"].contains(value));
        given.extend(options.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    given
}

impl Objects {
    /// Reads what a directory builds, and the directories beneath it that its calls of make go to.
    pub(super) fn of(tree: &impl Tree, dir: &RelPath) -> Self {
        let mut objects = Self::default();
        objects.directory(tree, dir, "", "", &BTreeMap::new(), 0);
        objects
    }

    fn directory(
        &mut self,
        tree: &impl Tree,
        dir: &RelPath,
        below: &str,
        when: &str,
        outer: &BTreeMap<String, String>,
        depth: usize,
    ) {
        self.files += 1;
        if depth > MAX_DEPTH || self.files > MAX_FILES {
            return;
        }
        let mut options = outer.clone();
        // A Makefile beside the Kbuild file calls make for it.
        for name in KBUILD_NAMES.iter().skip(1) {
            let beside = dir.join(name).ok().and_then(|file| text(tree, &file).ok());
            options.extend(beside.map(|text| given(&logical_lines(&text))).unwrap_or_default());
        }
        let Some((_, whole)) = kbuild_file(tree, dir) else { return };
        let before = self.outputs.len();
        let place = Place { dir, below, depth };
        let mut reading = Reading { scope: scope(tree, dir, &options), options, ..Reading::default() };
        self.lines(tree, &whole, &place, when, &mut reading);
        for (line, whens) in std::mem::take(&mut reading.late) {
            if let Some((target, words, _)) = object_line(&line, &reading.scope) {
                self.object(tree, &line, (target, words), &place, whens, &reading.options);
            }
        }
        let options = reading.options;
        if self.outputs.len() == before {
            for inner in called(&logical_lines(&whole), dir, tree) {
                if let Ok(path) = dir.join(&inner) {
                    self.directory(tree, &path, &format!("{below}{inner}/"), when, &options, depth + 1);
                }
            }
        }
    }

    fn lines(&mut self, tree: &impl Tree, whole: &str, place: &Place<'_>, when: &str, reading: &mut Reading) {
        let mut defining = false;
        for line in logical_lines(whole) {
            let line = line.strip_prefix("override ").map(str::to_owned).unwrap_or(line);
            let word = line.split_whitespace().next().unwrap_or_default();
            defining = word == "define" || (defining && word != "endef");
            if defining || reading.conditions.take(&line, &reading.scope) || !reading.conditions.live() {
                continue;
            }
            if let Some(file) = included(&line, place.dir).filter(|_| place.depth < MAX_DEPTH)
                && let Ok(inner) = text(tree, &file)
            {
                let place = Place { depth: place.depth + 1, ..*place };
                self.lines(tree, &inner, &place, when, reading);
                continue;
            }
            if let Some(name) = line.trim_start().strip_prefix("undefine ") {
                reading.scope.values.remove(name.trim());
                continue;
            }
            if let Some(assignment) = assignment(&line) {
                reading.assign(&line, assignment);
                continue;
            }
            let first = Some(when).filter(|when| !when.is_empty());
            let whens: Vec<String> =
                first.into_iter().chain(reading.conditions.whens()).map(str::to_owned).collect();
            match object_line(&line, &reading.scope) {
                Some((.., true)) => reading.late.push((line, whens)),
                Some((target, words, false)) => {
                    self.object(tree, &line, (target, words), place, whens, &reading.options);
                }
                None => reading.assign_computed(&line),
            }
        }
    }

    /// One line `obj-… = …`: what stands behind `obj-`, and its words.
    fn object(
        &mut self,
        tree: &impl Tree,
        line: &str,
        (target, words): (String, Vec<String>),
        place: &Place<'_>,
        mut whens: Vec<String>,
        options: &BTreeMap<String, String>,
    ) {
        match target.as_str() {
            "m" | "y" => {}
            "n" | "" => return,
            option => whens.push(format!("{option} is set")),
        }
        let when = whens.join(" and ");
        for word in words {
            let word = word.trim_start_matches("./");
            if word == ".o" || word.contains(['$', '(', ')', '@', '{']) {
                let text = format!("`{}` is not read: say with `output` what it builds", line.trim());
                if !self.unread.contains(&text) {
                    self.unread.push(text);
                }
            } else if let Some(name) = word.strip_suffix(".o").filter(|_| target != "y") {
                let has = |end: &str| {
                    place.dir.join(&format!("{name}.{end}")).is_ok_and(|file| text(tree, &file).is_ok())
                };
                self.rust |= has("rs") && !has("c");
                let known =
                    self.outputs.entry(format!("{}{name}.ko", place.below)).or_insert_with(|| when.clone());
                if when.is_empty() {
                    known.clear();
                }
            } else if let Some(inner) = word.strip_suffix('/')
                && let Ok(path) = place.dir.join(inner)
            {
                let below = format!("{}{inner}/", place.below);
                self.directory(tree, &path, &below, &when, options, place.depth + 1);
            }
        }
    }
}

/// What is known at the beginning of a directory's file.
fn scope(tree: &impl Tree, dir: &RelPath, options: &BTreeMap<String, String>) -> Scope {
    let mut scope = Scope { values: options.clone(), files: Vec::new() };
    let entries = tree.list(dir).map(|found| found.value).unwrap_or_default();
    scope.files.extend(entries.into_iter().filter(|entry| entry.kind == Kind::File).map(|entry| entry.name));
    let of_kbuild = OF_KBUILD.iter().copied();
    let directories = DIRECTORIES.iter().map(|name| (*name, "{kernel_dir}"));
    let releases = RELEASES.iter().map(|name| (*name, "{kernel}"));
    for (name, value) in of_kbuild.chain(directories).chain(releases) {
        scope.set(name, value.to_owned());
    }
    scope
}

/// A directory's file, and those that it includes, as far as they are read.
#[derive(Default)]
struct Reading {
    scope: Scope,
    conditions: Conditions,
    /// Options, and what else the directories beneath are given.
    options: BTreeMap<String, String>,
    /// Variables of which only make could tell the value.
    undecided: BTreeSet<String>,
    /// Lines such as `obj-m = $(NAME).o`, which take the value that NAME has in the end; and what they stand under.
    late: Vec<(String, Vec<String>)>,
}

impl Reading {
    fn assign(&mut self, line: &str, (name, value, exported): (&str, &str, bool)) {
        // What drvc gives to make wins over what the file says.
        let given = OF_KBUILD.iter().any(|(known, _)| *known == name)
            || DIRECTORIES.contains(&name)
            || RELEASES.contains(&name);
        if given || self.undecided.contains(name) {
            return;
        }
        let operator = line.split_once('=').map_or("", |(left, _)| left.trim_end());
        let value = match operator.ends_with(':') {
            true => self.scope.expanded(value),
            false => value.to_owned(),
        };
        let known = self.scope.values.get(name).cloned();
        let value = match known.clone() {
            Some(known) if operator.ends_with('+') => format!("{known} {value}"),
            Some(known) if operator.ends_with('?') => known,
            _ => value,
        };
        // Only make could tell which of two values holds, or whether this one does: none is taken.
        let differs = known.is_none_or(|known| known != value && !known.is_empty());
        if differs && self.conditions.whens().any(|when| when != format!("{name} is not set")) {
            self.forget(name);
            return;
        }
        if exported {
            self.options.insert(name.to_owned(), self.scope.expanded(&value));
        }
        self.scope.set(name, value);
    }

    /// `list-$(CONFIG_X) += a.o`: where the option is known, an assignment; else `list-y` and `list-m` are not known.
    fn assign_computed(&mut self, line: &str) {
        let Some((left, right)) = line.split_once('=').filter(|_| !line.starts_with('\t')) else { return };
        let (name, operator) = left.split_at(left.trim_end_matches([':', '?', '+', ' ']).len());
        let line = format!("{}{operator}={right}", self.scope.expanded(name));
        if let Some(assignment) = assignment(&line) {
            self.assign(&line, assignment);
        } else if let Some((list, _)) = name.trim().split_once("-$").filter(|(list, _)| *list != "obj") {
            for end in ["y", "m"] {
                self.forget(&format!("{list}-{end}"));
            }
        }
    }

    fn forget(&mut self, name: &str) {
        self.undecided.insert(name.to_owned());
        self.scope.values.remove(name);
    }
}

struct Place<'a> {
    dir: &'a RelPath,
    below: &'a str,
    depth: usize,
}

/// `obj-m += a.o b/`: what stands behind `obj-`, with the options that are set put in; the words behind the `=`; and
/// whether make puts variables in at the end of the file only.
fn object_line(line: &str, scope: &Scope) -> Option<(String, Vec<String>, bool)> {
    let rest = line.trim_start().strip_prefix("obj-")?;
    let mut open = 0_usize;
    let at = rest.char_indices().find(|(_, c)| {
        open = match c {
            '(' | '{' => open + 1,
            ')' | '}' => open.saturating_sub(1),
            _ => open,
        };
        *c == '=' && open == 0
    });
    let (left, right) = rest.split_at_checked(at?.0)?;
    let right = right.trim_start_matches('=');
    let late = !left.ends_with([':', '+', '?']);
    let left = left.trim_end_matches([':', '+', '?']).trim();
    let target = scope.expanded(left).trim().to_owned();
    let target = match target.as_str() {
        "m" | "y" | "n" | "" => target,
        _ if !left.contains('$') => return None,
        _ => only_option(left).map_or_else(|| format!("`{left}`"), str::to_owned),
    };
    let words = scope.expanded(right);
    // Of a function only make knows what it gives: it stays one word.
    let words = match words.contains("$(") {
        true => vec![words.trim().to_owned()],
        false => words.split_whitespace().map(str::to_owned).collect(),
    };
    Some((target, words, late))
}

/// The file that an `include` names, where it is one of the tree.
fn included(line: &str, dir: &RelPath) -> Option<RelPath> {
    let line = line.trim().trim_start_matches(['-', 's']);
    let name = line.strip_prefix("include ")?.trim();
    let tops =
        ["$(src)/", "$(obj)/", "$(M)/", "$(PWD)/", "$(CURDIR)/", "$(srctree)/$(src)/", "${src}/", "./"];
    let name = tops.iter().find_map(|top| name.strip_prefix(top)).unwrap_or(name);
    dir.join(name).ok().filter(|_| !name.contains('$'))
}

/// The directories beneath that a Makefile without modules calls make in: by `M=`, by `-C`, by a list of directories.
pub(super) fn called(lines: &[String], dir: &RelPath, tree: &impl Tree) -> Vec<String> {
    let mut scope = Scope::default();
    for (name, value, _) in lines.iter().filter_map(|line| assignment(line)) {
        scope.set(name, value.to_owned());
    }
    for here in ["PWD", "CURDIR"] {
        scope.set(here, ".".to_owned());
    }
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let line = scope
            .expanded(line)
            .replace("$$PWD", ".")
            .replace("$${PWD}", ".")
            .replace("$$(pwd)", ".")
            .replace("`pwd`", ".");
        for word in line.split(|c: char| c.is_whitespace() || "=;\"'".contains(c)) {
            let name = word.trim_start_matches("./").trim_end_matches('/');
            let plain = RelPath::parse(name).is_ok() && name != "." && !name.contains('$');
            let is_dir = |name: &str| dir.join(name).ok().and_then(|path| kbuild_file(tree, &path)).is_some();
            if plain && !found.iter().any(|known| known == name) && is_dir(name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}
