//! A distribution's package -> the files in it, without installing or running anything of it.
//!
//! A Debian package is an `ar` archive whose member `data.tar*` holds the files (deb(5)). An rpm package is a lead of 96
//! bytes, a signature header padded to eight bytes, a header, and a packed `cpio` archive in the "new ASCII" format
//! (rpm-format, "RPM V4 Package format"; the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`).

use super::cpio;
use crate::system::fs::open_user_file;
use crate::system::unpack::unpacked;
use crate::text::error::Error;
use camino::Utf8Path;
use std::io::{self, BufRead, BufReader, Read};

/// The most that a package may unpack to, in bytes: kernels with debug information stay below 2 GiB.
const UNPACKED: u64 = 8 << 30;
const LEAD: u64 = 96;
const RPM: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const RPM_HEADER: [u8; 3] = [0x8e, 0xad, 0xe8];
const AR: &[u8] = b"!<arch>\n";

/// A file of a package.
#[derive(Debug)]
pub struct Member<'a> {
    /// Its path, without a slash or dot in front.
    pub path: String,
    /// Permissions, without the type.
    pub mode: u32,
    pub content: Content<'a>,
}

/// What a file of a package is.
pub enum Content<'a> {
    /// A regular file: its size in bytes, and a reader of just these.
    File(u64, &'a mut dyn Read),
    Directory,
    /// A symbolic link and what it says.
    Symlink(String),
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(size, _) => write!(f, "File({size})"),
            Self::Directory => f.write_str("Directory"),
            Self::Symlink(target) => write!(f, "Symlink({target})"),
        }
    }
}

/// Gives each file of the package at `path`, of Debian's or rpm's kind, to `each`, in the package's order.
///
/// # Errors
/// There is no such file, it is no package, or what `each` says.
pub fn read(path: &Utf8Path, each: &mut dyn FnMut(Member) -> io::Result<()>) -> Result<(), Error> {
    let failed = |cause: io::Error| Error::new("read the package", path.as_str(), cause);
    let file = open_user_file(path).map_err(failed)?;
    let file = file.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    read_from(BufReader::new(file), each).map_err(failed)
}

/// As [`read`], of a package's bytes; `name` is for messages.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    each: &mut dyn FnMut(Member) -> io::Result<()>,
) -> Result<(), Error> {
    read_from(bytes, each).map_err(|cause| Error::new("read the package", name, cause))
}

fn read_from(mut package: impl BufRead, each: &mut dyn FnMut(Member) -> io::Result<()>) -> io::Result<()> {
    let head = package.fill_buf()?;
    if head.starts_with(AR) {
        deb(package, each)
    } else if head.starts_with(&RPM) {
        rpm(package, each)
    } else {
        Err(invalid("it is neither a Debian nor an rpm package"))
    }
}

fn deb(mut package: impl Read, each: &mut dyn FnMut(Member) -> io::Result<()>) -> io::Result<()> {
    skip(&mut package, AR.len() as u64)?;
    loop {
        let header: [u8; 60] = array(&mut package)?;
        let text =
            |range| header.get(range).and_then(|field| std::str::from_utf8(field).ok()).map(str::trim_end);
        let (Some(name), Some(size)) = (text(0..16), text(48..58).and_then(|size| size.parse().ok())) else {
            return Err(invalid("a member of its archive has no name or size"));
        };
        let mut member = package.by_ref().take(size);
        if name.starts_with("data.tar") {
            return tar(unpacked(member, UNPACKED)?, each);
        }
        io::copy(&mut member, &mut io::sink())?;
        skip(&mut package, size % 2)?;
    }
}

fn tar(mut from: impl Read, each: &mut dyn FnMut(Member) -> io::Result<()>) -> io::Result<()> {
    for entry in tar::Archive::new(&mut from).entries()? {
        let mut entry = entry?;
        let Some(path) = inside(&String::from_utf8_lossy(&entry.path_bytes())) else { continue };
        let mode = entry.header().mode()? & 0o7777;
        let kind = entry.header().entry_type();
        let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let size = entry.size();
        let content = if kind.is_dir() {
            Content::Directory
        } else if kind.is_symlink() {
            Content::Symlink(target.unwrap_or_default())
        } else if kind.is_file() {
            Content::File(size, &mut entry)
        } else {
            continue;
        };
        each(Member { path, mode, content })?;
    }
    // A package that was cut off behind its last file is damaged all the same.
    io::copy(&mut from, &mut io::sink()).map(drop)
}

