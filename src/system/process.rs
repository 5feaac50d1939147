//! Other programs: from a fixed list of words to what the program said and how it ended.
//!
//! A program gets no shell, no standard input unless given, a process group of its own, and of the environment just
//! what its caller names. It is ended, with everything it started, when its time is over, when it says more than its
//! caller reads, or when drvc is interrupted.

mod dialogue;

pub use dialogue::Dialogue;

use crate::text::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program's time and the interruption are looked at.
const TICK: Duration = Duration::from_millis(50);
/// What a program that was asked to end is given before it is killed.
const GRACE: Duration = Duration::from_millis(700);
/// What may be read of a program by default, in bytes.
const LIMIT: usize = 8 << 20;

/// The variables of an environment, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Of the running process; what is not UTF-8 is left out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// Of the pairs given.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables whose name matches one of `patterns`: a name, or a prefix that ends in `*`.
    fn matching(&self, patterns: &[&str]) -> impl Iterator<Item = (&String, &String)> {
        let fits = |name: &str| {
            patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *pattern,
            })
        };
        self.0.iter().filter(move |(name, _)| fits(name))
    }
}

/// Whether the user wants drvc to stop: set by SIGINT and SIGTERM once [`Interrupt::of_signals`] listens.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
    halted: Arc<AtomicBool>,
}

impl Interrupt {
    /// One that SIGINT and SIGTERM set from now on. Until then either ends the process at once.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub fn of_signals() -> Result<Self, Error> {
        let interrupt = Self::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.signal), number)
                .map_err(|cause| Error::new("listen to", "signals", cause))?;
        }
        Ok(interrupt)
    }

    /// The number of the signal that came, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<u8> {
        u8::try_from(self.signal.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }

    /// Ends what runs under it as a signal would, without one: something else has failed.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Whether what runs under it is to end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.signal().is_some() || self.halted.load(Ordering::Relaxed)
    }
}

/// Which of its outputs a program wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code; 128 and more for a signal that another process sent.
    Code(i32),
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended because drvc was interrupted.
    Interrupted,
    /// It was ended because it said more than was to be read.
    TooMuch,
}

/// What a program said, and how it ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Whether it ended by itself with exit code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.ended == Ended::Code(0)
    }
}

/// A program to run, its words and its bounds.
#[derive(Debug)]
#[must_use]
pub struct Program {
    name: String,
    command: Command,
    input: Vec<u8>,
    timeout: Option<Duration>,
    limit: usize,
    interrupt: Interrupt,
}

impl Program {
    /// The program `name`, found by `PATH`, with nothing of the environment but `PATH` itself.
    pub fn new(name: &str, environment: &Environment) -> Self {
        let mut command = Command::new(name);
        command.env_clear().process_group(0);
        let program = Self {
            name: name.to_owned(),
            command,
            input: Vec::new(),
            timeout: None,
            limit: LIMIT,
            interrupt: Interrupt::default(),
        };
        program.inherit(environment, &["PATH"])
    }

    /// Passes on the variables that match `patterns`: names, or prefixes that end in `*`.
    pub fn inherit(mut self, environment: &Environment, patterns: &[&str]) -> Self {
        self.command.envs(environment.matching(patterns));
        self
    }

