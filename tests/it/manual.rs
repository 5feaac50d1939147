//! The manual's reference and the manifest's schema are what the table says, and what the manual shows can be read.

use crate::{compare, repository};
use drvc::compiler::render::Templates;
use drvc::knowledge::profile::PROFILE;
use drvc::language::kdl;
use drvc::language::schema::{Body, manifest, reference};
use drvc::text::session::Session;
use drvc::text::source::Sources;

const END: &str = "<!-- the reference ends -->";

fn manual() -> String {
    std::fs::read_to_string(repository("docs/manifest.md")).unwrap()
}

/// Holds the part of a page between two comments to what the table of a language prints.
fn check_reference(page: &str, table: &str, language: &Body) {
    let text = std::fs::read_to_string(repository(page)).unwrap();
    let begin = format!("<!-- the reference begins: printed from the table in {table} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let printed = reference(language, 3);
    compare(page, &format!("{before}{begin}\n{printed}{END}{after}")).unwrap();
}

#[test]
fn references_are_current() {
    check_reference("docs/manifest.md", "src/language/schema/manifest", &manifest::MANIFEST);
    check_reference("docs/profile-reference.md", "src/knowledge/profile/table", &PROFILE);
}

#[test]
fn schema_is_current() {
    compare("schema/drivers.schema.kdl", &manifest::schema()).unwrap();
}

#[test]
fn schema_is_kdl() {
    let mut sources = Sources::default();
    let file = sources.add("drivers.schema.kdl", manifest::schema());
    let (nodes, found) = kdl::parse(file, &sources.get(file).text);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(nodes.first().unwrap().name.value, "document");
}

#[test]
fn what_the_manual_shows_can_be_read() {
    let manual = manual();
    let blocks = manual.split("```kdl\n").skip(1).map(|block| block.split("```").next().unwrap());
    for block in blocks {
        let mut sources = Sources::default();
        if block.starts_with("drvc ") {
            let path = drvc::text::ids::RelPath::parse("drivers.kdl").unwrap();
            let mut session = Session::default();
            let manifest = drvc::language::syntax::parse(&mut session, &path, block, &|_, _, _| None);
            assert!(manifest.is_some() && session.found.is_empty(), "{block}\n{:?}", session.found);
        } else {
            let file = sources.add("drivers.kdl", block);
            let (_, found) = kdl::parse(file, block);
            assert!(found.is_empty(), "{block}\n{found:?}");
        }
    }
}

#[test]
fn contexts_of_templates_are_current() {
    let page = std::fs::read_to_string(repository("docs/templates.md")).unwrap();
    let mark = "<!-- printed from the templates' first lines -->\n";
    let (before, _) = page.split_once(mark).unwrap();
    let rows: String = Templates::contexts().map(|(name, given)| format!("\n* `{name}`: {given}")).collect();
    compare("docs/templates.md", &format!("{before}{mark}{rows}\n")).unwrap();
}
