//! An image and its kernel -> whether the modules load: the kernel is booted in QEMU, and the image's own command run.
//!
//! 1. [`Kernel`] takes the kernel's image and its own modules out of its packages, or of files.
//! 2. [`Boot::run`] finds what of the kernel's modules the driver needs (`kernel`), and lays image, modules, a first
//!    process and a script into one archive (`init_elf`, `script`, `initramfs`).
//! 3. The machine runs (`qemu`), and what it says on its console is read (`console`) and judged (`verdict`).
//! 4. That is a [`Report`].

mod console;
mod initramfs;
mod verdict;
mod kernel;
mod options;
mod qemu;
mod report;
mod script;
mod init_elf;

pub use kernel::{Aliases, Kernel, Needed};
pub use qemu::Accelerator;
pub use report::{By, Level, ModuleReport, Outcome, Problem, Report, Trouble};

use crate::images::image::Image;
use crate::images::verify::Driver;
use crate::system::process::{Ended, Environment, Interrupt};
use crate::text::error::Error;
use crate::text::ids::Arch;
use camino::Utf8Path;
use console::Observed;
use init_elf::Machine;
use initramfs::Start;
use qemu::Qemu;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

/// The largest list of modules in an image, in bytes.
const LIST: u64 = 64 << 20;

/// An image that is to be booted.
pub struct Boot<'a> {
    pub image: &'a Image,
    pub driver: &'a Driver,
    pub kernel: &'a Kernel,
    /// The machine's architecture.
    pub arch: Arch,
    /// When the machine is ended.
    pub timeout: Duration,
    /// Letters of the kernel's taint that are taken for granted beside `OE`.
    pub allowed_taint: &'a str,
    /// Where programs are found.
    pub environment: &'a Environment,
    /// What ends it early.
    pub interrupt: &'a Interrupt,
}

