//! A manifest with a lock -> its plan, and what that asked the lock for.

use crate::compiler::compile::{Parts, Request};
use crate::knowledge::lock::{Consulted, Lock, Wants, to_text};
use crate::system::fs::{Overlay, Reader, Tree};
use crate::text::diag::{Diagnostic, Diagnostics, Severity};
use crate::text::ids::RelPath;
use crate::text::session::Session;
use crate::text::source::Sources;

/// A manifest with a lock, planned.
pub(super) struct Planned {
    pub sources: Sources,
    pub diagnostics: Diagnostics,
    pub parts: Option<Parts>,
    pub wants: Wants,
}

impl Planned {
    pub fn of(tree: &dyn Tree, request: &Request) -> Self {
        let reader = Reader::new(tree).hide(request.out.clone());
        let mut session = Session::default();
        let parts = Parts::read(&reader, request, &mut session);
        let mut wants = Wants::default();
        if let Some(parts) = &parts {
            let consulted = Consulted::new(&parts.lock);
            parts.expand(&consulted, request, &mut session);
            wants = consulted.wants();
        }
        Self { sources: session.sources, diagnostics: session.found.sorted(), parts, wants }
    }

    /// The same as it would be with another lock at that path.
    pub fn with(tree: &dyn Tree, request: &Request, path: &RelPath, lock: &Lock) -> Self {
        let text = to_text(lock).into_bytes();
        Self::of(&Overlay::new(tree, path.clone(), text), request)
    }

    /// Whether something is wrong that no lock settles.
    pub fn is_hopeless(&self) -> bool {
        let worse = |one: &Diagnostic| one.severity() == Severity::Error && !one.code.is_drift();
        self.parts.is_none() || self.diagnostics.iter().any(worse)
    }
}
