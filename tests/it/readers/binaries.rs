//! What is no text: states, layers, modules, packages, certificates.

use super::{rel, text};
use drvc::images::image::{Blobs, Image, Kind};
use drvc::images::verify::{Driver, Expected, Module, Symvers, verify};
use drvc::knowledge::certificate::{Certificate, check_authorities};
use drvc::knowledge::signature::{SignatureVerdict, check_signature};
use drvc::store::state::{HOME, LOCK, Record, State, freshness};
use drvc::system::fs::{Disk, FileDigest};
use drvc::system::oci::{Layer, read_file};
use drvc::text::error::Error;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Instant;

/// A compiled project on disk, and how its state begins: magic, drvc, and the directory that it was made in.
struct Compiled {
    root: tempfile::TempDir,
    disk: Disk,
    begins: Vec<u8>,
}

impl Compiled {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("drivers.out").join(HOME)).unwrap();
        std::fs::write(root.path().join("drivers.out").join(HOME).join(LOCK), "").unwrap();
        std::fs::write(root.path().join("drivers.kdl"), "drvc edition=1\n").unwrap();
        let disk = Disk::open(root.path().try_into().unwrap()).unwrap();
        let home = disk.root().open_dir("drivers.out").unwrap().open_dir(HOME).unwrap();
        State::save(&home, Record::default(), Instant::now()).unwrap();
        let whole = std::fs::read(root.path().join("drivers.out").join(HOME).join("state")).unwrap();
        // The request, an empty note, no inputs, no outputs; the checksum.
        let end = whole.len() - 32 - 3 - 32;
        Self { disk, begins: whole[..end].to_vec(), root }
    }
}

/// A state that was made with care: its checksum is right, and it says that this drvc made it here. What is read of it is
/// written as it is, and it leads nowhere else.
pub fn state(bytes: &[u8]) {
    static PROJECT: LazyLock<Compiled> = LazyLock::new(Compiled::new);
    let Compiled { root, disk, begins } = &*PROJECT;
    let home = disk.root().open_dir("drivers.out").unwrap().open_dir(HOME).unwrap();
    let put = |state: Vec<u8>| std::fs::write(root.path().join("drivers.out/.drvc/state"), state).unwrap();
    put(bytes.to_vec());
    let _ = State::load(&home);
    let mut state = [begins.as_slice(), bytes].concat();
    state.extend_from_slice(blake3::hash(&state).as_bytes());
    put(state);
    let Ok(first) = State::load(&home) else { return };
    let request = bytes.first_chunk().copied().unwrap_or_default();
    let _ = freshness(disk, &rel("drivers.out"), &request);
    first.write(&home, Instant::now()).unwrap();
    let second = State::load(&home).unwrap();
    second.clone().write(&home, Instant::now()).unwrap();
    assert_eq!(State::load(&home), Ok(second));
}

/// An image by the names of its parts.
struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    fn add(&mut self, bytes: Vec<u8>) -> String {
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let size = bytes.len();
        self.0.insert(format!("sha256:{digest}"), bytes);
        format!(r#"{{"mediaType":"x","size":{size},"digest":"sha256:{digest}"}}"#)
    }
}

impl Blobs for Parts {
    fn blob(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        Ok(self.0.get(name).map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read>))
    }
}

fn image(layer: &[u8]) -> Result<Image, Error> {
    let mut parts = Parts(BTreeMap::new());
    let config = parts.add(br#"{"os":"linux","architecture":"amd64","config":{}}"#.to_vec());
    let layer = parts.add(layer.to_vec());
    let manifest = parts.add(
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{layer}]}}"#
        )
        .into_bytes(),
    );
    let manifest = manifest.replace("\"x\"", "\"application/vnd.oci.image.manifest.v1+json\"");
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{manifest}]}}"#);
    parts.0.insert("index.json".to_owned(), index.into_bytes());
    Image::load("image", &parts, None, None)
}

/// The regular files that a plain archive has once, as one pass reads them; nothing where anything else has their names.
fn once(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut found: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    let mut archive = tar::Archive::new(bytes);
    for mut entry in archive.entries().into_iter().flatten().map_while(Result::ok) {
        let whole = text(&entry.path_bytes());
        let parts: Vec<_> = whole.split('/').filter(|part| !["", "."].contains(part)).collect();
        let path = parts.join("/");
        let mut bytes = Vec::new();
        let is_file = entry.header().entry_type().is_file() && entry.read_to_end(&mut bytes).is_ok();
        let is_whole = is_file && bytes.len() as u64 == entry.size();
        let content = Some(bytes).filter(|_| is_whole && !found.contains_key(&path));
        found.insert(path, content);
    }
    found.into_iter().filter_map(|(path, content)| Some((path, content?))).collect()
}

