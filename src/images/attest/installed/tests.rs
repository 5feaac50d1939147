//! Databases as dpkg and rpm wrote them, in images made of values.

use super::*;
use crate::images::image::tests::{layer, load};
use crate::system::unpack::unpacked;
use std::io::Read as _;

fn names(packages: &Packages) -> Vec<String> {
    packages.installed.iter().map(|one| format!("{} {} {}", one.name, one.version, one.arch)).collect()
}

fn data(name: &str) -> Vec<u8> {
    let packed: &[u8] = match name {
        "Packages" => include_bytes!("../../../../tests/data/rpmdb/Packages.xz"),
        _ => include_bytes!("../../../../tests/data/rpmdb/rpmdb.sqlite.xz"),
    };
    let mut bytes = Vec::new();
    unpacked(packed, 1 << 20).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn dpkg_says_what_is_installed() {
    let status = "Package: kmod\nStatus: install ok installed\nArchitecture: amd64\nSource: kmod (30)\nVersion: 30+2\n\
                  Description: x\n Package: no\n\nPackage: gone\nStatus: deinstall ok config-files\n\
                  Architecture: amd64\nVersion: 1\n";
    let image = load(&[layer(&[
        ("etc/os-release->../usr/lib/os-release", ""),
        ("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        ("var/lib/dpkg/status", status),
        ("var/lib/dpkg/status.d/libc6", "Package: libc6\nArchitecture: amd64\nVersion: 2.36\n"),
        ("var/lib/dpkg/status.d/libc6.md5sums", "0 x\n"),
    ])]);
    let packages = Packages::read(&image.root, "");
    assert_eq!(names(&packages), ["kmod 30+2 amd64", "libc6 2.36 amd64"]);
    assert_eq!(packages.system, Some(("debian".to_owned(), "12".to_owned())));
    assert_eq!(packages.installed.first().unwrap().source.as_deref(), Some("kmod (30)"));
}

// Written by rpm 4.18 (SQLite) and Berkeley's db5.3_load, from one header on a page and one that fills several.
#[test]
fn databases_of_rpm_are_read() {
    let all = ["large 2:1.2-3.el9 noarch", "small 1.2-3.el9 noarch"];
    for (name, headers) in [
        ("rpmdb.sqlite", sqlite::headers(&data("rpmdb.sqlite"))),
        ("Packages", bdb::headers(&data("Packages"))),
    ] {
        let found: BTreeSet<_> = headers.unwrap().iter().filter_map(|one| header::package(one)).collect();
        assert_eq!(names(&Packages { installed: found, ..Packages::default() }), all, "{name}");
    }
}

#[test]
fn damaged_databases_are_no_databases() {
    for name in ["rpmdb.sqlite", "Packages"] {
        let whole = data(name);
        let read = |bytes: &[u8]| {
            let found = [sqlite::headers(bytes), bdb::headers(bytes), ndb::headers(bytes)];
            found.into_iter().flatten().flatten().filter_map(|one| header::package(&one)).count()
        };
        for cut in [0, 1, 99, 4096, 5000, whole.len() - 1] {
            assert!(read(&whole[..cut]) < 3);
        }
        for at in (0..whole.len()).step_by(37) {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 0xff;
            assert!(read(&spoilt) < 5);
        }
    }
    let image =
        load(&[layer(&[("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\0"), ("var/lib/rpm/Packages", "x")])]);
    assert_eq!(Packages::read(&image.root, "").unread.len(), 2);
}
