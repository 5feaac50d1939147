//! Turns what a driver has today (a dkms.conf, a Makefile, a Dockerfile) into a first manifest.
//!
//! 1. [`find`] and [`kind`] say what there is.
//! 2. One module for each kind makes a [`Draft`] of it. Nothing is run; what has no equal becomes a comment in the draft
//!    and a warning.
//! 3. [`matrix`] puts kernels under the systems that they belong to, and [`write`] prints the manifest.

pub mod shell;
pub mod draft;
mod commands;
mod files;
mod kernels;
pub mod matrix;
mod tree;
mod write;
pub mod dkms;
mod bases;
mod kbuild;
pub mod dockerfile;
pub mod kmm;
mod asked;
mod settle;

pub use draft::{Draft, Os};
pub use files::{Kind, Place, copy, find, kind, text};
pub use settle::{Target, settled};
pub use write::write;

use crate::system::fs::Tree;
use crate::text::ids::RelPath;
use shell::Refusal;

/// Makes a draft of what stands at a place of a project. `hint` is a name for the driver where the file has none.
///
/// # Errors
/// A file that cannot be understood at all.
pub fn draft(tree: &impl Tree, place: &Place, hint: &str) -> Result<Draft, Refusal> {
    match place.kind {
        Kind::Dkms => {
            // A directory with nothing but the dkms.conf says nothing of the sources.
            let whole = tree.list(&place.dir).is_ok_and(|entries| entries.value.len() > 1);
            let has = |path: &RelPath| tree.digest(path).is_ok() || tree.list(path).is_ok();
            let lacks = |file: &str| whole && place.dir.join(file).is_ok_and(|path| !has(&path));
            let mut draft = dkms::import(&place.text, place.file.as_str(), &place.dir, hint, &lacks)?;
            let facts = tree::facts(tree, &place.dir);
            draft.project.license = facts.license.clone();
            if let Some(source) = draft.sources.first_mut().filter(|source| source.patches.is_empty()) {
                source.instead = facts.origin();
            }
            Ok(draft)
        }
        Kind::Kbuild => kbuild::import(tree, place, hint),
        Kind::Dockerfile => {
            let mut draft = dockerfile::import(&place.text, place.file.as_str(), hint)?;
            kbuild::calls::held_to_makefiles(tree, place, &mut draft);
            kbuild::outputs_from_tree(tree, &mut draft);
            Ok(draft)
        }
        Kind::Kmm => kmm::import(&place.text, place.file.as_str()),
    }
}
