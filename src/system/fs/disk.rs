//! A real directory as a [`Tree`].

use super::dir::{Dir, OpenFile};
use super::form::{self, Form};
use super::{Entry, FileDigest, Found, Hash, ReadError, Tree};
use crate::text::error::Error;
use crate::text::ids::FilePath;
use camino::Utf8Path;
use rustix::io::Errno;

/// From this size on a file is read in large pieces that are hashed by all threads together.
const LARGE: u64 = 1 << 20;
const PIECE: u64 = 8 << 20;

/// A directory on disk, opened once; everything is read relative to it.
#[derive(Debug)]
pub struct Disk {
    root: Dir,
}

impl Disk {
    /// Opens the directory.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Utf8Path) -> Result<Self, Error> {
        let shown = if path.as_str().is_empty() { "." } else { path.as_str() };
        match Dir::open_root(shown) {
            Ok(root) => Ok(Self { root }),
            Err(errno) => Err(Error::new("open", shown, std::io::Error::from(errno))),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Dir {
        &self.root
    }
}

impl Tree for Disk {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Found<Vec<u8>>, ReadError> {
        let mut file = self.root.open_file(path.as_str()).map_err(of_file)?;
        let bytes = file.read(limit.saturating_add(1)).map_err(|error| ReadError::Io(error.to_string()))?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok(Found { value: bytes, sig: file.status.sig })
    }

    fn digest(&self, path: &FilePath) -> Result<Found<FileDigest>, ReadError> {
        let mut file = self.root.open_file(path.as_str()).map_err(of_file)?;
        let sig = file.status.sig;
        let (digest, form) = hash(&mut file).map_err(|error| ReadError::Io(error.to_string()))?;
        Ok(Found { value: FileDigest::new(digest, sig.mode, form), sig })
    }

    fn list(&self, path: &FilePath) -> Result<Found<Vec<Entry>>, ReadError> {
        let dir = self.root.open_dir(path.as_str()).map_err(of_directory)?;
        let sig = dir.status().map_err(of_directory)?.sig;
        Ok(Found { value: dir.entries().map_err(of_directory)?, sig })
    }

    fn link(&self, path: &FilePath) -> Result<Found<String>, ReadError> {
        let parent = path.directory().ok_or(ReadError::WrongKind("it is a directory"))?;
        let dir = self.root.open_dir(parent.as_str()).map_err(of_file)?;
        let name = path.as_path().file_name().unwrap_or_default();
        let (target, status) = dir.read_link(name).map_err(|errno| match errno {
            Errno::INVAL => ReadError::WrongKind("it is not a symbolic link"),
            errno => of_file(errno),
        })?;
        let target = target.ok_or_else(|| ReadError::Io("where it leads is not UTF-8 text".into()))?;
        Ok(Found { value: target, sig: status.sig })
    }
}

fn hash(file: &mut OpenFile) -> std::io::Result<(Hash, Form)> {
    if file.status.sig.size < LARGE {
        let bytes = file.read(u64::MAX)?;
        return Ok((blake3::hash(&bytes).into(), form::of(&bytes)));
    }
    let mut hasher = blake3::Hasher::new();
    let mut form = None;
    loop {
        let piece = file.read(PIECE)?;
        if piece.is_empty() {
            return Ok((hasher.finalize().into(), form.unwrap_or_default()));
        }
        // Pointers and keys are smaller; outputs are known by their first bytes.
        form.get_or_insert_with(|| form::of(&piece));
        hasher.update_rayon(&piece);
    }
}

fn of_file(errno: Errno) -> ReadError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => ReadError::Absent,
        Errno::LOOP => ReadError::Link,
        Errno::ISDIR => ReadError::WrongKind("it is a directory"),
        Errno::INVAL | Errno::NXIO | Errno::NODEV => ReadError::WrongKind("it is not a regular file"),
        errno => ReadError::Io(std::io::Error::from(errno).to_string()),
    }
}

fn of_directory(errno: Errno) -> ReadError {
    match errno {
        Errno::NOENT => ReadError::Absent,
        Errno::LOOP => ReadError::Link,
        Errno::NOTDIR => ReadError::WrongKind("it is not a directory"),
        errno => ReadError::Io(std::io::Error::from(errno).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fs::Kind;
    use crate::text::ids::RelPath;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn project() -> (tempfile::TempDir, Disk) {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("p/dir/deep")).unwrap();
        fs::write(at("secret"), "secret").unwrap();
        fs::write(at("p/dir/deep/file"), "bytes").unwrap();
        fs::write(at("p/tool"), "#!").unwrap();
        fs::set_permissions(at("p/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("../secret", at("p/out")).unwrap();
        symlink("dir", at("p/in")).unwrap();
        let disk = Disk::open(Utf8Path::from_path(&at("p")).unwrap()).unwrap();
        (home, disk)
    }

    #[test]
    fn reads_beneath_and_follows_no_link() {
        let (_home, disk) = project();
        assert_eq!(disk.read(&path("dir/deep/file"), 5).unwrap().value, b"bytes");
        for (file, error) in [
            ("out", ReadError::Link),
            ("in/deep/file", ReadError::Link),
            ("dir/none", ReadError::Absent),
            ("tool/none", ReadError::Absent),
            ("dir", ReadError::WrongKind("it is a directory")),
            ("dir/deep/file", ReadError::TooLarge { limit: 4 }),
        ] {
            assert_eq!(disk.read(&path(file), 4).unwrap_err(), error, "{file}");
        }
        assert_eq!(disk.link(&path("out")).unwrap().value, "../secret");
        assert_eq!(disk.link(&path("in/deep")).unwrap_err(), ReadError::Link);
        assert_eq!(disk.link(&path("tool")).unwrap_err(), ReadError::WrongKind("it is not a symbolic link"));
        assert_eq!(disk.list(&path("in")).unwrap_err(), ReadError::Link);
        assert_eq!(disk.list(&path("tool")).unwrap_err(), ReadError::WrongKind("it is not a directory"));
        assert!(disk.digest(&path("tool")).unwrap().value.executable);
    }

    #[test]
    fn lists_every_kind() {
        let (_home, disk) = project();
        let found: Vec<_> = disk.list(&RelPath::root()).unwrap().value.into_iter().collect();
        let expected =
            [("dir", Kind::Directory), ("in", Kind::Link), ("out", Kind::Link), ("tool", Kind::File)];
        assert_eq!(found, expected.map(|(name, kind)| Entry { name: name.to_owned(), kind }));
    }

    #[test]
    fn large_files_are_hashed_in_pieces() {
        let (home, disk) = project();
        let bytes: Vec<u8> = (0..LARGE as u32 + 5).map(|n| (n % 251) as u8).collect();
        fs::write(home.path().join("p/large"), &bytes).unwrap();
        assert_eq!(disk.digest(&path("large")).unwrap().value.digest, *blake3::hash(&bytes).as_bytes());
    }
}
