//! `output`

use super::{child_text, child_texts, pairs};
use crate::language::kdl::{Node, Value};
use crate::language::syntax::ast::{
    Bake, BuildConfig, DevicePlugin, Kmm, KmmBuild, Output, Pipeline, Runner, Tls, Toleration,
};

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
        install: child_text(node, "install"),
        engine: child_text(node, "engine"),
        branches: child_texts(node, "branch"),
        image: child_text(node, "image"),
        runners: node.all("runner").filter_map(runner).collect(),
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

fn kmm(node: &Node) -> Kmm {
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
        device_plugin: node.child("device-plugin").and_then(device_plugin),
    }
}

fn tls(node: &Node) -> Tls {
    let says = |name| node.property(name).and_then(Value::bool) == Some(true);
    Tls { insecure: says("insecure"), skip_verify: says("skip-verify") }
}

fn device_plugin(node: &Node) -> Option<DevicePlugin> {
    Some(DevicePlugin {
        image: node.text()?,
        args: child_texts(node, "args"),
        env: node.child("env").map(pairs).unwrap_or_default(),
        service_account: child_text(node, "service-account"),
    })
}

fn toleration(node: &Node) -> Option<Toleration> {
    let (value, effect) = (node.text_property("value"), node.text_property("effect"));
    Some(Toleration { key: node.text()?, value, effect })
}
