//! Files -> the archive that a kernel unpacks as its first root: cpio in the "new ASCII" format.
//!
//! The kernel's `Documentation/driver-api/early-userspace/buffer-format.rst` is the format's description.

use std::io::{self, Write};

/// An archive that is being written.
pub(super) struct Archive<W> {
    to: W,
    entries: u32,
}

/// What is at a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    Directory,
    Symlink(&'a str),
    File(&'a [u8]),
    /// A character device with its major and minor number.
    Device(u32, u32),
}

impl<W: Write> Archive<W> {
    pub(super) const fn new(to: W) -> Self {
        Self { to, entries: 0 }
    }

    /// Adds something. Directories come before what is in them; what comes later replaces what was at its path.
    pub(super) fn add(&mut self, path: &str, mode: u32, entry: Entry<'_>) -> io::Result<()> {
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
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.header("TRAILER!!!", 0, 0, (0, 0))?;
        self.to.flush()
    }

    fn pad(&mut self, written: usize) -> io::Result<()> {
        let missing = written.next_multiple_of(4) - written;
        self.to.write_all([0; 4].get(..missing).unwrap_or_default())
    }
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
