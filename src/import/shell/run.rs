//! Goes over the commands of a file: assignments are made, branches followed, everything else passed over and noted.

use super::test::Truth;
use super::variables::{Condition, Value, Variables};
use super::{Assigned, Evaluated, Note, Refusal};
use brush_parser::ast::SourceLocation as _;
use brush_parser::ast::{
    AndOr, AndOrList, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, Pipeline,
    SimpleCommand,
};
use std::collections::BTreeMap;

/// Commands after which a file is not followed any further.
pub(super) const MAX_STEPS: usize = 20_000;
/// How deep functions and `eval` may call each other.
const MAX_CALLS: usize = 20;

/// Commands that change no variable and print nothing that matters.
const HARMLESS: [&str; 14] = [
    ":", "cd", "echo", "false", "grep", "popd", "printf", "pushd", "set", "shopt", "sort", "test", "true",
    "[",
];

/// The state on the way through a file.
pub(super) struct Shell {
    pub(super) variables: Variables,
    /// What has to hold to come here.
    pub(super) path: Vec<Condition>,
    functions: BTreeMap<String, CompoundCommand>,
    pub(super) assigned: Vec<Assigned>,
    notes: Vec<Note>,
    pub(super) steps: usize,
    calls: usize,
    pub(super) ended: bool,
}

impl Shell {
    pub(super) fn new(given: &[(&str, &str)]) -> Self {
        let mut variables = Variables::default();
        for (name, text) in given {
            variables.set(name, 0, Value { text: Some((*text).to_owned()), when: Vec::new(), line: 0 });
        }
        Self {
            variables,
            path: Vec::new(),
            functions: BTreeMap::new(),
            assigned: Vec::new(),
            notes: Vec::new(),
            steps: 0,
            calls: 0,
            ended: false,
        }
    }

    pub(super) fn finish(mut self) -> Evaluated {
        self.notes.sort();
        self.notes.dedup();
        Evaluated { variables: self.variables, assigned: self.assigned, notes: self.notes }
    }

    pub(super) fn run_text(&mut self, text: &str) -> Result<(), Refusal> {
        let program = super::parse(text)?;
        program.complete_commands.iter().for_each(|list| drop(self.list(list)));
        Ok(())
    }

    /// Runs a list; what its last command says.
    pub(super) fn list(&mut self, list: &CompoundList) -> Truth {
        let mut truth = Truth::Yes;
        for item in &list.0 {
            truth = self.and_or(&item.0);
        }
        truth
    }

