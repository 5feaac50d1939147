//! Layers laid over each other -> the files that a container would see.

use super::layer::{Entry, Layer, What};
use crate::system::fs::UserFile;
use crate::text::error::Error;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How many symbolic links a path may lead through, as in the kernel (`MAXSYMLINKS`).
const LINKS: usize = 40;
const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// The files of an image. Paths have no slash in front; the root itself is the empty path.
#[derive(Debug, Default)]
pub struct Root {
    files: BTreeMap<String, File>,
    archives: Vec<UserFile>,
}

/// Something in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub kind: Kind,
    /// Permissions, without the type.
    pub mode: u32,
    /// Bytes of a regular file.
    pub size: u64,
    /// The layer that it came with, counted from 0.
    pub layer: usize,
    position: u64,
}

/// What something in an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    Directory,
    /// A symbolic link and what it says.
    Symlink(String),
    /// A device, FIFO or socket.
    Other,
}

impl Root {
    /// All paths and what stands there, sorted; links are not followed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Everything beneath a directory, which is resolved first; paths are complete.
    pub fn beneath(&self, directory: &str) -> impl Iterator<Item = (&str, &File)> {
        let prefix = match self.resolve(directory) {
            Some(path) if path.is_empty() => Some(path),
            Some(path) => Some(path + "/"),
            None => None,
        };
        let from = prefix.clone().unwrap_or_default();
        let inside =
            move |path: &str| prefix.as_ref().is_some_and(|prefix| path.starts_with(prefix.as_str()));
        self.files
            .range(from..)
            .map(|(path, file)| (path.as_str(), file))
            .take_while(move |(path, _)| inside(path))
    }

    /// What a path leads to, with every link followed inside the image.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(&self.resolve(path)?)
    }

    /// The path without links that a path leads to; it need not begin with a slash.
    #[must_use]
    pub fn resolve(&self, path: &str) -> Option<String> {
        let mut rest: Vec<String> = parts(path);
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            match &self.files.get(&done.join("/"))?.kind {
                Kind::Symlink(target) => {
                    links += 1;
                    if links > LINKS {
                        return None;
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    rest.extend(parts(target));
                }
                Kind::Directory => {}
                Kind::File | Kind::Other if rest.is_empty() => {}
                Kind::File | Kind::Other => return None,
            }
        }
        Some(done.join("/"))
    }

    fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || self.files.get(path).is_some_and(|file| file.kind == Kind::Directory)
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// There is no regular file, it is larger, or the temporary file cannot be read.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let failed = |cause: io::Error| Error::new("read in the image", path, cause);
        let file = self.get(path).filter(|file| file.kind == Kind::File);
        let file = file.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        if file.size > limit {
            return Err(failed(io::Error::other(format!("larger than {limit} bytes"))));
        }
        self.bytes(file).map_err(failed)
    }

    /// A regular file as something to read from, of which nothing is in memory.
    ///
    /// # Errors
    /// There is no such layer.
    pub fn part(&self, file: &File) -> io::Result<Part<'_>> {
        let archive = self.archives.get(file.layer).ok_or(io::ErrorKind::NotFound)?;
        Ok(Part { archive, begin: file.position, size: file.size, at: 0 })
    }

    /// The bytes of a regular file, whatever its size.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn bytes(&self, file: &File) -> io::Result<Vec<u8>> {
        let archive = self.archives.get(file.layer).ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; usize::try_from(file.size).map_err(io::Error::other)?];
        archive.read_exact_at(&mut bytes, file.position)?;
        Ok(bytes)
    }
}

/// A part of a layer.
#[derive(Debug)]
pub struct Part<'a> {
    archive: &'a UserFile,
    begin: u64,
    size: u64,
    at: u64,
}

impl io::Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read =
            self.archive.read_at(buffer.get_mut(..wanted).unwrap_or_default(), self.begin + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl io::Seek for Part<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let at = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.size.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The parts of a path, last one first.
fn parts(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|part| !part.is_empty() && *part != ".").map(ToOwned::to_owned).collect()
}

/// The path of a name in a directory; the root is the empty path.
fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Lays layers over each other.
#[derive(Default)]
pub(super) struct Builder {
    root: Root,
}

impl Builder {
    /// Lays one more layer on top.
    pub(super) fn lay(&mut self, layer: Layer) {
        let number = self.root.archives.len();
        // Whiteouts hide what is beneath this layer, wherever they stand in it.
        for entry in &layer.entries {
            let (directory, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
            let Some(directory) = self.root.resolve(directory) else { continue };
            if name == OPAQUE {
                self.remove_beneath(&directory);
            } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
                self.remove(&below(&directory, hidden));
            }
        }
        for entry in layer.entries {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            if !name.starts_with(WHITEOUT) {
                self.place(entry, number);
            }
        }
        self.root.archives.push(layer.archive);
    }

    pub(super) fn build(self) -> Root {
        self.root
    }

    fn place(&mut self, entry: Entry, layer: usize) {
        let Entry { path, what, mode, size, position } = entry;
        let path = self.parents(&path, layer);
        let kind = match what {
            What::File => Kind::File,
            What::Directory => Kind::Directory,
            What::Symlink(target) => Kind::Symlink(target),
            What::Other => Kind::Other,
            What::Hardlink(target) => {
                let (directory, name) = target.rsplit_once('/').unwrap_or(("", &target));
                let target = self.root.resolve(directory).map(|directory| below(&directory, name));
                let target = target.and_then(|target| self.root.files.get(&target)).cloned();
                self.root.files.extend(target.map(|file| (path, file)));
                return;
            }
        };
        if kind != Kind::Directory {
            self.remove_beneath(&path);
        }
        self.root.files.insert(path, File { kind, mode, size, layer, position });
    }

    /// Where a member goes: through links to directories, as it is unpacked over the layers beneath (containerd, vfs). Where
    /// layers are mounted over each other (overlay), a directory takes the link's place: then there are fewer files behind
    /// it, and this one is in any case. Directories that a layer does not name are there all the same, in place of what is none.
    fn parents(&mut self, path: &str, layer: usize) -> String {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut above = String::new();
        for part in directory.split('/').filter(|part| !part.is_empty()) {
            above = below(&above, part);
            let kind = self.root.files.get(&above).map(|file| &file.kind);
            if kind == Some(&Kind::Directory) {
                continue;
            }
            let led = kind.and_then(|_| self.root.resolve(&above));
            match led.filter(|led| self.root.is_directory(led)) {
                Some(led) => above = led,
                None => {
                    let file = File { kind: Kind::Directory, mode: 0o755, size: 0, layer, position: 0 };
                    self.root.files.insert(above.clone(), file);
                }
            }
        }
        below(&above, name)
    }

    fn remove(&mut self, path: &str) {
        self.root.files.remove(path);
        self.remove_beneath(path);
    }

    fn remove_beneath(&mut self, directory: &str) {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let paths = self.root.files.range(prefix.clone()..).map(|(path, _)| path);
        let gone: Vec<_> = paths.take_while(|path| path.starts_with(&prefix)).cloned().collect();
        for path in gone {
            self.root.files.remove(&path);
        }
    }
}
