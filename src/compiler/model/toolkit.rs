//! `toolkit`: where shared toolkit images are kept, and what they hold beside the kernel's packages.

use super::context::Lower;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Flavor, Name, Repository};
use crate::text::source::{Span, Spanned};

/// Shared toolkit images.
#[derive(Clone, Debug)]
pub struct Toolkit {
    pub name: Name,
    /// Where they are kept.
    pub repository: Repository,
    /// Where the repository is said, or the toolkit named.
    pub repository_span: Span,
    /// Whether others can pull from there, as far as its name tells: its registry is a public one.
    pub is_public: bool,
    /// A tag of the user's own.
    pub tag: Option<Spanned<Template>>,
    /// What one image holds beside the kernel without a flavour.
    pub flavors: Vec<Flavor>,
    /// Packages of the user's own.
    pub packages: Vec<Template>,
    /// Where it is named.
    pub span: Span,
}

/// Registries that anybody can pull from, unless a repository there is made private.
const PUBLIC: &[&str] = &[
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "quay.io",
    "ghcr.io",
    "public.ecr.aws",
    "registry.gitlab.com",
];

pub(super) fn lower_toolkit(lower: &mut Lower<'_>, toolkit: &ast::Toolkit) -> Option<Toolkit> {
    let name = lower.parse("toolkit name", &toolkit.name, Name::parse);
    let packages = toolkit.packages.iter().filter_map(|package| lower.package(package, Variable::in_toolkit));
    let packages = packages.collect();
    let flavors = toolkit.flavors.iter().filter_map(|flavor| lower.parse("flavour", flavor, Flavor::parse));
    let flavors = flavors.collect();
    let tag = toolkit
        .tag
        .as_ref()
        .and_then(|tag| Some(Spanned::new(lower.template(tag, Variable::in_toolkit)?, tag.span)));
    let span = toolkit.repository.as_ref().map_or(toolkit.name.span, |repository| repository.span);
    let repository = match &toolkit.repository {
        Some(text) => lower.parse("repository", text, Repository::parse),
        None => default_repository(lower, name.as_ref()?, span),
    };
    let repository = repository?;
    let host = repository.as_str().split('/').next().unwrap_or_default();
    Some(Toolkit {
        name: name?,
        is_public: PUBLIC.contains(&host) && !toolkit.is_private,
        repository,
        repository_span: span,
        tag,
        flavors,
        packages,
        span: toolkit.name.span,
    })
}

/// The project's registry and the toolkit's name, as for images.
fn default_repository(lower: &mut Lower<'_>, name: &Name, span: Span) -> Option<Repository> {
    let text = match lower.registry() {
        Some(registry) => format!("{registry}/{name}"),
        None => name.to_string(),
    };
    let parsed = Repository::parse(&text);
    parsed
        .map_err(|rule| {
            lower.diagnostics.push(
                Diagnostic::new(Code::MalformedReference, format!("`{text}` is not a repository"))
                    .label(span, "gives this")
                    .help(format!("write `repository` in it: {rule}")),
            );
        })
        .ok()
}
