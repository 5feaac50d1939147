//! A database of SQLite -> what rpm's table `Packages` has in its second column: the headers.
//!
//! Only what that takes: the list of tables on the first page, and the tree of one table (the project's `fileformat2.html`).

use super::Headers;

const MAGIC: &[u8] = b"SQLite format 3\0";
const LEAF: u8 = 13;
const INNER: u8 = 5;

struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    /// How much of a page is used.
    usable: usize,
}

pub(super) fn headers(bytes: &[u8]) -> Option<Headers> {
    let page = match u16::from_be_bytes(bytes.get(16..18)?.try_into().ok()?) {
        1 => 65_536,
        size => usize::from(size),
    };
    let usable = page.checked_sub(usize::from(*bytes.get(20)?)).filter(|usable| *usable >= 480)?;
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let database = Database { bytes, page, usable };
    // Columns of the list of tables: type, name, table, root page, text.
    let root = database.rows(1)?.into_iter().find_map(|row| {
        let columns = columns(&row)?;
        let is_it = columns.first()? == b"table" && columns.get(1)? == b"Packages";
        is_it.then(|| {
            columns
                .get(3)?
                .iter()
                .try_fold(0usize, |all, byte| all.checked_mul(256)?.checked_add(usize::from(*byte)))
        })?
    })?;
    database.rows(root)?.iter().map(|row| Some(columns(row)?.get(1)?.to_vec())).collect()
}

impl<'a> Database<'a> {
    fn page(&self, number: usize) -> Option<&'a [u8]> {
        self.bytes.get(number.checked_sub(1)?.checked_mul(self.page)?..)?.get(..self.page)
    }

    /// The rows of a table, by its root page.
    fn rows(&self, root: usize) -> Option<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        let (mut open, mut left) = (vec![root], self.bytes.len() / self.page);
        while let Some(number) = open.pop() {
            // Each page once: a tree that refers to itself ends here.
            left = left.checked_sub(1)?;
            let page = self.page(number)?;
            let start = if number == 1 { 100 } else { 0 };
            let kind = *page.get(start)?;
            let cells = big(page, start + 3, 2)?;
            let list = start + if kind == INNER { 12 } else { 8 };
            for cell in 0..cells {
                let at = big(page, list + 2 * cell, 2)?;
                match kind {
                    LEAF => rows.push(self.row(page, at)?),
                    INNER => open.push(big(page, at, 4)?),
                    _ => return None,
                }
            }
            if kind == INNER {
                open.push(big(page, start + 8, 4)?);
            }
        }
        Some(rows)
    }

    /// The bytes of a row: on its page as many as belong there, the rest in a chain of pages.
    fn row(&self, page: &[u8], at: usize) -> Option<Vec<u8>> {
        let (size, at) = varint(page, at)?;
        let (_, at) = varint(page, at)?;
        let size = usize::try_from(size).ok().filter(|size| *size <= self.bytes.len())?;
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = match least + size.saturating_sub(least) % (self.usable - 4) {
            _ if size <= most => size,
            some if some <= most => some,
            _ => least,
        };
        let mut row = page.get(at..at + local)?.to_vec();
        let mut next = if local < size { big(page, at + local, 4)? } else { 0 };
        while next != 0 && row.len() < size {
            let page = self.page(next)?;
            let part = page.get(4..self.usable)?;
            row.extend_from_slice(part.get(..part.len().min(size - row.len()))?);
            next = big(page, 0, 4)?;
        }
        (row.len() == size).then_some(row)
    }
}

/// The columns of a row, as bytes: numbers with the highest first.
fn columns(row: &[u8]) -> Option<Vec<&[u8]>> {
    let (head, mut at) = varint(row, 0)?;
    let head = usize::try_from(head).ok()?;
    let mut place = head;
    let mut columns = Vec::new();
    while at < head {
        let (kind, next) = varint(row, at)?;
        at = next;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            text_or_bytes => usize::try_from(text_or_bytes.checked_sub(12)? / 2).ok()?,
        };
        columns.push(row.get(place..place.checked_add(size)?)?);
        place += size;
    }
    Some(columns)
}

/// A number of up to nine bytes, and what comes behind it.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (count, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if count == 8 {
            return Some((value << 8 | u64::from(*byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + count + 1));
        }
    }
    None
}

/// A number of so many bytes, the highest first.
fn big(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)))
}
