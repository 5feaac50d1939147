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
use crate::compiler::seal;
use crate::system::fs::{Answer, Dir, Disk, Entry, Folder, Hash, Kind, Reader, Sig, path_in};
use crate::text::ids::{FilePath, RelPath};
use rayon::prelude::*;
use rustix::io::Errno;

/// Whether a run can be skipped.
#[derive(Debug)]
#[must_use]
pub enum Freshness {
    /// Compiling again would change nothing.
    Fresh {
        /// The state of the last run, with signatures of today.
        state: Box<State>,
        /// Whether those are the ones that it was saved with.
        same: bool,
    },
    /// Compile, because of this. The state of the last run is still true of what that run left behind.
    Stale(Reason, Option<Box<State>>),
}

/// Holds the last run against the disk. `request` is the digest of what is asked for now, `out` the output
/// directory beneath `root`. Only reads, and takes no lock.
pub fn freshness(root: &Disk, out: &RelPath, request: &Hash) -> Freshness {
    let open = |dir: &Dir, path| dir.open_dir(path).map_err(|_| Reason::New);
    let loaded = open(root.root(), out.as_str()).and_then(|out| {
        let state = State::load(&open(&out, HOME)?)?;
        Ok((out, Box::new(state)))
    });
    match loaded {
        Err(reason) => Freshness::Stale(reason, None),
        Ok((out_dir, mut state)) => match state.holds(root, out, &out_dir, request) {
            Ok(same) => Freshness::Fresh { state, same },
            Err(reason) => Freshness::Stale(reason, Some(state)),
        },
    }
}

impl State {
    /// Whether it is true of today, and under the same signatures; takes over new signatures.
    fn holds(&mut self, root: &Disk, out: &RelPath, out_dir: &Dir, request: &Hash) -> Result<bool, Reason> {
        if self.request != *request {
            return Err(Reason::OtherRequest);
        }
        let inputs = inputs_hold(root, out, &mut self.inputs)?;
        let outputs = all(self.outputs.par_iter_mut().map(|folder| outputs_hold(out_dir, folder)))?;
        Ok(inputs && outputs)
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
        match FilePath::parse(&path).map(|path| reader.again(&path, before)) {
            Ok(now) if now.agrees(before) => {
                same &= now == *before;
                *before = now;
            }
            _ => return Err(Reason::Input(path)),
        }
    }
    Ok(same)
}

/// Asks by paths from the output directory, which follows links on the way. But there are none: each directory
/// on the way is itself asked about, and is the very one that it was.
fn outputs_hold(out: &Dir, (sig, folder): &mut (Sig, Folder<Known>)) -> Result<bool, Reason> {
    let Folder { path: folder, entries } = folder;
    let mut same = true;
    if out.status_of(folder).map_or(true, |now| now.sig != *sig) {
        let lost = |_| Reason::Output(folder.clone());
        let dir = out.open_dir(folder).map_err(lost)?;
        *sig = dir.status().map_err(lost)?.sig;
        let mut found = dir.entries().map_err(lost)?;
        found.retain(|entry| folder != "." || entry.name != HOME);
        if let Some(name) = first_difference(&found, entries) {
            return Err(Reason::Output(path_in(folder, name)));
        }
        same = false;
    }
    for (name, known) in entries {
        let path = path_in(folder, name);
        match still(out, &path, known) {
            Some(now) => {
                same &= now == *known;
                *known = now;
            }
            None => return Err(Reason::Output(path)),
        }
    }
    Ok(same)
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

/// What is known of a path, with its signature of today; nothing, if it is not what it was.
fn still(out: &Dir, path: &str, known: &Known) -> Option<Known> {
    let sig = match known {
        Known::Directory | Known::Other => return Some(*known),
        Known::Output(sig, _) | Known::Foreign(sig) => sig,
    };
    if out.status_of(path).ok()?.sig == *sig {
        return Some(*known);
    }
    let mut file = out.open_file(path).ok()?;
    let sig = file.status.sig;
    match (known, seal::of_file(path, &mut file).ok()?) {
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
