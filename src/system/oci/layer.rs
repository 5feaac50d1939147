//! A layer's bytes -> one file of it.

use crate::system::unpack::unpacked;
use std::io::{self, Read};

/// What a layer says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// It puts this file there.
    File(Vec<u8>),
    /// It takes away what is there.
    Removed,
    Nothing,
}

/// The most that a layer may unpack to, in bytes.
const UNPACKED: u64 = 16 << 30;

/// Looks for a path (without a leading `/`) in a layer: a tar, plain, gzipped or in zstd. A file of more than `limit`
/// bytes is an error. Nothing is written anywhere.
///
/// # Errors
/// It is no layer, or the file is too large.
pub fn read_file(layer: &mut dyn Read, path: &str, limit: u64) -> io::Result<Layer> {
    in_tar(unpacked(layer, UNPACKED)?, path, limit)
}

fn in_tar(layer: impl Read, path: &str, limit: u64) -> io::Result<Layer> {
    let (directory, name) = path.rsplit_once('/').map_or(("", path), |(directory, name)| (directory, name));
    let slash = if directory.is_empty() { "" } else { "/" };
    let whiteout = format!("{directory}{slash}.wh.{name}");
    let opaque = format!("{directory}{slash}.wh..wh..opq");
    let mut archive = tar::Archive::new(layer);
    let mut found = Layer::Nothing;
    for entry in archive.entries()? {
        let entry = entry?;
        let at = entry.path_bytes();
        let at = std::str::from_utf8(&at).unwrap_or_default();
        let at = at.trim_start_matches("./").trim_start_matches('/');
        if at == path && entry.header().entry_type().is_file() {
            let size = entry.size();
            if size > limit {
                return Err(io::Error::other(format!("`{path}` has {size} bytes, more than {limit}")));
            }
            let mut bytes = Vec::new();
            entry.take(limit).read_to_end(&mut bytes)?;
            found = Layer::File(bytes);
        } else if (at == whiteout || at == opaque) && found == Layer::Nothing {
            found = Layer::Removed;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn a_file_is_found_whatever_packs_the_layer() {
        let plain = tar(&[("./etc/other", "x"), ("./etc/file", "content")]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        for mut bytes in [plain.as_slice(), &gzip.finish().unwrap()] {
            assert_eq!(read_file(&mut bytes, "etc/file", 100).unwrap(), Layer::File(b"content".to_vec()));
        }
        assert!(read_file(&mut plain.as_slice(), "etc/file", 3).is_err());
        assert_eq!(read_file(&mut plain.as_slice(), "etc/none", 3).unwrap(), Layer::Nothing);
    }

    #[test]
    fn what_is_taken_away_is_known() {
        for (name, path, expected) in [
            ("etc/.wh.file", "etc/file", Layer::Removed),
            ("etc/.wh..wh..opq", "etc/file", Layer::Removed),
            ("etc/.wh.other", "etc/file", Layer::Nothing),
            (".wh.file", "file", Layer::Removed),
        ] {
            assert_eq!(read_file(&mut tar(&[(name, "")]).as_slice(), path, 1).unwrap(), expected, "{name}");
        }
        assert!(read_file(&mut &b"this is no archive at all"[..], "x", 1).is_err());
    }
}
