//! Where an image's parts lie: digests -> bytes.

use super::broken;
use crate::system::fs::{UserFile, open_user_file};
use crate::text::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::{Read, Seek as _, SeekFrom};
use std::sync::Mutex;

/// Most members of an archive.
const MEMBERS: usize = 100_000;

/// A place that holds an image's parts.
pub trait Blobs {
    /// The bytes of the part `name`: a digest (`sha256:…`), or one of the names that the layout of a directory or
    /// archive fixes (`index.json`, `manifest.json`, a layer of `docker save`). Nothing, if there is none.
    ///
    /// # Errors
    /// It is there and cannot be read. Whether it matches its digest is the caller's to check.
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error>;
}

/// The path of a digest in an OCI layout; any other name is its own path.
fn path_of(name: &str) -> String {
    match name.split_once(':') {
        Some((algorithm, hex)) => format!("blobs/{algorithm}/{hex}"),
        None => name.to_owned(),
    }
}

/// Whether a part's name stays inside: relative, and without `..`.
fn is_inside(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|part| part != "..")
}

/// A directory in OCI's image layout.
#[derive(Debug)]
pub struct Layout {
    directory: Utf8PathBuf,
}

impl Layout {
    /// The layout in a directory.
    ///
    /// # Errors
    /// The directory is none.
    pub fn open(directory: &Utf8Path) -> Result<Self, Error> {
        let layout = Self { directory: directory.to_owned() };
        if layout.blob("index.json")?.is_none() {
            return Err(broken(directory.as_str(), "it has no index.json, so it is not an OCI image layout"));
        }
        Ok(layout)
    }
}

impl Blobs for Layout {
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        let path = path_of(name);
        if !is_inside(&path) {
            return Ok(None);
        }
        let path = self.directory.join(path);
        let file = open_user_file(&path).map_err(|cause| Error::new("read", path.as_str(), cause))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
    }
}

/// A tar archive in OCI's image layout, or as `docker save` writes it.
#[derive(Debug)]
pub struct Archive {
    path: Utf8PathBuf,
    file: Mutex<UserFile>,
    /// Position and size of each member; of a link, its target's.
    members: BTreeMap<String, (u64, u64)>,
}

impl Archive {
    /// Lists an archive.
    ///
    /// # Errors
    /// There is no such file, or it is not a tar archive.
    pub fn open(path: &Utf8Path) -> Result<Self, Error> {
        Self::open_within(MEMBERS, path)
    }

    /// Lists an archive that may have so many members.
    pub(super) fn open_within(most: usize, path: &Utf8Path) -> Result<Self, Error> {
        let failed = |cause| Error::new("read", path.as_str(), cause);
        let file = open_user_file(path).map_err(failed)?;
        let file = file.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let not_tar = |_| broken(path.as_str(), "it is not a tar archive of an image");
        let mut members = BTreeMap::new();
        let mut links = Vec::new();
        let mut archive = tar::Archive::new(&file);
        for (number, entry) in archive.entries_with_seek().map_err(not_tar)?.enumerate() {
            if number == most {
                return Err(broken(path.as_str(), format!("it has more than {most} members")));
            }
            let entry = entry.map_err(not_tar)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_start_matches("./").to_owned();
            let name = text(&entry.path_bytes());
            match entry.link_name_bytes().map(|target| text(&target)) {
                Some(target) => links.push((name, target)),
                None => drop(members.insert(name, (entry.raw_file_position(), entry.size()))),
            }
        }
        for (name, target) in links {
            // Old `docker save` links equal layers to each other: `../<id>/layer.tar`.
            let place =
                members.get(target.trim_start_matches("../")).or_else(|| members.get(&target)).copied();
            members.extend(place.map(|place| (name, place)));
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), members })
    }
}

impl Blobs for Archive {
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        let Some(&(position, size)) = self.members.get(&path_of(name)) else { return Ok(None) };
        Ok(Some(Box::new(Part { archive: self, position, left: size })))
    }
}

/// A member of an archive while it is read.
struct Part<'a> {
    archive: &'a Archive,
    position: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Ok(mut file) = self.archive.file.lock() else {
            return Err(std::io::Error::other(format!("{} is in use", self.archive.path)));
        };
        file.seek(SeekFrom::Start(self.position))?;
        let read = file.by_ref().take(self.left).read(buffer)?;
        self.position += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
