//! rpm's own database (`ndb`, of SUSE) -> the headers in it.
//!
//! Pages of slots, each with the place of a package's header in blocks of 16 bytes (rpm's `lib/backend/ndb/rpmpkg.c`).

use super::{Headers, number};

const PAGE: usize = 4096;
const BLOCK: usize = 16;
/// Most pages of slots.
const PAGES: usize = 4096;

pub(super) fn headers(bytes: &[u8]) -> Option<Headers> {
    if !bytes.starts_with(b"RpmP") {
        return None;
    }
    let pages = number(bytes, 12).filter(|pages| *pages <= PAGES)?;
    // The first two slots are the database's own header.
    let slots = bytes.get(..(pages * PAGE).min(bytes.len()))?.chunks_exact(BLOCK).skip(2);
    let used = slots.filter(|slot| slot.starts_with(b"Slot") && number(slot, 8) != Some(0));
    used.map(|slot| {
        let blob = bytes.get(number(slot, 8)?.checked_mul(BLOCK)?..)?;
        let length = number(blob, 12)?;
        blob.starts_with(b"BlbS").then(|| Some(blob.get(16..16 + length)?.to_vec()))?
    })
    .collect()
}
