//! An image, a kernel's own modules and a script -> the root file system that the machine starts with.

use super::init_elf::Machine;
use super::kernel::{Kernel, Needed};
use crate::images::image::{Image, Kind};
use crate::system::cpio::{Archive, Entry};
use crate::text::error::Error;
use std::io::{self, Write};

/// The first process.
pub(super) const INIT: &str = "/.drvc/init";
/// Where the kernel finds firmware: a mount of its own, as a node's directory is in a container.
pub(super) const FIRMWARE: &str = "/var/lib/firmware";
const SCRIPT: &str = "/.drvc/script";
/// Kinds of file systems and where they are mounted.
const MOUNTS: [(&str, &str); 4] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", FIRMWARE)];
/// Directories that are empty in a machine, whatever the image has there.
const EMPTY: [&str; 3] = ["proc", "sys", "dev"];

/// What the machine starts with.
pub(super) struct Start<'a> {
    pub image: &'a Image,
    pub kernel: &'a Kernel,
    pub needed: &'a Needed,
    pub machine: Machine,
    pub script: &'a str,
}

impl Start<'_> {
    /// Writes the archive.
    pub(super) fn write(&self, to: impl Write) -> Result<(), Error> {
        self.all(&mut Archive::new(to))
            .map_err(|cause| Error::new("make the root of", &self.image.name, cause))
    }

    fn all(&self, archive: &mut Archive<impl Write>) -> io::Result<()> {
        for (path, file) in self.image.root.iter() {
            let top = path.split('/').next().unwrap_or(path);
            if EMPTY.contains(&top) {
                continue;
            }
            match &file.kind {
                Kind::Directory => archive.add(path, file.mode, Entry::Directory)?,
                Kind::Symlink(target) => archive.add(path, file.mode, Entry::Symlink(target))?,
                Kind::File => archive.add(path, file.mode, Entry::File(&self.image.root.bytes(file)?))?,
                Kind::Other => {}
            }
        }
        for directory in EMPTY.iter().copied().chain([".drvc"]) {
            archive.add(directory, 0o755, Entry::Directory)?;
        }
        self.directories(archive, FIRMWARE.trim_start_matches('/'))?;
        archive.add("dev/console", 0o600, Entry::Device(5, 1))?;
        archive.add("dev/null", 0o666, Entry::Device(1, 3))?;
        let modules = format!("lib/modules/{}", self.kernel.release);
        for inner in &self.needed.paths {
            let path = self.directories(archive, &format!("{modules}/{inner}"))?;
            archive.add(&path, 0o644, Entry::File(&self.kernel.read(inner)?))?;
        }
        archive.add(
            INIT.trim_start_matches('/'),
            0o755,
            Entry::File(&self.machine.init_elf(&MOUNTS, SCRIPT)),
        )?;
        archive.add(SCRIPT.trim_start_matches('/'), 0o755, Entry::File(self.script.as_bytes()))?;
        archive.finish()
    }

    /// Makes the directories above a path (all of it, where it ends a mount) that the image lacks, and gives back where
    /// the path leads with the image's links followed.
    fn directories(&self, archive: &mut Archive<impl Write>, path: &str) -> io::Result<String> {
        let mut here = String::new();
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_mount = format!("/{path}") == FIRMWARE;
        for part in above.split('/').chain(is_mount.then_some(name)).filter(|part| !part.is_empty()) {
            let next = if here.is_empty() { part.to_owned() } else { format!("{here}/{part}") };
            match self.image.root.resolve(&next) {
                Some(resolved) => here = resolved,
                None => {
                    archive.add(&next, 0o755, Entry::Directory)?;
                    here = next;
                }
            }
        }
        Ok(format!("{here}/{name}"))
    }
}
