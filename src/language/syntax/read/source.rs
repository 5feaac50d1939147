//! `source`

use super::{child_texts, on};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{GitReference, Login, Origin, Patch, Source, SourceBody};
use crate::text::source::Spanned;

pub(super) fn source(node: &Node) -> Option<Source> {
    Some(Source { name: node.text()?, body: body(node), on: on(node, body) })
}

fn body(node: &Node) -> SourceBody {
    SourceBody {
        origin: node.children().iter().find_map(origin),
        patches: node.all("patch").filter_map(patch).collect(),
    }
}

fn origin(node: &Node) -> Option<Spanned<Origin>> {
    let sha256 = || node.text_property("sha256");
    let origin = match node.name.value.as_str() {
        "git" => Origin::Git {
            url: node.text()?,
            reference: reference(node),
            submodules: wanted(node, "submodules").unwrap_or(false),
            lfs: wanted(node, "lfs"),
            login: login(node),
        },
        "path" => Origin::Path {
            dir: node.text()?,
            include: child_texts(node, "include"),
            ignore: child_texts(node, "ignore"),
        },
        "archive" => Origin::Archive {
            url: node.text()?,
            sha256: sha256(),
            strip: node.property("strip").and_then(Value::integer),
            login: login(node),
        },
        "file" => Origin::File { url: node.text()?, sha256: sha256(), login: login(node) },
        "srpm" => Origin::Srpm { url: node.text()?, sha256: sha256(), login: login(node) },
        "image" => Origin::Image { reference: node.text()?, dir: node.text_property("dir") },
        _ => return None,
    };
    Some(Spanned::new(origin, node.name.span))
}

fn reference(node: &Node) -> Option<GitReference> {
    let property = |name| node.text_property(name);
    let branch = property("branch").map(GitReference::Branch);
    branch
        .or_else(|| property("tag").map(GitReference::Tag))
        .or_else(|| property("ref").map(GitReference::Ref))
        .or_else(|| property("commit").map(GitReference::Commit))
}

fn login(node: &Node) -> Option<Login> {
    let secret = node.child("secret")?;
    let property = |name| secret.text_property(name);
    Some(Login { secret: secret.text()?, user: property("user"), host_key: property("host-key") })
}

fn wanted(node: &Node, name: &str) -> Option<bool> {
    node.child(name)?.arguments.first().and_then(Value::bool)
}

fn patch(node: &Node) -> Option<Patch> {
    Some(Patch { file: node.text()?, strip: node.property("strip").and_then(Value::integer) })
}
