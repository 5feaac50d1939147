//! The outputs and the output directory -> every file that a compilation would change, and how.

use super::output_scan::{Place, Stray, scan};
use crate::compiler::outputs::Outputs;
use crate::system::fs::{Dir, Disk, path_in};
use crate::text::difference::by_line;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use std::fmt;

/// A file in the output directory that is not what a compilation would leave there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drift {
    /// Its path relative to the output directory.
    pub path: String,
    /// In what way.
    pub kind: DriftKind,
}

/// In what way a file is not what a compilation would leave there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// An output of an earlier compilation.
    Stale,
    /// No such file yet.
    Missing,
    /// Not written by drvc, or edited since.
    Foreign,
    /// Not a regular file, so that an output cannot be put there.
    InTheWay,
    /// The output of a target that no longer exists.
    Leftover,
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::InTheWay => "in the way",
            Self::Leftover => "leftover",
        })
    }
}

/// Everything that [`super::emit`] would write, delete or refuse to touch, sorted by path. Writes nothing and
/// takes no lock.
///
/// # Errors
/// A directory or file that cannot be read.
pub fn check(root: &Disk, out: &RelPath, outputs: &Outputs) -> Result<Vec<Drift>, Error> {
    let dir = super::open(root, out)?;
    let scan = scan(dir.as_ref(), out.as_str(), outputs, None)?;
    let places = scan.places.into_iter().filter_map(|((path, _), place)| {
        let path = path.to_string();
        match place {
            Place::Same(_) => None,
            Place::Missing => Some(Drift { path, kind: DriftKind::Missing }),
            Place::Stale => Some(Drift { path, kind: DriftKind::Stale }),
            Place::Foreign(_) => Some(Drift { path, kind: DriftKind::Foreign }),
            Place::Blocked(path) => Some(Drift { path, kind: DriftKind::InTheWay }),
        }
    });
    let leftovers = scan.strays.into_iter().filter(|(_, stray)| *stray == Stray::Leftover);
    let leftovers = leftovers.map(|(path, _)| Drift { path, kind: DriftKind::Leftover });
    let mut all: Vec<Drift> = places.chain(leftovers).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup();
    Ok(all)
}

/// What a compilation would do to this file, as a unified diff from what stands there to what should.
///
/// # Errors
/// A file that cannot be read.
pub fn diff(root: &Disk, out: &RelPath, outputs: &Outputs, drift: &Drift) -> Result<String, Error> {
    let path = path_in(out.as_str(), &drift.path);
    let before = match drift.kind {
        DriftKind::Missing | DriftKind::InTheWay => String::new(),
        DriftKind::Stale | DriftKind::Foreign | DriftKind::Leftover => {
            text(root.root(), &path).map_err(|error| Error::new("read", &path, error))?
        }
    };
    let after = RelPath::parse(&drift.path).ok().and_then(|path| outputs.get(&path));
    let after = after.map(|output| output.text()).unwrap_or_default();
    let name = |side: &str, text: &str| match text.is_empty() {
        true => "/dev/null".to_owned(),
        false => format!("{side}/{path}"),
    };
    let diff = by_line(&before, &after);
    Ok(diff.unified_diff().header(&name("a", &before), &name("b", &after)).to_string())
}

fn text(root: &Dir, path: &str) -> std::io::Result<String> {
    let bytes = root.open_file(path)?.read(u64::MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
