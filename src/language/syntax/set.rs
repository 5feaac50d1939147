//! `--set PATH=VALUE`: one value of the command line in place of what the manifest says, or says not.
//!
//! Only nodes that may stand once can be meant by their names alone, with one value each. What is set stands in a source of
//! its own, so that reports point at the command line.

use crate::language::kdl::{Block, Data, Node, Value};
use crate::language::schema::{self, Body, Count, Kind, manifest::MANIFEST};
use crate::text::diag::{Code, Diagnostic, listed, nearest};
use crate::text::session::Session;
use crate::text::source::{Span, Spanned};

/// The name of a setting's source.
pub const SOURCE: &str = "--set";

/// Sets one value.
pub(super) fn set(nodes: &mut Vec<Node>, setting: &str, session: &mut Session) {
    let Session { sources, found } = session;
    let file = sources.add(SOURCE, setting);
    let whole = Span::new(file, 0, setting.len());
    let Some((path, text)) = setting.split_once('=') else {
        let report = Diagnostic::new(Code::UnknownSetting, format!("`{setting}` sets nothing"));
        found.push(report.label(whole, "has no `=`").help("write `--set project.version=1.2`"));
        return;
    };
    let Some(specs) = specs(path) else {
        let known = settable();
        let help = match nearest(path, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("what can be set: {}", listed(known.iter().map(String::as_str), "and")),
        };
        let report = Diagnostic::new(Code::UnknownSetting, format!("`{path}` cannot be set"));
        let label = "not the path of a node that occurs once and takes one value";
        found.push(report.label(Span::new(file, 0, path.len()), label).help(help));
        return;
    };
    let value = Value {
        data: data(specs.last().copied(), text),
        span: Span::new(file, path.len() + 1, setting.len()),
    };
    let mut at = nodes;
    let (mut start, last) = (0, specs.len() - 1);
    for (depth, spec) in specs.iter().enumerate() {
        let span = Span::new(file, start, start + spec.name.len());
        start += spec.name.len() + 1;
        let place = at.iter().position(|node| node.name.value == spec.name);
        if place.is_none() && depth < last && !spec.arguments.is_empty() {
            let report =
                Diagnostic::new(Code::UnknownSetting, format!("the manifest has no `{}`", spec.name));
            let values = spec.arguments.iter().filter(|argument| argument.required);
            let values: String = values.map(|argument| format!(" \"{}\"", argument.name)).collect();
            let help = format!("write `{}{values}` in it first", spec.name);
            found.push(report.label(span, "belongs to it").help(help));
            return;
        }
        let place = place.unwrap_or_else(|| {
            at.push(empty(spec.name, span, whole));
            at.len() - 1
        });
        let Some(node) = at.get_mut(place) else { return };
        if depth == last {
            node.arguments = vec![value];
            return;
        }
        at = &mut node.block.get_or_insert_with(|| Block { nodes: Vec::new(), span: whole }).nodes;
    }
}

fn empty(name: &str, span: Span, whole: Span) -> Node {
    Node {
        name: Spanned::new(name.to_owned(), span),
        arguments: Vec::new(),
        properties: Vec::new(),
        block: None,
        span: whole,
    }
}

/// The nodes of a path, each of which may stand once, the last with one value.
fn specs(path: &str) -> Option<Vec<&'static schema::Node>> {
    let mut body: &'static Body = &MANIFEST;
    let mut specs = Vec::new();
    for name in path.split('.') {
        let spec = body.node(name).filter(|spec| is_single(spec))?;
        specs.push(spec);
        body = spec.body;
    }
    specs.last().is_some_and(|last| takes_one(last)).then_some(specs)
}

fn is_single(spec: &schema::Node) -> bool {
    spec.name != "drvc" && matches!(spec.count, Count::AtMostOne | Count::ExactlyOne)
}

fn takes_one(spec: &schema::Node) -> bool {
    matches!(spec.arguments, [one] if !one.repeats)
}

/// Every path that can be set.
#[must_use]
pub fn settable() -> Vec<String> {
    let mut all = Vec::new();
    collect(&MANIFEST, "", &mut all);
    all.sort();
    all
}

fn collect(body: &'static Body, above: &str, all: &mut Vec<String>) {
    for spec in body.nodes.iter().filter(|spec| is_single(spec)) {
        let path = format!("{above}{}", spec.name);
        if takes_one(spec) {
            all.push(path.clone());
        }
        collect(spec.body, &format!("{path}."), all);
    }
}

fn data(spec: Option<&schema::Node>, text: &str) -> Data {
    let kind = spec.and_then(|spec| spec.arguments.first()).map(|argument| argument.kind);
    match (kind, text, text.parse()) {
        (Some(Kind::Integer { .. }), _, Ok(number)) => Data::Integer(number),
        (Some(Kind::Bool), "true", _) => Data::Bool(true),
        (Some(Kind::Bool), "false", _) => Data::Bool(false),
        _ => Data::Text(text.to_owned()),
    }
}
