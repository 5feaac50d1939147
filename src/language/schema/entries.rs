//! Holds what stands on a node's line to the language: arguments, properties, and the types of their values.

use super::report::{Check, similar};
use super::table::{Argument, Body, Enum, Kind, Node as Spec, Rule, RuleKind};
use crate::language::kdl::{Data, Node, Property, Value, quote};
use crate::text::diag::{Code, Diagnostic, count, listed, shown};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// Reports everything that is wrong with a node's arguments and properties.
pub(super) fn check(check: &mut Check<'_>, node: &Node, spec: &'static Spec) {
    let pairs = pairs(node, spec);
    match &pairs {
        Some((span, text)) => check.report(not_split(node, spec, *span, text)),
        None => arguments(check, node, spec),
    }
    let argument_is_too_many = spec.arguments.is_empty() && !node.arguments.is_empty();
    properties(check, node, spec, pairs.is_some() || argument_is_too_many);
    spec.rules.iter().for_each(|rule| entry_rule(check, rule, node, spec));
}

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
    if let (Some(first), [meant]) = (first, node.arguments.as_slice()) {
        words.push(format!("{}={}", first.name, written(meant.span)));
    }
    let missing = spec.properties.iter().filter(|property| property.required && !given(property.name));
    words.extend(
        missing.map(|property| {
            format!("{}={}", property.name, example_value(check, property.name, property.kind))
        }),
    );
    if let Some(free) = spec.free.filter(|free| free.required && node.properties.is_empty()) {
        words.push(format!("{}=\"value\"", free.key));
    }
    if !spec.body.nodes.is_empty() && node.block.is_some() {
        words.push("{ … }".to_owned());
    }
    words.join(" ")
}

/// A value that may stand for a property or argument; one in capitals is for its author to fill in.
fn example_value(check: &Check<'_>, name: &str, kind: Kind) -> String {
    match (name, kind) {
        ("from" | "SOURCE", _) => quote(check.source.as_deref().unwrap_or("SOURCE")),
        ("to", _) => quote("/etc"),
        ("reason", _) => quote("not supported"),
        ("edition", _) => "1".to_owned(),
        (_, Kind::Integer { min, .. }) => min.to_string(),
        (_, Kind::Bool) => "#true".to_owned(),
        (_, Kind::Enum(choice)) => choice.values.first().map_or_else(String::new, |(value, _)| quote(value)),
        _ => quote(&name.to_ascii_uppercase()),
    }
}

/// Texts in the place of properties: `env "A=1"` and `env A "1"`, with their place and as they are to be written.
fn pairs(node: &Node, spec: &Spec) -> Option<(Span, String)> {
    spec.free.filter(|_| spec.arguments.iter().all(|argument| !argument.repeats))?;
    let extra = node.arguments.get(spec.arguments.len()..).filter(|extra| !extra.is_empty())?;
    let texts = extra.iter().filter_map(|value| match value.data {
        Data::Integer(number) => Some(number.to_string()),
        _ => value.text().map(|text| text.value),
    });
    let texts: Vec<String> = texts.collect();
    let plain =
        |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    let pairs: Vec<(&str, &str)> = match texts.as_slice() {
        [key, value] if !key.contains('=') => vec![(key.trim_end_matches(':'), value)],
        texts => texts.iter().filter_map(|text| text.split_once('=')).collect(),
    };
    let whole = texts.len() == extra.len() && (pairs.len() == texts.len() || texts.len() == 2);
    let (first, last) = (extra.first()?.span, extra.last()?.span);
    let fine = whole && !pairs.is_empty() && pairs.iter().all(|(key, _)| plain(key));
    let written =
        pairs.iter().map(|(key, value)| format!("{key}={}", quote(value))).collect::<Vec<_>>().join(" ");
    fine.then_some((Span { end: last.end, ..first }, written))
}

fn not_split(node: &Node, spec: &Spec, place: Span, written: &str) -> Diagnostic {
    let message = format!("`{}` takes a name and its value as `NAME=\"value\"`", spec.name);
    let own = node.arguments.iter().take(spec.arguments.len()).filter_map(Value::text);
    let own: String = own.map(|text| quote(&text.value) + " ").collect();
    Diagnostic::new(Code::UnexpectedArgument, message)
        .label(place, "the name and the value are not told apart")
        .help(format!("write {}", shown(&format!("{} {own}{written}", spec.name))))
        .suggest(place, written)
}

/// Whether some node `owner` of the language has a property `name`.
pub(super) fn has_property(body: &'static Body, owner: &str, name: &str) -> bool {
    body.nodes.iter().any(|node| {
        (node.name == owner && node.property(name).is_some()) || has_property(node.body, owner, name)
    })
}

