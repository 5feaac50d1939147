//! Every form of KDL and every mistake, by example; and against the `kdl` crate, at random.

use super::{Data, Node, Value, lex::Lexer, parse};
use crate::text::diag::{Code, Diagnostics};
use crate::text::source::Sources;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn read(text: &str) -> (Vec<Node>, Diagnostics, Sources) {
    let mut sources = Sources::default();
    let file = sources.add("x.kdl", text);
    let (nodes, found) = parse(file, text);
    (nodes, found, sources)
}

/// A tree in one line: `name value key=value {child}`, one node after the other, with `;` between.
fn show(nodes: &[Node]) -> String {
    let value = |value: &Value| match &value.data {
        Data::Text(text) => format!("{text:?}"),
        Data::Integer(number) => number.to_string(),
        Data::Number => "number".to_owned(),
        Data::Bool(value) => format!("#{value}"),
        Data::Null => "#null".to_owned(),
        Data::Mistake => "?".to_owned(),
    };
    let node = |node: &Node| {
        let mut words = vec![node.name.value.clone()];
        words.extend(node.arguments.iter().map(value));
        words.extend(node.properties.iter().map(|one| format!("{}={}", one.key.value, value(&one.value))));
        words.extend(node.block.as_ref().map(|block| format!("{{{}}}", show(&block.nodes))));
        words.join(" ")
    };
    nodes.iter().map(node).collect::<Vec<_>>().join("; ")
}

#[test]
fn forms_are_read() {
    let cases = [
        ("", ""),
        ("\u{feff}a", "a"),
        ("a 1 b=\"c\" {\n d\n}\ne", "a 1 b=\"c\" {d}; e"),
        ("a{b{c}};d", "a {b {c}}; d"),
        ("a b = c", "a b=\"c\""),
        ("a \\\n  b \\ // c\n d", "a \"b\" \"d\""),
        ("a /* b /* c */ d */ e // f\ng", "a \"e\"; g"),
        ("/- a {\n b\n}\nc /- d /- e=1 f /- {\n g\n} { h; }", "c \"f\" {h}"),
        ("a /-\n b c", "a \"c\""),
        ("\"a b\" #true #null -1_0 0xff 1.5 #inf", "a b #true #null -10 255 number number"),
        ("a \"\\\"\\\\\\s\\u{e9}\\   \n  b\"", "a \"\\\"\\\\ éb\""),
        ("a #\"\\n\"#  ##\"\"#\"##", "a \"\\\\n\" \"\\\"#\""),
        ("a \"\"\"\n  b\n    c\n\n  \"\"\"", "a \"b\\n  c\\n\""),
        ("a \"\"\"\r\n\tb \\\r\n\t  c\r\n\t\"\"\"", "a \"b c\""),
        ("a #\"\"\"\n \"\"\\n\n \"\"\"#", "a \"\\\"\\\"\\\\n\""),
        ("a \"\"\"\n\"\"\"", "a \"\""),
        ("a <9 >=1 - .b", "a \"<9\" \"-\" \".b\" >=1"),
    ];
    for (text, expected) in cases {
        let (nodes, found, _) = read(text);
        assert!(found.is_empty(), "{text:?}: {found:?}");
        assert_eq!(&show(&nodes), expected, "{text:?}");
    }
}

