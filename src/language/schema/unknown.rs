//! A key that a node has no property for: what was meant by it, and where that is written.

use super::examples::{example, example_value};
use super::report::{Check, similar};
use super::table::{Body, Node as Spec};
use crate::language::kdl::{Node, Property, quote};
use crate::text::diag::{Code, Diagnostic, listed, pasted, shown};
use crate::text::source::Span;

/// Reports the properties that the node has not, and gives those that were probably meant.
pub(super) fn properties(
    check: &mut Check<'_>,
    node: &Node,
    unknown: &[&Property],
    spec: &'static Spec,
    around: &Body,
) -> Vec<&'static str> {
    let child = unknown.iter().find_map(|property| child_of(spec, &property.key.value));
    let (inner, others): (Vec<&Property>, Vec<&Property>) =
        unknown.iter().partition(|property| child.is_some_and(|child| belongs(child, &property.key.value)));
    if let Some(child) = child {
        let report = of_block(check, node, &inner, spec, child);
        check.report(report);
    }
    others.into_iter().filter_map(|property| one(check, node, property, spec, around)).collect()
}

/// The values that a node takes without keys, where they have some: `os name="debian" release="12"`, `source { name "driver"; }`. None
/// where one that must be there is not found.
pub(super) fn named_arguments<'n>(node: &'n Node, spec: &Spec) -> Vec<Named<'n>> {
    let missing = spec.arguments.iter().skip(node.arguments.len()).filter(|argument| argument.required);
    let named = missing.map(|argument| {
        let key = argument.name.to_ascii_lowercase();
        let property =
            node.properties.iter().find(|one| one.key.value == key && spec.property(&key).is_none());
        let child = || node.child(&key).filter(|_| spec.body.node(&key).is_none());
        match property {
            Some(property) => Some(Named::Property(property)),
            None => child().filter(|child| child.arguments.len() == 1).map(Named::Child),
        }
    });
    named.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// A value without a key that was given one, or a node of its own.
pub(super) enum Named<'n> {
    Property(&'n Property),
    Child(&'n Node),
}

impl Named<'_> {
    fn name(&self) -> Span {
        match self {
            Self::Property(property) => property.key.span,
            Self::Child(child) => child.name.span,
        }
    }

    fn value(&self) -> Option<Span> {
        match self {
            Self::Property(property) => Some(property.value.span),
            Self::Child(child) => child.arguments.first().map(|value| value.span),
        }
    }
}

pub(super) fn with_keys(check: &Check<'_>, node: &Node, spec: &Spec, named: &[Named<'_>]) -> Diagnostic {
    let written = |span: Span| check.sources.slice(span).to_owned();
    let first = node.arguments.iter().map(|value| value.span);
    let values = first.chain(named.iter().filter_map(Named::value)).map(written);
    let known = node.properties.iter().filter(|property| spec.property(&property.key.value).is_some());
    let known = known.map(|property| format!("{}={}", property.key.value, written(property.value.span)));
    let open = node.block.as_ref().map(|_| "{".to_owned());
    let words: Vec<String> =
        [spec.name.to_owned()].into_iter().chain(values).chain(known).chain(open).collect();
    let names = listed(spec.arguments.iter().filter(|one| one.required).map(|one| one.name), "and");
    let message = format!("`{}` takes {names} without a key", spec.name);
    let report = Diagnostic::new(Code::MissingArgument, message);
    let report = named.iter().rev().fold(report, |report, one| report.label(one.name(), "not needed"));
    let report = report.help(format!("write {}", pasted(&words.join(" "))));
    let keys = named.iter().map(|one| match one {
        Named::Property(property) => Some(Span { end: property.value.span.start, ..property.key.span }),
        Named::Child(_) => None,
    });
    let places: Option<Vec<Span>> = keys.collect();
    places.into_iter().flatten().fold(report, |report, place| report.suggest(place, ""))
}

/// The node of the block that a key names, or that has a property of this name.
fn child_of(spec: &Spec, key: &str) -> Option<&'static Spec> {
    let of_property = || spec.body.nodes.iter().copied().find(|child| child.property(key).is_some());
    spec.body.node(key).or_else(of_property).filter(|_| similar(key, names(spec)).is_none())
}

fn belongs(child: &Spec, key: &str) -> bool {
    child.name == key || child.property(key).is_some()
}

fn names(spec: &Spec) -> impl Iterator<Item = &'static str> {
    spec.properties.iter().map(|property| property.name)
}

