//! Outputs -> files: the only writer. A run is either nothing at all or a full compilation.
//!
//! [`run`] tells it:
//!
//! 1. If compiling again would change nothing ([`freshness`]), that is all.
//! 2. Compile, in memory. Without outputs (the manifest has errors) nothing is touched.
//! 3. Take the [`lock`]. Should another run have ended meanwhile and an input have changed, compile again: the
//!    last to write has seen the latest inputs.
//! 4. Look at the output directory ([`survey`]), write what differs, delete leftovers ([`write`]).
//! 5. Save the state, unless something was kept that is not what it should be.

mod clean;
mod drift;
mod lock;
mod output_scan;
mod write;

pub use clean::{Cleaned, clean};
pub use drift::{Drift, DriftKind, check, diff};

use crate::compiler::outputs::Outputs;
use crate::store::state::{Freshness, HOME, Listing, Reason, Record, State, freshness, inputs_hold};
use crate::system::fs::{Answer, Dir, Disk, Folder, Hash, Reader, Sig};
use crate::text::error::Error;
use crate::text::ids::{FilePath, RelPath};
use lock::Lock;
use rustix::io::Errno;
use std::fmt;
use std::time::{Duration, Instant};

/// Where to write, and how.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The manifest's directory.
    pub root: &'a Disk,
    /// The output directory, beneath it.
    pub out: &'a RelPath,
    /// Digest of everything from the command line that outputs depend on.
    pub request: Hash,
    /// Overwrite files that drvc did not write, or that were edited.
    pub force: bool,
    /// Compile, and compare every byte, even if nothing seems to have changed.
    pub verify: bool,
    /// How long to wait for another run.
    pub patience: Duration,
    /// Called once, when waiting for another run takes long.
    pub waiting: &'a dyn Fn(),
    /// Hears what begins.
    pub phase: &'a dyn Fn(&'static str),
}

/// What a compilation hands over.
#[derive(Debug)]
pub struct Compiled<T> {
    /// The outputs; `None` where there are errors.
    pub outputs: Option<Outputs>,
    /// A note to the next run that finds nothing to do.
    pub memo: String,
    /// Whatever else the caller wants back.
    pub rest: T,
}

/// How a run went.
#[derive(Debug)]
#[must_use]
pub enum Run<T> {
    /// Nothing had changed; the note of the run that compiled.
    Fresh(String),
    /// The compilation made no outputs, and nothing was touched.
    Refused(T),
    /// The outputs stand there, but for what the report says was kept.
    Done {
        /// What the compilation had to say.
        rest: T,
        /// Why it was not skipped; `None` if that was asked for.
        reason: Option<Reason>,
        /// What was done.
        report: Report,
    },
}

/// What was done to the output directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Report {
    /// How many files were written, because their bytes differed or they did not exist.
    pub written: usize,
    /// How many had the very bytes.
    pub unchanged: usize,
    /// How many outputs of removed targets were deleted.
    pub deleted: usize,
    /// What stands in an output's place and was left alone; that output was not written.
    pub kept: Vec<Kept>,
}

/// Something in an output's place that was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its path relative to the output directory.
    pub path: String,
    pub why: Why,
}

/// Why something in an output's place was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// drvc did not write this file, or it was edited since.
    Foreign,
    /// It is a link, a directory in a file's place, a file in a directory's place, or a device.
    InTheWay,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not written by drvc, or edited since",
            Self::InTheWay => "in the way, and not the regular file or directory that is needed there",
        })
    }
}

