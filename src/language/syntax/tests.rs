//! What is read of every node, and what is reported of every kind of mistake, alone and at random.

use super::ast::*;
use super::parse;
use crate::text::diag::Diagnostics;
use crate::text::ids::RelPath;
use crate::text::session::Session;
use crate::text::source::{Sources, Span};
use proptest::prelude::*;

const EVERYTHING: &str = include_str!("everything.kdl");

fn read(text: &str) -> (Option<Manifest>, Diagnostics, Sources) {
    let mut session = Session::default();
    let path = RelPath::parse("drivers.kdl").unwrap();
    let manifest = parse(&mut session, &path, text, &|_, _, _| None);
    (manifest, session.found, session.sources)
}

/// Code and place of each report, by place.
fn reports(text: &str) -> Vec<String> {
    let (_, found, sources) = read(text);
    let place = |one: &crate::text::diag::Diagnostic| sources.slice(one.labels[0].span).to_owned();
    found.sorted().iter().map(|one| format!("{} `{}`", one.code, place(one))).collect()
}

fn texts(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.value.as_str()).collect()
}

fn text(text: &Option<Text>) -> &str {
    text.as_ref().map_or("-", |text| &text.value)
}

fn pairs(pairs: &[Pair]) -> Vec<String> {
    pairs.iter().map(|pair| format!("{}={}", pair.key.value, pair.value.value)).collect()
}

#[test]
fn everything_is_read() {
    let (manifest, found, sources) = read(EVERYTHING);
    assert!(found.is_empty(), "{found:?}");
    let manifest = manifest.unwrap();
    assert!(manifest.unread.is_empty());

    let project = &manifest.project;
    assert_eq!(
        (project.name.value.as_str(), text(&project.registry), text(&project.url)),
        ("all", "quay.io/example", "https://example.com")
    );
    assert_eq!(sources.slice(project.name.span), "\"all\"");
    sources_are_read(&manifest.sources, &sources);
    modules_are_read(&manifest.modules);
    image_is_read(&manifest.images[0]);
    matrix_is_read(&manifest.matrix);

    let (toolkit, signing) = (manifest.toolkit.unwrap(), manifest.signing.unwrap());
    assert_eq!((text(&toolkit.repository), texts(&toolkit.packages)), ("quay.io/example/kit", vec!["gdb"]));
    assert_eq!(
        (text(&signing.key_secret), text(&signing.key_uri), text(&signing.hash)),
        ("mok", "-", "sha256")
    );
    assert_eq!(manifest.entitlement.as_ref().map(|it| &*it.how.value), Some("host"));
    assert_eq!(
        (&*manifest.profiles[0].name.value, &*manifest.templates[0].file.value),
        ("mine", "check.hbs")
    );
    let output = manifest.output.unwrap();
    assert!(output.bake.is_some() && output.kmm.is_some() && output.github.is_none());
}

fn sources_are_read(all: &[Source], text_of: &Sources) {
    let git = &all[0].body;
    let Some(Origin::Git { url, reference: Some(GitReference::Tag(tag)), submodules: true, .. }) =
        git.origin.as_ref().map(|origin| &origin.value)
    else {
        panic!("{git:?}");
    };
    assert_eq!((&*url.value, &*tag.value), ("https://example.com/driver.git", "v1"));
    let strips: Vec<_> =
        git.patches.iter().map(|patch| patch.strip.as_ref().map(|strip| strip.value)).collect();
    assert_eq!(strips, [None, Some(0)]);
    let on = &all[0].on[0];
    assert_eq!(
        (pairs(&on.selector.terms), text_of.slice(on.selector.span)),
        (vec!["el=<9".to_owned()], "on")
    );
    let Some(Origin::Path { dir, include, ignore }) = on.body.origin.as_ref().map(|origin| &origin.value)
    else {
        panic!("{on:?}");
    };
    assert_eq!((&*dir.value, texts(include), texts(ignore)), ("old", vec!["*.c", "*.h"], vec!["test"]));
    let origins: Vec<_> =
        all.iter().map(|one| text_of.slice(one.body.origin.as_ref().unwrap().span)).collect();
    assert_eq!(origins, ["git", "archive", "file", "srpm", "image"]);
}

