//! History: from a compilation and a git revision to the targets that differ between the two, each with its first
//! reason.
//!
//! The revision is compiled in memory, out of git's own store; nothing is checked out, written or remembered.

use crate::compiler::compile::{Compilation, Compiled, Request, compile};
use crate::compiler::outputs::{Output, PlanTarget, key_list};
use crate::compiler::plan::Target;
use crate::compiler::seal;
use crate::compiler::why::{Change, difference};
use crate::system::fs::{Reader, Tree};
use crate::system::git::Revision;
use crate::system::process::Environment;
use crate::text::diag::{Severity, count};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::Utf8Path;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What differs between a revision and the work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "drvc diff")]
pub struct Diff {
    /// Version of this shape; a change that could break a reader makes it greater.
    pub version: u32,
    /// The revision, as it was named.
    pub revision: String,
    /// The commit that it is.
    pub commit: String,
    /// Why nothing of it could be compiled, so that every target counts as new; absent where it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// The targets that differ, sorted by id.
    pub targets: Vec<Difference>,
}

/// A target that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The target's id.
    pub target: String,
    /// What became of it.
    pub status: Status,
    /// The first thing that is not what it was; absent where the target itself is new or gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is one of this id now, and was none.
    New,
    /// Its Dockerfile or a file of its build context is another one.
    Changed,
    /// There was one of this id, and is none.
    Gone,
}

impl Status {
    /// The word that stands for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// Compares what the work tree compiles to with what a revision of its repository compiles to.
///
/// `root` is the manifest's directory. A revision without a manifest, or with one that has errors, has no targets.
///
/// # Errors
/// There is no git, no repository or no such revision.
pub fn since(
    root: &Utf8Path,
    request: &Request,
    revision: &str,
    after: &Compiled,
    environment: &Environment,
) -> Result<Diff, Error> {
    let tree = Revision::open(root, revision, environment)?;
    let before = compile(&Reader::new(&tree).hide(request.out.clone()), request);
    Ok(Diff {
        version: 1,
        revision: revision.to_owned(),
        commit: tree.commit().to_string(),
        nothing: nothing(&before, request, tree.commit().as_str()),
        targets: differences(before.plan.as_ref(), after),
    })
}

/// Why a compilation gave no plan.
fn nothing(compilation: &Compilation, request: &Request, commit: &str) -> Option<String> {
    if compilation.plan.is_some() {
        return None;
    }
    let errors = compilation.diagnostics.iter().filter(|one| one.severity() == Severity::Error);
    let errors: Vec<_> = errors.collect();
    let first = errors.first().map(|error| format!(": {}", error.message)).unwrap_or_default();
    let short = commit.get(..12).unwrap_or(commit);
    Some(format!("`{}` of {short} has {}{first}", request.manifest, count(errors.len(), "error")))
}

/// The targets whose Dockerfile or build context is not the same in both, sorted by id.
#[must_use]
pub fn differences(before: Option<&Compiled>, after: &Compiled) -> Vec<Difference> {
    let old = by_id(before);
    let new = by_id(Some(after));
    let here = new.par_iter().filter_map(|(id, target)| {
        let Some((before, old)) = before.zip(old.get(id).copied()) else {
            return Some(Difference { target: id.to_string(), status: Status::New, change: None });
        };
        if is_same((before, old), (after, *target)) {
            return None;
        }
        let change = Some(difference((before, old), (after, *target)));
        Some(Difference { target: id.to_string(), status: Status::Changed, change })
    });
    let gone = old.keys().filter(|id| !new.contains_key(*id));
    let gone = gone.map(|id| Difference { target: id.to_string(), status: Status::Gone, change: None });
    let mut all: Vec<_> = here.collect();
    all.extend(gone);
    all.sort_by(|a, b| a.target.cmp(&b.target));
    all
}

/// The ids of the targets whose outputs beneath `out` are not what they would be made to be.
#[must_use]
pub fn uncompiled(after: &Compiled, tree: &dyn Tree, out: &RelPath) -> BTreeSet<String> {
    let read = |path: &str, limit| out.join(path).ok().and_then(|path| tree.read(&path, limit).ok());
    let is_there = |path: &RelPath| {
        let text = after.outputs().get(path).map(Output::text);
        let found = read(path.as_str(), text.as_ref().map_or(0, |text| text.len() as u64));
        found.zip(text).is_some_and(|(found, text)| found.value == text.as_bytes())
    };
    let keys = read(key_list::NAME, seal::SIZE_LIMIT).map(|found| found.value).unwrap_or_default();
    let keys: HashSet<&[u8]> = keys.split_inclusive(|byte| *byte == b'\n').collect();
    let differs = |(target, described): &(&Target, &PlanTarget)| {
        let paths = ["Dockerfile", "Dockerfile.dockerignore"].map(|name| target.id.join(name));
        !keys.contains(key_list::line(&described.id, &described.key).as_bytes())
            || !paths.iter().all(|path| path.as_ref().is_ok_and(is_there))
    };
    let targets = after.plan.targets.par_iter().zip(&after.json().targets);
    targets.filter(differs).map(|(target, _)| target.id.to_string()).collect()
}

fn by_id(compiled: Option<&Compiled>) -> BTreeMap<&RelPath, &Target> {
    compiled.iter().flat_map(|compiled| &compiled.plan.targets).map(|target| (&target.id, target)).collect()
}

/// Whether a target's outputs have the same bytes, and its key, which covers every file of the build context, is the same.
fn is_same(before: (&Compiled, &Target), after: (&Compiled, &Target)) -> bool {
    let key =
        |(compiled, target): (&Compiled, &Target)| compiled.fingerprints.get(target.root.index()).copied();
    key(before) == key(after)
        && ["Dockerfile", "Dockerfile.dockerignore"].into_iter().all(|name| {
            let Ok(path) = after.1.id.join(name) else { return false };
            let (old, new) = (before.0.outputs().get(&path), after.0.outputs().get(&path));
            old.map(Output::seal) == new.map(Output::seal)
        })
}
