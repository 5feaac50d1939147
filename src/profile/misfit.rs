//! Why a kernel, a release and an architecture do not go together, ready for a diagnostic with two ends.

/// One reason, in the words of a diagnostic.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misfit {
    /// What `there` is about.
    pub kind: MisfitKind,
    /// What is wrong.
    pub message: String,
    /// Label for the kernel.
    pub here: String,
    /// Label for the other end: the release, the architecture or the flavour, by `kind`.
    pub there: String,
    /// What would be right.
    pub help: String,
}

/// The kinds of [`Misfit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MisfitKind {
    /// The kernel is another release's.
    #[default]
    Release,
    /// The kernel is another architecture's, or the distribution has none for that architecture.
    Arch,
    /// There is no kernel of that flavour for the release or architecture.
    Flavor,
    /// The profile's templates give something that is no package name or path.
    Template,
}
