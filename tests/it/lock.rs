//! `drivers.lock`: what stands in it, what is noticed of it, and how `drvc lock` makes it.

use crate::{compare, files, repository};
use drvc::lock::{parse, to_text};
use drvc::source::Sources;

/// Lock files that are wrong on purpose.
const BROKEN: &[&str] =
    &["broken-lock-entry", "edited-lock-entry", "lock-conflict", "malformed-lock", "newer-lock"];

/// Every paragraph of a lock file as drvc writes it, in the order in which they stand there.
pub fn sealed(text: &str) -> String {
    let head = text.find("\n[[").unwrap_or(text.len());
    let mut all = text[..head].trim_end().to_owned() + "\n";
    for paragraph in text[head..].split("\n[[").filter(|paragraph| !paragraph.trim().is_empty()) {
        let alone = format!("version = 1\n\n[[{}\n", paragraph.trim_end());
        let mut sources = Sources::default();
        let file = sources.add("drivers.lock", alone);
        let written = to_text(&parse(file, &sources).0);
        all.push_str(&written[written.find("\n[[").unwrap()..]);
    }
    all
}

#[test]
fn lock_files_of_the_repository_are_sealed() {
    let mut wrong = Vec::new();
    for file in [files(&repository("tests/ui")), files(&repository("examples"))].concat() {
        let broken = BROKEN.iter().any(|name| file.as_str().contains(&format!("/{name}/")));
        if file.file_name() == Some("drivers.lock") && !broken {
            let path = file.strip_prefix(repository("")).unwrap();
            let text = std::fs::read_to_string(&file).unwrap();
            wrong.extend(compare(path.as_str(), &sealed(&text)).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
