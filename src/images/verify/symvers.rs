//! `Module.symvers` of a kernel -> the symbols that it exports, each with its version.
//!
//! One symbol a line: CRC, name, the module that it lives in (`vmlinux` for the kernel itself), how it is exported, and
//! since 5.4 its namespace, separated by tabs (`Documentation/kbuild/modules.rst`, "Symbols and CONFIG_MODVERSIONS").

use super::module::{Module, kmod_name};
use crate::system::fs::read_user_file;
use crate::system::package;
use crate::text::error::Error;
use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

/// Largest `Module.symvers`: those of distributions have 2 to 3 MiB.
const SIZE: u64 = 64 << 20;
/// The file's own name.
pub const FILE: &str = "Module.symvers";

/// What a kernel exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symvers {
    symbols: BTreeMap<String, Export>,
}

/// One exported symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its version; 0 where the kernel is built without versions.
    pub crc: u32,
    /// The module that has to be loaded for it; nothing for the kernel itself.
    pub module: Option<String>,
    /// Whether it is kept from modules whose licence is not compatible with the GPL.
    pub gpl_only: bool,
    /// The namespace that a module has to import for it; nothing where there is none.
    pub namespace: Option<String>,
}

/// Why a module does not fit a kernel's symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolMismatches {
    /// Symbols that nothing exports.
    pub missing: BTreeSet<String>,
    /// Symbols whose version is another one.
    pub changed: BTreeSet<String>,
    /// Symbols that have a version on one side alone, so that nothing says that they are the same.
    pub unversioned: BTreeSet<String>,
    /// Symbols that are exported, but not to this module: by their licence or namespace, or by a module that it does not
    /// depend on.
    pub closed: BTreeSet<String>,
}

impl SymbolMismatches {
    /// Whether the kernel would load the module.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.changed.is_empty()
            && self.unversioned.is_empty()
            && self.closed.is_empty()
    }
}

impl Symvers {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first line that is none of this format.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut symbols = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let mut fields = line.split('\t');
            let crc = fields.next().and_then(|crc| u32::from_str_radix(crc.strip_prefix("0x")?, 16).ok());
            let (Some(crc), Some(name), Some(module)) = (crc, fields.next(), fields.next()) else {
                return Err(format!(
                    "`{}` is not a line of a {FILE}",
                    line.chars().take(80).collect::<String>()
                ));
            };
            let module = (module != "vmlinux").then(|| kmod_name(module));
            let gpl_only = fields.next().is_some_and(|class| class.ends_with("_GPL"));
            let namespace = fields.next().filter(|space| !space.is_empty()).map(ToOwned::to_owned);
            symbols.insert(name.to_owned(), Export { crc, module, gpl_only, namespace });
        }
        Ok(Self { symbols })
    }

    /// Reads the file itself, one in a directory of kernel headers, or the one in a package of them (deb or rpm).
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(path: &Utf8Path) -> Result<Self, Error> {
        let failed = |cause: String| Error::new("read", path.as_str(), cause);
        let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let text = match file.extension() {
            Some("deb" | "rpm") => in_package(path)?,
            _ => read_user_file(&file, SIZE).map_err(|cause| failed(cause.to_string()))?,
        };
        let text = text.ok_or_else(|| {
            failed(format!("there is no {FILE} there"))
                .help("name the file, a directory of kernel headers, or a package of them (linux-headers, kernel-devel)")
        })?;
        Self::parse(&String::from_utf8_lossy(&text)).map_err(failed)
    }

    /// Reads the one in a package, where there is one; `name` is for messages.
    ///
    /// # Errors
    /// The package or the file cannot be read.
    pub fn of_package(name: &str, bytes: &[u8]) -> Result<Option<Self>, Error> {
        let mut found = None;
        package::read_bytes(name, bytes, &mut |member| pick(member, &mut found))?;
        let parse = |text: Vec<u8>| Self::parse(&String::from_utf8_lossy(&text));
        found.map(parse).transpose().map_err(|cause| Error::new("read", name, cause))
    }

    /// What the kernel or one of its own modules exports under a name.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Export> {
        self.symbols.get(symbol)
    }

    /// How many symbols there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The symbols of `self` that `other` exports in another version, or otherwise.
    #[must_use]
    pub fn changed_in(&self, other: &Self) -> BTreeSet<String> {
        let changed = self.symbols.iter().filter(|(name, one)| other.get(name) != Some(one));
        changed.map(|(name, _)| name.clone()).collect()
    }

    /// How many symbols of `self` have another version in `other`, or none.
    #[must_use]
    pub fn differences(&self, other: &Self) -> usize {
        self.symbols.iter().filter(|(name, one)| other.get(name).is_none_or(|two| two.crc != one.crc)).count()
    }

    /// Names of the kernel's own modules that export something.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.symbols.values().filter_map(|export| export.module.as_deref())
    }

    /// What of a module this kernel does not have, has in another version, or keeps from it; `others` are exported by
    /// modules that come with it, and these are asked before the kernel.
    #[must_use]
    pub fn mismatches(&self, module: &Module, others: &BTreeSet<&str>) -> SymbolMismatches {
        let mut misfits = SymbolMismatches::default();
        for (symbol, version) in &module.imports {
            if others.contains(symbol.as_str()) {
                continue;
            }
            let Some(export) = self.get(symbol) else {
                // A kernel without versions does not list the layout of its modules.
                if !module.weak.contains(symbol) && symbol != "module_layout" {
                    misfits.missing.insert(symbol.clone());
                }
                continue;
            };
            match (export.crc, version) {
                // A kernel that is built without versions, and what was built for it.
                (0, None) => {}
                (crc, Some(version)) if crc == *version => {}
                (0, Some(_)) | (_, None) => drop(misfits.unversioned.insert(symbol.clone())),
                (_, Some(_)) => drop(misfits.changed.insert(symbol.clone())),
            }
            if !export.is_open_to(module) {
                misfits.closed.insert(symbol.clone());
            }
        }
        misfits
    }
}

