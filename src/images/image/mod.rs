//! A container image, wherever it lies -> its configuration and its files, without running anything of it.
//!
//! 1. [`open`] finds out what the user's path is: an OCI layout or an archive of `podman save` or `docker save`. A
//!    registry's images come in through [`Image::load`] with [`Blobs`] of its own.
//! 2. The manifest of one architecture is chosen, its configuration read (`manifest`).
//! 3. Each layer is checked against its digest, unpacked into a temporary file and listed (`layer`).
//! 4. The lists are laid over each other: whiteouts, links (`root`). A file's bytes are read when they are asked for.
//!
//! Formats: the OCI image specification 1.1 (image-layout, manifest, config, layer), and the `manifest.json` of
//! `docker save`. Images are untrusted: sizes and counts are bounded, no path leads out, links are followed inside.

mod blobs;
mod layer;
mod manifest;
mod remote;
mod root;
#[cfg(test)]
pub(crate) mod tests;

pub use blobs::{Archive, Blobs, Layout};
pub use manifest::Config;
pub use remote::{from_engine, from_engine_id, from_registry};
pub use root::{File, Kind, Part, Root};

use crate::text::error::Error;
use crate::text::ids::Arch;
use camino::Utf8Path;
use layer::Layer;

/// An image of one architecture.
#[derive(Debug)]
pub struct Image {
    /// Where it came from, for messages.
    pub name: String,
    /// Digest of the configuration (`sha256:…`): the image id of podman and docker.
    pub id: String,
    /// What it is configured to be.
    pub config: Config,
    /// Its layers, lowest first.
    pub layers: Vec<LayerSize>,
    /// Its files, as a container would see them.
    pub root: Root,
}

/// What one layer weighs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSize {
    /// Digest of the layer as it is stored.
    pub digest: String,
    /// Bytes as it is stored.
    pub stored: u64,
    /// Bytes of the files in it.
    pub files: u64,
}

/// Opens the image in a directory (OCI layout) or file (OCI or Docker archive).
///
/// With several architectures, the one of `arch` is taken; with several images, the one that is tagged `tag`.
///
/// # Errors
/// What stands there is no image, has none of that architecture, or does not match its digests.
pub fn open(path: &Utf8Path, arch: Option<Arch>, tag: Option<&str>) -> Result<Image, Error> {
    let name = path.as_str();
    if path.is_dir() {
        return Image::load(name, &Layout::open(path)?, arch, tag);
    }
    Image::load(name, &Archive::open(path)?, arch, tag)
}

impl Image {
    /// Reads an image from its blobs.
    ///
    /// # Errors
    /// As [`open`].
    pub fn load(name: &str, blobs: &dyn Blobs, arch: Option<Arch>, tag: Option<&str>) -> Result<Self, Error> {
        Self::load_within(layer::UNPACKED, name, blobs, arch, tag)
    }

    /// Reads an image whose layers may have so many bytes together, unpacked.
    fn load_within(
        mut left: u64,
        name: &str,
        blobs: &dyn Blobs,
        arch: Option<Arch>,
        tag: Option<&str>,
    ) -> Result<Self, Error> {
        let found = manifest::find(name, blobs, arch, tag)?;
        let mut layers = Vec::new();
        let mut root = root::Builder::default();
        for part in &found.layers {
            let layer = Layer::read(name, blobs, part, left)?;
            left = left.saturating_sub(layer.unpacked);
            layers.push(LayerSize {
                digest: part.name.clone(),
                stored: layer.stored,
                files: layer.entries.iter().map(|entry| entry.size).sum(),
            });
            root.lay(layer);
        }
        Ok(Self { name: name.to_owned(), id: found.id, config: found.config, layers, root: root.build() })
    }
}

/// An error about the image `name`.
fn broken(name: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new("read the image", name, cause)
}
