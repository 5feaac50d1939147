//! Every example compiles without an error to exactly the outputs that are checked in beside it.

use camino::{Utf8Path, Utf8PathBuf};
use drvc::compiler::compile::{Compiled, Request, compile};
use drvc::system::fs::{Disk, Reader};
use drvc::text::ids::RelPath;
use std::collections::BTreeMap;

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
    let request = Request {
        manifest: RelPath::parse("drivers.kdl").unwrap(),
        out,
        max_targets: 10_000,
        settings: Vec::new(),
    };
    let compilation = compile(&reader, &request);
    let compiled = compilation.plan.unwrap_or_else(|| panic!("{example}: {:?}", compilation.diagnostics));
    assert!(compiled.plan.targets.len() <= 14, "{example} has {} targets", compiled.plan.targets.len());
    compiled
}

/// The files beneath a directory, without drvc's state.
fn files(directory: &Utf8Path, below: &str, found: &mut BTreeMap<String, String>) {
    for entry in directory.read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
        let path = format!("{below}{}", entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if path == ".drvc" => {}
            true => files(entry.path(), &format!("{path}/"), found),
            false => drop(found.insert(path, std::fs::read_to_string(entry.path()).unwrap())),
        }
    }
}

#[test]
fn outputs_are_current() {
    for example in examples() {
        let compiled = compiled(&example);
        let out = example.join("drivers.out");
        let expected: BTreeMap<_, _> = compiled
            .outputs
            .iter()
            .map(|(path, output)| (path.to_string(), output.text().to_string()))
            .collect();
        if std::env::var_os("UPDATE").is_some() {
            let _ = std::fs::remove_dir_all(&out);
            for (path, text) in &expected {
                let path = out.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        let mut actual = BTreeMap::new();
        files(&out, "", &mut actual);
        assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{example}");
        for (path, text) in expected {
            assert_eq!(actual[&path], text, "{example}: {path} is not current: run the tests with UPDATE=1");
        }
    }
}

/// The lines of a RUN that are more than options and packages in a list.
fn commands(run: &[&str]) -> usize {
    let is_word = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "@._+:/~^=,-".contains(c));
    let is_list = |line: &&&str| {
        let words = line.trim_end_matches(['\\', ' ', '&', ';']).trim_start();
        line.starts_with("        ")
            && words.split(' ').all(|word| is_word(word) && word.contains(['-', '=', '.']))
    };
    run.iter().filter(|line| !is_list(line)).count()
}

/// What makes a Dockerfile easy to review, over all examples.
#[test]
fn dockerfiles_are_short_and_say_nothing_twice() {
    for example in examples() {
        for (path, output) in compiled(&example).outputs.iter() {
            let text = output.text().to_string();
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