fn modules_are_read(all: &[Module]) {
    let made = &all[0].body;
    let Build::Make { targets, variables } = &made.build[0].value else { panic!("{made:?}") };
    assert_eq!(
        (texts(targets), pairs(variables)),
        (vec!["all"], vec!["KVER={kernel}".to_owned(), "V=1".to_owned()])
    );
    assert_eq!(pairs(&made.env), ["CFLAGS=-O2", "LANG=C", "TZ=UTC"]);
    assert_eq!((texts(&made.packages), texts(&made.needs)), (vec!["flex", "bison"], vec!["scripted"]));
    assert_eq!((texts(&made.outputs[0].globs), made.outputs[0].optional), (vec!["*.ko", "sub/*.ko"], true));
    assert_eq!(texts(&made.requires_config), ["CONFIG_DRM", "!CONFIG_PREEMPT_RT"]);
    assert_eq!(all[0].on[0].body.build[0].value, Build::None);
    let [run, script] = &all[1].body.build[..] else { panic!("{all:?}") };
    assert!(matches!(&run.value, Build::Run { words } if texts(words) == ["./configure", "--quiet"]));
    assert!(matches!(&script.value, Build::Script { text } if text.value == "make\n\tmake install"));
}

fn image_is_read(image: &Image) {
    let body = &image.body;
    assert_eq!(
        image.only.iter().map(|only| pairs(&only.terms).join(" ")).collect::<Vec<_>>(),
        ["family=rhel", "os=debian release=12"]
    );
    assert_eq!(
        (texts(&body.modules), texts(&body.load)),
        (vec!["made", "scripted"], vec!["made", "scripted"])
    );
    assert_eq!(pairs(&body.options[0].parameters), ["debug=1", "name=a b"]);
    assert_eq!(
        (texts(&body.softdeps[0].pre), texts(&body.softdeps[0].post)),
        (vec!["scripted"], vec!["late"])
    );
    assert_eq!((texts(&body.blacklist), texts(&body.replaces)), (vec!["other"], vec!["old"]));
    assert_eq!(
        (text(&body.repository), text(&body.tag), text(&body.base)),
        ("quay.io/example/one", "{kernel}", "micro")
    );
    assert_eq!(
        (body.firmware[0].from.value.as_str(), text(&body.firmware[0].to), text(&body.files[0].to)),
        ("from-file", "vendor", "/etc")
    );
    assert_eq!(
        (pairs(&body.labels).join(" "), text(&body.in_tree)),
        ("com.example/a=b c=d".to_owned(), "copy")
    );
    assert_eq!(text(&image.on[0].body.base), "minimal");
}

fn matrix_is_read(matrix: &Matrix) {
    let rhel = &matrix.os[0];
    assert_eq!(
        (texts(&rhel.releases), texts(&rhel.arches), texts(&rhel.flavors)),
        (vec!["9.2", "9.4"], vec!["x86_64", "aarch64"], vec!["default", "rt"])
    );
    let [one, file] = &rhel.kernels[..] else { panic!("{rhel:?}") };
    assert_eq!((texts(&one.explicit), text(&one.pattern)), (vec!["5.14.0-427.13.1.el9_4"], "5.14.*"));
    assert_eq!((one.latest.as_ref().map(|latest| latest.value), text(&file.from)), (Some(2), "kernels.txt"));
    let body = &rhel.body;
    assert_eq!(
        (texts(&body.builders), body.entitlement.as_ref().map_or("-", |it| &it.how.value), text(&body.base)),
        (vec!["distro"], "rhsm", "quay.io/example/base")
    );
    assert_eq!(
        (text(&body.repositories[0].url), text(&body.repositories[1].enable)),
        ("https://example.com/repo", "codeready")
    );
    assert_eq!(
        (pairs(&matrix.exclude[0].selector.terms).join(" "), &*matrix.exclude[0].reason.value),
        ("os=rhel flavor=rt".to_owned(), "not yet")
    );
    assert_eq!(texts(&matrix.on[0].body.builders), ["toolkit", "distro"]);
}

