//! Holds a tree of nodes to a language: every node known, as often as it may stand, with the entries it takes.
//!
//! Each mistake is reported once and never a consequence of it: what is in an unknown node is not looked at, a node that
//! was misspelt is not missing too, and what [`crate::language::kdl`] has reported already stands for anything.

use super::entries;
use super::report::{Check, MAX_REPORTS, similar};
use super::table::{Body, Count, Node as Spec, Rule, RuleKind};
use crate::language::kdl::{self, Block, Node};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed, shown};
use crate::text::source::{FileId, Sources, Span};

/// Reads a file into nodes that have the shape of `language`.
///
/// What is wrong goes to `found`; the nodes come back only where nothing is.
pub fn read(
    file: FileId,
    language: &'static Body,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Option<Vec<Node>> {
    let mut here = Diagnostics::default();
    let nodes = nodes(file, sources, &mut here);
    if let Some(nodes) = &nodes {
        validate(nodes, language, file, sources, &mut here);
    }
    let valid = here.is_empty();
    found.extend(here);
    nodes.filter(|_| valid)
}

/// The nodes of a file, of any shape. `None` where a mistake hides where nodes begin and end, or there are too many.
pub fn nodes(file: FileId, sources: &Sources, found: &mut Diagnostics) -> Option<Vec<Node>> {
    let (nodes, mistakes) = kdl::parse(file, &sources.get(file).text);
    let hides = |code| matches!(code, Code::MissingEnd | Code::StrayBrace | Code::ExceededLimit);
    let trusted = mistakes.len() < kdl::MAX_MISTAKES && !mistakes.iter().any(|mistake| hides(mistake.code));
    found.extend(mistakes);
    trusted.then_some(nodes)
}

/// Reports everything in which the nodes of a file differ from a language. `found` holds what was reported of this file
/// so far: where it holds anything, a node that is not there may be one that could not be read.
pub fn validate(
    nodes: &[Node],
    language: &'static Body,
    file: FileId,
    sources: &Sources,
    found: &mut Diagnostics,
) {
    let complete = found.is_empty();
    let source = nodes.iter().find(|node| node.name.value == "source").and_then(Node::text);
    let source = source.map(|name| name.value);
    let mut check = Check { language, sources, found: Diagnostics::default(), complete, source };
    check.body(nodes, language, Owner { name: None, span: Span::new(file, 0, 0) });
    found.extend(check.found);
}

/// What a body belongs to: a node, or the whole file.
#[derive(Clone, Copy)]
struct Owner<'a> {
    name: Option<&'a str>,
    span: Span,
}

