//! What is attached to an image in its registry -> whether that is all that a run asks for.

use crate::system::oci::{Descriptor, Registry};
use crate::text::error::Error;
use crate::text::ids::{Digest, ImageRef, Repository};

/// The media type of a statement, as in-toto has it, and the annotation that names what it is of, as BuildKit writes it.
pub const STATEMENT: &str = "application/vnd.in-toto+json";
pub const PREDICATE: &str = "in-toto.io/predicate-type";
/// What a statement of a build is of.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// The beginning of the type of what cosign attaches since its version 3.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// The proofs without which an image counts as not there: only the run that builds it can give them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    pub provenance: bool,
    pub signature: bool,
}

impl Proofs {
    /// Whether there are any.
    #[must_use]
    pub const fn any(self) -> bool {
        self.provenance || self.signature
    }

    /// What an image, named by its digest, lacks.
    pub(super) fn lack(self, registry: &Registry, image: &ImageRef) -> Result<Option<String>, Error> {
        if !self.any() {
            return Ok(None);
        }
        let rule = |rule: crate::text::ids::Invalid| Error::new("use", image.as_str(), rule.0);
        let repository = Repository::parse(image.repository()).map_err(rule)?;
        let digest = Digest::parse(image.digest().unwrap_or_default()).map_err(rule)?;
        let attached = registry.referrers(&repository, &digest)?;
        if self.provenance && !attached.iter().any(is_provenance) {
            return Ok(Some("its image has no provenance, which only its build can give".into()));
        }
        if self.signature && !is_signed(registry, &repository, &digest, &attached)? {
            return Ok(Some("its image is not signed, and signed is what this run has built".into()));
        }
        Ok(None)
    }
}

/// Whether an artifact is a statement of a build.
#[must_use]
pub fn is_provenance(artifact: &Descriptor) -> bool {
    artifact.artifact_type.as_deref() == Some(STATEMENT)
        && artifact.annotations.get(PREDICATE).is_some_and(|of| of == PROVENANCE)
}

/// Whether cosign has signed an image: by an artifact, or under a tag as it did up to version 2. It is not checked by whom.
///
/// # Errors
/// The registry cannot be asked.
pub fn is_signed(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
    attached: &[Descriptor],
) -> Result<bool, Error> {
    let is_bundle =
        |one: &Descriptor| one.artifact_type.as_deref().is_some_and(|kind| kind.starts_with(BUNDLE));
    if attached.iter().any(is_bundle) {
        return Ok(true);
    }
    let tag = format!("{repository}:{}.sig", image.as_str().replace(':', "-"));
    let tag = ImageRef::parse(&tag).map_err(|rule| Error::new("ask for", tag, rule.0))?;
    Ok(registry.digest(&tag)?.is_some())
}
