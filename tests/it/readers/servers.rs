//! What servers answer.

use super::text;
use drvc::resolve::repository::{Fetch, Layout, Package, Repository, packages};
use drvc::system::oci::Manifest;
use drvc::text::error::Error;
use drvc::text::ids::Arch;
use sha2::{Digest as _, Sha256};

/// A server with these files, by the ends of their addresses; an empty end is every address.
struct Served<'a>(&'a [(&'a str, &'a [u8])]);

impl Fetch for Served<'_> {
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let file = self.0.iter().find(|(end, _)| url.ends_with(end));
        Ok(file.map(|(_, bytes)| bytes.to_vec()).filter(|bytes| bytes.len() as u64 <= limit))
    }

    fn now(&self) -> u64 {
        1_795_321_879
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn listed(files: &[(&str, &[u8])], layout: Layout) -> Option<Vec<Package>> {
    let repository = Repository { url: "https://example.com/repo".into(), layout };
    packages(&Served(files), None, &repository, Arch::X86_64, &|_| true).ok()
}

/// Files of packages lie beneath the repository, and none is listed without a name.
fn sound(found: Option<Vec<Package>>) {
    for package in found.unwrap_or_default() {
        assert!(!package.name.as_str().is_empty());
        if let Some(file) = package.file {
            assert!(file.url.starts_with("https://example.com/repo/"), "{}", file.url);
            assert!(!file.url.contains("/../"), "{}", file.url);
        }
    }
}

/// `Release`, and `Packages` plain or packed.
pub fn apt(bytes: &[u8]) {
    let layout = || Layout::Apt { suite: "bookworm".into(), components: vec!["main".into()] };
    sound(listed(&[("", bytes)], layout()));
    let release = format!(
        "Architectures: amd64\nSHA256:\n {} {} main/binary-amd64/Packages.gz\n",
        sum(bytes),
        bytes.len()
    );
    sound(listed(&[("/InRelease", release.as_bytes()), ("Packages.gz", bytes)], layout()));
}

/// `repomd.xml`, and `primary.xml` plain or packed.
pub fn dnf(bytes: &[u8]) {
    sound(listed(&[("", bytes)], Layout::Dnf));
    let index = format!(
        "<repomd><data type=\"primary\"><checksum type=\"sha256\">{}</checksum>\
         <location href=\"repodata/primary.xml\"/></data></repomd>",
        sum(bytes)
    );
    sound(listed(&[("repomd.xml", index.as_bytes()), ("primary.xml", bytes)], Layout::Dnf));
}

/// A manifest or index of a registry: its digest is that of its bytes, and it says itself what it is.
pub fn registry(bytes: &[u8]) {
    for kind in ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json", ""]
    {
        if let Ok(manifest) = Manifest::parse(bytes.to_vec(), kind) {
            assert_eq!(manifest.digest.to_string(), format!("sha256:{}", sum(bytes)), "{}", text(bytes));
            assert_eq!(manifest.bytes, bytes);
        }
    }
}