fn arguments(check: &mut Check<'_>, node: &Node, spec: &'static Spec) {
    for (at, value) in node.arguments.iter().enumerate() {
        let last = spec.arguments.last().filter(|argument| argument.repeats);
        match spec.arguments.get(at).or(last) {
            _ if check.is_full() => return,
            Some(argument) => match several(argument, value) {
                Some(report) => check.report(report),
                None => kind(check, value, argument.kind, argument.description),
            },
            None => return unexpected_argument(check, node, spec, value.span),
        }
    }
    let required: Vec<&Argument> =
        spec.arguments.iter().skip(node.arguments.len()).filter(|argument| argument.required).collect();
    if let Some(first) = required.first() {
        let message = format!("`{}` has no {}", spec.name, first.name);
        let label = format!("{} is expected: {}", first.name, first.description);
        let report = Diagnostic::new(Code::MissingArgument, message).label(node.name.span, label);
        check.report(match joined_release(node, spec) {
            Some((span, words)) => report.help(format!("write `os {words}`")).suggest(span, words),
            None => report.help(format!("write {}", shown(&example(check, node, spec)))),
        });
    }
}

/// Names of a list in one text: `builder "dtk,distro"`.
fn several(argument: &Argument, value: &Value) -> Option<Diagnostic> {
    let (Kind::Enum(choice), Data::Text(text)) = (argument.kind, &value.data) else { return None };
    let parts: Vec<_> = text.split([',', ' ', ';', '|']).filter(|part| !part.is_empty()).collect();
    let known = |part: &&str| choice.values.iter().any(|(name, _)| name == part);
    if !argument.repeats || parts.len() < 2 || !parts.iter().all(known) {
        return None;
    }
    let written = parts.into_iter().map(quote).collect::<Vec<_>>().join(" ");
    let report = Diagnostic::new(Code::UnknownValue, format!("unknown value {}", shown(text)));
    let report = report.label(value.span, "one text for several");
    Some(report.help(format!("write each for itself: `{written}`")).suggest(value.span, written))
}

/// A system and its release in one text: `os "ubuntu:22.04"`, `os "rhel9.4"`.
fn joined_release(node: &Node, spec: &Spec) -> Option<(Span, String)> {
    let only = node.arguments.first().filter(|_| spec.name == "os" && node.arguments.len() == 1)?;
    let text = only.text()?.value;
    let at = text.find(|c: char| c.is_ascii_digit() || matches!(c, ':' | ' ' | '='))?;
    let (name, release) = text.split_at_checked(at)?;
    let (name, release) = (name.trim_end_matches(['-', '_']), release.trim_start_matches([':', ' ', '=']));
    (!name.is_empty() && !release.is_empty())
        .then(|| (only.span, format!("{} {}", quote(name), quote(release))))
}

fn unexpected_argument(check: &mut Check<'_>, node: &Node, spec: &Spec, extra: Span) {
    let message = match spec.arguments.len() {
        0 => format!("`{}` takes no arguments", spec.name),
        number => {
            format!("`{}` takes {}, not {}", spec.name, count(number, "argument"), node.arguments.len())
        }
    };
    let written = check.sources.slice(extra);
    let comparison = written.find(['<', '>']).and_then(|at| written.split_at_checked(at));
    let help = match comparison.filter(|(key, _)| spec.property(key).is_some()) {
        Some((key, value)) => format!("write {}", shown(&format!("{key}=\"{value}\""))),
        None => format!("write {}", shown(&example(check, node, spec))),
    };
    check.report(Diagnostic::new(Code::UnexpectedArgument, message).label(extra, "one too many").help(help));
}

fn properties(check: &mut Check<'_>, node: &Node, spec: &'static Spec, told: bool) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut meant = Vec::new();
    for property in &node.properties {
        if check.is_full() {
            return;
        }
        let key = property.key.value.as_str();
        if let Some(&first) = seen.get(key) {
            duplicate_property(check, property, first);
            continue;
        }
        seen.insert(key, property.key.span);
        match (spec.property(key), spec.free) {
            (Some(known), _) => kind(check, &property.value, known.kind, known.description),
            (None, Some(free)) => kind(check, &property.value, Kind::TEXT, free.description),
            (None, None) => meant.extend(unknown_property(check, node, property, spec)),
        }
    }
    let missing = spec.properties.iter().filter(|property| {
        property.required && !seen.contains_key(property.name) && !meant.contains(&property.name)
    });
    let missing: Vec<_> = missing.map(|property| (property.name, property.description)).collect();
    // What was told of the arguments has the whole line in its help.
    if !missing.is_empty() && !told {
        missing_properties(check, node, spec, &missing);
    }
    if let Some(free) = spec.free.filter(|free| free.required && node.properties.is_empty() && !told) {
        missing_properties(check, node, spec, &[(free.key, free.description)]);
    }
}

