//! The files that stages copy -> an ignore file that lets in these and no others, in few lines.
//!
//! Engines agree on little more than this: the last line that matches decides, a line speaks for all beneath it, and
//! a line that lets something in holds no wildcard. So a directory is let in whole where that takes fewer lines
//! than to name what is taken of it, and wildcards stand only in lines that keep out what is no source.

use crate::compiler::inputs::{SourceTree, no_source};
use crate::text::ids::{FilePath, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// So many files may be let in again after a wildcard has kept them out; with more, the wildcard is not worth it.
const LET_IN_AGAIN: usize = 16;
/// What a line costs that engines do not read alike: it is written only where there is no other way.
const UNSAFE: u64 = 1 << 32;

/// Lets in exactly what these trees and files hold.
pub(super) fn ignore_file<'p>(
    trees: &[(&'p RelPath, &'p SourceTree)],
    files: impl Iterator<Item = &'p FilePath>,
) -> String {
    let mut root = Node::default();
    let of_trees = trees.iter().flat_map(|(_, tree)| tree.files.iter().map(|(path, _)| path));
    of_trees.chain(files).for_each(|path| root.at(path.as_str()).taken = true);
    for (dir, tree) in trees {
        root.learn(dir, tree);
    }
    let wildcards = wildcards(&root);
    root.price("", &wildcards);
    let mut lines = Vec::new();
    if root.write("", false, &mut lines) {
        let again: BTreeSet<_> =
            wildcards.iter().flat_map(|(_, hit)| hit).map(|path| format!("!{}", literal(path))).collect();
        lines.retain(|line| !again.contains(line));
        lines.extend(wildcards.iter().map(|(wildcard, _)| format!("**/{wildcard}")));
        lines.extend(again);
    }
    let head = ["# The build context: these files and no other.".to_owned(), "*".to_owned()];
    head.into_iter().chain(lines).map(|line| line + "\n").collect()
}

/// The names that are kept out wherever they stand, each with the files that are taken in spite of it. Only where a
/// directory may be let in.
fn wildcards(root: &Node<'_>) -> Vec<(&'static str, Vec<String>)> {
    let all = no_source::everywhere().map(|wildcard| {
        let mut hit = Vec::new();
        root.hit_by(wildcard, false, &mut Vec::new(), &mut hit);
        (wildcard, hit)
    });
    all.filter(|(_, hit)| hit.len() <= LET_IN_AGAIN).collect()
}

/// A name in the build context.
#[derive(Default)]
struct Node<'p> {
    beneath: BTreeMap<&'p str, Self>,
    /// It is a file that is copied.
    taken: bool,
    /// It is there, and a walk did not go into it.
    left: bool,
    /// All that is in this directory is known, and can be written down.
    known: bool,
    /// Something in this directory has a name that no line can say.
    opaque: bool,
    /// Lines that it takes where all above is kept out, and where it is let in.
    kept_out: u64,
    let_in: u64,
    /// Where all above is kept out, it is let in whole; where that is let in, it is kept out itself.
    whole: bool,
    apart: bool,
}

impl<'p> Node<'p> {
    fn at(&mut self, path: &'p str) -> &mut Self {
        path.split('/')
            .filter(|part| *part != ".")
            .fold(self, |node, part| node.beneath.entry(part).or_default())
    }

    /// Takes over what a walk found out: the directories on the way to its files are known, and so is what was left.
    fn learn(&mut self, dir: &'p RelPath, tree: &'p SourceTree) {
        let top = self.at(dir.as_str());
        top.known = true;
        for (path, _) in tree.files.iter() {
            let mut node = &mut *top;
            for part in path.beneath(dir).unwrap_or_default().split('/') {
                node.known = true;
                node = node.beneath.entry(part).or_default();
            }
        }
        for left in tree.left.iter() {
            let parts = if dir.is_root() {
                Some(left.path.as_str())
            } else {
                left.path.get(dir.as_str().len() + 1..)
            };
            let Some(parts) = parts else { continue };
            let odd = FilePath::parse(&left.path).is_err() || left.path.contains('\u{fffd}');
            let mut node = &mut *top;
            let mut parts = parts.split('/').peekable();
            while let Some(part) = parts.next() {
                node.known = true;
                node.opaque |= odd && parts.peek().is_none();
                node = node.beneath.entry(part).or_default();
            }
            node.left = !node.taken;
        }
    }

    /// Collects the taken files of which a part of the path is this wildcard, until there are too many of them.
    fn hit_by(&self, wildcard: &str, is_hit: bool, parts: &mut Vec<&'p str>, hit: &mut Vec<String>) {
        if self.taken && is_hit {
            hit.push(parts.join("/"));
        }
        for (name, node) in &self.beneath {
            if hit.len() > LET_IN_AGAIN {
                return;
            }
            parts.push(name);
            node.hit_by(wildcard, is_hit || no_source::matches(wildcard, name), parts, hit);
            parts.pop();
        }
    }

    fn has_taken(&self) -> bool {
        self.taken || self.beneath.values().any(Self::has_taken)
    }

    /// Whether the directory may be let in whole.
    fn may_be_whole(&self, path: &str) -> bool {
        self.known && !self.opaque && !path.is_empty() && !path.ends_with(char::is_whitespace)
    }

