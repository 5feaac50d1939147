//! `image`

use super::{child_pairs, child_text, child_texts, on, pairs, selector};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{Extra, Image, ImageBody, KmodOption, Reuse, Softdep};

pub(super) fn image(node: &Node) -> Option<Image> {
    let only = node.all("only").map(selector).collect();
    Some(Image { name: node.text()?, only, body: body(node), on: on(node, body) })
}

fn body(node: &Node) -> ImageBody {
    ImageBody {
        modules: child_texts(node, "module"),
        load: child_texts(node, "load"),
        options: node.all("option").filter_map(option).collect(),
        softdeps: node.all("softdep").filter_map(softdep).collect(),
        blacklist: child_texts(node, "blacklist"),
        replaces: child_texts(node, "replaces"),
        repository: child_text(node, "repository"),
        tag: child_text(node, "tag"),
        base: child_text(node, "base"),
        firmware: node.all("firmware").filter_map(extra).collect(),
        files: node.all("file").filter_map(extra).collect(),
        packages: child_texts(node, "packages"),
        labels: child_pairs(node, "label"),
        in_tree: child_text(node, "in-tree"),
        reuse: node.child("reuse").and_then(reuse),
    }
}

fn reuse(node: &Node) -> Option<Reuse> {
    let strict = node.property("strict").and_then(Value::bool).unwrap_or(false);
    Some(Reuse { level: node.text()?, strict })
}

fn option(node: &Node) -> Option<KmodOption> {
    Some(KmodOption { kmod: node.text()?, parameters: pairs(node) })
}

fn softdep(node: &Node) -> Option<Softdep> {
    Some(Softdep { kmod: node.text()?, pre: child_texts(node, "pre"), post: child_texts(node, "post") })
}

pub(super) fn extra(node: &Node) -> Option<Extra> {
    let to = node.text_property("to");
    Some(Extra { span: node.name.span, glob: node.text()?, from: node.text_property("from")?, to })
}
