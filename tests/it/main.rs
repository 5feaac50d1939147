//! All integration tests, in one binary.
//!
//! `UPDATE=1 cargo test` rewrites the files that tests compare with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod build;
mod changes;
mod cli;
mod commands;
mod check_reuse;
mod content;
mod examples;
mod crash;
mod differential;
mod dkms;
mod dockerfiles;
mod docs;
mod emit;
mod fmt;
mod fuzz;
mod house;
mod init;
mod interrupted;
mod history;
mod include;
mod layers;
mod limits;
mod lock;
mod lsp;
mod locked;
mod manual;
mod mirrors;
mod mistakes;
mod never_more;
mod open;
mod outputs;
mod preflight;
mod project;
mod pure;
mod readers;
mod schemas;
mod reuse;
mod reuse_told;
mod scripts;
mod report;
mod sensitivity;
mod signatures;
mod set;
mod ui;

use camino::{Utf8Path, Utf8PathBuf};
use drvc::compiler::compile::Request;
use drvc::text::ids::RelPath;

/// A compilation of `drivers.kdl` into `drivers.out`, of at most 100 targets.
fn request() -> Request {
    Request {
        manifest: RelPath::parse("drivers.kdl").unwrap(),
        out: RelPath::parse("drivers.out").unwrap(),
        max_targets: 100,
        settings: Vec::new(),
    }
}

/// How many cases a test makes at random: as many as usual, or as `PROPTEST_CASES` says.
#[expect(clippy::disallowed_methods, reason = "only how long the tests take depends on it")]
fn cases(usual: usize) -> usize {
    std::env::var("PROPTEST_CASES").map_or(usual, |number| number.parse().unwrap())
}

/// A configuration of proptest for so many cases, or as many as `PROPTEST_CASES` says.
fn trials(usual: usize) -> proptest::test_runner::Config {
    let cases = u32::try_from(cases(usual)).unwrap();
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}

/// A path in the repository.
fn repository(path: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares `actual` with a file of the repository, or with `UPDATE=1` writes it there. Says what differs.
fn compare(path: &str, actual: &str) -> Result<(), String> {
    let file = repository(path);
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    #[expect(clippy::disallowed_methods, reason = "only the run of the tests depends on it")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, actual).unwrap();
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), actual);
    Err(format!("{path} is out of date; UPDATE=1 rewrites it\n{}", diff.unified_diff()))
}

/// All files beneath a directory, which need not exist.
fn files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let walk = ignore::WalkBuilder::new(directory).standard_filters(false).build().flatten();
    let files = walk.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.map(|entry| Utf8PathBuf::try_from(entry.into_path()).unwrap()).collect()
}