    /// Counts lines, from below.
    fn price(&mut self, path: &str, wildcards: &[(&str, Vec<String>)]) -> bool {
        let (mut kept_out, mut let_in, mut taken) = (0_u64, 0_u64, self.taken);
        for (name, node) in &mut self.beneath {
            taken |= node.price(&join(path, name), wildcards);
            kept_out = kept_out.saturating_add(node.kept_out);
            let_in = let_in.saturating_add(node.let_in);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if self.taken {
            (self.kept_out, self.let_in) = (if path.ends_with(char::is_whitespace) { UNSAFE } else { 1 }, 0);
        } else if !taken {
            let covered = wildcards.iter().any(|(wildcard, _)| no_source::matches(wildcard, name));
            let one = u64::from(!covered);
            // A directory of which nothing is taken is kept out by one line.
            self.left |= let_in > one;
            (self.kept_out, self.let_in) = (0, if self.left { one } else { let_in });
        } else {
            // Engines do not go into a directory that is kept out where an escape hides what is let in beneath it.
            let apart = kept_out.saturating_add(if literal(path) == path { 0 } else { UNSAFE });
            let whole = if self.may_be_whole(path) { 1 + let_in } else { u64::MAX };
            let inside = if self.may_be_whole(path) { let_in } else { u64::MAX };
            (self.whole, self.apart) = (whole <= apart, inside > apart.saturating_add(1));
            (self.kept_out, self.let_in) = (apart.min(whole), inside.min(apart.saturating_add(1)));
        }
        taken
    }

    /// Writes its lines; returns whether a directory was let in.
    fn write(&self, path: &str, is_let_in: bool, lines: &mut Vec<String>) -> bool {
        let mut line = |start: &str| lines.push(format!("{start}{}", literal(path)));
        let (whole, let_in) = match is_let_in {
            false if self.kept_out == 0 => return false,
            true if self.let_in == 0 => return false,
            false if self.taken => {
                line("!");
                return false;
            }
            true if !self.has_taken() && self.left => {
                line("");
                return false;
            }
            false if self.whole => {
                line("!");
                (true, true)
            }
            true if self.apart => {
                line("");
                (false, false)
            }
            same => (false, same),
        };
        let below = self.beneath.iter().map(|(name, node)| node.write(&join(path, name), let_in, lines));
        below.fold(whole, |whole, below| whole | below)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// What engines read as more than itself, at least one of them.
const fn special(letter: char) -> bool {
    matches!(letter, '*' | '?' | '[' | ']' | '\\' | '(' | ')' | '{' | '}' | '|' | '^' | '$' | '+')
}

/// A path that matches itself alone; one that ends in a blank cannot be told from its like.
fn literal(path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 8);
    for (at, letter) in path.chars().enumerate() {
        if special(letter) || (at == 0 && (matches!(letter, '!' | '#') || letter.is_whitespace())) {
            text.push('\\');
        }
        text.push(letter);
    }
    // Engines take blanks off the end of a line.
    if path.ends_with(char::is_whitespace) { text.trim_end().to_owned() + "?" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::inputs::{Rules, walk};
    use crate::system::fs::{Memory, Reader};

    fn lines(present: &[&str], include: &[&str], ignore: &[&str], dir: &str, others: &[&str]) -> Vec<String> {
        let mut memory = Memory::new();
        for file in present {
            memory.insert(FilePath::parse(file).unwrap(), "");
        }
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        let dir = RelPath::parse(dir).unwrap();
        let rules = Rules::new(&owned(include), &owned(ignore)).unwrap();
        let walked = walk(&Reader::new(&memory), &dir, &rules);
        let tree = SourceTree { files: walked.files.into(), left: walked.left.into() };
        let others: Vec<_> = others.iter().map(|path| FilePath::parse(path).unwrap()).collect();
        let text = ignore_file(&[(&dir, &tree)], others.iter());
        let wildcards: Vec<_> = no_source::everywhere().map(|name| format!("**/{name}")).collect();
        let lines = text.lines().skip(2).map(str::to_owned);
        lines.filter(|line| !wildcards.contains(line)).collect()
    }

    #[test]
    fn directories_are_let_in_whole_and_what_is_left_out_of_them_kept_out() {
        let present = [
            "README.md",
            "a.patch",
            "drivers.kdl",
            "src/Kbuild",
            "src/a.c",
            "src/a.o",
            "src/local/x",
            "src/sub/b.c",
            "src/sub/[x].c",
            "tools/t.sh",
            "tools/u.txt",
            "tools/v.txt",
            "tools/w.txt",
        ];
        assert_eq!(lines(&present, &[], &["local"], "src", &["a.patch"]), ["!src", "src/local", "!a.patch"]);
        assert_eq!(lines(&present, &[], &["*.txt", "local"], ".", &[]), ["!src", "src/local", "!tools/t.sh"]);
        assert_eq!(lines(&present, &["*.c"], &[], "src/sub", &[]), ["!src/sub"]);
        let built = ["src/a.c", "src/a.o", "src/blob.o", "src/.a.o.cmd", "src/Module.symvers"];
        assert_eq!(lines(&built, &["*", "/blob.o"], &[], "src", &[]), ["!src", "!src/blob.o"]);
    }

    #[test]
    fn odd_names_are_escaped_or_avoided() {
        let present = ["!x/a", "#y", " z", "d(1)/a.c", "d(1)/b.txt", "e/f\\g", "e/+"];
        let found = lines(&present, &[], &["*.txt"], ".", &[]);
        assert_eq!(found, ["!\\ z", "!\\!x", "!\\#y", "!d\\(1\\)", "d\\(1\\)/b.txt", "!e"]);
    }
}
