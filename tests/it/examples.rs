//! Every example compiles without an error to exactly the outputs, or their summary, that are checked in beside it.

use camino::{Utf8Path, Utf8PathBuf};
use drvc::compiler::compile::{Compiled, compile};
use drvc::system::fs::{Disk, Reader};
use drvc::text::ids::RelPath;
use std::collections::BTreeMap;
use std::fmt::Write;

fn examples() -> Vec<Utf8PathBuf> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<_> = root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    found.sort();
    found
}

fn compiled(example: &Utf8Path) -> Compiled {
    let disk = Disk::open(example).unwrap();
    let out = RelPath::parse("drivers.out").unwrap();
    let reader = Reader::new(&disk).hide(out.clone());
    let compilation = compile(&reader, &crate::request());
    let compiled = compilation.plan.unwrap_or_else(|| panic!("{example}: {:?}", compilation.diagnostics));
    assert!(compiled.plan.targets.len() <= 14, "{example} has {} targets", compiled.plan.targets.len());
    compiled
}

/// The files beneath a directory, without drvc's state.
fn files(directory: &Utf8Path, below: &str, found: &mut BTreeMap<String, String>) {
    for entry in directory.read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
        let path = format!("{below}{}", entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == ".drvc" => {}
            true => files(entry.path(), &format!("{path}/"), found),
            false => drop(found.insert(path, std::fs::read_to_string(entry.path()).unwrap())),
        }
    }
}

/// The examples whose outputs are checked in whole. Of the others a summary is, so that another wording touches few files.
const WHOLE: [&str; 4] = ["01-one-module", "05-module-chain", "08-everywhere", "09-cluster-devices"];

/// What a reader compares first: the files, and of each Dockerfile the stages, what they begin with and the packages that
/// they install. No key, which each wording changes.
fn summary(compiled: &Compiled) -> String {
    let key = regex::Regex::new("-[0-9a-f]{16} ").unwrap();
    let mut summary = String::new();
    for (path, output) in compiled.outputs().iter() {
        writeln!(summary, "{path}").unwrap();
        if path.as_path().file_name() == Some("Dockerfile") {
            let kernel = path.as_path().parent().and_then(Utf8Path::file_name).unwrap();
            let version = &kernel[..kernel.rfind(['.', '-']).unwrap()];
            let text = output.text();
            for line in text.lines() {
                let installs = line.contains(version) && (line.starts_with(' ') || line.starts_with("RUN "));
                if line.starts_with("FROM ") || installs || is_list(line) {
                    let words = line.trim_end_matches(['\\', ' ', '&', ';']).trim_start();
                    writeln!(summary, "    {}", key.replace(words, "-KEY ")).unwrap();
                }
            }
        }
    }
    for target in &compiled.plan.targets {
        let tags: Vec<_> = target.tags.iter().map(ToString::to_string).collect();
        writeln!(summary, "{}\n    {}", target.id, tags.join("\n    ")).unwrap();
    }
    summary
}

/// The files of an example that its compilation makes, by their paths in it.
fn expected(example: &Utf8Path) -> BTreeMap<String, String> {
    let compiled = compiled(example);
    if !example.file_name().is_some_and(|name| WHOLE.contains(&name)) {
        return BTreeMap::from([("plan.txt".to_owned(), summary(&compiled))]);
    }
    let outputs = compiled.outputs().iter();
    outputs.map(|(path, output)| (format!("drivers.out/{path}"), output.text())).collect()
}

#[test]
fn outputs_are_current() {
    for example in examples() {
        let whole = example.file_name().is_some_and(|name| WHOLE.contains(&name));
        let expected = expected(&example);
        if std::env::var_os("UPDATE").is_some() {
            let _ = std::fs::remove_dir_all(example.join("drivers.out"));
            for (path, text) in &expected {
                let path = example.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        let mut actual = BTreeMap::new();
        match whole {
            true => files(&example.join("drivers.out"), "drivers.out/", &mut actual),
            false => drop(actual.insert(
                "plan.txt".to_owned(),
                std::fs::read_to_string(example.join("plan.txt")).unwrap_or_default(),
            )),
        }
        assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{example}");
        for (path, text) in expected {
            assert_eq!(actual[&path], text, "{example}: {path} is not current: run the tests with UPDATE=1");
        }
    }
}

/// Whether a line of a RUN has options and packages in a list, and nothing else.
fn is_list(line: &str) -> bool {
    let is_word = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "@._+:/~^=,-".contains(c));
    let words = line.trim_end_matches(['\\', ' ', '&', ';']).trim_start();
    line.starts_with("        ")
        && words.split(' ').all(|word| is_word(word) && word.contains(['-', '=', '.']))
}

/// The lines of a RUN that are more than options and packages in a list.
fn commands(run: &[&str]) -> usize {
    run.iter().filter(|line| !is_list(line)).count()
}

/// What makes a Dockerfile easy to review, over all examples.
#[test]
fn dockerfiles_are_short_and_say_nothing_twice() {
    for example in examples() {
        for (path, output) in compiled(&example).outputs().iter() {
            let text = output.text();
            let is_dockerfile = path.as_path().file_name() == Some("Dockerfile");
            if !is_dockerfile && !path.as_str().starts_with("build/") {
                continue;
            }
            let lines: Vec<_> = text.lines().collect();
            let longest = lines.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= 100, "{example}: {path} has a line of {longest} columns");
            if !is_dockerfile {
                continue;
            }
            let mut runs = vec![0];
            let mut rest = lines.as_slice();
            while let Some(at) = rest.iter().position(|line| line.starts_with("RUN ")) {
                let end = rest[at..].iter().position(|line| !line.ends_with('\\')).unwrap();
                let run = &rest[at..=at + end];
                runs.push(commands(run));
                rest = &rest[at + end + 1..];
            }
            let longest_run = runs.into_iter().max().unwrap();
            assert!(longest_run <= 8, "{example}: {path} has a RUN of {longest_run} lines");
            let mut seen = std::collections::BTreeSet::new();
            let twice = lines.windows(4).find(|window| !seen.insert(window.to_vec()));
            assert_eq!(twice, None, "{example}: {path} says something twice");
            let most = match example.file_name() {
                Some("01-one-module") => 60,
                Some("05-module-chain") => 110,
                _ => 100,
            };
            #[expect(clippy::disallowed_macros, reason = "the measures are the test's own output")]
            {
                println!("{path}: {} lines, {longest} columns, RUN {longest_run}", lines.len());
            }
            assert!(lines.len() <= most, "{example}: {path} has {} lines", lines.len());
        }
    }
}