fn rpm(mut package: impl Read, each: &mut dyn FnMut(Member) -> io::Result<()>) -> io::Result<()> {
    skip(&mut package, LEAD)?;
    let signature = header(&mut package)?;
    skip(&mut package, (8 - signature % 8) % 8)?;
    header(&mut package)?;
    cpio(unpacked(package, UNPACKED)?, each)
}

/// Skips one header of an rpm package; gives its size in bytes.
fn header(package: &mut impl Read) -> io::Result<u64> {
    let intro: [u8; 16] = array(package)?;
    let number = |at: usize| intro.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes).map(u64::from);
    let (Some(entries), Some(data), true) = (number(8), number(12), intro.starts_with(&RPM_HEADER)) else {
        return Err(invalid("a header of it is damaged"));
    };
    let size = 16 * entries + data;
    skip(package, size)?;
    Ok(size)
}

fn cpio(from: impl Read, each: &mut dyn FnMut(Member) -> io::Result<()>) -> io::Result<()> {
    cpio::read(from, &mut |cpio::Member { name, mode, size, content: bytes }| {
        let Some(path) = inside(&name) else { return Ok(()) };
        let content = match mode & 0o170_000 {
            0o040_000 => Content::Directory,
            0o100_000 => Content::File(size, bytes),
            0o120_000 => {
                let mut target = String::new();
                bytes.take(4096).read_to_string(&mut target)?;
                Content::Symlink(target)
            }
            _ => return Ok(()),
        };
        each(Member { path, mode: mode & 0o7777, content })
    })
}

/// A member's path; nothing for the root, and for one that leads out.
fn inside(path: &str) -> Option<String> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    if io::copy(&mut from.take(bytes), &mut io::sink())? < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a package holds, one line a file.
    fn listed(package: &[u8]) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        read_from(package, &mut |member| {
            let content = match member.content {
                Content::File(_, bytes) => io::read_to_string(bytes)?,
                other => format!("{other:?}"),
            };
            lines.push(format!("{} {:o} {content}", member.path, member.mode));
            Ok(())
        })?;
        Ok(lines)
    }

    fn data() -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(3);
        tar.append_data(&mut header, "./usr/x", &b"one"[..]).unwrap();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        tar.append_link(&mut header, "./usr/y", "x").unwrap();
        tar.into_inner().unwrap()
    }

    fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut ar = AR.to_vec();
        for (name, bytes) in members {
            ar.extend(
                format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, bytes.len()).as_bytes(),
            );
            ar.extend(*bytes);
            ar.extend(vec![b'\n'; bytes.len() % 2]);
        }
        ar
    }

    #[test]
    fn debian_packages_are_read() {
        let packed = crate::system::unpack::tests::xz(&data());
        let package = ar(&[("debian-binary", b"2.0"), ("control.tar", b""), ("data.tar.xz", &packed)]);
        assert_eq!(listed(&package).unwrap(), ["usr/x 755 one", "usr/y 755 Symlink(x)"]);
        assert!(listed(&ar(&[("debian-binary", b"2.0")])).is_err());
        assert!(listed(&package[..package.len() - 20]).is_err());
    }

    #[test]
    fn rpm_packages_are_read() {
        let mut cpio = Vec::new();
        let mut archive = cpio::Archive::new(&mut cpio);
        archive.add("./usr/x", 0o644, cpio::Entry::File(b"one")).unwrap();
        archive.add("./usr", 0o755, cpio::Entry::Directory).unwrap();
        archive.add("l", 0o777, cpio::Entry::Symlink("x")).unwrap();
        archive.finish().unwrap();
        let header = |entries: u32, data: u32| {
            let mut header =
                [&RPM_HEADER[..], &[1, 0, 0, 0, 0], &entries.to_be_bytes(), &data.to_be_bytes()].concat();
            header.extend(vec![7; (16 * entries + data) as usize]);
            header
        };
        let mut package = RPM.to_vec();
        package.resize(96, 0);
        package.extend(header(1, 5));
        package.extend([0; 3]);
        package.extend(header(2, 9));
        package.extend(crate::system::unpack::tests::zst(&cpio));
        assert_eq!(listed(&package).unwrap(), ["usr/x 644 one", "usr 755 Directory", "l 777 Symlink(x)"]);
        assert!(listed(&package[..package.len() - 9]).is_err());
        assert!(listed(b"PK").unwrap_err().to_string().contains("neither"));
    }
}
