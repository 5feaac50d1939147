//! A source directory -> its files with their digests, what of it is left out and why, and what cannot be taken.
//!
//! 1. [`walk`] reads the `.gitignore` files of the directories above ([`Ignores`]), beneath the manifest only.
//! 2. [`Walk::directory`] lists a directory, adds its own `.gitignore`, and goes through the entries.
//! 3. [`Walk::entry`] drops what is ignored or is no source, goes into directories, and digests files.
//! 4. [`super::links`] decides which symbolic links are carried.
//!
//! Everything is read through the [`Reader`], so a file that comes or goes is noticed by the next run.

use super::found::{LeftOut, Refusal, Walked, Why};
use super::rules::Rules;
use super::{links, no_source};
use crate::system::fs::{Entry, Form, Kind, Reader};
use crate::text::ids::{FilePath, RelPath};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;

/// A `.gitignore` is text that people write; more than this is not one.
const IGNORE_FILE_LIMIT: u64 = 1 << 20;

/// Lists the files of `dir` (relative to the manifest) that belong to a source.
///
/// What [`no_source`] lists is left out, and so is what the `.gitignore` files from the manifest's directory
/// downwards ignore. A directory that cannot be read is among those refused.
pub fn walk(reader: &Reader, dir: &RelPath, rules: &Rules) -> Walked {
    let skip = if dir.is_root() { 0 } else { dir.as_str().len() + 1 };
    let walk = Walk { reader, rules, skip };
    let mut above: Vec<RelPath> = std::iter::successors(dir.parent(), RelPath::parent).collect();
    above.reverse();
    let mut found = walk.beneath(&above, dir, None);
    found.files.par_sort_unstable_by(|a, b| a.0.cmp(&b.0));
    links::settle(dir, &mut found);
    found.left.par_sort_unstable();
    found.refused.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// One `.gitignore`, and those above it.
struct Ignores<'a> {
    above: Option<&'a Self>,
    /// How many bytes of a path lead to its directory.
    skip: usize,
    globs: Gitignore,
}

impl<'a> Ignores<'a> {
    fn read(reader: &Reader, dir: &FilePath, above: Option<&'a Self>) -> Option<Self> {
        let path = dir.join_file(".gitignore").ok()?;
        let text = reader.read(&path, IGNORE_FILE_LIMIT).ok()?;
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&text).trim_start_matches('\u{feff}').lines() {
            // As in git, a line that is no glob ignores nothing.
            let _ = builder.add_line(None, line);
        }
        let skip = if dir.is_root() { 0 } else { dir.as_str().len() + 1 };
        Some(Self { above, skip, globs: builder.build().ok()? })
    }

    fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let matched = self.globs.matched(path.get(self.skip..).unwrap_or(path), is_dir);
        match self.above {
            Some(above) if matched.is_none() => above.ignores(path, is_dir),
            _ => matched.is_ignore(),
        }
    }
}

struct Walk<'a> {
    reader: &'a Reader<'a>,
    rules: &'a Rules,
    /// How many bytes of a path lead to the source's directory.
    skip: usize,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct Place<'p> {
    dir: &'p FilePath,
    entries: &'p [Entry],
    ignores: Option<&'p Ignores<'p>>,
    /// The directory is left out, but for what `include` names in it.
    named_only: bool,
}

