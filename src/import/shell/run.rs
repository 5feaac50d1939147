//! Goes over the commands of a file: assignments are made, branches followed, everything else passed over and noted.

use super::test::Truth;
use super::variables::{Condition, Value, Variables};
use super::word::matches;
use super::{Assigned, Evaluated, Note, Refusal};
use brush_parser::ast::SourceLocation as _;
use brush_parser::ast::{
    AndOr, AndOrList, Assignment, AssignmentName, AssignmentValue, CaseClauseCommand, Command,
    CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, ForClauseCommand, IfClauseCommand, Pipeline,
    SimpleCommand,
};
use std::collections::BTreeMap;

/// Commands after which a file is not followed any further.
const MAX_STEPS: usize = 20_000;
/// How deep functions and `eval` may call each other.
const MAX_CALLS: usize = 20;
/// Elements that an array may have.
const MAX_INDEX: usize = 4096;

/// Commands that change no variable and print nothing that matters.
const HARMLESS: [&str; 14] = [
    ":", "cd", "echo", "false", "grep", "popd", "printf", "pushd", "set", "shopt", "sort", "test", "true",
    "[",
];

/// The state on the way through a file.
pub(super) struct Shell {
    pub(super) variables: Variables,
    /// What has to hold to come here.
    path: Vec<Condition>,
    functions: BTreeMap<String, CompoundCommand>,
    assigned: Vec<Assigned>,
    notes: Vec<Note>,
    steps: usize,
    calls: usize,
    ended: bool,
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

    fn compound(&mut self, compound: &CompoundCommand, line: usize) -> Truth {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => {
                let before = self.variables.clone();
                let truth = self.list(&subshell.list);
                self.variables = before;
                truth
            }
            CompoundCommand::IfClause(clause) => self.if_clause(clause),
            CompoundCommand::CaseClause(clause) => self.case(clause),
            CompoundCommand::ForClause(clause) => self.for_clause(clause, line),
            CompoundCommand::Arithmetic(command) => match self.arithmetic(&command.expr.value) {
                Some(0) => Truth::No,
                Some(_) => Truth::Yes,
                None => Truth::other(&shown(&compound.to_string())),
            },
            CompoundCommand::ArithmeticForClause(clause) => {
                if let Some(first) = &clause.initializer {
                    self.arithmetic(&first.value);
                }
                loop {
                    let goes_on = clause
                        .condition
                        .as_ref()
                        .map_or(Some(1), |condition| self.arithmetic(&condition.value));
                    match goes_on {
                        Some(0) => return Truth::Yes,
                        Some(_) if self.steps <= MAX_STEPS => drop(self.list(&clause.body.list)),
                        _ => {
                            self.unknown_from(line, &compound.to_string(), |shell| {
                                drop(shell.list(&clause.body.list))
                            });
                            return Truth::Yes;
                        }
                    }
                    self.steps += 1;
                    if let Some(updater) = &clause.updater {
                        self.arithmetic(&updater.value);
                    }
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.unknown_from(line, &compound.to_string(), |shell| drop(shell.list(&clause.1.list)));
                Truth::Yes
            }
            CompoundCommand::Coprocess(_) => {
                self.note(line, format!("`{}` was not run", shown(&compound.to_string())));
                Truth::Yes
            }
        }
    }

    /// Goes once over what runs nobody knows how often: whatever it changes is unknown afterwards.
    fn unknown_from(&mut self, line: usize, text: &str, body: impl FnOnce(&mut Self)) {
        self.note(line, format!("`{}` was not followed", shown(text)));
        let before = self.variables.clone();
        self.branch(vec![Condition::Other { text: shown(text), holds: true }], body);
        let names: Vec<String> = self.variables.names().map(str::to_owned).collect();
        for name in names {
            let changed: Vec<usize> = self
                .variables
                .elements(&name)
                .filter(|(index, value)| before.get(&name, *index) != Some(value))
                .map(|(index, _)| index)
                .collect();
            for index in changed {
                self.variables.set(&name, index, Value { text: None, when: Vec::new(), line });
            }
        }
    }

    /// Follows a way that is taken under conditions only.
    fn branch(&mut self, conditions: Vec<Condition>, way: impl FnOnce(&mut Self)) {
        let (before, depth) = (self.variables.clone(), self.path.len());
        self.path.extend(conditions);
        way(self);
        self.path.truncate(depth);
        self.ended = false;
        self.variables = before.join(std::mem::take(&mut self.variables), before.clone());
    }

    fn if_clause(&mut self, clause: &IfClauseCommand) -> Truth {
        let mut ways = vec![(Some(&clause.condition), &clause.then)];
        ways.extend(clause.elses.iter().flatten().map(|other| (other.condition.as_ref(), &other.body)));
        let (base, depth) = (self.variables.clone(), self.path.len());
        let mut ends = Vec::new();
        let mut exhaustive = false;
        for (condition, body) in ways {
            let truth = condition.map_or(Truth::Yes, |condition| self.list(condition));
            if truth == Truth::No {
                continue;
            }
            let here = (self.variables.clone(), self.path.len());
            self.path.extend(truth.clone().conditions());
            self.list(body);
            self.path.truncate(here.1);
            ends.push(std::mem::replace(&mut self.variables, here.0));
            match truth {
                Truth::Open(_) => {
                    self.ended = false;
                    self.path.extend(truth.not().conditions());
                }
                _ => {
                    exhaustive = true;
                    break;
                }
            }
        }
        self.path.truncate(depth);
        self.meet(&base, ends, exhaustive);
        Truth::Yes
    }

