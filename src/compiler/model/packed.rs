//! An archive that is downloaded as a file, and that no step of a module unpacks.

use crate::language::kdl::quote;
use crate::language::syntax::ast::{Build, Manifest, Module, Origin};
use crate::text::diag::{Code, Diagnostic, Diagnostics, pasted};

const ARCHIVES: [&str; 8] = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst", ".zip"];

/// Reports modules that make would look for in the directory of an archive.
pub(super) fn check(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    for module in manifest.modules.iter().filter(|module| !has_step(module)) {
        let Some(used) = &module.body.source else { continue };
        let source = manifest.sources.iter().find(|source| source.name.value == used.name.value);
        let origin = source.and_then(|source| source.body.origin.as_ref()).map(|origin| &origin.value);
        let Some(Origin::File { url, .. }) = origin else { continue };
        let Some(ending) = ARCHIVES.iter().rev().find(|ending| url.value.ends_with(**ending)) else {
            continue;
        };
        let node = match *ending {
            ".zip" => format!("a `script` that unpacks it before make, with `packages {}`", quote("unzip")),
            _ => format!("{} in place of `file`", pasted(&format!("archive {}", quote(&url.value)))),
        };
        let message = format!("`{}` is built from a packed archive", module.name.value);
        diagnostics.push(
            Diagnostic::new(Code::PackedFile, message)
                .label(url.span, "`file` leaves it as it is")
                .label(used.name.span, "make would find no Makefile here")
                .help(format!("write {node}")),
        );
    }
}

/// Whether a step of the module may unpack it.
fn has_step(module: &Module) -> bool {
    let bodies = std::iter::once(&module.body).chain(module.on.iter().map(|on| &on.body));
    bodies.flat_map(|body| &body.build).any(|build| !matches!(build.value, Build::Make { .. }))
}
