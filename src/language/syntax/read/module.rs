//! `module`

use super::{child_pairs, child_texts, on, pairs};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{Build, Module, ModuleBody, ModuleOutput, SourceUse};
use crate::text::source::Spanned;

pub(super) fn module(node: &Node) -> Option<Module> {
    Some(Module { name: node.text()?, body: body(node), on: on(node, body) })
}

fn body(node: &Node) -> ModuleBody {
    ModuleBody {
        source: node.child("source").and_then(source_use),
        build: node.children().iter().filter_map(build).collect(),
        env: child_pairs(node, "env"),
        packages: child_texts(node, "packages"),
        needs: child_texts(node, "needs"),
        outputs: node.all("output").map(output).collect(),
        requires_config: child_texts(node, "requires-config"),
    }
}

fn source_use(node: &Node) -> Option<SourceUse> {
    Some(SourceUse { name: node.text()?, dir: node.text_property("dir") })
}

fn build(node: &Node) -> Option<Spanned<Build>> {
    let build = match node.name.value.as_str() {
        "make" => Build::Make { targets: node.texts().collect(), variables: pairs(node) },
        "run" => Build::Run { words: node.texts().collect() },
        "script" => Build::Script { text: node.text()? },
        "build" => Build::None,
        _ => return None,
    };
    Some(Spanned::new(build, node.name.span))
}

fn output(node: &Node) -> ModuleOutput {
    let optional = node.property("optional").and_then(Value::bool);
    ModuleOutput { globs: node.texts().collect(), optional: optional.unwrap_or(false) }
}