    /// Sets one variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// One more word.
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        self.command.arg(word.as_ref());
        self
    }

    /// More words.
    pub fn args<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.command.args(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// The directory it runs in.
    pub fn directory(mut self, directory: &Utf8Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What it reads from its standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Ends it after this time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Ends it when it says more than this many bytes.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Ends it when drvc is interrupted.
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Runs it to its end and gives back all it said.
    ///
    /// # Errors
    /// It cannot be started. How it ended, well or not, is in the result.
    pub fn output(self) -> Result<Finished, Error> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ended = self.lines(|stream, line| match stream {
            Stream::Out => stdout.extend_from_slice(line),
            Stream::Err => stderr.extend_from_slice(line),
        })?;
        Ok(Finished { ended, stdout, stderr })
    }

    /// Runs it to its end and gives each line, with its line feed, to `each` as it comes.
    ///
    /// # Errors
    /// It cannot be started. How it ended, well or not, is the result.
    pub fn lines(mut self, mut each: impl FnMut(Stream, &[u8])) -> Result<Ended, Error> {
        let pipes = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().map_err(|cause| self.not_started(cause))?;
        let group = Group::of(&child);
        let (sender, receiver) = mpsc::sync_channel(64);
        let threads = feed(child.stdin.take(), std::mem::take(&mut self.input))
            .and_then(|()| read(child.stdout.take(), Stream::Out, &sender))
            .and_then(|()| read(child.stderr.take(), Stream::Err, &sender));
        drop(sender);
        if let Err(cause) = threads {
            group.end(&mut child);
            return Err(self.not_started(cause));
        }

        let start = Instant::now();
        let mut read = 0;
        let (mut quiet_since, mut gone_since) = (Instant::now(), None);
        let stop = loop {
            match receiver.recv_timeout(TICK) {
                Ok((stream, line)) => {
                    read += line.len();
                    quiet_since = Instant::now();
                    each(stream, &line);
                }
                Err(silence) => {
                    if silence == RecvTimeoutError::Disconnected {
                        thread::sleep(TICK / 10);
                    }
                    let status =
                        child.try_wait().map_err(|cause| Error::new("wait for", &self.name, cause))?;
                    if let Some(status) = status {
                        // What it left running in the background may hold its outputs open for ever; what it said last
                        // may not have been read yet.
                        let gone = gone_since.get_or_insert_with(Instant::now).elapsed();
                        let silent = gone.min(quiet_since.elapsed()) > GRACE;
                        if silent || silence == RecvTimeoutError::Disconnected {
                            return Ok(Ended::Code(code_of(status)));
                        }
                    }
                }
            }
            if read > self.limit {
                break Ended::TooMuch;
            }
            if self.interrupt.is_set() {
                break Ended::Interrupted;
            }
            if self.timeout.is_some_and(|timeout| start.elapsed() > timeout) {
                break Ended::TimedOut;
            }
        };
        // What it still says while it ends is read, so that it cannot hang on a full pipe.
        let drain = thread::Builder::new().spawn(move || receiver.into_iter().for_each(drop));
        group.end(&mut child);
        drop(drain);
        Ok(stop)
    }

    fn not_started(&self, cause: io::Error) -> Error {
        let kind = cause.kind();
        let error = Error::new("run", &self.name, cause);
        match kind {
            io::ErrorKind::NotFound => {
                error.help(format!("install `{}`, or add its directory to PATH", self.name))
            }
            io::ErrorKind::WouldBlock => {
                error.help("allow more processes and threads: `ulimit -u`, or the limit of the container")
            }
            _ => error,
        }
    }
}

/// The process group of a child.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    /// Asks the group to end, and kills what is left of it after [`GRACE`].
    fn end(&self, child: &mut Child) {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
            thread::sleep(TICK / 5);
        }
        self.signal(Signal::KILL);
        // A process that was killed is reaped; that it cannot be waited for changes nothing.
        drop(child.wait());
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // A group that is gone already needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

fn code_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(-1)
}

fn feed(pipe: Option<impl Write + Send + 'static>, input: Vec<u8>) -> io::Result<()> {
    let Some(mut pipe) = pipe.filter(|_| !input.is_empty()) else { return Ok(()) };
    // A program need not read its input to the end.
    thread::Builder::new().spawn(move || drop(pipe.write_all(&input))).map(drop)
}

fn read(
    pipe: Option<impl Read + Send + 'static>,
    stream: Stream,
    sender: &mpsc::SyncSender<(Stream, Vec<u8>)>,
) -> io::Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    let sender = sender.clone();
    let reader = move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            // A line without an end is handed over in pieces.
            match pipe.by_ref().take(64 << 10).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if sender.send((stream, line)).is_err() => return,
                Ok(_) => {}
            }
        }
    };
    thread::Builder::new().spawn(reader).map(drop)
}

/// The first of `names` that is a program in one of the directories of `PATH`.
#[must_use]
pub fn find_program(environment: &Environment, names: &[&str]) -> Option<Utf8PathBuf> {
    let path = environment.get("PATH")?;
    let places = |name: &&str| {
        let files =
            path.split(':').filter(|part| !part.is_empty()).map(|part| Utf8Path::new(part).join(name));
        files.into_iter().find(|file| rustix::fs::access(file.as_str(), rustix::fs::Access::EXEC_OK).is_ok())
    };
    names.iter().find_map(places)
}

#[cfg(test)]
mod tests;