/// A manifest in which some text is put in place of another.
fn changed(from: &str, to: &str) -> String {
    assert!(EVERYTHING.contains(from), "{from}");
    EVERYTHING.replacen(from, to, 1)
}

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("module \"made\" {", "modul \"made\" {", &["unknown-node `modul`"]),
        ("    load \"made\"", "    kernel \"made\"", &["unknown-node `kernel`"]),
        ("    tag ", "    tag: ", &["unknown-node `tag:`"]),
        ("entitlement \"host\"", "registry \"x\"", &["unknown-node `registry`"]),
        ("tag=\"v1\"", "tga=\"v1\"", &["unknown-property `tga`"]),
        ("tag=\"v1\"", "tag=\"v1\" tag=\"v2\"", &["duplicate-property `tag`"]),
        ("tag=\"v1\"", "tag=\"v1\" commit=\"0\"", &["conflicting-entries `commit`"]),
        ("tag=\"v1\"", "\"v1\"", &["unexpected-argument `\"v1\"`"]),
        ("on el=\"<9\"", "on el<9", &["unexpected-argument `el<9`"]),
        ("on el=\"<9\"", "on el>=9", &["unknown-property `el>`"]),
        ("on el=\"<9\"", "on", &["missing-entry `on`"]),
        ("    tag \"{kernel}\"", "    tag \"a\"\n    tag \"b\"", &["repeated-node `tag`"]),
        ("    make \"all\"", "    build \"none\"\n    make \"all\"", &["conflicting-nodes `make`"]),
        ("git \"https://example.com/driver.git\"", "git", &["missing-argument `git`"]),
        (" \"9.2\" \"9.4\"", "", &["missing-argument `os`"]),
        (" reason=\"not yet\"", "", &["missing-property `exclude`"]),
        ("env TZ=\"UTC\"", "env", &["missing-property `env`"]),
        ("strip=0", "strip=\"0\"", &["wrong-type `\"0\"`"]),
        ("strip=0", "strip=-1", &["number-out-of-range `-1`"]),
        ("optional=#true", "optional=\"true\"", &["wrong-type `\"true\"`"]),
        ("optional=#true", "optional=true", &["bare-keyword `true`"]),
        ("\"9.4\"", "9.4", &["unquoted-number `9.4`"]),
        ("V=\"1\"", "V=1", &["unquoted-number `1`"]),
        ("V=\"1\"", "V=\"a\\nb\"", &["control-character `\"a\\nb\"`"]),
        ("in-tree \"copy\"", "in-tree \"cpy\"", &["unknown-value `\"cpy\"`"]),
        ("arch \"x86_64\"", "arch \"amd64\"", &["unknown-value `\"amd64\"`"]),
        ("    tag \"{kernel}\"", "    tag v{kernel}", &["unexpected-block `{`"]),
        ("source \"from-srpm\" {", "source \"from-srpm\" { // ", &["missing-node `source`"]),
        ("drvc edition=1", "drvc edition=2", &["newer-edition `2`"]),
        ("drvc edition=1", "drvc edition=0", &["number-out-of-range `0`"]),
        (">=0.1", ">=99", &["newer-drvc-required `\">=99\"`"]),
        (">=0.1", "0,1,", &["invalid-requirement `\"0,1,\"`"]),
        ("drvc edition=1 requires=\">=0.1\"\n", "", &["missing-node ``"]),
        ("entitlement \"host\"", "drvc edition=1", &["repeated-node `drvc`"]),
    ];
    for (from, to, expected) in cases {
        let text = changed(from, to).replace("{ //  srpm", "{\n} // srpm");
        assert_eq!(reports(&text), *expected, "{from:?} -> {to:?}");
    }
}

#[test]
fn five_mistakes_are_five_reports() {
    let text = changed("module \"made\" {", "modul \"made\" {");
    let text = text.replace("tag=\"v1\"", "tagg=\"v1\"").replace("\"9.4\"", "9.4");
    let text = text.replace("in-tree \"copy\"", "in-tree copy/link").replace("edition=1", "edition=\"1\"");
    let expected = [
        "wrong-type `\"1\"`",
        "unknown-property `tagg`",
        "unknown-node `modul`",
        "unquoted-text `copy/link`",
        "unquoted-number `9.4`",
    ];
    assert_eq!(reports(&text), expected);
}

#[test]
fn what_is_sound_is_returned() {
    let (manifest, found, _) = read(&changed("source \"from-file\" { file ", "source \"from-file\" { fil "));
    let manifest = manifest.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(manifest.sources.len(), 4);
    assert_eq!(manifest.unread.into_iter().collect::<Vec<_>>(), ["from-file"]);
    assert!(read(&changed("image \"all\" {", "image \"all\"")).0.is_none(), "a brace is missing");
    assert!(read(&changed("project \"all\"", "project")).0.is_none(), "no sound project");
}

/// A piece of the manifest, or something that means much to KDL.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n", " ", ";", "{", "}", "\"", "\"\"\"\n", "#\"", "\\", "//", "/*", "*/", "/-", "=", "(", "[", "1",
        "#true", "é", "\0", "on ", "\u{202e}", "source ",
    ];
    let of_manifest = (0..EVERYTHING.len(), 1..80_usize)
        .prop_map(|(at, length)| EVERYTHING.get(at..at + length).unwrap_or("x").to_owned());
    prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), of_manifest]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_breaks_the_reader(changes in prop::collection::vec((0..EVERYTHING.len(), 0..40_usize, piece()), 1..6)) {
        let mut text = EVERYTHING.to_owned();
        for (at, length, piece) in changes {
            let at = text.floor_char_boundary(at);
            let end = text.floor_char_boundary(at + length).max(at);
            text.replace_range(at..end, &piece);
        }
        let (manifest, found, sources) = read(&text);
        prop_assert!(manifest.is_some() || !found.is_empty());
        prop_assert!(found.len() <= 400);
        for label in found.iter().flat_map(|one| &one.labels) {
            let Span { start, end, .. } = label.span;
            prop_assert!(sources.get(label.span.file).text.get(start as usize..end as usize).is_some());
        }
    }
}
