//! The modules of `src/lib.rs` stand in the order of the data; each uses only what stands above it.

use crate::repository;
use camino::Utf8Path;
use ignore::Walk;

/// The top-level modules, in the order of `src/lib.rs`.
fn modules() -> Vec<String> {
    let lib = std::fs::read_to_string(repository("src/lib.rs")).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    lib.lines().filter_map(name).collect()
}

/// Every Rust file beneath `src` with the top-level module that it belongs to and its text.
fn sources() -> Vec<(String, String, String)> {
    let root = repository("src");
    let files =
        Walk::new(&root).filter_map(|entry| entry.ok()?.into_path().into_os_string().into_string().ok());
    let files = files.filter(|path| path.ends_with(".rs")).map(|path| {
        let inner = Utf8Path::new(&path).strip_prefix(&root).unwrap();
        let module = inner.components().next().unwrap().as_str().trim_end_matches(".rs").to_owned();
        (inner.to_string(), module, std::fs::read_to_string(&path).unwrap())
    });
    files.collect()
}

#[test]
fn each_module_uses_only_what_stands_above_it() {
    let modules = modules();
    let rank = |name: &str| modules.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for (path, module, text) in sources() {
        let Some(own) = rank(&module) else { continue };
        // Links of the documentation may point anywhere.
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let used = code
            .flat_map(|line| line.split("crate::").skip(1))
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
        wrong.extend(
            used.filter(|used| rank(used).is_some_and(|used| used > own))
                .map(|used| format!("{path}: {used}")),
        );
    }
    assert!(wrong.is_empty(), "these use what stands below them in src/lib.rs:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_a_sentence_about_it() {
    let wrong: Vec<_> =
        sources().into_iter().filter(|(_, _, text)| !text.starts_with("//! ")).map(|(p, ..)| p).collect();
    assert!(wrong.is_empty(), "these files have no `//!` sentence on top: {wrong:?}");
}

#[test]
fn only_fs_touches_the_disk() {
    let users = sources().into_iter().filter(|(_, module, text)| module != "fs" && text.contains("std::fs"));
    let users: Vec<_> = users.map(|(path, ..)| path).collect();
    assert!(users.is_empty(), "these use std::fs instead of crate::fs: {users:?}");
}

#[test]
fn nothing_is_left_undone() {
    let words = ["todo!(", "unimplemented!(", "dbg!(", "TODO", "FIXME", "XXX", "/root/", "/home/"];
    let found = sources().into_iter().flat_map(|(path, _, text)| {
        let here = words.iter().filter(move |word| text.contains(**word));
        here.map(move |word| format!("{path}: {word}")).collect::<Vec<_>>()
    });
    assert_eq!(found.collect::<Vec<_>>(), Vec::<String>::new());
}