impl Walk<'_> {
    /// Reads the `.gitignore` files of the directories above, outermost first, then goes into `dir`.
    fn beneath(&self, above: &[RelPath], dir: &RelPath, ignores: Option<&Ignores>) -> Walked {
        let Some((first, rest)) = above.split_first() else { return self.directory(dir, ignores, false) };
        let lfs = self.lfs(first);
        let own = Ignores::read(self.reader, first, ignores);
        let mut found = self.beneath(rest, dir, own.as_ref().or(ignores));
        found.lfs |= lfs;
        found
    }

    fn directory(&self, dir: &FilePath, ignores: Option<&Ignores>, named_only: bool) -> Walked {
        let entries = match self.reader.list(dir) {
            Ok(entries) => entries,
            Err(error) => return Walked::refused(dir.to_string(), Refusal::Unreadable(error)),
        };
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        if dir.as_str().len() > self.skip && !named_only && self.is_output(dir, &entries) {
            return Walked::left(dir.to_string(), Why::Drvc);
        }
        let own = if has(".gitignore") { Ignores::read(self.reader, dir, ignores) } else { None };
        let ignores = own.as_ref().or(ignores);
        let lfs = has(".gitattributes") && self.lfs(dir);
        let place = Place { dir, entries: &entries, ignores, named_only };
        let each = entries.par_iter().with_min_len(16);
        let found = each.map(|entry| self.entry(place, entry)).reduce(Walked::default, Walked::and);
        Walked { lfs: found.lfs | lfs, ..found }
    }

    /// Whether a directory is the output directory of some drvc.
    fn is_output(&self, dir: &FilePath, entries: &[Entry]) -> bool {
        let has = |name: &str, kind| entries.iter().any(|entry| entry.name == name && entry.kind == kind);
        let sealed = || {
            let plan = dir.join_file("plan.json").ok();
            plan.and_then(|plan| self.reader.digest(&plan).ok()).is_some_and(|plan| plan.form == Form::Sealed)
        };
        has(".drvc", Kind::Directory) || (has("plan.json", Kind::File) && sealed())
    }

    fn lfs(&self, dir: &FilePath) -> bool {
        let text = dir
            .join_file(".gitattributes")
            .ok()
            .and_then(|path| self.reader.read(&path, IGNORE_FILE_LIMIT).ok());
        text.is_some_and(|text| String::from_utf8_lossy(&text).contains("filter=lfs"))
    }

    fn entry(&self, place: Place<'_>, entry: &Entry) -> Walked {
        let Entry { name, kind } = entry;
        let Place { dir, .. } = place;
        let text = if dir.is_root() { name.clone() } else { format!("{dir}/{name}") };
        let is_dir = *kind == Kind::Directory;
        let in_source = text.get(self.skip..).unwrap_or(&text);
        let why = self.left_out(place, entry, &text, in_source);
        if is_dir && (why.is_none() || self.rules.names_beneath(in_source)) {
            return match FilePath::parse(&text) {
                Ok(path) => self.directory(&path, place.ignores, why.is_some()),
                Err(_) => Walked::refused(text, Refusal::Name),
            };
        }
        if let Some((why, doubtful)) = why {
            return Walked {
                left: vec![LeftOut { path: text, why, doubtful, leads: None }],
                ..Walked::default()
            };
        }
        let Ok(path) = FilePath::parse(&text) else { return Walked::refused(text, Refusal::Name) };
        match kind {
            Kind::Directory => Walked::default(),
            Kind::File => self.file(path),
            Kind::Link => match self.reader.link(&path) {
                Ok(target) => Walked { links: vec![(path, target)], ..Walked::default() },
                Err(_) => Walked {
                    left: vec![LeftOut { path: text, why: Why::Link, doubtful: true, leads: None }],
                    ..Walked::default()
                },
            },
            Kind::Other if name.contains('\u{fffd}') => Walked::refused(text, Refusal::Encoding),
            Kind::Other => Walked::refused(text, Refusal::Special),
        }
    }

    fn file(&self, path: FilePath) -> Walked {
        match self.reader.digest(&path) {
            Ok(digest) if digest.form == Form::Sealed => Walked::left(path.to_string(), Why::Drvc),
            Ok(digest) if digest.form == Form::LfsPointer => {
                Walked::refused(path.to_string(), Refusal::LfsPointer)
            }
            Ok(digest)
                if digest.form == Form::PrivateKey
                    && !self.rules.names(path.as_str().get(self.skip..), false) =>
            {
                Walked::refused(path.to_string(), Refusal::PrivateKey)
            }
            Ok(digest) => Walked { files: vec![(path, digest)], ..Walked::default() },
            Err(error) => Walked::refused(path.to_string(), Refusal::Unreadable(error)),
        }
    }

    /// Why an entry is left out, and whether that is doubtful.
    fn left_out(&self, place: Place<'_>, entry: &Entry, text: &str, in_source: &str) -> Option<(Why, bool)> {
        let Entry { name, kind } = entry;
        let is_dir = *kind == Kind::Directory;
        let named = self.rules.names(Some(in_source), is_dir);
        if self.rules.ignores(in_source, is_dir) || !(is_dir || self.rules.includes(in_source)) {
            return Some((Why::Ignored, false));
        }
        let ignored = place.ignores.is_some_and(|ignores| ignores.ignores(text, is_dir));
        let beside = |other: &str| place.entries.iter().any(|entry| entry.name == other);
        if ignored && !self.rules.names_exactly(in_source, is_dir) {
            // What git tracks is no less tracked for a `.gitignore` that is about what configure makes elsewhere.
            let made = ["Makefile.in", "Makefile.am", "CMakeLists.txt"].into_iter().any(beside);
            let doubtful =
                ["Makefile", "makefile", "GNUmakefile", "Kbuild"].contains(&name.as_str()) && !made;
            return Some((if doubtful { Why::GitIgnored } else { Why::Ignored }, doubtful));
        }
        if place.named_only && !named {
            return Some((Why::Ignored, false));
        }
        if self.rules.is_own(text) {
            return Some((Why::Drvc, false));
        }
        let why = no_source::why(name, *kind, in_source == name)
            .filter(|why| !named && !self.rules.keeps(name, *why))?;
        let object = name.ends_with(".o") || name.ends_with(".ko");
        Some((why, *kind == Kind::File && object && !no_source::was_built(name, beside)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fs::Memory;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn rules(include: &[&str], ignore: &[&str]) -> Rules {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        Rules::new(&owned(include), &owned(ignore)).unwrap()
    }

    fn memory(tree: &[(&str, &str)]) -> Memory {
        let mut memory = Memory::new();
        for (file, text) in tree {
            memory.insert(FilePath::parse(file).unwrap(), *text);
        }
        memory
    }

    /// Files of `dir` in a tree of files.
    fn files(tree: &[(&str, &str)], dir: &str, rules: &Rules) -> Vec<String> {
        let walked = walk(&Reader::new(&memory(tree)), &path(dir), rules);
        assert_eq!(walked.refused, []);
        walked.files.into_iter().map(|(path, _)| path.to_string()).collect()
    }

    const TREE: &[(&str, &str)] = &[
        (".git/HEAD", ""),
        (".gitignore", "*.tmp\n/drv/local\n"),
        ("drivers.lock", ""),
        ("drv/.gitignore", "!keep.tmp\nbuild/\n# a comment\n[\n"),
        ("drv/Makefile", ""),
        ("drv/build/x.c", ""),
        ("drv/keep.tmp", ""),
        ("drv/local", ""),
        ("drv/main.c", ""),
        ("drv/main.tmp", ""),
        ("drv/sub/.git", ""),
        ("drv/sub/build", ""),
        ("drv/sub/local", ""),
        ("drv/sub-a.c", ""),
        ("drv/sub/b.c", ""),
    ];

    #[test]
    fn honours_every_gitignore_beneath_the_manifest() {
        let expected = [
            "drv/Makefile",
            "drv/keep.tmp",
            "drv/main.c",
            "drv/sub-a.c",
            "drv/sub/b.c",
            "drv/sub/build",
            "drv/sub/local",
        ];
        assert_eq!(files(TREE, "drv", &rules(&[], &[])), expected);
        assert_eq!(files(TREE, ".", &rules(&[], &[])), expected);
    }

    #[test]
    fn globs_are_relative_to_the_source() {
        for (include, ignore, expected) in [
            (&["*.c"][..], &[][..], &["drv/main.c", "drv/sub-a.c", "drv/sub/b.c"][..]),
            (&["/*.c"], &["main.*"], &["drv/sub-a.c"]),
            (&["sub"], &["build", "local"], &["drv/sub/b.c"]),
            (&["sub/*", "!b.c"], &["build"], &["drv/sub/local"]),
            (&["/main.tmp", "/build/x.c"], &[], &["drv/build/x.c", "drv/main.tmp"]),
        ] {
            assert_eq!(files(TREE, "drv", &rules(include, ignore)), expected, "{include:?} {ignore:?}");
        }
        let bad = Rules::new(&["ok".to_owned(), "a{b".to_owned()], &[]).unwrap_err();
        assert_eq!(bad.glob, "a{b");
    }

    const MIXED: &[(&str, &str)] = &[
        (".github/workflows/ci.yml", ""),
        (".gitlab-ci.yml", ""),
        ("README.md", ""),
        ("a.kdl", ""),
        ("blob.o", ""),
        ("drv/.github/ci.yml", ""),
        ("drv/a b.c", ""),
        ("drv/main.c", ""),
        ("drv/main.o", ""),
        ("drv/main.ko", ""),
        ("drv/q(1).c", ""),
        ("drv/é.c", ""),
        ("kernels.txt", ""),
        ("old/.drvc/state", ""),
        ("old/x/Dockerfile", ""),
        ("out/plan.json", "{\"seal\": \"00\",\n}"),
        ("out/notes", ""),
        ("sealed", "# drvc-seal 00\n"),
        ("x.patch", ""),
        ("y.patch", ""),
    ];

    #[test]
    fn what_is_no_source_is_left_out_with_its_reason_and_comes_back_by_name() {
        let own = [path("kernels.txt")];
        let walked = walk(&Reader::new(&memory(MIXED)), &RelPath::root(), &rules(&[], &[]).without(&own));
        let found: Vec<_> = walked.files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(found, ["drv/.github/ci.yml", "drv/a b.c", "drv/main.c", "drv/q(1).c", "drv/é.c"]);
        let left: Vec<_> =
            walked.left.iter().map(|left| (left.path.as_str(), left.why, left.doubtful)).collect();
        let expected = [
            (".github", Why::Ci, false),
            (".gitlab-ci.yml", Why::Ci, false),
            ("README.md", Why::Documentation, false),
            ("a.kdl", Why::Drvc, false),
            ("blob.o", Why::Leftover, true),
            ("drv/main.ko", Why::Leftover, false),
            ("drv/main.o", Why::Leftover, false),
            ("kernels.txt", Why::Drvc, false),
            ("old", Why::Drvc, false),
            ("out", Why::Drvc, false),
            ("sealed", Why::Drvc, false),
            ("x.patch", Why::Patch, false),
            ("y.patch", Why::Patch, false),
        ];
        assert_eq!(left, expected);
        let back = rules(&["*.md", "blob.o", ".github/workflows/ci.yml", "*.kdl"], &[]);
        let expected = [".github/workflows/ci.yml", "README.md", "a.kdl", "blob.o"];
        assert_eq!(files(MIXED, ".", &back), expected);
    }

    #[test]
    fn a_makefile_that_git_ignores_is_doubtful_unless_something_makes_it() {
        let tree = [
            (".gitignore", "Makefile\n"),
            ("kernel/Makefile", "obj-m := q.o\n"),
            ("src/Makefile", ""),
            ("src/Makefile.am", ""),
        ];
        let walked = walk(&Reader::new(&memory(&tree)), &RelPath::root(), &rules(&[], &[]));
        let left = walked.left.iter().filter(|left| left.path.ends_with("Makefile"));
        let left: Vec<_> = left.map(|left| (left.path.as_str(), left.why, left.doubtful)).collect();
        assert_eq!(left, [("kernel/Makefile", Why::GitIgnored, true), ("src/Makefile", Why::Ignored, false)]);
        assert_eq!(
            files(&tree, ".", &rules(&["*", "/kernel/Makefile"], &[])),
            ["kernel/Makefile", "src/Makefile.am"]
        );
    }

    #[test]
    fn links_within_the_source_are_carried_and_others_are_not() {
        let mut tree =
            memory(&[("drv/main.c", ""), ("drv/inc/a.h", ""), ("other.h", ""), ("drv/main.o", "")]);
        for (link, target) in [
            ("drv/same.c", "main.c"),
            ("drv/sub/up.h", "../inc/a.h"),
            ("drv/dir", "inc"),
            ("drv/through.h", "dir/a.h"),
            ("drv/again.c", "./sub/../same.c"),
            ("drv/root", "."),
            ("drv/out.h", "../other.h"),
            ("drv/abs", "/etc/passwd"),
            ("drv/none", "missing.c"),
            ("drv/object", "main.o"),
            ("drv/loop-a", "loop-b"),
            ("drv/loop-b", "loop-a"),
            ("drv/outside", "../../x"),
        ] {
            tree.insert_link(path(link), target);
        }
        let walked = walk(&Reader::new(&tree), &path("drv"), &rules(&[], &[]));
        let links = walked.files.iter().filter(|(_, file)| file.form == Form::Link);
        let links: Vec<_> = links.map(|(path, _)| path.as_str()).collect();
        let carried = ["drv/again.c", "drv/dir", "drv/root", "drv/same.c", "drv/sub/up.h", "drv/through.h"];
        assert_eq!(links, carried);
        let left = walked.left.iter().filter(|left| left.why == Why::Link);
        let left: Vec<_> = left.map(|left| left.path.as_str()).collect();
        let expected = ["abs", "loop-a", "loop-b", "none", "object", "out.h", "outside"];
        assert_eq!(left, expected.map(|name| format!("drv/{name}")));
    }
}
