//! `drvc check --fix`: makes the edits that reports suggest, as long as the file stays sound.

use super::Failure;
use super::outcome::compile;
use super::project::Project;
use crate::compiler::compile::{Compilation, Request};
use crate::language::kdl;
use crate::system::fs::Disk;
use crate::text::diag::Suggestion;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use crate::text::source::{FileId, Sources};

/// An edit may bring to light what it hid; so often the manifest is looked at again, and no more.
const MOST_ROUNDS: usize = 10;

/// Mends the manifest, and says how many edits that took. What the reports say after it needs a decision.
pub(super) fn fix(project: &Project, disk: &Disk, request: &Request) -> Result<usize, Failure> {
    let mut made = 0;
    for _ in 0..MOST_ROUNDS {
        let compilation = compile(disk, request);
        let Some((text, edits)) = mended(&compilation, &request.manifest) else { break };
        let written = disk.root().rewrite(request.manifest.as_str(), text.as_bytes());
        written.map_err(|error| Error::new("write", project.path(), error))?;
        made += edits;
    }
    Ok(made)
}

/// The manifest with all edits made that do not touch each other; `None` where there is none to make.
pub(super) fn mended(compilation: &Compilation, manifest: &RelPath) -> Option<(String, usize)> {
    let sources = &compilation.sources;
    let of_manifest = |edit: &&Suggestion| sources.get(edit.span.file).path == manifest.as_path();
    let mut edits: Vec<&Suggestion> = Vec::new();
    for diagnostic in compilation.diagnostics.iter() {
        let all_here = diagnostic.suggestions.iter().all(|edit| of_manifest(&edit));
        let apart = |edit: &Suggestion| {
            edits.iter().all(|other| edit.span.end < other.span.start || other.span.end < edit.span.start)
        };
        if all_here && diagnostic.suggestions.iter().all(apart) {
            edits.extend(&diagnostic.suggestions);
        }
    }
    let file = edits.first()?.span.file;
    let before = &sources.get(file).text;
    let after = apply(sources, file, &mut edits)?;
    let mistakes = |text: &str| kdl::parse(file, text).1.len();
    (mistakes(&after) <= mistakes(before) && *after != **before).then_some((after, edits.len()))
}

fn apply(sources: &Sources, file: FileId, edits: &mut [&Suggestion]) -> Option<String> {
    let mut text = sources.get(file).text.to_string();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        text.get(start..end)?;
        text.replace_range(start..end, &edit.text);
    }
    Some(text)
}
