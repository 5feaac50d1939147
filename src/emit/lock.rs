//! Two runs in one output directory -> one after the other.

use crate::error::Error;
use crate::fs::{Dir, Disk, is_temporary, path_in};
use crate::ids::RelPath;
use crate::state::{HOME, LOCK};
use std::fs::{File, TryLockError};
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
    _held: File,
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
        let shown = out.as_str();
        let failed = |error| Error::new("write to", path_in(shown, HOME), error);
        let dir = root.root().make_dirs(shown).map_err(|error| Error::new("open", shown, error))?;
        let began = Instant::now();
        let mut told = false;
        loop {
            let home = dir.make_dir(HOME).map_err(failed)?;
            if let Some(held) = try_lock(&home).map_err(failed)? {
                tidy(&home).map_err(failed)?;
                return Ok(Self { out: dir, home, _held: held });
            }
            if began.elapsed() >= patience {
                let cause = format!("another drvc has held it for {} s", began.elapsed().as_secs());
                let help = "wait until it is done, or be more patient with `--lock-timeout`";
                return Err(Error::new("lock", shown, cause).help(help));
            }
            if !told && began.elapsed() >= QUIET {
                waiting();
                told = true;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// The locked file; nothing, if another run has it, or has just removed it.
fn try_lock(home: &Dir) -> io::Result<Option<File>> {
    let file = match home.open_or_create(LOCK) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        // Without locks on this file system, runs can still not tear each other's files.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let still_there = home.status_of(LOCK).is_ok_and(|status| status.sig.inode == inode(&file));
    Ok(still_there.then_some(file))
}

fn inode(file: &File) -> u64 {
    crate::fs::Status::of(file).map_or(0, |status| status.sig.inode)
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
