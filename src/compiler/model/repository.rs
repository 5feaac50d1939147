//! `repository`: package repositories that builders install from, with every value parsed.

use super::context::Lower;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{AbsPath, Invalid, Name, RelPath, RepositoryId, RepositoryUrl};
use crate::text::source::{Span, Spanned};
use std::borrow::Cow;

/// A package repository that builders need.
#[derive(Clone, Debug)]
pub enum PackageRepository {
    /// `enable=ID`: one that the base image knows, but does not use by itself.
    Enable(Spanned<RepositoryId>),
    /// `URL suite= component= key=`
    Add(AddedRepository),
}

/// A package repository that the base image does not know.
#[derive(Clone, Debug)]
pub struct AddedRepository {
    /// Where it is, with `{os}`, `{release}` and `{arch}` in it.
    pub url: Template,
    /// The suite of an apt repository.
    pub suite: Option<Template>,
    /// The components of an apt repository; `main` where there is none.
    pub components: Vec<Name>,
    /// What signs it; the keys that the base image trusts where there is none.
    pub key: Option<Spanned<RepositoryKey>>,
    /// The node's name.
    pub span: Span,
}

/// Where the OpenPGP key of a repository is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RepositoryKey {
    /// A file of the project, beside the manifest.
    File(RelPath),
    /// A file in the base image.
    Builder(AbsPath),
}

impl AddedRepository {
    /// Its URL for a system.
    ///
    /// # Errors
    /// What a URL may look like, where the values do not make one.
    pub fn url(&self, os: &str, release: &str, arch: &str) -> Result<RepositoryUrl, Invalid> {
        parse_url(&fill(&self.url, os, release, arch))
    }

    /// Its suite for a system, where it has one.
    ///
    /// # Errors
    /// What a suite may look like, where the values do not make one.
    pub fn suite(&self, os: &str, release: &str, arch: &str) -> Result<Option<RelPath>, Invalid> {
        self.suite.as_ref().map(|suite| parse_suite(&fill(suite, os, release, arch))).transpose()
    }
}

fn fill(template: &Template, os: &str, release: &str, arch: &str) -> String {
    template.evaluate(|variable| {
        Cow::Owned(match variable {
            Variable::Os => os.to_owned(),
            Variable::Release => release.to_owned(),
            Variable::Arch => arch.to_owned(),
            // Lowering lets no other variable through.
            _ => String::new(),
        })
    })
}

/// A slash at the end says nothing.
fn parse_url(text: &str) -> Result<RepositoryUrl, Invalid> {
    RepositoryUrl::parse(text.strip_suffix('/').unwrap_or(text))
}

fn parse_suite(text: &str) -> Result<RelPath, Invalid> {
    RelPath::parse(text)
}

pub(super) fn lower_repository(
    lower: &mut Lower<'_>,
    repository: &ast::PackageRepository,
) -> Option<PackageRepository> {
    if let Some(id) = &repository.enable {
        let parsed = lower.parse("repository id", id, RepositoryId::parse)?;
        return Some(PackageRepository::Enable(Spanned::new(parsed, id.span)));
    }
    let Some(url) = &repository.url else {
        lower.diagnostics.push(
            Diagnostic::new(Code::MissingArgument, "`repository` has no URL")
                .label(repository.span, "where is it?")
                .help("write `repository \"URL\"` with its address"),
        );
        return None;
    };
    lower.refuse_secret_in_url(url);
    let url = template(lower, url, "repository URL", |text| parse_url(text).map(drop));
    let suite = repository
        .suite
        .as_ref()
        .map(|suite| template(lower, suite, "suite", |text| parse_suite(text).map(drop)));
    let components = repository
        .component
        .iter()
        .flat_map(|text| text.value.split_whitespace().map(|word| Spanned::new(word.to_owned(), text.span)));
    let components = components.filter_map(|word| lower.parse("component", &word, Name::parse)).collect();
    let key = repository.key.as_ref().and_then(|key| {
        let parsed = match key.value.starts_with('/') {
            true => RepositoryKey::Builder(lower.parse("path", key, AbsPath::parse)?),
            false => RepositoryKey::File(lower.parse("path", key, RelPath::parse)?),
        };
        Some(Spanned::new(parsed, key.span))
    });
    let suite = match suite {
        Some(suite) => Some(suite?),
        None => None,
    };
    Some(PackageRepository::Add(AddedRepository { url: url?, suite, components, key, span: repository.span }))
}

/// A text with variables that is of a narrow grammar once they are filled in.
fn template(
    lower: &mut Lower<'_>,
    text: &ast::Text,
    kind: &str,
    check: impl Fn(&str) -> Result<(), Invalid>,
) -> Option<Template> {
    let template = lower.template_with(
        text,
        Variable::in_repository,
        "not known of a package repository",
        "use `{os}`, `{release}` or `{arch}`",
    )?;
    let sample = Spanned::new(template.evaluate(|_| "0".into()), text.span);
    lower.parse(kind, &sample, check)?;
    Some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_may_end_in_a_slash_be_plain_http_and_name_a_host_alone() {
        for (text, fine) in [
            ("https://example.com/a/b", true),
            ("https://example.com/a/", true),
            ("http://example.com:8080/a", true),
            ("http://example.com:8080", true),
            ("http://example.com/", true),
            ("http://example.com:port", false),
            ("http://", false),
            ("https://user:word@example.com/a", false),
            ("https://example.com/a?b", false),
            ("file:///srv/repo", false),
            ("https://example.com/../a", false),
        ] {
            assert_eq!(parse_url(text).is_ok(), fine, "{text}");
        }
    }
}
