//! A reference to an image -> what a registry holds for it: manifests, configurations, layers and tags; and back.
//!
//! Speaks the OCI distribution API (and Docker's, which is older and the same). Manifests and blobs are content by
//! digest: whatever a registry sends is hashed, and refused where it is something else. Credentials are the user's
//! own, from the files and helpers that podman and Docker share.

mod auth;
mod credentials;
mod layer;
mod manifest;
mod place;
mod push;
mod referrers;
mod registry;

pub use credentials::{Credential, Credentials};
pub use layer::{Layer, read_file};
pub use manifest::{Content, Descriptor, ImageConfig, ImageManifest, Index, Manifest, Platform};
pub use referrers::{Attachment, subject_of};
pub use registry::Registry;
