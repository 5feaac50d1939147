//! Files and functions stay short, and no files use each other in a circle. Tests and `mod tests` are not counted. What a
//! `mod.rs` re-exports is looked for in the file that has it; that a `mod.rs` uses the files of its folder is no use.

use crate::repository;
use camino::Utf8Path;
use ignore::Walk;
use std::collections::{BTreeMap, BTreeSet};

/// The longest file, and the longest function, in lines.
const FILE: usize = 400;
const FUNCTION: usize = 80;

/// Circles that stay: what the words of a shell hold is words again, and what a shell runs runs shells.
const RECURSION: &[&[&str]] = &[&["import/shell/run", "import/shell/worlds"]];

/// The code of `src` by module, such as `compiler/plan/cells`, without comments and tests.
fn code() -> BTreeMap<String, String> {
    let root = repository("src");
    let files =
        Walk::new(&root).filter_map(|entry| entry.ok()?.into_path().into_os_string().into_string().ok());
    let files = files.filter(|path| path.ends_with(".rs")).filter_map(|path| {
        let inner = Utf8Path::new(&path).strip_prefix(&root).unwrap().with_extension("");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
        let is_test = inner.components().any(|part| part.as_str() == "tests");
        (!is_test).then(|| (inner.to_string(), lines.collect::<Vec<_>>().join("\n")))
    });
    files.collect()
}

/// Reads `a::b::{c, d::e}` into `a/b/c` and `a/b/d/e`, and gives back what follows.
fn paths<'a>(text: &'a str, before: &str, found: &mut Vec<String>) -> &'a str {
    if let Some(mut inner) = text.strip_prefix('{') {
        loop {
            inner = inner.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if inner.is_empty() || inner.starts_with('}') {
                return inner.strip_prefix('}').unwrap_or(inner);
            }
            let after = paths(inner, before, found);
            inner = if after.len() == inner.len() { inner.get(1..).unwrap_or_default() } else { after };
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = format!("{before}/{}", &text[..end]);
    match text[end..].strip_prefix("::") {
        Some(rest) => paths(rest, &path, found),
        None => {
            found.push(path.trim_matches('/').to_owned());
            &text[end..]
        }
    }
}

/// What a module names, from the top of the crate.
fn named(module: &str, code: &str) -> Vec<String> {
    let own = module.strip_suffix("/mod").unwrap_or(module);
    let mut found = Vec::new();
    for mark in ["crate::", "super::"] {
        for (at, _) in code.match_indices(mark).filter(|(at, _)| !code[..*at].ends_with("::")) {
            let mut rest = &code[at..];
            let mut base = own;
            while let Some(inner) = rest.strip_prefix("super::") {
                (rest, base) = (inner, base.rsplit_once('/').map_or("", |(base, _)| base));
            }
            if let Some(inner) = rest.strip_prefix("crate::") {
                (rest, base) = (inner, "");
            }
            paths(rest, base, &mut found);
        }
    }
    found
}

/// Where the names that each `mod.rs` re-exports are: `compiler/plan/Node` is `compiler/plan/node/Node`.
fn exports(code: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for (module, text) in code {
        let Some(folder) = module.strip_suffix("/mod") else { continue };
        for (at, mark) in text.match_indices("pub use ") {
            let mut found = Vec::new();
            paths(&text[at + mark.len()..], folder, &mut found);
            let name = |path: &String| format!("{folder}/{}", path.rsplit('/').next().unwrap_or_default());
            let moved = found.into_iter().map(|path| (name(&path), path));
            // A file and what it is there for often have one name.
            exports.extend(moved.filter(|(name, _)| !code.contains_key(name)));
        }
    }
    exports
}

/// The file that has what is at a path, if it is one of `files`.
fn file_of<'a>(
    files: &'a BTreeMap<String, String>,
    exports: &BTreeMap<String, String>,
    path: &str,
) -> Option<&'a str> {
    let prefixes = |path: &str| {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| path[..end].to_owned()).collect::<Vec<_>>()
    };
    let mut path = path.to_owned();
    // A name may be re-exported by a folder in a folder.
    for _ in 0..4 {
        let known = |prefix: &String| exports.get_key_value(prefix);
        let Some((from, to)) = prefixes(&path).iter().find_map(known) else { break };
        path = format!("{to}{}", &path[from.len()..]);
    }
    let file = |prefix: &String| {
        files.get_key_value(prefix).or_else(|| files.get_key_value(&format!("{prefix}/mod")))
    };
    prefixes(&path).iter().rev().find_map(file).map(|(file, _)| file.as_str())
}

/// Every file that a file uses, and that those use.
fn reached<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<_> = uses[from].iter().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(&uses[file]);
        }
    }
    seen
}

#[test]
fn files_use_each_other_in_no_circle() {
    let code = code();
    let exports = exports(&code);
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, text) in &code {
        let used = named(module, text).into_iter().filter_map(|path| file_of(&code, &exports, &path));
        uses.entry(module).or_default().extend(used.filter(|used| used != module));
    }
    let reached: BTreeMap<&str, _> = uses.keys().map(|file| (*file, reached(&uses, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, all) in reached.iter().filter(|(file, all)| all.contains(*file)) {
        circles.insert(all.iter().copied().filter(|other| reached[other].contains(file)).collect::<Vec<_>>());
    }
    let expected = RECURSION.iter().map(|circle| circle.to_vec()).collect();
    assert_eq!(circles, expected, "left is what there is, right is what may stay");
}

#[test]
fn files_and_functions_are_short() {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for (module, text) in code() {
        let lines: Vec<_> = text.lines().collect();
        if lines.len() > FILE {
            files.push(module.clone());
        }
        for (at, line) in lines.iter().enumerate() {
            let bare = line.trim_start();
            let head = bare.split('(').next().unwrap_or_default();
            let Some((_, name)) = head.rsplit_once("fn ").filter(|_| head.len() < bare.len()) else {
                continue;
            };
            let end = format!("{}}}", &line[..line.len() - bare.len()]);
            let length = lines[at..].iter().position(|line| *line == end).map_or(0, |length| length + 1);
            let is_declared = bare.ends_with(';') || bare.ends_with('}');
            if length > FUNCTION && !is_declared {
                functions.push(format!("{module} {name}"));
            }
        }
    }
    assert!(files.is_empty(), "more than {FILE} lines: {files:?}");
    assert!(functions.is_empty(), "more than {FUNCTION} lines: {functions:?}");
}
