//! From the text of a `drivers.kdl` to its syntax tree.
//!
//! [`crate::language::kdl`] reads nodes, the header says whether this drvc knows their language, [`crate::language::schema`] holds them to
//! it, and the typed readers make [`ast`] of them. One run reports every mistake of all of these steps.

pub mod ast;
mod defaults;
mod header;
mod include;
mod read;
mod set;
#[cfg(test)]
mod tests;

use crate::language::kdl::Node;
use crate::language::schema::{self, manifest::MANIFEST};
use crate::text::diag::Diagnostics;
use crate::text::ids::RelPath;
use crate::text::source::Sources;
use ast::Manifest;

pub use include::Load;
pub use set::{SOURCE as SET, settable};

/// Reads a manifest, and adds its text to `sources` under `path`. `load` brings the files that it includes.
///
/// Where something is wrong, what is sound is returned all the same, so that the phases after this one can report on
/// it in the same run: see [`Manifest::unread`]. Nothing may be made of it then but reports. `None` where the file's
/// structure cannot be trusted, or where no `project` with a name or no sound `os` is left.
pub fn parse(
    sources: &mut Sources,
    path: &RelPath,
    text: &str,
    load: &Load<'_>,
) -> (Option<Manifest>, Diagnostics) {
    parse_and_set(sources, path, text, &[], load)
}

/// The same, with values of the command line in place of the manifest's: each is `PATH=VALUE`.
pub fn parse_and_set(
    sources: &mut Sources,
    path: &RelPath,
    text: &str,
    settings: &[String],
    load: &Load<'_>,
) -> (Option<Manifest>, Diagnostics) {
    let file = sources.add(path.as_path(), text);
    let mut found = Diagnostics::default();
    let Some(nodes) = schema::nodes(file, sources, &mut found) else { return (None, found) };
    let mut of_header = Diagnostics::default();
    if !header::check(&nodes, sources, &mut of_header) {
        found.extend(of_header);
        return (None, found);
    }
    let read = vec![(path.clone(), None)];
    let mut files = include::Files { load, sources, found: &mut found, read, whole: true };
    let mut nodes = files.with_included(nodes, path, &[]);
    let include::Files { read, whole, .. } = files;
    if !whole {
        found.extend(of_header);
        return (None, found);
    }
    settings.iter().for_each(|setting| set::set(&mut nodes, setting, sources, &mut found));
    schema::validate(&nodes, &MANIFEST, file, sources, &mut found);
    found.extend(of_header);
    let is_sound = |node: &Node| {
        !found.iter().any(|report| report.labels.first().is_some_and(|label| node.span.contains(label.span)))
    };
    let mut manifest = read::manifest(&defaults::laid(&nodes, &is_sound), &is_sound);
    if let Some(manifest) = &mut manifest {
        manifest.included = read.into_iter().skip(1).map(|(path, _)| path).collect();
    }
    (manifest, found)
}
