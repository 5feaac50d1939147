//! Holds what stands on a node's line to the language: arguments, properties, and the types of their values.

use super::examples::{choices, example};
use super::report::{Check, similar};
use super::table::{Argument, Body, Enum, Kind, Node as Spec, Rule, RuleKind};
use super::unknown;
use crate::language::kdl::{Data, Node, Property, Value, quote};
use crate::text::diag::{Code, Diagnostic, count, lines, listed, pasted, shown};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// Reports everything that is wrong with a node's arguments and properties.
pub(super) fn check(check: &mut Check<'_>, node: &Node, spec: &'static Spec, around: &Body) {
    let named = unknown::named_arguments(node, spec);
    if !named.is_empty() {
        return check.report(unknown::with_keys(check, node, spec, &named));
    }
    let pairs = pairs(node, spec);
    match &pairs {
        Some((span, text)) => check.report(not_split(node, spec, *span, text)),
        None => arguments(check, node, spec),
    }
    let argument_is_too_many = spec.arguments.is_empty() && !node.arguments.is_empty();
    properties(check, node, spec, around, pairs.is_some() || argument_is_too_many);
    spec.rules.iter().for_each(|rule| entry_rule(check, rule, node, spec));
}

/// Texts in the place of properties: `env "A=1"` and `env A "1"`, with their place and as they are to be written.
fn pairs(node: &Node, spec: &Spec) -> Option<(Span, String)> {
    spec.free.filter(|_| spec.arguments.iter().all(|argument| !argument.repeats))?;
    if let Some(found) = all_in_one(node, spec) {
        return Some(found);
    }
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
        // A label without a value, as Kubernetes has them for roles of nodes.
        [key] if key.contains('/') && !key.contains('=') => vec![(key, "")],
        texts => texts.iter().filter_map(|text| text.split_once('=')).collect(),
    };
    let whole = texts.len() == extra.len() && (pairs.len() == texts.len() || texts.len() == 2);
    let (first, last) = (extra.first()?.span, extra.last()?.span);
    let fine = whole && !pairs.is_empty() && pairs.iter().all(|(key, _)| plain(key));
    let key = |key: &str| if key.contains('/') { quote(key) } else { key.to_owned() };
    let written = pairs.iter().map(|(name, value)| format!("{}={}", key(name), quote(value)));
    fine.then(|| (Span { end: last.end, ..first }, written.collect::<Vec<_>>().join(" ")))
}

/// Argument and properties in one text: `option "hello debug=1"`.
fn all_in_one(node: &Node, spec: &Spec) -> Option<(Span, String)> {
    let [only] = node.arguments.as_slice() else { return None };
    let text = only.text().filter(|_| spec.arguments.len() == 1)?.value;
    let mut words = text.split_whitespace();
    let name = words.next().filter(|name| !name.contains('='))?;
    let pairs: Option<Vec<_>> = words.map(|word| word.split_once('=')).collect();
    let pairs = pairs.filter(|pairs| !pairs.is_empty())?;
    let written: String = pairs.iter().map(|(key, value)| format!(" {key}={}", quote(value))).collect();
    Some((only.span, format!("{}{written}", quote(name))))
}

fn not_split(node: &Node, spec: &Spec, place: Span, written: &str) -> Diagnostic {
    let message = format!("`{}` takes a name and its value as `NAME=\"value\"`", spec.name);
    let own = node.arguments.iter().filter(|value| value.span.end <= place.start).filter_map(Value::text);
    let own: String = own.map(|text| quote(&text.value) + " ").collect();
    Diagnostic::new(Code::UnexpectedArgument, message)
        .label(place, "the name and the value are not told apart")
        .help(format!("write {}", pasted(&format!("{} {own}{written}", spec.name))))
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
            // What is missing has the whole line in its help.
            None if at > 0 && lacks_property(node, spec) => return,
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
            None => report.help(format!("write {}", pasted(&example(check, node, spec)))),
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
    let inner = node.text().filter(|text| spec.arguments.is_empty() && spec.body.node(&text.value).is_some());
    if let Some(inner) = inner.filter(|_| node.block.is_none()) {
        let block = format!("{{ {}; }}", inner.value);
        let help = format!("write `{} {block}`", spec.name);
        let report = Diagnostic::new(Code::UnexpectedArgument, message).label(extra, "a node of its block");
        return check.report(report.help(help).suggest(extra, block));
    }
    let help = match comparison.filter(|(key, _)| spec.property(key).is_some()) {
        Some((key, value)) => format!("write {}", pasted(&format!("{key}=\"{value}\""))),
        None => format!("write {}", pasted(&example(check, node, spec))),
    };
    check.report(Diagnostic::new(Code::UnexpectedArgument, message).label(extra, "one too many").help(help));
}

fn properties(check: &mut Check<'_>, node: &Node, spec: &'static Spec, around: &Body, told: bool) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut unknown = Vec::new();
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
            (None, None) => unknown.push(property),
        }
    }
    let meant = unknown::properties(check, node, &unknown, spec, around);
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
    let help = format!("write {}", pasted(&example(check, node, spec)));
    let report = Diagnostic::new(Code::MissingProperty, message).label(node.name.span, label).help(help);
    let extra = spec.most_arguments().and_then(|most| node.arguments.get(most));
    check.report(extra.into_iter().fold(report, |report, extra| report.label(extra.span, "has no key")));
}

fn lacks_property(node: &Node, spec: &Spec) -> bool {
    let given = |key: &str| node.properties.iter().any(|property| property.key.value == key);
    spec.properties.iter().any(|property| property.required && !given(property.name))
}

fn duplicate_property(check: &mut Check<'_>, second: &Property, first: Span) {
    let message = format!("{} is given twice", shown(&second.key.value));
    let diagnostic = Diagnostic::new(Code::DuplicateProperty, message)
        .label(second.key.span, "the second value")
        .label(first, "the first value")
        .help("keep one of them");
    check.report(diagnostic);
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
        let help = format!("write {}", lines(&choices(check, rule, spec), "or"));
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
