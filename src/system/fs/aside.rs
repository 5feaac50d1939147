//! A directory that is made under a temporary name, and gets its own when it is whole.

use super::Kind;
use super::dir::Dir;
use super::writer::{is_dead, next_temporary};
use rustix::fs::RenameFlags;
use std::io::Result;

/// How deep what is left behind is removed.
const MAX_DEPTH: usize = 64;

/// A directory that nobody knows yet. Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub struct Aside<'a> {
    above: &'a Dir,
    name: Option<String>,
    dir: Dir,
}

impl Dir {
    /// Makes an empty directory in this one, aside. What runs that were killed have left aside is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn aside(&self) -> Result<Aside<'_>> {
        for entry in self.entries().unwrap_or_default() {
            if entry.kind == Kind::Directory && is_dead(&entry.name) {
                remove(self, &entry.name, 0);
            }
        }
        loop {
            let name = next_temporary();
            let (dir, made) = self.make_dir(&name)?;
            if made {
                return Ok(Aside { above: self, name: Some(name), dir });
            }
        }
    }
}

impl Aside<'_> {
    /// The directory, to be filled.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Gives it its name, at once, and never in place of something else.
    ///
    /// # Errors
    /// What the system says; a file or directory that has the name.
    pub fn rename(mut self, name: &str) -> Result<()> {
        if let Some(temporary) = &self.name {
            rustix::fs::renameat_with(self.above, temporary, self.above, name, RenameFlags::NOREPLACE)?;
            self.name = None;
        }
        Ok(())
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            remove(self.above, name, 0);
        }
    }
}

/// Removes a directory and what is in it; should something stay, the next run tries again.
fn remove(above: &Dir, name: &str, depth: usize) {
    if let Ok(dir) = above.open_dir(name) {
        for entry in dir.entries().unwrap_or_default() {
            if entry.kind == Kind::Directory && depth < MAX_DEPTH {
                remove(&dir, &entry.name, depth + 1);
            } else {
                let _ = dir.remove_file(&entry.name);
            }
        }
    }
    let _ = above.remove_empty_dir(name);
}
