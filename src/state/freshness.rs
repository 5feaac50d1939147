//! The state of the last run, the inputs and the outputs -> whether compiling again would change anything.
//!
//! 1. The state must be this drvc's, made in this very directory, for this request ([`State::load`]).
//! 2. Every answer that the compilation was given must still hold ([`inputs_hold`]): then, compilation being a
//!    pure function, it would make the same outputs.
//! 3. The output directory must hold exactly what the last run left in it ([`outputs_hold`]): then there is
//!    nothing to write and nothing to delete.
//!
//! A signature that is the same stands for the content; one that differs does not speak against it, the content
//! decides. What was looked at so is told to the next run by a refreshed state.

use super::{HOME, Known, Reason, State};
use crate::fs::{Answer, Dir, Disk, Entry, Folder, Hash, Kind, Reader, path_in};
use crate::ids::RelPath;
use crate::seal;
use rayon::prelude::*;
use rustix::io::Errno;

/// Whether a run can be skipped.
#[derive(Debug)]
#[must_use]
pub enum Freshness {
    /// Compiling again would change nothing.
    Fresh {
        /// The note of the run that compiled.
        memo: String,
        /// The same state with signatures of today, where some had changed.
        refreshed: Option<Box<State>>,
    },
    /// Compile, because of this.
    Stale(Reason),
}

/// Holds the last run against the disk. `request` is the digest of what is asked for now, `out` the output
/// directory beneath `root`. Only reads, and takes no lock.
pub fn freshness(root: &Disk, out: &RelPath, request: &Hash) -> Freshness {
    match check(root, out, request) {
        Ok((state, same)) => {
            let memo = state.memo.clone();
            Freshness::Fresh { memo, refreshed: (!same).then(|| Box::new(state)) }
        }
        Err(reason) => Freshness::Stale(reason),
    }
}

/// Whether all these answers would be given again, and under the same signatures; takes over new signatures.
///
/// # Errors
/// The first that would not.
pub fn inputs_hold(root: &Disk, out: &RelPath, inputs: &mut [Folder<Answer>]) -> Result<bool, Reason> {
    let reader = Reader::new(root).hide(out.clone());
    all(inputs.par_iter_mut().map(|folder| folder_holds(root, &reader, folder)))
}

fn check(root: &Disk, out: &RelPath, request: &Hash) -> Result<(State, bool), Reason> {
    let out_dir = root.root().open_dir(out.as_str()).map_err(|_| Reason::New)?;
    let home = out_dir.open_dir(HOME).map_err(|_| Reason::New)?;
    let mut state = State::load(&home)?;
    if state.request != *request {
        return Err(Reason::OtherRequest);
    }
    let inputs = inputs_hold(root, out, &mut state.inputs)?;
    let outputs = outputs_hold(&out_dir, &mut state.outputs)?;
    Ok((state, inputs && outputs))
}

fn folder_holds(root: &Disk, reader: &Reader, folder: &mut Folder<Answer>) -> Result<bool, Reason> {
    let Folder { path: folder, entries } = folder;
    let dir = root.root().open_dir(folder).ok();
    let mut same = true;
    for (name, before) in entries {
        let status = dir.as_ref().map(|dir| dir.status_of(name));
        let unchanged = match (&before, status) {
            (Answer::File(sig, _) | Answer::Dir(sig, _), Some(Ok(now))) => *sig == now.sig,
            (Answer::Absent, Some(Err(Errno::NOENT))) => true,
            _ => false,
        };
        if unchanged {
            continue;
        }
        let path = path_in(folder, name);
        match RelPath::parse(&path).map(|path| reader.again(&path, before)) {
            Ok(now) if now.agrees(before) => {
                same &= now == *before;
                *before = now;
            }
            _ => return Err(Reason::Input(path)),
        }
    }
    Ok(same)
}

fn outputs_hold(out: &Dir, outputs: &mut [Folder<Known>]) -> Result<bool, Reason> {
    all(outputs.par_iter_mut().map(|Folder { path: folder, entries }| {
        let lost = |_| Reason::Output(folder.clone());
        let dir = out.open_dir(folder).map_err(lost)?;
        let mut found = dir.entries().map_err(lost)?;
        if folder == "." {
            found.retain(|entry| entry.name != HOME);
        }
        if let Some(name) = first_difference(&found, entries) {
            return Err(Reason::Output(path_in(folder, name)));
        }
        let mut same = true;
        for (name, known) in entries {
            let now = still(&dir, name, known).ok_or_else(|| Reason::Output(path_in(folder, name)))?;
            same &= now == *known;
            *known = now;
        }
        Ok(same)
    }))
}

/// The first name that stands on one side only, or for another kind of thing on the other. Both are sorted.
fn first_difference<'a>(found: &'a [Entry], known: &'a [(String, Known)]) -> Option<&'a str> {
    let kinds_agree = |kind, known: &Known| match known {
        Known::Directory => kind == Kind::Directory,
        Known::Output(..) | Known::Foreign(_) => kind == Kind::File,
        Known::Other => matches!(kind, Kind::Link | Kind::Other),
    };
    let agree = |(entry, (name, known)): &(&Entry, &(String, Known))| {
        entry.name == *name && kinds_agree(entry.kind, known)
    };
    let common = found.iter().zip(known).take_while(agree).count();
    match (found.get(common), known.get(common)) {
        (Some(entry), Some((name, _))) => Some(entry.name.as_str().min(name)),
        (Some(entry), None) => Some(&entry.name),
        (None, Some((name, _))) => Some(name),
        (None, None) => None,
    }
}

/// What is known of an entry, with its signature of today; nothing, if it is not what it was.
fn still(dir: &Dir, name: &str, known: &Known) -> Option<Known> {
    let sig = match known {
        Known::Directory | Known::Other => return Some(*known),
        Known::Output(sig, _) | Known::Foreign(sig) => sig,
    };
    if dir.status_of(name).ok()?.sig == *sig {
        return Some(*known);
    }
    let mut file = dir.open_file(name).ok()?;
    let sig = file.status.sig;
    match (known, seal::of_file(name, &mut file).ok()?) {
        (Known::Output(_, before), Some(now)) if *before == now => Some(Known::Output(sig, now)),
        (Known::Foreign(_), None) => Some(Known::Foreign(sig)),
        _ => None,
    }
}

/// Whether all are true; the first error in order, where there is one.
fn all(folders: impl IndexedParallelIterator<Item = Result<bool, Reason>>) -> Result<bool, Reason> {
    let verdicts: Vec<Result<bool, Reason>> = folders.collect();
    verdicts.into_iter().try_fold(true, |all, one| one.map(|one| all && one))
}
