//! One directory's Makefile, and what it includes, as make reads it: line by line, variables, conditions and the lists
//! `obj-m` and `obj-y`, each part with what it depends on.

use super::conditions::{Conditions, negated, only_option};
use super::expand::{Scope, is_known, whole_reference};
use super::lines::{assignment, defined, included, logical_lines, operator, overriding};
use super::{DIRECTORIES, RELEASES};
use crate::import::files::text;
use crate::system::fs::Tree;
use crate::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// How deep `include` and `eval` are followed, and how many lines are read in all.
const MAX_DEPTH: usize = 5;
const MAX_LINES: usize = 20_000;
/// What kbuild itself sets while it reads a driver's file; directories are relative to that of the file.
pub(super) const OF_KBUILD: [(&str, &str); 9] = [
    ("KERNELRELEASE", "{kernel}"),
    ("KBUILD_EXTMOD", "."),
    ("KBUILD_SRC", "{kernel_dir}"),
    ("srctree", "{kernel_dir}"),
    ("objtree", "{kernel_dir}"),
    ("MAKELEVEL", "2"),
    ("M", "."),
    ("src", "."),
    ("obj", "."),
];

#[derive(Default)]
pub(super) struct Reading {
    pub(super) scope: Scope,
    conditions: Conditions,
    /// Options, and what else the directories beneath are given.
    pub(super) options: BTreeMap<String, String>,
    /// Variables of which only make could tell the value.
    undecided: BTreeSet<String>,
    /// Variables that only `override` changes.
    overridden: BTreeSet<String>,
    /// Variables that `undefine` took away.
    undefined: BTreeSet<String>,
    /// What is built, in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Lines that may make modules, and that only make can tell of.
    pub(super) unread: Vec<String>,
    lines: usize,
}

/// A line such as `obj-m += a.o b/`.
pub(super) struct Entry {
    pub(super) line: String,
    /// What stands behind `obj-`: `m`, `y`, `n`, nothing, or an option that decides.
    pub(super) target: String,
    /// What it stands under, as far as that is not known.
    pub(super) whens: Vec<String>,
    /// The words; of `obj-m = …`, into which make puts variables at the end of the file, the text.
    words: Result<Vec<String>, String>,
}

impl Entry {
    pub(super) fn words(&self, scope: &Scope) -> Vec<String> {
        match &self.words {
            Ok(words) => words.clone(),
            Err(text) => words_of(&scope.expanded(text)),
        }
    }
}

impl Reading {
    pub(super) fn new(
        mut scope: Scope,
        options: BTreeMap<String, String>,
        fixed: &BTreeMap<String, String>,
    ) -> Self {
        fixed.iter().for_each(|(name, value)| scope.set(name, value.clone()));
        Self { scope, options, overridden: fixed.keys().cloned().collect(), ..Self::default() }
    }

    pub(super) fn file(&mut self, tree: &impl Tree, whole: &str, dir: &RelPath, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let mut lines = logical_lines(whole).into_iter();
        while let Some(line) = lines.next() {
            self.lines += 1;
            if self.lines > MAX_LINES {
                self.not_read(&line);
                return;
            }
            let (overrides, rest) = overriding(&line);
            if let Some(head) = rest.trim_start().strip_prefix("define ") {
                let body = defined(&mut lines);
                if self.conditions.live() {
                    self.define(head, body, overrides);
                }
            } else if !self.conditions.take(rest, &self.scope) && self.conditions.live() {
                self.line(tree, rest, dir, depth, overrides);
            }
        }
    }

    fn line(&mut self, tree: &impl Tree, line: &str, dir: &RelPath, depth: usize, overrides: bool) {
        if let Some(name) = included(line) {
            self.include(tree, line, &name, dir, depth);
        } else if let Some(name) = line.trim_start().strip_prefix("undefine ") {
            self.undefine(name.trim(), overrides);
        } else if let Some((name, value, exported)) = assignment(line) {
            let operator = line.split_once('=').and_then(|(left, _)| operator(left));
            self.assign(name, operator, value, exported, overrides);
        } else if let Some(object) = object_line(line, &self.scope) {
            self.object(line, object, overrides);
        } else if whole_reference(line) {
            self.evaluate(tree, line, dir, depth);
        } else {
            self.assign_computed(line, overrides);
        }
    }

