//! The outputs and the output directory -> what has to be done to each file. Nothing is changed here.
//!
//! The directory is walked side by side with the sorted outputs: [`Surveyor::directory`] lists one directory,
//! meets each name with the outputs at or beneath it, and goes into the directories.

use crate::compiler::outputs::{Output, Outputs};
use crate::compiler::seal;
use crate::store::state::{HOME, Known, State};
use crate::system::fs::{Dir, Entry, Kind, Sig, is_temporary, path_in};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use rayon::prelude::*;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io;

/// An output and its path.
pub type Named<'a> = (&'a RelPath, &'a Output);

/// What stands where an output belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Missing,
    /// The very bytes.
    Same(Sig),
    /// Another output of drvc's, untouched.
    Stale,
    /// A file that drvc did not write, or that was edited since.
    Foreign(Sig),
    /// At this path, the output's or one on the way to it, something that is never replaced.
    Blocked(String),
}

/// What stands where no output belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// An untouched output of an earlier compilation.
    Leftover,
    /// A temporary file of a run that died.
    Temporary,
    /// A file of somebody else's.
    Foreign(Sig),
    /// A link, FIFO or the like.
    Other,
}

/// Everything at or beneath the output directory but `.drvc`, each part sorted by path.
#[derive(Debug, Default)]
pub struct OutputScan<'a> {
    /// Each output and what stands in its place.
    pub places: Vec<(Named<'a>, Place)>,
    /// Everything else but directories.
    pub strays: Vec<(String, Stray)>,
    /// The directories, `.` among them, and what each was before it was listed.
    pub directories: Vec<(String, Sig)>,
}

/// Looks at all of the output directory; `out` is `None` where it does not exist. A file that is as `last` knows
/// it is not read.
///
/// # Errors
/// A directory or file there that cannot be read.
pub fn scan<'a>(
    out: Option<&Dir>,
    shown: &str,
    outputs: &'a Outputs,
    last: Option<&State>,
) -> Result<OutputScan<'a>, Error> {
    let outputs: Vec<Named> = outputs.iter().collect();
    let mut scan = match out {
        None => OutputScan::missing(&outputs),
        Some(out) => Surveyor { shown, last }.directory(out, ".", &outputs)?,
    };
    scan.places.par_sort_unstable_by_key(|&((path, _), _)| path);
    scan.strays.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(scan)
}

/// The run of outputs that begin with each name in a directory, `skip` bytes into their paths.
pub fn by_name<'a, 'b>(outputs: &'b [Named<'a>], skip: usize) -> Vec<(&'a str, &'b [Named<'a>])> {
    let name = |output: &Named<'a>| {
        let below = output.0.as_str().get(skip..).unwrap_or_default();
        below.split_once('/').map_or((below, false), |(name, _)| (name, true))
    };
    let runs = outputs.chunk_by(|a, b| name(a) == name(b));
    runs.filter_map(|run| run.first().map(|first| (name(first).0, run))).collect()
}

/// How many bytes of a path lead into this directory.
pub fn depth(directory: &str) -> usize {
    if directory == "." { 0 } else { directory.len() + 1 }
}

struct Surveyor<'s> {
    /// The output directory as messages show it.
    shown: &'s str,
    last: Option<&'s State>,
}

