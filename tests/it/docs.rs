//! What the documentation shows is true: manifests compile, and the tests that it names exist.

use crate::repository;
use drvc::compile::{Request, compile};
use drvc::diag::{Code, Severity};
use drvc::fs::{Memory, Reader};
use drvc::ids::RelPath;
use drvc::source::Sources;

/// Every page, but for the one whose examples are wrong on purpose.
fn pages() -> Vec<(String, String)> {
    let docs = repository("docs").read_dir_utf8().unwrap();
    let mut paths: Vec<_> = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name())).collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths.retain(|path| path != "docs/diagnostics.md");
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(repository(&path)).unwrap()))
        .collect()
}

/// The files beside the manifests of the pages.
const FILES: &[&str] = &[
    "carl9170/6.1.0-56-amd64/carl9170.ko",
    "driver/Kbuild",
    "jool/src/mod/common/Makefile",
    "jool/src/mod/nat64/Makefile",
    "jool/src/mod/siit/Makefile",
    "patches/cherry-pick_66e43041_namespace_sk_error_report.patch",
    "patches/cherry-pick_6a55739a_fix_build_on_v5.15.patch",
    "patches/el8-class-create.patch",
    "xtables-addons/extensions/Kbuild",
];

/// The blocks of a page in this language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn every_kdl_block_is_kdl_and_every_manifest_compiles() {
    let path = |path: &str| RelPath::parse(path).unwrap();
    for (name, page) in pages() {
        for block in blocks(&page, "kdl") {
            let mut sources = Sources::default();
            let (_, found) = drvc::kdl::parse(sources.add(name.as_str(), block), block);
            assert!(found.is_empty(), "{name}: {found:?}\n{block}");
            if !block.starts_with("drvc edition=1") {
                continue;
            }
            let mut tree = Memory::new();
            tree.insert(path("drivers.kdl"), block);
            for file in FILES {
                tree.insert(path(file), "");
            }
            let request =
                Request { manifest: path("drivers.kdl"), out: path("drivers.out"), max_targets: 100 };
            let compilation = compile(&Reader::new(&tree), &request);
            // What the lock file would say is not part of the page.
            let errors = compilation.diagnostics.iter().filter(|one| one.severity() == Severity::Error);
            let errors: Vec<_> = errors.filter(|one| one.code != Code::UnlockedKernels).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}\n{block}");
        }
    }
}

#[test]
fn the_readme_shows_what_it_counts() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let manifest = blocks(&readme, "kdl")[0];
    let mut tree = Memory::new();
    tree.insert(RelPath::parse("drivers.kdl").unwrap(), manifest);
    let request = Request {
        manifest: RelPath::parse("drivers.kdl").unwrap(),
        out: RelPath::parse("drivers.out").unwrap(),
        max_targets: 100,
    };
    let compiled = compile(&Reader::new(&tree), &request).plan.unwrap();
    assert_eq!(compiled.plan.targets.len(), 4);
    for line in blocks(&readme, "text")[0].lines().filter(|line| line.starts_with("drivers.out/")) {
        let path = RelPath::parse(line.strip_prefix("drivers.out/").unwrap()).unwrap();
        assert!(compiled.outputs.get(&path).is_some(), "{line}");
    }
}

#[test]
fn tests_that_the_list_of_bugs_names_exist() {
    let page = std::fs::read_to_string(repository("docs/known-bugs.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    assert_eq!(rows.count(), 25);
    let cases = repository("tests/e2e/cases").read_dir_utf8().unwrap();
    let cases: Vec<String> = cases.map(|entry| entry.unwrap().file_name().replace(".sh", "")).collect();
    let mut code = String::new();
    collect(&repository("src"), &mut code);
    for name in page.split('`').skip(1).step_by(2) {
        let known = match name {
            _ if name.contains('<') => true,
            _ if name.starts_with("tests/") => repository(name).exists(),
            _ if name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                name == "kernel_module" || code.contains(&format!("fn {name}("))
            }
            _ if name.contains('-') && name.chars().all(|c| c.is_ascii_lowercase() || c == '-') => {
                cases.iter().any(|case| case == name)
            }
            _ => true,
        };
        assert!(known, "docs/known-bugs.md names `{name}`, which does not exist");
    }
}

fn collect(directory: &camino::Utf8Path, code: &mut String) {
    for entry in directory.read_dir_utf8().unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => collect(entry.path(), code),
            false if entry.file_name().ends_with(".rs") => {
                code.push_str(&std::fs::read_to_string(entry.path()).unwrap());
            }
            false => {}
        }
    }
}
