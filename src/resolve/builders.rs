//! An ordered list of builders -> the first that can be had for a kernel: a Driver Toolkit that the lock has from the
//! release's payload, a toolkit image that is in its repository, or the distribution's own, which is always there.
//!
//! A toolkit's reference holds its key, so the manifest is compiled as if each kernel took its toolkit.

use super::Resolver;
use super::work::{Toolkits, Work};
use crate::compiler::compile::{Parts, compile_known};
use crate::knowledge::lock::{BuilderQuery, Entry, Want, to_text};
use crate::knowledge::profile::Builder;
use crate::system::fs::{Overlay, Reader};
use crate::text::error::Error;
use crate::text::ids::ImageRef;
use crate::text::source::Span;

impl Work<'_> {
    /// What the toolkits are called that the wanted lists name; nothing where the manifest does not compile with them.
    pub(super) fn toolkits(&self, wants: &[Want]) -> Option<Toolkits> {
        let mut lock = self.parts.lock.clone();
        let mut none = true;
        for want in wants {
            if let Want::Builder(query) = want
                && query.of.contains(&Builder::Toolkit)
            {
                let entry = Entry { value: Builder::Toolkit, span: Span::default() };
                lock.builders.insert(query.clone(), entry);
                none = false;
            }
        }
        if none {
            return Some(Toolkits::new());
        }
        let tree = Overlay::new(self.tree, self.path.clone(), to_text(&lock).into_bytes());
        let reader = Reader::new(&tree).hide(self.request.out.clone());
        let toolkits = compile_known(&reader, self.request).plan?.json().toolkits.clone();
        let named = toolkits.into_iter().filter_map(|one| {
            let reference = ImageRef::parse(&one.reference).ok()?;
            Some(([one.os, one.release, one.kernel, one.arch], reference))
        });
        Some(named.collect())
    }
}

impl Resolver {
    /// The first of a list that can be had; where none can, its last.
    ///
    /// # Errors
    /// The registry of toolkits cannot be asked, or what they are called is not known.
    pub(super) fn builder(
        &self,
        parts: &Parts,
        toolkits: Option<&Toolkits>,
        query: &BuilderQuery,
    ) -> Result<Builder, Error> {
        for &builder in &query.of {
            let is_there = match builder {
                Builder::Distro => true,
                Builder::Dtk => has_driver_toolkit(parts, query),
                Builder::Toolkit => {
                    let toolkits = toolkits.ok_or_else(|| unknown(query))?;
                    match toolkit_of(parts, query).and_then(|key| toolkits.get(&key)) {
                        Some(reference) => self.registry.digest(reference)?.is_some(),
                        None => false,
                    }
                }
            };
            if is_there {
                return Ok(builder);
            }
        }
        Ok(query.of.last().copied().unwrap_or(Builder::Distro))
    }
}

/// Whether the payload of the kernel's release has a Driver Toolkit for it.
fn has_driver_toolkit(parts: &Parts, query: &BuilderQuery) -> bool {
    let (os, release, kernel, arch) = &query.kernel;
    let brings = parts.profiles.get(os.as_str()).is_some_and(|profile| profile.payload.is_some());
    let mut pins = parts.lock.openshift.get(&(release.clone(), *arch)).into_iter().flatten();
    brings && pins.any(|pin| pin.value.kernel == *kernel || pin.value.realtime.as_ref() == Some(kernel))
}

/// What `plan.json` says of the toolkit of a kernel: it is of the distribution and release that the kernel is of.
fn toolkit_of(parts: &Parts, query: &BuilderQuery) -> Option<[String; 4]> {
    let (os, release, kernel, arch) = &query.kernel;
    let profile = parts.profiles.get(os.as_str())?;
    let release = profile.release(release.as_str()).ok()?;
    let known = profile.with_arch(&profile.unchecked_kernel(kernel.as_str()).ok()?, *arch).ok()?;
    let family = profile.kernels_of.as_ref().unwrap_or(&profile.os);
    let release = &release.platform(&known)?.release;
    Some([family.to_string(), release.to_string(), kernel.to_string(), arch.to_string()])
}

fn unknown(query: &BuilderQuery) -> Error {
    let (_, _, kernel, _) = &query.kernel;
    Error::new("name", format!("the toolkit of {kernel}"), "the manifest does not compile with toolkits")
        .help("write `builder \"toolkit\"` alone, and `drvc check` says why")
}
