//! What a driver has today. Whatever that is, the manifest that is made of it is one, and passes `check`.

use super::{compiled, project, rel, reports, text};
use drvc::import::{self, Draft, Kind, Place, Target};
use drvc::language::layout::format;
use drvc::system::fs::Memory;

/// What an importer is given: its kind, the file, and what lies beside it.
type Given = (Kind, &'static str, &'static [(&'static str, &'static [u8])]);

const DKMS: Given = (Kind::Dkms, "s/dkms.conf", &[("s/m.c", b"MODULE_LICENSE(\"GPL\");\n")]);
const DOCKERFILE: Given = (
    Kind::Dockerfile,
    "s/Dockerfile",
    &[("s/Makefile", b"all:\n\tmake -C /lib/modules/$(shell uname -r)/build M=$(PWD)\n")],
);
const KMM: Given = (Kind::Kmm, "s/module.yaml", &[]);
const KBUILD: Given = (Kind::Kbuild, "s/Makefile", &[("s/m.c", b"MODULE_LICENSE(\"GPL\");\n")]);

fn draft((kind, file, others): Given, bytes: &[u8]) -> Option<(Memory, Draft)> {
    let mut tree = project(others);
    tree.insert(rel(file), bytes);
    let place = Place { kind, file: rel(file), dir: rel("s"), text: text(bytes) };
    let draft = import::draft(&tree, &place, "driver").ok()?;
    Some((tree, draft))
}

fn is_manifest(given: Given, bytes: &[u8]) {
    if let Some((_, draft)) = draft(given, bytes) {
        let manifest = import::write(&draft);
        assert!(format(&manifest).is_ok(), "{manifest}");
    }
}

/// Holds a draft to what `drvc init` promises.
fn passes(given: Given, bytes: &[u8]) {
    let Some((tree, mut draft)) = draft(given, bytes) else { return };
    let matrices =
        if draft.matrix.is_empty() { import::matrix::examples() } else { vec![draft.matrix.clone()] };
    let (manifest, out) = (rel("drivers.kdl"), rel("drivers.out"));
    let target = Target { tree: &tree, manifest: &manifest, out: &out };
    let text = import::settled(&target, &mut draft, matrices);
    assert_eq!(format(&text).ok().as_ref(), Some(&text));
    let mut tree = tree.clone();
    tree.insert(manifest, text.as_bytes());
    let compilation = compiled(&tree);
    assert!(!compilation.diagnostics.has_errors(), "{:?}\n{text}", reports(&compilation));
}

pub fn dkms(bytes: &[u8]) {
    is_manifest(DKMS, bytes);
}

pub fn dkms_passes(bytes: &[u8]) {
    passes(DKMS, bytes);
}

pub fn dockerfile(bytes: &[u8]) {
    is_manifest(DOCKERFILE, bytes);
}

pub fn dockerfile_passes(bytes: &[u8]) {
    passes(DOCKERFILE, bytes);
}

pub fn kmm(bytes: &[u8]) {
    is_manifest(KMM, bytes);
}

pub fn kmm_passes(bytes: &[u8]) {
    passes(KMM, bytes);
}

pub fn kbuild(bytes: &[u8]) {
    is_manifest(KBUILD, bytes);
}

pub fn kbuild_passes(bytes: &[u8]) {
    passes(KBUILD, bytes);
}
