//! An image that a registry or an engine holds -> the image.

use super::{Archive, Blobs, Image, broken};
use crate::images::engine::{Engine, local_name};
use crate::system::oci::{Content, Descriptor, Manifest, Registry};
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef, Repository};
use camino::Utf8Path;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek as _};

/// An image of a registry, fetched part by part.
struct Remote<'a> {
    registry: &'a Registry,
    repository: Repository,
    manifest: Manifest,
    /// The parts that manifests have named so far.
    parts: RefCell<BTreeMap<String, Descriptor>>,
}

impl Remote<'_> {
    /// Remembers what a manifest names.
    fn learn(&self, manifest: &Manifest) {
        let mut parts = self.parts.borrow_mut();
        let mut learn = |one: &Descriptor| drop(parts.insert(one.digest.to_string(), one.clone()));
        match &manifest.content {
            Content::Index(index) => index.manifests.iter().for_each(learn),
            Content::Image(image) => {
                learn(&image.config);
                image.layers.iter().for_each(learn);
            }
        }
    }

    fn manifest(&self, digest: &str) -> Result<Vec<u8>, Error> {
        if self.manifest.digest.as_str() == digest {
            return Ok(self.manifest.bytes.clone());
        }
        let name = format!("{}@{digest}", self.repository);
        let image = ImageRef::parse(&name).map_err(|rule| broken(&name, rule))?;
        let manifest = self.registry.manifest(&image)?;
        self.learn(&manifest);
        Ok(manifest.bytes)
    }
}

impl Blobs for Remote<'_> {
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        if name == "index.json" {
            let one = serde_json::to_string(&self.manifest.descriptor(None)).unwrap_or_default();
            let index = format!(r#"{{"schemaVersion":2,"manifests":[{one}]}}"#);
            return Ok(Some(Box::new(Cursor::new(index.into_bytes()))));
        }
        let part = self.parts.borrow().get(name).cloned();
        let is_manifest =
            |part: &Descriptor| part.media_type.contains("manifest") || part.media_type.contains("index");
        match part {
            None if self.manifest.digest.as_str() == name => {
                Ok(Some(Box::new(Cursor::new(self.manifest(name)?))))
            }
            None => Ok(None),
            Some(part) if is_manifest(&part) => Ok(Some(Box::new(Cursor::new(self.manifest(name)?)))),
            Some(part) => {
                let file = self.registry.read_blob(&self.repository, &part, &mut |bytes| {
                    let mut file = tempfile::tempfile()?;
                    io::copy(bytes, &mut file)?;
                    file.rewind()?;
                    Ok(file)
                })?;
                Ok(Some(Box::new(file)))
            }
        }
    }
}

/// The image that a registry has under a reference; nothing, where it has none.
///
/// # Errors
/// It cannot be fetched, is not for that architecture, or is not what its digests say.
pub fn from_registry(
    registry: &Registry,
    reference: &ImageRef,
    arch: Option<Arch>,
) -> Result<Option<Image>, Error> {
    let Some(manifest) = registry.find_manifest(reference)? else { return Ok(None) };
    let repository =
        Repository::parse(reference.repository()).map_err(|rule| broken(reference.as_str(), rule))?;
    let remote = Remote { registry, repository, manifest, parts: RefCell::default() };
    remote.learn(&remote.manifest);
    Image::load(reference.as_str(), &remote, arch, None).map(Some)
}

/// The image that an engine has under a reference; nothing, where it has none.
///
/// # Errors
/// The engine fails, or what it writes is no image.
pub fn from_engine(
    engine: &Engine,
    reference: &ImageRef,
    arch: Option<Arch>,
) -> Result<Option<Image>, Error> {
    if engine.inspect(std::slice::from_ref(reference))?.is_empty() {
        return Ok(None);
    }
    saved(engine, &local_name(reference, engine.kind()), reference.as_str(), arch).map(Some)
}

/// The image that an engine has under an id; `name` is for messages.
///
/// # Errors
/// As [`from_engine`].
pub fn from_engine_id(engine: &Engine, id: &str, name: &str) -> Result<Image, Error> {
    saved(engine, id, name, None)
}

fn saved(engine: &Engine, word: &str, name: &str, arch: Option<Arch>) -> Result<Image, Error> {
    let failed = |cause: io::Error| Error::new("write", "a temporary directory", cause);
    let directory = tempfile::tempdir().map_err(failed)?;
    let directory =
        Utf8Path::from_path(directory.path()).ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let file = directory.join("image.tar");
    engine.save(word, &file)?;
    Image::load(name, &Archive::open(&file)?, arch, None)
}
