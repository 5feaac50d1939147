//! A text of a Makefile with the variables put in that are known, and make's functions of text; what only make could tell
//! stays as it is written.

use super::lines::{assignment, logical_lines};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Bytes that a value may have when variables were put in.
const MAX_VALUE: usize = 4096;
/// How deep variables and functions may be in each other, and how many of them one text may need.
const MAX_DEPTH: usize = 24;
const MAX_STEPS: usize = 2000;

/// What is known where a text stands.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub(super) values: BTreeMap<String, String>,
    /// The files of the directory that is built, for `$(wildcard $(src)/*.c)`.
    pub(super) files: Vec<String>,
}

/// Whether nothing of a text is left to make, or to the kernel that it is built for.
pub(super) fn is_known(text: &str) -> bool {
    !text.contains("$(") && !text.contains("${") && !text.contains('{')
}

impl Scope {
    pub(super) fn expanded(&self, text: &str) -> String {
        let steps = Cell::new(MAX_STEPS);
        Expansion { scope: self, steps: &steps, locals: Vec::new(), evaluated: None }.text(text, 0)
    }

    /// The same, and what `$(eval …)` in it has make read as lines.
    pub(super) fn evaluated(&self, text: &str) -> (String, Vec<String>) {
        let (steps, lines) = (Cell::new(MAX_STEPS), RefCell::default());
        let expansion = Expansion { scope: self, steps: &steps, locals: Vec::new(), evaluated: Some(&lines) };
        let left = expansion.text(text, 0);
        (left, lines.into_inner())
    }

    /// A value that is too long is none.
    pub(super) fn set(&mut self, name: &str, value: String) {
        if value.len() <= MAX_VALUE {
            self.values.insert(name.to_owned(), value);
        } else {
            self.values.remove(name);
        }
    }
}

#[derive(Clone)]
struct Expansion<'a> {
    scope: &'a Scope,
    steps: &'a Cell<usize>,
    /// The variables of `$(foreach …)`, and the arguments of `$(call …)`.
    locals: Vec<(String, String)>,
    /// The texts of `$(eval …)`, where these count.
    evaluated: Option<&'a RefCell<Vec<String>>>,
}