impl Surveyor<'_> {
    fn directory<'a>(&self, dir: &Dir, path: &str, outputs: &[Named<'a>]) -> Result<OutputScan<'a>, Error> {
        let failed = |errno: Errno| self.error("list", path, errno.into());
        let sig = dir.status().map_err(failed)?.sig;
        let entries = dir.entries().map_err(failed)?;
        let mut scan = OutputScan { directories: vec![(path.to_owned(), sig)], ..OutputScan::default() };
        let mut expected: BTreeMap<&str, &[Named]> = BTreeMap::new();
        for (name, run) in by_name(outputs, depth(path)) {
            if let Some(file) = expected.insert(name, run) {
                scan.block(file, &path_in(path, name));
            }
        }
        let mut below: Vec<(String, &[Named])> = Vec::new();
        for entry in entries {
            let Entry { name, kind } = entry;
            if path == "." && name == HOME {
                continue;
            }
            let at = path_in(path, &name);
            match (expected.remove(name.as_str()), kind) {
                (None, Kind::Directory) => below.push((name, &[])),
                (None, _) => {
                    let stray = self.stray(dir, &name, kind, &at)?;
                    scan.strays.extend(stray.map(|stray| (at, stray)));
                }
                (Some([output]), Kind::File) if output.0.as_str() == at => {
                    let place = self.place(dir, path, &name, *output)?;
                    scan.places.push((*output, place));
                }
                (Some(run), Kind::Directory) if run.iter().all(|output| output.0.as_str() != at) => {
                    below.push((name, run));
                }
                (Some(run), _) => scan.block(run, &at),
            }
        }
        expected.values().for_each(|run| scan.places.extend(OutputScan::missing(run).places));
        let each = below.par_iter().map(|(name, run)| {
            let at = path_in(path, name);
            let dir = dir.open_dir(name).map_err(|errno| self.error("open", &at, errno.into()))?;
            self.directory(&dir, &at, run)
        });
        let each: Vec<Result<OutputScan, Error>> = each.collect();
        each.into_iter().try_fold(scan, |all, one| Ok(all.and(one?)))
    }

    fn place(&self, dir: &Dir, above: &str, name: &str, (path, output): Named) -> Result<Place, Error> {
        let failed = |error| self.error("read", path.as_str(), error);
        if let Some(Known::Output(sig, seal)) = self.last.and_then(|last| last.known(above, name))
            && seal == output.seal()
            && dir.status_of(name).is_ok_and(|now| now.sig == *sig)
        {
            return Ok(Place::Same(*sig));
        }
        let mut file = match dir.open_file(name) {
            // Somebody removed it after the directory was listed.
            Err(Errno::NOENT) => return Ok(Place::Missing),
            file => file.map_err(|errno| failed(errno.into()))?,
        };
        let sig = file.status.sig;
        if sig.size > seal::SIZE_LIMIT {
            return Ok(Place::Foreign(sig));
        }
        let bytes = file.read(seal::SIZE_LIMIT).map_err(failed)?;
        Ok(if output.text().as_bytes() == bytes {
            Place::Same(sig)
        } else if seal::verify(seal::Form::of(name), &bytes).is_some() {
            Place::Stale
        } else {
            Place::Foreign(sig)
        })
    }

    /// What an unexpected entry is; nothing, if somebody removed it after the directory was listed.
    fn stray(&self, dir: &Dir, name: &str, kind: Kind, path: &str) -> Result<Option<Stray>, Error> {
        if kind != Kind::File {
            return Ok(Some(Stray::Other));
        }
        if is_temporary(name) {
            return Ok(Some(Stray::Temporary));
        }
        let failed = |error| self.error("read", path, error);
        let mut file = match dir.open_file(name) {
            Err(Errno::NOENT) => return Ok(None),
            file => file.map_err(|errno| failed(errno.into()))?,
        };
        let sig = file.status.sig;
        let seal = seal::of_file(name, &mut file).map_err(failed)?;
        Ok(Some(if seal.is_some() { Stray::Leftover } else { Stray::Foreign(sig) }))
    }

    fn error(&self, doing: &'static str, path: &str, cause: io::Error) -> Error {
        Error::new(doing, path_in(self.shown, path), cause)
    }
}

impl<'a> OutputScan<'a> {
    fn missing(outputs: &[Named<'a>]) -> Self {
        let places = outputs.iter().map(|output| (*output, Place::Missing)).collect();
        Self { places, ..Self::default() }
    }

    fn block(&mut self, outputs: &[Named<'a>], at: &str) {
        let blocked = outputs.iter().map(|output| (*output, Place::Blocked(at.to_owned())));
        self.places.extend(blocked);
    }

    fn and(mut self, mut other: Self) -> Self {
        self.places.append(&mut other.places);
        self.strays.append(&mut other.strays);
        self.directories.append(&mut other.directories);
        self
    }
}
