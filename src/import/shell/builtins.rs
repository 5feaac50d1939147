//! Commands by name: what the shell itself does, and what is known of others.

use super::run::{Flow, Shell, Truth, shown};
use super::{filters, variables::Value};
use brush_parser::ast::{Assignment, AssignmentName, CommandPrefixOrSuffixItem as Item};
use std::collections::VecDeque;

/// Commands that change no variable.
const HARMLESS: [&str; 18] = [
    "cd", "command", "hash", "ls", "modinfo", "popd", "pushd", "shopt", "sort", "test", "trap", "type",
    "ulimit", "umask", "which", "hash", "wait", "sleep",
];

impl Shell {
    /// Runs a command that has a name.
    pub(super) fn named(&mut self, name: &str, suffix: &[&Item], text: &str) -> Truth {
        let line = self.line;
        let words: Vec<&str> = suffix
            .iter()
            .filter_map(|item| match item {
                Item::Word(word) | Item::AssignmentWord(_, word) => Some(word.value.as_str()),
                _ => None,
            })
            .collect();
        match name {
            ":" | "true" => {
                for word in words {
                    self.word(word);
                }
                Truth::Yes
            }
            "false" => Truth::No,
            "[" | "test" => {
                let holds = self.test(&words, text);
                Truth::of(holds)
            }
            "declare" | "export" | "local" | "readonly" | "typeset" => self.declare(name, suffix, &words),
            "unset" => self.unset(&words),
            "exit" => {
                self.exit();
                Truth::Yes
            }
            "return" => {
                let truth = self.status(&words, text);
                self.flow = Flow::Return;
                self.last = truth.clone();
                truth
            }
            "break" | "continue" => {
                let depth = words.first().map_or(Some(1), |word| self.word(word)?.parse().ok()).unwrap_or(1);
                self.flow = if name == "break" { Flow::Break(depth) } else { Flow::Continue(depth) };
                Truth::Yes
            }
            "." | "source" => self.source(&words, text),
            "eval" => self.eval(&words, text),
            "let" => {
                let values: Vec<_> = words.iter().map(|word| self.word(word)).collect();
                let last = values.into_iter().map(|text| self.arithmetic(&text?)).last().flatten();
                last.map_or_else(|| Truth::other(text), |number| Truth::of(number != 0))
            }
            "set" => {
                if let Some(at) = words.iter().position(|word| *word == "--") {
                    self.positional = self.texts(words.get(at + 1..).unwrap_or_default());
                }
                Truth::Yes
            }
            "shift" => {
                let count = words.first().map_or(Some(1), |word| self.word(word)?.parse().ok());
                self.positional =
                    self.positional.take().zip(count).and_then(|(all, n)| Some(all.get(n..)?.to_vec()));
                Truth::Yes
            }
            "read" => self.read(&words, line, text),
            "mapfile" | "readarray" => self.mapfile(&words, line),
            "echo" | "printf" => self.prints(name, &words, line),
            "builtin" | "command" if words.first().is_some_and(|word| !word.starts_with('-')) => {
                let name = words.first().copied().unwrap_or_default().to_owned();
                let rest: Vec<&Item> = suffix.iter().skip(1).copied().collect();
                self.named(&name, &rest, text)
            }
            other if self.functions.contains_key(other) => self.call(other, &words, line),
            _ => self.program_named(name, &words, text, line),
        }
    }

    /// The words of a command after all expansions, where all are known.
    fn texts(&mut self, words: &[&str]) -> Option<Vec<String>> {
        let texts: Option<Vec<_>> = words.iter().map(|word| self.fields(word)).collect();
        texts.map(|texts| texts.concat())
    }

    fn status(&mut self, words: &[&str], text: &str) -> Truth {
        match words.first() {
            None => self.last.clone(),
            Some(&"$?") => self.last.clone(),
            Some(word) => match self.word(word).and_then(|text| text.parse::<i64>().ok()) {
                Some(status) => Truth::of(status == 0),
                None => Truth::other(text),
            },
        }
    }

