//! `drvc diff REV`: the targets that differ between a git revision and the work tree, and why.

use super::change::line;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::compile::Compiled;
use crate::store::history::{Diff as Found, Difference, Status, since};
use crate::system::process::Environment;
use crate::text::diag::{Clean, count};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// List the targets that differ from a git revision's, each with the first reason
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc diff main                               what the work tree changes
  drvc diff HEAD~3                             since three commits ago
  drvc diff origin/main --format markdown      for the comment on a pull request
  drvc diff v1.2 --format json                 for programs (`drvc schema diff`)

The revision is compiled in memory, from git's own store. Nothing is checked out or written, and no earlier
compilation is needed.")]
pub(super) struct Diff {
    /// A branch, a tag or a commit of the repository that holds the manifest
    #[arg(value_name = "REV")]
    revision: String,
    /// `table` for people, `markdown` for comments, `json` for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    Markdown,
}

pub(super) fn diff(global: &Global, args: &Diff, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let compiled = project.compiled(&args.compiling, terminal)?;
    let diff = project.since(&args.compiling, &args.revision, &compiled, terminal)?;
    match args.format {
        Format::Table => terminal.product(&Clean::text(&table(&diff)))?,
        Format::Json => terminal.json(&diff)?,
        Format::Markdown => terminal.product(&Clean::text(&markdown(&diff)))?,
    }
    Ok(Exit::Fine)
}

impl Project {
    /// What differs between a revision and the work tree. That the revision gave nothing is said here.
    pub(super) fn since(
        &self,
        compiling: &Compiling,
        revision: &str,
        compiled: &Compiled,
        terminal: &Terminal,
    ) -> Result<Found, Failure> {
        let environment = Environment::of_this_process();
        let diff = since(&self.root, &self.request(compiling), revision, compiled, &environment)?;
        if let Some(nothing) = &diff.nothing {
            terminal.say(&format!("{nothing}; every target counts as new"));
        }
        Ok(diff)
    }
}

fn table(diff: &Found) -> String {
    if diff.targets.is_empty() {
        return format!("no target differs from {}\n", name(diff));
    }
    let mut table = blank(&["STATUS", "TARGET", "FIRST REASON"]);
    for difference in &diff.targets {
        table.add_row([difference.status.name(), &difference.target, &reason(difference)]);
    }
    format!("{}\n{} since {}\n", lines(&table), counts(&diff.targets), name(diff))
}

/// A table of reasons, and a list of targets that can be opened. Markup is HTML, in which any text can stand.
fn markdown(diff: &Found) -> String {
    let revision = html(&diff.revision);
    let commit = diff.commit.get(..12).unwrap_or(&diff.commit);
    let mut text = String::new();
    if diff.targets.is_empty() {
        let _ = writeln!(text, "No driver image differs from <code>{revision}</code> ({commit}).");
        return text;
    }
    let counts = counts(&diff.targets);
    let _ = writeln!(text, "**{counts}** since <code>{revision}</code> ({commit})\n");
    let mut by_reason: BTreeMap<(Status, String), usize> = BTreeMap::new();
    for difference in &diff.targets {
        *by_reason.entry((difference.status, reason(difference))).or_default() += 1;
    }
    text.push_str("| targets | | first reason |\n| ---: | --- | --- |\n");
    for ((status, reason), number) in &by_reason {
        let _ = writeln!(text, "| {number} | {} | {} |", status.name(), code(reason));
    }
    text.push_str("\n<details><summary>the targets</summary>\n\n");
    for Difference { target, status, .. } in &diff.targets {
        let _ = writeln!(text, "* {} <code>{}</code>", status.name(), html(target));
    }
    text.push_str("\n</details>\n");
    text
}

/// A fragment with names in backticks as HTML.
fn code(fragment: &str) -> String {
    let parts = fragment.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", html(part)) } else { html(part) })
        .collect()
}

/// Text in a cell of a table: whatever has a meaning in Markdown or HTML is written as a number.
fn html(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() || " /.:,;=+@(){}'-".contains(letter) {
            escaped.push(letter);
        } else {
            let _ = write!(escaped, "&#{};", u32::from(letter));
        }
    }
    escaped
}

fn reason(difference: &Difference) -> String {
    difference.change.as_ref().map(line).unwrap_or_default()
}

fn name(diff: &Found) -> String {
    let commit = diff.commit.get(..12).unwrap_or(&diff.commit);
    if diff.commit == diff.revision { commit.to_owned() } else { format!("{} ({commit})", diff.revision) }
}

/// `2 targets changed, 1 new`
fn counts(targets: &[Difference]) -> String {
    let of = |status: Status| targets.iter().filter(|one| one.status == status).count();
    let all = [Status::Changed, Status::New, Status::Gone].map(|status| (of(status), status.name()));
    let mut parts = all.into_iter().filter(|(number, _)| *number > 0);
    let first = parts.next().map(|(number, name)| format!("{} {name}", count(number, "target")));
    let rest = parts.map(|(number, name)| format!("{number} {name}"));
    first.into_iter().chain(rest).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_holds_any_text() {
        assert_eq!(code("`a|b` has `<x>*`"), "<code>a&#124;b</code> has <code>&#60;x&#62;&#42;</code>");
    }
}
