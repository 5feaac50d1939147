//! From the text of a `drivers.kdl` to its syntax tree.
//!
//! [`crate::language::kdl`] reads nodes, the header says whether this drvc knows their language, [`crate::language::schema`] holds them to
//! it, and the typed readers make [`ast`] of them. One run reports every mistake of all of these steps.

pub mod ast;
mod defaults;
mod header;
mod include;
mod other;
mod read;
mod set;
#[cfg(test)]
mod tests;

use crate::language::kdl::Node;
use crate::language::schema::{self, manifest::MANIFEST};
use crate::text::diag::Diagnostics;
use crate::text::ids::RelPath;
use crate::text::session::Session;
use ast::Manifest;

pub use include::Load;
pub use set::{SOURCE as SET, settable};

/// Reads a manifest, and adds its text to `sources` under `path`. `load` brings the files that it includes.
///
/// Where something is wrong, what is sound is returned all the same, so that the phases after this one can report on
/// it in the same run: see [`Manifest::unread`]. Nothing may be made of it then but reports. `None` where the file's
/// structure cannot be trusted, or where no `project` with a name or no sound `os` is left.
pub fn parse(session: &mut Session, path: &RelPath, text: &str, load: &Load<'_>) -> Option<Manifest> {
    parse_and_set(session, path, text, &[], load)
}

/// The same, with values of the command line in place of the manifest's: each is `PATH=VALUE`.
pub fn parse_and_set(
    session: &mut Session,
    path: &RelPath,
    text: &str,
    settings: &[String],
    load: &Load<'_>,
) -> Option<Manifest> {
    let file = session.sources.add(path.as_path(), text);
    if let Some(report) = other::check(file, &session.sources) {
        session.found.push(report);
        return None;
    }
    let nodes = schema::nodes(file, &session.sources, &mut session.found)?;
    let mut of_header = Diagnostics::default();
    if !header::check(&nodes, &session.sources, &mut of_header) {
        session.found.extend(of_header);
        return None;
    }
    let read = vec![(path.clone(), None)];
    let mut files = include::Files { load, session, read, whole: true };
    let mut nodes = files.with_included(nodes, path, &[]);
    let include::Files { read, whole, .. } = files;
    if !whole {
        session.found.extend(of_header);
        return None;
    }
    settings.iter().for_each(|setting| set::set(&mut nodes, setting, session));
    schema::validate(&nodes, &MANIFEST, file, &session.sources, &mut session.found);
    session.found.extend(of_header);
    let is_sound = |node: &Node| {
        !session
            .found
            .iter()
            .any(|report| report.labels.first().is_some_and(|label| node.span.contains(label.span)))
    };
    let mut manifest = read::manifest(&defaults::laid(&nodes, &is_sound), &is_sound);
    if let Some(manifest) = &mut manifest {
        manifest.included = read.into_iter().skip(1).map(|(path, _)| path).collect();
    }
    manifest
}
