//! A file's name -> the right to go on that one process at a time has.

use super::dir::{Dir, Status};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Result};

/// A lock; given back when it is dropped, or the process ends.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Dir {
    /// Locks the file right in this directory, and makes an empty one if there is none. Nothing, if another
    /// process has it, or has removed it meanwhile: then ask again.
    ///
    /// Where the file system knows no locks, everybody gets one.
    ///
    /// # Errors
    /// What the system says; a link or anything but a regular file that stands there is in the way.
    pub fn try_lock(&self, name: &str) -> Result<Option<Held>> {
        let file = match self.open_or_create(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let inode = Status::of(&file)?.sig.inode;
        let still_there = self.status_of(name).is_ok_and(|status| status.sig.inode == inode);
        Ok(still_there.then_some(Held(file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_even_where_the_file_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let dir = Dir::open_root(home.path().to_str().unwrap()).unwrap();
        let first = dir.try_lock("lock").unwrap();
        assert!(first.is_some());
        assert!(dir.try_lock("lock").unwrap().is_none());
        drop(first);
        let second = dir.try_lock("lock").unwrap();
        dir.remove_file("lock").unwrap();
        let third = dir.try_lock("lock").unwrap();
        assert!(second.is_some() && third.is_some());
        assert!(dir.try_lock("lock").unwrap().is_none());
    }
}
