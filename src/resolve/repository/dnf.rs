//! From `repodata/repomd.xml` to the packages that `primary.xml` lists: repositories of dnf, yum, tdnf and zypper.

use super::list::Kept;
use super::sum::Sum;
use super::xml::{Item, attribute, walk};
use super::{
    Fetch, INDEX_LIMIT, PACKED_LIMIT, Package, PackageFile, Repository, UNPACKED_LIMIT, Verify, damaged,
    is_path,
};
use crate::system::unpack::unpacked;
use crate::text::error::Error;
use crate::text::ids::Arch;
use quick_xml::events::BytesStart;

/// The packages for an architecture, as [`super::packages`].
pub(super) fn packages(
    fetch: &dyn Fetch,
    keys: Option<&dyn Verify>,
    repository: &Repository,
    arch: Arch,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Package>, Error> {
    let url = repository.at("repodata/repomd.xml");
    let Some(index) = fetch.get(&url, INDEX_LIMIT)? else {
        return Err(Error::new("read", &url, "the server has no such file").help(
            "give the address that `repodata/` lies beneath, as `baseurl` has it; for apt, give `suite` too",
        ));
    };
    if let Some(keys) = keys {
        let signature = format!("{url}.asc");
        let Some(bytes) = fetch.get(&signature, INDEX_LIMIT)? else {
            return Err(super::unsigned(&signature));
        };
        keys.detached(&url, &index, &bytes)?;
    }
    let primary = find_primary(&index).map_err(|why| damaged(&url, why))?;
    let url = repository.at(&primary.path);
    let Some(packed) = fetch.get(&url, primary.size.unwrap_or(PACKED_LIMIT).min(PACKED_LIMIT))? else {
        return Err(damaged(&url, "`repomd.xml` names it, but the server has no such file"));
    };
    primary.sum.check(&url, &packed)?;
    let source =
        unpacked(packed.as_slice(), UNPACKED_LIMIT).map_err(|cause| damaged(&url, cause.to_string()))?;
    let mut reading =
        Reading { repository, arch: arch.name(), kept: Kept::new(wanted), within: Within::default() };
    walk(source, |item| reading.item(item)).map_err(|why| damaged(&url, why))?;
    Ok(reading.kept.packages)
}

/// Where the list of packages lies.
#[derive(Debug)]
struct Primary {
    path: String,
    sum: Sum,
    size: Option<u64>,
}

/// Reads `repomd.xml`.
fn find_primary(index: &[u8]) -> Result<Primary, String> {
    let (mut here, mut element) = (false, String::new());
    let (mut path, mut kind, mut hex, mut size) = (None, None, String::new(), String::new());
    walk(index, |item| {
        match item {
            Item::Open(name, tag) => {
                name.clone_into(&mut element);
                match element.as_str() {
                    "data" => here = attribute(tag, "type").is_some_and(|kind| kind == "primary"),
                    "location" if here => path = attribute(tag, "href"),
                    "checksum" if here => kind = attribute(tag, "type"),
                    _ => {}
                }
            }
            Item::Text(text) if here && element == "checksum" => hex.push_str(text.trim()),
            Item::Text(text) if here && element == "size" => size.push_str(text.trim()),
            Item::Text(_) => {}
            Item::Close(name) => {
                here = here && name != "data";
                element.clear();
            }
        }
        Ok(())
    })?;
    let path = path.ok_or("it names no list of packages (`primary`)")?;
    if !is_path(&path) {
        return Err(format!("it names `{path}`, which is not a path beneath the repository"));
    }
    let kind = kind.unwrap_or_default();
    let sum = Sum::parse(&kind, &hex).ok_or_else(|| {
        format!("it gives `{path}` a checksum `{kind}`, and drvc wants SHA-256, 384 or 512")
    })?;
    Ok(Primary { path, sum, size: size.parse().ok() })
}

/// One pass over `primary.xml`.
struct Reading<'a> {
    repository: &'a Repository,
    arch: &'a str,
    kept: Kept<'a>,
    within: Within,
}

/// What is known of the package that is being read.
#[derive(Default)]
struct Within {
    /// The element whose text comes next.
    element: String,
    /// Whether it is in the list of what the package provides.
    provides: bool,
    name: String,
    arch: String,
    version: String,
    /// Versions under which the package provides its own name.
    also: Vec<String>,
    /// Where its file lies, beneath the repository.
    path: String,
    /// Kind of its checksum.
    kind: String,
    hex: String,
    size: u64,
}

impl Reading<'_> {
    fn item(&mut self, item: Item<'_>) -> Result<(), String> {
        match item {
            Item::Open(name, tag) => self.open(name, tag),
            Item::Text(text) => match self.within.element.as_str() {
                "name" => self.within.name.push_str(text.trim()),
                "arch" => self.within.arch.push_str(text.trim()),
                "checksum" => self.within.hex.push_str(text.trim()),
                _ => {}
            },
            Item::Close("package") => return self.package(),
            Item::Close(name) => {
                self.within.provides = self.within.provides && name != "provides";
                self.within.element.clear();
            }
        }
        Ok(())
    }

    fn open(&mut self, name: &str, tag: &BytesStart<'_>) {
        match name {
            "package" => self.within = Within::default(),
            "version" => self.within.version = version_of(tag),
            "provides" => self.within.provides = true,
            "location" => self.within.path = attribute(tag, "href").unwrap_or_default(),
            "checksum" => self.within.kind = attribute(tag, "type").unwrap_or_default(),
            "size" => {
                let size = attribute(tag, "package").and_then(|size| size.parse().ok());
                self.within.size = size.unwrap_or_default();
            }
            "entry" if self.within.provides => {
                let own = attribute(tag, "name").is_some_and(|name| name == self.within.name);
                if own && attribute(tag, "flags").is_some_and(|flags| flags == "EQ") {
                    self.within.also.push(version_of(tag));
                }
            }
            _ => {}
        }
        name.clone_into(&mut self.within.element);
    }

    fn package(&mut self) -> Result<(), String> {
        let Within { name, arch, version, also, path, kind, hex, size, .. } =
            std::mem::take(&mut self.within);
        if arch == self.arch || arch == "noarch" {
            let sum = Sum::parse(&kind, &hex).filter(|_| is_path(&path) && size > 0);
            let file = sum.map(|sum| PackageFile { url: self.repository.at(&path), size, sum });
            self.kept.add(&name, &version, &arch, also, file)?;
        }
        Ok(())
    }
}

/// `epoch:version-release`, as far as the attributes have it; an epoch of 0 is left out.
fn version_of(tag: &BytesStart<'_>) -> String {
    let part = |name| attribute(tag, name).filter(|value| !value.is_empty());
    let epoch = part("epoch").filter(|epoch| epoch != "0").map(|epoch| epoch + ":").unwrap_or_default();
    let release = part("rel").map(|release| format!("-{release}")).unwrap_or_default();
    epoch + &part("ver").unwrap_or_default() + &release
}