impl Boot<'_> {
    /// Boots it.
    ///
    /// # Errors
    /// The image lacks what it takes, there is no QEMU, or files cannot be read or written. What goes wrong in the machine
    /// is in the report.
    pub fn run(&self) -> Result<Report, Error> {
        let machine = Machine::of(self.arch).ok_or_else(|| {
            Error::new("boot", self.arch.name(), "only machines of x86_64 and aarch64 are known")
        })?;
        self.check_programs()?;
        let modules = ordered(self.driver);
        let (names, soft) = self.asked();
        // As depmod has made it, of these modules and of the kernel's own.
        let list = self.image.root.read(&format!("{}/modules.alias", self.driver.directory), LIST);
        let aliases = kernel::aliases(&String::from_utf8_lossy(&list.unwrap_or_default()));
        let needed = self.kernel.needed(names, soft, &aliases)?;
        let script = script::script(&self.image.config, &modules);
        let failed = |cause: std::io::Error| Error::new("write", "a temporary file", cause);
        let directory = tempfile::tempdir().map_err(failed)?;
        let home = Utf8Path::from_path(directory.path())
            .ok_or_else(|| failed(std::io::Error::other("its path is not UTF-8")))?;
        let (kernel, root) = (home.join("kernel"), home.join("root"));
        let image = self.kernel.image().ok_or_else(|| {
            Error::new("find", format!("the image of {}", self.kernel.release), "no package of it has one")
                .help("name it with `--kernel FILE`")
        })?;
        crate::system::fs::write(&kernel, image).map_err(failed)?;
        let mut archive = tempfile::NamedTempFile::new_in(home).map_err(failed)?;
        let start =
            Start { image: self.image, kernel: self.kernel, needed: &needed, machine, script: &script };
        let mut to = BufWriter::new(&mut archive);
        start.write(&mut to)?;
        to.flush().map_err(failed)?;
        drop(to);
        let archive = archive.persist(&root).map_err(|error| failed(error.error))?;
        let size = archive.metadata().map_err(failed)?.len();
        let said = Qemu {
            arch: self.arch,
            kernel: &kernel,
            root: &root,
            size,
            timeout: self.timeout,
            environment: self.environment,
            interrupt: self.interrupt,
        }
        .run()?;
        if said.ended == Ended::Interrupted && self.interrupt.is_set() {
            return Err(Error::new("boot", &self.image.name, "interrupted"));
        }
        Ok(self.report(&said, &modules, &needed))
    }

    fn report(&self, said: &qemu::Said, modules: &[String], needed: &Needed) -> Report {
        let observed = Observed::of(&said.lines);
        let command = script::command(&self.image.config);
        let parameters = options::parameters(self.image, &command);
        let booted = verdict::Booted {
            modules,
            parameters: &parameters,
            allowed: self.allowed_taint,
            has_command: !command.is_empty(),
        };
        let (modules, taint, mut problems) = verdict::verdict(&booted, said, &observed);
        let missing = needed.missing.iter().map(|name| {
            let message = format!("the kernel's packages have no module `{name}`, which the image asks for");
            Problem::new(Trouble::MissingModule, message)
        });
        problems.extend(missing);
        problems.extend(said.aside.iter().map(|aside| Problem::new(Trouble::NoKvm, aside.as_str())));
        problems.sort();
        Report {
            image: self.image.name.clone(),
            kernel: self.kernel.release.clone(),
            accelerator: said.accelerator,
            seconds: (said.time.as_secs_f64() * 10.0).round() / 10.0,
            command,
            modules,
            taint,
            output: observed.output,
            messages: observed.messages,
            problems,
        }
    }

    /// Whether the image has what its own command and the script need.
    fn check_programs(&self) -> Result<(), Error> {
        let lacks = |what: &str, help: &str| {
            Err(Error::new("boot", &self.image.name, format!("it has no {what}")).help(help))
        };
        if self.driver.kernel.is_none() || self.driver.modules.is_empty() {
            return lacks("modules for one kernel", "`drvc verify` says what is the matter");
        }
        if self.image.root.get("bin/sh").is_none() {
            return lacks("shell (/bin/sh)", "use a base that has one: KMM needs it too");
        }
        let places = ["sbin", "bin", "usr/sbin", "usr/bin", "usr/local/sbin", "usr/local/bin"];
        if places.iter().all(|place| self.image.root.get(&format!("{place}/modprobe")).is_none()) {
            return lacks("`modprobe`", "install kmod in it: the modules are loaded with its own tools");
        }
        Ok(())
    }

    /// The names of the kernel's own modules that the image asks for: dependencies, and what its list of modules takes from
    /// the node (`host/…`); and those that it would like to have (`softdep`).
    fn asked(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let here = self.driver.by_name();
        let (mut names, mut soft) = (BTreeSet::new(), options::softdeps(self.image));
        for packed in &self.driver.modules {
            names.extend(packed.module.depends.iter().cloned());
            soft.extend(packed.module.softdeps.iter().flat_map(|line| kernel::softdeps(line)));
        }
        let list = self.image.root.read(&format!("{}/modules.dep", self.driver.directory), LIST);
        let list = String::from_utf8_lossy(&list.unwrap_or_default()).into_owned();
        // The list has lines of the node's modules too, which nobody need ask for.
        let own = list.lines().filter(|line| !line.starts_with("host/"));
        let words = own.flat_map(|line| line.split([' ', ':']));
        names.extend(words.filter(|word| word.starts_with("host/")).map(crate::images::verify::kmod_name));
        for set in [&mut names, &mut soft] {
            set.retain(|name| !here.contains_key(name.as_str()) && !self.driver.builtin.contains(name));
        }
        (names, soft)
    }
}

/// The names of the modules that were built, each after those that it needs.
fn ordered(driver: &Driver) -> Vec<String> {
    let built: Vec<_> = driver.built().collect();
    let mut names: Vec<String> = Vec::new();
    // Each round takes those whose dependencies are there; a circle, which no kernel loads, comes last as it is.
    while names.len() < built.len() {
        let before = names.len();
        let is_open = |name: &String, names: &[String]| {
            !names.contains(name) && built.iter().any(|packed| packed.module.name == *name)
        };
        for packed in &built {
            let name = &packed.module.name;
            let waits = packed.module.depends.iter().any(|needed| is_open(needed, &names));
            if !waits && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.len() == before {
            let rest = built.iter().map(|packed| packed.module.name.clone());
            names.extend(rest.filter(|name| !names.contains(name)).collect::<BTreeSet<_>>());
            break;
        }
    }
    names
}
