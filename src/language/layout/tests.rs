//! The layout by example; and at random: nothing is lost, nothing changes its meaning, and twice is once.

use super::{format, read};
use crate::language::kdl::lex::{Kind, Lexer};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What a text holds beside blanks: words as they are written, texts by value, comments, braces and `/-`.
fn held(text: &str) -> Vec<String> {
    let mut held = Vec::new();
    for token in Lexer::new(text) {
        let written = &text[token.start..token.end];
        let comments = |held: &mut Vec<String>| {
            let inner = Lexer::new(written.get(1..).unwrap_or_default())
                .map(|t| (t, &written[1 + t.start..1 + t.end]));
            let comments =
                inner.filter(|(t, _)| matches!(t.kind, Kind::LineComment | Kind::BlockComment { .. }));
            held.extend(comments.map(|(_, text)| text.trim_end().to_owned()));
        };
        match token.kind {
            Kind::Space | Kind::Newline | Kind::Semicolon => {}
            Kind::Continuation => comments(&mut held),
            Kind::Text(quotes) if quotes.multi_line => {
                let (nodes, _) =
                    read(&format!("a {written}\n")).expect("a text that stood in a sound document");
                held.push(format!("{}{:?}", quotes.hashes, nodes[0].arguments[0].data));
            }
            _ => held.push(written.replace("\r\n", "\n").trim_end().to_owned()),
        }
    }
    held
}

#[track_caller]
fn holds(text: &str) -> String {
    let once = format(text).unwrap_or_else(|_| panic!("changed its meaning: {text:?}"));
    assert_eq!(held(&once), held(text.trim_start_matches('\u{feff}')), "{text:?}\n{once}");
    assert_eq!(format(&once).as_deref(), Ok(once.as_str()), "twice is not once: {text:?}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n"), "{once:?}");
    once
}

#[test]
fn forms_are_laid_out() {
    let cases = [
        ("", ""),
        ("\n\n", ""),
        ("\u{feff}a\r\nb", "a\nb\n"),
        ("\n\na\n\n\n\nb", "a\n\nb\n"),
        ("a   1\tb =  \"c\"", "a 1 b=\"c\"\n"),
        ("a{b{c}};d", "a {\n    b {\n        c\n    }\n}\nd\n"),
        ("a {\n\n  b\n\n  c\n\n}", "a {\n    b\n\n    c\n}\n"),
        ("a { }\nb {\n\n}\nc{ \\\n}", "a {}\nb {}\nc {}\n"),
        ("a // x  \n  // y\nb", "a // x\n// y\nb\n"),
        ("a;//x\nb;/*y*/c", "a //x\nb\n/*y*/ c\n"),
        ("a {//x\n b}", "a { //x\n    b\n}\n"),
        ("a {/*x*/}", "a {\n    /*x*/\n}\n"),
        ("a {\nb /*x*/ c}//y", "a {\n    b /*x*/ c\n} //y\n"),
        ("/* x\n y */ a", "/* x\n y */ a\n"),
        ("a b \\\n  c \\ // d\n e", "a b \\\n    c \\ // d\n    e\n"),
        ("a \\\n\nb", "a\nb\n"),
        ("\\\na \\\n\n b \\ // c\n\nd", "a\nb // c\n\nd\n"),
        ("a b \\\n{\n c\n}", "a b {\n    c\n}\n"),
        ("a b \\ // x\n{\n c\n}", "a b \\ // x\n    {\n    c\n}\n"),
        ("a b = \\\n c", "a b=c\n"),
        ("a \\ /* x */\n b", "a /* x */ \\\n    b\n"),
        ("/- a {b}\n/-\n\n c", "/-a {\n    b\n}\n/-c\n"),
        ("a /- b /- c=1 d /- {e} {f}", "a /-b /-c=1 d /-{\n    e\n} {\n    f\n}\n"),
        ("/- // x\n// y\na /-/*z*/ b", "/- // x\n    // y\n    a /-/*z*/ b\n"),
        ("a 0x10 1_000 +1.50e3 -0b1", "a 0x10 1_000 +1.50e3 -0b1\n"),
        ("a #\"b\"# ##\"c\"## \"\\u{41}\\s\"", "a #\"b\"# ##\"c\"## \"\\u{41}\\s\"\n"),
        (
            "a {\n  b \"\"\"\n    x\n      y\n\n    \"\"\"\n}",
            "a {\n    b \"\"\"\n      x\n        y\n\n      \"\"\"\n}\n",
        ),
        ("a {\n\tb #\"\"\"\n\t\tx\n\t\t\"\"\"#\n}", "a {\n    b #\"\"\"\n        x\n        \"\"\"#\n}\n"),
        ("a {\n  b \"\"\"\nx\n\"\"\"\n}", "a {\n    b \"\"\"\nx\n\"\"\"\n}\n"),
        ("a{ b \"\"\"\r\n  x\r\n  \"\"\";c}", "a {\n    b \"\"\"\n      x\n      \"\"\"\n    c\n}\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), expected, "{text:?}");
    }
}

/// Blanks that may stand between two values.
fn gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            " ",
            " ",
            " ",
            "  ",
            "\t",
            " \\\n",
            " \\\n  ",
            " \\ // c\n",
            " \\ /* c */\n ",
            " /* c */ ",
            "/**/ ",
            " \\\n \\\n",
            " /* c\n  d */ ",
            " \\ // c\n \\ // d\n\t",
            " \\\r\n ",
        ][..],
    )
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "key", "\"q k\"", "#\"r\"#", ">"][..])
}

