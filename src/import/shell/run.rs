//! Goes over the commands of a file in one world: assignments are made, everything else is passed over and noted.

use super::variables::{Array, Condition, Value, Variables};
use super::worlds::{Oracle, World};
use super::{Note, Refusal};
use brush_parser::ast::SourceLocation as _;
use brush_parser::ast::{
    AndOr, AndOrList, Command, CommandPrefixOrSuffixItem as Item, CompoundCommand, CompoundList,
    IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline, Program, SimpleCommand,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Commands after which a file is not followed any further.
pub(super) const MAX_STEPS: usize = 20_000;
/// Bytes that all assignments of a file may have together.
const MAX_ASSIGNED: usize = 16 * 1024 * 1024;
/// How deep functions, `eval` and `$(…)` may call each other.
const MAX_CALLS: usize = 20;

/// What a command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    /// It succeeds where this holds.
    Open(Condition),
}

impl Truth {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// What only the command itself knows.
    pub(super) fn other(text: &str) -> Self {
        Self::Open(Condition::other(text))
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open(condition) => Self::Open(condition.negated()),
        }
    }
}

/// Where a file goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break(usize),
    Continue(usize),
    Return,
    Exit,
}

/// The state on the way through a file.
pub(super) struct Shell {
    pub(super) variables: Variables,
    pub(super) oracle: Oracle,
    /// How often something was decided that the file does not say.
    pub(super) asked: usize,
    pub(super) functions: BTreeMap<String, CompoundCommand>,
    /// `$1` and so on, where they are known.
    pub(super) positional: Option<Vec<String>>,
    /// What `local` has covered, for each function that is running.
    pub(super) covered: Vec<Vec<(String, Option<Arc<Array>>)>>,
    /// What the commands of each `$(…)` have printed, where it is known.
    pub(super) printed: Vec<Option<String>>,
    /// The lines that `read` finds; `None` where nobody knows.
    pub(super) input: Option<VecDeque<String>>,
    pub(super) notes: Vec<Note>,
    pub(super) steps: usize,
    pub(super) calls: usize,
    pub(super) flow: Flow,
    pub(super) last: Truth,
    pub(super) line: usize,
    assigned: usize,
    exit: Option<usize>,
}

impl Shell {
    pub(super) fn new(given: &[(&str, &str)], oracle: Oracle) -> Self {
        let mut variables = Variables::default();
        for (name, text) in given {
            variables.set(name, 0, Value { text: Some((*text).to_owned()), line: 0 });
        }
        Self {
            variables,
            oracle,
            asked: 0,
            functions: BTreeMap::new(),
            positional: None,
            covered: Vec::new(),
            printed: Vec::new(),
            input: None,
            notes: Vec::new(),
            steps: 0,
            calls: 0,
            flow: Flow::Next,
            last: Truth::Yes,
            line: 0,
            assigned: 0,
            exit: None,
        }
    }

    pub(super) fn finish(self) -> (World, Vec<Note>) {
        let world = World { decided: self.oracle.decided, variables: self.variables, exit: self.exit };
        (world, self.notes)
    }

    pub(super) fn program(&mut self, program: &Program) {
        program.complete_commands.iter().for_each(|list| drop(self.list(list)));
    }

    pub(super) fn run_text(&mut self, text: &str) -> Result<Truth, Refusal> {
        let program = super::parse(text)?;
        self.program(&program);
        Ok(self.last.clone())
    }

    /// Whether something is so in this world.
    pub(super) fn force(&mut self, truth: Truth) -> bool {
        match truth {
            Truth::Yes => true,
            Truth::No => false,
            Truth::Open(condition) => {
                self.asked += 1;
                self.oracle.decide(condition)
            }
        }
    }

    /// Runs a list; what its last command says.
    pub(super) fn list(&mut self, list: &CompoundList) -> Truth {
        for item in &list.0 {
            if self.flow != Flow::Next {
                break;
            }
            let truth = self.and_or(&item.0);
            if self.flow == Flow::Next {
                self.last = truth;
            }
        }
        self.last.clone()
    }

