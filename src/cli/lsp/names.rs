//! The names of a manifest: where each is given, where it is used, and what becomes of it under another name.

use super::tree::{Place, Visit, holds, visits};
use super::workspace::Document;
use crate::language::kdl::{Node, Value, quote};
use crate::text::ids::{ModuleName, Name, OsName};
use crate::text::source::Span;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Source,
    Module,
    Image,
    Profile,
}

/// A name where it stands in the text.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    /// What it may be of; several for the files of an image.
    pub(super) kinds: &'static [Kind],
    pub(super) name: String,
    /// The name without its quotes.
    pub(super) span: Span,
    /// All of what stands there: the value with its quotes, or the name within a variable.
    whole: Span,
    is_variable: bool,
    pub(super) is_definition: bool,
    /// Of the node that gives the name.
    pub(super) node: &'a Node,
}

/// What a value names, and whether it gives that name. `names` are those of the nodes from the outermost one on, without
/// `on` and `defaults`.
pub(super) fn meaning(names: &[&str], place: Place<'_>) -> Option<(&'static [Kind], bool)> {
    use Kind::{Image, Module, Profile, Source};
    Some(match (names, place) {
        (["source"], Place::Argument(0)) => (&[Source], true),
        (["module"], Place::Argument(0)) => (&[Module], true),
        (["image"], Place::Argument(0)) => (&[Image], true),
        (["profile"], Place::Argument(0)) => (&[Profile], true),
        (["module", "source"], Place::Argument(0)) => (&[Source], false),
        (["module", "needs"] | ["image", "module"], Place::Argument(_)) => (&[Module], false),
        (["image", "firmware" | "file"], Place::Property("from")) => (&[Module, Source], false),
        (["matrix", "os"], Place::Argument(0)) => (&[Profile], false),
        ([.., "on" | "only" | "exclude"], Place::Property("image")) => (&[Image], false),
        _ => return None,
    })
}

/// Every name of a manifest, in the order of the text.
pub(super) fn all(document: &Document) -> Vec<Named<'_>> {
    let text = document.text.as_str();
    let mut all = Vec::new();
    for visit in visits(document.nodes()) {
        let Some(node) = visit.node() else { continue };
        let arguments = node.arguments.iter().enumerate().map(|(at, value)| (Place::Argument(at), value));
        let properties =
            node.properties.iter().map(|one| (Place::Property(one.key.value.as_str()), &one.value));
        for (place, value) in arguments.chain(properties) {
            all.extend(of_value(&visit, node, place, value, text));
            all.extend(in_variables(node, value, text));
        }
    }
    all
}

fn of_value<'a>(
    visit: &Visit<'a>,
    node: &'a Node,
    place: Place<'_>,
    value: &Value,
    text: &str,
) -> Option<Named<'a>> {
    let (kinds, is_definition) = meaning(&visit.names(), place)?;
    let name = value.text()?.value;
    let spelled = text.get(value.span.start as usize..value.span.end as usize)?;
    let inner = match spelled.strip_prefix('"') {
        Some(rest) if rest.strip_suffix('"') == Some(name.as_str()) => {
            Span { start: value.span.start + 1, end: value.span.end - 1, ..value.span }
        }
        _ => value.span,
    };
    Some(Named { kinds, name, span: inner, whole: value.span, is_variable: false, is_definition, node })
}

/// The modules that a text names as `{dir:NAME}`.
fn in_variables<'a>(node: &'a Node, value: &Value, text: &str) -> Vec<Named<'a>> {
    const OPENS: &str = "{dir:";
    let start = value.span.start as usize;
    let spelled = text.get(start..value.span.end as usize).unwrap_or_default();
    let found = spelled.match_indices(OPENS).filter_map(|(at, _)| {
        let begin = at + OPENS.len();
        let name = spelled.get(begin..)?.split('}').next()?;
        ModuleName::parse(name).ok()?;
        let span = Span::new(value.span.file, start + begin, start + begin + name.len());
        Some(Named {
            kinds: &[Kind::Module],
            name: name.to_owned(),
            span,
            whole: span,
            is_variable: true,
            is_definition: false,
            node,
        })
    });
    found.collect()
}

