//! Directories and names into what there is to import, and trees from elsewhere into the project.

use crate::system::fs::{Dir, Disk, Kind as FileKind, ReadError, Tree};
use crate::text::ids::{FilePath, RelPath};

/// Bytes that an imported file may have.
const MAX_BYTES: u64 = 1 << 20;
/// How deep, and in how many directories, a Makefile is looked for.
const MAX_DEPTH: usize = 3;
const MAX_DIRECTORIES: usize = 500;
/// Files and bytes that a copied tree may have.
const MAX_FILES: usize = 20_000;
const MAX_COPY: u64 = 512 << 20;

/// Where a directory's modules are said, the first that is there.
pub(super) const KBUILD_NAMES: [&str; 5] = ["Kbuild", "Makefile", "makefile", "GNUmakefile", "Makefile.in"];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What dkms builds a driver by.
    Dkms,
    /// A driver's own Makefile, or its Kbuild file.
    Kbuild,
    /// The Dockerfile of a driver container.
    Dockerfile,
    /// A `Module` of the Kernel Module Management operator.
    Kmm,
}

impl Kind {
    /// Whether the driver's sources lie beside it.
    #[must_use]
    pub fn has_sources(self) -> bool {
        matches!(self, Self::Dkms | Self::Kbuild)
    }
}

/// A file to import.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: Kind,
    /// Where it lies in the project.
    pub file: RelPath,
    /// The directory that it lies in.
    pub dir: RelPath,
    /// What it says.
    pub text: String,
}

/// What to import of a directory: the first of what drivers have, the richest first.
///
/// # Errors
/// A file of such a name that cannot be read; its path, and why.
pub fn find(tree: &impl Tree, dir: &RelPath) -> Result<Option<Place>, (RelPath, ReadError)> {
    let names = [
        "dkms.conf",
        "debian/dkms.conf",
        "Kbuild",
        "Makefile",
        "makefile",
        "GNUmakefile",
        "Kbuild.in",
        "Makefile.in",
        "Dockerfile",
        "Containerfile",
    ];
    for file in names.iter().filter_map(|name| dir.join(name).ok()) {
        match text(tree, &file) {
            Ok(text) => {
                return Ok(Some(Place { kind: kind(&file, &text), file, dir: dir.clone(), text }));
            }
            Err(ReadError::Absent) => {}
            Err(error) => return Err((file, error)),
        }
    }
    let beneath = makefiles_beneath(tree, dir);
    let first = beneath.first().and_then(|dir| kbuild_file(tree, dir));
    Ok(first.map(|(file, text)| Place { kind: Kind::Kbuild, file, dir: dir.clone(), text }))
}

/// The file that says what a directory builds, and its text.
pub(super) fn kbuild_file(tree: &impl Tree, dir: &RelPath) -> Option<(RelPath, String)> {
    KBUILD_NAMES.iter().find_map(|name| {
        let file = dir.join(name).ok()?;
        text(tree, &file).ok().map(|text| (file, text))
    })
}

/// The directories beneath one that build modules, the uppermost of each branch; none where there are too many.
pub(super) fn makefiles_beneath(tree: &impl Tree, dir: &RelPath) -> Vec<RelPath> {
    let (mut found, mut seen) = (Vec::new(), 0_usize);
    let mut open = vec![(dir.clone(), 0_usize)];
    while let Some((at, depth)) = open.pop() {
        seen += 1;
        if seen > MAX_DIRECTORIES {
            return Vec::new();
        }
        let text = kbuild_file(tree, &at).filter(|_| depth > 0);
        if text.is_some_and(|(_, text)| text.lines().any(|line| line.trim_start().starts_with("obj-"))) {
            found.push(at);
            continue;
        }
        for entry in tree.list(&at).map(|found| found.value).unwrap_or_default() {
            let hidden = entry.name.starts_with('.') || entry.name == "drivers.out";
            if entry.kind == FileKind::Directory && depth < MAX_DEPTH && !hidden {
                open.extend(at.join(&entry.name).ok().map(|path| (path, depth + 1)));
            }
        }
    }
    found.sort();
    found
}

