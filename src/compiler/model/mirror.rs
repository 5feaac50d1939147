//! `mirror`: beginnings of addresses and what takes their place, with every value parsed.

use super::context::Lower;
use crate::language::syntax::ast::{self, MirrorKind};
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{FileUrl, Invalid, RelPath, Repository, RepositoryUrl};
use crate::text::mirrors::{ImageMirror, Mirrors};
use crate::text::source::{Span, Spanned};

/// What every `mirror` of a manifest says.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    /// In the order written; none twice.
    pub rules: Vec<MirrorRule>,
    /// Files of podman's with mirrors of images.
    pub registries: Vec<Spanned<RelPath>>,
    /// Certificates of authorities that steps with a network trust.
    pub authority: Option<Spanned<RelPath>>,
}

/// One beginning, and what takes its place.
#[derive(Clone, Debug)]
pub struct MirrorRule {
    pub kind: MirrorKind,
    pub from: Spanned<String>,
    pub to: String,
}

impl Mirror {
    /// The mirrors that are written out.
    #[must_use]
    pub fn written(&self) -> Mirrors {
        let mut mirrors = Mirrors::default();
        for MirrorRule { kind, from, to } in &self.rules {
            let pair = (from.value.clone(), to.clone());
            match kind {
                MirrorKind::Packages => mirrors.packages.0.push(pair),
                MirrorKind::Git => mirrors.git.0.push(pair),
                MirrorKind::Files => mirrors.files.0.push(pair),
                MirrorKind::Images => mirrors.images.push(ImageMirror {
                    prefix: pair.0,
                    location: pair.1,
                    digests: true,
                    tags: true,
                }),
            }
        }
        mirrors
    }
}

/// Lowers every `mirror`.
pub(super) fn lower_mirrors(lower: &mut Lower<'_>, written: &[ast::Mirror]) -> Mirror {
    let mut mirror = Mirror::default();
    for child in written {
        match child {
            ast::Mirror::Rule { kind, from, to } => {
                let Some(rule) = lower_rule(lower, *kind, from, to) else { continue };
                let before =
                    |known: &&MirrorRule| known.kind == rule.kind && known.from.value == rule.from.value;
                match mirror.rules.iter().find(before) {
                    Some(first) => shadowed(lower, &rule.from, first.from.span),
                    None => mirror.rules.push(rule),
                }
            }
            ast::Mirror::Registries(file) => {
                let path = lower.parse("path", file, RelPath::parse);
                mirror.registries.extend(path.map(|path| Spanned::new(path, file.span)));
            }
            ast::Mirror::Authority(file) => match &mirror.authority {
                Some(first) => lower.diagnostics.push(
                    Diagnostic::new(Code::ConflictingNodes, "there are two `ca`")
                        .label(file.span, "again here")
                        .label(first.span, "first here")
                        .help("put the certificates into one file, one after the other"),
                ),
                None => {
                    let path = lower.parse("path", file, RelPath::parse);
                    mirror.authority = path.map(|path| Spanned::new(path, file.span));
                }
            },
        }
    }
    mirror
}

fn shadowed(lower: &mut Lower<'_>, from: &Spanned<String>, first: Span) {
    lower.diagnostics.push(
        Diagnostic::new(Code::ShadowedMirror, format!("`{}` has two mirrors", from.value))
            .label(from.span, "this mirror would never be used")
            .label(first, "the one that is used")
            .help("take one of them out: a build tries one mirror and no other"),
    );
}

fn lower_rule(
    lower: &mut Lower<'_>,
    kind: MirrorKind,
    from: &ast::Text,
    to: &ast::Text,
) -> Option<MirrorRule> {
    let rule = |from: String, to: String, span| Some(MirrorRule { kind, from: Spanned::new(from, span), to });
    if kind == MirrorKind::Images {
        let (from_name, to_name) =
            (lower.parse("registry", from, registry), lower.parse("registry", to, registry));
        return rule(from_name?, to_name?, from.span);
    }
    lower.refuse_secret_in_url(from);
    lower.refuse_secret_in_url(to);
    let url = |lower: &mut Lower<'_>, text: &ast::Text| match kind {
        MirrorKind::Packages => {
            lower.parse("repository URL", text, |text| beginning(text, RepositoryUrl::parse))
        }
        _ => lower.parse("URL", text, |text| beginning(text, FileUrl::parse)),
    };
    let (from_url, to_url) = (url(lower, from), url(lower, to));
    rule(from_url?, to_url?, from.span)
}

/// A registry, with the beginning of a path or without.
fn registry(text: &str) -> Result<String, Invalid> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let host = text.split('/').next().unwrap_or_default();
    let has_host = host.contains(['.', ':']) || host == "localhost";
    match has_host && Repository::parse(&format!("{text}/x")).is_ok() {
        true => Ok(text.to_owned()),
        false => {
            Err(Invalid("a registry without scheme, such as `docker.io` or `registry.example.com:5000/hub`"))
        }
    }
}

/// The beginning of an address. A host alone is enough, and a slash at the end says nothing.
fn beginning<T>(text: &str, parse: fn(&str) -> Result<T, Invalid>) -> Result<String, Invalid> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let whole = if text.matches('/').count() == 2 { format!("{text}/x") } else { text.to_owned() };
    parse(&whole).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_named_without_scheme_and_tag() {
        for (text, fine) in [
            ("docker.io", true),
            ("registry.example.com:5000/hub/", true),
            ("127.0.0.1:5000", true),
            ("localhost/x", true),
            ("library", false),
            ("https://registry.example.com", false),
            ("quay.io/Acme", false),
            ("quay.io/acme:1", false),
        ] {
            assert_eq!(registry(text).is_ok(), fine, "{text}");
        }
    }
}