    /// Where several ways end, of which one was taken; and, unless they are all there are, none of them.
    fn meet(&mut self, base: &Variables, ends: Vec<Variables>, exhaustive: bool) {
        let none = (!exhaustive || ends.is_empty()).then(|| self.variables.clone());
        let met = ends.into_iter().chain(none).reduce(|one, other| base.join(one, other));
        self.variables = met.unwrap_or_default();
    }

    fn case(&mut self, clause: &CaseClauseCommand) -> Truth {
        let subject = self.word(&clause.value.value).filter(|text| !super::is_symbolic(text));
        let base = self.variables.clone();
        let mut ends = Vec::new();
        let mut exhaustive = false;
        for arm in &clause.cases {
            let patterns: Option<Vec<String>> =
                arm.patterns.iter().map(|pattern| self.word(&pattern.value)).collect();
            let fits = match (&subject, &patterns) {
                (Some(subject), Some(patterns)) if !patterns.iter().any(|pattern| pattern.contains('[')) => {
                    Some(patterns.iter().any(|pattern| matches(pattern, subject)))
                }
                _ => None,
            };
            if fits == Some(false) {
                continue;
            }
            let all = patterns.is_some_and(|patterns| patterns.iter().any(|pattern| pattern == "*"));
            let depth = self.path.len();
            if fits.is_none() {
                let patterns: Vec<_> = arm.patterns.iter().map(|pattern| pattern.value.as_str()).collect();
                let text = format!("{} is {}", clause.value.value, patterns.join(" or "));
                self.path.push(Condition::Other { text: shown(&text), holds: true });
            }
            arm.cmd.iter().for_each(|list| drop(self.list(list)));
            self.path.truncate(depth);
            ends.push(std::mem::replace(&mut self.variables, base.clone()));
            exhaustive = exhaustive || all || fits == Some(true);
            if fits == Some(true) {
                break;
            }
            self.ended = false;
        }
        self.meet(&base, ends, exhaustive);
        Truth::Yes
    }

    fn for_clause(&mut self, clause: &ForClauseCommand, line: usize) -> Truth {
        let values: Option<Vec<Vec<String>>> =
            clause.values.iter().flatten().map(|word| self.fields(&word.value)).collect();
        match values.filter(|_| clause.values.is_some()) {
            Some(values) => {
                for value in values.concat() {
                    self.assign(&clause.variable_name, 0, Some(value), line);
                    self.list(&clause.body.list);
                }
            }
            None => {
                let text = format!("for {} in …", clause.variable_name);
                self.unknown_from(line, &text, |shell| {
                    shell.assign(&clause.variable_name, 0, None, line);
                    shell.list(&clause.body.list);
                });
            }
        }
        Truth::Yes
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

    fn assignment(&mut self, assignment: &Assignment) {
        let line = assignment.loc.start.line;
        let (name, index) = match &assignment.name {
            AssignmentName::VariableName(name) => (name.clone(), Some(0)),
            AssignmentName::ArrayElementName(name, index) => {
                let index = self.arithmetic(index).and_then(|index| usize::try_from(index).ok());
                (name.clone(), index.filter(|index| *index < MAX_INDEX))
            }
        };
        let Some(index) = index else {
            self.note(line, format!("`{}` has an index that is not known", shown(&assignment.to_string())));
            return;
        };
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let mut text = self.word(&word.value);
                if assignment.append {
                    let old = self.look_up(&name, index).map(Option::unwrap_or_default);
                    text = old.zip(text).map(|(old, new)| old + &new);
                }
                self.assign(&name, index, text, line);
            }
            AssignmentValue::Array(elements) => {
                let mut next = 0;
                if assignment.append {
                    next = self.variables.elements(&name).last().map_or(0, |(last, _)| last + 1);
                } else {
                    self.variables.unset(&name);
                }
                for (index, word) in elements {
                    if let Some(index) = index {
                        next = self
                            .arithmetic(&index.value)
                            .and_then(|at| usize::try_from(at).ok())
                            .unwrap_or(next);
                    }
                    let texts = self
                        .fields(&word.value)
                        .map_or(vec![None], |texts| texts.into_iter().map(Some).collect());
                    for text in texts {
                        if next < MAX_INDEX {
                            self.assign(&name, next, text, line);
                        }
                        next += 1;
                    }
                }
            }
        }
    }

    pub(super) fn assign(&mut self, name: &str, index: usize, text: Option<String>, line: usize) {
        let text = text.filter(|text| text.len() <= super::MAX_BYTES);
        let value = Value { text, when: self.path.clone(), line };
        self.assigned.push(Assigned { name: name.to_owned(), value: value.clone() });
        self.variables.set(name, index, value);
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

    fn note(&mut self, line: usize, text: String) {
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