/// What a file is, by its name and its text.
#[must_use]
pub fn kind(file: &RelPath, text: &str) -> Kind {
    let name = file.as_path().file_name().unwrap_or_default().to_lowercase();
    let is_assigned = |variable: &str| text.lines().any(|line| line.trim_start().starts_with(variable));
    match name.as_str() {
        _ if name.ends_with(".yaml") || name.ends_with(".yml") => Kind::Kmm,
        _ if name.starts_with("dockerfile")
            || name.starts_with("containerfile")
            || name.ends_with(".dockerfile") =>
        {
            Kind::Dockerfile
        }
        _ if name.contains("dkms") || is_assigned("PACKAGE_NAME=") || is_assigned("BUILT_MODULE_NAME") => {
            Kind::Dkms
        }
        _ if text.lines().any(|line| line.starts_with("FROM ")) => Kind::Dockerfile,
        _ => Kind::Kbuild,
    }
}

/// A file's text. Bytes of other encodings, as old files have them in comments, become U+FFFD.
///
/// # Errors
/// What cannot be read, is too large, or is no text.
pub fn text(tree: &impl Tree, file: &RelPath) -> Result<String, ReadError> {
    let bytes = tree.read(file, MAX_BYTES)?.value;
    if bytes.contains(&0) {
        return Err(ReadError::WrongKind("it is not text"));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What became of a tree.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// How many files were copied.
    pub files: usize,
    /// What was left out, and why: no source may hold it.
    pub left_out: Vec<(String, &'static str)>,
}

/// What stands at a path of a tree that is copied.
enum Piece {
    File { executable: bool },
    Link { target: String },
}

/// Copies all files of a tree, and the links that stay in it, into a new directory of the project.
///
/// # Errors
/// A directory that exists; what cannot be read or written; more than anybody's driver has. The path, and why.
pub fn copy(from: &Disk, to: &Disk, dir: &RelPath) -> Result<Copied, (String, String)> {
    copy_within(MAX_FILES, MAX_COPY, from, to, dir)
}

/// Copies a tree that may have so many files and bytes.
fn copy_within(
    most: usize,
    mut left: u64,
    from: &Disk,
    to: &Disk,
    dir: &RelPath,
) -> Result<Copied, (String, String)> {
    if to.root().status_of(dir.as_str()).is_ok() {
        return Err(failed(dir.as_str(), &"a file or directory of that name exists"));
    }
    let mut copied = Copied::default();
    let pieces = pieces(most, from, &mut copied)?;
    // All of it is there, or nothing: a run that is killed leaves a name that no run takes for a driver.
    let aside = to.root().aside().map_err(|error| failed(dir.as_str(), &error))?;
    for (path, piece) in &pieces {
        let (above, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let bytes = match piece {
            Piece::File { .. } => from.read(path, left).map_err(|error| failed(path.as_str(), &error))?.value,
            Piece::Link { .. } => Vec::new(),
        };
        left = left.saturating_sub(bytes.len() as u64);
        let write = |dir: &Dir| match piece {
            Piece::File { executable } => dir.fill(name, &bytes, *executable),
            Piece::Link { target } => dir.create_link(name, target),
        };
        let written = match above {
            "" => write(aside.dir()),
            above => aside.dir().make_dirs(above).and_then(|dir| write(&dir)),
        };
        written.map_err(|error| failed(path.as_str(), &error))?;
    }
    aside.rename(dir.as_str()).map_err(|error| failed(dir.as_str(), &error))?;
    copied.files = pieces.len();
    Ok(copied)
}

/// What there is to copy, sorted.
fn pieces(most: usize, from: &Disk, copied: &mut Copied) -> Result<Vec<(FilePath, Piece)>, (String, String)> {
    let mut pieces: Vec<(FilePath, Piece)> = Vec::new();
    let mut open: Vec<FilePath> = vec![(*RelPath::root()).clone()];
    while let Some(at) = open.pop() {
        let entries = from.list(&at).map_err(|error| failed(at.as_str(), &error))?.value;
        if pieces.len() + open.len() + entries.len() > most {
            return Err(failed(at.as_str(), &format!("more than {most} files")));
        }
        for entry in entries {
            let Ok(path) = at.join_file(&entry.name) else {
                copied.left_out.push((format!("{at}/{}", entry.name), "no source can hold its name"));
                continue;
            };
            match entry.kind {
                FileKind::Directory if entry.name == ".git" => {}
                FileKind::Directory => open.push(path),
                FileKind::File => {
                    let digest = from.digest(&path).map_err(|error| failed(path.as_str(), &error))?;
                    pieces.push((path, Piece::File { executable: digest.value.executable }));
                }
                FileKind::Link => match from.link(&path) {
                    Ok(link) if stays_inside(path.as_str(), &link.value) => {
                        pieces.push((path, Piece::Link { target: link.value }));
                    }
                    _ => copied.left_out.push((path.to_string(), "it is a link that leads out of the tree")),
                },
                FileKind::Other => copied.left_out.push((path.to_string(), "it is no regular file")),
            }
        }
    }
    pieces.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(pieces)
}

fn failed(path: &str, error: &dyn std::fmt::Display) -> (String, String) {
    (path.to_owned(), error.to_string())
}

/// Whether a link's text, read from where it is, names no place above the tree. What it finds there, `compile` asks.
fn stays_inside(path: &str, target: &str) -> bool {
    let mut depth = path.matches('/').count();
    !target.starts_with('/')
        && target.split('/').all(|part| match part {
            "" | "." => true,
            ".." => depth.checked_sub(1).is_some_and(|above| {
                depth = above;
                true
            }),
            _ => {
                depth += 1;
                true
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_makefile_is_looked_for_in_so_many_directories() {
        use crate::system::fs::Memory;
        let found = |others: usize, makefile: &str| {
            let mut tree = Memory::new();
            let path = |text: &str| RelPath::parse(text).unwrap();
            tree.insert(path(makefile), &b"obj-m := a.o\n"[..]);
            (0..others).for_each(|number| tree.insert(path(&format!("d{number}/x")), &b""[..]));
            makefiles_beneath(&tree, &RelPath::root()).len()
        };
        // The topmost directory counts as well.
        assert_eq!((found(498, "a/Makefile"), found(499, "a/Makefile")), (1, 0));
        assert_eq!((found(0, "a/b/c/Makefile"), found(0, "a/b/c/d/Makefile")), (1, 0));
    }

    #[test]
    fn a_tree_that_is_copied_is_bounded() {
        let home = tempfile::tempdir().unwrap();
        let home = camino::Utf8Path::from_path(home.path()).unwrap();
        for (path, text) in [("from/a", "1234"), ("from/b/c", "567"), ("from/b/d", "89"), ("to/x", "")] {
            let path = home.join(path);
            let directory = Dir::make_private(path.parent().unwrap().as_str()).unwrap();
            directory.replace(path.file_name().unwrap(), text.as_bytes()).unwrap();
        }
        let [from, to] = ["from", "to"].map(|name| Disk::open(&home.join(name)).unwrap());
        let driver = RelPath::parse("driver").unwrap();
        let copied = |files, bytes| copy_within(files, bytes, &from, &to, &driver);
        assert!(copied(2, 9).unwrap_err().1.contains("more than 2 files"));
        assert_eq!(copied(3, 8).unwrap_err().0, "b/d");
        assert!(!home.join("to/driver").exists());
        assert_eq!(copied(3, 9).unwrap().files, 3);
    }
}
