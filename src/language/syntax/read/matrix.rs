//! `matrix`

use super::{child_text, child_texts, entitlement, on, selector};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{CellBody, Exclude, Headers, Kernel, Matrix, Os, PackageRepository};
use crate::text::source::Spanned;

/// Children that `is_sound` refuses are left out. `None` where no `os` is left.
pub(super) fn matrix(node: &Node, is_sound: &dyn Fn(&Node) -> bool) -> Option<Matrix> {
    let os: Vec<Os> = node.all("os").filter(|node| is_sound(node)).filter_map(os).collect();
    (!os.is_empty()).then(|| Matrix {
        span: node.name.span,
        os,
        exclude: node.all("exclude").filter(|node| is_sound(node)).filter_map(exclude).collect(),
        on: on(node, body),
    })
}

fn os(node: &Node) -> Option<Os> {
    let mut texts = node.texts();
    Some(Os {
        name: texts.next()?,
        releases: texts.collect(),
        kernels: node.all("kernel").map(kernel).collect(),
        arches: child_texts(node, "arch"),
        flavors: child_texts(node, "flavor"),
        z: z(node),
        unchecked: unchecked(node),
        manager: child_text(node, "manager"),
        headers: node.child("headers").map(headers),
        body: body(node),
    })
}

fn z(node: &Node) -> Option<Spanned<u32>> {
    let z = node.all("z").next()?;
    let latest = z.property("latest").and_then(Value::integer)?;
    Some(Spanned::new(latest.value, z.name.span))
}

fn headers(node: &Node) -> Headers {
    Headers { span: node.name.span, packages: node.texts().collect(), dir: node.text_property("dir") }
}

fn unchecked(node: &Node) -> bool {
    node.property("unchecked").and_then(Value::bool).unwrap_or_default()
}

fn kernel(node: &Node) -> Kernel {
    Kernel {
        span: node.name.span,
        explicit: node.texts().collect(),
        pattern: node.text_property("match"),
        latest: node.property("latest").and_then(Value::integer),
        from: node.text_property("from"),
        unchecked: unchecked(node),
    }
}

fn body(node: &Node) -> CellBody {
    CellBody {
        builders: child_texts(node, "builder"),
        entitlement: node.child("entitlement").and_then(entitlement),
        base: child_text(node, "base"),
        repositories: node.all("repository").map(repository).collect(),
    }
}

fn repository(node: &Node) -> PackageRepository {
    let property = |name| node.text_property(name);
    PackageRepository {
        span: node.name.span,
        url: node.text(),
        suite: property("suite"),
        component: property("component"),
        key: property("key"),
        enable: property("enable"),
    }
}

fn exclude(node: &Node) -> Option<Exclude> {
    Some(Exclude { selector: selector(node), reason: node.text_property("reason")? })
}
