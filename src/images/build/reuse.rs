//! Images whose modules are tried on other kernels: those that have to be built though nobody asked for them.

use super::item::Item;
use super::run::{BuildRun, NO_IMAGE, Task};
use super::verdict::Verdicts;
use crate::images::engine::{KEY_LABEL, same_name};
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef};
use std::collections::BTreeMap;

impl BuildRun<'_> {
    /// Adds to what is to be built each image whose modules something of it tries, unless it is built already or there under
    /// the name that holds its key.
    ///
    /// # Errors
    /// The engine does not answer.
    pub(super) fn add_firsts(
        &self,
        tasks: &mut BTreeMap<usize, Task>,
        verdicts: &mut Verdicts,
    ) -> Result<(), Error> {
        let mut open: Vec<usize> = tasks.keys().copied().collect();
        while let Some(at) = open.pop() {
            if !matches!(tasks.get(&at), Some(Task::Build(_))) {
                continue;
            }
            let Some(first) = self.compiled.json().first_of(at) else { continue };
            if tasks.contains_key(&first) || self.has_first(at, first)? {
                continue;
            }
            verdicts.remove(&Item::Target(first));
            tasks.insert(first, Task::Build(NO_IMAGE.into()));
            open.push(first);
        }
        Ok(())
    }

    /// Whether the image whose modules a target tries is there, under the name that the target's Dockerfile has for it.
    fn has_first(&self, at: usize, first: usize) -> Result<bool, Error> {
        let targets = &self.compiled.json().targets;
        let reference = targets.get(at).and_then(|target| target.reuse.as_ref()?.reference.as_deref());
        let reference = reference.and_then(|reference| ImageRef::parse(reference).ok());
        let (Some(reference), Some(first)) = (reference, targets.get(first)) else { return Ok(false) };
        let Some(arch) = Arch::parse(&first.arch) else { return Ok(false) };
        if let Ok(engine) = &self.engine {
            let name = same_name(reference.as_str());
            let here = engine.inspect(std::slice::from_ref(&reference))?;
            if here.iter().any(|image| {
                image.names.contains(&name) && image.key() == Some(&*first.key) && image.arch == arch.oci()
            }) {
                return Ok(true);
            }
        }
        let Some(registry) = self.registry.filter(|_| reference.registry().is_some()) else {
            return Ok(false);
        };
        // A registry that cannot be asked has nothing to try either.
        let labels = registry.labels(&reference, arch).ok().flatten();
        Ok(labels.is_some_and(|labels| labels.get(KEY_LABEL) == Some(&first.key)))
    }
}
