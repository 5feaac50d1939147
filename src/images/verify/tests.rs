//! Hostile modules: what they may cost.

use super::driver::{Record, most_unpacked};
use super::finding::worst;
use super::*;
use crate::images::image::tests::{layer, load};
use crate::system::unpack::tests::xz;

mod depmod;

/// An ELF file with a `.modinfo` of this text, and a section `__versions` that claims to have so many bytes.
fn module(info: &str, versions: u64) -> Vec<u8> {
    let names = b"\0.modinfo\0__versions\0.shstrtab\0";
    let info = info.as_bytes();
    let (info_at, names_at) = (64, 64 + info.len() as u64);
    let headers_at = names_at + names.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    file.extend([0; 16]);
    file.extend(headers_at.to_le_bytes());
    file.extend([0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 4, 0, 3, 0]);
    file.extend(info);
    file.extend(names);
    let mut section = |name: u32, kind: u32, at: u64, size: u64| {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend([0; 16]);
        file.extend(at.to_le_bytes());
        file.extend(size.to_le_bytes());
        file.extend([0; 24]);
    };
    section(0, 0, 0, 0);
    section(1, 1, info_at, info.len() as u64);
    section(10, 1, info_at, versions);
    section(21, 3, names_at, names.len() as u64);
    file
}

fn info(depends: usize) -> String {
    let names: Vec<_> = (0..depends).map(|number| format!("needed{number}")).collect();
    format!("name=hello\0vermagic=6.1.0 SMP\0depends={}\0", names.join(","))
}

fn driver(name: &str, bytes: &[u8]) -> (Image, Driver) {
    let path = format!("opt/lib/modules/6.1.0/updates/{name}");
    // Members are texts in these tests; the bytes of a module are put in their place.
    let holder = "#".repeat(bytes.len());
    let mut archive = layer(&[(path.as_str(), holder.as_str())]);
    let at = archive.windows(holder.len()).position(|window| window == holder.as_bytes()).unwrap();
    archive[at..at + bytes.len()].copy_from_slice(bytes);
    let image = load(&[archive]);
    let driver = Driver::read(&image, None);
    (image, driver)
}

#[test]
fn modules_are_read_in_sections_and_each_is_bounded() {
    let read = |info: &str, versions| Module::parse("hello.ko", module(info, versions).as_slice());
    assert_eq!(read(&info(1_000), 0).unwrap().depends.len(), 1_000);
    assert!(read(&info(1_001), 0).unwrap_err().to_string().contains("more than any driver"));
    assert!(read(&info(1), 32 << 20).is_ok());
    assert!(read(&info(1), (32 << 20) + 1).unwrap_err().to_string().contains("__versions"));
    let aliases = |number| "alias=pci:*\0".repeat(number) + "name=hello\0";
    assert!(read(&aliases(50_000), 0).is_ok() && read(&aliases(50_001), 0).is_err());
}

#[test]
fn a_signature_is_bounded() {
    let signed = |length: u32| {
        let mut file = module(&info(1), 0);
        file.extend(vec![0; length as usize]);
        file.extend([0, 0, 2, 0, 0, 0, 0, 0]);
        file.extend(length.to_be_bytes());
        file.extend(b"~Module signature appended~\n");
        Module::parse("hello.ko", file.as_slice()).unwrap_err().to_string()
    };
    // As many zeros are read, and are no signature.
    assert_eq!(signed(1 << 20), "the signature at its end is damaged");
    assert_eq!(signed((1 << 20) + 1), "its signature has more than 1048576 bytes");
}

#[test]
fn the_modules_of_an_image_are_bounded() {
    let paths: Vec<_> = (0..4).map(|number| format!("opt/lib/modules/6.1.0/{number}.ko")).collect();
    let image = load(&[layer(&paths.iter().map(|path| (path.as_str(), "none")).collect::<Vec<_>>())]);
    let driver = || Driver { directory: "opt/lib/modules/6.1.0".to_owned(), ..Driver::default() };
    let bytes = module(&info(0), 0);
    let (sound, _) = self::driver("hello.ko", &bytes);
    let read = |image: &Image, most| {
        let mut driver = driver();
        driver.read_modules(image, most);
        (
            driver.modules.len(),
            driver.findings.iter().any(|one| one.message.contains("the rest was not read")),
        )
    };
    assert_eq!((read(&sound, 1), read(&sound, 0)), ((1, false), (0, true)));
    // What is no module is not counted among them, and each is a finding.
    assert_eq!(read(&image, 1), (0, false));
}

