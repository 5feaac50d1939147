//! What a driver has today. Whatever that is, the manifest that is made of it has canonical layout and passes `check`.

use super::{compiled, project, rel, reports, text};
use drvc::import::{self, Draft, Kind, Place, Target};
use drvc::language::layout::format;
use drvc::system::fs::Memory;

/// Holds a draft to what `drvc init` promises.
fn passes_check(tree: &Memory, mut draft: Draft) {
    let matrices =
        if draft.matrix.is_empty() { import::matrix::examples() } else { vec![draft.matrix.clone()] };
    let (manifest, out) = (rel("drivers.kdl"), rel("drivers.out"));
    let target = Target { tree, manifest: &manifest, out: &out };
    let text = import::settled(&target, &mut draft, matrices);
    assert_eq!(format(&text).ok().as_ref(), Some(&text));
    let mut tree = tree.clone();
    tree.insert(manifest, text.as_bytes());
    let compilation = compiled(&tree);
    assert!(!compilation.diagnostics.has_errors(), "{:?}\n{text}", reports(&compilation));
}

fn imported(kind: Kind, file: &str, bytes: &[u8], others: &[(&str, &[u8])]) {
    let mut tree = project(others);
    tree.insert(rel(file), bytes);
    let place = Place { kind, file: rel(file), dir: rel("s"), text: text(bytes) };
    if let Ok(draft) = import::draft(&tree, &place, "driver") {
        passes_check(&tree, draft);
    }
}

/// A dkms.conf, with a source file beside it and without.
pub fn dkms(bytes: &[u8]) {
    imported(Kind::Dkms, "s/dkms.conf", bytes, &[("s/m.c", b"MODULE_LICENSE(\"GPL\");\n")]);
}

/// A Dockerfile beside the sources.
pub fn dockerfile(bytes: &[u8]) {
    imported(Kind::Dockerfile, "s/Dockerfile", bytes, &[("s/Makefile", b"all:\n\tmake -C /k M=$(PWD)\n")]);
}

/// A Module of KMM.
pub fn kmm(bytes: &[u8]) {
    imported(Kind::Kmm, "s/module.yaml", bytes, &[]);
}

/// A Kbuild file or Makefile.
pub fn kbuild(bytes: &[u8]) {
    imported(Kind::Kbuild, "s/Makefile", bytes, &[("s/m.c", b"MODULE_LICENSE(\"GPL\");\n")]);
}
