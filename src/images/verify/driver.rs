//! An image -> the kernel modules in it and the kernel that they are for.

use super::Symvers;
use super::finding::{Finding, Kind};
use super::module::{Module, kmod_name};
use crate::images::image::{self, Image};
use crate::system::unpack::unpacked;
use object::ReadCache;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

/// Where KMM and drvc look for a kernel's modules.
pub const PLACE: &str = "opt/lib/modules";
/// Where else modules may lie that were put into the wrong place.
const WRONG_PLACES: [&str; 2] = ["lib/modules", "usr/lib/modules"];
/// The record beside modules that other kernels may take, beneath the directory of the kernel's modules.
const RECORD: &str = "updates/drvc-reuse";
/// Largest module: GPU drivers with debug information reach some hundred MiB.
const SIZE: u64 = 1 << 30;
/// Largest module whose signature is checked: it is held as a whole.
const WHOLE: u64 = 256 << 20;
/// How many times its packed size a module may have, beyond [`SMALL`]: xz makes modules a tenth at best.
const RATIO: u64 = 100;
/// So much a module may always have unpacked.
const SMALL: u64 = 1 << 20;
/// Most modules of an image: all of a distribution's kernel are some 7,000.
const MODULES: usize = 20_000;
/// Largest list of modules that are built in.
const LIST: u64 = 16 << 20;

/// The driver in an image.
#[derive(Clone, Debug, Default)]
pub struct Driver {
    /// The kernel that its modules are filed under.
    pub kernel: Option<String>,
    /// The directory of that kernel's modules, without a slash in front.
    pub directory: String,
    /// Its modules, sorted by path; those of the kernel itself among them where they were copied.
    pub modules: Vec<Packed>,
    /// Modules that are built into the kernel, as far as the image says.
    pub builtin: BTreeSet<String>,
    /// Whether the node's own modules are linked to (`host`).
    pub linked: bool,
    /// What the modules were built for, where they may come from another kernel's image.
    pub record: Option<Record>,
    /// What was found on the way.
    pub findings: Vec<Finding>,
}

/// What the script `check-reuse` wrote down when the modules were built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The kernel that they were built for.
    pub kernel: String,
    /// What of its symbols they use.
    pub symbols: Symvers,
}

/// A module in an image.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Its path, without a slash in front.
    pub path: String,
    /// Its path beneath the directory of the kernel's modules.
    pub inner: String,
    /// What it says of itself.
    pub module: Module,
}

impl Packed {
    /// Whether it is one of the kernel's own, copied from its packages.
    #[must_use]
    pub fn is_in_tree(&self) -> bool {
        self.inner.starts_with("kernel/")
    }
}

impl Record {
    /// Lines of a name and a value, and of symbols with their names in front.
    fn parse(text: &str) -> Option<Self> {
        let kernel = text.lines().find_map(|line| line.strip_prefix("kernel "))?.to_owned();
        let symbols = text.lines().filter_map(|line| {
            let (name, rest) = line.split_once('\t')?;
            let (version, rest) = rest.split_once('\t')?;
            Some(format!("{version}\t{name}\t{rest}\n"))
        });
        Some(Self { kernel, symbols: Symvers::parse(&symbols.collect::<String>()).ok()? })
    }
}

impl Driver {
    /// Finds the modules for `kernel`, or for the one kernel that there is.
    #[must_use]
    pub fn read(image: &Image, kernel: Option<&str>) -> Self {
        let mut driver = Self::default();
        let found = kernels(image);
        let chosen = match (kernel, found.as_slice()) {
            (Some(kernel), _) if found.iter().any(|found| found == kernel) => Some(kernel.to_owned()),
            (None, [one]) => Some(one.clone()),
            _ => None,
        };
        let Some(kernel) = chosen else {
            driver.findings.push(none(image, kernel, &found));
            return driver;
        };
        driver.directory = format!("{PLACE}/{kernel}");
        driver.read_modules(image, MODULES);
        let builtin =
            image.root.read(&format!("{}/modules.builtin", driver.directory), LIST).unwrap_or_default();
        driver.builtin = String::from_utf8_lossy(&builtin).lines().map(kmod_name).collect();
        let record = image.root.read(&format!("{}/{RECORD}", driver.directory), LIST);
        driver.record = record.ok().and_then(|text| Record::parse(&String::from_utf8_lossy(&text)));
        driver.linked = image.root.iter().any(|(path, file)| {
            path.strip_prefix(driver.directory.as_str()) == Some("/host")
                && matches!(file.kind, image::Kind::Symlink(_))
        });
        driver.kernel = Some(kernel);
        driver
    }

