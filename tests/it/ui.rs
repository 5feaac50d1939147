//! Each diagnostic code has a section in the manual.

use drvc::diag::{Code, explain};

#[test]
fn codes_and_sections_of_the_manual_are_the_same() {
    let sections: Vec<&str> = explain::sections().map(|(heading, _)| heading).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    assert_eq!(codes, sorted, "src/diag/code.rs is not in alphabetical order");
    assert_eq!(sections, codes, "docs/diagnostics.md (left) and src/diag/code.rs (right) differ");
}

#[test]
fn each_section_has_meaning_example_and_fix() {
    for (heading, text) in explain::sections() {
        let parts: Vec<&str> = text.split("```").collect();
        let [before, _, after] = parts[..] else {
            panic!("`{heading}` must have one example between two texts")
        };
        let meaning = before.strip_prefix(&format!("## {heading}\n")).unwrap_or_default().trim();
        assert!(meaning.ends_with(['.', ':']), "`{heading}` does not begin with a sentence on its meaning");
        assert!(after.trim().ends_with('.'), "`{heading}` does not end with a sentence on how to fix it");
    }
}
