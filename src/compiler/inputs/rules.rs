//! `include` and `ignore` of a path source, and what its manifest says besides -> which files are taken.

use super::found::Why;
use super::uses::Uses;
use crate::text::ids::{RelPath, module_file_stem};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Which files of a directory belong to a source. The globs are those of `.gitignore`, relative to the directory.
#[derive(Clone, Debug)]
pub struct Rules {
    include: Gitignore,
    ignore: Gitignore,
    /// Those of `include` whose last part is not `*` alone: they bring back what is no source.
    named: Gitignore,
    /// Those without any wildcard: they bring back what a `.gitignore` names, too.
    exact: Gitignore,
    /// The text of each of `named`, to know what is named beneath a directory.
    names: Vec<String>,
    own: Vec<RelPath>,
    /// What the steps of its modules say.
    steps: String,
    finished: bool,
}

/// A glob that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadGlob {
    /// The glob as it was given.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Rules {
    /// Takes the files that `include` matches (all, where it is empty) except those that `ignore` matches.
    ///
    /// # Errors
    /// The first glob that is none.
    pub fn new(include: &[String], ignore: &[String]) -> Result<Self, BadGlob> {
        let is_named = |glob: &&String| {
            let last = glob.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            last.contains(|letter| !matches!(letter, '*' | '?'))
        };
        let named: Vec<String> = include.iter().filter(is_named).cloned().collect();
        let exact: Vec<String> =
            named.iter().filter(|glob| !glob.contains(['*', '?', '['])).cloned().collect();
        Ok(Self {
            include: globs(include)?,
            ignore: globs(ignore)?,
            named: globs(&named)?,
            exact: globs(&exact)?,
            names: named,
            own: Vec::new(),
            steps: String::new(),
            finished: false,
        })
    }

    /// Leaves out these files of drvc's; paths are relative to the manifest.
    #[must_use]
    pub fn without(self, own: &[RelPath]) -> Self {
        Self { own: own.to_vec(), ..self }
    }

    /// Keeps what the steps of its modules name, what images take from it, and modules that are finished.
    pub(super) fn used_by(mut self, uses: &Uses) -> Self {
        self.names.extend(uses.taken.iter().cloned());
        self.named = globs(&self.names).unwrap_or(self.named);
        Self { steps: uses.steps.clone(), finished: uses.finished, ..self }
    }

    pub(super) fn ignores(&self, path: &str, is_dir: bool) -> bool {
        self.ignore.matched(path, is_dir).is_ignore()
    }

    pub(super) fn includes(&self, path: &str) -> bool {
        self.include.is_empty() || self.include.matched_path_or_any_parents(path, false).is_ignore()
    }

    /// Whether anything beneath a directory could be taken.
    pub(super) fn includes_beneath(&self, dir: &str) -> bool {
        self.include.is_empty() || self.include.matched_path_or_any_parents(dir, true).is_ignore()
    }

    pub(super) fn names(&self, path: Option<&str>, is_dir: bool) -> bool {
        path.is_some_and(|path| self.named.matched(path, is_dir).is_ignore())
    }

    pub(super) fn names_exactly(&self, path: &str, is_dir: bool) -> bool {
        self.exact.matched(path, is_dir).is_ignore()
    }

    /// Whether `include` names something beneath a directory by a path through it.
    pub(super) fn names_beneath(&self, dir: &str) -> bool {
        self.names.iter().any(|name| {
            name.trim_start_matches('/').strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    pub(super) fn is_own(&self, path: &str) -> bool {
        self.own.iter().any(|own| own.as_str() == path)
    }

    pub(super) fn keeps(&self, name: &str, why: Why) -> bool {
        match why {
            Why::Leftover => self.finished && module_file_stem(name).is_some(),
            Why::Drvc => false,
            _ => self.steps.contains(name),
        }
    }
}

fn globs(globs: &[String]) -> Result<Gitignore, BadGlob> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        let bad = |error: ignore::Error| BadGlob { glob: glob.clone(), reason: error.to_string() };
        builder.add_line(None, glob).map_err(bad)?;
    }
    builder.build().map_err(|error| BadGlob { glob: globs.join(" "), reason: error.to_string() })
}

/// Whether a path of a glob is this one, or leads through it.
pub(super) fn goes_through(glob: &str, path: &str) -> bool {
    let parts: Vec<&str> = glob.trim_start_matches("./").split('/').take(path.split('/').count()).collect();
    let way = GitignoreBuilder::new("")
        .add_line(None, &format!("/{}", parts.join("/")))
        .and_then(|glob| glob.build());
    parts.len() == path.split('/').count() && way.is_ok_and(|way| way.matched(path, false).is_ignore())
}