/// A layer, as the whole of an image: whoever reads a file of it reads the same.
pub fn layer(bytes: &[u8]) {
    const FILE: &str = "deb/usr/src/linux-headers-6.1.0/Module.symvers";
    let alone = read_file(&mut &bytes[..], FILE, 1 << 20);
    let Ok(image) = image(bytes) else { return };
    let driver = Driver::read(&image, None);
    let report = verify(&image, &driver, &Expected::default());
    assert!(report.findings.len() <= 501);
    let once = once(bytes);
    for (path, file) in image.root.iter() {
        assert!(!path.split('/').any(|part| ["", ".", ".."].contains(&part)), "{path}");
        if let Some(content) = once.get(path).filter(|_| file.kind == Kind::File) {
            assert_eq!(&image.root.bytes(file).unwrap(), content, "{path}");
            // A path with a dot in it is told by one of them alone.
            if let (FILE, Ok(Layer::File(alone))) = (path, &alone) {
                assert_eq!(alone, content);
            }
        }
    }
}

/// What `modinfo` says of a module, by key; nothing where it has none, or takes the file for no module.
fn modinfo(bytes: &[u8]) -> Option<BTreeMap<String, Vec<String>>> {
    let file = tempfile::Builder::new().suffix(".ko").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let output = Command::new("modinfo").arg("-0").arg(file.path()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == 0) {
        // Most stand there as in the module, those about parameters and the file with a colon.
        if let Some((key, value)) = text(line).split_once(['=', ':']) {
            said.entry(key.to_owned()).or_default().push(value.trim().to_owned());
        }
    }
    Some(said)
}

pub fn module(bytes: &[u8]) {
    if let Ok(module) = Module::parse("hello.ko", bytes) {
        assert!(module.depends.len() <= 1_000);
    }
}

/// What a module says of itself is what `modinfo` reads in it.
pub fn module_by_modinfo(bytes: &[u8]) {
    let Ok(module) = Module::parse("hello.ko", bytes) else { return };
    let Some(theirs) = modinfo(bytes) else { return };
    // To modinfo a line that is a name alone says nothing by that name.
    let said = |values: &[String]| {
        let values = values.iter().map(|value| value.trim().to_owned());
        values.filter(|value| !value.is_empty()).collect::<Vec<_>>()
    };
    let listed = |key: &str| said(theirs.get(key).map_or(&[], Vec::as_slice));
    for (key, ours) in [
        ("softdep", &module.softdeps),
        ("firmware", &module.firmware),
        ("import_ns", &module.namespaces),
        ("alias", &module.aliases),
    ] {
        assert_eq!(said(ours), listed(key), "{key}");
    }
    for (key, ours) in [
        ("vermagic", &module.vermagic),
        ("license", &module.license),
        ("version", &module.version),
        ("srcversion", &module.srcversion),
    ] {
        if ours.as_ref().is_none_or(|ours| !ours.trim().is_empty()) {
            assert_eq!(said(ours.as_slice()).pop(), listed(key).pop(), "{key}");
        }
    }
}

/// A package of kernel headers, or the file of symbols itself.
pub fn package(bytes: &[u8]) {
    for name in ["headers.deb", "headers.rpm"] {
        let _ = Symvers::of_package(name, bytes);
    }
    let _ = Symvers::parse(&text(bytes));
}

/// A certificate, or the signature of a module. What was made up is right for nothing.
pub fn certificate(bytes: &[u8]) {
    let _ = Certificate::read(&rel("cert.pem"), bytes, FileDigest::of(bytes, 0o644));
    let _ = check_authorities(&rel("cert.pem"), bytes);
    let known = include_bytes!("../../data/signatures/rsa.pem");
    for (message, certificate) in
        [(bytes, &known[..]), (&include_bytes!("../../data/signatures/rsa.p7s")[..], bytes)]
    {
        let verdict = check_signature(message, b"another module\n", certificate);
        assert_ne!(verdict, SignatureVerdict::Right);
    }
}
