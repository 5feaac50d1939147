//! Images made of values, read back.

use super::*;
use std::io::{Read, Write as _};

mod bounds;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Parts by name.
struct Parts(std::collections::BTreeMap<String, Vec<u8>>);

impl Blobs for Parts {
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        Ok(self.0.get(name).map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read>))
    }
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// `path` a file, `path/` a directory, `path->target` a symbolic and `path=>target` a hard link.
pub(crate) fn layer(members: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(0);
        let (path, kind, target) = match (path.split_once("->"), path.split_once("=>")) {
            (Some((path, target)), _) => (path, tar::EntryType::Symlink, target),
            (_, Some((path, target))) => (path, tar::EntryType::Link, target),
            _ if path.ends_with('/') => (*path, tar::EntryType::Directory, ""),
            _ => (*path, tar::EntryType::Regular, ""),
        };
        header.set_entry_type(kind);
        if kind == tar::EntryType::Regular {
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content.as_bytes()).unwrap();
        } else if target.is_empty() {
            tar.append_data(&mut header, path, &[][..]).unwrap();
        } else {
            tar.append_link(&mut header, path, target).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// An image of two architectures; the arm64 one has no layers.
fn parts(layers: &[Vec<u8>]) -> Parts {
    let mut parts = Parts(std::collections::BTreeMap::new());
    let mut add = |bytes: Vec<u8>| {
        let digest = digest(&bytes);
        parts.0.insert(digest.clone(), bytes);
        digest
    };
    let mut manifests = Vec::new();
    for (arch, layers) in [("amd64", layers), ("arm64", &[])] {
        let config = format!(
            r#"{{"os":"linux","architecture":"{arch}","config":{{"Cmd":["a"],"Labels":{{"k":"v"}},"Env":null}}}}"#
        );
        let described = |digest: String, bytes: usize| {
            format!(r#"{{"mediaType":"x","size":{bytes},"digest":"{digest}"}}"#)
        };
        let config = described(add(config.clone().into_bytes()), config.len());
        let layers: Vec<_> = layers.iter().map(|layer| described(add(layer.clone()), layer.len())).collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{config},"layers":[{}]}}"#,
            layers.join(",")
        );
        let (size, digest) = (manifest.len(), add(manifest.into_bytes()));
        manifests.push(format!(
            r#"{{"mediaType":"{IMAGE}","size":{size},"digest":"{digest}","platform":{{"os":"linux","architecture":"{arch}"}}}}"#
        ));
    }
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, manifests.join(","));
    parts.0.insert("index.json".to_owned(), index.into_bytes());
    parts
}

/// The parts as an archive in OCI's layout.
fn archived(parts: &Parts) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in &parts.0 {
        let path =
            name.strip_prefix("sha256:").map_or_else(|| name.clone(), |hex| format!("blobs/sha256/{hex}"));
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, &path, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

pub(crate) fn load(layers: &[Vec<u8>]) -> Image {
    Image::load("test", &parts(layers), Some(Arch::X86_64), None).unwrap()
}

/// Tools that make layers without an engine write below links of the layers beneath.
#[test]
fn a_layer_is_laid_through_the_links_of_those_beneath() {
    let lower = layer(&[
        ("usr/lib/modules/", ""),
        ("opt/lib->../usr/lib", ""),
        ("usr/lib/old", "old"),
        ("usr/lib/gone", "gone"),
        ("broken->nowhere", ""),
        ("file", "file"),
    ]);
    let upper = layer(&[
        ("opt/lib/modules/a.ko", "module"),
        ("opt/lib/.wh.gone", ""),
        ("also=>opt/lib/old", ""),
        ("broken/b", "b"),
        ("file/c", "c"),
    ]);
    let root = load(&[lower, upper]).root;
    for path in ["opt/lib/modules/a.ko", "usr/lib/modules/a.ko"] {
        assert_eq!(root.read(path, 10).unwrap(), b"module", "{path}");
    }
    assert_eq!(root.beneath("opt/lib/modules").count(), 1);
    assert_eq!(root.read("also", 10).unwrap(), b"old");
    assert!(root.get("usr/lib/gone").is_none());
    assert_eq!(
        (root.read("broken/b", 10).unwrap(), root.read("file/c", 10).unwrap()),
        (b"b".to_vec(), b"c".to_vec())
    );
}

#[test]
fn layers_lie_over_each_other() {
    let lower =
        layer(&[("a/", ""), ("a/1", "one"), ("a/2", "two"), ("b/3", "three"), ("c->a", ""), ("d", "gone")]);
    let upper =
        layer(&[("a/.wh.1", ""), ("b/.wh..wh..opq", ""), ("b/4", "four"), ("d->/c/2", ""), ("e=>b/4", "")]);
    let image = load(&[gzip(&lower), upper]);
    let paths: Vec<_> = image.root.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["a", "a/2", "b", "b/4", "c", "d", "e"]);
    for (path, bytes) in [("/c/2", "two"), ("d", "two"), ("a/../e", "four"), ("/../../b/4", "four")] {
        assert_eq!(image.root.read(path, 100).unwrap(), bytes.as_bytes(), "{path}");
    }
    assert_eq!(image.root.beneath("/c").map(|(path, _)| path).collect::<Vec<_>>(), ["a/2"]);
    assert!(image.root.get("a/1").is_none() && image.root.get("e/x").is_none());
    assert_eq!((image.config.labels["k"].as_str(), image.config.arch()), ("v", Some(Arch::X86_64)));
}

#[test]
fn nothing_leads_out_or_round_in_circles() {
    let image =
        load(&[layer(&[("l->m", ""), ("m->l", ""), ("up->../../../etc/passwd", ""), ("w/x=>../y", "")])]);
    for path in ["l", "m", "up", "w/x"] {
        assert!(image.root.read(path, 100).is_err(), "{path}");
    }
}

#[test]
fn what_is_not_what_its_digest_says_is_refused() {
    let whole = layer(&[("a", "one")]);
    let mut parts = parts(std::slice::from_ref(&whole));
    let error = |parts: &Parts, arch| Image::load("test", parts, arch, None).unwrap_err().to_string();
    assert!(error(&parts, None).contains("several images"));
    assert!(error(&parts, Some(Arch::S390x)).contains("amd64, arm64"));
    parts.0.insert(digest(&whole), layer(&[("a", "two")]));
    assert!(error(&parts, Some(Arch::X86_64)).contains("does not have that digest"));
    parts.0.remove(&digest(&whole));
    assert!(error(&parts, Some(Arch::X86_64)).contains("is missing"));
}

#[test]
fn archives_and_directories_hold_images() {
    let home = tempfile::tempdir().unwrap();
    let home = Utf8Path::from_path(home.path()).unwrap();
    let parts = parts(&[gzip(&layer(&[("a", "one")]))]);
    let tar = archived(&parts);
    tar::Archive::new(tar.as_slice()).unpack(home.join("layout")).unwrap();
    let archive = tempfile::NamedTempFile::new().unwrap();
    archive.as_file().write_all(&tar).unwrap();
    for path in [home.join("layout").as_path(), Utf8Path::from_path(archive.path()).unwrap()] {
        let image = open(path, Some(Arch::X86_64), None).unwrap();
        assert_eq!(image.root.read("a", 3).unwrap(), b"one");
        assert!(image.root.read("a", 2).is_err());
        assert!(open(path, Some(Arch::X86_64), Some("none")).is_err());
    }
    assert!(open(home, None, None).unwrap_err().to_string().contains("index.json"));
}