    /// Reads its modules, of which there may be so many.
    pub(super) fn read_modules(&mut self, image: &Image, most: usize) {
        let directory = image.root.resolve(&self.directory).unwrap_or_else(|| self.directory.clone());
        for (path, file) in image.root.beneath(&directory) {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_module =
                [".ko", ".ko.xz", ".ko.zst", ".ko.gz"].iter().any(|ending| name.ends_with(ending));
            if !is_module || file.kind != image::Kind::File {
                continue;
            }
            if self.modules.len() == most {
                let message = format!("/{directory} has more than {most} modules: the rest was not read");
                self.findings.push(Finding::new(Kind::DamagedModule, message));
                break;
            }
            match module(image, name, file) {
                Ok(module) => {
                    let inner = path.get(directory.len() + 1..).unwrap_or(path).to_owned();
                    self.modules.push(Packed { path: path.to_owned(), inner, module });
                }
                Err(cause) => {
                    self.findings.push(Finding::new(Kind::DamagedModule, cause).at(path));
                }
            }
        }
        if self.modules.is_empty() {
            let message = format!("/{} holds no kernel module", self.directory);
            self.findings.push(Finding::new(Kind::NoModules, message));
        }
    }

    /// The modules by name.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&str, &Packed> {
        self.modules.iter().map(|packed| (packed.module.name.as_str(), packed)).collect()
    }

    /// The modules that were built, without those copied from the kernel's packages.
    pub fn built(&self) -> impl Iterator<Item = &Packed> {
        self.modules.iter().filter(|packed| !packed.is_in_tree())
    }
}

/// The first bytes of a module's file, unpacked; nothing where there are too many of them.
pub(super) fn beginning(image: &Image, path: &str, bytes: u64) -> Option<Vec<u8>> {
    let file = image.root.get(path).filter(|_| bytes <= WHOLE)?;
    let mut part = image.root.part(file).ok()?;
    let mut read = Vec::new();
    match path.ends_with(".ko") {
        true => (&mut part).take(bytes).read_to_end(&mut read).ok()?,
        false => unpacked(&mut part, bytes).ok()?.take(bytes).read_to_end(&mut read).ok()?,
    };
    (read.len() as u64 == bytes).then_some(read)
}

/// So many bytes may a module have that is stored in so many.
pub(super) fn most_unpacked(packed: u64) -> u64 {
    SIZE.min(SMALL + RATIO.saturating_mul(packed))
}

/// Reads a module in sections, from the layer or from a file that it is unpacked to.
fn module(image: &Image, name: &str, file: &image::File) -> Result<Module, String> {
    let read = || {
        let mut part = image.root.part(file)?;
        if name.ends_with(".ko") {
            return Ok(Module::parse(name, &ReadCache::new(part)));
        }
        let mut plain = tempfile::tempfile()?;
        io::copy(&mut unpacked(&mut part, most_unpacked(file.size))?, &mut plain)?;
        Ok(Module::parse(name, &ReadCache::new(plain)))
    };
    let parsed: io::Result<_> = read();
    parsed.map_err(|cause| cause.to_string())?.map_err(|cause| cause.to_string())
}

/// The kernels that the image has modules for.
fn kernels(image: &Image) -> Vec<String> {
    let root = image.root.resolve(PLACE).unwrap_or_else(|| PLACE.to_owned());
    let depth = root.len() + 1;
    let below = image.root.beneath(&root).filter(|(_, file)| file.kind == image::Kind::Directory);
    let names = below.filter_map(|(path, _)| path.get(depth..)).filter(|name| !name.contains('/'));
    names.map(ToOwned::to_owned).collect()
}

fn none(image: &Image, kernel: Option<&str>, found: &[String]) -> Finding {
    let finding = |message: String| Finding::new(Kind::NoModules, message);
    if let Some(kernel) = kernel.filter(|_| !found.is_empty()) {
        return finding(format!("/{PLACE} has modules for {}, not for {kernel}", found.join(", ")));
    }
    if !found.is_empty() {
        return finding(format!("/{PLACE} has modules for several kernels: {}", found.join(", ")))
            .help("say which one is meant with `--kernel`");
    }
    let strays = WRONG_PLACES.iter().flat_map(|place| image.root.beneath(place));
    match strays.map(|(path, _)| path).find(|path| path.contains(".ko")) {
        Some(stray) => finding(format!("there is nothing in /{PLACE}, but there is /{stray}"))
            .help(format!("put modules under /{PLACE}/<kernel>: `modprobe -d /opt` and KMM look there")),
        None => finding(format!("there is nothing in /{PLACE}")),
    }
}
