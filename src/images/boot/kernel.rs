//! A kernel's packages, or its files -> its image, and those of its own modules that a driver needs.

use crate::images::verify::{Module, kmod_name};
use crate::system::fs::{Disk, Kind, Tree as _, UserFile, read_user_file};
use crate::system::package::{self, Content, Member};
use crate::system::unpack::unpacked;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;

/// The largest image of a kernel, in bytes.
const IMAGE: u64 = 256 << 20;
/// The largest module of a kernel, and the largest of its lists of modules, in bytes.
const FILE: u64 = 512 << 20;
/// So many files are kept of a kernel.
const FILES: usize = 50_000;
/// Where a kernel's modules lie, beneath the root or `usr`.
const MODULES: &str = "lib/modules/";

/// A kernel that can be booted.
#[derive(Debug)]
pub struct Kernel {
    /// What `uname -r` prints.
    pub release: String,
    image: Option<Vec<u8>>,
    /// Position and size of each of its files, by its path beneath the directory of its modules.
    files: BTreeMap<String, (u64, u64)>,
    store: UserFile,
    stored: u64,
}

/// What of a kernel's own modules a driver needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// Paths beneath the directory of the kernel's modules.
    pub paths: BTreeSet<String>,
    /// Names that no module has.
    pub missing: BTreeSet<String>,
}

impl Kernel {
    /// A kernel of which nothing is known yet.
    ///
    /// # Errors
    /// There is no place for temporary files.
    pub fn new(release: &str) -> Result<Self, Error> {
        let store = tempfile::tempfile().map_err(|cause| Error::new("make", "a temporary file", cause))?;
        Ok(Self { release: release.to_owned(), image: None, files: BTreeMap::new(), store, stored: 0 })
    }

    /// Adds what a package has of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_package(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        package::read_bytes(name, bytes, &mut |member| self.member(member))
    }

    /// Adds what a package in a file has of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_package_file(&mut self, path: &Utf8Path) -> Result<(), Error> {
        package::read(path, &mut |member| self.member(member))
    }

    /// Takes a file as its image.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn set_image(&mut self, path: &Utf8Path) -> Result<(), Error> {
        let failed = |cause: io::Error| Error::new("read", path.as_str(), cause);
        let bytes = read_user_file(path, IMAGE).map_err(failed)?;
        self.image = Some(bytes.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?);
        Ok(())
    }

    /// Adds the modules of a directory: that of the kernel's modules itself, or one that has it in `lib/modules`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_directory(&mut self, path: &Utf8Path) -> Result<(), Error> {
        let beneath = path.join(MODULES).join(&self.release);
        let path = if beneath.is_dir() { beneath } else { path.to_owned() };
        let disk = Disk::open(&path)?;
        let failed = |cause: String| Error::new("read", path.as_str(), cause);
        let mut open = vec![RelPath::root()];
        while let Some(directory) = open.pop() {
            let entries = disk.list(&directory).map_err(|cause| failed(cause.to_string()))?;
            for entry in entries.value {
                let Ok(inner) = directory.join(&entry.name) else { continue };
                match entry.kind {
                    Kind::Directory => open.push(inner),
                    Kind::File if is_wanted(inner.as_str()) => {
                        let bytes = disk.read(&inner, FILE).map_err(|cause| failed(cause.to_string()))?;
                        self.keep(inner.as_str(), &mut bytes.value.as_slice())
                            .map_err(|cause| failed(cause.to_string()))?;
                    }
                    Kind::File | Kind::Link | Kind::Other => {}
                }
            }
        }
        Ok(())
    }

    fn member(&mut self, member: Member<'_>) -> io::Result<()> {
        let Content::File(size, bytes) = member.content else { return Ok(()) };
        let path = member.path.strip_prefix("usr/").unwrap_or(&member.path);
        let inner = path.strip_prefix(MODULES).and_then(|rest| rest.strip_prefix(self.release.as_str()));
        let inner = inner.and_then(|rest| rest.strip_prefix('/'));
        let is_image = inner == Some("vmlinuz") || path.strip_prefix("boot/vmlinuz-") == Some(&self.release);
        if is_image && size <= IMAGE {
            let mut image = Vec::new();
            bytes.take(IMAGE).read_to_end(&mut image)?;
            self.image = Some(image);
        } else if let Some(inner) = inner.filter(|inner| is_wanted(inner) && size <= FILE) {
            self.keep(inner, bytes)?;
        }
        Ok(())
    }

    fn keep(&mut self, inner: &str, bytes: &mut dyn Read) -> io::Result<()> {
        if self.files.len() == FILES {
            return Err(io::Error::other(format!("it has more than {FILES} modules")));
        }
        self.store.seek(io::SeekFrom::Start(self.stored))?;
        let size = io::copy(&mut bytes.take(FILE), &mut self.store)?;
        self.store.flush()?;
        self.files.insert(inner.to_owned(), (self.stored, size));
        self.stored += size;
        Ok(())
    }

    /// Its image.
    #[must_use]
    pub fn image(&self) -> Option<&[u8]> {
        self.image.as_deref()
    }

    /// The bytes of one of its files.
    ///
    /// # Errors
    /// There is none at that path, or the temporary file cannot be read.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let &(position, size) = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.store.read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }

    /// What of its own modules these names need, with all that those need in turn. Names of what is built into the kernel
    /// need nothing; what is `soft` may be an alias, which stands for each module that has it, or nowhere.
    ///
    /// # Errors
    /// A module of it cannot be read.
    pub fn needed(
        &self,
        names: BTreeSet<String>,
        soft: BTreeSet<String>,
        aliases: &Aliases,
    ) -> Result<Needed, Error> {
        let failed = |cause: String| Error::new("read a module of", self.release.as_str(), cause);
        let by_name: BTreeMap<String, &str> = self
            .files
            .keys()
            .filter(|path| path.contains(".ko"))
            .map(|path| (kmod_name(path), path.as_str()))
            .collect();
        let builtin = self.read("modules.builtin").unwrap_or_default();
        let builtin: BTreeSet<_> = String::from_utf8_lossy(&builtin).lines().map(kmod_name).collect();
        let (mut needed, mut open) = (Needed::default(), names);
        let there = |name: String| -> Vec<String> {
            let all =
                if by_name.contains_key(&name) { Some(vec![name]) } else { aliases.get(&name).cloned() };
            all.into_iter().flatten().filter(|name| by_name.contains_key(name)).collect()
        };
        open.extend(soft.into_iter().flat_map(there));
        while let Some(name) = open.pop_first() {
            let Some(path) = by_name.get(&name) else {
                if !builtin.contains(&name) {
                    needed.missing.insert(name);
                }
                continue;
            };
            if !needed.paths.insert((*path).to_owned()) {
                continue;
            }
            let packed = self.read(path).map_err(|cause| failed(cause.to_string()))?;
            let mut bytes = Vec::new();
            let read = unpacked(packed.as_slice(), FILE).and_then(|mut from| from.read_to_end(&mut bytes));
            read.map_err(|cause| failed(cause.to_string()))?;
            let module = Module::parse(path, bytes.as_slice()).map_err(|cause| failed(cause.to_string()))?;
            open.extend(module.depends);
            let soft = module.softdeps.iter().flat_map(|line| softdeps(line));
            open.extend(soft.flat_map(there));
        }
        needed.paths.extend(self.files.keys().filter(|path| !path.contains('/')).cloned());
        Ok(needed)
    }
}

