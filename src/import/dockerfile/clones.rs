//! What git does in a RUN, into sources.

use super::{Fate, Reading, left};
use crate::import::draft::Origin;
use crate::import::tree::git_url;
use crate::text::ids::{Commit, GitRef};

impl Reading {
    pub(super) fn git(&mut self, line: usize, words: &[&str], text: &str) -> Option<Fate> {
        let (mut rest, mut dir) = (words, self.stage().dir.clone());
        while let [option, value, after @ ..] = rest {
            match *option {
                "-C" => dir = self.place(value),
                "-c" => {}
                _ => break,
            }
            rest = after;
        }
        let tree = self.stages.last().and_then(|stage| {
            let fits = stage.places.iter().filter(|(at, _)| super::beneath(&dir, at).is_some());
            fits.max_by_key(|(at, _)| at.len()).or_else(|| stage.places.last()).map(|(_, tree)| *tree)
        });
        match rest {
            ["clone", rest @ ..] => Some(self.cloned(line, rest, text)),
            ["remote", "add", _, url] => match git_url(url) {
                Some(url) => {
                    self.tree(
                        line,
                        text,
                        dir,
                        Origin::Git { url, reference: None, submodules: false, lfs: false },
                    );
                    None
                }
                None => Some(left(text, "say `git` in `source`")),
            },
            ["checkout" | "switch" | "reset", .., name]
                if !rest.contains(&"--") && !name.starts_with('-') =>
            {
                Some(self.checked_out(tree, name, text))
            }
            ["fetch" | "pull", .., name] if !name.starts_with('-') && *name != "origin" => {
                Some(self.checked_out(tree, name, text))
            }
            ["submodule", ..] => {
                if let Some(Origin::Git { submodules, .. }) = self.origin_of(tree) {
                    *submodules = true;
                }
                Some(Fate::Taken)
            }
            ["lfs", ..] => {
                if let Some(Origin::Git { lfs, .. }) = self.origin_of(tree) {
                    *lfs = true;
                }
                Some(Fate::Taken)
            }
            [
                "init" | "fetch" | "config" | "log" | "status" | "describe" | "rev-parse" | "pull"
                | "--version" | "show" | "branch",
                ..,
            ] => Some(Fate::Replaced),
            _ => {
                self.act(line, text.to_owned(), false);
                None
            }
        }
    }

    fn origin_of(&mut self, tree: Option<usize>) -> Option<&mut Origin> {
        Some(&mut self.trees.get_mut(tree?)?.origin)
    }

    pub(super) fn checked_out(&mut self, tree: Option<usize>, name: &str, text: &str) -> Fate {
        if name == "FETCH_HEAD" || name == "HEAD" {
            return Fate::Replaced;
        }
        let Some(tree) = tree.and_then(|tree| self.trees.get_mut(tree)) else {
            return left(text, "say `ref=` behind `git`");
        };
        let Origin::Git { reference, .. } = &mut tree.origin else {
            return left(text, "say `git` in `source`");
        };
        match reference_of(name) {
            Some(found) => {
                *reference = Some(found);
                Fate::Taken
            }
            None => {
                *reference = None;
                let note = format!(
                    "`{}` names what the file does not say: say `ref=` or `commit=` behind `git`",
                    super::shown(text)
                );
                tree.notes.push(note.clone());
                Fate::Left(note)
            }
        }
    }

    pub(super) fn cloned(&mut self, line: usize, words: &[&str], text: &str) -> Fate {
        let (mut reference, mut submodules) = (None, false);
        let mut plain = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-b" | "--branch" => reference = rest.next().copied(),
                "--depth" | "-o" | "--origin" | "-c" | "--config" | "-j" | "--jobs" | "--filter" => {
                    rest.next();
                }
                "--recursive" | "--recurse-submodules" => submodules = true,
                _ if word.starts_with("--branch=") => reference = word.split_once('=').map(|(_, name)| name),
                _ if word.starts_with("--recurse-submodules") => submodules = true,
                _ if word.starts_with('-') => {}
                _ => plain.push(*word),
            }
        }
        let Some(url) = plain.first().and_then(|url| git_url(url)) else {
            return left(text, "its address is none that drvc takes: say `git` in `source`");
        };
        let name = url.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned();
        let at = self.place(plain.get(1).copied().unwrap_or(&name));
        let known = reference.map(reference_of);
        self.tree(
            line,
            text,
            at,
            Origin::Git { url, reference: known.clone().flatten(), submodules, lfs: false },
        );
        match (known, reference) {
            (Some(None), Some(name)) => {
                let note = format!(
                    "`--branch {}` names what the file does not say: say `ref=` behind `git`",
                    super::shown(name)
                );
                if let Some(tree) = self.trees.last_mut() {
                    tree.notes.push(note.clone());
                }
                Fate::Left(note)
            }
            _ => Fate::Taken,
        }
    }
}

/// A name that git is given, as the manifest has it. A name alone may be a branch or a tag.
fn reference_of(name: &str) -> Option<(&'static str, String)> {
    let name = name.trim_start_matches("refs/");
    let known = |kind: &'static str, name: &str| GitRef::parse(name).is_ok().then(|| (kind, name.to_owned()));
    if Commit::parse(name).is_ok() {
        return Some(("commit", name.to_owned()));
    }
    if let Some(branch) = name.strip_prefix("origin/").or_else(|| name.strip_prefix("heads/")) {
        return known("branch", branch);
    }
    match name.strip_prefix("tags/") {
        Some(tag) => known("tag", tag),
        None => known("ref", name),
    }
}