    /// `declare` and its like; in a function, what they cover comes back at its end.
    fn declare(&mut self, command: &str, suffix: &[&Item], words: &[&str]) -> Truth {
        let flags: String = words.iter().filter(|word| word.starts_with('-')).copied().collect();
        let local =
            !self.covered.is_empty() && !flags.contains('g') && !["export", "readonly"].contains(&command);
        if flags.contains(['i', 'l', 'n', 'u']) && command != "export" {
            self.note(self.line, format!("`{command} {flags}` is taken for plain variables"));
        }
        for item in suffix {
            let name = match item {
                Item::AssignmentWord(Assignment { name: AssignmentName::VariableName(name), .. }, _) => {
                    name.clone()
                }
                Item::Word(word) if !word.value.starts_with('-') => word.value.clone(),
                _ => continue,
            };
            if local {
                let old = self.variables.array(&name);
                if let Some(covered) = self.covered.last_mut() {
                    covered.push((name.clone(), old));
                }
                self.variables.unset(&name, None);
            }
            if flags.contains('A') {
                self.variables.associate(&name);
            }
            if let Item::AssignmentWord(assignment, _) = item {
                self.assignment(assignment);
            }
        }
        Truth::Yes
    }

    fn unset(&mut self, words: &[&str]) -> Truth {
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            let Some(target) = self.word(word) else {
                self.note(self.line, format!("`unset {}` was not followed", shown(word)));
                continue;
            };
            match target.split_once('[') {
                Some((name, index)) => match self.index_of(name, index.trim_end_matches(']')) {
                    Some(index) => self.variables.unset(name, Some(index)),
                    None => self.lost(name, self.line, &target),
                },
                None => self.variables.unset(&target, None),
            }
        }
        Truth::Yes
    }

    fn source(&mut self, words: &[&str], text: &str) -> Truth {
        // The kernel's configuration sets nothing but its own options, which are never known.
        let file = words.first().and_then(|word| self.word(word));
        if !file.as_deref().is_some_and(super::is_symbolic) {
            self.note(self.line, format!("`{text}` was not read"));
        }
        Truth::other(text)
    }

    fn eval(&mut self, words: &[&str], text: &str) -> Truth {
        let line = self.line;
        let code = self.texts(words).map(|texts| texts.join(" "));
        self.calls += 1;
        let truth = code.filter(|_| self.may_call()).and_then(|code| self.run_text(&code).ok());
        self.calls -= 1;
        self.line = line;
        truth.unwrap_or_else(|| {
            self.note(line, format!("`{text}` was not followed"));
            Truth::other(text)
        })
    }

    fn call(&mut self, name: &str, words: &[&str], line: usize) -> Truth {
        let Some(body) = self.functions.get(name).cloned().filter(|_| self.may_call()) else {
            self.note(line, format!("`{name}` calls itself too often"));
            return Truth::other(name);
        };
        let arguments = self.texts(words);
        let outer = std::mem::replace(&mut self.positional, arguments);
        self.calls += 1;
        self.covered.push(Vec::new());
        let truth = self.compound(&body, line);
        let truth = if self.flow == Flow::Return { self.last.clone() } else { truth };
        for (name, old) in self.covered.pop().unwrap_or_default().into_iter().rev() {
            self.variables.put(&name, old);
        }
        self.calls -= 1;
        self.positional = outer;
        if self.flow != Flow::Exit && self.steps <= super::run::MAX_STEPS {
            self.flow = Flow::Next;
        }
        truth
    }

    fn read(&mut self, words: &[&str], line: usize, text: &str) -> Truth {
        let Read { names, array, until, counted } = Read::of(words);
        let until = until.map(|word| self.word(word));
        let known = self.input.is_some() && !counted && until != Some(None);
        let lines = self.input.as_mut().filter(|_| known);
        let found = lines.and_then(|lines| match until.flatten() {
            None => lines.pop_front(),
            Some(end) => read_until(lines, &end),
        });
        let parts = found.clone().zip(self.separators());
        if let Some(array) = array {
            self.variables.unset(array, None);
            match parts {
                Some((found, separators)) => {
                    for (at, text) in filters::split(&found, &separators, usize::MAX).into_iter().enumerate()
                    {
                        self.assign_to(&format!("{array}[{at}]"), Some(text), line);
                    }
                }
                None if !known => self.lost(array, line, text),
                None => {}
            }
        } else {
            let names = if names.is_empty() { vec!["REPLY"] } else { names };
            let symbolic = found.as_deref().is_some_and(super::is_symbolic);
            let texts =
                parts.filter(|_| !symbolic).map(|(found, by)| filters::split(&found, &by, names.len()));
            for (at, name) in names.iter().enumerate() {
                let text = match &texts {
                    Some(texts) => Some(texts.get(at).cloned().unwrap_or_default()),
                    None if known && !symbolic => Some(String::new()),
                    None => None,
                };
                self.assign_to(name, text, line);
            }
        }
        if known { Truth::of(found.is_some()) } else { Truth::other(text) }
    }

    fn mapfile(&mut self, words: &[&str], line: usize) -> Truth {
        let name = words.last().filter(|word| !word.starts_with('-')).copied().unwrap_or("MAPFILE");
        self.variables.unset(name, None);
        let flags = || words.iter().filter_map(|word| word.strip_prefix('-'));
        let cut = flags().any(|flag| flag == "t");
        let known = flags().all(|flag| flag == "t");
        match self.input.take().filter(|_| known) {
            Some(lines) => {
                for (at, text) in lines.into_iter().enumerate() {
                    let text = if cut { text } else { text + "\n" };
                    self.assign_to(&format!("{name}[{at}]"), Some(text), line);
                }
            }
            None => self.lost(name, line, &format!("mapfile {name}")),
        }
        Truth::Yes
    }

    fn prints(&mut self, name: &str, words: &[&str], line: usize) -> Truth {
        if name == "printf" && words.first() == Some(&"-v") {
            let target = words.get(1).and_then(|word| self.word(word));
            let texts = self.texts(words.get(2..).unwrap_or_default());
            if let Some(target) = target {
                self.assign_to(&target, texts.and_then(|texts| filters::printf(&texts)), line);
            }
            return Truth::Yes;
        }
        if !self.printed.is_empty() {
            let texts = self.texts(words);
            let text =
                texts.and_then(
                    |texts| if name == "echo" { filters::echo(&texts) } else { filters::printf(&texts) },
                );
            self.print(text);
        }
        Truth::Yes
    }

    /// A program: what it prints is known of a few.
    fn program_named(&mut self, name: &str, words: &[&str], text: &str, line: usize) -> Truth {
        if ["grep", "egrep", "fgrep"].contains(&name) {
            self.print(None);
            return self.grep(words, text);
        }
        let texts = self.texts(words);
        let input = self.input.as_ref().map(|lines| lines.iter().cloned().collect::<Vec<_>>());
        let given = |name: &str| match self.variables.get(name, 0) {
            Some(Value { text: Some(text), line: 0 }) => Some(text.clone()),
            _ => None,
        };
        let printed = match (name, texts.as_deref()) {
            // In a build, `uname` answers for the kernel that is built for.
            ("uname", Some([flag])) if flag == "-r" => given("kernelver").map(|text| text + "\n"),
            ("uname", Some([flag])) if ["-m", "-p", "-i"].contains(&flag.as_str()) => {
                given("arch").map(|text| text + "\n")
            }
            ("nproc", Some([])) => given("parallel_jobs").map(|text| text + "\n"),
            ("getconf", Some([name])) if name == "_NPROCESSORS_ONLN" => {
                given("parallel_jobs").map(|text| text + "\n")
            }
            (_, Some(texts)) => filters::run(name, texts, input.as_deref()),
            _ => None,
        };
        let known = printed.is_some();
        self.print(printed);
        if known {
            return Truth::Yes;
        }
        // What only prints changes nothing; that it is not known what, is said where it is used.
        if !HARMLESS.contains(&name) && self.printed.is_empty() {
            self.note(line, format!("`{text}` was not run"));
        }
        Truth::other(text)
    }
}

