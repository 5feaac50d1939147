//! Kbuild files into the modules that they build, each with what it depends on. Nothing is run: what only make could
//! tell is named.

use super::conditions::condition;
use crate::import::files::{KBUILD_NAMES, kbuild_file, text};
use crate::system::fs::Tree;
use crate::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// How deep `obj-m += dir/` and `include` are followed, and how many directories in all.
const MAX_DEPTH: usize = 5;
const MAX_FILES: usize = 400;
/// Bytes that a value may have when variables were put in.
const MAX_VALUE: usize = 4096;

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
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
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
        self.lines(tree, &whole, &place, when, &mut options);
        if self.outputs.len() == before {
            for inner in called(&logical_lines(&whole), dir, tree) {
                if let Ok(path) = dir.join(&inner) {
                    self.directory(tree, &path, &format!("{below}{inner}/"), when, &options, depth + 1);
                }
            }
        }
    }

    fn lines(
        &mut self,
        tree: &impl Tree,
        whole: &str,
        place: &Place<'_>,
        when: &str,
        options: &mut BTreeMap<String, String>,
    ) {
        let lines = logical_lines(whole);
        let mut values: BTreeMap<String, String> = options.clone();
        let mut conditions: Vec<String> = Vec::new();
        let mut undecided: BTreeSet<String> = BTreeSet::new();
        for line in &lines {
            if let Some(change) = condition(line, &values) {
                change.apply(&mut conditions);
                continue;
            }
            if let Some(file) = included(line, place.dir).filter(|_| place.depth < MAX_DEPTH)
                && let Ok(inner) = text(tree, &file)
            {
                let place = Place { depth: place.depth + 1, ..*place };
                self.lines(tree, &inner, &place, when, options);
                values.extend(options.clone());
                continue;
            }
            if let Some((name, value, exported)) = assignment(line) {
                let value = expanded(value, &values);
                let known = values.get(name).filter(|_| line.contains("?=") || line.contains("+=")).cloned();
                let value = match known {
                    Some(known) if line.contains("+=") => format!("{known} {value}"),
                    Some(known) => known,
                    None => value,
                };
                // Two values, of which only make could tell the one that holds: none is taken.
                let open = conditions.iter().any(|one| !one.is_empty());
                let other = values.get(name).is_some_and(|known| !known.is_empty() && *known != value);
                if undecided.contains(name) || (open && other) {
                    undecided.insert(name.to_owned());
                    values.remove(name);
                } else if value.len() <= MAX_VALUE {
                    if exported {
                        options.insert(name.to_owned(), value.clone());
                    }
                    values.insert(name.to_owned(), value);
                }
                continue;
            }
            let whens: Vec<&str> = [when]
                .into_iter()
                .chain(conditions.iter().map(String::as_str))
                .filter(|one| !one.is_empty())
                .collect();
            self.object(tree, line, place, &whens, &values, options);
        }
    }

    /// One line `obj-… = …`.
    fn object(
        &mut self,
        tree: &impl Tree,
        line: &str,
        place: &Place<'_>,
        whens: &[&str],
        values: &BTreeMap<String, String>,
        options: &BTreeMap<String, String>,
    ) {
        let Some((target, words)) = object_line(line, values) else { return };
        let mut whens: Vec<String> = whens.iter().map(|one| (*one).to_owned()).collect();
        match target.as_str() {
            "m" | "y" => {}
            "n" | "" => return,
            option => whens.push(format!("{option} is set")),
        }
        let when = whens.join(" and ");
        for word in words {
            let word = word.trim_start_matches("./");
            if word == ".o" || word.contains(['$', '(', ')', '@']) {
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
                self.directory(
                    tree,
                    &path,
                    &format!("{}{inner}/", place.below),
                    &when,
                    options,
                    place.depth + 1,
                );
            }
        }
    }
}

struct Place<'a> {
    dir: &'a RelPath,
    below: &'a str,
    depth: usize,
}

