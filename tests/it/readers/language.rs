//! What a user writes: manifests, their layout, locks, profiles and templates.

use super::{DRIVER, compiled, project, reports, text};
use ::kdl::{KdlDocument, KdlNode, KdlValue};
use drvc::knowledge::lock;
use drvc::language::kdl::parse;
use drvc::language::layout::format;
use drvc::text::source::Sources;

/// The keys of what a manifest describes.
fn keys(manifest: &str) -> Option<Vec<String>> {
    let plan = compiled(&project(&[("drivers.kdl", manifest.as_bytes())])).plan?;
    Some(plan.json().targets.iter().map(|target| target.key.clone()).collect())
}

/// A manifest in canonical layout has the same keys.
pub fn manifest(bytes: &[u8]) {
    let manifest = text(bytes);
    let keys = keys(&manifest);
    if let Ok(laid_out) = format(&manifest) {
        assert_eq!(self::keys(&laid_out), keys, "{manifest}");
    }
}

/// Where the reader is stricter than KDL on purpose, or bounded.
const STRICTER: &[&str] = &[
    "list-punctuation",
    "type-annotation",
    "unquoted-text",
    "control-character",
    "missing-space",
    "unknown-keyword",
    "exceeded-limit",
];

/// The own reader takes what the `kdl` crate takes, but for what it is stricter in.
pub fn kdl(bytes: &[u8]) {
    let text = text(bytes);
    let mut sources = Sources::default();
    let (_, found) = parse(sources.add("", text.clone()), &text);
    let stricter = found.iter().any(|one| STRICTER.contains(&one.code.name()));
    // The crate takes these words for texts, though KDL keeps them for numbers.
    let keeps = found.iter().any(|one| one.code.name() == "bare-keyword")
        && (text.contains("inf") || text.contains("nan"));
    let stricter = stricter || keeps;
    // The crate takes exponential time for some texts.
    let is_cheap = text.len() < 2_000 && text.matches("/-").count() <= 3;
    if !found.is_empty() && !stricter && is_cheap {
        let ambiguous = found.iter().any(|one| one.code.name() == "ambiguous-text");
        let theirs = KdlDocument::parse_v2(&text);
        assert!(ambiguous || theirs.is_err(), "{text:?} is KDL: {found:?}");
    }
}

/// Layout is settled at once, and to the `kdl` crate it means the same.
pub fn layout(bytes: &[u8]) {
    let text = text(bytes);
    let Ok(laid_out) = format(&text) else { return };
    assert_eq!(format(&laid_out).ok().as_ref(), Some(&laid_out), "{text}");
    let read = |text: &str| KdlDocument::parse_v2(text).map(|document| shown(document.nodes()));
    assert_eq!(read(&text).unwrap(), read(&laid_out).unwrap(), "{text}");
}

/// What nodes say.
fn shown(nodes: &[KdlNode]) -> String {
    let value = |value: &KdlValue| format!("{value:?}");
    let node = |node: &KdlNode| {
        let name = |entry: &::kdl::KdlEntry| entry.name().map(|name| name.value().to_owned());
        let entries = node.entries().iter().map(|entry| (name(entry), value(entry.value())));
        let children = node.children().map(|children| shown(children.nodes()));
        format!("{:?} {:?} {children:?};", node.name().value(), entries.collect::<Vec<_>>())
    };
    nodes.iter().map(node).collect()
}

/// A manifest that asks for what `src/knowledge/lock/example.lock` holds.
const OPEN: &str = "drvc edition=1\nproject \"p\"\nsource \"s\" { git \"https://example.com/driver.git\" branch=\"main\"; }\n\
                    module \"m\" { source \"s\"; }\nimage \"i\" { module \"m\"; load \"m\"; }\nmatrix {\n\
                    os \"debian\" \"12\" { kernel match=\"6.1.0-*\" latest=2; }\n\
                    os \"openshift\" \"4.16.3\" { kernel \"5.14.0-427.13.1.el9_4.x86_64\"; builder \"dtk\" \"distro\"; }\n}\n";

/// What was read of a lock is written as it was read, changed by hand or not.
pub fn lock(bytes: &[u8]) {
    // A debug assertion of the crate `toml_parser` fails on some of these numbers, which no lock has; a released drvc has none.
    let numbers = ["0x", "0o", "0b"].map(str::as_bytes);
    let words = bytes.split(|byte| b" \t\n=,[{".contains(byte));
    if words.into_iter().any(|word| numbers.iter().any(|number| word.starts_with(number))) {
        return;
    }
    let with = |lock: &[u8]| compiled(&project(&[("drivers.kdl", OPEN.as_bytes()), ("drivers.lock", lock)]));
    with(bytes);
    let mut sources = Sources::default();
    let file = sources.add("drivers.lock", text(bytes));
    let (found, reports) = lock::parse(file, &sources);
    if reports.iter().all(|one| one.code.name() == "edited-lock-entry") {
        let written = lock::to_text(&found);
        let again = sources.add("again", written.clone());
        let (again, reports) = lock::parse(again, &sources);
        assert!(reports.is_empty(), "{written}");
        assert_eq!(lock::to_text(&again), written);
        with(written.as_bytes());
    }
}

/// A profile in place of Debian's; what it says gets into Dockerfiles, which are read back before they are written.
pub fn profile(bytes: &[u8]) {
    let manifest = format!("{DRIVER}profile \"debian\" \"os.kdl\"\n");
    let compilation = compiled(&project(&[("drivers.kdl", manifest.as_bytes()), ("os.kdl", bytes)]));
    assert!(
        compilation.plan.is_some() || compilation.diagnostics.has_errors(),
        "{:?}",
        reports(&compilation)
    );
}

/// A template of the user's own.
pub fn template(bytes: &[u8]) {
    let manifest = format!("{DRIVER}template \"image\" \"image.hbs\"\n");
    let compilation = compiled(&project(&[("drivers.kdl", manifest.as_bytes()), ("image.hbs", bytes)]));
    assert!(
        compilation.plan.is_some() || compilation.diagnostics.has_errors(),
        "{:?}",
        reports(&compilation)
    );
}
