//! Kbuild files into the modules that they build, each with what it depends on. Nothing is run: what only make could
//! tell is named.

use super::calls::told;
use super::expand::Scope;
use super::lines::{assignment, logical_lines};
use super::reading::{OF_KBUILD, Reading};
use super::{DIRECTORIES, RELEASES};
use crate::import::files::{KBUILD_NAMES, kbuild_file, text};
use crate::system::fs::{Kind, Tree};
use crate::text::ids::RelPath;
use std::collections::BTreeMap;

/// How deep `obj-m += dir/` is followed, and how many directories in all.
const MAX_DEPTH: usize = 5;
const MAX_FILES: usize = 400;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// `.ko` files, with why they may be missing; empty where they may not.
    pub(super) outputs: BTreeMap<String, String>,
    /// Whether one of them is written in Rust.
    pub(super) rust: bool,
    /// Lines that name modules in a way that only make can tell.
    pub(super) unread: Vec<String>,
    /// Variables on the command lines that call make: they win over what files say.
    fixed: BTreeMap<String, String>,
    files: usize,
}

impl Objects {
    /// Reads what a directory builds, and the directories beneath it that its calls of make go to.
    /// `given` are options that are set outside of its files.
    pub(super) fn of(tree: &impl Tree, dir: &RelPath, given: &BTreeMap<String, String>) -> Self {
        let mut objects = Self::default();
        objects.directory(tree, dir, "", "", given, 0);
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
            let lines = logical_lines(&beside.unwrap_or_default());
            options.extend(given(&lines));
            self.fixed.extend(told(&lines));
        }
        let Some((_, whole)) = kbuild_file(tree, dir) else { return };
        let before = self.outputs.len();
        let place = Place { dir, below, depth };
        let scope = scope(tree, dir, &options);
        let mut reading = Reading::new(scope, options, &self.fixed);
        reading.file(tree, &whole, dir, 0);
        for text in reading.unread {
            self.not_read(text);
        }
        for entry in reading.entries {
            let words = entry.words(&reading.scope);
            let first = Some(when).filter(|when| !when.is_empty()).map(str::to_owned);
            let whens = first.into_iter().chain(entry.whens).collect();
            self.rust |= words.iter().any(|word| in_rust(tree, dir, &reading.scope, word));
            self.object(tree, &entry.line, (entry.target, words), &place, whens, &reading.options);
        }
        if self.outputs.len() == before {
            for inner in called(&logical_lines(&whole), dir, tree) {
                if let Ok(path) = dir.join(&inner) {
                    self.directory(
                        tree,
                        &path,
                        &format!("{below}{inner}/"),
                        when,
                        &reading.options,
                        depth + 1,
                    );
                }
            }
        }
    }

    fn not_read(&mut self, text: String) {
        if !self.unread.contains(&text) {
            self.unread.push(text);
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
                self.not_read(format!("`{}` is not read: say with `output` what it builds", line.trim()));
            } else if let Some(name) = word.strip_suffix(".o").filter(|_| target != "y") {
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

/// Whether a module, or a part of it, is written in Rust.
fn in_rust(tree: &impl Tree, dir: &RelPath, scope: &Scope, word: &str) -> bool {
    let Some(name) = word.strip_suffix(".o") else { return false };
    let parts = ["y", "objs"].map(|end| scope.expanded(&format!("$({name}-{end})")));
    let parts = parts.iter().flat_map(|parts| parts.split_whitespace());
    parts.filter_map(|part| part.strip_suffix(".o")).chain([name]).any(|part| {
        let has = |end: &str| dir.join(&format!("{part}.{end}")).is_ok_and(|file| text(tree, &file).is_ok());
        has("rs") && !has("c")
    })
}

/// Options that are set to `m` or `y`: by the calls of make of a file, and by what it exports.
fn given(lines: &[String]) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    let mut scope = Scope::default();
    for line in lines {
        if let Some((name, value, _)) = assignment(line) {
            scope.set(name, value.to_owned());
        }
        if let Some((name, value, true)) = assignment(line).filter(|(name, ..)| name.starts_with("CONFIG_")) {
            given.insert(name.to_owned(), value.to_owned());
        }
        let calls = line
            .split_whitespace()
            .any(|word| ["$(MAKE)", "${MAKE}", "make"].contains(&word.trim_start_matches(['@', '+', '-'])));
        if !calls {
            continue;
        }
        let expanded = scope.expanded(line);
        let words = expanded.split_whitespace();
        let pairs = words.filter_map(|word| word.split_once('='));
        let options = pairs.filter(|(name, value)| name.starts_with("CONFIG_") && ["m", "y"].contains(value));
        given.extend(options.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    given
}

/// What is known at the beginning of a directory's file.
fn scope(tree: &impl Tree, dir: &RelPath, options: &BTreeMap<String, String>) -> Scope {
    let mut scope = Scope { values: options.clone(), files: Vec::new() };
    let entries = tree.list(dir).map(|found| found.value).unwrap_or_default();
    scope.files.extend(entries.into_iter().filter(|entry| entry.kind == Kind::File).map(|entry| entry.name));
    let of_kbuild = OF_KBUILD.iter().copied();
    let directories = DIRECTORIES.iter().map(|name| (*name, "{kernel_dir}"));
    let releases = RELEASES.iter().map(|name| (*name, "{kernel}"));
    let lists = ["obj-m", "obj-y"].map(|name| (name, ""));
    for (name, value) in of_kbuild.chain(directories).chain(releases).chain(lists) {
        scope.set(name, value.to_owned());
    }
    scope
}

struct Place<'a> {
    dir: &'a RelPath,
    below: &'a str,
    depth: usize,
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
