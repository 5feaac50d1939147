//! From the text of a `drivers.kdl` to its syntax tree.
//!
//! [`crate::language::kdl`] reads nodes, the header says whether this drvc knows their language, [`crate::language::schema`] holds them to
//! it, and the typed readers make [`ast`] of them. One run reports every mistake of all of these steps.

pub mod ast;
mod defaults;
mod header;
mod read;
#[cfg(test)]
mod tests;

use crate::language::kdl::Node;
use crate::language::schema::{self, manifest::MANIFEST};
use crate::text::diag::Diagnostics;
use crate::text::source::Sources;
use ast::Manifest;
use camino::Utf8PathBuf;

/// Reads a manifest, and adds its text to `sources` under `path`.
///
/// Where something is wrong, what is sound is returned all the same, so that the phases after this one can report on
/// it in the same run: see [`Manifest::unread`]. Nothing may be made of it then but reports. `None` where the file's
/// structure cannot be trusted, or where no `project` with a name or no sound `os` is left.
pub fn parse(
    sources: &mut Sources,
    path: impl Into<Utf8PathBuf>,
    text: &str,
) -> (Option<Manifest>, Diagnostics) {
    let file = sources.add(path, text);
    let mut found = Diagnostics::default();
    let Some(nodes) = schema::nodes(file, sources, &mut found) else { return (None, found) };
    let mut of_header = Diagnostics::default();
    if !header::check(&nodes, sources, &mut of_header) {
        found.extend(of_header);
        return (None, found);
    }
    schema::validate(&nodes, &MANIFEST, file, sources, &mut found);
    found.extend(of_header);
    let is_sound = |node: &Node| {
        !found.iter().any(|report| report.labels.first().is_some_and(|label| node.span.contains(label.span)))
    };
    (read::manifest(&defaults::laid(&nodes, &is_sound), &is_sound), found)
}
