//! `.gitmodules` -> the submodules that a source takes in, and those of them that nobody has checked out.

use super::rules::Rules;
use crate::system::fs::{ReadError, Reader};
use crate::text::ids::{FilePath, RelPath};

/// What git reads of its own; more than this is not one.
const LIMIT: u64 = 1 << 20;

/// The submodules that a source takes in.
#[derive(Debug, Default)]
pub(super) struct Submodules {
    pub any: bool,
    /// The directories of those without any file, relative to the manifest.
    pub empty: Vec<String>,
}

/// Looks for `.gitmodules` from the manifest's directory down to the source's own.
pub(super) fn submodules(reader: &Reader<'_>, dir: &RelPath, rules: &Rules) -> Submodules {
    let mut found = Submodules::default();
    for above in std::iter::successors(Some(dir.clone()), RelPath::parent) {
        for path in listed(reader, &above) {
            let inside =
                path.beneath(dir).map(|path| !rules.ignores(path, true) && rules.includes_beneath(path));
            // The source may lie in a submodule itself.
            if !inside.unwrap_or_else(|| dir.is_within(&path)) {
                continue;
            }
            found.any = true;
            let empty = match reader.list(&path) {
                Ok(entries) => entries.is_empty(),
                Err(error) => error == ReadError::Absent,
            };
            if empty {
                found.empty.push(path.to_string());
            }
        }
    }
    found.empty.sort();
    found
}

/// The directories that a `.gitmodules` names.
fn listed(reader: &Reader<'_>, dir: &RelPath) -> Vec<FilePath> {
    let text =
        dir.join(".gitmodules").ok().and_then(|path| reader.read(&path, LIMIT).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let path = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "path")
            .then(|| dir.join_file(value.trim().trim_matches('"').trim_end_matches('/')).ok())?
    };
    text.lines().filter_map(path).collect()
}