impl Check<'_> {
    fn body(&mut self, nodes: &[Node], body: &'static Body, owner: Owner<'_>) {
        let (mut meant, mut strange) = (Vec::new(), false);
        for node in nodes {
            if self.is_full() {
                return;
            }
            match body.node(&node.name.value) {
                Some(spec) => self.node(node, spec, body, owner),
                None => match self.unknown_node(node, body, owner) {
                    Some(name) => meant.push(name),
                    None => strange = true,
                },
            }
        }
        // What is missing may be what a node was meant for whose name says nothing.
        let complete = self.complete;
        self.complete = complete && !strange;
        for spec in body.nodes {
            let same: Vec<&Node> = nodes.iter().filter(|node| node.name.value == spec.name).collect();
            let required = matches!(spec.count, Count::ExactlyOne | Count::AtLeastOne);
            match same.split_first() {
                None if required && !meant.contains(&spec.name) => self.missing_node(spec, owner),
                Some((first, others)) if matches!(spec.count, Count::ExactlyOne | Count::AtMostOne) => {
                    others.iter().take(MAX_REPORTS).for_each(|other| self.repeated_node(spec, first, other));
                }
                _ => {}
            }
        }
        body.rules.iter().for_each(|rule| self.node_rule(rule, nodes, &meant, owner));
        self.complete = complete;
    }

    fn node(&mut self, node: &Node, spec: &'static Spec, around: &Body, owner: Owner<'_>) {
        let bare = spec.body.nodes.is_empty() && node.arguments.is_empty();
        if let Some(block) = node.block.as_ref().filter(|_| bare)
            && let Some(owner) = owner.name
            && !block.nodes.is_empty()
            && block.nodes.iter().all(|inner| around.node(&inner.name.value).is_some())
        {
            let open = Span { end: block.span.start + 1, ..block.span };
            let message = format!("`{}` takes no block", spec.name);
            let report = Diagnostic::new(Code::UnexpectedBlock, message).label(open, "a block begins here");
            let help =
                format!("write what is in it right in the block of `{owner}`, without `{}`", spec.name);
            return self.report(report.help(help));
        }
        // What a block holds that may not be there is not missing on the line too.
        if !bare || node.block.is_none() {
            entries::check(self, node, spec);
        }
        let Some(block) = &node.block else {
            return self.body(&[], spec.body, Owner { name: Some(spec.name), span: node.name.span });
        };
        if spec.body.nodes.is_empty() {
            return self.unexpected_block(node, block, spec);
        }
        self.body(&block.nodes, spec.body, Owner { name: Some(spec.name), span: node.name.span });
    }

    fn unexpected_block(&mut self, node: &Node, block: &Block, spec: &Spec) {
        let open = Span { end: block.span.start + 1, ..block.span };
        let last = node.arguments.last().filter(|value| value.span.end == block.span.start);
        let (label, help) = match last
            .map(|value| self.sources.slice(Span { end: block.span.end, ..value.span }))
        {
            Some(text) if !text.contains(['"', '\n']) => {
                ("a text with braces needs quotes", format!("quote it: {}", shown(&format!("\"{text}\""))))
            }
            _ => (
                "a block begins here",
                format!("write it on one line: {}", shown(&entries::example(self, node, spec))),
            ),
        };
        let message = format!("`{}` takes no block", spec.name);
        self.report(Diagnostic::new(Code::UnexpectedBlock, message).label(open, label).help(help));
    }

    /// Reports a node that may not stand here, and gives the name that was probably meant.
    fn unknown_node(&mut self, node: &Node, body: &'static Body, owner: Owner<'_>) -> Option<&'static str> {
        let name = node.name.value.trim_end_matches(':');
        let place = owner.name.map_or(String::new(), |owner| format!(" in `{owner}`"));
        let homes = homes(self.language, None, name);
        let meant = similar(name, body.nodes.iter().map(|spec| spec.name));
        let diagnostic =
            Diagnostic::new(Code::UnknownNode, format!("unknown node {}{place}", shown(&node.name.value)));
        let is_property = owner.name.is_some_and(|owner| entries::has_property(self.language, owner, name));
        let habit = super::habits::advice(owner.name, name);
        let (label, help) = if let Some(help) = habit {
            ("no such node".to_owned(), help.to_owned())
        } else if let Some(meant) = meant {
            ("no such node".to_owned(), format!("did you mean `{meant}`?"))
        } else if is_property {
            let owner = owner.name.unwrap_or_default();
            let help = format!("write it on the line of `{owner}`, as `{name}=…`");
            (format!("a property of `{owner}`, not a node"), help)
        } else if homes.is_empty() {
            ("no such node".to_owned(), may_hold(body, owner))
        } else {
            let inside: Vec<&str> = homes.iter().copied().flatten().collect();
            let top = homes.contains(&None);
            let home = if top { "the top of the file".to_owned() } else { listed(inside, "or") };
            ("cannot stand here".to_owned(), format!("{} belongs in {home}", shown(name)))
        };
        let report = diagnostic.label(node.name.span, label).help(help);
        self.report(match meant.filter(|_| habit.is_none()) {
            Some(meant) => report.suggest(node.name.span, meant),
            None => report,
        });
        meant
    }

    fn missing_node(&mut self, spec: &Spec, owner: Owner<'_>) {
        if !self.complete {
            return;
        }
        let (message, label) = match owner.name {
            Some(owner) => (format!("`{owner}` has no `{}`", spec.name), "misses it in its block".to_owned()),
            None => (format!("no `{}` in the file", spec.name), format!("`{}` is required", spec.name)),
        };
        let help = format!("add `{}`: {}", spec.usage(), spec.summary());
        self.report(Diagnostic::new(Code::MissingNode, message).label(owner.span, label).help(help));
    }

    fn repeated_node(&mut self, spec: &Spec, first: &Node, other: &Node) {
        let name = &first.name.value;
        let is_list = spec.arguments.last().is_some_and(|argument| argument.repeats);
        let written = [first, other].map(|node| entries::example(self, node, spec));
        let more = written[1].strip_prefix(name.as_str()).unwrap_or_default();
        let help = match is_list && !more.is_empty() {
            true => {
                format!("keep one of them, or write one list: {}", shown(&format!("{}{more}", written[0])))
            }
            false => "keep one of them".to_owned(),
        };
        let diagnostic = Diagnostic::new(Code::RepeatedNode, format!("`{name}` stands here twice"))
            .label(other.name.span, "the second one")
            .label(first.name.span, "the first one")
            .help(help);
        self.report(diagnostic);
    }

    fn node_rule(&mut self, rule: &Rule, nodes: &[Node], meant: &[&str], owner: Owner<'_>) {
        let first = |group: &&[&str]| nodes.iter().find(|node| group.contains(&node.name.value.as_str()));
        let present: Vec<&Node> = rule.groups.iter().filter_map(first).collect();
        let all = rule.groups.iter().flat_map(|group| group.iter().copied());
        if present.len() > 1 && rule.kind != RuleKind::AtLeastOne {
            let names = listed(present.iter().map(|node| node.name.value.as_str()), "and");
            let mut diagnostic =
                Diagnostic::new(Code::ConflictingNodes, format!("{names} exclude each other"));
            let mut labelled = present.clone();
            labelled.sort_by_key(|node| std::cmp::Reverse(node.name.span));
            for node in labelled {
                diagnostic = diagnostic.label(node.name.span, format!("`{}` here", node.name.value));
            }
            self.report(diagnostic.help("keep one of them"));
        }
        let is_meant = all.clone().any(|name| meant.contains(&name));
        if present.is_empty() && rule.kind != RuleKind::AtMostOne && !is_meant && self.complete {
            let message = format!("`{}` has none of {}", owner.name.unwrap_or("file"), listed(all, "and"));
            let number = if rule.kind == RuleKind::ExactlyOne { "one" } else { "at least one" };
            let label = format!("needs {number} of them in its block");
            self.report(Diagnostic::new(Code::MissingNode, message).label(owner.span, label));
        }
    }
}

/// The nodes of the language in whose block `name` may stand; `None` is the top of the file.
fn homes(body: &'static Body, owner: Option<&'static str>, name: &str) -> Vec<Option<&'static str>> {
    let here = body.node(name).map(|_| owner);
    let deeper = body.nodes.iter().flat_map(|node| homes(node.body, Some(node.name), name));
    let mut homes: Vec<_> = here.into_iter().chain(deeper).collect();
    homes.sort_unstable();
    homes.dedup();
    homes
}

fn may_hold(body: &'static Body, owner: Owner<'_>) -> String {
    let names = listed(body.nodes.iter().map(|spec| spec.name), "or");
    match owner.name {
        Some(owner) => format!("`{owner}` may hold {names}"),
        None => format!("a file may hold {names}"),
    }
}
