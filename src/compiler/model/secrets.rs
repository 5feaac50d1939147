//! Secrets that were written into the manifest: found by how they look, refused before they can reach a layer.
//!
//! The manifest names secrets by id only. A value that stands in it would end in the image's history.

use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::Span;

/// Parts of names that are given to secrets.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "activationkey",
    "activation_key",
    "private_key",
    "credential",
];

/// Beginnings of values that only secrets have: AWS access keys, tokens of GitHub and GitLab, PEM keys.
const VALUES: &[&str] = &["AKIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-"];

/// Reports every value in the manifest that looks like a secret.
pub(super) fn refuse(manifest: &ast::Manifest, diagnostics: &mut Diagnostics) {
    let modules = manifest
        .modules
        .iter()
        .flat_map(|module| std::iter::once(&module.body).chain(module.on.iter().map(|on| &on.body)));
    for body in modules {
        body.env.iter().for_each(|pair| check_pair(pair, "an environment variable", diagnostics));
        for step in &body.build {
            match &step.value {
                ast::Build::Make { targets, variables } => {
                    targets.iter().for_each(|text| check_text(text, diagnostics));
                    variables.iter().for_each(|pair| check_pair(pair, "a variable of make", diagnostics));
                }
                ast::Build::Run { words } => words.iter().for_each(|text| check_text(text, diagnostics)),
                ast::Build::Script { text } => check_text(text, diagnostics),
                ast::Build::None => {}
            }
        }
    }
    let images = manifest
        .images
        .iter()
        .flat_map(|image| std::iter::once(&image.body).chain(image.on.iter().map(|on| &on.body)));
    for body in images {
        body.labels.iter().for_each(|pair| check_pair(pair, "a label", diagnostics));
        let parameters = body.options.iter().flat_map(|option| &option.parameters);
        parameters.for_each(|pair| check_text(&pair.value, diagnostics));
    }
    if let Some(output) = &manifest.output {
        let pipelines =
            output.github.iter().chain(&output.gitlab).filter_map(|pipeline| match &pipeline.install {
                Some(ast::Install::Command(text)) => Some(text),
                _ => None,
            });
        let caches = output.bake.iter().flat_map(|bake| bake.cache_from.iter().chain(&bake.cache_to));
        pipelines.chain(caches).for_each(|text| check_text(text, diagnostics));
    }
}

/// A password or token in a URL.
pub(super) fn in_url(url: &ast::Text) -> Option<Diagnostic> {
    let (_, rest) = url.value.split_once("://")?;
    if let Some((bare, query)) = url.value.split_once('?')
        && query.split('&').any(|pair| pair.split_once('=').is_some_and(|(key, _)| is_secret(key)))
    {
        return Some(report("a URL", url.span).help(in_place(bare)));
    }
    let authority = rest.split('/').next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let secret = user.contains(':') || url.value.starts_with("https:");
    let bare = url.value.replacen(&format!("{user}@"), "", 1);
    secret.then(|| report("a URL", url.span).help(in_place(&bare)))
}

fn in_place(bare: &str) -> String {
    format!(
        "write `{bare}`; a source takes the login from `{{ secret \"ID\"; }}` behind its address and `--secret id=ID,src=FILE`. Make \
         a new one: this one is in the repository's history"
    )
}

/// Whether a key is one that secrets are given to.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    NAMES.iter().any(|part| key.contains(part))
}

fn check_pair(pair: &ast::Pair, place: &str, diagnostics: &mut Diagnostics) {
    if !pair.value.value.is_empty() && is_secret(&pair.key.value) {
        diagnostics.push(report(place, pair.value.span));
    } else {
        check_text(&pair.value, diagnostics);
    }
}

fn check_text(text: &ast::Text, diagnostics: &mut Diagnostics) {
    let is_pem = text.value.contains("-----BEGIN ") && text.value.contains("PRIVATE KEY-----");
    let words = || text.value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    let is_token = |word: &str| word.len() >= 20 && VALUES.iter().any(|start| word.starts_with(start));
    if is_pem || words().any(is_token) {
        diagnostics.push(report("the manifest", text.span));
    }
}

fn report(place: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretInManifest, format!("{place} holds what looks like a secret"))
        .label(span, "would stay in the image's history, readable by everyone who can pull it")
        .help("take it out of the manifest, and out of the repository's history: a secret is handed over at build time")
}
