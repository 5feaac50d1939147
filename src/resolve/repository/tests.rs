//! Tests of repositories, from bytes alone.

use super::kernels::{Found, Search};
use super::*;
use crate::knowledge::profile::{Profile, Profiles};
use crate::system::unpack::tests::{gz, xz, zst};
use crate::text::ids::Flavor;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Files by address.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

impl Fetch for Files {
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        assert!(limit <= PACKED_LIMIT, "{url}");
        match self.0.get(url) {
            Some(file) if file.len() as u64 > limit => Err(Error::new("fetch", url, "it has more bytes")),
            file => Ok(file.cloned()),
        }
    }

    /// 2026-11-22T04:31:19Z
    fn now(&self) -> u64 {
        1_795_321_879
    }
}

impl Files {
    fn put(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(format!("https://example.com/repo/{path}"), bytes.into());
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One package of `primary.xml`, as createrepo_c writes it.
fn rpm(name: &str, arch: &str, version: &str, release: &str, provides: &[(&str, &str, &str)]) -> String {
    let entry = |(name, version, release): &(&str, &str, &str)| {
        format!(r#"<rpm:entry name="{name}" flags="EQ" epoch="0" ver="{version}" rel="{release}"/>"#)
    };
    let provides: String = provides.iter().map(entry).collect();
    format!(
        r#"<package type="rpm"><name>{name}</name><arch>{arch}</arch><version epoch="0" ver="{version}" rel="{release}"/>
        <checksum type="sha256" pkgid="YES">00</checksum><summary>a &amp; b</summary><location href="{name}.rpm"/>
        <format><rpm:license>GPL</rpm:license><rpm:provides><rpm:entry name="{name}" flags="EQ" epoch="0" ver="{version}" rel="{release}"/>
        {provides}<rpm:entry name="other"/></rpm:provides><rpm:requires><rpm:entry name="{name}" flags="EQ" epoch="0" ver="9" rel="9"/></rpm:requires>
        <file>/name</file></format></package>"#
    )
}

fn dnf(packages: &[String], pack: fn(&[u8]) -> Vec<u8>) -> Files {
    let mut files = Files::default();
    let primary = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">{}</metadata>"#,
        packages.concat()
    );
    let packed = pack(primary.as_bytes());
    files.put(
        "repodata/repomd.xml",
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><repomd><revision>1</revision>
            <data type="filelists"><checksum type="sha256">00</checksum><location href="repodata/f.xml"/></data>
            <data type="primary"><checksum type="sha256">{}</checksum><open-checksum type="sha256">00</open-checksum>
            <location href="repodata/primary.xml"/><timestamp>1</timestamp><size>{}</size><open-size>1</open-size></data></repomd>"#,
            sum(&packed),
            packed.len()
        ),
    );
    files.put("repodata/primary.xml", packed);
    files
}

fn apt(packages: &str, form: &str, pack: fn(&[u8]) -> Vec<u8>) -> Files {
    let mut files = Files::default();
    let packed = pack(packages.as_bytes());
    files.put(
        "dists/bookworm/InRelease",
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Example\nArchitectures: all amd64\n\
             - -Odd: x\nMD5Sum:\n 00 1 x\nSHA256:\n {} {} main/binary-amd64/{form}\n\
             -----BEGIN PGP SIGNATURE-----\n\nabc\n",
            sum(&packed),
            packed.len(),
        ),
    );
    files.put(&format!("dists/bookworm/main/binary-amd64/{form}"), packed);
    files
}

fn repository(layout: Layout) -> Repository {
    Repository { url: "https://example.com/repo/".into(), layout }
}

fn bookworm() -> Repository {
    repository(Layout::Apt { suite: "bookworm".into(), components: vec!["main".into()] })
}

/// What a search finds in a repository: each kernel, and what it lacks.
fn found(files: &Files, repository: &Repository, profile: &Profile, at: (&str, Arch, &str)) -> Vec<Found> {
    let (release, arch, flavor) = at;
    let (release, flavor) = (profile.release(release).unwrap(), Flavor::parse(flavor).unwrap());
    let search = Search::new(profile, &release, arch, &flavor);
    let packages = packages(files, None, repository, arch, &|name| search.wants(name)).unwrap();
    search.kernels(&PackageIndex::new(release.manager(), packages))
}

