//! Turns a file of shell assignments into what its variables hold, without running anything.
//!
//! 1. `brush-parser` reads the text; [`run`] goes over its commands, and [`assign`] makes the assignments.
//! 2. [`word`] and [`arithmetic`] expand words where all that they name is known.
//! 3. [`test`] decides conditions, or says on which option of the kernel they depend.
//! 4. Where a condition stays open, [`flow`] follows all branches, and [`variables`] joins what they leave behind.
//!
//! What depends on another program, on the file system or on the kernel is not guessed: such a value is unknown, and
//! every command that was passed over is in [`Evaluated::notes`].

mod arithmetic;
mod assign;
mod flow;
mod run;
mod test;
#[cfg(test)]
mod tests;
mod variables;
mod word;

use brush_parser::{Parser, ParserOptions};
use run::Shell;
use std::fmt;
pub use variables::{Condition, Value, Variables};

/// Bytes that a file may have.
pub const MAX_BYTES: usize = 256 * 1024;
/// How deep brackets and compound commands may stand in each other.
const MAX_DEPTH: usize = 60;

/// What a file leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Evaluated {
    /// The variables at the end.
    pub variables: Variables,
    /// Every assignment in the order in which it was met, also those that a later one replaced.
    pub assigned: Vec<Assigned>,
    /// What was passed over.
    pub notes: Vec<Note>,
}

/// One assignment.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The variable.
    pub name: String,
    /// What it got.
    pub value: Value,
}

/// Something in a file that was not understood or has no equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The line, from 1; 0 where no single line is meant.
    pub line: usize,
    /// What about it: a fragment without a full stop.
    pub text: String,
}

/// Why nothing of a file could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Evaluates a file. `given` are variables that are there from the start.
///
/// A given value may hold characters of the private use area (from U+E000 on), which stand for what is known only where
/// the file is used: a text with one in it is never compared.
///
/// # Errors
/// A text that is no shell, that is too large, or that holds such characters itself.
pub fn evaluate(text: &str, given: &[(&str, &str)]) -> Result<Evaluated, Refusal> {
    let mut shell = Shell::new(given);
    shell.run_text(text)?;
    Ok(shell.finish())
}

/// The variables before a command, and its words.
pub type SingleCommand = (Vec<(String, String)>, Vec<String>);

/// A text that is one command without redirection. `None` where it is anything else, or where a word of it needs a
/// shell.
#[must_use]
pub fn single_command(text: &str) -> Option<SingleCommand> {
    use brush_parser::ast::{AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item};
    let program = parse_symbolic(text).ok()?;
    let [list] = program.complete_commands.as_slice() else { return None };
    let [item] = list.0.as_slice() else { return None };
    let [Command::Simple(command)] = item.0.first.seq.as_slice() else { return None };
    if !item.0.additional.is_empty() || item.0.first.bang {
        return None;
    }
    let mut shell = Shell::new(&[]);
    let mut env = Vec::new();
    for part in command.prefix.iter().flat_map(|prefix| &prefix.0) {
        let Item::AssignmentWord(assignment, _) = part else { return None };
        let (AssignmentName::VariableName(name), AssignmentValue::Scalar(value)) =
            (&assignment.name, &assignment.value)
        else {
            return None;
        };
        env.push((name.clone(), shell.only_word(&value.value)?));
    }
    let mut words = vec![shell.only_word(&command.word_or_name.as_ref()?.value)?];
    for part in command.suffix.iter().flat_map(|suffix| &suffix.0) {
        let (Item::Word(word) | Item::AssignmentWord(_, word)) = part else { return None };
        words.push(shell.only_word(&word.value)?);
    }
    Some((env, words))
}

/// Whether a text stands for something that is known later only.
#[must_use]
pub fn is_symbolic(text: &str) -> bool {
    text.contains(|c| ('\u{e000}'..='\u{e0ff}').contains(&c))
}

/// Reads a text into commands.
fn parse(text: &str) -> Result<brush_parser::ast::Program, Refusal> {
    if is_symbolic(text) {
        return Err(Refusal("it holds characters of the private use area".into()));
    }
    parse_symbolic(text)
}

fn parse_symbolic(text: &str) -> Result<brush_parser::ast::Program, Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal(format!("it has more than {MAX_BYTES} bytes")));
    }
    if depth(text) > MAX_DEPTH {
        return Err(Refusal(format!("its commands are nested more than {MAX_DEPTH} deep")));
    }
    let mut parser = Parser::new(text.as_bytes(), &ParserOptions::default());
    parser.parse_program().map_err(|error| Refusal(format!("it is no shell text: {error}")))
}

/// How deep brackets and compound commands stand in each other, at most; quotes are not looked at.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut step = |opens: bool| {
        depth = if opens { depth + 1 } else { depth.saturating_sub(1) };
        deepest = deepest.max(depth);
    };
    for word in text.split(|c: char| c.is_whitespace() || c == ';') {
        match word {
            "if" | "case" | "for" | "while" | "until" | "select" => step(true),
            "fi" | "esac" | "done" => step(false),
            _ => word.chars().for_each(|c| match c {
                '(' | '{' | '[' => step(true),
                ')' | '}' | ']' => step(false),
                _ => {}
            }),
        }
    }
    deepest
}