/// One report for all that a line lacks.
fn missing_properties(check: &mut Check<'_>, node: &Node, spec: &Spec, missing: &[(&str, &str)]) {
    let names: Vec<_> = missing.iter().map(|(key, _)| format!("`{key}=`")).collect();
    let message = format!("`{}` has no {}", spec.name, names.join(" and no "));
    let expected: Vec<_> =
        missing.iter().map(|(key, description)| format!("`{key}=` is expected: {description}")).collect();
    let label = expected.join("; ");
    let help = format!("write {}", shown(&example(check, node, spec)));
    check.report(Diagnostic::new(Code::MissingProperty, message).label(node.name.span, label).help(help));
}

fn duplicate_property(check: &mut Check<'_>, second: &Property, first: Span) {
    let message = format!("{} is given twice", shown(&second.key.value));
    let diagnostic = Diagnostic::new(Code::DuplicateProperty, message)
        .label(second.key.span, "the second value")
        .label(first, "the first value")
        .help("keep one of them");
    check.report(diagnostic);
}

/// Reports a property that the node has not, and gives the one that was probably meant.
fn unknown_property(
    check: &mut Check<'_>,
    node: &Node,
    property: &Property,
    spec: &'static Spec,
) -> Option<&'static str> {
    let key = property.key.value.as_str();
    let message = format!("unknown property {} of `{}`", shown(key), spec.name);
    let names = || spec.properties.iter().map(|property| property.name);
    let bare = key.trim_end_matches(['<', '>', '!', '~']);
    let written = check.sources.slice(property.value.span).trim_matches('"');
    let mut meant = similar(key, names());
    let (label, help) = if bare != key && spec.property(bare).is_some() {
        meant = names().find(|name| *name == bare);
        let operator = key.strip_prefix(bare).unwrap_or_default();
        let help = format!("write {}", shown(&format!("{bare}=\"{operator}={written}\"")));
        ("the comparison belongs into the value".to_owned(), help)
    } else if let Some(meant) = meant {
        ("no such property".to_owned(), format!("did you mean `{meant}`?"))
    } else if spec.body.node(key).is_some() {
        let help =
            format!("write it as a node in the block of `{}`: {}", spec.name, shown(&format!("{key} …")));
        (format!("a node of `{}`, not a property", spec.name), help)
    } else if let ("load", Some(kmod)) = (spec.name, node.text()) {
        let help = format!(
            "write {} beside it",
            shown(&format!("option {} {key}={}", quote(&kmod.value), quote(written)))
        );
        ("no such property".to_owned(), help)
    } else if spec.properties.is_empty() {
        ("no such property".to_owned(), format!("`{}` takes no properties", spec.name))
    } else {
        ("no such property".to_owned(), format!("`{}` takes {}", spec.name, listed(names(), "and")))
    };
    let report = Diagnostic::new(Code::UnknownProperty, message).label(property.key.span, label).help(help);
    check.report(match meant.filter(|_| bare == key) {
        Some(meant) => report.suggest(property.key.span, meant),
        None => report,
    });
    meant
}

/// The place of an entry that a rule names: a property by its key, an argument by its name.
fn entry_place(node: &Node, spec: &Spec, name: &str) -> Option<Span> {
    let property = node.properties.iter().find(|property| property.key.value == name);
    let argument = || {
        let at = spec.arguments.iter().position(|argument| argument.name == name)?;
        node.arguments.get(at).map(|value| value.span)
    };
    property.map(|property| property.key.span).or_else(argument)
}

fn entry_rule(check: &mut Check<'_>, rule: &Rule, node: &Node, spec: &Spec) {
    let place = |group: &&[&'static str]| {
        group.iter().find_map(|name| entry_place(node, spec, name).map(|span| (span, *name)))
    };
    let mut present: Vec<(Span, &str)> = rule.groups.iter().filter_map(place).collect();
    if present.len() > 1 && rule.kind != RuleKind::AtLeastOne {
        let names = listed(present.iter().map(|(_, name)| *name), "and");
        let mut diagnostic = Diagnostic::new(Code::ConflictingEntries, format!("{names} exclude each other"));
        present.sort_by_key(|&(span, _)| std::cmp::Reverse(span));
        for (span, name) in &present {
            diagnostic = diagnostic.label(*span, format!("`{name}` here"));
        }
        check.report(diagnostic.help("keep one of them"));
    }
    let unknown = node.properties.iter().any(|property| spec.property(&property.key.value).is_none());
    let too_many = spec.most_arguments().is_some_and(|most| node.arguments.len() > most);
    if present.is_empty() && rule.kind != RuleKind::AtMostOne && !unknown && !too_many {
        let all = listed(rule.groups.iter().flat_map(|group| group.iter().copied()), "and");
        let number = if rule.kind == RuleKind::ExactlyOne { "one" } else { "at least one" };
        let message = format!("`{}` says too little", spec.name);
        let label = format!("needs {number} of {all}");
        let help = format!("write `{}`", spec.usage());
        check.report(Diagnostic::new(Code::MissingEntry, message).label(node.name.span, label).help(help));
    }
}

