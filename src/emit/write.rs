//! A [`Survey`] -> the files on disk: first everything new is put in its place, then leftovers are deleted.

use super::survey::{Named, Place, Stray, Survey, by_name, depth};
use super::{Kept, Report, Why};
use crate::error::Error;
use crate::fs::{Dir, path_in};
use crate::state::Known;
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
pub fn settle(
    out: &Dir,
    shown: &str,
    survey: Survey,
    force: bool,
) -> Result<(Report, Vec<(String, Known)>), Error> {
    let writer = Writer { shown };
    let mut report = Report::default();
    let mut known = Vec::with_capacity(survey.places.len());
    let mut due: Vec<Named> = Vec::new();
    let mut directories: BTreeSet<String> = survey.directories.into_iter().collect();
    for ((path, output), place) in survey.places {
        match place {
            Place::Same(sig) => known.push((path.to_string(), Known::Output(sig, *output.seal()))),
            Place::Foreign(_) if !force => report.keep(path.to_string(), Why::Foreign),
            Place::Missing | Place::Stale | Place::Foreign(_) => due.push((path, output)),
            Place::Blocked(at) => report.keep(at, Why::InTheWay),
        }
    }
    report.unchanged = known.len();
    report.written = due.len();
    note_parents(&due, &mut directories);
    known.append(&mut writer.directory(out, ".", &due)?);

    let mut emptied = BTreeSet::new();
    for (path, stray) in survey.strays {
        match stray {
            Stray::Foreign(sig) => known.push((path, Known::Foreign(sig))),
            Stray::Other => known.push((path, Known::Other)),
            Stray::Leftover | Stray::Temporary => {
                report.deleted += usize::from(stray == Stray::Leftover);
                writer.remove(out, &path, Dir::remove_file)?;
                emptied.extend(parent(&path));
            }
        }
    }
    while let Some(path) = emptied.pop_last() {
        if writer.remove(out, &path, Dir::remove_empty_dir)? {
            directories.remove(&path);
            emptied.extend(parent(&path));
        }
    }
    known.extend(directories.into_iter().map(|path| (path, Known::Directory)));
    Ok((report, known))
}

fn parent(path: &str) -> Option<String> {
    path.rsplit_once('/').map(|(parent, _)| parent.to_owned())
}

/// Adds every directory that these outputs need.
fn note_parents(outputs: &[Named], directories: &mut BTreeSet<String>) {
    for (path, _) in outputs {
        let mut above = parent(path.as_str());
        while let Some(path) = above {
            above = parent(&path);
            if !directories.insert(path) {
                break;
            }
        }
    }
}

struct Writer<'s> {
    /// The output directory as messages show it.
    shown: &'s str,
}

impl Writer<'_> {
    /// Writes the outputs at or beneath one directory, those in different directories side by side.
    fn directory(&self, dir: &Dir, path: &str, outputs: &[Named]) -> Result<Vec<(String, Known)>, Error> {
        let mut known = Vec::new();
        let mut below: Vec<(&str, &[Named])> = Vec::new();
        for (name, run) in by_name(outputs, depth(path)) {
            let at = path_in(path, name);
            match run {
                [(output_path, output)] if output_path.as_str() == at => {
                    let bytes = output.text().to_string();
                    let sig = dir.replace(name, bytes.as_bytes());
                    let sig = sig.map_err(|error| self.error("write", &at, error))?;
                    known.push((at, Known::Output(sig, *output.seal())));
                }
                run => below.push((name, run)),
            }
        }
        let each = below.par_iter().map(|(name, run)| {
            let at = path_in(path, name);
            let dir = dir.make_dir(name).map_err(|error| self.error("make the directory", &at, error))?;
            self.directory(&dir, &at, run)
        });
        let each: Vec<Result<Vec<(String, Known)>, Error>> = each.collect();
        for one in each {
            known.append(&mut one?);
        }
        Ok(known)
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
