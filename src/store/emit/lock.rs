//! Two runs in one output directory -> one after the other.

use crate::store::state::{HOME, LOCK};
use crate::system::fs::{Dir, Disk, Held, is_temporary};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use std::io;
use std::time::{Duration, Instant};

/// Only a wait that is longer than this is worth a word.
const QUIET: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change an output directory; given back when it is dropped.
#[derive(Debug)]
pub struct Lock {
    /// The output directory.
    pub out: Dir,
    /// `.drvc` in it.
    pub home: Dir,
    _held: Held,
}

impl Lock {
    /// Makes the output directory and `.drvc` where they are missing, and waits until no other run writes here:
    /// at most for `patience`. Calls `waiting` once, should it take long.
    ///
    /// # Errors
    /// What the system says, or that patience ran out.
    pub fn acquire(
        root: &Disk,
        out: &RelPath,
        patience: Duration,
        waiting: &dyn Fn(),
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let attempt = Self::attempt(root.root(), out.as_str());
            if let Some(lock) = attempt.map_err(|error| Error::new("write to", out.as_str(), error))? {
                return Ok(lock);
            }
            if began.elapsed() >= patience {
                let cause = format!("another drvc has held it for {} s", began.elapsed().as_secs());
                let help = "wait until it is done, or be more patient with `--lock-timeout`";
                return Err(Error::new("lock", out.as_str(), cause).help(help));
            }
            if !told && began.elapsed() >= QUIET {
                waiting();
                told = true;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Nothing, if another run has the lock, or removes the directories at this moment.
    fn attempt(root: &Dir, out: &str) -> io::Result<Option<Self>> {
        let open = || -> io::Result<Option<Self>> {
            let out = root.make_dirs(out)?;
            let (home, _) = out.make_dir(HOME)?;
            let Some(held) = home.try_lock(LOCK)? else { return Ok(None) };
            tidy(&home)?;
            Ok(Some(Self { out, home, _held: held }))
        };
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            lock => lock,
        }
    }
}

/// Removes what dead runs left in `.drvc`, and keeps git out of it.
fn tidy(home: &Dir) -> io::Result<()> {
    let entries = home.entries()?;
    for entry in entries.iter().filter(|entry| is_temporary(&entry.name)) {
        home.remove_file(&entry.name)?;
    }
    if entries.iter().all(|entry| entry.name != ".gitignore") {
        home.replace(".gitignore", b"*\n")?;
    }
    Ok(())
}
