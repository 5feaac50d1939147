//! The rooms of `src/lib.rs` stand in the order of the data, and so do the modules in each: both use only what stands above.

use crate::repository;
use camino::Utf8Path;
use ignore::Walk;

/// The modules that a file declares, in its order.
fn modules(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository(file)).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    text.lines().filter_map(name).collect()
}

/// Every Rust file beneath `src` with the room that it belongs to and its text.
fn sources() -> Vec<(String, String, String)> {
    let root = repository("src");
    let files =
        Walk::new(&root).filter_map(|entry| entry.ok()?.into_path().into_os_string().into_string().ok());
    let files = files.filter(|path| path.ends_with(".rs")).map(|path| {
        let inner = Utf8Path::new(&path).strip_prefix(&root).unwrap();
        (inner.to_string(), part(inner, 0), std::fs::read_to_string(&path).unwrap())
    });
    files.collect()
}

/// The n-th part of a file's module path.
fn part(path: &Utf8Path, n: usize) -> String {
    path.components().nth(n).map(|part| part.as_str().trim_end_matches(".rs").to_owned()).unwrap_or_default()
}

/// What the code of a file names behind `prefix`. Links of the documentation may point anywhere.
fn used<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(move |line| line.split(prefix).skip(1))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}

#[test]
fn each_room_uses_only_what_stands_above_it() {
    let rooms = modules("src/lib.rs");
    let rank = |name: &str| rooms.iter().position(|room| room == name);
    let mut wrong = Vec::new();
    for (path, room, text) in sources() {
        let Some(own) = rank(&room) else { continue };
        let below = used(&text, "crate::").filter(|used| rank(used).is_some_and(|used| used > own));
        wrong.extend(below.map(|used| format!("{path}: {used}")));
    }
    assert!(
        wrong.is_empty(),
        "these use a room that stands below theirs in src/lib.rs:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_module_of_a_room_uses_only_what_stands_above_it() {
    let mut wrong = Vec::new();
    for (path, room, text) in sources() {
        let modules =
            modules(&format!("src/{room}/mod.rs").replace("lib/mod", "lib").replace("main/mod", "main"));
        let rank = |name: &str| modules.iter().position(|module| module == name);
        let Some(own) = rank(&part(Utf8Path::new(&path), 1)) else { continue };
        let prefix = format!("crate::{room}::");
        let below = used(&text, &prefix).filter(|used| rank(used).is_some_and(|used| used > own));
        wrong.extend(below.map(|used| format!("{path}: {used}")));
    }
    assert!(
        wrong.is_empty(),
        "these use what stands below them in their room's mod.rs:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_file_opens_with_a_sentence_about_it() {
    let wrong: Vec<_> =
        sources().into_iter().filter(|(_, _, text)| !text.starts_with("//! ")).map(|(p, ..)| p).collect();
    assert!(wrong.is_empty(), "these files have no `//!` sentence on top: {wrong:?}");
}

#[test]
fn only_fs_touches_the_disk() {
    let users = sources()
        .into_iter()
        .filter(|(path, _, text)| !path.starts_with("system/fs/") && text.contains("std::fs"));
    let users: Vec<_> = users.map(|(path, ..)| path).collect();
    assert!(users.is_empty(), "these use std::fs instead of crate::system::fs: {users:?}");
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
