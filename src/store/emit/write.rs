//! A [`OutputScan`] -> the files on disk: first everything new is put in its place, then leftovers are deleted.

use super::output_scan::{Named, OutputScan, Place, Stray, by_name, depth};
use super::{Kept, Report, Why};
use crate::store::state::{Known, Listing};
use crate::system::fs::{Dir, Sig, path_in};
use crate::text::error::Error;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io;

/// Makes the output directory what the survey says it should be. Files that drvc did not write, or that were
/// edited, are overwritten only with `force`.
///
/// Returns what was done, and what stands there now.
///
/// # Errors
/// The first file that could not be written or deleted; the others may have been.
pub fn settle(out: &Dir, shown: &str, scan: OutputScan, force: bool) -> Result<(Report, Listing), Error> {
    let writer = Writer { shown };
    let mut report = Report::default();
    let mut now = Listing { directories: scan.directories.into_iter().collect(), files: Vec::new() };
    let mut due: Vec<Named> = Vec::new();
    for ((path, output), place) in scan.places {
        match place {
            Place::Same(sig) => now.files.push((path.to_string(), Known::Output(sig, *output.seal()))),
            Place::Foreign(_) if !force => report.keep(path.to_string(), Why::Foreign),
            Place::Missing | Place::Stale | Place::Foreign(_) => due.push((path, output)),
            Place::Blocked(at) => report.keep(at, Why::InTheWay),
        }
    }
    report.unchanged = now.files.len();
    report.written = due.len();
    if !due.is_empty() {
        let written = writer.directory(out, ".", &due, false)?;
        now.files.extend(written.files);
        now.directories.extend(written.directories);
    }
    let mut emptied = BTreeSet::new();
    for (path, stray) in scan.strays {
        match stray {
            Stray::Foreign(sig) => now.files.push((path, Known::Foreign(sig))),
            Stray::Other => now.files.push((path, Known::Other)),
            Stray::Leftover | Stray::Temporary => {
                report.deleted += usize::from(stray == Stray::Leftover);
                writer.remove(out, &path, Dir::remove_file)?;
                emptied.insert(parent(&path).to_owned());
            }
        }
    }
    while let Some(path) = emptied.pop_last() {
        if path != "." && writer.remove(out, &path, Dir::remove_empty_dir)? {
            now.directories.remove(&path);
            emptied.insert(parent(&path).to_owned());
        } else {
            now.directories.insert(path, Sig::default());
        }
    }
    Ok((report, now))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(parent, _)| parent)
}

struct Writer<'s> {
    /// The output directory as messages show it.
    shown: &'s str,
}

impl Writer<'_> {
    /// Writes the outputs at or beneath one directory, those in different directories side by side.
    ///
    /// The signature of a directory that this run made is taken when everything is in it. In any other, somebody
    /// else may have put something after it was surveyed: the next run is to list it.
    fn directory(&self, dir: &Dir, path: &str, outputs: &[Named], made: bool) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let mut below: Vec<(&str, &[Named])> = Vec::new();
        for (name, run) in by_name(outputs, depth(path)) {
            let at = path_in(path, name);
            match run {
                [(output_path, output)] if output_path.as_str() == at => {
                    let bytes = output.text();
                    let sig = dir.replace(name, bytes.as_bytes());
                    let sig = sig.map_err(|error| self.error("write", &at, error))?;
                    listing.files.push((at, Known::Output(sig, *output.seal())));
                }
                run => below.push((name, run)),
            }
        }
        let each = below.par_iter().map(|(name, run)| {
            let at = path_in(path, name);
            let made = dir.make_dir(name).map_err(|error| self.error("make the directory", &at, error));
            made.and_then(|(dir, made)| self.directory(&dir, &at, run, made))
        });
        let each: Vec<Result<Listing, Error>> = each.collect();
        for one in each {
            let one = one?;
            listing.files.extend(one.files);
            listing.directories.extend(one.directories);
        }
        let sig = match made {
            true => dir.status().map_err(|errno| self.error("look at", path, errno.into()))?.sig,
            false => Sig::default(),
        };
        listing.directories.insert(path.to_owned(), sig);
        Ok(listing)
    }

    /// Removes a file or directory at any depth.
    fn remove<T>(&self, out: &Dir, path: &str, how: fn(&Dir, &str) -> io::Result<T>) -> Result<T, Error> {
        let removed = match path.rsplit_once('/') {
            None => how(out, path),
            Some((parent, name)) => out.open_dir(parent).map_err(Into::into).and_then(|dir| how(&dir, name)),
        };
        removed.map_err(|error| self.error("delete", path, error))
    }

    fn error(&self, doing: &'static str, path: &str, cause: io::Error) -> Error {
        Error::new(doing, path_in(self.shown, path), cause)
    }
}

impl Report {
    fn keep(&mut self, path: String, why: Why) {
        if self.kept.last().is_none_or(|last| last.path != path) {
            self.kept.push(Kept { path, why });
        }
    }
}
