//! What writing the outputs came to, in words.

use super::Exit;
use super::project::Project;
use super::terminal::Terminal;
use crate::compiler::compile::Request;
use crate::store::emit::{self, Why};
use crate::text::diag::count;

/// `3 files written, 9 unchanged, 2 deleted`
pub(super) fn written(report: &emit::Report) -> String {
    let emit::Report { written, unchanged, deleted, kept } = report;
    if *written + *deleted + kept.len() == 0 {
        return format!("nothing to write, {} unchanged", count(*unchanged, "file"));
    }
    let first = count(*written, "file") + " written";
    let rest = [(*unchanged, "unchanged"), (*deleted, "deleted"), (kept.len(), "kept")];
    let rest = rest.into_iter().filter(|(number, _)| *number > 0);
    rest.fold(first, |text, (number, word)| format!("{text}, {number} {word}"))
}

/// Names what stands in outputs' places and was left alone.
pub(super) fn kept(kept: &[emit::Kept], project: &Project, request: &Request, terminal: &Terminal) -> Exit {
    let out = project.root.join(request.out.as_path());
    for file in kept {
        terminal.say(&format!("kept `{}`: {}", out.join(&file.path), file.why));
    }
    if kept.iter().any(|file| file.why == Why::Foreign) {
        terminal
            .say("  help: `drvc compile --check` shows the differences, `drvc compile --force` overwrites");
    }
    if kept.is_empty() { Exit::Fine } else { Exit::OutOfDate }
}