impl Expansion<'_> {
    fn text(&self, text: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let Some(inner) = reference(after) else {
                // `$1` is a variable; `$$` and `$@` are two characters that stay.
                let width = after.chars().take(2).map(char::len_utf8).sum();
                let (kept, next) = after.split_at(width);
                let name = kept.get(1..).filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()));
                let value = name.filter(|name| !name.is_empty()).and_then(|name| self.variable(name, depth));
                out.push_str(value.as_deref().unwrap_or(kept));
                rest = next;
                continue;
            };
            let (whole, next) = after.split_at(inner.len() + 3);
            match self.reference(inner, depth).filter(|value| out.len() + value.len() <= MAX_VALUE) {
                Some(value) => out.push_str(&value),
                None => out.push_str(whole),
            }
            rest = next;
        }
        out.push_str(rest);
        out
    }

    /// What stands for `$(INNER)`.
    fn reference(&self, inner: &str, depth: usize) -> Option<String> {
        let left = self.steps.get().checked_sub(1).filter(|_| depth < MAX_DEPTH)?;
        self.steps.set(left);
        if let Some((name, rest)) = inner.split_once([' ', '\t'])
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        {
            return self.function(name, rest.trim_start(), depth + 1);
        }
        let name = self.text(inner, depth + 1);
        if let Some((name, rule)) = name.split_once(':') {
            let (from, to) = rule.split_once('=')?;
            let value = self.variable(name, depth)?;
            let (from, to) = match from.contains('%') {
                true => (from.to_owned(), to.to_owned()),
                false => (format!("%{from}"), format!("%{to}")),
            };
            return known(value).map(|value| each(&value, |word| Some(patsubst(&from, &to, word))));
        }
        self.variable(&name, depth)
    }

    fn variable(&self, name: &str, depth: usize) -> Option<String> {
        let local = self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        let value = local.or_else(|| self.scope.values.get(name))?;
        Some(self.text(value, depth + 1))
    }

    /// `$(call NAME,…)`: the variable's text, in which `$(1)` is the first argument.
    fn call(&self, args: &[&str], depth: usize) -> Option<String> {
        let mut args = args.iter().map(|arg| self.text(arg, depth));
        let name = args.next()?.trim().to_owned();
        let body = self.scope.values.get(&name).filter(|_| depth < MAX_DEPTH)?;
        let mut inner = self.clone();
        for number in 1..=9 {
            inner.locals.push((number.to_string(), args.next().unwrap_or_default()));
        }
        Some(inner.text(body, depth))
    }

    fn foreach(&self, variable: &str, list: &str, body: &str, depth: usize) -> String {
        each(list, |word| {
            let mut inner = self.clone();
            inner.locals.push((variable.to_owned(), word.to_owned()));
            Some(inner.text(body, depth))
        })
    }

    fn function(&self, name: &str, rest: &str, depth: usize) -> Option<String> {
        let args = arguments(rest, most(name));
        let raw = |index: usize| args.get(index).copied().unwrap_or_default();
        let arg = |index: usize| known(self.text(raw(index), depth));
        // Whether an argument is empty: that is known of a kernel's name too.
        let holds = |index: usize| {
            let text = self.text(raw(index).trim(), depth);
            (!text.contains("$(") && !text.contains("${")).then(|| !text.trim().is_empty())
        };
        Some(match name {
            "if" => self.text(if holds(0)? { raw(1) } else { raw(2) }, depth),
            "or" => {
                for index in 0..args.len() {
                    if holds(index)? {
                        return arg(index);
                    }
                }
                String::new()
            }
            "and" => {
                for index in 0..args.len() {
                    if !holds(index)? {
                        return Some(String::new());
                    }
                }
                arg(args.len().saturating_sub(1))?
            }
            "call" => self.call(&args, depth)?,
            "eval" => {
                let text = self.text(rest, depth).replace("$$", "$");
                self.evaluated?.borrow_mut().push(text);
                String::new()
            }
            "value" => self.scope.values.get(arg(0)?.trim())?.clone(),
            "info" | "warning" => String::new(),
            "foreach" => self.foreach(arg(0)?.trim(), &arg(1)?, raw(2), depth),
            "subst" => {
                let (from, to, text) = (arg(0)?, arg(1)?, arg(2)?);
                if from.is_empty() { text } else { text.replace(&from, &to) }
            }
            "patsubst" => {
                let (from, to, list) = (arg(0)?, arg(1)?, arg(2)?);
                each(&list, |word| Some(patsubst(from.trim(), to.trim(), word)))
            }
            "wildcard" => self.wildcard(arg(0)?.trim())?,
            // Everything is relative to the directory that is built.
            "shell" if rest.trim() == "pwd" => ".".to_owned(),
            "findstring" => {
                let (part, text) = (arg(0)?, arg(1)?);
                if text.contains(&part) { part } else { String::new() }
            }
            "filter" | "filter-out" => {
                let (patterns, list) = (arg(0)?, arg(1)?);
                let wanted = |word: &str| patterns.split_whitespace().any(|one| stem(one, word).is_some());
                each(&list, |word| (wanted(word) == (name == "filter")).then(|| word.to_owned()))
            }
            "addprefix" | "addsuffix" => {
                let (affix, list) = (arg(0)?, arg(1)?);
                each(&list, |word| {
                    Some(if name == "addprefix" {
                        format!("{affix}{word}")
                    } else {
                        format!("{word}{affix}")
                    })
                })
            }
            "word" => {
                let (index, list) = (arg(0)?.trim().parse::<usize>().ok()?, arg(1)?);
                list.split_whitespace().nth(index.checked_sub(1)?).unwrap_or_default().to_owned()
            }
            "wordlist" => {
                let at = |index| arg(index)?.trim().parse::<usize>().ok();
                let (first, last) = (at(0)?.checked_sub(1)?, at(1)?);
                let list = arg(2)?;
                let words = list.split_whitespace().skip(first).take(last.saturating_sub(first));
                words.collect::<Vec<_>>().join(" ")
            }
            _ => of_list(name, &arg(0)?)?,
        })
    }

    /// The files of the directory itself that a pattern such as `./*.c` names.
    fn wildcard(&self, pattern: &str) -> Option<String> {
        let pattern = pattern.strip_prefix("./")?.trim_start_matches("./");
        let glob =
            globset::Glob::new(pattern).ok().filter(|_| !pattern.contains(['/', ' ']))?.compile_matcher();
        let found = self.scope.files.iter().filter(|name| glob.is_match(name));
        Some(found.map(|name| format!("./{name}")).collect::<Vec<_>>().join(" "))
    }
}