    /// Reads a file of the tree. Options of the kernel and of tools are no list of modules.
    fn include(&mut self, tree: &impl Tree, line: &str, name: &str, dir: &RelPath, depth: usize) {
        let name = self.scope.expanded(name);
        let tops = ["$(PWD)/", "$(CURDIR)/", "$(srctree)/$(src)/", "{kernel_dir}/./", "./"];
        let name = tops.iter().find_map(|top| name.strip_prefix(top)).unwrap_or(&name);
        // A variable of which nothing is known may be this directory, as it is for the kernel's backports.
        let below = name.strip_prefix("$(").and_then(|rest| rest.split_once(")/")).map(|(_, below)| below);
        let read = |name: &str| dir.join(name).ok().and_then(|file| text(tree, &file).ok());
        if let Some(inner) = read(name).or_else(|| read(below?)) {
            self.file(tree, &inner, dir, depth + 1);
        } else if name.contains('$') && !name.ends_with(".config") && !name.ends_with(".conf") {
            self.not_read(line);
        }
    }

    /// A line that is one call of a function, such as `$(eval …)`: what it makes is read as lines.
    fn evaluate(&mut self, tree: &impl Tree, line: &str, dir: &RelPath, depth: usize) {
        let (left, lines) = self.scope.evaluated(line);
        for line in lines {
            self.file(tree, &line, dir, depth + 1);
        }
        if is_known(&left) && !left.contains('\n') {
            self.file(tree, &left, dir, depth + 1);
        } else if ["eval", "call", "obj-"].iter().any(|word| line.contains(word) || left.contains(word)) {
            self.not_read(line);
        }
    }

    fn not_read(&mut self, line: &str) {
        let text = format!("`{}` is not read: say with `output` what it builds", line.trim());
        if !self.unread.contains(&text) {
            self.unread.push(text);
        }
    }

    fn define(&mut self, head: &str, body: String, overrides: bool) {
        let left = head.trim().trim_end_matches('=');
        let name = left.trim_end_matches([':', '?', '+', ' ', '\t']);
        if name.starts_with("obj-") {
            self.not_read(&format!("define {head}"));
        }
        self.assign(name, operator(left).filter(|_| left.len() < head.trim().len()), &body, false, overrides);
    }

    fn undefine(&mut self, name: &str, overrides: bool) {
        if self.overridden.contains(name) && !overrides {
            return;
        }
        if self.conditions.whens().next().is_some() {
            self.forget(name);
        } else if !self.undecided.contains(name) {
            self.scope.set(name, String::new());
            self.undefined.insert(name.to_owned());
        }
        if let Some(target) = name.strip_prefix("obj-") {
            self.reset(target);
        }
    }

    fn assign(&mut self, name: &str, operator: Option<char>, value: &str, exported: bool, overrides: bool) {
        // What drvc gives to make wins over what the file says.
        let given = OF_KBUILD.iter().any(|(known, _)| *known == name)
            || DIRECTORIES.contains(&name)
            || RELEASES.contains(&name);
        if given || self.undecided.contains(name) || (self.overridden.contains(name) && !overrides) {
            return;
        }
        if overrides {
            self.overridden.insert(name.to_owned());
        }
        let value = match operator {
            Some(':') => self.scope.expanded(value),
            _ => value.to_owned(),
        };
        let known = self.scope.values.get(name).filter(|_| !self.undefined.remove(name)).cloned();
        let value = match known.clone() {
            Some(known) if operator == Some('+') => format!("{known} {value}"),
            Some(known) if operator == Some('?') => known,
            _ => value,
        };
        // Only make could tell which of two values holds, or whether this one does: none is taken.
        let differs = known.is_none_or(|known| known != value && !known.is_empty());
        if differs && self.conditions.whens().any(|when| when != format!("{name} is not set")) {
            self.forget(name);
            return;
        }
        if exported {
            self.options.insert(name.to_owned(), self.scope.expanded(&value));
        }
        self.scope.set(name, value);
    }