fn kind(check: &mut Check<'_>, value: &Value, expected: Kind, description: &str) {
    let written = check.sources.slice(value.span);
    let label = || format!("expected here: {description}");
    let wrong = |help: String| {
        let message = format!("{} is not {}", shown(written), expected.title());
        Diagnostic::new(Code::WrongType, message).label(value.span, label()).help(help)
    };
    let diagnostic = match (expected, &value.data) {
        (_, Data::Mistake) | (Kind::Bool, Data::Bool(_)) => return,
        (Kind::Text { .. } | Kind::Path, Data::Text(text)) => match text.contains(['\n', '\t']) {
            true if !matches!(expected, Kind::Text { lines: true }) => line_break(value.span, description),
            _ => return,
        },
        (Kind::Enum(choice), Data::Text(text)) => {
            if choice.values.iter().any(|(name, _)| name == text) {
                return;
            }
            unknown_value(choice, text, value.span)
        }
        (Kind::Integer { min, max }, Data::Integer(number)) if (min..=max).contains(number) => return,
        (Kind::Integer { min, max }, Data::Integer(_)) => {
            let message = format!("{} is out of range", shown(written));
            let help = if max == i64::MAX {
                format!("write {min} or more")
            } else {
                format!("write {min} to {max}")
            };
            Diagnostic::new(Code::NumberOutOfRange, message).label(value.span, label()).help(help)
        }
        (Kind::Text { .. } | Kind::Path | Kind::Enum(_), Data::Integer(_) | Data::Number) => {
            let message = format!("{} is a number, not a text", shown(written));
            let quoted = format!("\"{written}\"");
            let help = format!("quote it: {}", shown(&quoted));
            Diagnostic::new(Code::UnquotedNumber, message)
                .label(value.span, label())
                .help(help)
                .suggest(value.span, quoted)
        }
        (Kind::Enum(choice), Data::Bool(_) | Data::Null) => {
            let names: Vec<_> = choice.values.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            wrong(format!("write {}", listed(names.iter().map(String::as_str), "or")))
        }
        (Kind::Text { .. } | Kind::Path, Data::Bool(_) | Data::Null) => {
            wrong(format!("write a text: `\"{}\"`", written.trim_start_matches('#')))
        }
        (Kind::Integer { .. }, Data::Text(text)) if text.parse::<i64>().is_ok() => {
            wrong(format!("write it without quotes: `{text}`")).suggest(value.span, text.as_str())
        }
        (Kind::Integer { .. }, _) => wrong("write digits alone".to_owned()),
        (Kind::Bool, Data::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            wrong(format!("write it with a `#` and without quotes: `#{text}`"))
                .suggest(value.span, format!("#{text}"))
        }
        (Kind::Bool, _) => wrong("write `#true` or `#false`".to_owned()),
    };
    check.report(diagnostic);
}

fn line_break(span: Span, description: &str) -> Diagnostic {
    Diagnostic::new(Code::ControlCharacter, "a line break or tab in a text of one line")
        .label(span, format!("expected here: {description}"))
        .help("write it on one line, with spaces")
}

fn unknown_value(choice: &'static Enum, text: &str, span: Span) -> Diagnostic {
    let names = || choice.values.iter().map(|(name, _)| *name);
    // Engines write platforms as `linux/amd64`.
    let bare = text.trim_start_matches("linux/");
    let alias = choice.aliases.iter().find(|(other, _)| *other == bare).map(|(_, name)| *name);
    let meant = alias.or_else(|| similar(text, names()));
    let help = match meant {
        Some(meant) => format!("did you mean `\"{meant}\"`?"),
        None => format!("write {}", listed(names(), "or")),
    };
    let label = format!("not {}", choice.title);
    let report = Diagnostic::new(Code::UnknownValue, format!("unknown value {}", shown(text)))
        .label(span, label)
        .help(help);
    match meant {
        Some(meant) => report.suggest(span, quote(meant)),
        None => report,
    }
}