/// The text, the codes of its reports with what each points at, and what is read all the same.
#[test]
fn mistakes_are_reported_once_and_passed_over() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("a true; b", &["bare-keyword `true`"], "a ?; b"),
        ("a b/c d", &["unquoted-text `b/c`"], "a ? \"d\""),
        ("a https://x/y?z=1 b", &["unquoted-text `https://x/y?z=1`"], "a ? \"b\""),
        ("a b=src/{kernel}/*.c c", &["unquoted-text `src/{kernel}/*.c`"], "a \"c\" b=?"),
        ("a b={kernel}/x c", &["missing-value `b=`"], "a \"c\" b=?"),
        ("a 'b' c", &["unquoted-text `'b'`"], "a ? \"c\""),
        ("a [\"b\", \"c\"] d", &["list-punctuation `[`"], "a \"b\" \"c\" \"d\""),
        ("a = b", &["missing-key `=`"], "a \"b\""),
        ("a b=c =d", &["missing-key `=`"], "a \"d\" b=\"c\""),
        ("a 1=b c", &["missing-key `1`"], "a \"c\""),
        ("a b=\nc", &["missing-value `b=`"], "a b=?; c"),
        ("a (t)b (u)", &["type-annotation `(t)`", "type-annotation `(u)`"], "a \"b\""),
        ("(t)a", &["type-annotation `(t)`"], "a"),
        ("a r\"b\" r#\"c\"#", &["old-raw-text `r\"b\"`", "old-raw-text `r#\"c\"#`"], "a ? ?"),
        ("a \"b\"c", &["missing-space `c`"], "a \"b\" \"c\""),
        ("a \"\\q\" b", &["invalid-escape `\\q`"], "a ? \"b\""),
        ("a \"\\u{110000}\" \"\\u{}\"", &["invalid-escape `\\u{110000}`", "invalid-escape `\\u{}`"], "a ? ?"),
        ("a \"\\u{202e}\"", &["control-character `\\u{202e}`"], "a ?"),
        ("a // \u{202e}", &["control-character `\u{202e}`"], "a"),
        ("a \"b\nc", &["missing-end `\"`"], "a ?; c"),
        ("a \"\"\"b\"\"\"", &["invalid-multi-line-text `\"\"\"`"], "a ?"),
        ("a \"\"\"\n  b\n c\n  \"\"\"", &["invalid-multi-line-text `c`"], "a ?"),
        ("a \"\"\"\n  b\"\"\"", &["invalid-multi-line-text `\"\"\"`"], "a ?"),
        ("a /* b", &["missing-end `/*`"], "a"),
        ("a {\nb", &["missing-end `{`"], "a {b}"),
        ("a {\n}\n}\nb", &["stray-brace `}`"], "a {}; b"),
        ("a\n{\n b true\n}\nc", &["missing-node-name `{`", "bare-keyword `true`"], "a {b ?}; c"),
        ("{\n a\n}\nb {\n}\n{}", &["missing-node-name `{`", "missing-node-name `{`"], "b {}"),
        ("1.5 a; b", &["missing-node-name `1.5`"], "b"),
        ("; a", &["missing-node-name `;`"], "a"),
        ("# a b/c\nd", &["unknown-keyword `#`"], "d"),
        ("a #tru # b/c\nd", &["unknown-keyword `#tru`", "unknown-keyword `#`"], "a ? ?; d"),
        ("a {} b c\nd", &["run-on-node `b`"], "a {}; b \"c\"; d"),
        ("a {b} {c}", &["run-on-node `{`"], "a {b}"),
        ("a /-", &["dangling-slashdash `/-`"], "a"),
    ];
    for (text, expected, tree) in cases {
        let (nodes, found, sources) = read(text);
        let found = found.sorted();
        let place =
            |at: Option<&crate::text::diag::Label>| at.map(|label| sources.slice(label.span).to_owned());
        let reports: Vec<String> = found
            .iter()
            .map(|one| format!("{} `{}`", one.code, place(one.labels.first()).unwrap()))
            .collect();
        assert_eq!(
            (&reports[..], show(&nodes).as_str()),
            (&expected.iter().map(|&s| s.to_owned()).collect::<Vec<_>>()[..], *tree),
            "{text:?}"
        );
    }
}

#[test]
fn hostile_text_costs_one_report() {
    for unit in ["{", "a{", "a /-{", "/-", "/*", "(", "a\n", "\\", "[", "/{"] {
        let text = unit.repeat(300_000);
        let (_, found, _) = read(&text);
        assert!((1..=super::MAX_MISTAKES).contains(&found.len()), "{unit:?}: {}", found.len());
    }
}

#[test]
fn reading_stops_after_so_many_mistakes() {
    let mistakes = |number: usize| read(&("a b=\n".repeat(number) + "last\n")).1.len();
    assert_eq!((mistakes(99), mistakes(100), mistakes(200)), (99, 100, 100));
}

#[test]
fn what_stands_between_nodes_is_counted() {
    for unit in [" \\\n", " /* x */", " \\ // x\n"] {
        let text = |number: usize| format!("a{} b\n", unit.repeat(number));
        assert_eq!(read(&text(super::state::MAX_BETWEEN)).1.len(), 0, "{unit:?}");
        let (_, found, _) = read(&text(super::state::MAX_BETWEEN + 1));
        assert_eq!(found.iter().next().unwrap().code, Code::ExceededLimit, "{unit:?}");
    }
}