/// The words behind `read`.
#[derive(Default)]
struct Read<'w> {
    names: Vec<&'w str>,
    array: Option<&'w str>,
    /// The word behind `-d`.
    until: Option<&'w str>,
    /// Whether it reads so many characters.
    counted: bool,
}

impl<'w> Read<'w> {
    fn of(words: &[&'w str]) -> Self {
        let mut read = Self::default();
        let mut rest = words.iter().copied();
        while let Some(word) = rest.next() {
            let Some(flags) = word.strip_prefix('-') else {
                read.names.push(word);
                continue;
            };
            match flags.chars().next_back() {
                Some('a') => read.array = rest.next(),
                Some('d') => read.until = rest.next(),
                Some('n' | 'N') => {
                    rest.next();
                    read.counted = true;
                }
                Some('p' | 't' | 'u' | 'i') => drop(rest.next()),
                _ => {}
            }
        }
        read
    }
}

/// What stands before a character, which is taken out of the lines; with none, everything.
fn read_until(lines: &mut VecDeque<String>, end: &str) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let text: String = lines.drain(..).map(|line| line + "\n").collect();
    match text.split_once(end).filter(|_| !end.is_empty()) {
        Some((found, rest)) => {
            lines.extend(rest.lines().map(str::to_owned));
            Some(found.to_owned())
        }
        None => Some(text),
    }
}