/// Compiles if anything changed, and writes what differs.
///
/// `compile` is a pure function of what it reads through the reader and of what `job.request` is a digest of. It
/// is called at most twice, and not at all if it would make what it made before.
///
/// # Errors
/// What the system says, with the path, or that another run did not end in time.
pub fn run<T>(job: &Job, compile: impl Fn(&Reader) -> Compiled<T>) -> Result<Run<T>, Error> {
    let mut started = Instant::now();
    let before = state_sig(job)?;
    let (mut reason, mut last) = (None, None);
    (job.phase)("look for changes");
    if !job.verify {
        match freshness(job.root, job.out, &job.request) {
            Freshness::Stale(why, state) => (reason, last) = (Some(why), state),
            Freshness::Fresh { state, same } => {
                let memo = state.memo().to_owned();
                if !same {
                    refresh(job, *state, before, started);
                }
                return Ok(Run::Fresh(memo));
            }
        }
    }
    let (mut compiled, mut answers) = read_and_compile(job, &compile);
    if compiled.outputs.is_none() {
        return Ok(Run::Refused(compiled.rest));
    }
    let lock = Lock::acquire(job.root, job.out, job.patience, job.waiting)?;
    if State::sig(&lock.home) != before && !hold(job, &answers) {
        started = Instant::now();
        (compiled, answers) = read_and_compile(job, &compile);
    }
    let Compiled { outputs, memo, rest } = compiled;
    let Some(outputs) = outputs else { return Ok(Run::Refused(rest)) };
    let (report, listing) = emit(&lock, job, &outputs, last.as_deref())?;
    let remembered = if report.kept.is_empty() {
        let record = Record { request: job.request, memo, inputs: answers, outputs: listing };
        State::save(&lock.home, record, started)
    } else {
        State::forget(&lock.home)
    };
    remembered.map_err(|error| Error::new("write the state in", job.out.as_str(), error))?;
    Ok(Run::Done { rest, reason, report })
}

/// Writes some of the outputs, and leaves whatever else is in the directory as it is. The next run looks at all of it.
///
/// # Errors
/// As [`run`].
pub fn write_some(job: &Job, outputs: &Outputs) -> Result<Report, Error> {
    let lock = Lock::acquire(job.root, job.out, job.patience, job.waiting)?;
    let mut scan = output_scan::scan(Some(&lock.out), job.out.as_str(), outputs, None)?;
    scan.strays.clear();
    let (report, _) = write::settle(&lock.out, job.out.as_str(), scan, job.force)?;
    let forgotten = State::forget(&lock.home);
    forgotten.map_err(|error| Error::new("write the state in", job.out.as_str(), error))?;
    Ok(report)
}

type Answers = Vec<(FilePath, Answer)>;

fn read_and_compile<T>(job: &Job, compile: &impl Fn(&Reader) -> Compiled<T>) -> (Compiled<T>, Answers) {
    let reader = Reader::new(job.root).hide(job.out.clone());
    let compiled = compile(&reader);
    (compiled, reader.answers())
}

fn emit(lock: &Lock, job: &Job, outputs: &Outputs, last: Option<&State>) -> Result<(Report, Listing), Error> {
    (job.phase)("look at the output directory");
    let scan = output_scan::scan(Some(&lock.out), job.out.as_str(), outputs, last)?;
    (job.phase)("write");
    write::settle(&lock.out, job.out.as_str(), scan, job.force)
}

fn hold(job: &Job, answers: &Answers) -> bool {
    let answers = answers.iter().map(|(path, answer)| (path.to_string(), *answer));
    inputs_hold(job.root, job.out, &mut Folder::group(answers, Vec::new())).is_ok()
}

/// Saves new signatures of the same content. Only a convenience of the next run: any failure is ignored.
fn refresh(job: &Job, state: State, before: Option<Sig>, started: Instant) {
    if let Ok(lock) = Lock::acquire(job.root, job.out, Duration::ZERO, &|| {})
        && State::sig(&lock.home) == before
    {
        let _ = state.write(&lock.home, started);
    }
}

/// The output directory, if it exists.
fn open(root: &Disk, out: &RelPath) -> Result<Option<Dir>, Error> {
    match root.root().open_dir(out.as_str()) {
        Ok(dir) => Ok(Some(dir)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Error::new("open", out.as_str(), std::io::Error::from(errno))),
    }
}

fn state_sig(job: &Job) -> Result<Option<Sig>, Error> {
    let home = open(job.root, job.out)?.and_then(|out| out.open_dir(HOME).ok());
    Ok(home.and_then(|home| State::sig(&home)))
}
