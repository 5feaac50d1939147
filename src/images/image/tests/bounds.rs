//! What an image may cost: each limit from both sides, with a small one where the real one is too large for a test.

use super::*;
use crate::images::image::layer::list;
use crate::system::unpack::tests::xz;
use rustix::fs::{CWD, Mode, mkfifoat};

fn loaded(parts: &Parts) -> Result<Image, Error> {
    Image::load("test", parts, Some(Arch::X86_64), None)
}

#[test]
fn layers_that_grow_beyond_measure_are_refused() {
    let of = |mib: usize| loaded(&parts(&[xz(&layer(&[("a", &"\0".repeat(mib << 20))]))]));
    assert!(of(12).is_ok());
    assert!(of(48).unwrap_err().to_string().contains("200 times its size"));
}

#[test]
fn all_layers_together_are_bounded() {
    let second = layer(&[("b", &"two".repeat(1_000))]);
    let layers = [layer(&[("a", "one")]), gzip(&second)];
    let bytes = (layers[0].len() + second.len()) as u64;
    let within = |most| Image::load_within(most, "test", &parts(&layers), Some(Arch::X86_64), None);
    assert_eq!(within(bytes).unwrap().layers.len(), 2);
    assert!(within(bytes - 1).unwrap_err().to_string().contains("too large"));
}

#[test]
fn files_layers_and_members_are_counted() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&layer(&[("a/", ""), ("a/1", "one"), ("a/2", "two")])).unwrap();
    assert_eq!(list(&file, 3).unwrap().len(), 3);
    assert!(list(&file, 2).unwrap_err().to_string().contains("more than 2 files"));

    let layers = |number: usize| loaded(&parts(&vec![layer(&[("a", "")]); number]));
    assert_eq!(layers(512).unwrap().layers.len(), 512);
    assert!(layers(513).unwrap_err().to_string().contains("more than 512 layers"));

    let parts = parts(&[]);
    let archive = tempfile::NamedTempFile::new().unwrap();
    archive.as_file().write_all(&archived(&parts)).unwrap();
    let open = |most| Archive::open_within(most, Utf8Path::from_path(archive.path()).unwrap());
    assert!(open(parts.0.len()).is_ok());
    assert!(open(parts.0.len() - 1).unwrap_err().to_string().contains("members"));
}

#[test]
fn documents_are_bounded() {
    let padded = |bytes: usize| {
        let mut parts = parts(&[]);
        parts.0.get_mut("index.json").unwrap().resize(bytes, b' ');
        loaded(&parts)
    };
    assert!(padded(4 << 20).is_ok());
    assert!(padded((4 << 20) + 1).unwrap_err().to_string().contains("larger than 4194304 bytes"));
}

#[test]
fn what_is_no_regular_file_is_refused_without_waiting() {
    let blob = digest(&layer(&[("a", "one")]));
    for name in [blob.as_str(), "index.json"] {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let mut parts = parts(&[layer(&[("a", "one")])]);
        parts.0.remove(name);
        tar::Archive::new(archived(&parts).as_slice()).unpack(home).unwrap();
        let path = home.join(name.replace("sha256:", "blobs/sha256/"));
        mkfifoat(CWD, path.as_str(), Mode::RWXU).unwrap();
        let refused = open(home, Some(Arch::X86_64), None).unwrap_err().to_string();
        assert!(refused.contains("not a regular file"), "{refused}");
    }
}

#[test]
fn a_file_of_an_image_is_read_up_to_a_limit() {
    let image = load(&[layer(&[("a", "four")])]);
    assert_eq!(image.root.read("a", 4).unwrap(), b"four");
    assert!(image.root.read("a", 3).unwrap_err().to_string().contains("larger than 3 bytes"));
}

#[test]
fn indexes_stand_in_each_other_up_to_a_limit() {
    let nested = |depth: usize| {
        let mut parts = parts(&[]);
        let kind = "application/vnd.oci.image.index.v1+json";
        for _ in 0..depth {
            let inner = parts.0["index.json"].clone();
            let (name, size) = (digest(&inner), inner.len());
            parts.0.insert(name.clone(), inner);
            let outer = format!(
                r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{kind}","size":{size},"digest":"{name}"}}]}}"#
            );
            parts.0.insert("index.json".to_owned(), outer.into_bytes());
        }
        loaded(&parts)
    };
    assert!(nested(3).is_ok());
    assert!(nested(4).unwrap_err().to_string().contains("contain each other"));
}

#[test]
fn sparse_files_are_refused() {
    let mut old = layer(&[("a", "0123")]);
    old[156] = b'S';
    // One piece of four bytes at the beginning, of four bytes.
    for (at, number) in [(386, 0), (398, 4), (483, 4)] {
        old[at..at + 12].copy_from_slice(format!("{number:011o}\0").as_bytes());
    }
    old[148..156].copy_from_slice(b"        ");
    let sum: u32 = old[..512].iter().map(|byte| u32::from(*byte)).sum();
    old[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut new = tar::Builder::new(Vec::new());
    new.append_pax_extensions([("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.name", b"a.ko")]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    new.append_data(&mut header, "GNUSparseFile.1/a.ko", &b"0\n"[..]).unwrap();
    for layer in [old, new.into_inner().unwrap()] {
        let refused = loaded(&parts(&[layer])).unwrap_err().to_string();
        assert!(refused.contains("as a sparse file"), "{refused}");
    }
}
