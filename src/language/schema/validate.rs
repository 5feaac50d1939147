//! Holds a tree of nodes to a language: every node known, as often as it may stand, with the entries it takes.
//!
//! Each mistake is reported once and never a consequence of it: what is in an unknown node is not looked at, a node that
//! was misspelt is not missing too, and what [`crate::language::kdl`] has reported already stands for anything.

use super::braces;
use super::entries;
use super::examples::{example, skeleton};
use super::report::{Check, MAX_REPORTS, similar};
use super::table::{Body, Count, Node as Spec, Rule, RuleKind};
use super::unknown;
use crate::language::kdl::{self, Block, Node};
use crate::text::diag::{Code, Diagnostic, Diagnostics, lines, listed, pasted, shown};
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
    if let Some(report) = braces::missing(nodes, language, sources) {
        return found.push(report);
    }
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
        let mut before = None;
        for (at, node) in nodes.iter().enumerate() {
            if self.is_full() {
                return;
            }
            let next = nodes.get(at + 1).filter(|next| body.node(&next.name.value).is_none());
            match body.node(&node.name.value) {
                // What follows was meant to be in it: reported there, so nothing is missing here.
                Some(spec)
                    if node.block.is_none()
                        && next.is_some_and(|next| spec.body.node(&next.name.value).is_some()) =>
                {
                    entries::check(self, node, spec, body);
                }
                Some(spec) => self.node(node, spec, body, owner),
                None => match self.unknown_node(node, body, owner, before) {
                    Some(name) => meant.push(name),
                    None => strange = true,
                },
            }
            before = Some(node);
        }
        // What is missing may be what a node was meant for whose name says nothing.
        let complete = self.complete;
        self.complete = complete && !strange;
        let mut missing = Vec::new();
        for spec in body.nodes {
            let same: Vec<&Node> = nodes.iter().filter(|node| node.name.value == spec.name).collect();
            let required = matches!(spec.count, Count::ExactlyOne | Count::AtLeastOne);
            match same.split_first() {
                None if required && !meant.contains(&spec.name) => missing.push(*spec),
                Some((first, others)) if matches!(spec.count, Count::ExactlyOne | Count::AtMostOne) => {
                    others.iter().take(MAX_REPORTS).for_each(|other| self.repeated_node(spec, first, other));
                }
                _ => {}
            }
        }
        self.missing_nodes(&missing, nodes.is_empty(), owner);
        body.rules.iter().for_each(|rule| self.node_rule(rule, nodes, &meant, body, owner));
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
            entries::check(self, node, spec, around);
        }
        let Some(block) = &node.block else {
            // What the block lacks is on the line, which was reported.
            if spec.arguments.is_empty() && !node.arguments.is_empty() {
                return;
            }
            return self.body(&[], spec.body, Owner { name: Some(spec.name), span: node.name.span });
        };
        if spec.body.nodes.is_empty() {
            return self.unexpected_block(node, block, spec);
        }
        let owner = Owner { name: Some(spec.name), span: node.name.span };
        // What the line lacks and the block has was reported of the line.
        match unknown::named_arguments(node, spec).is_empty() {
            true => self.body(&block.nodes, spec.body, owner),
            false => {
                let is_argument = |inner: &&Node| {
                    spec.arguments.iter().any(|one| one.name.eq_ignore_ascii_case(&inner.name.value))
                };
                let others: Vec<Node> =
                    block.nodes.iter().filter(|inner| !is_argument(inner)).cloned().collect();
                self.body(&others, spec.body, owner);
            }
        }
    }

    fn unexpected_block(&mut self, node: &Node, block: &Block, spec: &Spec) {
        let open = Span { end: block.span.start + 1, ..block.span };
        let last = node.arguments.last().filter(|value| value.span.end == block.span.start);
        let (label, help) = match last
            .map(|value| self.sources.slice(Span { end: block.span.end, ..value.span }))
        {
            Some(text) if !text.contains(['"', '\n']) => {
                ("a text with braces needs quotes", format!("quote it: {}", pasted(&format!("\"{text}\""))))
            }
            _ => (
                "a block begins here",
                format!("write it on one line: {}", pasted(&example(self, node, spec))),
            ),
        };
        let message = format!("`{}` takes no block", spec.name);
        self.report(Diagnostic::new(Code::UnexpectedBlock, message).label(open, label).help(help));
    }

    /// Reports a node that may not stand here, and gives the name that was probably meant.
    fn unknown_node(
        &mut self,
        node: &Node,
        body: &'static Body,
        owner: Owner<'_>,
        before: Option<&Node>,
    ) -> Option<&'static str> {
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
            let value = node.arguments.first().map_or("\"VALUE\"", |value| self.sources.slice(value.span));
            let line = format!("{name}={value}");
            let help = format!("write it on the line of `{owner}`, as {}", pasted(&line));
            (format!("a property of `{owner}`, not a node"), help)
        } else if homes.is_empty() {
            ("no such node".to_owned(), may_hold(body, owner))
        } else if let Some(before) = before
            .filter(|before| before.block.is_none() && homes.contains(&Some(before.name.value.as_str())))
        {
            let line = self.sources.slice(before.span).trim_end();
            let help =
                format!("write {} and, behind what belongs in it, `}}`", pasted(&format!("{line} {{")));
            (format!("belongs in the block of `{}`, which has none", before.name.value), help)
        } else {
            let inside: Vec<&str> = homes.iter().copied().flatten().collect();
            let top = homes.contains(&None);
            let home = if top { "the top of the file".to_owned() } else { listed(inside, "or") };
            ("is not allowed here".to_owned(), format!("{} belongs in {home}", shown(name)))
        };
        let report = diagnostic.label(node.name.span, label).help(help);
        self.report(match meant.filter(|_| habit.is_none()) {
            Some(meant) => report.suggest(node.name.span, meant),
            None => report,
        });
        meant
    }

    /// One report for all that a block or the file lacks.
    fn missing_nodes(&mut self, missing: &[&Spec], is_empty: bool, owner: Owner<'_>) {
        if missing.is_empty() || !self.complete {
            return;
        }
        let names = listed(missing.iter().map(|spec| spec.name), "or");
        let examples: Vec<String> = missing.iter().map(|spec| skeleton(self, spec)).collect();
        let (message, label) = match owner.name {
            Some(owner) => (format!("`{owner}` has no {names}"), "lacks it in its block".to_owned()),
            None if missing.len() == 1 => (format!("no {names} in the file"), format!("{names} is required")),
            None => (format!("no {names} in the file"), "each is required".to_owned()),
        };
        let help = match (owner.name, missing) {
            (None, _) if is_empty => {
                "remove the file and run `drvc init`, which writes one to begin with".to_owned()
            }
            (_, [only]) => format!("add {}: {}", lines(&examples, "and"), only.summary()),
            _ => format!("add {}", lines(&examples, "and")),
        };
        self.report(Diagnostic::new(Code::MissingNode, message).label(owner.span, label).help(help));
    }

    fn repeated_node(&mut self, spec: &Spec, first: &Node, other: &Node) {
        let name = &first.name.value;
        let is_list = spec.arguments.last().is_some_and(|argument| argument.repeats);
        let written = [first, other].map(|node| example(self, node, spec));
        let more = written[1].strip_prefix(name.as_str()).unwrap_or_default();
        let help = match is_list && !more.is_empty() {
            true => {
                format!("keep one of them, or write one list: {}", pasted(&format!("{}{more}", written[0])))
            }
            false => "keep one of them".to_owned(),
        };
        let diagnostic = Diagnostic::new(Code::RepeatedNode, format!("`{name}` is given twice here"))
            .label(other.name.span, "the second one")
            .label(first.name.span, "the first one")
            .help(help);
        self.report(diagnostic);
    }

    fn node_rule(&mut self, rule: &Rule, nodes: &[Node], meant: &[&str], body: &Body, owner: Owner<'_>) {
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
            let groups = rule.groups.iter().filter_map(|group| body.node(group.first()?));
            let examples: Vec<String> = groups.map(|spec| skeleton(self, spec)).collect();
            let help = format!("add {}", lines(&examples, "or"));
            self.report(Diagnostic::new(Code::MissingNode, message).label(owner.span, label).help(help));
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
