//! The header of an rpm package, as databases keep it -> the package.
//!
//! Two numbers, the entries (tag, type, offset, count) and the bytes that they point into; all numbers with the highest byte
//! first (rpm's `docs/manual/format_header.md`).

use super::{Format, Installed};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
const SOURCE: u32 = 1044;
/// Most entries of a header.
const ENTRIES: usize = 65_536;

/// The package of a header; none where it is a key that somebody imported, or damaged.
pub(super) fn package(header: &[u8]) -> Option<Installed> {
    let (entries, data) = parts(header)?;
    let find = |tag: u32| {
        let mut entries = entries.chunks_exact(16);
        let entry = entries.find(|entry| big(entry, 0) == Some(tag))?;
        data.get(usize::try_from(big(entry, 8)?).ok()?..)
    };
    let text = |tag: u32| {
        let bytes = find(tag)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(bytes).into_owned()).filter(|text| !text.is_empty())
    };
    let (name, version, release) = (text(NAME)?, text(VERSION)?, text(RELEASE)?);
    let epoch = find(EPOCH).and_then(|bytes| big(bytes, 0)).map(|epoch| format!("{epoch}:"));
    let version = format!("{}{version}-{release}", epoch.unwrap_or_default());
    // Keys are kept as packages without an architecture.
    let arch = text(ARCH)?;
    Some(Installed { name, version, arch, source: text(SOURCE), format: Format::Rpm })
}

fn parts(header: &[u8]) -> Option<(&[u8], &[u8])> {
    let entries = usize::try_from(big(header, 0)?).ok().filter(|number| *number <= ENTRIES)?;
    let size = usize::try_from(big(header, 4)?).ok()?;
    let (entries, data) = header.get(8..)?.split_at_checked(entries * 16)?;
    Some((entries, data.get(..size)?))
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
