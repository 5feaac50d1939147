//! From words on the command line to the one target that they mean.

use super::Failure;
use crate::compiler::plan::Target;
use crate::text::diag::{count, listed, nearest};
use clap::Args;
use clap_complete::ArgValueCandidates;

/// At most so many candidates are named.
const NAMED: usize = 8;

/// Which target is meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The target: its id as `drvc plan` lists it, its Dockerfile, a tag, or words that only its id holds
    #[arg(value_name = "TARGET", required = true, add = ArgValueCandidates::new(super::completions::targets))]
    pub(super) words: Vec<String>,
}

/// The target that is meant: by its id, by its Dockerfile or a tag, or by words that its id alone has in it.
pub(super) fn find<'t>(targets: &'t [Target], words: &[String]) -> Result<&'t Target, Failure> {
    let all = |fits: fn(&Target, &str) -> bool| -> Vec<&Target> {
        targets.iter().filter(|target| words.iter().all(|word| fits(target, word))).collect()
    };
    let found = all(holds);
    // The kernel `6.1.0-9` is a part of `6.1.0-91`, and yet the one that is meant.
    let closer = [all(is_called), all(has_part)].into_iter().find(|found| found.len() == 1);
    match closer.as_deref().unwrap_or(&found) {
        [target] => Ok(target),
        [] => Err(none(targets, &words.join(" "))),
        several => Err(ambiguous(several, &words.join(" "))),
    }
}

fn holds(target: &Target, word: &str) -> bool {
    target.id.as_str().contains(word)
}

/// Whether the word is the image, the system or the kernel, or a piece of the system such as `9.4`.
fn has_part(target: &Target, word: &str) -> bool {
    let system = [target.at.os.as_str(), target.at.release.as_str(), target.at.arch.name()];
    target.id.as_str().split('/').chain(system).any(|part| part == word)
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