fn lines(found: &[Found]) -> Vec<String> {
    let line = |one: &Found| {
        let missing: Vec<_> = one.missing.iter().map(|package| format!(" -{package}")).collect();
        format!("{}{}", one.kernel.text, missing.concat())
    };
    found.iter().map(line).collect()
}

fn kernel_rpms(kind: &str, arch: &str, release: &str) -> Vec<String> {
    let names = ["devel", "core", "modules", "modules-extra"].map(|part| format!("kernel-{kind}{part}"));
    names.iter().map(|name| rpm(name, arch, "5.14.0", release, &[])).collect()
}

#[test]
fn kernels_of_rhel() {
    let profiles = Profiles::builtin();
    let profile = profiles.get("rhel").unwrap();
    let mut all = kernel_rpms("", "x86_64", "427.9.1.el9_4");
    all.extend(kernel_rpms("", "x86_64", "427.13.1.el9_4"));
    all.extend(kernel_rpms("", "x86_64", "503.11.1.el9_5"));
    all.extend(kernel_rpms("rt-", "x86_64", "427.13.1.el9_4"));
    all.extend(kernel_rpms("64k-", "aarch64", "427.13.1.el9_4"));
    all.extend(kernel_rpms("", "aarch64", "427.13.1.el9_4"));
    all.extend(kernel_rpms("", "x86_64", "427.20.1.el9_4").split_off(1));
    for pack in [gz, xz, zst, |bytes: &[u8]| bytes.to_vec()] {
        let files = dnf(&all, pack);
        let found = |at| lines(&found(&files, &repository(Layout::Dnf), profile, at));
        assert_eq!(
            found(("9.4", Arch::X86_64, "default")),
            [
                "5.14.0-427.20.1.el9_4.x86_64 -kernel-devel-5.14.0-427.20.1.el9_4.x86_64",
                "5.14.0-427.13.1.el9_4.x86_64",
                "5.14.0-427.9.1.el9_4.x86_64",
            ]
        );
        assert_eq!(found(("9.4", Arch::X86_64, "rt")), ["5.14.0-427.13.1.el9_4.x86_64+rt"]);
        assert_eq!(found(("9.4", Arch::Aarch64, "64k")), ["5.14.0-427.13.1.el9_4.aarch64+64k"]);
        assert_eq!(found(("9.4", Arch::Aarch64, "rt")), Vec::<String>::new());
        assert_eq!(found(("9.5", Arch::X86_64, "default")), ["5.14.0-503.11.1.el9_5.x86_64"]);
    }
}

#[test]
fn kernels_whose_text_has_no_architecture() {
    let profiles = Profiles::builtin();
    let names = ["kernel-devel", "kernel"];
    let both = ["x86_64", "aarch64"].map(|arch| names.map(|name| rpm(name, arch, "6.6.96.2", "2.azl3", &[])));
    let files = dnf(&both.concat(), gz);
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let profile = profiles.get("azurelinux").unwrap();
        let found = found(&files, &repository(Layout::Dnf), profile, ("3.0", arch, "default"));
        assert_eq!(lines(&found), ["6.6.96.2-2.azl3"]);
    }
}

#[test]
fn real_time_kernels_before_9_3_say_so_inside() {
    let profiles = Profiles::builtin();
    let all = kernel_rpms("rt-", "x86_64", "284.16.1.rt14.301.el9_2");
    let found = found(
        &dnf(&all, gz),
        &repository(Layout::Dnf),
        profiles.get("rhel").unwrap(),
        ("9.2", Arch::X86_64, "rt"),
    );
    assert_eq!(lines(&found), ["5.14.0-284.16.1.rt14.301.el9_2.x86_64"]);
}