/// The modules that a name stands for.
pub type Aliases = BTreeMap<String, Vec<String>>;

/// The lines of `modules.alias` that name one thing: a driver for a checksum, say, and not for devices of a kind.
pub(super) fn aliases(text: &str) -> Aliases {
    let mut aliases = Aliases::new();
    for line in text.lines().filter(|line| !line.contains(['*', '?', '['])) {
        let mut words = line.split_whitespace().skip(1);
        if let (Some(alias), Some(module)) = (words.next(), words.next()) {
            aliases.entry(kmod_name(alias)).or_default().push(kmod_name(module));
        }
    }
    aliases
}

/// The names in a `softdep` of a module or of a file of modprobe.d: `pre: a b post: c`.
pub(super) fn softdeps(line: &str) -> impl Iterator<Item = String> {
    line.split_whitespace().filter(|word| !word.ends_with(':')).map(kmod_name)
}

/// Whether a file beneath the directory of a kernel's modules is one, or a list of some.
fn is_wanted(inner: &str) -> bool {
    let name = inner.rsplit('/').next().unwrap_or(inner);
    let is_module = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"].iter().any(|ending| name.ends_with(ending));
    is_module || matches!(inner, "modules.builtin" | "modules.builtin.modinfo" | "modules.order")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fs::Dir;

    #[test]
    fn files_are_found_and_names_that_nobody_has_are_told() {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap();
        let modules = root.join("lib/modules/6.1.0/kernel/lib");
        let lib = Dir::make_private(modules.as_str()).unwrap();
        lib.create_new("crc-itu-t.ko", b"no module").unwrap();
        let top = Dir::open_root(root.join("lib/modules/6.1.0").as_str()).unwrap();
        top.create_new("modules.builtin", b"kernel/lib/crc16.ko\n").unwrap();
        top.create_new("notes", b"").unwrap();
        let mut kernel = Kernel::new("6.1.0").unwrap();
        kernel.add_directory(root).unwrap();
        assert_eq!(kernel.read("kernel/lib/crc-itu-t.ko").unwrap(), b"no module");
        assert!(kernel.read("notes").is_err());
        assert_eq!(softdeps("pre: a-b post: c").collect::<Vec<_>>(), ["a_b", "c"]);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let needed = kernel.needed(names(&["crc16", "gone"]), names(&["soft"]), &Aliases::new()).unwrap();
        assert_eq!((needed.missing, needed.paths), (names(&["gone"]), names(&["modules.builtin"])));
        // What is found is read, and this is no module.
        let list = aliases("# text\nalias crc-v41 crc_itu_t\nalias pci:v*d* crc_itu_t\n");
        assert_eq!(list.keys().collect::<Vec<_>>(), ["crc_v41"]);
        for soft in ["crc_itu_t", "crc_v41"] {
            let error = kernel.needed(names(&[]), names(&[soft]), &list).unwrap_err();
            assert!(error.to_string().contains("6.1.0"), "{error}");
        }
    }
}
