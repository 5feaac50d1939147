//! From words on the command line to the one target that they mean.

use super::Failure;
use crate::diag::{count, listed, nearest};
use crate::plan::Target;
use clap::Args;

/// At most so many candidates are named.
const NAMED: usize = 8;

/// Which target is meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The target: its id as `drvc plan` lists it, its Dockerfile, a tag, or words that only its id holds
    #[arg(value_name = "TARGET", required = true)]
    pub(super) words: Vec<String>,
}

/// The target that is meant: by its id, by its Dockerfile or a tag, or by words that its id alone has in it.
pub(super) fn find<'t>(targets: &'t [Target], words: &[String]) -> Result<&'t Target, Failure> {
    let exactly = |target: &&Target| match words {
        [word] => is_called(target, word),
        _ => false,
    };
    let holds_all = |target: &&Target| words.iter().all(|word| target.id.as_str().contains(word.as_str()));
    let exact = targets.iter().filter(exactly).collect::<Vec<_>>();
    let found = if exact.is_empty() { targets.iter().filter(holds_all).collect() } else { exact };
    match found.as_slice() {
        [target] => Ok(target),
        [] => Err(none(targets, &words.join(" "))),
        several => Err(ambiguous(several, &words.join(" "))),
    }
}

fn is_called(target: &Target, word: &str) -> bool {
    let id = target.id.as_str();
    let directory = word.trim_end_matches('/').trim_end_matches("/Dockerfile");
    let path = directory.strip_suffix(id).is_some_and(|above| above.is_empty() || above.ends_with('/'));
    path || target.tags.iter().any(|tag| tag.as_str() == word)
}

fn none(targets: &[Target], words: &str) -> Failure {
    let ids = || targets.iter().map(|target| target.id.as_str());
    let help = match nearest(words, ids()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if targets.len() <= NAMED => format!("the manifest has {}", listed(ids(), "and")),
        None => format!("`drvc plan` lists all {}", count(targets.len(), "target")),
    };
    Failure::Usage { message: format!("no target is called `{words}`, and no target's id holds that"), help }
}

fn ambiguous(found: &[&Target], words: &str) -> Failure {
    let ids = found.iter().take(NAMED).map(|target| format!("\n    {}", target.id)).collect::<String>();
    let more =
        if found.len() > NAMED { format!("\n    and {} more", found.len() - NAMED) } else { String::new() };
    Failure::Usage {
        message: format!("`{words}` could be {} targets", found.len()),
        help: format!("add a word that only one of them holds:{ids}{more}"),
    }
}
