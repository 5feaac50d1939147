//! `output { kmm }`

use super::{child_text, child_texts, pairs};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{
    DeviceClass, Dra, Kmm, KmmBuild, Plugin, Preflight, Text, Tls, Toleration,
};

pub(super) fn kmm(node: &Node) -> Kmm {
    let sign = |sign: &Node| Some((sign.text_property("key")?, sign.text_property("certificate")?));
    let build = |build: &Node| KmmBuild {
        span: build.name.span,
        regexp: build.text_property("regexp"),
        secrets: child_texts(build, "secret"),
        args: build.child("build-arg").map(pairs).unwrap_or_default(),
        selector: build.child("selector").map(pairs).unwrap_or_default(),
        tls: build.child("base-image-registry-tls").map(tls),
    };
    Kmm {
        span: node.name.span,
        namespace: child_text(node, "namespace"),
        selector: node.child("selector").map(pairs).unwrap_or_default(),
        tolerations: node.all("toleration").filter_map(toleration).collect(),
        pull_secret: child_text(node, "pull-secret"),
        service_account: child_text(node, "service-account"),
        sign: node.child("sign").and_then(sign),
        builds: node.all("build").map(build).collect(),
        machine_config: child_text(node, "machine-config"),
        ordered_upgrades: node.child("ordered-upgrades").map(|node| node.name.span),
        load_args: child_texts(node, "load-args"),
        unload_args: child_texts(node, "unload-args"),
        image_pull_policy: child_text(node, "image-pull-policy"),
        registry_tls: node.child("registry-tls").map(tls),
        device_plugin: node.child("device-plugin").and_then(|node| Some(plugin(node, node.text()?))),
        version: child_text(node, "version"),
        raw_args: node
            .child("raw-args")
            .map(|node| (node.name.span, child_texts(node, "load"), child_texts(node, "unload"))),
        image_rebuild_trigger: node
            .child("image-rebuild-trigger")
            .and_then(|node| Some(node.arguments.first()?.integer()?.value)),
        dra: node.child("dra").and_then(dra),
        preflight: node.child("preflight").map(|node| Preflight {
            span: node.name.span,
            push: node.property("push").and_then(Value::bool) == Some(true),
        }),
    }
}

fn tls(node: &Node) -> Tls {
    let says = |name| node.property(name).and_then(Value::bool) == Some(true);
    Tls { insecure: says("insecure"), skip_verify: says("skip-verify") }
}

fn plugin(node: &Node, image: Text) -> Plugin {
    Plugin {
        image,
        args: child_texts(node, "args"),
        env: node.child("env").map(pairs).unwrap_or_default(),
        service_account: child_text(node, "service-account"),
    }
}

fn dra(node: &Node) -> Option<Dra> {
    let class =
        |class: &Node| Some(DeviceClass { name: class.text()?, selectors: child_texts(class, "selector") });
    Some(Dra {
        driver: node.text()?,
        plugin: plugin(node, node.text_property("image")?),
        classes: node.all("device-class").filter_map(class).collect(),
    })
}

fn toleration(node: &Node) -> Option<Toleration> {
    let (value, effect) = (node.text_property("value"), node.text_property("effect"));
    Some(Toleration { key: node.text()?, value, effect })
}
