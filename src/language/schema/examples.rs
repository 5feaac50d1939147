//! Lines of a language as they might be written, for the help of reports: what stands there, and examples for the rest.

use super::report::Check;
use super::table::{Argument, Count, Kind, Node as Spec, Rule, RuleKind};
use crate::language::kdl::{Node, quote};
use crate::text::source::Span;

/// The line of a node as it might be written: what stands there and may stay, and for all that is missing an example.
pub(super) fn example(check: &Check<'_>, node: &Node, spec: &Spec) -> String {
    let written = |span: Span| check.sources.slice(span).to_owned();
    let mut words = vec![spec.name.to_owned()];
    let most = spec.most_arguments().unwrap_or(usize::MAX);
    words.extend(node.arguments.iter().take(most).map(|value| written(value.span)));
    let missing = spec.arguments.iter().skip(node.arguments.len()).filter(|argument| argument.required);
    words.extend(missing.map(|argument| example_value(check, argument.name, argument.kind)));
    let known = node.properties.iter().filter(|property| spec.property(&property.key.value).is_some());
    words.extend(known.map(|property| format!("{}={}", property.key.value, written(property.value.span))));
    let given = |key: &str| node.properties.iter().any(|property| property.key.value == key);
    let first = spec.properties.first().filter(|first| spec.arguments.is_empty() && !given(first.name));
    let moved = match (first, node.arguments.as_slice()) {
        (Some(_), [meant]) => meant_property(spec, node).map(|key| (key, written(meant.span))),
        _ => None,
    };
    words.extend(moved.iter().map(|(key, value)| format!("{key}={value}")));
    let missing = spec.properties.iter().filter(|property| {
        let is_moved = moved.as_ref().is_some_and(|(key, _)| *key == property.name);
        property.required && !given(property.name) && !is_moved
    });
    words.extend(
        missing.map(|property| {
            format!("{}={}", property.name, example_value(check, property.name, property.kind))
        }),
    );
    if let Some(free) = spec.free.filter(|free| free.required && node.properties.is_empty()) {
        words.push(format!("{}=\"value\"", free.key));
    }
    if !spec.body.nodes.is_empty() && node.block.is_some() {
        words.push("{".to_owned());
    }
    words.join(" ")
}

/// The property that a lone argument was meant for: the first, but for selectors one whose values look like it.
fn meant_property(spec: &Spec, node: &Node) -> Option<&'static str> {
    let text = node.text().map(|text| text.value).unwrap_or_default();
    let begins = text.trim_start_matches(['<', '>', '=']).starts_with(|c: char| c.is_ascii_digit());
    let key = match text.contains('-') {
        _ if !begins => None,
        true => Some("kernel"),
        false => Some("release"),
    };
    let fits = key.and_then(|key| spec.property(key));
    fits.or(spec.properties.first()).map(|property| property.name)
}

/// A node with all that it cannot do without, on one line.
pub(super) fn skeleton(check: &Check<'_>, spec: &Spec) -> String {
    if spec.name == "os" && spec.body.node("kernel").is_some() {
        return "os \"debian\" \"12\" { kernel latest=2; }".to_owned();
    }
    let mut words = vec![spec.name.to_owned()];
    let arguments = spec.arguments.iter().filter(|argument| argument.required);
    words.extend(arguments.map(|argument| example_value(check, argument.name, argument.kind)));
    let properties = spec.properties.iter().filter(|property| property.required);
    words.extend(
        properties.map(|property| {
            format!("{}={}", property.name, example_value(check, property.name, property.kind))
        }),
    );
    let needed = spec.rules.iter().filter(|rule| rule.kind != RuleKind::AtMostOne);
    words.extend(needed.filter_map(|rule| entries_of(check, rule, spec).into_iter().next()));
    if let Some(free) = spec.free.filter(|free| free.required) {
        words.push(format!("{}=\"value\"", free.key));
    }
    let inner = required(check, spec);
    if !inner.is_empty() {
        words.push(format!("{{ {}; }}", inner.join("; ")));
    }
    words.join(" ")
}

/// The nodes that a block cannot do without, each as a [`skeleton`].
fn required(check: &Check<'_>, spec: &Spec) -> Vec<String> {
    let nodes = spec.body.nodes.iter().copied();
    let always = nodes.filter(|node| matches!(node.count, Count::ExactlyOne | Count::AtLeastOne));
    let rules = spec.body.rules.iter().filter(|rule| rule.kind != RuleKind::AtMostOne);
    let one = rules.filter_map(|rule| spec.body.node(rule.groups.first()?.first()?));
    always.chain(one).map(|node| skeleton(check, node)).collect()
}

/// A line for each entry that a rule asks for: `kernel match="6.1.0-*"`, `kernel latest=2`.
pub(super) fn choices(check: &Check<'_>, rule: &Rule, spec: &Spec) -> Vec<String> {
    entries_of(check, rule, spec).into_iter().map(|entry| format!("{} {entry}", spec.name)).collect()
}

fn entries_of(check: &Check<'_>, rule: &Rule, spec: &Spec) -> Vec<String> {
    let argument = |name: &str| spec.arguments.iter().find(|argument: &&Argument| argument.name == name);
    let entry = |group: &&[&'static str]| {
        let name = *group.first()?;
        match (argument(name), spec.property(name)) {
            (Some(argument), _) => Some(example_value(check, name, argument.kind)),
            (None, Some(property)) => Some(format!("{name}={}", example_value(check, name, property.kind))),
            (None, None) => None,
        }
    };
    rule.groups.iter().filter_map(entry).collect()
}

/// A value that may stand for a property or argument; one in capitals is for its author to fill in.
pub(super) fn example_value(check: &Check<'_>, name: &str, kind: Kind) -> String {
    match (name, kind) {
        (_, Kind::Path) => quote("FILE"),
        ("from" | "SOURCE", _) => quote(check.source.as_deref().unwrap_or("SOURCE")),
        ("to", _) => quote("/etc"),
        ("reason", _) => quote("not supported"),
        ("KERNEL", _) => quote("6.1.0-18-amd64"),
        ("match", _) => quote("6.1.0-*"),
        ("latest", _) => "2".to_owned(),
        ("edition", _) => "1".to_owned(),
        (_, Kind::Integer { min, .. }) => min.to_string(),
        (_, Kind::Bool) => "#true".to_owned(),
        (_, Kind::Enum(choice)) => choice.values.first().map_or_else(String::new, |(value, _)| quote(value)),
        _ => quote(&name.to_ascii_uppercase()),
    }
}