fn value() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            "a",
            "-",
            "1",
            "0x1F",
            "1_0.50",
            "-3e-2",
            "#true",
            "#null",
            "\"b c\"",
            "\"\\\"\\s\\u{e9}\"",
            "#\"\\n\"#",
            "\"\"\"\n  x\n    y\n\n  \"\"\"",
            "#\"\"\"\n\tx \\\n\ty\n\t\"\"\"#",
            "\"\"\"\n    x \\\n  y\n    \"\"\"",
            "\"\"\"\nx\n\"\"\"",
            "\"\"\"\r\n   x\r\n   \"\"\"",
            "\"a \\\n   b\"",
            "\"// no comment /* {\"",
        ][..],
    )
}

fn entry() -> impl Strategy<Value = String> {
    let hidden =
        || prop::sample::select(&["", "", "", "/-", "/- ", "/-\n", "/- // c\n ", "/-/* c */", "/- \\\n"][..]);
    let equals = prop::sample::select(
        &["=", "=", " = ", " /* c */=", "= /* c */ ", "=\\\n", " \\\n=", " \\ // c\n="][..],
    );
    prop_oneof![
        (gap(), hidden(), value()).prop_map(|(gap, hidden, value)| format!("{gap}{hidden}{value}")),
        (gap(), hidden(), key(), equals, value())
            .prop_map(|(gap, hidden, key, equals, value)| format!("{gap}{hidden}{key}{equals}{value}")),
    ]
}

fn document() -> impl Strategy<Value = String> {
    let before = || {
        prop::sample::select(
            &[
                "",
                "",
                "\n",
                "\n\n\n",
                "  ",
                "\t",
                "// c\n",
                "/* c */ ",
                "/* c */\n",
                "/- ",
                "/-\n  ",
                "/- // c\n",
                "\\\n",
                "\\ // c\n",
                "/* a\n /* b */ */",
                "\r\n",
                "// c  \n\n//d\n",
            ][..],
        )
    };
    let end = || {
        prop::sample::select(
            &[";", "\n", "\n", "\n\n", " // c\n", ";// c\n", " ; /* c */", " /* c */\n", " \\\n\n", "\r\n"][..],
        )
    };
    let line = (before(), key(), prop::collection::vec(entry(), 0..4), end());
    let leaf = line.prop_map(|(before, key, entries, end)| format!("{before}{key}{}{end}", entries.concat()));
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let blocks = prop::sample::select(
            &[
                "{",
                " {",
                " /-{ a; }{",
                " \\\n{",
                " \\ // c\n {",
                "{ // c\n",
                "{/* c */",
                " /* c */ {",
                "\t/- {b}\n{",
            ][..],
        );
        let closing = prop::sample::select(&["}", "\n}", " \n\n }", "} /-{}", "// c\n}"][..]);
        (
            before(),
            key(),
            prop::collection::vec(entry(), 0..3),
            blocks,
            prop::collection::vec(inner, 0..4),
            closing,
            end(),
        )
            .prop_map(|(before, key, entries, open, nodes, closing, end)| {
                format!("{before}{key}{}{open}{}{closing}{end}", entries.concat(), nodes.concat())
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_documents_keep_all_they_hold(nodes in prop::collection::vec(document(), 0..4)) {
        let text = nodes.concat();
        prop_assume!(read(&text).is_some());
        holds(&text);
    }
}