impl Export {
    /// Whether a module may use it, as far as its licence, the namespaces that it imports and what it depends on tell.
    fn is_open_to(&self, module: &Module) -> bool {
        let licensed = !self.gpl_only || module.license.as_deref().is_none_or(is_gpl_compatible);
        let imported = self.namespace.as_ref().is_none_or(|space| module.namespaces.contains(space));
        let loaded = self.module.as_ref().is_none_or(|owner| module.depends.contains(owner));
        licensed && imported && loaded
    }
}

/// `license_is_gpl_compatible` in `include/linux/license.h`.
fn is_gpl_compatible(license: &str) -> bool {
    ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"]
        .contains(&license)
}

fn in_package(path: &Utf8Path) -> Result<Option<Vec<u8>>, Error> {
    let mut found = None;
    package::read(path, &mut |member| pick(member, &mut found))?;
    Ok(found)
}

/// Keeps the bytes of a package's file, if it is the one.
fn pick(member: package::Member, found: &mut Option<Vec<u8>>) -> io::Result<()> {
    if let (Some(FILE), package::Content::File(_, bytes)) = (member.path.rsplit('/').next(), member.content) {
        let mut text = Vec::new();
        if bytes.take(SIZE + 1).read_to_end(&mut text)? as u64 > SIZE {
            return Err(io::Error::other(format!("its {FILE} is larger than {SIZE} bytes")));
        }
        *found = Some(text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
        0x00000002\tkfree\tvmlinux\tEXPORT_SYMBOL\t\n\
        0x00000003\tcrc_itu_t\tlib/crc-itu-t\tEXPORT_SYMBOL\t\n";

    #[test]
    fn what_is_missing_or_changed_is_told_apart() {
        let kernel = Symvers::parse(TEXT).unwrap();
        assert_eq!(kernel.get("crc_itu_t").unwrap().module.as_deref(), Some("crc_itu_t"));
        let imports = [("module_layout", 1), ("kfree", 9), ("gone", 4), ("mine", 5), ("perhaps", 6)];
        let imports = imports.into_iter().map(|(name, crc)| (name.to_owned(), Some(crc))).collect();
        let module = Module { imports, weak: BTreeSet::from(["perhaps".to_owned()]), ..Module::default() };
        let misfits = kernel.mismatches(&module, &BTreeSet::from(["mine"]));
        assert_eq!(misfits.missing, BTreeSet::from(["gone".to_owned()]));
        assert_eq!(misfits.changed, BTreeSet::from(["kfree".to_owned()]));
        assert_eq!(kernel.differences(&Symvers::parse(&TEXT.replace("02\t", "07\t")).unwrap()), 1);
    }

    #[test]
    fn a_missing_version_never_fits_and_what_is_kept_from_a_module_is_named() {
        let text = "0x00000000\tplain\tvmlinux\tEXPORT_SYMBOL\t\n\
            0x00000002\tkfree\tvmlinux\tEXPORT_SYMBOL_GPL\t\n\
            0x00000003\tspace\tvmlinux\tEXPORT_SYMBOL\tCRYPTO\n\
            0x00000004\tmoved\tlib/new\tEXPORT_SYMBOL\t\n";
        let kernel = Symvers::parse(text).unwrap();
        let misfits = |imports: &[(&str, Option<u32>)], module: Module| {
            let imports = imports.iter().map(|(name, crc)| ((*name).to_owned(), *crc)).collect();
            kernel.mismatches(&Module { imports, ..module }, &BTreeSet::new())
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert!(misfits(&[("plain", None)], Module::default()).is_empty());
        let unversioned = misfits(&[("plain", Some(1)), ("kfree", None)], Module::default()).unversioned;
        assert_eq!(unversioned, set(&["kfree", "plain"]));
        let own = || Module { license: Some("Proprietary".to_owned()), ..Module::default() };
        let all = [("kfree", Some(2)), ("space", Some(3)), ("moved", Some(4))];
        assert_eq!(misfits(&all, own()).closed, set(&["kfree", "moved", "space"]));
        let free = Module {
            license: Some("Dual BSD/GPL".to_owned()),
            namespaces: vec!["CRYPTO".to_owned()],
            depends: vec!["new".to_owned()],
            ..Module::default()
        };
        assert!(misfits(&all, free).is_empty());
    }

    #[test]
    fn what_is_no_list_of_symbols_is_refused() {
        assert!(Symvers::parse("<html>").unwrap_err().contains("<html>"));
    }
}