/// What the `kdl` crate reads, shown as [`show`] shows it.
fn oracle(text: &str) -> Option<String> {
    fn nodes(document: &::kdl::KdlDocument) -> String {
        document.nodes().iter().map(node).collect::<Vec<_>>().join("; ")
    }
    fn value(value: &::kdl::KdlValue) -> String {
        match value {
            ::kdl::KdlValue::String(text) => format!("{text:?}"),
            ::kdl::KdlValue::Integer(number) => number.to_string(),
            ::kdl::KdlValue::Float(_) => "number".to_owned(),
            ::kdl::KdlValue::Bool(value) => format!("#{value}"),
            ::kdl::KdlValue::Null => "#null".to_owned(),
        }
    }
    fn node(node: &::kdl::KdlNode) -> String {
        let entry = |key: bool| node.entries().iter().filter(move |entry| entry.name().is_some() == key);
        let mut words = vec![node.name().value().to_owned()];
        words.extend(entry(false).map(|entry| value(entry.value())));
        words.extend(
            entry(true).map(|entry| format!("{}={}", entry.name().unwrap().value(), value(entry.value()))),
        );
        words.extend(node.children().map(|children| format!("{{{}}}", nodes(children))));
        words.join(" ")
    }
    ::kdl::KdlDocument::parse_v2(text).ok().map(|document| nodes(&document))
}

/// Where this reader is stricter than KDL on purpose.
const STRICTER: &[&str] = &[
    "list-punctuation",
    "type-annotation",
    "unquoted-text",
    "control-character",
    "missing-space",
    "unknown-keyword",
];

fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a", "b", "key=", "=", " ", " ", " ", "\n", "\n", "\t", ";", "{", "}", "{", "}", "\"", "\"x\"",
        "\"\"\"\n", "\n\"\"\"", "#\"", "\"#", "#", "\\", "\\\n", "\\n", "\\u{41}", "//", "/*", "*/", "/-",
        "1", "-", "+", ".", "0x", "1.5", "1e3", "_", "#true", "#null", "true", "é", "\r\n", "<", ",", "r",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_kdl_crate(text in pieces()) {
        // The crate refuses a `;` after a node that is taken out, and begins a node right after a `}` or a keyword.
        let text = text.replace("}/-", "}\n/-");
        let text = if text.contains("/-") { text.replace(';', "\n") } else { text };
        let (nodes, found, _) = read(&text);
        let expected = oracle(&text);
        if found.is_empty() {
            prop_assert_eq!(Some(show(&nodes)), expected, "accepted here");
        } else if !found.iter().any(|one| STRICTER.contains(&one.code.name())) {
            prop_assert_eq!(None, expected, "refused here: {:?}", found);
        }
    }

    #[test]
    fn every_byte_lies_in_one_token(text in any::<String>()) {
        let mut at = 0;
        for token in Lexer::new(&text) {
            prop_assert_eq!(token.start, at);
            prop_assert!(token.end > at && text.is_char_boundary(token.end));
            at = token.end;
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let (_, found, _) = read(&text);
        prop_assert!(found.len() <= super::MAX_MISTAKES);
    }
}

/// Text that is sound here and refused by the crate must not end the process either.
#[test]
fn text_that_the_crate_refuses_is_reported() {
    let (_, found, _) = read(&"/-a;".repeat(14_000));
    assert_eq!(found.iter().next().map(|one| one.code.name()), Some("ambiguous-text"));
}

#[test]
fn what_is_quoted_can_be_read() {
    for hostile in
        ["\u{202e}", "\u{200f}", "\u{7f}", "\u{85}", "\u{feff}", "\0", "\r", "\"#", "\\", "\n", "\t"]
    {
        for text in [hostile.to_owned(), format!("{hostile}\""), format!("\\{hostile}")] {
            let (nodes, found, _) = read(&format!("a {}", super::quote(&text)));
            assert!(found.is_empty() && nodes.len() == 1, "{text:?}: {found:?}");
        }
    }
}
