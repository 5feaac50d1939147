//! What is known beside a manifest's own words, however much of it is understood.

use super::compile::{Request, read_lock, read_manifest, read_profiles};
use super::{inputs, model};
use crate::knowledge::lock::Lock;
use crate::knowledge::profile::Profiles;
use crate::system::fs::Reader;
use crate::text::mirrors::Mirrors;
use crate::text::session::Session;

/// What is known beside a manifest's own words: what the lock pins, and the profiles, the user's own among them.
#[derive(Debug)]
pub struct Known {
    /// What the lock pins.
    pub lock: Lock,
    /// Built-in profiles, and the user's own.
    pub profiles: Profiles,
}

/// Reads what is known, however much of the manifest is understood. What is wrong with it is reported by
/// [`compile`](super::compile::compile).
pub fn known(reader: &Reader<'_>, request: &Request) -> Known {
    let mut session = Session::default();
    let (lock, _) = read_lock(reader, request, &mut session.sources);
    let profiles = match read_manifest(reader, request, &mut session) {
        Some(manifest) => read_profiles(&manifest, reader, &mut session),
        None => Profiles::builtin(),
    };
    Known { lock, profiles }
}

/// Where a site has what builds fetch, and the certificates of its authorities, however much of the manifest is understood.
pub fn site(reader: &Reader<'_>, request: &Request) -> (Mirrors, Option<Vec<u8>>) {
    let mut session = Session::default();
    let Some(manifest) = read_manifest(reader, request, &mut session) else {
        return Default::default();
    };
    let (model, _) = model::lower(&manifest, &session.sources);
    inputs::site(&model, reader, &mut session)
}
