//! Reports of made-up mistakes, in every format.

use super::{Code, Diagnostic, Diagnostics, Report, clean, github, human, json, sarif};
use crate::text::source::{Sources, Span};
use camino::Utf8Path;
use proptest::prelude::*;

/// A report about `text` with a label on each needle, shown by `show`.
fn with_report<T>(text: &str, labels: &[(&str, &str)], help: &str, show: impl Fn(&Report<'_>) -> T) -> T {
    let mut sources = Sources::default();
    let file = sources.add("drivers.kdl", text);
    let mut diagnostic = Diagnostic::new(Code::UnknownNode, "unknown {node}").help(help);
    for (needle, label) in labels {
        let start = text.find(needle).unwrap();
        diagnostic = diagnostic.label(Span::new(file, start, start + needle.len()), *label);
    }
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(diagnostic);
    show(&Report::new(&sources, diagnostics, Utf8Path::new("sub")))
}

fn human(report: &Report<'_>) -> String {
    human::render(report, human::Look::default()).as_str().to_owned()
}

#[test]
fn labels_stand_under_their_text() {
    let shown = with_report(
        "a\r\nb c\r\nd\r\ne\r\nf\r\ng",
        &[("b", "one"), ("c", "two"), ("g", "three")],
        "fix",
        human,
    );
    assert_eq!(
        shown,
        "error[unknown-node]

  × unknown {node}
   ╭─[sub/drivers.kdl:2:1]
 1 │ a
 2 │ b c
   · ┬ ┬
   · │ ╰── two
   · ╰── one
 3 │ d
   ╰────
   ╭─[sub/drivers.kdl:6:1]
 5 │ f
 6 │ g
   · ┬
   · ╰── three
   ╰────
  help: fix
"
    );
}

#[test]
fn labels_stand_under_escaped_text() {
    let shown =
        with_report("a\u{1b}[31m\u{202e}\tmoduel \"x\"", &[("moduel", "not\u{7}")], "two\nlines", human);
    assert_eq!(
        shown,
        "error[unknown-node]

  × unknown {node}
   ╭─[sub/drivers.kdl:1:9]
 1 │ a\\u{1b}[31m\\u{202e} moduel \"x\"
   ·                     ───┬──
   ·                        ╰── not\\u{7}
   ╰────
  help: two
        lines
"
    );
}

#[test]
fn long_lines_are_cut_around_the_label() {
    let text = format!("x {}NEEDLE{} y", "é".repeat(40_000), "z".repeat(40_000));
    let shown = with_report(&text, &[("NEEDLE", "here")], "x", human);
    assert!(shown.contains("drivers.kdl:1:40003]") && shown.contains("ééNEEDLEzz"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
}

#[test]
fn labels_in_two_files_are_shown_one_after_the_other() {
    let mut sources = Sources::default();
    let lock = sources.add("drivers.lock", "x = 1\n");
    let manifest = sources.add("drivers.kdl", "y\n");
    let mut diagnostics = Diagnostics::default();
    let diagnostic = Diagnostic::new(Code::UnknownNode, "two").label(Span::new(manifest, 0, 1), "main");
    diagnostics.push(diagnostic.label(Span::new(lock, 0, 1), "other"));
    let shown = human(&Report::new(&sources, diagnostics, Utf8Path::new("")));
    let (first, second) = (shown.find("[drivers.kdl:1:1]"), shown.find("[drivers.lock:1:1]"));
    assert!(first.is_some() && first < second, "{shown}");
}

#[test]
fn past_a_hundred_only_the_number_is_shown_and_errors_come_first() {
    let sources = Sources::default();
    let report = |number: usize| {
        let mut diagnostics = Diagnostics::default();
        for n in 0..number {
            diagnostics.push(Diagnostic::new(Code::UnknownNode, format!("number {n}")));
        }
        Report::new(&sources, diagnostics, Utf8Path::new(""))
    };
    assert!(!human(&report(100)).contains(" more\n"));
    assert!(human(&report(105)).ends_with("\nand 5 more\n"));
    assert_eq!(human::count(&report(105)).as_str(), "105 errors");
}

#[test]
fn github_gets_one_escaped_line() {
    let shown = with_report("a,b%\n", &[("b", "at b")], "two\nlines: 10%", github::render);
    let expected = "::error file=sub/drivers.kdl,line=1,endLine=1,col=3,endColumn=4,title=unknown-node\
                    ::unknown {node}%0Aat b%0Ahelp: two%0Alines: 10%25\n";
    assert_eq!(shown, expected);
}

#[test]
fn sarif_is_valid() {
    let schema = include_str!("../../../tests/data/sarif-schema-2.1.0.json");
    let schema = jsonschema::draft7::new(&serde_json::from_str(schema).unwrap()).unwrap();
    let labels = [("b", "at b {x}"), ("c", "")];
    let log = with_report("a b c\n", &labels, "help", |report| {
        serde_json::to_value(sarif::render(report)).unwrap()
    });
    let errors: Vec<String> =
        schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(log["runs"][0]["results"][0]["message"]["text"], "unknown {{node}}\nhelp");
    let broken = serde_json::json!({ "version": "2.1.0" });
    assert!(!schema.is_valid(&broken), "the schema checks nothing");
}

#[test]
fn json_tells_lines_columns_and_bytes() {
    let report = with_report("é b\n", &[("b", "at b")], "help", json::render);
    let label = &report.diagnostics[0].labels[0];
    assert_eq!((label.start.line, label.start.column, label.start.offset), (1, 3, 3));
    assert_eq!((label.end.line, label.end.column, label.end.offset), (1, 4, 4));
    assert_eq!((report.errors, report.drift, report.warnings), (1, 0, 0));
    let schema = schemars::schema_for!(json::ReportJson);
    let schema = jsonschema::draft202012::new(schema.as_value()).unwrap();
    assert!(schema.is_valid(&serde_json::to_value(&report).unwrap()));
}

/// Texts with many of the characters that terminals obey.
fn hostile() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(
        "\0\t\r\n\u{1b}\u{7f}\u{9b}\u{61c}\u{200b}\u{202e}\u{2066}\u{feff}:#[ ".chars().collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![bad, any::<char>()], 0..40).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn no_format_lets_control_characters_through(
        texts in prop::collection::vec(hostile(), 5), places in prop::collection::vec((0usize..60, 0usize..60), 0..4)
    ) {
        let [path, text, message, label, help] = texts.try_into().unwrap();
        let mut sources = Sources::default();
        let file = sources.add(path, text);
        let mut diagnostic = Diagnostic::new(Code::UnknownNode, message).help(help);
        for (start, length) in places {
            diagnostic = diagnostic.label(Span::new(file, start, start + length), label.clone());
        }
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(diagnostic);
        let report = Report::new(&sources, diagnostics, Utf8Path::new(""));
        let json = |value: &serde_json::Value| clean::escape_json(&serde_json::to_string_pretty(value).unwrap());
        let shown = [
            human(&report),
            human::render(&report, human::Look { color: false, ascii: true }).as_str().to_owned(),
            github::render(&report),
            json(&serde_json::to_value(json::render(&report)).unwrap()),
            json(&serde_json::to_value(sarif::render(&report)).unwrap()),
        ];
        for (format, text) in shown.iter().enumerate() {
            prop_assert!(!text.contains(clean::is_hostile), "{:?}", text);
            let commands = text.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##["));
            prop_assert_eq!(commands.count(), usize::from(format == 2), "{:?}", text);
        }
    }
}