/// Properties that are a node in the block: `git "URL" secret="token" user="ci"`.
fn of_block(
    check: &Check<'_>,
    node: &Node,
    inner: &[&Property],
    spec: &Spec,
    child: &'static Spec,
) -> Diagnostic {
    let value = |property: &Property| check.sources.slice(property.value.span).to_owned();
    let mut words = vec![child.name.to_owned()];
    let named = inner.iter().find(|property| property.key.value == child.name);
    let first = child.arguments.first().filter(|argument| argument.required || named.is_some());
    words.extend(first.map(|argument| {
        named.map_or_else(|| example_value(check, argument.name, argument.kind), |property| value(property))
    }));
    let beside = inner.iter().filter(|property| property.key.value != child.name);
    words.extend(beside.map(|property| format!("{}={}", property.key.value, value(property))));
    let written = words.join(" ");
    let keys = listed(inner.iter().map(|property| property.key.value.as_str()), "and");
    let (noun, verb) = if inner.len() == 1 { ("property", "is") } else { ("properties", "are") };
    let message = format!("unknown {noun} {keys} of `{}`", spec.name);
    let mut report = Diagnostic::new(Code::UnknownProperty, message);
    for property in inner.iter().rev() {
        let label = match property.key.value == child.name {
            true => format!("a node of `{}`, not a property", spec.name),
            false => format!("belongs to the node `{}`", child.name),
        };
        report = report.label(property.key.span, label);
    }
    let block = format!("{{ {written}; }}");
    let Some(line) = trailing(node, inner) else {
        return report.help(format!(
            "{keys} {verb} written in the block of `{}`: {}",
            spec.name,
            pasted(&written)
        ));
    };
    let help = format!("write {}", pasted(&format!("{} {block}", example(check, node, spec))));
    report.help(help).suggest(line, block)
}

/// The place of these properties, where nothing but them ends the line of a node without a block.
fn trailing(node: &Node, inner: &[&Property]) -> Option<Span> {
    let (first, last) = (inner.first()?, inner.last()?);
    let before = |span: Span| span.end <= first.key.span.start;
    let others =
        node.properties.iter().filter(|property| !inner.iter().any(|one| one.key.span == property.key.span));
    let all_before = node.arguments.iter().all(|value| before(value.span))
        && others.map(|property| property.value.span).all(before);
    (node.block.is_none() && all_before).then_some(Span { end: last.value.span.end, ..first.key.span })
}

fn one(
    check: &mut Check<'_>,
    node: &Node,
    property: &Property,
    spec: &'static Spec,
    around: &Body,
) -> Option<&'static str> {
    let key = property.key.value.as_str();
    let message = format!("unknown property {} of `{}`", shown(key), spec.name);
    let bare = key.trim_end_matches(['<', '>', '!', '~']);
    let written = check.sources.slice(property.value.span);
    let text = written.trim_matches('"');
    let mut meant = similar(key, names(spec));
    let none = || "no such property".to_owned();
    let (label, help) = if bare != key && spec.property(bare).is_some() {
        meant = names(spec).find(|name| *name == bare);
        comparison(bare, key.strip_prefix(bare).unwrap_or_default(), text)
    } else if let Some(meant) = meant {
        (none(), format!("did you mean `{meant}`?"))
    } else if around.node(key).is_some() {
        let line = format!("{key} {written}");
        (
            format!("a node beside `{}`, not a property", spec.name),
            format!("write it on a line of its own: {}", pasted(&line)),
        )
    } else if let ("load", Some(kmod)) = (spec.name, node.text()) {
        let line = format!("option {} {key}={}", quote(&kmod.value), quote(text));
        (none(), format!("write {} beside it", pasted(&line)))
    } else if spec.properties.is_empty() {
        (none(), format!("`{}` takes no properties", spec.name))
    } else {
        (none(), format!("`{}` takes {}", spec.name, listed(names(spec), "and")))
    };
    let report = Diagnostic::new(Code::UnknownProperty, message).label(property.key.span, label).help(help);
    check.report(match meant.filter(|_| bare == key) {
        Some(meant) => report.suggest(property.key.span, meant),
        None => report,
    });
    meant
}

/// `kernel>="6.1"`, which is read as a property `kernel>`.
fn comparison(key: &str, operator: &str, value: &str) -> (String, String) {
    if operator == "!" {
        let help = format!(
            "write one `{key}=` for each value that is meant, or `exclude {key}=\"{value}\" reason=\"WHY\"` in the matrix"
        );
        return ("nothing selects what is not so".to_owned(), help);
    }
    let line = format!("{key}=\"{operator}={value}\"");
    ("the comparison belongs in the value".to_owned(), format!("write {}", pasted(&line)))
}
