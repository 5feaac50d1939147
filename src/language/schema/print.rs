//! Prints a language as a schema in the KDL Schema Language, for editors and other programs.
//!
//! The vocabulary is that of <https://github.com/kdl-org/kdl/blob/main/SCHEMA-SPEC.md>. It has no words for nodes or
//! entries that exclude each other: such rules stand in descriptions.

use super::table::{Body, Count, Enum, Kind, Node, Rule, RuleKind};
use std::fmt::Write as _;

/// The schema of a language; `title` and `description` say what its files are.
#[must_use]
pub fn kdl_schema(language: &Body, title: &str, description: &str) -> String {
    let mut out = Printer::default();
    out.line("// Printed by `drvc schema` from the table that drvc reads files by.");
    out.open("document");
    out.open("info");
    out.line(&format!("title {} lang=\"en\"", quote(title)));
    out.line(&format!("description {} lang=\"en\"", quote(description)));
    out.close();
    language.nodes.iter().for_each(|node| out.node(node));
    out.close();
    out.text
}

/// A rule in words.
pub(super) fn rule_sentence(rule: &Rule) -> String {
    let group = |group: &&[&str]| group.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("/");
    let groups: Vec<String> = match rule.groups {
        [only] => only.iter().map(|name| format!("`{name}`")).collect(),
        several => several.iter().map(group).collect(),
    };
    let all = match groups.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => groups.concat(),
    };
    match rule.kind {
        RuleKind::ExactlyOne => format!("Exactly one of {all}."),
        RuleKind::AtMostOne => format!("At most one of {all}."),
        RuleKind::AtLeastOne => format!("At least one of {all}."),
    }
}

#[derive(Default)]
struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn line(&mut self, line: &str) {
        let indent = "    ".repeat(self.depth);
        let _ = writeln!(self.text, "{indent}{line}");
    }

    fn open(&mut self, line: &str) {
        self.line(&format!("{line} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn node(&mut self, node: &Node) {
        let rules = node.rules.iter().chain(node.body.rules).map(rule_sentence);
        let description: Vec<String> = std::iter::once(node.description.to_owned()).chain(rules).collect();
        self.open(&format!("node {} description={}", quote(node.name), quote(&description.join(" "))));
        if matches!(node.count, Count::ExactlyOne | Count::AtLeastOne) {
            self.line("min 1");
        }
        if matches!(node.count, Count::ExactlyOne | Count::AtMostOne) {
            self.line("max 1");
        }
        for argument in node.arguments {
            self.open(&format!("value description={}", quote(argument.description)));
            self.line(if argument.required { "min 1" } else { "min 0" });
            if !argument.repeats {
                self.line("max 1");
            }
            self.kind(argument.kind);
            self.close();
        }
        for property in node.properties {
            self.open(&format!("prop {} description={}", quote(property.name), quote(property.description)));
            if property.required {
                self.line("required #true");
            }
            self.kind(property.kind);
            self.close();
        }
        if let Some(free) = node.free {
            self.open(&format!("prop description={}", quote(free.description)));
            self.kind(Kind::TEXT);
            self.close();
            self.line("other-props-allowed #true");
        }
        if !node.body.nodes.is_empty() {
            self.open("children");
            node.body.nodes.iter().for_each(|child| self.node(child));
            self.close();
        }
        self.close();
    }

    fn kind(&mut self, kind: Kind) {
        match kind {
            Kind::Text { lines: true } => self.line("type \"string\""),
            Kind::Text { lines: false } | Kind::Path => {
                self.line("type \"string\"");
                self.line("pattern #\"[^\\n\\t]*\"#");
            }
            Kind::Enum(Enum { values, .. }) => {
                let values: Vec<String> = values.iter().map(|(value, _)| quote(value)).collect();
                self.line("type \"string\"");
                self.line(&format!("enum {}", values.join(" ")));
            }
            Kind::Integer { min, max } => {
                self.line("type \"number\"");
                self.line("\"%\" 1");
                self.line(&format!("\">=\" {min}"));
                if max < i64::MAX {
                    self.line(&format!("\"<=\" {max}"));
                }
            }
            Kind::Bool => self.line("type \"boolean\""),
        }
    }
}

/// A text of ours in quotes.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
