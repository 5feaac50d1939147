//! `source`: where files come from, with every value parsed.

use super::context::Lower;
use super::layers::{Merge, replace};
use super::login::{Login, lower_git, lower_token};
use super::text::{Template, Variable};
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::ids::{AbsPath, Commit, FileUrl, GitRef, GitUrl, ImageRef, RelPath, Sha256};
use crate::text::source::{Span, Spanned};

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
pub enum Origin {
    Git {
        url: GitUrl,
        reference: GitReference,
        submodules: bool,
        /// Whether files of Git LFS are fetched; without it there may be none.
        lfs: Option<bool>,
        login: Option<Login>,
    },
    Path {
        dir: RelPath,
        include: Vec<String>,
        ignore: Vec<String>,
    },
    Download {
        kind: Download,
        url: Template,
        sha256: Option<Sha256>,
        login: Option<Login>,
    },
    Image {
        reference: Template,
        dir: AbsPath,
    },
}

/// What is made of a file that is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Download {
    /// An archive to unpack, without so many leading directories.
    Archive { strip: u32 },
    /// A file that stays as it is.
    File,
    /// A source package of rpm to prepare.
    Srpm,
}

/// What of a git repository is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GitReference {
    /// The tip of a branch, to be resolved by the lock.
    Branch(GitRef),
    /// A tag, to be resolved by the lock.
    Tag(GitRef),
    /// A branch or a tag, to be found out by the lock.
    Ref(GitRef),
    /// Exactly this commit.
    Commit(Commit),
    /// Whatever the remote's HEAD names, to be resolved by the lock.
    Head,
}

impl GitReference {
    /// The full name of the ref at the remote, short where only the remote knows it; `None` for a commit.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        match self {
            Self::Branch(name) => Some(format!("refs/heads/{name}")),
            Self::Tag(name) => Some(format!("refs/tags/{name}")),
            Self::Ref(name) => Some(name.to_string()),
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

impl Merge for SourceBody {
    fn merge(&mut self, over: &Self) {
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
        ast::Origin::Git { url, reference, submodules, lfs, login } => {
            let login = lower_git(lower, url, login.as_ref());
            lower.refuse_secret_in_url(url);
            refuse_page(lower, url);
            let url = lower.parse("git URL", url, GitUrl::parse);
            let reference = match reference {
                None => Some(GitReference::Head),
                Some(ast::GitReference::Branch(name)) => {
                    refuse_full_name(lower, "branch", "refs/heads/", name);
                    lower.parse("branch", name, GitRef::parse).map(GitReference::Branch)
                }
                Some(ast::GitReference::Tag(name)) => {
                    refuse_full_name(lower, "tag", "refs/tags/", name);
                    lower.parse("tag", name, GitRef::parse).map(GitReference::Tag)
                }
                Some(ast::GitReference::Ref(name)) => {
                    lower.parse("branch or tag", name, GitRef::parse).map(GitReference::Ref)
                }
                Some(ast::GitReference::Commit(commit)) => {
                    lower.parse("commit", commit, Commit::parse).map(GitReference::Commit)
                }
            };
            let (submodules, lfs) = (*submodules, *lfs);
            Some(Origin::Git { url: url?, reference: reference?, submodules, lfs, login })
        }
        ast::Origin::Path { dir, include, ignore } => {
            let dir = lower.parse("path", dir, parse_dir)?;
            let mut globs = |globs: &[ast::Text]| {
                globs.iter().filter_map(|glob| lower.glob(glob)).collect::<Vec<String>>()
            };
            Some(Origin::Path { dir, include: globs(include), ignore: globs(ignore) })
        }
        ast::Origin::Archive { url, sha256, strip, login } => {
            let strip = strip.as_ref().map_or(0, |strip| strip.value);
            lower_download(lower, Download::Archive { strip }, url, sha256.as_ref(), login.as_ref())
        }
        ast::Origin::File { url, sha256, login } => {
            lower_download(lower, Download::File, url, sha256.as_ref(), login.as_ref())
        }
        ast::Origin::Srpm { url, sha256, login } => {
            lower_download(lower, Download::Srpm, url, sha256.as_ref(), login.as_ref())
        }
        ast::Origin::Image { reference, dir } => {
            let reference =
                lower.patterned("image reference", reference, Variable::in_source, ImageRef::parse);
            let root = AbsPath::parse("/").ok();
            let dir = dir.as_ref().map_or(root, |dir| lower.parse("directory", dir, AbsPath::parse));
            Some(Origin::Image { reference: reference?, dir: dir? })
        }
    }
}

fn lower_download(
    lower: &mut Lower<'_>,
    kind: Download,
    url: &ast::Text,
    sha256: Option<&ast::Text>,
    login: Option<&ast::Login>,
) -> Option<Origin> {
    let login = login.and_then(|login| lower_token(lower, login));
    lower.refuse_secret_in_url(url);
    let url = lower.patterned("URL", url, Variable::in_source, FileUrl::parse);
    let sha256 = sha256.map(|sum| lower.parse("SHA-256 checksum", sum, Sha256::parse));
    Some(Origin::Download {
        kind,
        url: url?,
        sha256: match sha256 {
            Some(sum) => Some(sum?),
            None => None,
        },
        login,
    })
}

/// The address of a page that shows a branch, a directory or a file, which no git can clone.
fn refuse_page(lower: &mut Lower<'_>, url: &ast::Text) {
    let parts = |mark: &str| url.value.split_once(mark);
    let Some((repository, rest)) = ["/-/tree/", "/-/blob/", "/tree/", "/blob/"].into_iter().find_map(parts)
    else {
        return;
    };
    if !(url.value.contains("/-/") || url.value.starts_with("https://github.com/")) {
        return;
    }
    let (branch, dir) = rest.split_once('/').unwrap_or((rest, ""));
    let dir =
        if dir.is_empty() { String::new() } else { format!(", and `dir=\"{dir}\"` where a module uses it") };
    lower.diagnostics.push(
        Diagnostic::new(Code::MalformedValue, format!("{} is a page, not a repository", shown(&url.value)))
            .label(url.span, "cannot be cloned")
            .help(format!("write `git \"{repository}\" branch=\"{branch}\"`{dir}")),
    );
}

/// `branch="refs/heads/main"`, and a commit in a branch's place.
fn refuse_full_name(lower: &mut Lower<'_>, kind: &str, prefix: &str, name: &ast::Text) {
    let message = format!("{} is not the name of a {kind}", shown(&name.value));
    let report = Diagnostic::new(Code::MalformedValue, message);
    if let Some(short) = name.value.strip_prefix(prefix) {
        let report = report.label(name.span, format!("`{prefix}` is understood"));
        lower.diagnostics.push(report.help(format!("write `{short}`")).suggest(name.span, quote(short)));
    } else if Commit::parse(&name.value).is_ok() {
        let help = format!("write `commit=\"{}\"` in its place", name.value);
        lower.diagnostics.push(report.label(name.span, "a commit").help(help));
    }
}

/// A directory, with or without a slash at its end.
fn parse_dir(text: &str) -> Result<RelPath, crate::text::ids::Invalid> {
    RelPath::parse(text.strip_suffix('/').unwrap_or(text).trim_start_matches("./"))
}
