//! What one run over a manifest gathers.

use super::diag::Diagnostics;
use super::source::Sources;

/// The texts that were read, and what is wrong in them. Whoever may read one more text receives the session; whoever only
/// looks at what is there returns its [`Diagnostics`].
#[derive(Debug, Default)]
pub struct Session {
    pub sources: Sources,
    pub found: Diagnostics,
}