const DEBIAN: &str = "\
Package: linux-headers-6.1.0-9-amd64\nArchitecture: amd64\nVersion: 6.1.27-1\n\n\
Package: linux-image-6.1.0-9-amd64\nArchitecture: amd64\nVersion: 6.1.27-1\nDescription: one\n two\n .\n three\n\n\
Package: linux-headers-6.1.0-18-amd64\nArchitecture: amd64\nVersion: 6.1.76-1\n\n\
Package: linux-image-6.1.0-18-amd64\nArchitecture: amd64\nVersion: 6.1.76-1\n\n\
Package: linux-headers-6.1.0-18-rt-amd64\nArchitecture: amd64\nVersion: 6.1.76-1\n\n\
Package: linux-headers-6.1.0-18-common\nArchitecture: all\nVersion: 6.1.76-1\n\n\
Package: linux-headers-amd64\nArchitecture: amd64\nVersion: 6.1.76-1\n\n\
Package: bash\nArchitecture: amd64\nVersion: 1 2 3\n\n\
Package: linux-headers-6.1.0-18-amd64\nArchitecture: amd64\nVersion: 6.1.9-1\n";

#[test]
fn kernels_of_debian() {
    let profiles = Profiles::builtin();
    let profile = profiles.get("debian").unwrap();
    for (form, pack) in
        [("Packages.xz", xz as fn(&[u8]) -> Vec<u8>), ("Packages.gz", gz), ("Packages", |b| b.to_vec())]
    {
        let files = apt(DEBIAN, form, pack);
        let all = found(&files, &bookworm(), profile, ("12", Arch::X86_64, "default"));
        assert_eq!(lines(&all), ["6.1.0-18-amd64", "6.1.0-9-amd64"]);
        let pins: Vec<&str> = all[0].packages.iter().map(|package| package.as_str()).collect();
        assert_eq!(pins, ["linux-headers-6.1.0-18-amd64=6.1.76-1", "linux-image-6.1.0-18-amd64=6.1.76-1"]);
        let rt = found(&files, &bookworm(), profile, ("12", Arch::X86_64, "rt"));
        assert_eq!(lines(&rt), ["6.1.0-18-rt-amd64 -linux-image-6.1.0-18-rt-amd64"]);
    }
}

#[test]
fn kernels_of_suse_are_found_without_their_build_counter() {
    let profiles = Profiles::builtin();
    let profile = profiles.get("sles").unwrap();
    let with_counter = |name: &str, arch| {
        rpm(name, arch, "5.14.21", "150500.55.83.1", &[(name, "5.14.21", "150500.55.83"), ("x", "1", "1")])
    };
    let all = [
        with_counter("kernel-default-devel", "x86_64"),
        with_counter("kernel-devel", "noarch"),
        with_counter("kernel-default", "x86_64"),
    ];
    let found = found(&dnf(&all, gz), &repository(Layout::Dnf), profile, ("15.5", Arch::X86_64, "default"));
    assert_eq!(lines(&found), ["5.14.21-150500.55.83-default"]);
    assert_eq!(found[0].packages[0].as_str(), "kernel-default-devel=5.14.21-150500.55.83.1");
}

fn error(files: &Files, repository: &Repository) -> String {
    let error = packages(files, None, repository, Arch::X86_64, &|_| true).unwrap_err();
    assert!(error.next_step().is_some(), "{error}");
    error.to_string()
}