    /// `list-$(CONFIG_X) += a.o`: where the option is known, an assignment; else `list-y` and `list-m` are not known.
    fn assign_computed(&mut self, line: &str, overrides: bool) {
        let Some((left, right)) = line.split_once('=').filter(|_| !line.starts_with('\t')) else { return };
        let (name, operator) = left.split_at(left.trim_end_matches([':', '?', '+', ' ']).len());
        let expanded = format!("{}{operator}={right}", self.scope.expanded(name));
        if let Some((name, value, exported)) = assignment(&expanded) {
            self.assign(name, self::operator(operator), value, exported, overrides);
        } else if let Some((list, _)) = name.trim().split_once("-$").filter(|(list, _)| *list != "obj") {
            for end in ["y", "m"] {
                self.forget(&format!("{list}-{end}"));
            }
        }
    }

    fn forget(&mut self, name: &str) {
        self.undecided.insert(name.to_owned());
        self.scope.values.remove(name);
    }

    fn object(&mut self, line: &str, (target, operator, value): Object<'_>, overrides: bool) {
        let name = format!("obj-{target}");
        // Kbuild has set both lists before, so `?=` does nothing.
        let is_list = target == "m" || target == "y";
        if (self.overridden.contains(&name) && !overrides) || (is_list && operator == Some('?')) {
            return;
        }
        if overrides {
            self.overridden.insert(name);
        }
        let same = |entry: &&Entry| entry.target == target;
        let late = match operator {
            Some('+') => self.entries.iter().rfind(same).is_some_and(|entry| entry.words.is_err()),
            other => other.is_none(),
        };
        let words = match late {
            true => Err(value.to_owned()),
            false => Ok(words_of(&self.scope.expanded(value))),
        };
        if matches!(operator, None | Some(':')) {
            self.reset(&target);
        }
        let whens = self.conditions.whens().map(str::to_owned).collect();
        self.entries.push(Entry { line: line.to_owned(), target, whens, words });
        self.keep_lists();
    }

    /// Takes out what was in a list before, or makes it depend on what this stands under.
    fn reset(&mut self, target: &str) {
        let is_option = !matches!(target, "m" | "y" | "n" | "");
        let mut whens: Vec<_> = self.conditions.whens().map(str::to_owned).collect();
        if whens.is_empty() {
            // What an option puts into `obj-m` is gone too where that is set again.
            let is_gone = |entry: &Entry| match target {
                "m" => entry.target != "y",
                _ => entry.target == target,
            };
            self.entries.retain(|entry| !is_gone(entry));
        }
        if is_option {
            whens.push(format!("{target} is set"));
        }
        let touched = if is_option { "m" } else { target };
        for entry in self.entries.iter_mut().filter(|entry| entry.target == touched && entry.whens.is_empty())
        {
            entry.whens.push(negated(&whens.join(" and ")));
        }
    }

    /// `$(obj-m)` has a value where nothing in it is open.
    fn keep_lists(&mut self) {
        let is_open = |entry: &Entry| !entry.whens.is_empty() || !matches!(entry.target.as_str(), "m" | "y");
        let open = self.entries.iter().any(is_open);
        for target in ["m", "y"] {
            let of_list = self.entries.iter().filter(|entry| entry.target == target);
            let words: Option<Vec<_>> = of_list.map(|entry| entry.words.as_ref().ok()).collect();
            match words.filter(|_| !open) {
                Some(words) => self.scope.set(
                    &format!("obj-{target}"),
                    words.into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
                ),
                None => drop(self.scope.values.remove(&format!("obj-{target}"))),
            }
        }
    }
}

/// What stands behind `obj-` with the options that are set put in, the operator, and what stands behind the `=`.
type Object<'l> = (String, Option<char>, &'l str);

fn object_line<'l>(line: &'l str, scope: &Scope) -> Option<Object<'l>> {
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
    let operator = operator(left);
    let left = left.trim_end_matches([':', '+', '?']).trim();
    let target = scope.expanded(left).trim().to_owned();
    let target = match target.as_str() {
        "m" | "y" | "n" | "" => target,
        _ if !left.contains('$') => return None,
        _ => only_option(left).map_or_else(|| format!("`{left}`"), str::to_owned),
    };
    Some((target, operator, right.trim_start_matches('=')))
}

/// The words of a list. What only make could put in stays with the word that it stands in.
fn words_of(text: &str) -> Vec<String> {
    let mut open = 0_usize;
    let apart = |c: char| {
        open = match c {
            '(' | '{' => open + 1,
            ')' | '}' => open.saturating_sub(1),
            _ => open,
        };
        open == 0 && c.is_whitespace()
    };
    text.split(apart).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
