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
    let request = Request { manifest: RelPath::parse("drivers.kdl").unwrap(), out, max_targets: 10_000 };
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

#[test]
fn a_dockerfile_is_a_page() {
    let example = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/01-one-module");
    let compiled = compiled(&example);
    let files = compiled.outputs.iter().filter(|(path, _)| path.as_path().file_name() == Some("Dockerfile"));
    for (path, output) in files {
        let text = output.text().to_string();
        assert!(text.lines().count() < 80, "{path} has {} lines", text.lines().count());
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{path} has a line over 120 columns");
    }
}
