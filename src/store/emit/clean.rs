//! An output directory -> the same without anything of drvc's.

use super::lock::Lock;
use super::output_scan::{Stray, scan};
use super::write::settle;
use super::{Job, open};
use crate::compiler::outputs::Outputs;
use crate::store::state::{HOME, LOCK};
use crate::system::fs::{Dir, Kind, path_in};
use crate::text::error::Error;
use std::io;

/// What [`clean`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Cleaned {
    /// How many outputs were deleted.
    pub deleted: usize,
    /// What is not drvc's, or was edited, and stands there still; relative to the output directory.
    pub kept: Vec<String>,
}

/// Deletes every untouched output, `.drvc`, and what directories are empty then.
///
/// # Errors
/// A file that cannot be read or deleted, or a lock that another run holds.
pub fn clean(job: &Job) -> Result<Cleaned, Error> {
    if open(job.root, job.out)?.is_none() {
        return Ok(Cleaned::default());
    }
    let shown = job.out.as_str();
    let lock = Lock::acquire(job.root, job.out, job.patience, job.waiting)?;
    let none = Outputs::new();
    let scan = scan(Some(&lock.out), shown, &none, None)?;
    let others = scan.strays.iter().filter(|(_, stray)| matches!(stray, Stray::Foreign(_) | Stray::Other));
    let kept = others.map(|(path, _)| path.clone()).collect();
    let (report, _) = settle(&lock.out, shown, scan, false)?;
    remove_empty(&lock.out, DEEPEST).map_err(|error| Error::new("delete", shown, error))?;
    let failed = |error| Error::new("delete", path_in(shown, HOME), error);
    empty(&lock.home).map_err(failed)?;
    lock.out.remove_empty_dir(HOME).map_err(failed)?;
    remove_out(job).map_err(|error| Error::new("delete", shown, error))?;
    Ok(Cleaned { deleted: report.deleted, kept })
}

/// How deep outputs may stand, and more.
const DEEPEST: usize = 16;

/// Removes the empty directories in a directory: a run that was killed may have left them, and no state tells which.
fn remove_empty(dir: &Dir, deepest: usize) -> io::Result<()> {
    for entry in dir.entries()? {
        if entry.kind == Kind::Directory && entry.name != HOME && deepest > 0 {
            remove_empty(&dir.open_dir(&entry.name)?, deepest - 1)?;
            dir.remove_empty_dir(&entry.name)?;
        }
    }
    Ok(())
}

/// Deletes everything in a directory of drvc's own, the lock last.
fn empty(dir: &Dir) -> io::Result<()> {
    let mut entries = dir.entries()?;
    entries.sort_by_key(|entry| entry.name == LOCK);
    for entry in entries {
        if entry.kind == Kind::Directory {
            empty(&dir.open_dir(&entry.name)?)?;
            dir.remove_empty_dir(&entry.name)?;
        } else {
            dir.remove_file(&entry.name)?;
        }
    }
    Ok(())
}

fn remove_out(job: &Job) -> io::Result<bool> {
    let root = job.root.root();
    match job.out.as_str().rsplit_once('/') {
        None => root.remove_empty_dir(job.out.as_str()),
        Some((parent, name)) => root.open_dir(parent)?.remove_empty_dir(name),
    }
}
