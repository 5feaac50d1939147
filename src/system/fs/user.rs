//! Paths that the user's environment names -> files outside of the project: settings, credentials, caches.
//!
//! They are the user's own, so links in them are followed; nothing of the manifest ever gets here.

use super::dir::Dir;
use camino::Utf8Path;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io::{Error, Read as _, Result};

impl Dir {
    /// Opens a directory by its path, and makes those on the way that do not exist, for the user alone.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_private(path: &str) -> Result<Self> {
        let mut above = Utf8Path::new(path).ancestors().collect::<Vec<_>>();
        above.reverse();
        for directory in above.into_iter().filter(|directory| !directory.as_str().is_empty()) {
            match rustix::fs::mkdir(directory.as_str(), Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(rustix::io::Errno::EXIST | rustix::io::Errno::ROFS) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Self::open_root(path)?)
    }
}

/// A file that is open.
pub type UserFile = std::fs::File;

/// Opens one of the user's own files for reading; nothing, if there is none.
///
/// # Errors
/// What the system says, and that it is not a regular file.
pub fn open_user_file(path: &Utf8Path) -> Result<Option<UserFile>> {
    // Without waiting: a FIFO has no end until somebody opens the other one.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match rustix::fs::open(path.as_str(), flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        file => std::fs::File::from(file?),
    };
    if !file.metadata()?.is_file() {
        return Err(Error::other("not a regular file"));
    }
    Ok(Some(file))
}

/// The bytes of one of the user's own files, of at most `limit` bytes; nothing, if there is none.
///
/// # Errors
/// What the system says, and that it is larger.
pub fn read_user_file(path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(file) = open_user_file(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::other(format!("larger than {limit} bytes")));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bounded_and_may_be_absent() {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap();
        let dir = Dir::make_private(root.join("a/b").as_str()).unwrap();
        dir.replace("f", b"four").unwrap();
        assert_eq!(read_user_file(&root.join("a/b/f"), 4).unwrap().unwrap(), b"four");
        assert!(read_user_file(&root.join("a/b/f"), 3).is_err());
        assert!(read_user_file(&root.join("a"), 3).is_err());
        assert_eq!(read_user_file(&root.join("a/b/f/g"), 3).unwrap(), None);
        assert_eq!(read_user_file(&root.join("none"), 3).unwrap(), None);
        let pipe = root.join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, pipe.as_str(), Mode::from_raw_mode(0o600)).unwrap();
        assert!(read_user_file(&pipe, 3).unwrap_err().to_string().contains("not a regular file"));
    }
}
