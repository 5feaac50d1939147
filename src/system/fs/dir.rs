//! An open directory: every system call on files, each relative to a descriptor, none through a symbolic link.

use super::{Entry, Kind, Sig};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Stat};
use rustix::io::{Errno, Result};
use std::io::Read as _;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
const FILE: OFlags = READ.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const DIRECTORY: OFlags = READ.union(OFlags::DIRECTORY);
/// An open directory.
#[derive(Debug)]
pub struct Dir(OwnedFd);

/// What `stat` says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What stands there.
    pub kind: Kind,
    /// Its signature.
    pub sig: Sig,
    /// How many names it has.
    pub links: u64,
}

impl From<Stat> for Status {
    fn from(stat: Stat) -> Self {
        let nanoseconds = |seconds: i64, rest: u64| {
            seconds.saturating_mul(1_000_000_000).saturating_add(i64::try_from(rest).unwrap_or(0))
        };
        #[expect(clippy::useless_conversion, reason = "widths differ by architecture")]
        Self {
            kind: kind(FileType::from_raw_mode(stat.st_mode)),
            sig: Sig {
                size: u64::try_from(stat.st_size).unwrap_or(0),
                mtime: nanoseconds(stat.st_mtime.into(), stat.st_mtime_nsec.into()),
                ctime: nanoseconds(stat.st_ctime.into(), stat.st_ctime_nsec.into()),
                inode: stat.st_ino.into(),
                mode: stat.st_mode.into(),
            },
            links: stat.st_nlink.into(),
        }
    }
}

impl Status {
    /// Of an open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(file: impl AsFd) -> Result<Self> {
        rustix::fs::fstat(file).map(Self::from)
    }
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

/// An open regular file and what it was when it was opened.
#[derive(Debug)]
pub struct OpenFile {
    file: std::fs::File,
    /// Its status when it was opened.
    pub status: Status,
}

impl Dir {
    /// Opens a directory by any path, links and all: the user's word for where the project is.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_root(path: &str) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        rustix::fs::open(path, flags, Mode::empty()).map(Self)
    }

    /// Opens a directory beneath this one; `.` is this one again.
    ///
    /// # Errors
    /// What the system says; `ELOOP` for a link anywhere on the way.
    pub fn open_dir(&self, path: &str) -> Result<Self> {
        self.open(path, DIRECTORY).map(Self)
    }

    /// Opens a regular file beneath this directory for reading.
    ///
    /// # Errors
    /// What the system says; `EISDIR` for a directory, `EINVAL` for a device or the like.
    pub fn open_file(&self, path: &str) -> Result<OpenFile> {
        let fd = self.open(path, FILE)?;
        let status = Status::of(&fd)?;
        match status.kind {
            Kind::File => Ok(OpenFile { file: fd.into(), status }),
            Kind::Directory => Err(Errno::ISDIR),
            Kind::Link | Kind::Other => Err(Errno::INVAL),
        }
    }

    /// Status of the directory itself.
    ///
    /// # Errors
    /// What the system says.
    pub fn status(&self) -> Result<Status> {
        Status::of(&self.0)
    }

    /// Status of a name right in this directory; a link is described, not followed.
    ///
    /// With the path of something further down it is the fastest question there is, but links on the way are
    /// followed: it takes a caller who asks about those directories too.
    ///
    /// # Errors
    /// What the system says.
    pub fn status_of(&self, name: &str) -> Result<Status> {
        rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map(Status::from)
    }

    /// Where a link right in this directory leads, if that is UTF-8, and its status.
    ///
    /// # Errors
    /// What the system says; `EINVAL` for what is no link.
    pub fn read_link(&self, name: &str) -> Result<(Option<String>, Status)> {
        let status = self.status_of(name)?;
        let target = rustix::fs::readlinkat(&self.0, name, Vec::new())?;
        Ok((target.into_string().ok(), status))
    }

    /// The names in this directory, sorted by bytes, without `.` and `..`.
    ///
    /// # Errors
    /// What the system says.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        rustix::fs::seek(&self.0, SeekFrom::Start(0))?;
        let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 16 << 10];
        let mut names = RawDir::new(&self.0, &mut buffer);
        let mut entries = Vec::new();
        while let Some(entry) = names.next() {
            let entry = entry?;
            let (name, file_type) = (entry.file_name(), entry.file_type());
            match name.to_str() {
                Ok("." | "..") => {}
                Ok(name) if file_type == FileType::Unknown => {
                    entries.push(Entry { name: name.to_owned(), kind: self.status_of(name)?.kind });
                }
                Ok(name) => entries.push(Entry { name: name.to_owned(), kind: kind(file_type) }),
                Err(_) => {
                    let name = name.to_string_lossy().into_owned();
                    entries.push(Entry { name, kind: Kind::Other });
                }
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    /// Opens beneath this directory with the kernel's own guard, or by hand where the kernel has none (before
    /// Linux 5.6, or in a sandbox that does not know the call).
    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd> {
        static WITHOUT_OPENAT2: AtomicBool = AtomicBool::new(false);
        if !WITHOUT_OPENAT2.load(Ordering::Relaxed) {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
                Err(Errno::NOSYS | Errno::PERM) => WITHOUT_OPENAT2.store(true, Ordering::Relaxed),
                opened => return opened,
            }
        }
        self.open_by_components(path, flags)
    }

    fn open_by_components(&self, path: &str, flags: OFlags) -> Result<OwnedFd> {
        let mut above: Option<OwnedFd> = None;
        let mut rest = path;
        while let Some((name, below)) = rest.split_once('/') {
            above = Some(self.open_component(above.as_ref(), name, DIRECTORY)?);
            rest = below;
        }
        self.open_component(above.as_ref(), rest, flags)
    }

    fn open_component(&self, above: Option<&OwnedFd>, name: &str, flags: OFlags) -> Result<OwnedFd> {
        if name == ".." {
            return Err(Errno::XDEV);
        }
        let above = above.unwrap_or(&self.0);
        match rustix::fs::openat(above, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
            // With O_DIRECTORY the kernel calls a link "not a directory".
            Err(Errno::NOTDIR) if is_link(above, name) => Err(Errno::LOOP),
            opened => opened,
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_link(above: &OwnedFd, name: &str) -> bool {
    rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

impl OpenFile {
    /// All bytes from here to the end, at most `limit` of them.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&mut self, limit: u64) -> std::io::Result<Vec<u8>> {
        let size = usize::try_from(self.status.sig.size.min(limit)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(size + 1);
        (&mut self.file).take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn both_ways_to_open_agree() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("a/b")).unwrap();
        std::fs::write(home.path().join("a/b/c"), "").unwrap();
        symlink("b", home.path().join("a/link")).unwrap();
        let dir = Dir::open_root(home.path().to_str().unwrap()).unwrap();
        let outcome = |opened: Result<OwnedFd>| opened.map(|_| ());
        for path in ["a", "a/b/c", "a/link", "a/link/c", "a/none", "a/b/c/d", "..", "a/../..", "."] {
            for flags in [FILE, DIRECTORY] {
                let by_hand = outcome(dir.open_by_components(path, flags));
                assert_eq!(outcome(dir.open(path, flags)), by_hand, "{path} {flags:?}");
            }
        }
    }
}