/// `obj-m += a.o b/`: what stands behind `obj-`, with the options that are set put in, and the words behind the `=`.
fn object_line(line: &str, values: &BTreeMap<String, String>) -> Option<(String, Vec<String>)> {
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
    let left = left.trim_end_matches([':', '+', '?']).trim();
    let inner = left
        .strip_prefix("$(")
        .and_then(|name| name.strip_suffix(')'))
        .or_else(|| left.strip_prefix("${").and_then(|name| name.strip_suffix('}')));
    let target = match inner {
        // `$(CONFIG_X:y=m)`
        Some(name) => {
            let (name, as_module) =
                name.split_once(':').map_or((name, false), |(name, map)| (name, map.ends_with("=m")));
            match values.get(name).map(|value| value.trim()) {
                Some("y") if as_module => "m".to_owned(),
                Some(value @ ("m" | "y" | "n" | "")) => value.to_owned(),
                _ if name.starts_with("CONFIG_") => name.to_owned(),
                _ => format!("`{left}`"),
            }
        }
        None if left == "m" || left == "y" => left.to_owned(),
        None => return None,
    };
    let words = expanded(right, values);
    // Of a function only make knows what it gives: it stays one word.
    let words = match words.contains("$(")
        && words.contains(' ')
        && words.find("$(").is_some_and(|at| words.get(at..).is_some_and(|rest| rest.contains(' ')))
    {
        true => vec![words.trim().to_owned()],
        false => words.split_whitespace().map(str::to_owned).collect(),
    };
    Some((target, words))
}

/// A text with the variables put in that the file assigns.
fn expanded(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("$(").into_iter().chain(rest.find("${")).min() {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let name = after.get(2..).unwrap_or_default();
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            let closed = name.get(end..).is_some_and(|rest| rest.starts_with([')', '}']));
            match name
                .get(..end)
                .and_then(|name| values.get(name))
                .filter(|value| closed && out.len() + value.len() <= MAX_VALUE)
            {
                Some(value) => {
                    out.push_str(value);
                    rest = name.get(end + 1..).unwrap_or_default();
                }
                None => {
                    out.push_str(after.get(..2).unwrap_or_default());
                    rest = name;
                }
            }
        }
        out.push_str(rest);
        if out == text {
            break;
        }
        text = out;
    }
    text
}

/// The file that an `include` names, where it is one of the tree.
fn included(line: &str, dir: &RelPath) -> Option<RelPath> {
    let name = line.trim().trim_start_matches('-').strip_prefix("include ")?.trim();
    let tops =
        ["$(src)/", "$(obj)/", "$(M)/", "$(PWD)/", "$(CURDIR)/", "$(srctree)/$(src)/", "${src}/", "./"];
    let name = tops.iter().find_map(|top| name.strip_prefix(top)).unwrap_or(name);
    dir.join(name).ok().filter(|_| !name.contains('$'))
}

/// The directories beneath that a Makefile without modules calls make in: by `M=`, by `-C`, by a list of directories.
fn called(lines: &[String], dir: &RelPath, tree: &impl Tree) -> Vec<String> {
    let values: BTreeMap<String, String> = lines
        .iter()
        .filter_map(|line| assignment(line))
        .map(|(name, value, _)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let line = expanded(line, &values);
        for word in line.split(|c: char| c.is_whitespace() || "=;\"'".contains(c)) {
            let tops = ["$(PWD)/", "$(CURDIR)/", "$$PWD/", "$$(pwd)/", "$(shell", "./"];
            let name =
                tops.iter().find_map(|top| word.strip_prefix(top)).unwrap_or(word).trim_end_matches('/');
            let plain = RelPath::parse(name).is_ok() && name != "." && !name.contains('$');
            let is_dir = |name: &str| dir.join(name).ok().and_then(|path| kbuild_file(tree, &path)).is_some();
            if plain && !found.iter().any(|known| known == name) && is_dir(name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}
