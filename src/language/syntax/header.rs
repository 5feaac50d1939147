//! The node `drvc`: whether this drvc reads the language that the file is written in.

use crate::language::kdl::{Data, Node};
use crate::language::schema::manifest::EDITION;
use crate::text::diag::{Code, Diagnostic, Diagnostics, shown};
use crate::text::source::Sources;
use semver::{Version, VersionReq};

/// This drvc's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Reports a language that is newer than this drvc, or a header that is not the first node. False where the rest of
/// the file is in another language, so that nothing more can be said of it.
pub(super) fn check(nodes: &[Node], sources: &Sources, found: &mut Diagnostics) -> bool {
    let Some(header) = nodes.iter().find(|node| node.name.value == "drvc") else { return true };
    if let Some(first) = nodes.first().filter(|first| first.name.span != header.name.span) {
        let diagnostic = Diagnostic::new(Code::MisplacedHeader, "`drvc` is not the first node")
            .label(header.name.span, "says which language the file is written in")
            .label(first.name.span, "comes before it")
            .help("move it to the top of the file");
        found.push(diagnostic);
    }
    let edition = check_edition(header, found);
    let version = check_requirement(header, sources, found);
    edition && version
}

fn check_edition(header: &Node, found: &mut Diagnostics) -> bool {
    let Some(value) = header.property("edition") else { return true };
    match value.data {
        Data::Integer(edition) if edition > EDITION => {
            let message = format!("edition {edition} is newer than this drvc");
            let label = format!("drvc {VERSION} reads edition {EDITION}");
            let help = format!("install a drvc that reads edition {edition}");
            found.push(Diagnostic::new(Code::NewerEdition, message).label(value.span, label).help(help));
            false
        }
        _ => true,
    }
}

fn check_requirement(header: &Node, sources: &Sources, found: &mut Diagnostics) -> bool {
    let Some(value) = header.property("requires") else { return true };
    let Data::Text(text) = &value.data else { return true };
    let written = sources.slice(value.span);
    let Ok(requirement) = VersionReq::parse(text) else {
        let message = format!("{} names no versions", shown(text));
        let diagnostic = Diagnostic::new(Code::InvalidRequirement, message)
            .label(value.span, "versions of drvc are expected here")
            .help("write `\">=0.1\"`, or `\">=0.1, <2\"`");
        found.push(diagnostic);
        return true;
    };
    if Version::parse(VERSION).is_ok_and(|version| requirement.matches(&version)) {
        return true;
    }
    let diagnostic =
        Diagnostic::new(Code::NewerDrvcRequired, format!("the manifest is not for drvc {VERSION}"))
            .label(value.span, format!("{} is required here", shown(written)))
            .help(format!("install a drvc whose version is `{requirement}`"));
    found.push(diagnostic);
    false
}
