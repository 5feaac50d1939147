//! From a change to the words that tell of it.

use crate::compiler::outputs::ContextFile;
use crate::compiler::why::Change;

/// How much of two instructions is shown around what differs in them, in characters.
const AROUND: usize = 40;
/// The same, in a line of a table.
const NEAR: usize = 12;

/// What changed, in sentences, for a page about one target.
pub(super) fn sentence(change: &Change) -> String {
    match change {
        Change::Nothing => "Nothing changed: the outputs have this key.".into(),
        Change::NoOutputs { reason } => format!("There is nothing to compare with: {reason}."),
        Change::NewStage { stage } => format!("Changed first: `{stage}` is a new stage."),
        Change::Untold { stage } => {
            format!("Changed first: stage `{stage}`, in a way that the outputs do not tell.")
        }
        Change::Tags { before, after } => {
            let (before, after) = (before.join(" "), after.join(" "));
            format!("Changed: the references that it is pushed as.\n  before  {before}\n  after   {after}")
        }
        Change::Layout => {
            "Changed: comments or wrapping of the Dockerfile, and nothing that is built.".into()
        }
        Change::Instruction { stage, before, after } => {
            let (before, after) = apart(before.as_deref(), after.as_deref(), AROUND);
            format!(
                "Changed first: an instruction of stage `{stage}`.\n  before  {before}\n  after   {after}"
            )
        }
        Change::File { stage, before, after } => {
            let path = after.as_ref().or(before.as_ref()).map_or("", |file| &file.path);
            let (before, after) = (file_state(before.as_ref()), file_state(after.as_ref()));
            format!("Changed first: file `{path}` of stage `{stage}`.\n  before  {before}\n  after   {after}")
        }
    }
}

/// What changed, in one line of a table.
pub(super) fn line(change: &Change) -> String {
    match change {
        Change::Nothing => "nothing".into(),
        Change::NoOutputs { reason } => reason.clone(),
        Change::NewStage { stage } => format!("`{stage}` is a new stage"),
        Change::Untold { stage } => format!("stage `{stage}`"),
        Change::Tags { before, after } => {
            format!("pushed as `{}`, was `{}`", after.join("` `"), before.join("` `"))
        }
        Change::Layout => "comments or wrapping, and nothing that is built".into(),
        Change::Instruction { stage, before, after } => {
            let (old, new) = apart(before.as_deref(), after.as_deref(), NEAR);
            match (before, after) {
                (None, _) => format!("`{stage}` got `{new}`"),
                (_, None) => format!("`{stage}` lost `{old}`"),
                _ => format!("`{stage}` has `{new}`, had `{old}`"),
            }
        }
        Change::File { stage, before, after } => {
            let path = after.as_ref().or(before.as_ref()).map_or("", |file| &file.path);
            let what = match (before, after) {
                (None, _) => "is new",
                (_, None) => "is gone",
                (Some(old), Some(new)) if old.digest == new.digest => "has other permissions",
                _ => "has other content",
            };
            format!("`{path}` of `{stage}` {what}")
        }
    }
}

fn file_state(file: Option<&ContextFile>) -> String {
    let Some(file) = file else { return "not there".into() };
    let executable = if file.executable { ", executable" } else { "" };
    format!("{}{executable}", short(&file.digest))
}

/// The first 16 digits of a digest.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// Two instructions, what both begin and end with cut short.
fn apart(before: Option<&str>, after: Option<&str>, around: usize) -> (String, String) {
    let (Some(before), Some(after)) = (before, after) else {
        let whole = |text: Option<&str>| text.unwrap_or("not there").to_owned();
        return (whole(before), whole(after));
    };
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = end.min(old.len().min(new.len()) - start);
    let cut = |text: &[char]| {
        let (from, to) = (start.saturating_sub(around), (text.len() - end + around).min(text.len()));
        let middle: String = text.iter().take(to).skip(from).collect();
        let (lead, tail) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
        format!("{lead}{middle}{tail}")
    };
    (cut(&old), cut(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_a_little_around_it() {
        let long = "x".repeat(60);
        let cases = [
            (Some("RUN a"), Some("RUN b"), "RUN a", "RUN b"),
            (None, Some("RUN b"), "not there", "RUN b"),
            (Some("RUN aa"), Some("RUN aaa"), "RUN aa", "RUN aaa"),
        ];
        for (before, after, old, new) in cases {
            assert_eq!(apart(before, after, AROUND), (old.to_owned(), new.to_owned()));
        }
        let around = "x".repeat(AROUND);
        let (old, new) = apart(Some(&format!("{long}1{long}")), Some(&format!("{long}22{long}")), AROUND);
        assert_eq!((old, new), (format!("…{around}1{around}…"), format!("…{around}22{around}…")));
    }
}