/// How many arguments a function has: what is beyond the last comma is part of the last one, commas and all.
fn most(name: &str) -> usize {
    match name {
        "or" | "and" | "call" => usize::MAX,
        "if" | "foreach" | "subst" | "patsubst" | "wordlist" => 3,
        "findstring" | "filter" | "filter-out" | "addprefix" | "addsuffix" | "word" => 2,
        _ => 1,
    }
}

/// Functions of one list.
fn of_list(name: &str, list: &str) -> Option<String> {
    let words: Vec<&str> = list.split_whitespace().collect();
    let cut = |word: &str, at: Option<usize>| {
        at.map_or((word.to_owned(), String::new()), |at| {
            let (left, right) = word.split_at(at);
            (left.to_owned(), right.to_owned())
        })
    };
    let dot = |word: &str| word.rfind('.').filter(|at| word.get(*at..).is_some_and(|end| !end.contains('/')));
    Some(match name {
        "strip" => words.join(" "),
        "sort" => std::collections::BTreeSet::from_iter(words).into_iter().collect::<Vec<_>>().join(" "),
        "words" => words.len().to_string(),
        "firstword" => words.first().copied().unwrap_or_default().to_owned(),
        "lastword" => words.last().copied().unwrap_or_default().to_owned(),
        "basename" => each(list, |word| Some(cut(word, dot(word)).0)),
        "suffix" => each(list, |word| Some(cut(word, dot(word)).1).filter(|end| !end.is_empty())),
        "notdir" => each(list, |word| word.rsplit('/').next().map(str::to_owned)),
        "dir" => each(list, |word| {
            Some(word.rfind('/').map_or_else(|| "./".to_owned(), |at| cut(word, Some(at + 1)).0))
        }),
        _ => return None,
    })
}

fn known(text: String) -> Option<String> {
    Some(text).filter(|text| is_known(text))
}

fn each(list: &str, of: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    for word in list.split_whitespace().filter_map(of) {
        if out.len() + word.len() > MAX_VALUE {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// What `%` stands for, where a word is of a pattern.
fn stem<'w>(pattern: &str, word: &'w str) -> Option<&'w str> {
    match pattern.split_once('%') {
        Some((before, after)) => word.strip_prefix(before)?.strip_suffix(after),
        None => (pattern == word).then_some(""),
    }
}

fn patsubst(from: &str, to: &str, word: &str) -> String {
    stem(from, word).map_or_else(|| word.to_owned(), |stem| to.replacen('%', stem, 1))
}

/// What is between the parentheses or braces that a text begins with, behind its `$`.
fn reference(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let (open, close) = if rest.starts_with('(') { ('(', ')') } else { ('{', '}') };
    let rest = rest.strip_prefix(open)?;
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return rest.get(..at),
            }
        }
    }
    None
}

/// Whether a line is one variable, or one call of a function, and nothing else.
pub(super) fn whole_reference(line: &str) -> bool {
    reference(line).is_some_and(|inner| inner.len() + 3 == line.trim_end().len())
}

/// The arguments of a function, so many at most: at commas that are in no parentheses.
pub(super) fn arguments(text: &str, most: usize) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 && found.len() + 1 < most => {
                found.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(text.get(start..));
    found
}

/// What a variable of a Makefile holds in the end; nothing where it is not set, or only make could tell.
pub(in crate::import) fn value_of(text: &str, name: &str) -> Option<String> {
    let mut scope = Scope::default();
    let lines = logical_lines(text);
    for (name, value, _) in lines.iter().filter_map(|line| assignment(line)) {
        scope.set(name, value.to_owned());
    }
    let value = scope.expanded(scope.values.get(name)?);
    is_known(&value).then_some(value)
}
