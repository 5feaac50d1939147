//! One layer: from a compressed tar archive to a list of its files, and their bytes in a temporary file.

use super::manifest::{LayerName, hexadecimal};
use super::{Blobs, broken};
use crate::system::fs::UserFile;
use crate::system::unpack::unpacked;
use crate::text::error::Error;
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::io::{self, BufRead as _, Read, Write as _};

/// Largest image, unpacked: all layers together. Builder images with a whole tool chain stay below 2 GiB.
pub(super) const UNPACKED: u64 = 16 << 30;
/// How many times its stored size a layer may have unpacked, beyond [`SMALL`]: archives of files have 2 to 10.
pub(super) const RATIO: u64 = 200;
/// So much a layer may always have.
pub(super) const SMALL: u64 = 16 << 20;
/// Most files in a layer.
const FILES: usize = 2_000_000;

/// A layer that was unpacked.
#[derive(Debug)]
pub(super) struct Layer {
    /// The tar archive.
    pub archive: UserFile,
    /// What is in it, in its order.
    pub entries: Vec<Entry>,
    /// Bytes as it was stored.
    pub stored: u64,
    /// Bytes of the archive.
    pub unpacked: u64,
}

/// A member of a layer.
#[derive(Debug)]
pub(super) struct Entry {
    /// Path in the image, without a slash in front.
    pub path: String,
    pub what: What,
    pub mode: u32,
    /// Bytes of the file.
    pub size: u64,
    /// Where they begin in the archive.
    pub position: u64,
}

/// What a member is.
#[derive(Debug)]
pub(super) enum What {
    File,
    Directory,
    Symlink(String),
    /// Another name of a file that stands before it.
    Hardlink(String),
    Other,
}

impl Layer {
    /// Reads a layer that may have `left` bytes, checks its digest and lists it.
    pub(super) fn read(name: &str, blobs: &dyn Blobs, layer: &LayerName, left: u64) -> Result<Self, Error> {
        let digest = &layer.name;
        let blob =
            blobs.blob(digest)?.ok_or_else(|| broken(name, format!("its layer {digest} is missing")))?;
        let failed = |cause: io::Error| broken(name, format!("its layer {digest}: {cause}"));
        let mut reader = Hashing { inner: blob, hash: Sha256::new(), read: 0 };
        let (archive, unpacked) = unpack(&mut reader, left).map_err(failed)?;
        // What follows the end of the compressed stream is part of the blob too.
        io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        if layer.checked && reader.digest() != *digest {
            return Err(failed(io::Error::other("its content does not have that digest")));
        }
        let entries = list(&archive, FILES).map_err(failed)?;
        Ok(Self { archive, entries, stored: reader.read, unpacked })
    }
}

fn unpack(packed: &mut Hashing<impl Read>, left: u64) -> io::Result<(UserFile, u64)> {
    let stored = Cell::new(0);
    let mut file = tempfile::tempfile()?;
    let mut reader = unpacked(Counting { inner: packed, read: &stored }, left)?;
    let mut written = 0;
    loop {
        let bytes = reader.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok((file, written));
        }
        file.write_all(bytes)?;
        reader.consume(length);
        written += length as u64;
        if written > SMALL + RATIO.saturating_mul(stored.get()) {
            return Err(io::Error::other(format!("it unpacks to more than {RATIO} times its size")));
        }
    }
}

/// A reader that tells how much went through it.
struct Counting<'a, R> {
    inner: R,
    read: &'a Cell<u64>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// The members of an archive that may have `most` of them.
pub(super) fn list(archive: &UserFile, most: usize) -> io::Result<Vec<Entry>> {
    use std::io::Seek as _;
    let mut archive = archive;
    archive.rewind()?;
    let mut entries = Vec::new();
    for entry in tar::Archive::new(archive).entries_with_seek()? {
        if entries.len() == most {
            return Err(io::Error::other(format!("it holds more than {most} files")));
        }
        let mut entry = entry?;
        let Some(path) = inside(&entry.path_bytes()) else { continue };
        if is_sparse(&mut entry)? {
            return Err(io::Error::other(format!(
                "it holds `{path}` as a sparse file, which no engine writes"
            )));
        }
        let target = || entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let kind = entry.header().entry_type();
        let what = if kind.is_symlink() {
            What::Symlink(target().unwrap_or_default())
        } else if kind.is_hard_link() {
            match inside(target().unwrap_or_default().as_bytes()) {
                Some(target) => What::Hardlink(target),
                None => What::Other,
            }
        } else if kind.is_dir() {
            What::Directory
        } else if kind.is_file() || kind.is_contiguous() {
            What::File
        } else {
            What::Other
        };
        let size = if matches!(what, What::File) { entry.size() } else { 0 };
        let mode = entry.header().mode().unwrap_or_default() & 0o7777;
        entries.push(Entry { path, what, mode, size, position: entry.raw_file_position() });
    }
    Ok(entries)
}

/// Whether a member has holes: an engine fills them, so that it would unpack another file than is read here, or under
/// another name.
fn is_sparse(entry: &mut tar::Entry<'_, &UserFile>) -> io::Result<bool> {
    let mut extensions = entry.pax_extensions()?.into_iter().flatten().flatten();
    let named = extensions.any(|extension| extension.key_bytes().starts_with(b"GNU.sparse."));
    Ok(named || entry.header().entry_type().is_gnu_sparse())
}

/// A member's path without `.` and slashes around it; nothing for the root, and for one that leads out.
fn inside(path: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(path);
    let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// A reader that hashes what goes through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    read: u64,
}

impl<R> Hashing<R> {
    fn digest(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.read += read as u64;
        Ok(read)
    }
}
