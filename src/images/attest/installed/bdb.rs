//! A hash of Berkeley's database, as rpm had it up to RHEL 8 -> the headers in it.
//!
//! A value that is too large for a page of the hash is in a chain of pages of its own, as nearly all headers are (the
//! database's `dbinc/db_page.h`). Files of machines that write the highest byte first are not read.

use super::{Headers, number, short};

const MAGIC: usize = 0x0006_1561;
/// Types of pages, and of a value that is elsewhere.
const HASH: [u8; 2] = [2, 13];
const OVERFLOW: u8 = 7;
const ELSEWHERE: u8 = 3;
/// What stands before the content of a page.
const HEAD: usize = 26;
/// Most headers.
const MOST: usize = 1 << 20;

pub(super) fn headers(bytes: &[u8]) -> Option<Headers> {
    let size = number(bytes, 20).filter(|size| (512..=65_536).contains(size))?;
    if number(bytes, 12)? != MAGIC {
        return None;
    }
    let mut found = Vec::new();
    for page in bytes.chunks_exact(size).filter(|page| page.get(25).is_some_and(|kind| HASH.contains(kind))) {
        // Keys and values take turns.
        for entry in (0..short(page, 20)?).skip(1).step_by(2) {
            // Values are put in from the end of a page: one ends where the entry before it begins.
            let end = short(page, HEAD + 2 * (entry - 1))?;
            let value = page.get(short(page, HEAD + 2 * entry)?..end)?;
            match value.split_first()? {
                _ if found.len() == MOST => return None,
                (&ELSEWHERE, _) => found.push(chain(bytes, size, number(value, 4)?, number(value, 8)?)?),
                (_, plain) => found.push(plain.to_vec()),
            }
        }
    }
    Some(found)
}

/// The bytes of a chain of pages.
fn chain(bytes: &[u8], size: usize, first: usize, length: usize) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut next = first;
    while next != 0 && value.len() < length.min(bytes.len()) {
        let page = bytes.get(next.checked_mul(size)?..)?.get(..size)?;
        if page.get(25) != Some(&OVERFLOW) {
            return None;
        }
        let rest = length - value.len();
        let part = page.get(HEAD..)?;
        value.extend_from_slice(part.get(..rest.min(part.len()))?);
        next = number(page, 16)?;
    }
    (value.len() == length).then_some(value)
}
