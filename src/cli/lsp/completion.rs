//! What can be written at the cursor: nodes and properties from the language's table, and values that fit.

use super::context::{Context, Line, context};
use super::item::{Icon, Item};
use super::protocol::{AtPosition, TextEdit};
use super::workspace::{Document, Workspace};
use super::{values, variables};
use crate::language::kdl::quote;
use crate::language::schema::{self, Body, Count, Kind, Node};
use serde_json::{Value, json};

pub(super) fn complete(workspace: &Workspace, params: &AtPosition) -> Option<Value> {
    let document = workspace.document(&params.text_document.uri)?;
    let offset = document.text.offset(params.position);
    let text = document.text.as_str();
    let context = context(text.get(..offset)?)?;
    let (mut start, mut end) = (context.start, offset + rest(text.get(offset..)?, &context));
    let mut items = Vec::new();
    if let Some(brace) = context.is_quoted.then(|| open_brace(text.get(start..offset)?)).flatten() {
        start += brace + 1;
        end = offset + text.get(offset..)?.find(|c: char| !is_of_variable(c)).unwrap_or_default();
        let closed = text.get(end..)?.starts_with('}');
        items.extend(in_braces(&context, document, closed));
    } else {
        let body =
            context.around.iter().try_fold(document.language(), |body, name| Some(body.node(name)?.body))?;
        match &context.line {
            None => items.extend(nodes(body, &context)),
            Some(line) => items.extend(on_line(workspace, document, &context, line, body.node(&line.name)?)),
        }
    }
    let range = document.text.range(start, end);
    let item = |(at, item): (usize, Item)| {
        json!({
            "label": item.label,
            "kind": item.icon as u32,
            "detail": item.detail,
            "documentation": { "kind": "markdown", "value": item.documentation },
            // The order is the language's, or that of what is listed; not that of the alphabet.
            "sortText": format!("{at:05}"),
            "filterText": item.insert.as_deref().unwrap_or(&item.label),
            "textEdit": TextEdit { range, new_text: item.insert.clone().unwrap_or(item.label) },
        })
    };
    let items: Vec<Value> = items.into_iter().enumerate().map(item).collect();
    Some(json!({ "isIncomplete": false, "items": items }))
}

/// How many bytes after the cursor belong to the word or text that it is in.
fn rest(after: &str, context: &Context) -> usize {
    let line = after.split(['\n', '\r']).next().unwrap_or_default();
    match context.is_quoted {
        true => line.find('"').unwrap_or_default(),
        false => line.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(line.len()),
    }
}

/// The last brace of a text, where a variable's name follows it up to the cursor.
fn open_brace(typed: &str) -> Option<usize> {
    let brace = typed.rfind('{')?;
    let is_literal = typed.get(..brace)?.ends_with(['{', '$']);
    (!is_literal && typed.get(brace + 1..)?.chars().all(is_of_variable)).then_some(brace)
}

fn is_of_variable(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_:.-".contains(c)
}

fn in_braces(context: &Context, document: &Document, closed: bool) -> Vec<Item> {
    let names = context.names();
    let close = if closed { "" } else { "}" };
    let item = |name: String| Item {
        icon: Icon::Variable,
        detail: variables::description(&name).unwrap_or_default().to_owned(),
        insert: Some(format!("{name}{close}")),
        label: name,
        documentation: String::new(),
    };
    let known = variables::known_in(&names).into_iter().map(str::to_owned);
    let modules = values::needed(document, context).into_iter().map(|name| format!("dir:{name}"));
    let modules = modules.filter(|_| names.first() == Some(&"module"));
    known.chain(modules).map(item).collect()
}

/// The nodes that may still stand in a block.
fn nodes(body: &'static Body, context: &Context) -> Vec<Item> {
    let is_taken = |node: &Node| {
        matches!(node.count, Count::ExactlyOne | Count::AtMostOne)
            && context.beside.iter().any(|name| name == node.name)
    };
    let open = body.nodes.iter().filter(|node| !is_taken(node));
    let item = |node: &&Node| Item {
        icon: Icon::Keyword,
        label: node.name.to_owned(),
        detail: node.usage(),
        documentation: schema::page(node),
        insert: None,
    };
    open.map(item).collect()
}

fn on_line(
    workspace: &Workspace,
    document: &Document,
    context: &Context,
    line: &Line,
    spec: &'static Node,
) -> Vec<Item> {
    if let Some(key) = &line.key {
        let kind = spec.property(key).map_or(Kind::TEXT, |property| property.kind);
        return written(values::of(workspace, document, context, kind), context);
    }
    let argument = spec.arguments.get(line.arguments.len());
    let argument = argument.or_else(|| spec.arguments.last().filter(|last| last.repeats));
    let found = argument.map(|argument| values::of(workspace, document, context, argument.kind));
    let mut items = written(found.unwrap_or_default(), context);
    if !context.is_quoted {
        let open =
            spec.properties.iter().filter(|property| !line.properties.iter().any(|key| key == property.name));
        items.extend(open.map(|property| Item {
            icon: Icon::Property,
            label: format!("{}=", property.name),
            detail: property.kind.title().to_owned(),
            documentation: property.description.to_owned(),
            insert: None,
        }));
    }
    items
}

/// Texts get their quotes, unless those are there.
fn written(mut items: Vec<Item>, context: &Context) -> Vec<Item> {
    for item in &mut items {
        if !context.is_quoted && !item.label.starts_with('#') {
            item.insert = Some(quote(&item.label));
        }
    }
    items
}
