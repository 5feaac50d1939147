//! The program from outside: exit codes, streams, help.

use std::process::{Command, Output, Stdio};

/// Runs drvc in an empty directory.
fn drvc(args: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    command(args).current_dir(&directory).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drvc"));
    command.args(args).env_clear();
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn exit_codes_and_streams() {
    // arguments, exit code, what standard output and standard error hold (empty: nothing at all)
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (&[], 0, "next:  drvc init", ""),
        (&["--version"], 0, "drvc ", ""),
        (&["--help"], 0, "Usage: drvc", ""),
        (&["--no-such-option"], 2, "", "unexpected argument '--no-such-option'"),
        (&["chekc"], 2, "", "unrecognized subcommand 'chekc'"),
        (&["explain"], 0, "unknown-node", ""),
        (&["explain", "unknown-node"], 0, "## unknown-node", ""),
        (&["explain", "unknow-node"], 2, "", "did you mean `unknown-node`?"),
        (&["explain", "zzz"], 2, "", "`drvc explain` lists all codes"),
        (&["schema", "report"], 0, "https://json-schema.org/draft/2020-12/schema", ""),
        (&["schema", "repotr"], 2, "", "did you mean `report`?"),
        (&["completions", "bash"], 0, "_clap_complete_drvc()", ""),
        (&["completions", "zsh"], 0, "#compdef drvc", ""),
        (&["completions", "fish"], 0, "--command drvc --arguments", ""),
        (&["completions", "csh"], 2, "", "possible values: bash"),
        (&["man"], 0, ".TH drvc 1", ""),
        (&["man", "explain"], 0, ".TH drvc-explain 1", ""),
        (&["man", "explian"], 2, "", "did you mean `explain`?"),
        (&["--manifest", "..", "explain"], 0, "unknown-node", ""),
        (&["--manifest", ".."], 2, "", "cannot be the name of a manifest"),
    ];
    for (args, code, out, err) in cases {
        let output = drvc(args);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(*code), "{args:?}\n{stdout}{stderr}");
        let holds = |actual: &str, expected: &str| {
            actual.contains(expected) && actual.is_empty() == expected.is_empty()
        };
        assert!(holds(stdout, out) && holds(stderr, err), "{args:?}\nstdout: {stdout}\nstderr: {stderr}");
    }
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let output = drvc(&["--help"]);
    let list =
        text(&output.stdout).split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let names = list.lines().filter_map(|line| Some(line.trim().split_once("  ")?.0.to_owned()));
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_help_with_examples_and_a_manual_page() {
    let commands = commands();
    assert!(commands.contains(&"explain".to_owned()), "{commands:?}");
    for name in commands {
        let help = drvc(&["help", &name]);
        assert!(text(&help.stdout).contains("Examples:\n  "), "{name}: {}", text(&help.stdout));
        assert!(text(&help.stdout).contains("Exit code 0"), "{name}: {}", text(&help.stdout));
        let examples = text(&help.stdout).split("Examples:\n").nth(1).unwrap_or_default();
        let narrow = |line: &str| !line.starts_with("  ") || line.chars().count() <= 80;
        assert!(examples.lines().all(narrow), "{name}: an example is wider than 80 columns");
        assert!(text(&help.stdout).lines().all(|line| line.chars().count() <= 100), "{name}: too wide");
        assert_eq!(drvc(&["man", &name]).status.code(), Some(0), "{name}");
    }
}

#[test]
fn shells_complete_targets_codes_and_options() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("drivers.kdl"), crate::project::MANIFEST).unwrap();
    std::fs::create_dir(directory.path().join("driver")).unwrap();
    std::fs::write(directory.path().join("driver/Kbuild"), "obj-m := example.o\n").unwrap();
    let complete = |words: &[&str]| {
        let mut command = command(&[]);
        command.current_dir(directory.path()).env("DRVC_COMPLETE", "bash").env("_CLAP_IFS", "\n");
        command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).arg("--").args(words);
        text(&command.output().unwrap().stdout).to_owned()
    };
    assert_eq!(complete(&["drvc", "why", "exa"]), "example/debian-12-x86_64/6.1.0-18-amd64");
    assert_eq!(complete(&["drvc", "explain", "unknown-no"]), "unknown-node");
    assert!(complete(&["drvc", "check", "--fi"]).contains("--fix"));
}

#[test]
fn a_manifest_in_a_directory_above_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = "project \"x\"\nmatrix { os \"debian\" \"12\" { kernel \"6.1.0-18-amd64\"; }; }\n";
    std::fs::write(directory.path().join("drivers.kdl"), manifest).unwrap();
    let inner = directory.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    let output = command(&[]).current_dir(&inner).output().unwrap();
    assert!(
        text(&output.stdout).contains("../../drivers.kdl\n\nnext:  drvc check"),
        "{}",
        text(&output.stdout)
    );
    let output = command(&["check"]).current_dir(&inner).output().unwrap();
    assert!(text(&output.stderr).contains("[../../drivers.kdl:"), "{}", text(&output.stderr));
    let output = command(&["init"]).current_dir(&inner).output().unwrap();
    assert!(text(&output.stderr).contains("nothing to begin with"), "{}", text(&output.stderr));
}

#[test]
fn colours_come_only_when_asked_for() {
    let cases: &[(&[&str], bool)] = &[
        (&["--color", "always", "--help"], false),
        (&["--help"], false),
        (&["--color", "never", "--help"], false),
    ];
    for (args, colored) in cases {
        assert_eq!(text(&drvc(args).stdout).contains('\u{1b}'), *colored, "{args:?}");
    }
}

#[test]
fn text_of_others_is_escaped() {
    let output = drvc(&["explain", "\u{1b}[31m\u{202e}"]);
    assert!(text(&output.stderr).contains(r"`\u{1b}[31m\u{202e}`"), "{}", text(&output.stderr));
    let output = drvc(&["\u{1b}[31m"]);
    assert!(!text(&output.stderr).contains('\u{1b}'), "{}", text(&output.stderr));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = command(&["man"])
        .current_dir(&directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn a_full_disk_is_an_error_of_the_world() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["man"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("cannot write `standard output`"), "{}", text(&output.stderr));
}
