//! Each diagnostic code has a manifest that provokes it, its exact report, and a section in the manual.

use crate::repository;
use drvc::diag::{Code, explain};
use std::collections::BTreeSet;

fn codes() -> BTreeSet<&'static str> {
    Code::ALL.iter().map(|code| code.name()).collect()
}

#[test]
fn codes_and_sections_of_the_manual_are_the_same() {
    let sections: Vec<&str> = explain::sections().map(|(heading, _)| heading).collect();
    let codes: Vec<&str> = codes().into_iter().collect();
    let listed: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, codes, "src/diag/code.rs (left) is not in alphabetical order (right)");
    assert_eq!(sections, codes, "docs/diagnostics.md (left) and src/diag/code.rs (right) differ");
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
    let names = std::fs::read_dir(repository("tests/ui")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cases: BTreeSet<String> =
        names.filter_map(|name| Some(name.strip_suffix(".kdl")?.to_owned())).collect();
    let cases: BTreeSet<&str> = cases.iter().map(String::as_str).collect();
    let missing: Vec<_> = codes().difference(&cases).copied().collect();
    let unknown: Vec<_> = cases.difference(&codes()).copied().collect();
    assert!(missing.is_empty(), "these codes have no tests/ui/<code>.kdl: {missing:?}");
    assert!(unknown.is_empty(), "these files of tests/ui belong to no code: {unknown:?}");
}