#[test]
fn what_is_not_as_named_is_refused() {
    let all = kernel_rpms("", "x86_64", "427.9.1.el9_4");
    let url = "https://example.com/repo/repodata";
    let broken = |change: &dyn Fn(&mut Files)| {
        let mut files = dnf(&all, gz);
        change(&mut files);
        error(&files, &repository(Layout::Dnf))
    };
    let change = |files: &mut Files, name: &str, from: &str, to: &str| {
        let path = format!("repodata/{name}");
        let text = String::from_utf8(files.0[&format!("https://example.com/repo/{path}")].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        files.put(&path, text.replace(from, to));
    };
    let cases: [(&str, &str, &str); 4] = [
        ("href=\"repodata/primary.xml\"", "href=\"../primary.xml\"", "not a path beneath"),
        ("<checksum type=\"sha256\">", "<checksum type=\"md5\">", "checksum `md5`"),
        ("type=\"primary\"", "type=\"other\"", "names no list"),
        ("</repomd>", "", "ends too early"),
    ];
    for (from, to, says) in cases {
        let said = broken(&|files| change(files, "repomd.xml", from, to));
        assert!(said.contains(says) && said.contains(&format!("{url}/repomd.xml")), "{said}");
    }
    let said = broken(&|files| files.put("repodata/primary.xml", "x"));
    assert!(said.contains(&format!("{url}/primary.xml")) && said.contains("checksum"), "{said}");
    let said = broken(&|files| drop(files.0.remove(&format!("{url}/primary.xml"))));
    assert!(said.contains("no such file"), "{said}");
    let said = error(&Files::default(), &repository(Layout::Dnf));
    assert!(said.contains(&format!("{url}/repomd.xml")), "{said}");
    let hostile = [rpm("kernel;rm", "x86_64", "1", "1", &[])];
    let said = error(&dnf(&hostile, gz), &repository(Layout::Dnf));
    assert!(said.contains("`kernel;rm` is not a package name"), "{said}");
}

#[test]
fn a_suite_that_has_expired_is_refused() {
    let url = "https://example.com/repo/dists/bookworm/InRelease";
    let with = |until: &str| {
        let mut files = apt(DEBIAN, "Packages.gz", gz);
        let text = String::from_utf8(files.0[url].clone()).unwrap();
        let text = text.replace("Origin: Example\n", &format!("Origin: Example\nValid-Until: {until}\n"));
        files.put("dists/bookworm/InRelease", text);
        files
    };
    let soon = with("Sun, 22 Nov 2026 04:31:19 UTC");
    assert!(packages(&soon, None, &bookworm(), Arch::X86_64, &|name| name != "bash").is_ok());
    let said = error(&with("Sun, 22 Nov 2026 04:31:18 UTC"), &bookworm());
    assert!(
        said.contains(url) && said.contains("it was valid until Sun, 22 Nov 2026 04:31:18 UTC"),
        "{said}"
    );
    assert!(error(&with("tomorrow"), &bookworm()).contains("`Valid-Until` is not a date: `tomorrow`"));
}

#[test]
fn what_a_suite_lacks_is_said() {
    let said = error(&Files::default(), &bookworm());
    assert!(said.contains("dists/bookworm/Release"), "{said}");
    let mut files = apt(DEBIAN, "Packages.gz", gz);
    files.put("dists/bookworm/main/binary-amd64/Packages.gz", "x");
    assert!(error(&files, &bookworm()).contains("checksum"));
    let arm = packages(&files, None, &bookworm(), Arch::Aarch64, &|_| true).unwrap_err().to_string();
    assert!(arm.contains("no packages for arm64; there are `all` and `amd64`"), "{arm}");
    let files = apt("Package: bash\nVersion: 1 2\nArchitecture: amd64\n", "Packages", |bytes| bytes.to_vec());
    assert!(error(&files, &bookworm()).contains("`1 2` is not a version of `bash`"));
}

#[test]
fn a_package_says_where_its_file_lies() {
    let hex = sum(b"package");
    let one = rpm("kernel-core", "x86_64", "5.14.0", "1.el9", &[])
        .replace(r#"pkgid="YES">00<"#, &format!(r#"pkgid="YES">{hex}<"#))
        .replace("<format>", r#"<size package="7" installed="9" archive="9"/><format>"#);
    let bad = one.replace("kernel-core.rpm", "../kernel-core.rpm").replace("5.14.0", "5.14.1");
    let files = dnf(&[one, bad], gz);
    let all = |files: &Files, repository: &Repository| {
        let mut all = packages(files, None, repository, Arch::X86_64, &|_| true).unwrap();
        all.sort();
        all.into_iter().map(|package| package.file).collect::<Vec<_>>()
    };
    let file = |url: &str| PackageFile {
        url: format!("https://example.com/repo/{url}"),
        size: 7,
        sum: Sum::parse("sha256", &hex).unwrap(),
    };
    assert_eq!(all(&files, &repository(Layout::Dnf)), [Some(file("kernel-core.rpm")), None]);
    let list = format!(
        "Package: linux-image-6\nVersion: 6.1-1\nArchitecture: amd64\nFilename: pool/l/linux-image-6.deb\nSize: 7\nSHA256: {hex}\n\n\
         Package: linux-image-7\nVersion: 7.1-1\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 7\nSHA256: 00\n"
    );
    let files = apt(&list, "Packages.gz", gz);
    assert_eq!(all(&files, &bookworm()), [Some(file("pool/l/linux-image-6.deb")), None]);
}

#[test]
fn a_list_may_have_the_size_that_its_index_says_and_no_more_than_any() {
    let files = |size: &dyn Fn(usize) -> u64| {
        let mut files = apt(DEBIAN, "Packages.gz", gz);
        let bytes = gz(DEBIAN.as_bytes()).len();
        let index = "https://example.com/repo/dists/bookworm/InRelease";
        let text = String::from_utf8(files.0[index].clone()).unwrap();
        let sized = |size: &str| format!(" {size} main/binary-amd64/Packages.gz");
        let text = text.replace(&sized(&bytes.to_string()), &sized(&size(bytes).to_string()));
        files.0.insert(index.to_owned(), text.into_bytes());
        let wanted = |name: &str| name.starts_with("linux-");
        packages(&files, None, &bookworm(), Arch::X86_64, &wanted).map(|found| found.len())
    };
    let all = files(&|bytes| bytes as u64).unwrap();
    // The files of this test refuse a request for more than any list may have.
    assert_eq!(files(&|_| u64::MAX).unwrap(), all);
    assert!(files(&|bytes| bytes as u64 - 1).unwrap_err().to_string().contains("more bytes"));
}

#[test]
fn the_pieces_of_a_list_are_bounded() {
    let suite = |description: usize| {
        let list = format!(
            "Package: linux-image-6\nVersion: 6.1-1\nArchitecture: amd64\nDescription: {}\n",
            "x".repeat(description)
        );
        packages(&apt(&list, "Packages.gz", gz), None, &bookworm(), Arch::X86_64, &|_| true)
    };
    assert_eq!(suite((4 << 20) - 200).unwrap().len(), 1);
    assert!(suite(4 << 20).unwrap_err().to_string().contains("paragraphs is too large"));

    let rpms = |inner: String| {
        let package = rpm("kernel-core", "x86_64", "5.14.0", "1.el9", &[])
            .replace("<format>", &format!("{inner}<format>"));
        packages(&dnf(&[package], gz), None, &repository(Layout::Dnf), Arch::X86_64, &|_| true)
    };
    let nested = |depth: usize| rpms("<a>".repeat(depth) + &"</a>".repeat(depth));
    // Two elements stand around it.
    assert_eq!(nested(30).unwrap().len(), 1);
    assert!(nested(31).unwrap_err().to_string().contains("deep"), "{:?}", nested(31));
    assert_eq!(rpms(format!("<!--{}-->", "x".repeat(3 << 20))).unwrap().len(), 1);
    assert!(rpms(format!("<!--{}-->", "x".repeat(5 << 20))).unwrap_err().to_string().contains("too large"));
}

#[test]
fn the_packages_of_a_list_are_bounded() {
    let mut kept = list::Kept::new(&|_| true);
    let mut add = || kept.add("kernel-core", "5.14.0-1.el9", "x86_64", Vec::new(), None);
    assert!((0..200_000).all(|_| add().is_ok()));
    assert!(add().unwrap_err().contains("more than 200000 packages"));
}

#[test]
fn the_first_file_of_a_repository_is_bounded() {
    let padded = |bytes: usize| {
        let mut files = dnf(&[rpm("kernel-core", "x86_64", "5.14.0", "1.el9", &[])], gz);
        files.0.get_mut("https://example.com/repo/repodata/repomd.xml").unwrap().resize(bytes, b'\n');
        packages(&files, None, &repository(Layout::Dnf), Arch::X86_64, &|_| true)
    };
    assert_eq!(padded(1 << 20).unwrap().len(), 1);
    assert!(padded((16 << 20) + 1).unwrap_err().to_string().contains("more bytes"));
}