    fn and_or(&mut self, list: &AndOrList) -> Truth {
        let mut truth = self.pipeline(&list.first);
        for next in &list.additional {
            if self.flow != Flow::Next {
                break;
            }
            let (wanted, next) = match next {
                AndOr::And(next) => (true, next),
                AndOr::Or(next) => (false, next),
            };
            if self.force(truth.clone()) == wanted {
                truth = self.pipeline(next);
            }
        }
        truth
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Truth {
        let truth = match pipeline.seq.as_slice() {
            [only] => self.command(only),
            all => match self.pipe(all) {
                // What its last command says hangs on what the others print.
                Truth::Open(Condition::Other { holds, .. }) => {
                    let truth = Truth::other(&shown(
                        &all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
                    ));
                    if holds { truth } else { truth.not() }
                }
                truth => truth,
            },
        };
        if pipeline.bang { truth.not() } else { truth }
    }

    /// What runs in a pipe runs in a process of its own, so it changes nothing here.
    fn pipe(&mut self, commands: &[Command]) -> Truth {
        let (last, first) = match commands.split_last() {
            Some(parts) => parts,
            None => return Truth::Yes,
        };
        let outer = self.input.take();
        for command in first {
            let text = self.captured(|shell| shell.command(command));
            self.input = text.map(|text| text.lines().map(str::to_owned).collect());
        }
        let truth = self.apart(|shell| shell.command(last));
        self.input = outer;
        truth
    }

    /// Runs something in a process of its own.
    pub(super) fn apart(&mut self, run: impl FnOnce(&mut Self) -> Truth) -> Truth {
        let (variables, functions, flow) = (self.variables.clone(), self.functions.clone(), self.flow);
        let truth = run(self);
        (self.variables, self.functions, self.flow) = (variables, functions, flow);
        truth
    }

    /// What something prints, without the newlines at its end.
    pub(super) fn captured(&mut self, run: impl FnOnce(&mut Self) -> Truth) -> Option<String> {
        if self.calls >= MAX_CALLS {
            return None;
        }
        self.calls += 1;
        self.printed.push(Some(String::new()));
        self.last = self.apart(run);
        self.calls -= 1;
        self.printed.pop().flatten().map(|text| text.trim_end_matches('\n').to_owned())
    }

    pub(super) fn print(&mut self, text: Option<String>) {
        if let Some(printed) = self.printed.last_mut() {
            let both = printed.take().zip(text).map(|(old, new)| old + &new);
            *printed = both.filter(|text| text.len() <= super::MAX_BYTES);
        }
    }

    fn command(&mut self, command: &Command) -> Truth {
        self.steps += 1;
        self.line = line_of(command).unwrap_or(self.line);
        if self.steps > MAX_STEPS {
            if self.steps == MAX_STEPS + 1 {
                self.note(self.line, "the file goes on for too long; what follows was not read".into());
            }
            self.flow = Flow::Return;
            return Truth::Yes;
        }
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                let redirects = redirects.iter().flat_map(|list| &list.0).collect();
                let line = self.line;
                self.redirected(redirects, |shell| shell.compound(compound, line))
            }
            Command::Function(function) => {
                self.functions.insert(function.fname.value.clone(), function.body.0.clone());
                Truth::Yes
            }
            Command::ExtendedTest(test, _) => {
                let holds = self.extended_test(&test.expr);
                Truth::of(holds)
            }
        }
    }

    fn simple(&mut self, command: &SimpleCommand) -> Truth {
        let prefix: Vec<&Item> = command.prefix.iter().flat_map(|prefix| &prefix.0).collect();
        let suffix: Vec<&Item> = command.suffix.iter().flat_map(|suffix| &suffix.0).collect();
        let assignments = prefix.iter().filter_map(|item| match item {
            Item::AssignmentWord(assignment, _) => Some(assignment),
            _ => None,
        });
        let Some(name) = &command.word_or_name else {
            self.last = Truth::Yes;
            assignments.for_each(|assignment| self.assignment(assignment));
            // `X=$(false)` fails as what it runs does.
            return self.last.clone();
        };
        let redirects = prefix.iter().chain(&suffix).filter_map(|item| match item {
            Item::IoRedirect(redirect) => Some(redirect),
            _ => None,
        });
        let redirects: Vec<&IoRedirect> = redirects.collect();
        // What stands before a command is set for that command only.
        let before: Vec<_> = assignments
            .filter_map(|assignment| match &assignment.name {
                brush_parser::ast::AssignmentName::VariableName(name) => {
                    let old = (name.clone(), self.variables.array(name));
                    self.assignment(assignment);
                    Some(old)
                }
                brush_parser::ast::AssignmentName::ArrayElementName(..) => None,
            })
            .collect();
        let text = shown(&command.to_string());
        let truth = self.redirected(redirects, |shell| shell.named(&name.value, &suffix, &text));
        for (name, old) in before {
            self.variables.put(&name, old);
        }
        truth
    }

    /// Runs something with the input that its redirections give it.
    fn redirected(&mut self, redirects: Vec<&IoRedirect>, run: impl FnOnce(&mut Self) -> Truth) -> Truth {
        let mut input = None;
        let mut silent = false;
        for redirect in redirects {
            match redirect {
                IoRedirect::HereString(_, word) => input = Some(self.word(&word.value)),
                IoRedirect::HereDocument(_, document) => {
                    let text = document.doc.value.clone();
                    input = Some(if document.requires_expansion { self.document(&text) } else { Some(text) });
                }
                IoRedirect::File(
                    _,
                    IoFileRedirectKind::Read,
                    IoFileRedirectTarget::ProcessSubstitution(_, inner),
                ) => {
                    input = Some(self.captured(|shell| shell.list(&inner.list)));
                }
                IoRedirect::File(_, IoFileRedirectKind::Read, _) => input = Some(None),
                IoRedirect::File(
                    fd,
                    IoFileRedirectKind::Write | IoFileRedirectKind::Append | IoFileRedirectKind::Clobber,
                    _,
                ) => {
                    silent = silent || fd.is_none_or(|fd| fd == 1);
                }
                IoRedirect::File(None | Some(1), IoFileRedirectKind::DuplicateOutput, _)
                | IoRedirect::OutputAndError(..) => silent = true,
                IoRedirect::File(..) => {}
            }
        }
        let lines = |text: Option<String>| text.map(|text| text.lines().map(str::to_owned).collect());
        let outer = input.map(|text| std::mem::replace(&mut self.input, lines(text)));
        if silent {
            self.printed.push(None);
        }
        let truth = run(self);
        if silent {
            self.printed.pop();
        }
        if let Some(outer) = outer {
            self.input = outer;
        }
        truth
    }

    pub(super) fn assign(&mut self, name: &str, index: usize, text: Option<String>, line: usize) {
        self.assigned += name.len() + text.as_ref().map_or(0, String::len);
        let text = text.filter(|text| text.len() <= super::MAX_BYTES && self.assigned <= MAX_ASSIGNED);
        self.variables.set(name, index, Value { text, line });
    }

    pub(super) fn exit(&mut self) {
        self.flow = Flow::Exit;
        self.exit.get_or_insert(self.line);
    }

    pub(super) fn may_call(&self) -> bool {
        self.calls < MAX_CALLS
    }

    pub(super) fn note(&mut self, line: usize, text: String) {
        let note = Note { line, text };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn line_of(command: &Command) -> Option<usize> {
    command.location().map(|place| place.start.line)
}

/// A command on one line, and not all of a long one.
pub(super) fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(90) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
