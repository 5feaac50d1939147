//! Archives of cpio in the "new ASCII" format, written and read: what a kernel unpacks as its first root, and what is in an
//! rpm package.
//!
//! The kernel's `Documentation/driver-api/early-userspace/buffer-format.rst` is the format's description.

use std::io::{self, Read, Write};

const END: &str = "TRAILER!!!";
/// The longest name that is read, in bytes; Linux has paths of 4,096.
const LONGEST_NAME: u64 = 1 << 16;

/// An archive that is being written.
#[derive(Debug)]
pub struct Archive<W> {
    to: W,
    entries: u32,
}

/// What is at a path.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    Directory,
    Symlink(&'a str),
    File(&'a [u8]),
    /// A character device with its major and minor number.
    Device(u32, u32),
}

impl<W: Write> Archive<W> {
    pub const fn new(to: W) -> Self {
        Self { to, entries: 0 }
    }

    /// Adds something. Directories come before what is in them; what comes later replaces what was at its path.
    pub fn add(&mut self, path: &str, mode: u32, entry: Entry<'_>) -> io::Result<()> {
        let (kind, content, (major, minor)) = match entry {
            Entry::Directory => (0o040_000, &[][..], (0, 0)),
            Entry::Symlink(target) => (0o120_000, target.as_bytes(), (0, 0)),
            Entry::File(bytes) => (0o100_000, bytes, (0, 0)),
            Entry::Device(major, minor) => (0o020_000, &[][..], (major, minor)),
        };
        self.entries += 1;
        let size = u32::try_from(content.len())
            .map_err(|_| io::Error::other(format!("{path} is larger than such an archive can hold")))?;
        self.header(path, kind | (mode & 0o7777), size, (major, minor))?;
        self.to.write_all(content)?;
        self.pad(content.len())
    }

    fn header(&mut self, path: &str, mode: u32, size: u32, device: (u32, u32)) -> io::Result<()> {
        let length = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
        // Number, mode, owner, group, links, time, size, device that it lies on, device that it is, name, sum.
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, length, 0];
        let mut header = "070701".to_owned();
        fields.iter().for_each(|field| header.push_str(&format!("{field:08x}")));
        header.push_str(path);
        header.push('\0');
        self.to.write_all(header.as_bytes())?;
        self.pad(header.len())
    }

    /// Writes its end.
    pub fn finish(&mut self) -> io::Result<()> {
        self.header(END, 0, 0, (0, 0))?;
        self.to.flush()
    }

    fn pad(&mut self, written: usize) -> io::Result<()> {
        let missing = written.next_multiple_of(4) - written;
        self.to.write_all([0; 4].get(..missing).unwrap_or_default())
    }
}

/// A file of an archive that is read.
pub struct Member<'a> {
    pub name: String,
    /// With the type of file, as in `stat`.
    pub mode: u32,
    /// In bytes.
    pub size: u64,
    pub content: &'a mut dyn Read,
}

/// Reads an archive to its end, and gives each member to `each`.
///
/// # Errors
/// Those of reading, of `each`, and [`io::ErrorKind::InvalidData`] where it is no such archive.
pub fn read(mut from: impl Read, each: &mut dyn FnMut(Member<'_>) -> io::Result<()>) -> io::Result<()> {
    loop {
        let mut header = [0; 110];
        from.read_exact(&mut header)?;
        if !header.starts_with(b"07070") {
            return Err(invalid("its archive is not of cpio's new format"));
        }
        // Thirteen numbers of eight hexadecimal digits follow the magic.
        let number = |field: usize| {
            let digits = header.get(6 + 8 * field..14 + 8 * field)?;
            u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        };
        let (Some(mode), Some(size), Some(length)) = (number(1), number(6), number(11)) else {
            return Err(invalid("its archive has a damaged header"));
        };
        let (size, length) = (u64::from(size), u64::from(length));
        let mut name = Vec::new();
        from.by_ref().take(length.min(LONGEST_NAME)).read_to_end(&mut name)?;
        skip(&mut from, padding(110 + length))?;
        let name = String::from_utf8_lossy(name.strip_suffix(b"\0").unwrap_or(&name)).into_owned();
        if name == END {
            return Ok(());
        }
        let mut content = from.by_ref().take(size);
        each(Member { name, mode, size, content: &mut content })?;
        io::copy(&mut content, &mut io::sink())?;
        skip(&mut from, padding(size))?;
    }
}

/// What is missing to a multiple of four.
const fn padding(size: u64) -> u64 {
    (4 - size % 4) % 4
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut from.take(bytes), &mut io::sink()).map(drop)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_as_cpio_writes_it() {
        let mut archive = Archive::new(Vec::new());
        archive.add("a", 0o755, Entry::Directory).unwrap();
        archive.add("a/b", 0o644, Entry::File(b"12345")).unwrap();
        archive.add("a/c", 0o777, Entry::Symlink("b")).unwrap();
        archive.add("d", 0o600, Entry::Device(5, 1)).unwrap();
        archive.finish().unwrap();
        let bytes = archive.to;
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8(bytes).unwrap();
        let starts: Vec<_> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert!(starts.iter().all(|at| at % 4 == 0), "{starts:?}");
        assert_eq!(starts.len(), 5);
        let file = &text[starts[1]..starts[2]];
        assert!(file.starts_with("07070100000002000081a4"), "{file}");
        assert!(file.ends_with("a/b\0\0\x0012345\0\0\0"), "{file:?}");
        assert!(text[starts[3]..].starts_with("070701000000040000218000000000000000000000000100000000"));
        assert!(text.contains("TRAILER!!!\0"));
    }
}
