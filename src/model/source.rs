//! `source`: where files come from, with every value parsed.

use super::lower::Lower;
use super::{Lay, replace};
use crate::ids::{Commit, GitRef, GitUrl, RelPath};
use crate::source::{Span, Spanned};
use crate::syntax::ast;

/// The children of a `source`.
#[derive(Clone, Debug, Default)]
pub struct SourceBody {
    /// Where the files come from.
    pub origin: Option<Spanned<Origin>>,
    /// Applied in order.
    pub patches: Vec<Patch>,
}

/// Where a source's files come from.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are the properties and children of the same name")]
pub enum Origin {
    Git { url: GitUrl, reference: GitReference, submodules: bool },
    Path { dir: RelPath, include: Vec<String>, ignore: Vec<String> },
}

/// What of a git repository is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GitReference {
    /// The tip of a branch, to be resolved by the lock.
    Branch(GitRef),
    /// A tag, to be resolved by the lock.
    Tag(GitRef),
    /// Exactly this commit.
    Commit(Commit),
    /// Whatever the remote's HEAD names, to be resolved by the lock.
    Head,
}

impl GitReference {
    /// The full name of the ref at the remote; `None` for a commit.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        match self {
            Self::Branch(name) => Some(format!("refs/heads/{name}")),
            Self::Tag(name) => Some(format!("refs/tags/{name}")),
            Self::Head => Some("HEAD".into()),
            Self::Commit(_) => None,
        }
    }
}

/// `patch FILE strip=N`
#[derive(Clone, Debug)]
pub struct Patch {
    /// The file, relative to the manifest.
    pub file: RelPath,
    /// Leading path components to remove (`patch -pN`).
    pub strip: u32,
    /// Where the file is named.
    pub span: Span,
}

impl Lay for SourceBody {
    fn lay(&mut self, over: &Self) {
        replace(&mut self.origin, &over.origin);
        self.patches.extend(over.patches.iter().cloned());
    }
}

/// Lowers the body of a `source` or of an `on` in it.
pub(super) fn lower_source(lower: &mut Lower<'_>, body: &ast::SourceBody) -> SourceBody {
    let origin = body.origin.as_ref().and_then(|origin| {
        let value = lower_origin(lower, origin)?;
        Some(Spanned::new(value, origin.span))
    });
    let patches = body.patches.iter().filter_map(|patch| {
        let file = lower.parse("path", &patch.file, RelPath::parse)?;
        let strip = patch.strip.as_ref().map_or(1, |strip| strip.value);
        Some(Patch { file, strip, span: patch.file.span })
    });
    SourceBody { patches: patches.collect(), origin }
}

fn lower_origin(lower: &mut Lower<'_>, origin: &Spanned<ast::Origin>) -> Option<Origin> {
    match &origin.value {
        ast::Origin::Git { url, reference, submodules } => {
            lower.refuse_secret_in_url(url);
            let url = lower.parse("git URL", url, GitUrl::parse);
            let reference = match reference {
                None => Some(GitReference::Head),
                Some(ast::GitReference::Branch(name)) => {
                    lower.parse("branch", name, GitRef::parse).map(GitReference::Branch)
                }
                Some(ast::GitReference::Tag(name)) => {
                    lower.parse("tag", name, GitRef::parse).map(GitReference::Tag)
                }
                Some(ast::GitReference::Commit(commit)) => {
                    lower.parse("commit", commit, Commit::parse).map(GitReference::Commit)
                }
            };
            Some(Origin::Git { url: url?, reference: reference?, submodules: *submodules })
        }
        ast::Origin::Path { dir, include, ignore } => {
            let dir = lower.parse("path", dir, parse_dir)?;
            let mut globs = |globs: &[ast::Text]| {
                globs.iter().filter_map(|glob| lower.glob(glob)).collect::<Vec<String>>()
            };
            Some(Origin::Path { dir, include: globs(include), ignore: globs(ignore) })
        }
        ast::Origin::Archive { .. } => lower.not_yet("`archive` sources", origin.span),
        ast::Origin::File { .. } => lower.not_yet("`file` sources", origin.span),
        ast::Origin::Srpm { .. } => lower.not_yet("`srpm` sources", origin.span),
        ast::Origin::Image { .. } => lower.not_yet("`image` sources", origin.span),
    }
}

/// A directory, with or without a slash at its end.
fn parse_dir(text: &str) -> Result<RelPath, crate::ids::Invalid> {
    RelPath::parse(text.strip_suffix('/').unwrap_or(text).trim_start_matches("./"))
}
