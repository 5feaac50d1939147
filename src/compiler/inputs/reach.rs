//! A source's files -> the directories in it that no module reaches in the usual way.
//!
//! In the usual way a build reads what is beneath a module's directory, headers wherever they are, and what a makefile, a
//! step, a symbolic link or `firmware` names. A directory beside all that is out of reach. Names are looked for as words in
//! texts, so a directory may be taken for reached that is not, and hardly the other way round.

use super::uses::Uses;
use crate::system::fs::{FileDigest, Form, Reader};
use crate::text::ids::{FilePath, RelPath};
use std::collections::BTreeMap;

/// A makefile is text that people write; more than this is not one.
const MAKEFILE_LIMIT: u64 = 1 << 20;

/// The directories, as seen from the source, and how many files are in each.
pub(super) fn out_of_reach(
    reader: &Reader<'_>,
    dir: &RelPath,
    files: &[(FilePath, FileDigest)],
    uses: &Uses,
) -> BTreeMap<String, usize> {
    // Where a module is built in a directory that a variable names, that may be any; one that is not there is a mistake.
    let is_there = |module: &String| {
        let path = dir.join(module.trim_matches('/'));
        module == "." || path.is_ok_and(|path| files.iter().any(|(file, _)| file.is_within(&path)))
    };
    if uses.dirs.is_empty() || uses.finished || !uses.dirs.iter().all(is_there) {
        return BTreeMap::new();
    }
    let mut apart: BTreeMap<&str, Vec<&(FilePath, FileDigest)>> = BTreeMap::new();
    let mut texts = uses.steps.clone() + &uses.taken.join("\n");
    for file in files {
        let directory = file.0.beneath(dir).and_then(|inside| beside(inside, &uses.dirs));
        match directory {
            Some(directory) => apart.entry(directory).or_default().push(file),
            None => texts += &names_in(reader, file),
        }
    }
    // What one directory brings in may name another.
    while let Some(reached) = apart.iter().find(|(name, files)| is_reached(name, files, &texts)) {
        let reached = *reached.0;
        let files = apart.remove(reached).unwrap_or_default();
        files.into_iter().for_each(|file| texts += &names_in(reader, file));
    }
    apart.into_iter().map(|(directory, files)| (directory.to_owned(), files.len())).collect()
}

/// The outermost directory of a file that is neither beneath a module's directory nor on the way to one.
fn beside<'p>(file: &'p str, modules: &[String]) -> Option<&'p str> {
    let is_beneath = |path: &str, dir: &str| path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
    let inner = || modules.iter().map(|dir| dir.trim_matches('/')).filter(|dir| *dir != ".");
    if inner().any(|dir| is_beneath(file, dir)) {
        return None;
    }
    let directories = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
    directories.into_iter().find(|path| !inner().any(|dir| dir == *path || is_beneath(dir, path)))
}

fn is_reached(directory: &str, files: &[&(FilePath, FileDigest)], texts: &str) -> bool {
    let name = directory.rsplit('/').next().unwrap_or(directory);
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let named = texts.match_indices(name).any(|(at, _)| {
        let before = texts.get(..at).and_then(|text| text.chars().next_back());
        let after = texts.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.into_iter().chain(after).any(is_part)
    });
    named || texts.contains("*/") || files.iter().any(|(path, _)| path.as_str().ends_with(".h"))
}

/// What a file names that a build follows: the text of a makefile, where a link leads.
fn names_in(reader: &Reader<'_>, (path, content): &(FilePath, FileDigest)) -> String {
    let name = path.as_str().rsplit('/').next().unwrap_or_default();
    let is_makefile = name.to_ascii_lowercase().contains("makefile")
        || name.starts_with("Kbuild")
        || [".mk", ".mak", ".inc"].iter().any(|end| name.ends_with(end));
    let text = match content.form {
        Form::Link => reader.link(path).ok(),
        _ if is_makefile => {
            reader.read(path, MAKEFILE_LIMIT).ok().map(|text| String::from_utf8_lossy(&text).into_owned())
        }
        _ => None,
    };
    text.map(|text| text + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::inputs::{Rules, walk};
    use crate::system::fs::Memory;

    fn found(tree: &[(&str, &str)], modules: &[&str]) -> Vec<String> {
        let mut memory = Memory::new();
        for (file, text) in tree {
            memory.insert(FilePath::parse(file).unwrap(), *text);
        }
        let reader = Reader::new(&memory);
        let walked = walk(&reader, &RelPath::root(), &Rules::new(&[], &[]).unwrap());
        let uses = Uses { dirs: modules.iter().map(|dir| (*dir).to_owned()).collect(), ..Uses::default() };
        let found = out_of_reach(&reader, &RelPath::root(), &walked.files, &uses);
        found.into_iter().map(|(directory, files)| format!("{directory} {files}")).collect()
    }

    #[test]
    fn what_a_build_reads_is_in_reach() {
        let tree = [
            ("Makefile", "obj-m := a.o\na-objs := core/a.o\ninclude $(src)/config/all.mk\n"),
            ("a.c", ""),
            ("app/Makefile", "app: app.c\n"),
            ("app/app.c", ""),
            ("compat/x.h", ""),
            ("config/all.mk", "a-objs += ../shared/b.o"),
            ("core/a.c", ""),
            ("docs/a.rst", ""),
            ("docs/img/b.png", ""),
            ("shared/b.c", ""),
        ];
        assert_eq!(found(&tree, &["."]), ["app 2", "docs 2"]);
        // Nothing is known of what is built elsewhere, or nowhere.
        assert_eq!(found(&tree, &["*"]), [""; 0]);
        assert_eq!(found(&tree, &[]), [""; 0]);
    }

    #[test]
    fn a_module_in_a_directory_reaches_that_directory() {
        let tree = [
            ("src/driver/Kbuild", "obj-m := a.o\n"),
            ("src/driver/deep/a.c", ""),
            ("src/tool/main.c", ""),
            ("src/readme.txt", ""),
            ("tests/a.py", ""),
        ];
        assert_eq!(found(&tree, &["src/driver"]), ["src/tool 1", "tests 1"]);
        assert_eq!(found(&tree, &["src/driver", "src/tool/"]), ["tests 1"]);
    }
}
