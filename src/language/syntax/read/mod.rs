//! Turns nodes of the shape that the table asks for into the syntax tree, each noun in a file of its own.

mod image;
mod kmm;
mod matrix;
mod module;
mod output;
mod source;

use super::ast::{
    Entitlement, Manifest, Mirror, MirrorKind, On, Pair, Project, Selector, Signing, Text, Toolkit, UserFile,
};
use crate::language::kdl::Node;
use std::collections::BTreeSet;

/// Properties of a selector's node that select nothing.
const REASON: &str = "reason";

/// The manifest that the nodes of a file are. Those that `is_sound` refuses are left out, and what they declare
/// is noted.
///
/// `None` without a `project` that has a name, or a `matrix` with a sound `os`.
pub(super) fn manifest(nodes: &[Node], is_sound: &dyn Fn(&Node) -> bool) -> Option<Manifest> {
    let unsound = nodes.iter().filter(|node| !is_sound(node));
    let unread: BTreeSet<String> = unsound.filter_map(called).map(|name| name.value).collect();
    let all = |name: &'static str| nodes.iter().filter(move |node| node.name.value == name && is_sound(node));
    let matrix = matrix::matrix(nodes.iter().find(|node| node.name.value == "matrix")?, is_sound)?;
    Some(Manifest {
        project: nodes
            .iter()
            .find(|node| node.name.value == "project")
            .and_then(|it| project(it, is_sound))?,
        sources: all("source").filter_map(source::source).collect(),
        modules: all("module").filter_map(module::module).collect(),
        images: all("image").filter_map(image::image).collect(),
        toolkit: all("toolkit").find_map(toolkit),
        signing: all("signing").map(signing).next(),
        entitlement: all("entitlement").find_map(entitlement),
        mirrors: all("mirror").flat_map(Node::children).filter_map(mirror).collect(),
        matrix,
        profiles: all("profile").filter_map(user_file).collect(),
        templates: all("template").filter_map(user_file).collect(),
        output: all("output").map(output::output).next(),
        included: Vec::new(),
        unread,
    })
}

/// The name of a node, also where it was given by a key or a node of its own.
fn called(node: &Node) -> Option<crate::text::source::Spanned<String>> {
    node.text().or_else(|| node.text_property("name")).or_else(|| node.child("name").and_then(Node::text))
}

/// Everything hangs on the project, so that of an unsound one the sound nodes are taken.
fn project(node: &Node, is_sound: &dyn Fn(&Node) -> bool) -> Option<Project> {
    let field = |name| node.child(name).filter(|child| is_sound(child)).and_then(Node::text);
    Some(Project {
        name: node.text()?,
        registry: field("registry"),
        version: field("version"),
        license: field("license"),
        description: field("description"),
        vendor: field("vendor"),
        maintainer: field("maintainer"),
        license_file: node.child("license-file").filter(|child| is_sound(child)).and_then(image::extra),
        url: field("url"),
    })
}

fn toolkit(node: &Node) -> Option<Toolkit> {
    Some(Toolkit {
        span: node.name.span,
        name: node.text()?,
        repository: child_text(node, "repository"),
        is_private: node.child("repository").and_then(|it| it.property("private")?.bool()).unwrap_or(false),
        tag: child_text(node, "tag"),
        flavors: child_texts(node, "flavor"),
        packages: child_texts(node, "packages"),
    })
}

/// `entitlement`, at the top or in the matrix.
fn entitlement(node: &Node) -> Option<Entitlement> {
    let secret = |name| node.text_property(name);
    Some(Entitlement {
        how: node.text()?,
        org: secret("org-secret"),
        key: secret("key-secret"),
        certificate: secret("certificate-secret"),
        stream: secret("stream"),
    })
}

/// A child of `mirror`.
fn mirror(node: &Node) -> Option<Mirror> {
    let mut texts = node.texts();
    let (first, second) = (texts.next()?, texts.next());
    let kind = match node.name.value.as_str() {
        "images" => MirrorKind::Images,
        "packages" => MirrorKind::Packages,
        "git" => MirrorKind::Git,
        "files" => MirrorKind::Files,
        "registries" => return Some(Mirror::Registries(first)),
        "ca" => return Some(Mirror::Authority(first)),
        _ => return None,
    };
    Some(Mirror::Rule { kind, from: first, to: second? })
}

fn signing(node: &Node) -> Signing {
    let key = node.child("key");
    Signing {
        span: node.name.span,
        key_secret: key.and_then(|key| key.text_property("secret")),
        key_uri: key.and_then(Node::text),
        pin: key.and_then(|key| key.text_property("pin")),
        certificate: child_text(node, "certificate"),
        hash: child_text(node, "hash"),
        packages: child_texts(node, "packages"),
    }
}

fn user_file(node: &Node) -> Option<UserFile> {
    let mut texts = node.texts();
    Some(UserFile { name: texts.next()?, file: texts.next()? })
}

/// The argument of the only child of this name.
fn child_text(node: &Node, name: &str) -> Option<Text> {
    node.child(name).and_then(Node::text)
}

/// The arguments of all children of this name.
fn child_texts(node: &Node, name: &str) -> Vec<Text> {
    node.all(name).flat_map(Node::texts).collect()
}

/// The properties of all children of this name.
fn child_pairs(node: &Node, name: &str) -> Vec<Pair> {
    node.all(name).flat_map(pairs).collect()
}

fn pairs(node: &Node) -> Vec<Pair> {
    let pair = |property: &crate::language::kdl::Property| {
        Some(Pair { key: property.key.clone(), value: property.value.text()? })
    };
    node.properties.iter().filter_map(pair).collect()
}

fn selector(node: &Node) -> Selector {
    let terms = pairs(node).into_iter().filter(|pair| pair.key.value != REASON).collect();
    Selector { span: node.name.span, terms }
}

/// The `on` blocks of a node, their bodies read by `body`.
fn on<Body>(node: &Node, body: fn(&Node) -> Body) -> Vec<On<Body>> {
    node.all("on").map(|on| On { selector: selector(on), body: body(on) }).collect()
}
