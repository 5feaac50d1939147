//! Prints a language as a reference in Markdown, for people.

use super::print::rule_sentence;
use super::table::{Body, Count, Kind, Node};
use crate::text::diag::listed;
use std::fmt::Write as _;

/// The reference of a language: a heading of `level` for each node at the top of a file, one of the next level for each
/// node with a block in its block, and so on; nodes without a block are rows of a table.
#[must_use]
pub fn reference(language: &Body, level: usize) -> String {
    let mut out = String::new();
    language.nodes.iter().for_each(|node| section(&mut out, node, &[], level, false));
    out
}

/// One node alone, as an editor shows it: how it is written, what it says, and what stands on its line.
#[must_use]
pub fn page(node: &Node) -> String {
    let mut out = format!("```kdl\n{}\n```\n\n{} {}\n", node.usage(), node.description, count(node.count));
    for Entry { name, kind, required, description } in entries(node) {
        let optional = if required { "" } else { ", optional" };
        let _ = write!(out, "\n* `{name}` ({kind}{optional}): {description}");
    }
    for rule in node.rules {
        let _ = write!(out, "\n\n{}", rule_sentence(rule));
    }
    out
}

/// One node. `overlay` says that what stands in its block is described beside it.
fn section(out: &mut String, node: &Node, path: &[&str], level: usize, overlay: bool) {
    let heading: Vec<String> = path.iter().chain([&node.name]).map(|name| format!("`{name}`")).collect();
    let _ = writeln!(out, "{} {}\n", "#".repeat(level), heading.join(" › "));
    let _ = writeln!(out, "```text\n{}\n```\n", node.usage());
    paragraph(out, &format!("{} {}", node.description, count(node.count)));
    let entries = entries(node);
    if !entries.is_empty() {
        let _ = writeln!(out, "| | | |\n| --- | --- | --- |");
        entries.iter().for_each(|entry| entry.row(out));
        out.push('\n');
    }
    node.rules.iter().for_each(|rule| paragraph(out, &rule_sentence(rule)));
    if overlay {
        let names = listed(node.body.nodes.iter().map(|inner| inner.name), "and");
        let owner = path.last().copied().unwrap_or("file");
        paragraph(out, &format!("In its block: {names}, as in `{owner}`."));
    } else {
        body(out, node, path, level);
    }
}

fn body(out: &mut String, node: &Node, path: &[&str], level: usize) {
    let path: Vec<&str> = path.iter().copied().chain([node.name]).collect();
    let (leaves, inner): (Vec<&Node>, Vec<&Node>) =
        node.body.nodes.iter().copied().partition(|child| child.body.nodes.is_empty());
    if !leaves.is_empty() {
        let _ = writeln!(out, "| in its block | |\n| --- | --- |");
        leaves.iter().for_each(|leaf| leaf_row(out, leaf));
        out.push('\n');
    }
    if !inner.is_empty() {
        let also = if leaves.is_empty() { "In its block" } else { "And, with blocks of their own" };
        paragraph(out, &format!("{also}: {}.", listed(inner.iter().map(|child| child.name), "and")));
    }
    node.body.rules.iter().for_each(|rule| paragraph(out, &rule_sentence(rule)));
    for child in inner {
        section(out, child, &path, level + 1, is_overlay(node.body, child));
    }
}

/// Whether what stands in a child's block may all stand beside the child too, and is described there.
fn is_overlay(body: &Body, child: &Node) -> bool {
    let beside = |inner: &&'static Node| body.nodes.iter().any(|node| std::ptr::eq(*node, *inner));
    child.body.nodes.iter().all(beside)
}

fn leaf_row(out: &mut String, node: &Node) {
    let mut text = format!("{} {}", node.description, count(node.count));
    for Entry { name, kind, description, .. } in entries(node) {
        let kind = if matches!(kind, Kind::Text { lines: false } | Kind::Path) {
            String::new()
        } else {
            format!(" ({kind})")
        };
        let _ = write!(text, "<br>`{name}`{kind}: {description}");
    }
    for rule in node.rules {
        let _ = write!(text, "<br>{}", rule_sentence(rule));
    }
    let _ = writeln!(out, "| `{}` | {text} |", node.usage());
}

fn count(count: Count) -> &'static str {
    match count {
        Count::ExactlyOne => "Required, once.",
        Count::AtMostOne => "At most once.",
        Count::AtLeastOne => "Required, any number of times.",
        Count::Any => "Any number of times.",
    }
}

/// An argument or property.
struct Entry {
    name: String,
    kind: Kind,
    required: bool,
    description: String,
}

impl Entry {
    fn new(name: String, kind: Kind, required: bool, description: &str) -> Self {
        let mut description = description.to_owned();
        if let Kind::Enum(choice) = kind {
            let values: Vec<String> =
                choice.values.iter().map(|(value, says)| format!("`\"{value}\"`: {says}")).collect();
            description = format!("{description}. {}", values.join("; "));
        }
        Self { name, kind, required, description }
    }

    fn row(&self, out: &mut String) {
        let Self { name, kind, required, description } = self;
        let optional = if *required { "" } else { ", optional" };
        let _ = writeln!(out, "| `{name}` | {kind}{optional} | {description} |");
    }
}

fn entries(node: &Node) -> Vec<Entry> {
    let arguments = node.arguments.iter().map(|argument| {
        let name = if argument.repeats { format!("{}…", argument.name) } else { argument.name.to_owned() };
        Entry::new(name, argument.kind, argument.required, argument.description)
    });
    let properties = node.properties.iter().map(|property| {
        Entry::new(format!("{}=", property.name), property.kind, property.required, property.description)
    });
    let free = node
        .free
        .map(|free| Entry::new(format!("{}=…", free.key), Kind::TEXT, free.required, free.description));
    arguments.chain(properties).chain(free).collect()
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { lines: false } | Self::Path => f.write_str("text"),
            Self::Text { lines: true } => f.write_str("text of any number of lines"),
            Self::Enum(_) => f.write_str("one of these texts"),
            Self::Integer { min, max: i64::MAX } => write!(f, "number from {min}"),
            Self::Integer { min, max } => write!(f, "number, {min} to {max}"),
            Self::Bool => f.write_str("`#true` or `#false`"),
        }
    }
}

/// A paragraph, its lines broken after at most 118 characters.
fn paragraph(out: &mut String, text: &str) {
    let mut length = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if length > 0 && length + width >= 118 {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += width;
    }
    out.push_str("\n\n");
}
