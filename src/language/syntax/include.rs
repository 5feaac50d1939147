//! `include`: the nodes of another file follow the node that names it, their paths made relative to the manifest.
//!
//! The schema says which values are paths ([`Kind::Path`]), so whatever names a file can stand in an included one.

use super::header;
use crate::language::kdl::{Data, Node, Value};
use crate::language::schema::{self, Kind, manifest::MANIFEST};
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::ids::RelPath;
use crate::text::session::Session;
use crate::text::source::{FileId, Span};

/// Files that one manifest may be made of.
const MAX_FILES: usize = 100;

/// Brings the text of an included file; what keeps it from coming is reported at the place that names it.
pub type Load<'a> = dyn Fn(&RelPath, Span, &mut Session) -> Option<FileId> + 'a;

/// The files that a manifest is being made of.
pub(super) struct Files<'a> {
    pub load: &'a Load<'a>,
    pub session: &'a mut Session,
    /// Each with the place that named it; the manifest without one.
    pub read: Vec<(RelPath, Option<Span>)>,
    /// Whether each could be understood as far as its nodes go.
    pub whole: bool,
}

impl Files<'_> {
    /// The nodes of a file, with those of the files that it includes.
    pub fn with_included(&mut self, nodes: Vec<Node>, path: &RelPath, open: &[RelPath]) -> Vec<Node> {
        let open = [open, std::slice::from_ref(path)].concat();
        let mut all = Vec::with_capacity(nodes.len());
        for mut node in nodes {
            if let Some(directory) = path.parent().filter(|directory| *directory != RelPath::root()) {
                rebase(&mut node, &directory);
            }
            let named = node.text().filter(|_| node.name.value == "include");
            all.push(node);
            if let Some(named) = named {
                all.extend(self.included(&named.value, named.span, &open));
            }
        }
        all
    }

    fn included(&mut self, text: &str, span: Span, open: &[RelPath]) -> Vec<Node> {
        let path = match RelPath::parse(text.trim_start_matches("./")) {
            Ok(path) => path,
            Err(rule) => {
                let message = format!("{} is not a path beneath the manifest's directory", shown(text));
                let report = Diagnostic::new(Code::MalformedValue, message);
                let help = match text {
                    _ if text.contains(['*', '?']) => "write one `include` for each file".to_owned(),
                    _ if text.starts_with(['/', '~']) || text.contains("..") => {
                        "copy the file beneath the manifest, or put `drivers.kdl` in a directory above both"
                            .to_owned()
                    }
                    _ => format!("write {rule}"),
                };
                self.session.found.push(report.label(span, "cannot be included").help(help));
                return Vec::new();
            }
        };
        if let Some((_, first)) = self.read.iter().find(|(read, _)| *read == path) {
            let report = match open.contains(&path) {
                true => Diagnostic::new(Code::RepeatedInclude, format!("`{path}` includes itself"))
                    .label(span, "leads back to it")
                    .help("take this `include` out"),
                false => Diagnostic::new(Code::RepeatedInclude, format!("`{path}` is included twice"))
                    .label(span, "for the second time")
                    .help("include it in one place"),
            };
            let report = first.iter().fold(report, |report, first| report.label(*first, "included here"));
            self.session.found.push(report);
            return Vec::new();
        }
        if self.read.len() > MAX_FILES {
            let report = Diagnostic::new(Code::ExceededLimit, "the manifest is made of too many files");
            self.session.found.push(report.label(span, format!("at most {MAX_FILES} can be included")));
            self.whole = false;
            return Vec::new();
        }
        self.read.push((path.clone(), Some(span)));
        let file = (self.load)(&path, span, self.session);
        let Session { sources, found } = &mut *self.session;
        let nodes = file.and_then(|file| schema::nodes(file, sources, found));
        let Some(mut nodes) = nodes.filter(|nodes| header::check(nodes, sources, found)) else {
            self.whole = false;
            return Vec::new();
        };
        nodes.retain(|node| node.name.value != "drvc");
        self.with_included(nodes, &path, open)
    }
}

/// Makes the paths in a node, which are relative to a directory, relative to the manifest.
fn rebase(node: &mut Node, directory: &RelPath) {
    if let Some(spec) = MANIFEST.node(&node.name.value) {
        rebase_by(node, spec, directory);
    }
}

fn rebase_by(node: &mut Node, spec: &schema::Node, directory: &RelPath) {
    let arguments = spec.arguments.iter().chain(spec.arguments.last().into_iter().cycle());
    for (value, argument) in node.arguments.iter_mut().zip(arguments) {
        rebase_value(value, argument.kind, directory);
    }
    for property in &mut node.properties {
        if let Some(known) = spec.property(&property.key.value) {
            rebase_value(&mut property.value, known.kind, directory);
        }
    }
    for child in node.block.iter_mut().flat_map(|block| &mut block.nodes) {
        if let Some(spec) = spec.body.node(&child.name.value) {
            rebase_by(child, spec, directory);
        }
    }
}

fn rebase_value(value: &mut Value, kind: Kind, directory: &RelPath) {
    if let (Kind::Path, Data::Text(text)) = (kind, &mut value.data)
        && !text.starts_with('/')
    {
        *text = match text.trim_start_matches("./") {
            "" | "." => directory.to_string(),
            inner => format!("{directory}/{inner}"),
        };
    }
}
