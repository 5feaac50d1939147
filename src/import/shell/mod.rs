//! Turns a file of shell assignments into what its variables hold, without running anything.
//!
//! 1. `brush-parser` reads the text; [`run`] goes over its commands, [`flow`] over its branches and loops.
//! 2. [`word`] and [`parameter`] expand words, [`arithmetic`] calculates, [`builtins`] and [`filters`] know commands.
//! 3. [`test`] answers conditions. One that the file alone does not answer is decided: [`worlds`] follows the file once for
//!    each way in which such conditions may turn out, so that within one way everything is plain.
//!
//! What depends on another program, on the file system or on the kernel is not guessed: such a value is unknown, and
//! every command that was passed over is in [`Evaluated::notes`].

mod arithmetic;
mod assign;
mod builtins;
mod filters;
mod flow;
mod glob;
mod parameter;
mod run;
mod test;
#[cfg(test)]
mod tests;
mod variables;
mod word;
mod worlds;

use brush_parser::{Parser, ParserOptions};
use run::Shell;
use std::fmt;
pub use variables::{Condition, Value, Variables};
pub use worlds::{Evaluated, World};

/// Bytes that a file, and a value, may have.
pub const MAX_BYTES: usize = 256 * 1024;
/// How deep brackets and compound commands may stand in each other.
const MAX_DEPTH: usize = 60;

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
/// The text and given values may hold characters of the private use area (from U+E000 on), which stand for what is known
/// only where the file is used: a text with one in it is never compared.
///
/// # Errors
/// A text that is no shell, or that is too large.
pub fn evaluate(text: &str, given: &[(&str, &str)]) -> Result<Evaluated, Refusal> {
    Ok(worlds::explore(&parse(text)?, given))
}

/// Evaluates one assignment that stands alone on a line; `None` where the text is anything else.
///
/// Values in it may hold characters of the private use area.
#[must_use]
pub fn assigned(text: &str, name: &str, index: usize, given: &[(&str, &str)]) -> Option<Option<String>> {
    use brush_parser::ast::Command;
    let program = parse(text).ok()?;
    let [list] = program.complete_commands.as_slice() else { return None };
    let [item] = list.0.as_slice() else { return None };
    match item.0.first.seq.as_slice() {
        [Command::Simple(command)] if item.0.additional.is_empty() && command.word_or_name.is_none() => {
            let world = worlds::single(&program, given);
            world.variables.get(name, index).map(|value| value.text.clone())
        }
        _ => None,
    }
}

/// The variables before a command, and its words.
pub type SingleCommand = (Vec<(String, String)>, Vec<String>);

/// A text that is one command without redirection. `None` where it is anything else, or where a word of it needs a
/// shell.
#[must_use]
pub fn single_command(text: &str) -> Option<SingleCommand> {
    use brush_parser::ast::{AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item};
    let program = parse(text).ok()?;
    let [list] = program.complete_commands.as_slice() else { return None };
    let [item] = list.0.as_slice() else { return None };
    let [Command::Simple(command)] = item.0.first.seq.as_slice() else { return None };
    if !item.0.additional.is_empty() || item.0.first.bang {
        return None;
    }
    let mut shell = Shell::new(&[], worlds::Oracle::default());
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
    if text.len() > MAX_BYTES {
        return Err(Refusal(format!("it has more than {MAX_BYTES} bytes")));
    }
    if depth(text) > MAX_DEPTH {
        return Err(Refusal(format!("its commands are nested more than {MAX_DEPTH} deep")));
    }
    let mut parser = Parser::new(text.as_bytes(), &ParserOptions::default());
    parser.parse_program().map_err(|error| Refusal(format!("it is not a text of the shell: {error}")))
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