/// The name at a byte.
pub(super) fn at<'a, 'd>(all: &'a [Named<'d>], offset: usize) -> Option<&'a Named<'d>> {
    all.iter().find(|named| holds(named.span, offset))
}

/// Where a name is given.
pub(super) fn definition<'a, 'd>(all: &'a [Named<'d>], of: &Named<'_>) -> Option<&'a Named<'d>> {
    let gives = |kind: &Kind, named: &&Named<'_>| {
        named.is_definition && named.kinds == [*kind] && named.name == of.name
    };
    of.kinds.iter().find_map(|kind| all.iter().find(|named| gives(kind, named)))
}

/// All places of a name, the one that gives it among them; none where nothing gives it.
pub(super) fn places<'a, 'd>(all: &'a [Named<'d>], of: &Named<'_>) -> Vec<&'a Named<'d>> {
    let Some(definition) = definition(all, of).map(|found| found.span) else { return Vec::new() };
    let is_same =
        |named: &&Named<'_>| self::definition(all, named).is_some_and(|found| found.span == definition);
    all.iter().filter(is_same).collect()
}

/// The edits that give a name's bearer another name.
///
/// # Errors
/// Why it cannot have that name.
pub(super) fn rename(
    document: &Document,
    all: &[Named<'_>],
    of: &Named<'_>,
    to: &str,
) -> Result<Vec<(Span, String)>, String> {
    let given = definition(all, of).ok_or_else(|| format!("nothing in this file is called `{}`", of.name))?;
    let rule = match given.kinds {
        [Kind::Module] => ModuleName::parse(to).err(),
        [Kind::Profile] => OsName::parse(to).err(),
        _ => Name::parse(to).err(),
    };
    if let Some(rule) = rule {
        return Err(format!("`{to}` cannot be a name: write {rule}"));
    }
    let taken = |named: &&Named<'_>| {
        named.is_definition
            && named.kinds == given.kinds
            && named.name.eq_ignore_ascii_case(to)
            && named.span != given.span
    };
    if all.iter().any(|named| taken(&named)) {
        return Err(format!("there is already one called `{to}`"));
    }
    let text = |named: &Named<'_>| if named.is_variable { to.to_owned() } else { quote(to) };
    let mut edits: Vec<_> = places(all, of).iter().map(|named| (named.whole, text(named))).collect();
    if given.kinds == [Kind::Module] {
        edits.extend(output(document, given));
    }
    Ok(edits)
}

/// A module without `output` makes the kernel module of its own name: under another name, it has to say which one.
fn output(document: &Document, module: &Named<'_>) -> Option<(Span, String)> {
    let says = visits(document.nodes()).into_iter().any(|visit| {
        let in_all = visit.path.first().is_some_and(|node| node.name.value == "defaults");
        let in_this = visit.path.first().is_some_and(|node| std::ptr::eq(*node, module.node));
        (in_all || in_this) && visit.names() == ["module", "output"]
    });
    let block = module.node.block.as_ref().filter(|_| !says)?;
    let line = format!("output {}", quote(&format!("{}.ko", module.name)));
    let (start, end) = (block.span.start as usize, (block.span.end as usize).checked_sub(1)?);
    let inner = document.text.as_str().get(start..end)?;
    let close = Span::new(block.span.file, end, end);
    // The brace may end the line of the last node, or have one for itself.
    let indent = inner.rsplit_once('\n').map(|(_, indent)| indent).filter(|indent| indent.trim().is_empty());
    Some(match indent {
        Some(indent) => (close, format!("    {line}\n{indent}")),
        None if inner.trim_end().ends_with([';', '{']) => (close, format!(" {line}; ")),
        None => (close, format!("; {line}; ")),
    })
}
