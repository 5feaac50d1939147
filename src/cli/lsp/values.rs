//! The values that fit a place: of enums, names of the manifest, and what profiles and the lock know.

use super::context::Context;
use super::facts::{release_line, written};
use super::item::{Icon, Item};
use super::names;
use super::tree::{Place, visits};
use super::workspace::{Document, Workspace};
use crate::compiler::known::Known;
use crate::language::kdl::Node;
use crate::language::schema::Kind;
use std::collections::BTreeSet;

/// The values for the argument or property that is being written.
pub(super) fn of(workspace: &Workspace, document: &Document, context: &Context, kind: Kind) -> Vec<Item> {
    match kind {
        Kind::Enum(choice) => choice.values.iter().map(|(value, says)| Item::value(*value, *says)).collect(),
        Kind::Bool => ["#true", "#false"].map(|value| Item::value(value, "")).into(),
        Kind::Integer { .. } => Vec::new(),
        Kind::Text { .. } | Kind::Path
            if !std::ptr::eq(document.language(), &raw const crate::language::schema::manifest::MANIFEST) =>
        {
            Vec::new()
        }
        Kind::Text { .. } | Kind::Path => texts(workspace, document, context),
    }
}

fn texts(workspace: &Workspace, document: &Document, context: &Context) -> Vec<Item> {
    let Some(line) = &context.line else { return Vec::new() };
    let place = match &line.key {
        Some(key) => Place::Property(key),
        None => Place::Argument(line.arguments.len()),
    };
    let names = context.names();
    if let Some((kinds, false)) = names::meaning(&names, place)
        && kinds != [names::Kind::Profile]
    {
        return named(document, kinds);
    }
    match (names.as_slice(), place) {
        (
            ["image", "load" | "option" | "softdep" | "blacklist"] | ["image", "softdep", _],
            Place::Argument(_),
        ) => named(document, &[names::Kind::Module]),
        (_, Place::Property("secret" | "pin" | "org-secret" | "key-secret" | "certificate-secret")) => {
            secrets(document)
        }
        (["matrix", ..], _) | ([.., "on" | "only" | "exclude"], _) => {
            let known = workspace.known(document);
            known.map(|known| of_matrix(document, context, &names, place, &known)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The names that a manifest gives to things of some kinds.
fn named(document: &Document, kinds: &[names::Kind]) -> Vec<Item> {
    let all = names::all(document);
    let given =
        all.iter().filter(|named| named.is_definition && named.kinds.iter().all(|kind| kinds.contains(kind)));
    let item = |named: &names::Named<'_>| Item {
        icon: Icon::Reference,
        ..Item::value(named.name.as_str(), named.node.name.value.as_str())
    };
    given.map(item).collect()
}

/// The ids of build secrets that the manifest names anywhere.
fn secrets(document: &Document) -> Vec<Item> {
    let mut ids = BTreeSet::new();
    for visit in visits(document.nodes()) {
        let properties = visit.node().into_iter().flat_map(|node| &node.properties);
        let secrets =
            properties.filter(|one| one.key.value == "secret" || one.key.value.ends_with("-secret"));
        ids.extend(secrets.filter_map(|one| one.value.text()).map(|text| text.value));
    }
    ids.into_iter().map(|id| Item::value(id, "a build secret")).collect()
}

fn of_matrix(
    document: &Document,
    context: &Context,
    names: &[&str],
    place: Place<'_>,
    known: &Known,
) -> Vec<Item> {
    let line = context.line.as_ref();
    let first = line.and_then(|line| line.arguments.first()).map(String::as_str);
    let systems = systems(document);
    // The `os` that the cursor is in is the last one that begins before it.
    let here = || systems.iter().rev().find(|os| (os.span.start as usize) < context.start).copied();
    match (names, place) {
        (["matrix", "os"], Place::Argument(0)) => {
            let title = |name: &str| known.profiles.get(name).map(|profile| profile.title.clone());
            known
                .profiles
                .names()
                .into_iter()
                .map(|name| Item::value(name, title(name).unwrap_or_default()))
                .collect()
        }
        (["matrix", "os"], Place::Argument(_)) => releases(known, first.unwrap_or_default()),
        (["matrix", "os", "flavor"], Place::Argument(_)) => {
            here().map(|os| flavors(known, os)).unwrap_or_default()
        }
        (["matrix", "os", "kernel"], Place::Argument(_)) => kernels(known, here()),
        ([.., "on" | "only" | "exclude"], Place::Property(key)) => match key {
            "os" => named_systems(&systems),
            "release" => systems.iter().flat_map(|os| of_system(known, os)).collect(),
            "flavor" => systems.iter().flat_map(|os| flavors(known, os)).collect(),
            "kernel" => kernels(known, None),
            "arch" => arches(known, &systems),
            "family" => families(known, &systems),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn systems(document: &Document) -> Vec<&Node> {
    document
        .nodes()
        .iter()
        .filter(|node| node.name.value == "matrix")
        .flat_map(|node| node.all("os"))
        .collect()
}

fn name(os: &Node) -> Option<String> {
    os.text().map(|text| text.value)
}

fn named_systems(systems: &[&Node]) -> Vec<Item> {
    let names: BTreeSet<String> = systems.iter().filter_map(|os| name(os)).collect();
    names.into_iter().map(|name| Item::value(name, "an `os` of the matrix")).collect()
}

/// The releases that a profile lists, newest first.
fn releases(known: &Known, os: &str) -> Vec<Item> {
    let Some(profile) = known.profiles.get(os) else { return Vec::new() };
    let mut releases: Vec<&str> = profile.listed_releases().collect();
    releases.reverse();
    let item = |release| Item::value(release, release_line(profile, release).unwrap_or_default());
    releases.into_iter().map(item).collect()
}

fn of_system(known: &Known, os: &Node) -> Vec<Item> {
    let name = name(os).unwrap_or_default();
    let Some(profile) = known.profiles.get(&name) else { return Vec::new() };
    written(os, profile).into_iter().map(|release| Item::value(release, profile.title.as_str())).collect()
}

fn flavors(known: &Known, os: &Node) -> Vec<Item> {
    let profile = name(os).and_then(|name| known.profiles.get(&name));
    let flavors = profile
        .iter()
        .flat_map(|profile| profile.flavors().map(|name| Item::value(name, profile.title.as_str())));
    flavors.collect()
}

fn arches(known: &Known, systems: &[&Node]) -> Vec<Item> {
    let profiles = systems.iter().filter_map(|os| known.profiles.get(&name(os)?));
    let names: BTreeSet<&str> =
        profiles.flat_map(|profile| &profile.arches).map(|arch| arch.name()).collect();
    names.into_iter().map(|name| Item::value(name, "an architecture")).collect()
}

fn families(known: &Known, systems: &[&Node]) -> Vec<Item> {
    let profiles = systems.iter().filter_map(|os| known.profiles.get(&name(os)?));
    let names: BTreeSet<&str> = profiles.map(|profile| profile.family.as_str()).collect();
    names.into_iter().map(|name| Item::value(name, "a family of systems")).collect()
}

/// The kernels that the lock has, of one system or of all, and the profile's example where it has none.
fn kernels(known: &Known, os: Option<&Node>) -> Vec<Item> {
    let system = os.and_then(name);
    let is_of = |other: &str| system.as_ref().is_none_or(|name| name == other);
    let mut items = Vec::new();
    for (query, entry) in known.lock.kernels.iter().filter(|(query, _)| is_of(query.os.as_str())) {
        let of = format!("{} {}, {}, in drivers.lock", query.os, query.release, query.arch.name());
        items.extend(entry.value.kernels.iter().map(|kernel| Item::value(kernel.as_str(), of.as_str())));
    }
    for ((release, arch), pins) in known.lock.openshift.iter().filter(|_| is_of("openshift")) {
        let of = format!("OpenShift {release}, {}, in drivers.lock", arch.name());
        let kernels =
            pins.iter().flat_map(|pin| std::iter::once(&pin.value.kernel).chain(&pin.value.realtime));
        items.extend(kernels.map(|kernel| Item::value(kernel.as_str(), of.as_str())));
    }
    let profile = system.as_ref().and_then(|name| known.profiles.get(name)).filter(|_| items.is_empty());
    items.extend(
        profile.map(|profile| Item::value(profile.example.as_str(), "what such a kernel looks like")),
    );
    items
}

/// The modules that `{dir:NAME}` may name: those that the manifest has.
pub(super) fn needed(document: &Document, context: &Context) -> Vec<String> {
    let own = context.around.first().filter(|name| *name == "module");
    let modules = own.map(|_| named(document, &[names::Kind::Module])).unwrap_or_default();
    modules.into_iter().map(|item| item.label).collect()
}
