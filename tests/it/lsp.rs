//! The language server, through the very messages that an editor sends.

use crate::project::{MANIFEST, Project};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// An editor that speaks with a server of its own.
pub struct Editor {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: i32,
    version: i32,
    root: String,
}

impl Editor {
    pub fn new(project: &Project) -> Self {
        let mut command = project.command(&["lsp"]);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
        let root = project.path("").as_str().trim_end_matches('/').to_owned();
        let mut editor = Self { server, to, from, next: 0, version: 0, root };
        editor.ask("initialize", json!({ "processId": null, "capabilities": {} }));
        editor.tell("initialized", json!({}));
        editor
    }

    pub fn uri(&self, path: &str) -> String {
        format!("file://{}/{path}", self.root)
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server has gone");
            match line.trim().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The answer to a request, an error included. What else arrives before it is of no interest.
    pub fn ask_any(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == json!(id) && message.get("method").is_none() {
                return message;
            }
        }
    }

    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask_any(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Asks about a document.
    pub fn of(&mut self, method: &str, path: &str, more: Value) -> Value {
        let mut params = json!({ "textDocument": { "uri": self.uri(path) } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(&format!("textDocument/{method}"), params)
    }

    pub fn open(&mut self, path: &str, text: &str) {
        self.version += 1;
        let document =
            json!({ "uri": self.uri(path), "languageId": "kdl", "version": self.version, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub fn change(&mut self, path: &str, changes: Value) {
        self.version += 1;
        let document = json!({ "uri": self.uri(path), "version": self.version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The diagnostics of a document in the state that was sent last.
    pub fn diagnostics(&mut self, path: &str) -> Value {
        let uri = self.uri(path);
        loop {
            let message = self.receive();
            let params = &message["params"];
            let is_last = params.get("version").is_none_or(|version| *version == json!(self.version));
            if message["method"] == "textDocument/publishDiagnostics" && params["uri"] == uri && is_last {
                return params["diagnostics"].clone();
            }
        }
    }

    pub fn end(mut self) -> Option<i32> {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.server.wait().unwrap().code()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Line and column of a piece of a text, which is all ASCII.
pub fn at(text: &str, piece: &str) -> Value {
    let offset = text.find(piece).unwrap_or_else(|| panic!("no {piece}"));
    let before = &text[..offset];
    let line = before.matches('\n').count();
    json!({ "line": line, "character": offset - before.rfind('\n').map_or(0, |at| at + 1) })
}

/// A text with edits made in it.
fn edited(text: &str, edits: &Value) -> String {
    let mut lines: Vec<usize> = vec![0];
    lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let offset = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        lines.get(line).map_or(text.len(), |start| start + position["character"].as_u64().unwrap() as usize)
    };
    let mut text = text.to_owned();
    let mut edits = edits.as_array().unwrap().clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(offset(&edit["range"]["start"])));
    for edit in &edits {
        let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
        text.replace_range(start..end, edit["newText"].as_str().unwrap());
    }
    text
}

#[test]
fn mistakes_show_as_they_are_typed_and_go_as_they_are_mended() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    editor.open("drivers.kdl", MANIFEST);
    assert_eq!(editor.diagnostics("drivers.kdl"), json!([]));
    let start = at(MANIFEST, "example\"\n}\n\nmatrix");
    let end = json!({ "line": start["line"], "character": start["character"].as_u64().unwrap() + 7 });
    let change = json!([{ "range": { "start": start, "end": end }, "text": "exmaple" }]);
    editor.change("drivers.kdl", change);
    let found = editor.diagnostics("drivers.kdl");
    assert_eq!(found[0]["code"], "unknown-kmod", "{found}");
    assert_eq!((found[0]["severity"].as_u64(), found[0]["source"].as_str()), (Some(1), Some("drvc")));
    assert!(found[0]["message"].as_str().unwrap().contains("\nhelp: did you mean `example`?"), "{found}");
    // The file on disk is as it was, and what is mended in the editor is mended.
    editor.change("drivers.kdl", json!([{ "text": MANIFEST }]));
    assert_eq!(editor.diagnostics("drivers.kdl"), json!([]));
    editor.change(
        "drivers.kdl",
        json!([{ "text": MANIFEST.replace("module \"example\" {", "modul \"example\" {") }]),
    );
    let found = editor.diagnostics("drivers.kdl");
    let codes: Vec<_> = found.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"unknown-node"), "{codes:?}");
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn the_second_place_of_a_mistake_is_named_too() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    let twice = format!("{MANIFEST}\nsource \"driver\" {{\n    path \"driver\"\n}}\n");
    editor.open("drivers.kdl", &twice);
    let found = editor.diagnostics("drivers.kdl");
    let related = &found[0]["relatedInformation"][0];
    assert_eq!(found[0]["code"], "duplicate-name");
    assert_eq!(related["message"], "first here");
    assert_eq!(related["location"]["uri"], editor.uri("drivers.kdl"));
    assert_eq!(related["location"]["range"]["start"], at(&twice, "\"driver\" {"));
}

#[test]
fn a_profile_is_looked_at_with_its_manifest_and_alone() {
    let profile = "profile edition=1 extends=\"debian\"\ntitel \"Mine\"\n";
    let project = Project::new();
    let mut editor = Editor::new(&project);
    editor.open("mine.kdl", profile);
    assert_eq!(editor.diagnostics("mine.kdl")[0]["code"], "unknown-node");
    project.write("drivers.kdl", &format!("{MANIFEST}profile \"mine\" \"mine.kdl\"\n"));
    editor.change("mine.kdl", json!([{ "text": profile.replace("titel", "title") }]));
    assert_eq!(editor.diagnostics("mine.kdl"), json!([]));
}

#[test]
fn what_is_suggested_can_be_applied() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    let text = MANIFEST.replace("load ", "laod ");
    editor.open("drivers.kdl", &text);
    let place = at(&text, "laod");
    let range = json!({ "range": { "start": place, "end": place }, "context": { "diagnostics": [] } });
    let actions = editor.of("codeAction", "drivers.kdl", range);
    assert_eq!(actions.as_array().unwrap().len(), 2, "{actions}");
    for action in actions.as_array().unwrap() {
        assert_eq!(edited(&text, &action["edit"]["changes"][editor.uri("drivers.kdl")]), MANIFEST);
    }
    assert_eq!(actions[0]["title"], "drvc: write load");
    let elsewhere = at(&text, "matrix");
    let range =
        json!({ "range": { "start": elsewhere, "end": elsewhere }, "context": { "diagnostics": [] } });
    let actions = editor.of("codeAction", "drivers.kdl", range);
    assert_eq!(actions[0]["kind"], "source.fixAll", "{actions}");
}

#[test]
fn layout_outline_and_folds() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    let text = MANIFEST.replace("    load", "  load").replace("\n\nmatrix", "\n\n\n\nmatrix");
    editor.open("drivers.kdl", &text);
    let options = json!({ "options": { "tabSize": 4, "insertSpaces": true } });
    let edits = editor.of("formatting", "drivers.kdl", options.clone());
    assert_eq!(edited(&text, &edits), MANIFEST);
    let symbols = editor.of("documentSymbol", "drivers.kdl", json!({}));
    let names: Vec<_> = symbols.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["drvc", "project", "source", "module", "image", "matrix"]);
    assert_eq!(symbols[4]["children"][1]["detail"], "example");
    let folds = editor.of("foldingRange", "drivers.kdl", json!({}));
    assert_eq!(folds[0], json!({ "startLine": 2, "endLine": 3 }));
    // What cannot be read is left alone.
    editor.change("drivers.kdl", json!([{ "text": "image \"x\" {" }]));
    assert_eq!(editor.of("formatting", "drivers.kdl", options), Value::Null);
    let answer = editor.ask_any("textDocument/moniker", json!({}));
    assert_eq!(answer["error"]["code"], -32601);
}

/// Two modules, one built from the other's tree.
const CHAIN: &str = r#"drvc edition=1
project "chain" {
    registry "quay.io/example"
}
source "driver" {
    path "driver"
    patch "fix.patch"
}
module "bus" {
    source "driver"
}
module "chip" {
    source "driver"
    needs "bus"
    make BUS="{dir:bus}"
}
image "chain" {
    module "bus" "chip"
    load "chip"
}
image "bus" {
    module bus
    on image="bus" kernel="6*" {
        load "bus"
    }
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64" "6.1.0-21-amd64"
    }
}
"#;

#[test]
fn names_are_found_and_changed_wherever_they_stand() {
    let project = Project::new();
    project.write("fix.patch", "--- a/x\n+++ b/x\n");
    let mut editor = Editor::new(&project);
    editor.open("drivers.kdl", CHAIN);
    assert_eq!(editor.diagnostics("drivers.kdl").as_array().unwrap().len(), 0);
    let needs = json!({ "position": at(CHAIN, "bus\"\n    make") });
    let found = editor.of("definition", "drivers.kdl", needs.clone());
    assert_eq!(found["range"]["start"], at(CHAIN, "bus\" {"));
    let mut all = needs.clone();
    all["context"] = json!({ "includeDeclaration": true });
    let found = editor.of("references", "drivers.kdl", all);
    assert_eq!(found.as_array().unwrap().len(), 5, "{found}");
    assert_eq!(editor.of("documentHighlight", "drivers.kdl", needs.clone()).as_array().unwrap().len(), 5);
    assert_eq!(editor.of("prepareRename", "drivers.kdl", needs.clone())["placeholder"], "bus");
    // The image of the same name keeps it, and so does the kernel module.
    let mut other = needs.clone();
    other["newName"] = json!("bus-core");
    let changes = editor.of("rename", "drivers.kdl", other);
    let after = edited(CHAIN, &changes["changes"][editor.uri("drivers.kdl")]);
    for line in [
        "module \"bus-core\" {\n    source \"driver\"\n    output \"bus.ko\"\n}",
        "needs \"bus-core\"",
        "{dir:bus-core}",
        "image \"bus\" {\n    module \"bus-core\"\n    on image=\"bus\"",
        "load \"bus\"",
    ] {
        assert!(after.contains(line), "{line}: {after}");
    }
    project.write("drivers.kdl", &after);
    project.run(&["check"]).expect(0, "", "4 targets\n");
    for (name, why) in [("chip", "already one called"), ("a b", "cannot be a name"), ("", "cannot be a name")]
    {
        let params = json!({ "textDocument": { "uri": editor.uri("drivers.kdl") }, "position": needs["position"], "newName": name });
        let refusal = editor.ask_any("textDocument/rename", params);
        assert!(refusal["error"]["message"].as_str().unwrap().contains(why), "{refusal}");
    }
    let links = editor.of("documentLink", "drivers.kdl", json!({}));
    let targets: Vec<_> = links.as_array().unwrap().iter().map(|link| link["target"].clone()).collect();
    assert_eq!(targets, [json!(editor.uri("driver")), json!(editor.uri("fix.patch"))]);
    let patch = json!({ "position": at(CHAIN, "fix.patch") });
    assert_eq!(editor.of("definition", "drivers.kdl", patch)["uri"], editor.uri("fix.patch"));
}

#[test]
fn hints_say_how_many_targets_there_are_and_how_many_changed() {
    let project = Project::new();
    project.write("fix.patch", "--- a/x\n+++ b/x\n");
    project.write("drivers.kdl", CHAIN);
    project.run(&["compile"]).expect(0, "", "4 targets");
    let mut editor = Editor::new(&project);
    editor.open("drivers.kdl", CHAIN);
    let whole =
        json!({ "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } } });
    let labels = |hints: &Value| -> Vec<String> {
        hints.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap().to_owned()).collect()
    };
    let hints = editor.of("inlayHint", "drivers.kdl", whole.clone());
    assert_eq!(labels(&hints), ["2 targets", "2 targets", "4 targets", "4 targets"]);
    let more = CHAIN.replace("load \"chip\"", "load \"chip\" \"bus\"");
    editor.change("drivers.kdl", json!([{ "text": more }]));
    let hints = editor.of("inlayHint", "drivers.kdl", whole);
    assert_eq!(
        labels(&hints),
        ["2 targets, 2 changed", "2 targets", "4 targets, 2 changed", "4 targets, 2 changed"]
    );
}

fn labels(completion: &Value) -> Vec<String> {
    let items = completion["items"].as_array().unwrap_or_else(|| panic!("{completion}"));
    items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn completion_knows_the_language_the_names_and_what_is_pinned() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    // What has been typed up to the bar, one proposal among those made, and one that must not be.
    for (typed, expected, not) in [
        ("drvc edition=1\nsou", "source", "drvc"),
        ("image \"a\" {\n    ", "load", "source"),
        ("image \"a\" {\n    tag \"x\"\n    ", "load", "tag"),
        ("image \"a\" {\n    in-tree \"", "copy", "x86_64"),
        ("module \"a\"\nsource \"b\"\nimage \"x\" {\n    module \"", "a", "b"),
        ("module \"a\"\nsource \"b\"\nmodule \"x\" {\n    source ", "b", "a"),
        ("module \"a\"\nsource \"b\"\nimage \"x\" {\n    file \"*\" from=\"", "b", "x"),
        ("source \"b\" {\n    git \"u\" ", "branch=", "strip="),
        ("source \"b\" {\n    git \"u\" branch=\"x\" ", "tag=", "branch="),
        ("source \"b\" {\n    git \"u\" { submodules ", "#true", "yes"),
        ("matrix {\n    os \"", "debian", "12"),
        ("matrix {\n    os \"debian\" \"", "12", "debian"),
        ("matrix {\n    os \"debian\" \"12\" {\n        flavor \"", "cloud", "64k-debug"),
        ("matrix {\n    os \"debian\" \"12\" {\n        kernel \"", "6.1.0-18-amd64", "12"),
        ("matrix {\n    os \"debian\" \"12\"\n    on os=\"", "debian", "rhel"),
        ("module \"m\" {\n    make KDIR=\"{ker", "kernel_dir", "image"),
        ("module \"m\" {\n    make A=\"{", "dir:m", "image"),
        ("image \"m\" {\n    tag \"{version}-{", "image", "kernel_dir"),
        ("signing {\n    key secret=\"one\"\n}\nentitlement \"rhsm\" key-secret=\"", "one", "host"),
        ("profile edition=1\nline \"12\" {\n    rel", "release", "module"),
    ] {
        editor.open("drivers.kdl", typed);
        let lines: Vec<&str> = typed.split('\n').collect();
        let place = json!({ "line": lines.len() - 1, "character": lines.last().unwrap().len() });
        let found = labels(&editor.of("completion", "drivers.kdl", json!({ "position": place })));
        assert!(found.iter().any(|label| label == expected), "{typed}: {found:?}");
        assert!(!found.iter().any(|label| label == not), "{typed}: {found:?}");
    }
    // What is proposed takes the place of the word at hand, with quotes where they are missing.
    let typed = "matrix {\n    os deb {\n}";
    editor.open("drivers.kdl", typed);
    let found = editor.of("completion", "drivers.kdl", json!({ "position": { "line": 1, "character": 9 } }));
    let item = found["items"].as_array().unwrap().iter().find(|item| item["label"] == "debian").unwrap();
    assert_eq!(edited(typed, &json!([item["textEdit"]])), "matrix {\n    os \"debian\" {\n}");
    assert!(found["items"][0]["documentation"]["kind"] == "markdown");
}

#[test]
fn hovering_tells_what_stands_there() {
    let project = Project::new();
    let lock = project.read("drivers.lock");
    let latest = "kernel latest=2";
    let text = format!(
        "{}profile \"mine\" \"mine.kdl\"\n",
        CHAIN.replace("kernel \"6.1.0-18-amd64\" \"6.1.0-21-amd64\"", latest)
    )
    .replace("os \"debian\" \"12\"", "os \"debian\" \"12\" \"10\" \"11.*\"");
    project
        .write("drivers.kdl", &text.replace(" \"11.*\"", "").replace("profile \"mine\" \"mine.kdl\"\n", ""));
    let mut editor = Editor::new(&project);
    editor.open("drivers.kdl", &text);
    for (piece, expected) in [
        ("patch \"fix", "A patch to apply, in the order written."),
        ("bus\"\n    make", "module \"bus\" {"),
        ("kernel latest", "Not resolved yet: run `drvc lock`."),
        ("debian\" \"12", "Debian: releases"),
        ("10\"", "Debian 10: support ended on 20"),
        ("12\" \"10", "no end of support has passed"),
        ("dir:bus", "the built tree of the module"),
        ("path \"driver", "Files of this repository."),
        ("mine.kdl", "## "),
    ] {
        let hover = editor.of("hover", "drivers.kdl", json!({ "position": at(&text, piece) }));
        let shown = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(shown.contains(expected), "{piece}: {shown}");
    }
    let entry = "[[kernels]]\nos = \"debian\"\nrelease = \"12\"\narch = \"x86_64\"\nflavor = \"default\"\nlatest = 2\nkernels = [\"6.1.0-56-amd64\", \"6.1.0-55-amd64\"]\n";
    editor.open("drivers.lock", &format!("{lock}\n{entry}"));
    let hover = editor.of("hover", "drivers.kdl", json!({ "position": at(&text, "latest") }));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("6.1.0-55-amd64"), "{hover}");
}

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Line and column, in UTF-16, of a character of a text.
fn place(text: &str, characters: usize) -> Value {
    let before: String = text.chars().take(characters).collect();
    let line = before.matches('\n').count();
    let last = before.rsplit('\n').next().unwrap();
    json!({ "line": line, "character": last.encode_utf16().count() })
}

#[test]
fn whatever_is_typed_the_server_has_the_editors_text_and_goes_on() {
    const PIECES: &[&str] = &[
        "",
        "",
        "",
        "\"",
        "{",
        "}",
        "\n",
        "\u{e9}",
        "\u{1f600}",
        "module \"x\" ",
        ";",
        "/-",
        "\\\n",
        "{kernel",
        "{dir:bus}",
        "os \"debian\" ",
        "#\"",
        "\"\"\"\n",
        "=",
        "latest=2",
        "// ",
        "/* ",
        "on kernel=\"6*\" {",
        "\u{feff}",
        "9.*",
        "(a)",
    ];
    let project = Project::new();
    let mut editor = Editor::new(&project);
    let mut chance = Chance(7);
    let mut text = CHAIN.to_owned();
    editor.open("drivers.kdl", &text);
    for step in 0..250 {
        if step % 40 == 0 {
            text = CHAIN.to_owned();
            editor.change("drivers.kdl", json!([{ "text": text }]));
        }
        let length = text.chars().count();
        let start = chance.below(length + 1);
        let end = (start + chance.below(4)).min(length);
        let piece = PIECES[chance.below(PIECES.len())];
        let range = json!({ "start": place(&text, start), "end": place(&text, end) });
        editor.change("drivers.kdl", json!([{ "range": range, "text": piece }]));
        let (head, tail): (String, String) =
            (text.chars().take(start).collect(), text.chars().skip(end).collect());
        text = format!("{head}{piece}{tail}");
        let here = json!({ "position": range["start"], "range": range, "newName": "other" });
        for method in [
            "completion",
            "hover",
            "definition",
            "references",
            "prepareRename",
            "codeAction",
            "inlayHint",
            "foldingRange",
        ] {
            editor.of(method, "drivers.kdl", here.clone());
        }
        let params = json!({ "textDocument": { "uri": editor.uri("drivers.kdl") }, "position": range["start"], "newName": "other" });
        editor.ask_any("textDocument/rename", params);
        if step % 10 == 9 {
            editor.open("again/drivers.kdl", &text);
            let again = editor.of("documentSymbol", "again/drivers.kdl", json!({}));
            assert_eq!(editor.of("documentSymbol", "drivers.kdl", json!({})), again, "step {step}: {text}");
        }
    }
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn the_kdl_of_other_programs_is_left_alone() {
    let project = Project::new();
    let mut editor = Editor::new(&project);
    editor.open("config.kdl", "keybinds {\n    normal {}\n}\n");
    let place = json!({ "position": { "line": 0, "character": 2 } });
    for method in ["hover", "completion", "documentSymbol"] {
        assert_eq!(editor.of(method, "config.kdl", place.clone()), Value::Null, "{method}");
    }
    assert_eq!(editor.of("inlayHint", "config.kdl", json!({ "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 3, "character": 0 } } })), Value::Null);
    editor.open("drivers.kdl", MANIFEST);
    let uri = editor.uri("drivers.kdl");
    let first = loop {
        let message = editor.receive();
        if message["method"] == "textDocument/publishDiagnostics" {
            break message["params"]["uri"].clone();
        }
    };
    assert_eq!(first, uri);
}

#[test]
fn a_large_matrix_is_looked_at_first_and_compiled_when_nobody_types() {
    let project = Project::new();
    let kernels: String = (1..=1001).map(|number| format!("6.1.0-{number}-amd64\n")).collect();
    project.write("kernels.txt", &kernels);
    let text = MANIFEST.replace("kernel \"6.1.0-18-amd64\"", "kernel from=\"kernels.txt\"");
    let mut editor = Editor::new(&project);
    editor.open("drivers.kdl", &text);
    assert_eq!(editor.diagnostics("drivers.kdl"), json!([]));
    let hints =
        json!({ "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } } });
    assert_eq!(
        editor.of("inlayHint", "drivers.kdl", hints.clone())[0]["label"],
        "1001 targets, 1001 changed"
    );
    editor.change("drivers.kdl", json!([{ "text": text.replace("load \"example\"", "load \"exmaple\"") }]));
    assert_eq!(editor.diagnostics("drivers.kdl")[0]["code"], "unknown-kmod");
    editor.change("drivers.kdl", json!([{ "text": text }]));
    assert_eq!(editor.diagnostics("drivers.kdl"), json!([]));
    // Once more, from the whole compilation; then there are hints again.
    assert_eq!(editor.diagnostics("drivers.kdl"), json!([]));
    assert_eq!(editor.of("inlayHint", "drivers.kdl", hints)[0]["label"], "1001 targets, 1001 changed");
}
