//! What the documentation shows is true: manifests compile, and the tests that it names exist.

use crate::project::Project;
use crate::repository;
use drvc::compiler::compile::compile;
use drvc::system::fs::{Memory, Reader};
use drvc::text::diag::Severity;
use drvc::text::ids::RelPath;
use drvc::text::source::Sources;

/// Every page, but for the one whose examples are wrong on purpose.
fn pages() -> Vec<(String, String)> {
    let docs = repository("docs").read_dir_utf8().unwrap();
    let mut paths: Vec<_> = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name())).collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths.retain(|path| path.ends_with(".md") && path != "docs/diagnostics.md");
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
            let (_, found) = drvc::language::kdl::parse(sources.add(name.as_str(), block), block);
            assert!(found.is_empty(), "{name}: {found:?}\n{block}");
            if !block.starts_with("drvc edition=1") {
                continue;
            }
            let mut tree = Memory::new();
            tree.insert(path("drivers.kdl"), block);
            for file in FILES {
                tree.insert(path(file), "");
            }
            let compilation = compile(&Reader::new(&tree), &crate::request());
            // What the lock file would say is not part of the page.
            let errors = compilation.diagnostics.iter().filter(|one| one.severity() == Severity::Error);
            let errors: Vec<_> = errors.filter(|one| !one.code.is_open()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}\n{block}");
        }
    }
}

/// The pages about what drvc hands over to others.
const HANDOVER: &[&str] = &["bake", "github", "gitlab", "kmm", "openshift"];

#[test]
fn every_output_block_makes_the_files_that_its_page_names() {
    let manifest = std::fs::read_to_string(repository("examples/08-everywhere/drivers.kdl")).unwrap();
    let (without, _) = manifest.split_once("\noutput {").unwrap();
    for name in HANDOVER {
        let page = std::fs::read_to_string(repository(&format!("docs/{name}.md"))).unwrap();
        let shown: Vec<_> =
            blocks(&page, "kdl").into_iter().filter(|block| block.starts_with("output {")).collect();
        assert_eq!(shown.len(), 1, "{name}");
        let project = Project::example("08-everywhere");
        project.write("drivers.kdl", &format!("{without}\n{}\n", shown[0]));
        let run = project.run(&["compile"]);
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        let words = page.split(|c: char| c.is_whitespace() || "`,()".contains(c));
        let named = words.filter(|word| word.starts_with("drivers.out/") && !word.contains('<'));
        let named: Vec<_> = named.collect();
        assert!(!named.is_empty() || *name == "kmm", "{name}");
        for path in named {
            assert!(project.path(path.trim_end_matches('.')).exists(), "docs/{name}.md names {path}");
        }
    }
}

/// The commands of drvc in a text for shells, each as its words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("$ "));
    lines.flat_map(words).filter(|words| words.first().is_some_and(|word| word == "drvc")).collect()
}

/// The commands of a line. A comment or a redirection ends it.
fn words(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word, mut quote) = (vec![Vec::new()], String::new(), None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ') if !word.is_empty() => match std::mem::take(&mut word).as_str() {
                "|" | "&&" | ";" => commands.push(Vec::new()),
                comment if comment.starts_with(['#', '>', '<']) => return commands,
                word => commands.last_mut().unwrap().push(word.to_owned()),
            },
            (None, ' ') => {}
            _ => word.push(letter),
        }
    }
    commands
}

#[test]
fn every_command_shown_is_one_that_drvc_takes() {
    let project = Project::new();
    let mut seen = 0;
    for (name, page) in pages() {
        let shown = blocks(&page, "sh").into_iter().chain(blocks(&page, "text"));
        for command in shown.flat_map(commands) {
            // The grammar of a manifest's first line is no command.
            if command.iter().any(|word| word.starts_with("edition=")) {
                continue;
            }
            // What stands before `--help` is read before help is printed.
            let mut words: Vec<_> = command.iter().skip(1).map(String::as_str).collect();
            words.push("--help");
            let run = project.run(&words);
            assert_eq!(run.code, Some(0), "{name}: {command:?}: {}", run.stderr);
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} commands");
}

#[test]
fn the_readme_shows_what_it_counts() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let manifest = blocks(&readme, "kdl")[0];
    let mut tree = Memory::new();
    tree.insert(RelPath::parse("drivers.kdl").unwrap(), manifest);
    let compiled = compile(&Reader::new(&tree), &crate::request()).plan.unwrap();
    assert_eq!(compiled.plan.targets.len(), 4);
    for line in blocks(&readme, "text")[0].lines().filter(|line| line.starts_with("drivers.out/")) {
        let path = RelPath::parse(line.strip_prefix("drivers.out/").unwrap()).unwrap();
        assert!(compiled.outputs().get(&path).is_some(), "{line}");
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
