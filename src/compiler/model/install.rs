//! `install`: how drvc comes to a runner.

use super::context::Lower;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Commit, FileUrl, GitUrl, ImageRef, Sha256};

/// How drvc comes to a runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Install {
    /// By a command in each job.
    Command(String),
    /// Out of an image, by its digest.
    Image(ImageRef),
    /// As a file.
    Url { url: FileUrl, sha256: Sha256 },
    /// Compiled.
    CargoGit { url: GitUrl, rev: Commit },
}

pub(super) fn lower_install(lower: &mut Lower<'_>, install: &ast::Install) -> Option<Install> {
    Some(match install {
        ast::Install::Command(command) => Install::Command(command.value.clone()),
        ast::Install::Image(image) => {
            let parsed = lower.parse("image reference", image, ImageRef::parse)?;
            if parsed.digest().is_none() {
                lower.diagnostics.push(
                    Diagnostic::new(Code::MalformedValue, format!("`{parsed}` names no digest"))
                        .label(image.span, "may be another program in every run")
                        .help(
                            "add the digest of the image that you have looked at: `HOST/NAME:TAG@sha256:DIGEST`",
                        ),
                );
            }
            Install::Image(parsed)
        }
        ast::Install::Url { url, sha256 } => {
            lower.refuse_secret_in_url(url);
            let url = lower.parse("URL", url, FileUrl::parse);
            Install::Url { sha256: lower.parse("SHA-256 checksum", sha256, Sha256::parse)?, url: url? }
        }
        ast::Install::CargoGit { url, rev } => {
            lower.refuse_secret_in_url(url);
            let url = lower.parse("git URL", url, GitUrl::parse);
            Install::CargoGit { rev: lower.parse("commit", rev, Commit::parse)?, url: url? }
        }
    })
}
