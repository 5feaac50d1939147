//! `output`

use super::kmm::kmm;
use super::{child_text, child_texts};
use crate::language::kdl::Node;
use crate::language::syntax::ast::{Bake, BuildConfig, Install, Output, Pipeline, Runner};

pub(super) fn output(node: &Node) -> Output {
    Output {
        span: node.name.span,
        bake: node.child("bake").map(bake),
        github: node.child("github").map(pipeline),
        gitlab: node.child("gitlab").map(pipeline),
        buildconfig: node.child("buildconfig").map(buildconfig),
        kmm: node.child("kmm").map(kmm),
    }
}

fn bake(node: &Node) -> Bake {
    Bake { cache_from: child_texts(node, "cache-from"), cache_to: child_texts(node, "cache-to") }
}

fn pipeline(node: &Node) -> Pipeline {
    Pipeline {
        span: node.name.span,
        directory: child_text(node, "directory"),
        install: node.child("install").and_then(install),
        engine: child_text(node, "engine"),
        branches: child_texts(node, "branch"),
        image: child_text(node, "image"),
        runners: node.all("runner").filter_map(runner).collect(),
    }
}

fn install(node: &Node) -> Option<Install> {
    let property = |name| node.text_property(name);
    if let Some(command) = node.text() {
        return Some(Install::Command(command));
    }
    if let Some(image) = property("image") {
        return Some(Install::Image(image));
    }
    match (property("url"), property("cargo-git")) {
        (Some(url), _) => Some(Install::Url { url, sha256: property("sha256")? }),
        (None, url) => Some(Install::CargoGit { url: url?, rev: property("rev")? }),
    }
}

fn runner(node: &Node) -> Option<Runner> {
    Some(Runner { labels: node.texts().collect(), arch: node.text_property("arch")? })
}

fn buildconfig(node: &Node) -> BuildConfig {
    BuildConfig {
        span: node.name.span,
        namespace: child_text(node, "namespace"),
        entitlement_secret: child_text(node, "entitlement-secret"),
        pull_secret: child_text(node, "pull-secret"),
        push_secret: child_text(node, "push-secret"),
    }
}
