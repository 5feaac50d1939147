//! Bytes -> files, all or nothing: a temporary beside the target, then a rename; never through a link.

use super::dir::{Dir, Status};
use super::{Kind, Sig};
use camino::Utf8Path;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fs::File;
use std::io::{Result, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

const TEMPORARY: &str = ".drvc-tmp-";

/// Whether a file of this name is what a run that died has left: `.drvc-tmp-PID-NUMBER`.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let rest = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(pid, count)| number(pid) && number(count))
}

/// A temporary name that no other run has.
pub(super) fn next_temporary() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{TEMPORARY}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Whether a name is a temporary one of a process that is gone.
pub(super) fn is_dead(name: &str) -> bool {
    let pid = name.split('-').nth(2).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    is_temporary(name) && pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

/// Puts a file with these bytes at a path of the user's word, in place of a file that stands there.
///
/// # Errors
/// What the system says; then a file that stood there is as it was.
pub fn write(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let directory = path.parent().map(Utf8Path::as_str).filter(|parent| !parent.is_empty()).unwrap_or(".");
    let name = path.file_name().ok_or(Errno::ISDIR)?;
    Dir::open_root(directory)?.replace(name, bytes).map(drop)
}

/// A file that exists under a temporary name, until it is put in its place or dropped.
#[derive(Debug)]
pub struct Temporary<'a> {
    dir: &'a Dir,
    name: Option<String>,
    file: File,
}

impl Dir {
    /// Makes a directory right in this one, if none stands there, and opens it. Says whether it was made.
    ///
    /// # Errors
    /// What the system says; a link or file that stands there is in the way.
    pub fn make_dir(&self, name: &str) -> Result<(Self, bool)> {
        let made = match rustix::fs::mkdirat(self, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(errno.into()),
        };
        Ok((self.open_dir(name)?, made))
    }

    /// Makes every directory on the way to `path` that does not exist yet, and opens the last.
    ///
    /// # Errors
    /// What the system says; a link or file that stands in the way.
    pub fn make_dirs(&self, path: &str) -> Result<Self> {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let (dir, _) = self.make_dir(first)?;
        match rest {
            Some(rest) => dir.make_dirs(rest),
            None => Ok(dir),
        }
    }

    /// Opens the file right in this directory for locking, and makes an empty one if there is none.
    ///
    /// # Errors
    /// What the system says; a link or anything but a regular file that stands there is in the way.
    pub fn open_or_create(&self, name: &str) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(self, name, flags, Mode::from_raw_mode(0o666))?;
        match Status::of(&fd)?.kind {
            Kind::File => Ok(fd.into()),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// Opens the file right in this directory for writing all of it, under its own name while it grows: for logs.
    ///
    /// # Errors
    /// As [`Dir::open_or_create`].
    pub fn begin(&self, name: &str) -> Result<File> {
        let file = self.open_or_create(name)?;
        file.set_len(0)?;
        Ok(file)
    }

    /// Puts a file with these bytes right into this directory, in place of a file that stands there.
    ///
    /// # Errors
    /// What the system says; then a file that stood there is as it was.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<Sig> {
        let mut temporary = self.temporary()?;
        temporary.write(bytes)?;
        temporary.rename(name)
    }