    fn and_or(&mut self, list: &AndOrList) -> Truth {
        let mut truth = self.pipeline(&list.first);
        for next in &list.additional {
            let (wanted, next) = match next {
                AndOr::And(next) => (true, next),
                AndOr::Or(next) => (false, next),
            };
            truth = match truth {
                Truth::Yes | Truth::No if (truth == Truth::Yes) != wanted => truth,
                Truth::Yes | Truth::No => self.pipeline(next),
                Truth::Open(conditions) => {
                    let condition = if wanted {
                        conditions.clone()
                    } else {
                        Truth::Open(conditions.clone()).not().conditions()
                    };
                    let mut inner = Truth::Yes;
                    self.branch(condition, |shell| inner = shell.pipeline(next));
                    match inner {
                        Truth::Yes if wanted => Truth::Open(conditions),
                        Truth::Open(more) if wanted => Truth::Open([conditions, more].concat()),
                        Truth::No if wanted => Truth::No,
                        Truth::Yes => Truth::Yes,
                        Truth::No => Truth::Open(conditions),
                        Truth::Open(_) => Truth::other(&shown(&list.to_string())),
                    }
                }
            };
        }
        truth
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Truth {
        let truth = match pipeline.seq.as_slice() {
            [only] => self.command(only),
            all => {
                // What runs in a pipe runs in a process of its own, so it changes nothing here.
                all.iter().for_each(|command| self.note_unless_harmless(command));
                Truth::other(&shown(&all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")))
            }
        };
        if pipeline.bang { truth.not() } else { truth }
    }

    fn command(&mut self, command: &Command) -> Truth {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.ended {
            if self.steps == MAX_STEPS + 1 {
                self.note(
                    line_of(command),
                    "the file goes on for too long; what follows was not read".into(),
                );
            }
            return Truth::other("…");
        }
        match command {
            Command::Simple(simple) => self.simple(simple, line_of(command)),
            Command::Compound(compound, _) => self.compound(compound, line_of(command)),
            Command::Function(function) => {
                self.functions.insert(function.fname.value.clone(), function.body.0.clone());
                Truth::Yes
            }
            Command::ExtendedTest(test, _) => self.extended_test(&test.expr),
        }
    }

    fn simple(&mut self, command: &SimpleCommand, line: usize) -> Truth {
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix: Vec<_> = command.suffix.iter().flat_map(|suffix| &suffix.0).collect();
        let Some(name) = &command.word_or_name else {
            for item in prefix {
                if let CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) = item {
                    self.assignment(assignment);
                }
            }
            return Truth::Yes;
        };
        let words: Vec<&str> = suffix
            .iter()
            .filter_map(|item| match item {
                CommandPrefixOrSuffixItem::Word(word)
                | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => Some(word.value.as_str()),
                _ => None,
            })
            .collect();
        let text = shown(&command.to_string());
        match name.value.as_str() {
            ":" | "true" => Truth::Yes,
            "false" => Truth::No,
            "[" | "test" => self.test(&words, &text),
            "grep" | "egrep" => self.grep(&words, &text),
            "declare" | "export" | "local" | "readonly" | "typeset" => {
                for item in suffix {
                    if let CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) = item {
                        self.assignment(assignment);
                    }
                }
                Truth::Yes
            }
            "unset" => {
                words
                    .iter()
                    .filter(|word| !word.starts_with('-'))
                    .for_each(|name| self.variables.unset(name));
                Truth::Yes
            }
            "exit" | "return" => {
                if !self.path.is_empty() {
                    self.note(line, format!("`{text}` was not followed"));
                }
                self.ended = true;
                Truth::Yes
            }
            "." | "source" => {
                // The kernel's configuration sets nothing but its own options, which are never known.
                let file = words.first().and_then(|word| self.word(word));
                if !file.as_deref().is_some_and(super::is_symbolic) {
                    self.note(line, format!("`{text}` was not read"));
                }
                Truth::other(&text)
            }
            "eval" => self.eval(&words, line, &text),
            other if self.functions.contains_key(other) => self.call(other, line),
            other => {
                if !HARMLESS.contains(&other) {
                    self.note(line, format!("`{text}` was not run"));
                }
                Truth::other(&text)
            }
        }
    }

    fn eval(&mut self, words: &[&str], line: usize, text: &str) -> Truth {
        let texts: Option<Vec<String>> = words.iter().map(|word| self.word(word)).collect();
        let code = texts.map(|texts| texts.join(" ")).filter(|code| !super::is_symbolic(code));
        self.calls += 1;
        let followed = self.calls <= MAX_CALLS && code.is_some_and(|code| self.run_text(&code).is_ok());
        self.calls -= 1;
        if !followed {
            self.note(line, format!("`{text}` was not followed"));
        }
        Truth::other(text)
    }

    fn call(&mut self, name: &str, line: usize) -> Truth {
        let Some(body) = self.functions.get(name).cloned().filter(|_| self.calls < MAX_CALLS) else {
            self.note(line, format!("`{name}` calls itself too often"));
            return Truth::other(name);
        };
        self.calls += 1;
        let truth = self.compound(&body, line);
        self.calls -= 1;
        self.ended = false;
        truth
    }

    fn note_unless_harmless(&mut self, command: &Command) {
        let name = match command {
            Command::Simple(simple) => simple.word_or_name.as_ref().map_or("", |word| word.value.as_str()),
            Command::Compound(..) | Command::ExtendedTest(..) => return,
            Command::Function(_) => "",
        };
        if !HARMLESS.contains(&name) {
            self.note(line_of(command), format!("`{}` was not run", shown(&command.to_string())));
        }
    }

    pub(super) fn note(&mut self, line: usize, text: String) {
        self.notes.push(Note { line, text });
    }
}

fn line_of(command: &Command) -> usize {
    command.location().map_or(0, |place| place.start.line)
}

/// A command on one line, and not all of a long one.
pub(super) fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(90) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
