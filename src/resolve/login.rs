//! What is asked for -> the login that a source of the manifest has for it.

use crate::compiler::model::text::Part;
use crate::compiler::model::{Login, Model, Origin, Template};
use crate::knowledge::lock::Want;

/// The login of the first source that is this repository, or whose address begins as this file's does. A secret goes to
/// no server that is not written beside it.
pub(super) fn of<'m>(model: &'m Model, want: &Want) -> Option<&'m Login> {
    let bodies = model.sources.iter().flat_map(|source| {
        std::iter::once(&source.base).chain(source.overlays.iter().map(|overlay| &overlay.body))
    });
    let mut origins = bodies.filter_map(|body| Some(&body.origin.as_ref()?.value));
    match want {
        Want::Git(wanted, _) => origins.find_map(|origin| match origin {
            Origin::Git { url, login, .. } if url == wanted => login.as_ref(),
            _ => None,
        }),
        Want::Archive(wanted) => origins.find_map(|origin| match origin {
            Origin::Download { url, login, .. } if begins(wanted.as_str(), url) => login.as_ref(),
            _ => None,
        }),
        _ => None,
    }
}

/// Whether an address begins with all that stands before the first variable of a template, which names a server.
fn begins(address: &str, template: &Template) -> bool {
    let Some(Part::Literal(start)) = template.parts.first() else { return false };
    let names_server = start.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    names_server && address.starts_with(&**start)
}