    /// Makes a file with these bytes right in this directory, unless something stands there.
    ///
    /// # Errors
    /// What the system says; what stood there is as it was.
    pub fn create_new(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut temporary = self.temporary()?;
        temporary.write(bytes)?;
        let made = temporary.name.clone().unwrap_or_default();
        match rustix::fs::renameat_with(self, &made, self, name, RenameFlags::NOREPLACE) {
            // File systems that know no such rename (NFS) refuse a second name where the name is taken.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                Ok(rustix::fs::linkat(self, made, self, name, AtFlags::empty())?)
            }
            renamed => {
                renamed?;
                temporary.name = None;
                Ok(())
            }
        }
    }

    /// Makes a file with these bytes right in this directory, which nobody knows yet (see [`Dir::aside`]).
    ///
    /// # Errors
    /// What the system says, also where something stands there; then a part of the file may be there.
    pub fn fill(&self, name: &str, bytes: &[u8], executable: bool) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
        File::from(rustix::fs::openat(self, name, flags, mode)?).write_all(bytes)
    }

    /// Makes a symbolic link with this text right in this directory, unless something stands there.
    ///
    /// # Errors
    /// What the system says; what stood there is as it was.
    pub fn create_link(&self, name: &str, target: &str) -> Result<()> {
        Ok(rustix::fs::symlinkat(target, self, name)?)
    }

    /// Puts other bytes into a file right in this directory, as durably as
    /// [`replace_durably`](Self::replace_durably); its permissions stay.
    ///
    /// # Errors
    /// What the system says; then the file is as it was. A link is not followed.
    pub fn rewrite(&self, name: &str, bytes: &[u8]) -> Result<Sig> {
        let mode = self.open_file(name)?.status.sig.mode & 0o7777;
        let mut temporary = self.temporary()?;
        rustix::fs::fchmod(&temporary.file, Mode::from_raw_mode(mode))?;
        temporary.write(bytes)?;
        temporary.rename_durably(name)
    }

    /// As [`replace`](Self::replace), and on the disk before the file has its name: the old bytes or the new, whenever
    /// the machine stops.
    ///
    /// # Errors
    /// What the system says; then a file that stood there is as it was.
    pub fn replace_durably(&self, name: &str, bytes: &[u8]) -> Result<Sig> {
        let mut temporary = self.temporary()?;
        temporary.write(bytes)?;
        temporary.rename_durably(name)
    }

    /// Makes an empty temporary file in this directory.
    ///
    /// # Errors
    /// What the system says.
    pub fn temporary(&self) -> Result<Temporary<'_>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        loop {
            let name = next_temporary();
            match rustix::fs::openat(self, &name, flags, Mode::from_raw_mode(0o666)) {
                Ok(fd) => return Ok(Temporary { dir: self, name: Some(name), file: fd.into() }),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Removes the temporary files right in this directory whose process is gone: a run that was killed left them.
    pub fn remove_dead_temporaries(&self) {
        let names = self.entries().unwrap_or_default().into_iter().map(|entry| entry.name);
        for name in names.filter(|name| is_dead(name)) {
            // Should this fail, the next run removes it.
            let _ = self.remove_file(&name);
        }
    }

    /// Removes the file of this name.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_file(&self, name: &str) -> Result<()> {
        Ok(rustix::fs::unlinkat(self, name, AtFlags::empty())?)
    }

    /// Removes the directory of this name if it is empty, and says whether it did.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_empty_dir(&self, name: &str) -> Result<bool> {
        match rustix::fs::unlinkat(self, name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Temporary<'_> {
    /// Its status now.
    ///
    /// # Errors
    /// What the system says.
    pub fn status(&self) -> Result<Status> {
        Ok(Status::of(&self.file)?)
    }

    /// Appends these bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)
    }

    /// As [`rename`](Self::rename), with file and name on the disk afterwards.
    fn rename_durably(self, name: &str) -> Result<Sig> {
        let dir = self.dir;
        self.file.sync_all()?;
        let sig = self.rename(name)?;
        rustix::fs::fsync(dir)?;
        Ok(sig)
    }

    /// Puts it in its place, over a file that stands there, and returns its signature from then on.
    ///
    /// # Errors
    /// What the system says.
    pub fn rename(mut self, name: &str) -> Result<Sig> {
        if let Some(temporary) = &self.name {
            rustix::fs::renameat(self.dir, temporary, self.dir, name)?;
            self.name = None;
        }
        Ok(self.status()?.sig)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Should this fail too, the next run removes it.
            let _ = self.dir.remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn open(home: &tempfile::TempDir) -> Dir {
        Dir::open_root(home.path().to_str().unwrap()).unwrap()
    }

    #[test]
    fn replaces_whole_files_and_leaves_no_temporary() {
        let home = tempfile::tempdir().unwrap();
        let dir = open(&home);
        dir.replace("f", b"first").unwrap();
        let sig = dir.replace("f", b"second").unwrap();
        assert_eq!(std::fs::read(home.path().join("f")).unwrap(), b"second");
        assert_eq!(dir.status_of("f").unwrap().sig, sig);
        std::fs::create_dir(home.path().join("d")).unwrap();
        assert!(dir.replace("d", b"").is_err());
        drop(dir.temporary().unwrap());
        let names: Vec<String> = open(&home).entries().unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["d", "f"]);
    }

    #[test]
    fn rewriting_keeps_the_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let (dir, file) = (open(&home), home.path().join("f"));
        std::fs::write(&file, "first").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        dir.rewrite("f", b"second").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
        symlink("f", home.path().join("link")).unwrap();
        assert!(dir.rewrite("link", b"third").is_err() && dir.rewrite("none", b"").is_err());
    }

    #[test]
    fn nothing_is_made_through_a_link() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path(), home.path().join("link")).unwrap();
        symlink(elsewhere.path().join("new"), home.path().join("lock")).unwrap();
        let dir = open(&home);
        assert!(dir.make_dir("link").is_err());
        assert!(dir.make_dirs("link/below").is_err());
        assert!(dir.open_or_create("lock").is_err());
        dir.replace("lock", b"").unwrap();
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn temporaries_are_known_by_name() {
        for (name, is) in [
            (".drvc-tmp-12-3", true),
            (".drvc-tmp-12", false),
            (".drvc-tmp--3", false),
            (".drvc-tmp-mine-3", false),
            ("drvc-tmp-1-1", false),
        ] {
            assert_eq!(is_temporary(name), is, "{name}");
        }
    }
}