#[test]
fn packed_modules_do_not_grow_beyond_measure() {
    let mut grown = module(&info(1), 0);
    let (_, small) = driver("hello.ko.xz", &xz(&grown));
    assert_eq!(small.modules.len(), 1, "{:?}", small.findings);
    grown.extend(vec![0; 8 << 20]);
    let (_, large) = driver("hello.ko.xz", &xz(&grown));
    assert!(
        large.findings.iter().any(|finding| finding.message.contains("too large")),
        "{:?}",
        large.findings
    );
    assert_eq!((most_unpacked(0), most_unpacked(10)), (1 << 20, (1 << 20) + 1_000));
    assert_eq!(most_unpacked(1 << 40), 1 << 30);
}

#[test]
fn findings_and_their_texts_are_bounded() {
    let (image, driver) = driver("hello.ko", &module(&info(1_000), 0));
    let report = verify(&image, &driver, &Expected::default());
    assert_eq!(report.findings.len(), 501);
    assert!(report.findings.last().unwrap().message.starts_with("there is more to say"));
    let of =
        |number: usize| worst((0..number).map(|n| Finding::new(Kind::NoModules, n.to_string())).collect());
    assert_eq!((of(500).len(), of(501).len(), of(502).len()), (500, 501, 501));
    assert_eq!(of(502).last().unwrap().message, "there is more to say, 2 times");
    let text = |characters: usize| Finding::new(Kind::NoModules, "x".repeat(characters)).message;
    assert_eq!(text(1_000), "x".repeat(1_000));
    assert_eq!(text(1_001), "x".repeat(1_000) + "…");
}

#[test]
fn what_certification_asks_for_is_named_one_by_one() {
    let (image, driver) = driver("hello.ko", &module(&info(0), 0));
    let found = |image: &Image, expected: &Expected| -> Vec<String> {
        let report = verify(image, &driver, expected);
        let findings = report.findings.into_iter().filter(|one| one.code == Kind::Certification);
        findings.map(|one| one.message).collect()
    };
    let certification = Expected { certification: true, ..Expected::default() };
    assert!(found(&image, &Expected::default()).is_empty());
    let all = found(&image, &certification);
    assert_eq!(all.len(), 8, "{all:?}");
    for label in ["name", "vendor", "version", "release", "summary", "description", "maintainer"] {
        assert!(all.contains(&format!("the label `{label}` is missing")), "{label}");
    }
    assert!(all.contains(&"there is no file in /licenses".to_owned()));

    let mut image = load(&[layer(&[("licenses/LICENSE", "GPL")])]);
    for label in ["name", "vendor", "version", "release", "summary", "description", "maintainer"] {
        image.config.labels.insert(label.to_owned(), "Example".to_owned());
    }
    assert!(found(&image, &certification).is_empty());
    image.config.labels.insert("vendor".to_owned(), "Red Hat, Inc.".to_owned());
    assert_eq!(
        found(&image, &certification),
        ["the label `vendor` says that it is of Red Hat: Red Hat, Inc."]
    );
    let labels = Some(["name", "version", "release", "summary", "description"].map(str::to_owned).into());
    let own = found(&image, &Expected { certification: true, labels, ..Expected::default() });
    let of_base = ["maintainer` is the base image's: Example", "vendor` is the base image's: Red Hat, Inc."];
    assert_eq!(own, of_base.map(|end| format!("the label `{end}")));
}

#[test]
fn modules_of_another_kernel_are_of_one_that_the_lock_ties_to_this_one() {
    let (image, mut driver) = driver("hello.ko", &module("name=hello\0vermagic=6.0.9 SMP\0depends=\0", 0));
    let wrong = |driver: &Driver, kernels: Option<&[&str]>| -> Vec<String> {
        let kernels =
            kernels.map(|kernels| kernels.iter().map(|kernel| KernelText::parse(kernel).unwrap()).collect());
        let report = verify(&image, driver, &Expected { kernels, ..Expected::default() });
        let findings = report.findings.into_iter().filter(|one| one.code == Kind::WrongKernel);
        findings.map(|one| one.message).collect()
    };
    assert_eq!(wrong(&driver, None), ["`hello` was built for 6.0.9, not for 6.1.0"]);
    driver.record = Some(Record { kernel: "6.0.9".to_owned(), symbols: Symvers::default() });
    assert!(wrong(&driver, None).is_empty());
    assert!(wrong(&driver, Some(&["6.1.0", "6.0.9"])).is_empty());
    let untied = ["`reuse` and the lock do not take modules of 6.0.9 for 6.1.0"];
    assert_eq!(wrong(&driver, Some(&["6.1.0", "6.0.8"])), untied);
}
