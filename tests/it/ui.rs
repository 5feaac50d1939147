//! Each diagnostic code has a manifest that provokes it, its exact report, and a section in the manual.

use crate::{compare, files, repository};
use camino::Utf8Path;
use drvc::compiler::compile::{Parts, Request, compile};
use drvc::compiler::needs::missing_needs;
use drvc::knowledge::lock::Consulted;
use drvc::resolve::repository::{Fetch, KernelLookup, Problem};
use drvc::system::fs::{Disk, Reader};
use drvc::text::diag::{Code, Diagnostics, Report, explain, human};
use drvc::text::error::Error;
use drvc::text::ids::RelPath;
use drvc::text::session::Session;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// The tree that every case begins with: a module's source, and pins of the images that most of them stand on.
const COMMON: &[(&str, &str)] = &[
    ("driver/Kbuild", "obj-m := example.o\n"),
    ("driver/example.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n"),
    ("drivers.lock", include_str!("../ui/drivers.lock")),
];

/// What drvc does not know stops nobody, and what it knows can be said to be wrong.
#[test]
fn knowledge_can_be_lifted_and_ignorance_only_warns() {
    use drvc::text::diag::{Basis, Severity};
    for code in Code::ALL {
        let name = code.name();
        match code.basis() {
            Basis::Given => assert!(!name.starts_with("unverified-"), "{name}"),
            Basis::Unknown => {
                assert!(name.starts_with("unverified-") && code.severity() == Severity::Warning, "{name}");
            }
            Basis::Knowledge => {
                let report = std::fs::read_to_string(repository(&format!("tests/ui/{name}.txt"))).unwrap();
                let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(report.contains("`unchecked=#true`"), "{report}");
            }
        }
    }
}

fn codes() -> BTreeSet<&'static str> {
    Code::ALL.iter().map(|code| code.name()).collect()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).unwrap()
}

/// The names of the manifests in `tests/ui`.
fn cases() -> BTreeSet<String> {
    let names = std::fs::read_dir(repository("tests/ui")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(".kdl")?.to_owned())).collect()
}

/// A directory with what is common, the manifest of a case, and the files of the directory of its name.
fn project(code: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    COMMON.iter().for_each(|(path, text)| put(path, text.as_bytes()));
    put("drivers.kdl", &std::fs::read(repository(&format!("tests/ui/{code}.kdl"))).unwrap());
    let extra = repository(&format!("tests/ui/{code}"));
    for file in files(&extra) {
        put(file.strip_prefix(&extra).unwrap().as_str(), &std::fs::read(&file).unwrap());
    }
    home
}

/// What only `drvc lock` finds out, from the package repositories of `tests/ui/<code>/servers`.
const ASKED: &[&str] = &["missing-repository", "unavailable-kernel"];

/// Files by host and path.
struct Servers(camino::Utf8PathBuf);

impl Fetch for Servers {
    fn get(&self, url: &str, _: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(std::fs::read(self.0.join(url.strip_prefix("https://").unwrap())).ok())
    }

    fn now(&self) -> u64 {
        0
    }
}

fn ask(code: &str, reader: &Reader<'_>, request: &Request) -> Diagnostics {
    let mut session = Session::default();
    let parts = Parts::read(reader, request, &mut session).unwrap();
    let lock = Consulted::new(&parts.lock);
    let kernel_requests =
        drvc::compiler::plan::kernel_requests(&parts.inputs(&lock, &session.sources, request));
    let fetch = Servers(repository(&format!("tests/ui/{code}/servers")));
    let asking =
        KernelLookup { fetch: &fetch, keys: &|_| unreachable!(), subscribed: false, answered: &|_| {} };
    let mut diagnostics = Diagnostics::default();
    for (_, answer) in asking.answer(&kernel_requests) {
        let Err(Problem::User(report)) = answer else { panic!("{answer:?}") };
        diagnostics.push(*report);
    }
    diagnostics
}

#[test]
fn each_code_has_its_report_and_no_other() {
    let mut wrong = Vec::new();
    for code in cases() {
        let home = project(&code);
        let disk = Disk::open(home.path().to_str().unwrap().into()).unwrap();
        let reader = Reader::new(&disk).hide(rel("drivers.out"));
        let settings = match code.as_str() {
            "unknown-setting" => vec!["project.registy=registry.lan/x".to_owned()],
            _ => Vec::new(),
        };
        let max_targets = if code == "too-many-targets" { 3 } else { 1000 };
        let request =
            Request { manifest: rel("drivers.kdl"), out: rel("drivers.out"), max_targets, settings };
        let mut compilation = compile(&reader, &request);
        if let Some(compiled) = &compilation.plan {
            compilation.diagnostics.extend(missing_needs(&compiled.model, &reader));
        }
        if ASKED.contains(&code.as_str()) {
            compilation.diagnostics = ask(&code, &reader, &request);
        }
        let found: BTreeSet<_> = compilation.diagnostics.iter().map(|one| one.code.name()).collect();
        if found != BTreeSet::from([code.as_str()]) {
            wrong.push(format!("tests/ui/{code}.kdl provokes {found:?}"));
        }
        let report = Report::new(&compilation.sources, compilation.diagnostics, Utf8Path::new(""));
        let text = human::render(&report, human::Look::default());
        wrong.extend(compare(&format!("tests/ui/{code}.txt"), text.as_str()).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_and_sections_of_the_manual_are_the_same() {
    let sections: Vec<&str> = explain::sections().map(|(heading, _)| heading).collect();
    let codes: Vec<&str> = codes().into_iter().collect();
    let listed: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, codes, "src/text/diag/code.rs (left) is not in alphabetical order (right)");
    assert_eq!(sections, codes, "docs/diagnostics.md (left) and src/text/diag/code.rs (right) differ");
}

#[test]
fn each_section_has_meaning_example_and_fix() {
    for (heading, text) in explain::sections() {
        let parts: Vec<&str> = text.split("```").collect();
        assert!(parts.len() >= 3 && parts.len() % 2 == 1, "`{heading}` has no example in a fenced block");
        let meaning = parts[0].strip_prefix(&format!("## {heading}\n")).unwrap_or_default().trim();
        assert!(meaning.ends_with(['.', ':']), "`{heading}` does not begin with a sentence on its meaning");
        assert!(
            parts[parts.len() - 1].trim().ends_with('.'),
            "`{heading}` does not end with a sentence on the fix"
        );
    }
}

#[test]
fn codes_and_cases_are_the_same() {
    let cases = cases();
    let cases: BTreeSet<&str> = cases.iter().map(String::as_str).collect();
    let missing: Vec<_> = codes().difference(&cases).copied().collect();
    let unknown: Vec<_> = cases.difference(&codes()).copied().collect();
    assert!(missing.is_empty(), "these codes have no tests/ui/<code>.kdl: {missing:?}");
    assert!(unknown.is_empty(), "these files of tests/ui belong to no code: {unknown:?}");
}
