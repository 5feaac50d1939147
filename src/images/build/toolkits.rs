//! Toolkit images: which of them are there, and which are to be built.

use super::image_status::Place;
use super::item::Item;
use super::jobs::{Users, users_of_toolkits};
use super::run::BuildRun;
use super::verdict::{Verdict, Verdicts};
use crate::compiler::outputs::PlanToolkit;
use crate::images::engine::{Image, KEY_LABEL, same_name};
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef};
use std::collections::BTreeMap;

impl BuildRun<'_> {
    /// Of the toolkits that are asked for by their ids, those that are to be built; the others get their verdicts.
    ///
    /// # Errors
    /// One is to be pushed and its reference names no registry, or the engine does not answer.
    pub(super) fn toolkits_asked_for(&self, items: &[Item], verdicts: &mut Verdicts) -> Result<Users, Error> {
        let all: Vec<_> = (0..self.compiled.plan.targets.len()).collect();
        let mut wanted = users_of_toolkits(self.compiled, &all);
        wanted.retain(|&at, _| items.contains(&Item::Toolkit(at)));
        let homeless = |reference: &ImageRef| self.push && reference.registry().is_none();
        if let Some(reference) = self.described(&wanted).map(|(_, _, reference, _)| reference).find(homeless)
        {
            let help = "say where toolkits go: `repository` in `toolkit`, or `registry \"quay.io/you\"` in `project`";
            return Err(Error::new("push", reference.as_str(), "it names no registry").help(help));
        }
        let found = self.found_toolkits(&wanted)?;
        wanted.retain(|at, _| !found.contains_key(at));
        let there = found.into_iter().map(|(at, place)| (Item::Toolkit(at), Verdict::UpToDate(place)));
        verdicts.extend(there);
        Ok(wanted)
    }

    /// Of these toolkits, those that neither the engine nor their registry has.
    ///
    /// # Errors
    /// The engine does not answer.
    pub(super) fn missing_toolkits(&self, mut wanted: Users) -> Result<Users, Error> {
        let found = self.found_toolkits(&wanted)?;
        wanted.retain(|at, _| !found.contains_key(at));
        Ok(wanted)
    }

    /// Where each of these toolkits is that is anywhere. Under `--push` one that only the engine has is still to be pushed.
    fn found_toolkits(&self, wanted: &Users) -> Result<BTreeMap<usize, Place>, Error> {
        let mut found = BTreeMap::new();
        let references: Vec<_> = self.described(wanted).map(|(_, _, reference, _)| reference).collect();
        if let (Ok(engine), false) = (&self.engine, self.push || references.is_empty()) {
            let here = engine.inspect(&references)?;
            for (at, toolkit, reference, arch) in self.described(wanted) {
                let name = same_name(reference.as_str());
                let is_it = |image: &Image| {
                    image.names.contains(&name)
                        && image.key() == Some(&*toolkit.key)
                        && image.arch == arch.oci()
                };
                if here.iter().any(is_it) {
                    found.insert(at, Place::Engine);
                }
            }
        }
        let Some(registry) = self.registry else { return Ok(found) };
        for (at, toolkit, reference, arch) in self.described(wanted) {
            if found.contains_key(&at) || reference.registry().is_none() {
                continue;
            }
            // A registry that cannot be asked has nothing to stand on either.
            let labels = registry.labels(&reference, arch).ok().flatten();
            if labels.is_some_and(|labels| labels.get(KEY_LABEL) == Some(&toolkit.key)) {
                found.insert(at, Place::Registry);
            }
        }
        Ok(found)
    }

    /// Each toolkit with its place, reference and architecture.
    fn described(&self, toolkits: &Users) -> impl Iterator<Item = (usize, &PlanToolkit, ImageRef, Arch)> {
        toolkits.keys().filter_map(|&at| {
            let toolkit = self.compiled.json().toolkits.get(at)?;
            Some((at, toolkit, ImageRef::parse(&toolkit.reference).ok()?, Arch::parse(&toolkit.arch)?))
        })
    }
}
