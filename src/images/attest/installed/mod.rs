//! The package databases in an image's files -> the packages that are installed.
//!
//! dpkg keeps a text, rpm the headers of its packages in a database of one of three kinds: SQLite (RHEL 9, Fedora), `ndb`
//! (SUSE) and Berkeley's (RHEL 8). Nothing of the image is run; what cannot be read is said.

mod bdb;
mod header;
mod ndb;
mod sqlite;

use crate::images::image::Root;
use std::collections::{BTreeMap, BTreeSet};

/// Largest database.
const DATABASE: u64 = 512 << 20;
/// Where dpkg keeps its text.
pub const DPKG: &str = "var/lib/dpkg/status";
/// Where rpm keeps its database: newer systems have the second.
pub const RPM: [&str; 2] = ["var/lib/rpm", "usr/lib/sysimage/rpm"];

/// The bytes of a package's header, one after the other.
type Headers = Vec<Vec<u8>>;

/// What kind of package it is, by package URL's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Deb,
    Rpm,
}

/// A package that is installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    pub name: String,
    /// As the distribution writes it; of rpm with its release, and its epoch where there is one.
    pub version: String,
    pub arch: String,
    /// The source package that it was made of, where it says so.
    pub source: Option<String>,
    pub format: Format,
}

/// What is installed in some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// `ID` and `VERSION_ID` of `os-release`.
    pub system: Option<(String, String)>,
    pub installed: BTreeSet<Installed>,
    /// Databases that could not be read, and why.
    pub unread: Vec<String>,
}

impl Packages {
    /// What the databases beneath a directory say (without a slash in front or behind; empty for the root).
    #[must_use]
    pub fn read(root: &Root, beneath: &str) -> Self {
        let at = |path: &str| format!("{beneath}/{path}").trim_start_matches('/').to_owned();
        let mut packages = Self { system: system(root, &at("etc/os-release")), ..Self::default() };
        // Images without a package manager have one file for each package.
        let directory = at("var/lib/dpkg/status.d");
        let apart = root.beneath(&directory).map(|(path, _)| path.to_owned());
        let texts = std::iter::once(at(DPKG)).chain(apart.filter(|path| !path.ends_with(".md5sums")));
        for path in texts.filter(|path| root.get(path).is_some()).collect::<Vec<_>>() {
            match root.read(&path, DATABASE) {
                Ok(text) => packages.installed.extend(dpkg(&String::from_utf8_lossy(&text))),
                Err(cause) => packages.unread.push(cause.to_string()),
            }
        }
        let mut seen = BTreeSet::new();
        for directory in RPM.map(&at) {
            // One of the two is often a link to the other.
            if root.resolve(&directory).is_some_and(|real| seen.insert(real)) {
                packages.rpm(root, &directory);
            }
        }
        packages
    }

    fn rpm(&mut self, root: &Root, directory: &str) {
        type Reader = fn(&[u8]) -> Option<Headers>;
        let kinds: [(&str, Reader); 3] =
            [("rpmdb.sqlite", sqlite::headers), ("Packages.db", ndb::headers), ("Packages", bdb::headers)];
        for (name, headers) in kinds {
            let path = format!("{directory}/{name}");
            if root.get(&path).is_none() {
                continue;
            }
            let journal = root.get(&format!("{path}-wal")).is_some_and(|file| file.size > 0);
            let found =
                root.read(&path, DATABASE).ok().filter(|_| !journal).and_then(|bytes| headers(&bytes));
            match found {
                Some(found) => self.installed.extend(found.iter().filter_map(|one| header::package(one))),
                None if journal => {
                    self.unread.push(format!("/{path} has a journal that is not written back"))
                }
                None => self.unread.push(format!("/{path} is no database of rpm that drvc can read")),
            }
        }
    }
}

/// `ID` and `VERSION_ID`.
fn system(root: &Root, path: &str) -> Option<(String, String)> {
    let text = root.read(path, 64 << 10).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let values: BTreeMap<_, _> = lines.map(|(name, value)| (name, value.trim_matches(['"', '\'']))).collect();
    let version = values.get("VERSION_ID").copied().unwrap_or_default();
    Some(((*values.get("ID")?).to_owned(), version.to_owned()))
}

/// The paragraphs of dpkg's text that are of an installed package.
fn dpkg(text: &str) -> impl Iterator<Item = Installed> {
    text.split("\n\n").filter_map(|paragraph| {
        let field = |name: &str| {
            let lines = paragraph.lines().filter_map(|line| line.split_once(':'));
            let mut values =
                lines.filter(|(field, _)| *field == name).map(|(_, value)| value.trim().to_owned());
            values.next()
        };
        // A file of its own for each package has no status.
        let is_there = field("Status").is_none_or(|status| status.ends_with(" installed"));
        let (name, version) = (field("Package")?, field("Version")?);
        let arch = field("Architecture")?;
        is_there.then_some(Installed { name, version, arch, source: field("Source"), format: Format::Deb })
    })
}

/// A number of a database in the byte order of the machines that have one: the lowest byte first.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// A number of two bytes.
fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests;
