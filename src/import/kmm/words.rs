//! What of a Module has a word in `kmm` -> nodes of the manifest; what such a word cannot hold is named.

use super::yaml::{at, mapped, scalar, string, strings};
use crate::import::draft::Node;
use crate::import::write::{pairs, words};
use crate::language::kdl::quote as quoted;
use serde_yaml_ng::Value;

/// The nodes of `kmm`, in the order of the reference.
pub(super) fn nodes(module: &Value, container: &Value, say: &mut impl FnMut(String)) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut text = |word: &str, value: Option<String>| {
        nodes.extend(value.map(|value| Node::line(format!("{word} {}", quoted(&value)))));
    };
    text("namespace", string(module, &["metadata", "namespace"]));
    text("pull-secret", string(module, &["spec", "imageRepoSecret", "name"]));
    text("service-account", string(module, &["spec", "moduleLoader", "serviceAccountName"]));
    let policy = string(container, &["imagePullPolicy"]).filter(|policy| policy != "IfNotPresent");
    text("image-pull-policy", policy);
    nodes.extend(selector(at(module, &["spec", "selector"]), "spec.selector", say));
    tolerations(module, &mut nodes, say);
    nodes.extend(at(container, &["registryTLS"]).map(|tls| registry_tls("registry-tls", tls)));
    if at(container, &["version"]).is_some() {
        nodes.push(Node::line("ordered-upgrades".to_owned()));
    }
    modprobe(container, &mut nodes, say);
    let trigger = at(module, &["spec", "imageRebuildTriggerGeneration"]).and_then(scalar);
    nodes.extend(trigger.map(|number| Node::line(format!("image-rebuild-trigger {number}"))));
    if let Some(plugin) = at(module, &["spec", "devicePlugin"]) {
        let image = string(plugin, &["container", "image"]).unwrap_or_default();
        let block = service(plugin, "spec.devicePlugin", &[], say);
        nodes.push(Node { line: format!("device-plugin {}", quoted(&image)), block });
    }
    nodes.extend(at(module, &["spec", "dra"]).map(|dra| resources(dra, say)));
    builds(container, &mut nodes, say);
    nodes
}

fn selector(labels: Option<&Value>, path: &str, say: &mut impl FnMut(String)) -> Option<Node> {
    let mut found = Vec::new();
    for (label, value) in labels.and_then(Value::as_mapping).into_iter().flatten() {
        let Some(label) = label.as_str() else { continue };
        match scalar(value) {
            Some(value) => found.push((label.to_owned(), value)),
            None => say(format!("{path} `{label}` is left out: its value is not a text")),
        }
    }
    (!found.is_empty()).then(|| Node::line(format!("selector {}", pairs(&found))))
}

fn tolerations(module: &Value, nodes: &mut Vec<Node>, say: &mut impl FnMut(String)) {
    for taint in at(module, &["spec", "tolerations"]).and_then(Value::as_sequence).into_iter().flatten() {
        let Some(key) = string(taint, &["key"]).filter(|key| !key.is_empty()) else {
            say("a toleration without a key is left out: say `toleration` for each taint".to_owned());
            continue;
        };
        if let Some(seconds) = at(taint, &["tolerationSeconds"]).and_then(scalar) {
            say(format!(
                "tolerationSeconds `{seconds}` of the toleration `{key}` is left out: a Module of drvc has none"
            ));
        }
        let property = |name: &str| Some((name.to_owned(), string(taint, &[name])?));
        let properties: Vec<_> = ["value", "effect"].iter().filter_map(|name| property(name)).collect();
        let line = format!("toleration {} {}", quoted(&key), pairs(&properties));
        nodes.push(Node::line(line.trim_end().to_owned()));
    }
}

fn registry_tls(word: &str, tls: &Value) -> Node {
    let is = |name: &str| at(tls, &[name]).and_then(Value::as_bool).unwrap_or_default();
    let (insecure, skip) = (is("insecure"), is("insecureSkipTLSVerify"));
    let skip = if skip { " skip-verify=#true" } else { "" };
    let insecure = if insecure || skip.is_empty() { format!(" insecure=#{insecure}") } else { String::new() };
    Node::line(format!("{word}{insecure}{skip}"))
}

/// The words of modprobe's command line.
fn modprobe(container: &Value, nodes: &mut Vec<Node>, say: &mut impl FnMut(String)) {
    let list = |field: &str, which: &str| strings(at(container, &["modprobe", field, which]));
    for (which, word) in [("load", "load-args"), ("unload", "unload-args")] {
        let args = list("args", which);
        if !args.is_empty() {
            nodes.push(Node::line(format!("{word} {}", words(&args))));
        }
    }
    let (load, unload) = (list("rawArgs", "load"), list("rawArgs", "unload"));
    if at(container, &["modprobe", "rawArgs"]).is_none() {
        return;
    }
    if load.is_empty() || unload.is_empty() {
        return say(
            "spec.moduleLoader.container.modprobe.rawArgs is left out: `raw-args` has words to load and to unload"
                .to_owned(),
        );
    }
    let line = |word: &str, all: &[String]| Node::line(format!("{word} {}", words(all)));
    nodes.push(Node {
        line: "raw-args".to_owned(),
        block: vec![line("load", &load), line("unload", &unload)],
    });
}

/// What a device plugin and a DRA driver have: arguments, environment, service account. `more` are other fields that are
/// read.
fn service(value: &Value, path: &str, more: &[&str], say: &mut impl FnMut(String)) -> Vec<Node> {
    let mut block = Vec::new();
    let args = strings(at(value, &["container", "args"]));
    if !args.is_empty() {
        block.push(Node::line(format!("args {}", words(&args))));
    }
    let mut env = Vec::new();
    for one in at(value, &["container", "env"]).and_then(Value::as_sequence).into_iter().flatten() {
        let name = string(one, &["name"]).unwrap_or_default();
        match at(one, &["value"])
            .map_or(Some(String::new()), scalar)
            .filter(|_| at(one, &["valueFrom"]).is_none())
        {
            Some(value) => env.push((name, value)),
            None => say(format!(
                "{path}.container.env `{name}` is left out: drvc has no word for where it comes from"
            )),
        }
    }
    if !env.is_empty() {
        block.push(Node::line(format!("env {}", pairs(&env))));
    }
    block.extend(
        string(value, &["serviceAccountName"])
            .map(|name| Node::line(format!("service-account {}", quoted(&name)))),
    );
    let mut rest = |value: Option<&Value>, path: &str, known: &[&str]| {
        for (field, _) in value.and_then(Value::as_mapping).into_iter().flatten() {
            if let Some(field) = field.as_str().filter(|field| !known.contains(field)) {
                say(format!("{path}.{field} is left out: drvc's Module has no word for it"));
            }
        }
    };
    rest(at(value, &["container"]), &format!("{path}.container"), &["image", "args", "env"]);
    rest(Some(value), path, &[&["container", "serviceAccountName"], more].concat());
    block
}

/// `dra`
fn resources(dra: &Value, say: &mut impl FnMut(String)) -> Node {
    let text = |path: &[&str]| quoted(&string(dra, path).unwrap_or_default());
    let mut block = service(dra, "spec.dra", &["driverName", "deviceClasses"], say);
    for class in at(dra, &["deviceClasses"]).and_then(Value::as_sequence).into_iter().flatten() {
        let selectors = at(class, &["selectors"]).and_then(Value::as_sequence).into_iter().flatten();
        let expressions = selectors.filter_map(|one| string(one, &["cel", "expression"]));
        block.push(Node {
            line: format!("device-class {}", quoted(&string(class, &["name"]).unwrap_or_default())),
            block: expressions.map(|one| Node::line(format!("selector {}", quoted(&one)))).collect(),
        });
    }
    Node { line: format!("dra {} image={}", text(&["driverName"]), text(&["container", "image"])), block }
}

/// One node `build` for each way to build: those of expressions first, then that of all others.
fn builds(container: &Value, nodes: &mut Vec<Node>, say: &mut impl FnMut(String)) {
    let whole = at(container, &["build"]);
    let of = |one: &Value, say: &mut dyn FnMut(String)| build(whole, at(one, &["build"]), say);
    let text = |one: &Value, name: &str| string(one, &[name]).filter(|text| !text.is_empty());
    let mut by_regexp: Vec<(String, Vec<Node>)> = Vec::new();
    for one in mapped(container) {
        let Some(regexp) = text(one, "regexp").filter(|_| text(one, "literal").is_none()) else { continue };
        if whole.is_some() || at(one, &["build"]).is_some() {
            by_regexp.push((regexp, of(one, say)));
        }
    }
    let mut others: Vec<(String, Vec<Node>)> = Vec::new();
    for one in mapped(container) {
        let Some(literal) = text(one, "literal") else { continue };
        if whole.is_none() && at(one, &["build"]).is_none() {
            continue;
        }
        let block = of(one, say);
        let matches = |regexp: &str| regex::Regex::new(regexp).is_ok_and(|one| one.is_match(&literal));
        match by_regexp.iter().find(|(regexp, _)| matches(regexp)) {
            Some((_, known)) if *known == block => {}
            Some(_) => say(beside(&literal)),
            None => others.push((literal, block)),
        }
    }
    if by_regexp.is_empty() && others.is_empty() && whole.is_some() {
        others.push((String::new(), build(whole, None, say)));
    }
    // Kernels of no expression are built as the first `build` says.
    let first = by_regexp.first().map(|(_, block)| block);
    if others.iter().all(|(_, block)| Some(block) == first) {
        others.clear();
    }
    for (literal, _) in
        others.iter().filter(|(_, block)| others.first().is_some_and(|(_, first)| first != block))
    {
        say(beside(literal));
    }
    let others = others.into_iter().next().map(|(_, block)| block);
    nodes.extend(
        by_regexp
            .into_iter()
            .map(|(regexp, block)| Node { line: format!("build regexp={}", quoted(&regexp)), block }),
    );
    nodes.extend(others.map(|block| Node { line: "build".to_owned(), block }));
}

fn beside(literal: &str) -> String {
    format!("the `build` of `{literal}` is left out: another `build` is for it too")
}

/// What `build` of a mapping says, and that of all mappings beneath it.
fn build(whole: Option<&Value>, own: Option<&Value>, say: &mut dyn FnMut(String)) -> Vec<Node> {
    let both = || whole.into_iter().chain(own);
    let lists = |field: &'static str| {
        both().filter_map(move |build| at(build, &[field]).and_then(Value::as_sequence)).flatten()
    };
    let last = |field: &str| {
        own.and_then(|build| at(build, &[field])).or(whole.and_then(|build| at(build, &[field])))
    };
    let mut block = Vec::new();
    let mut secrets: Vec<String> = lists("secrets").filter_map(|one| string(one, &["name"])).collect();
    secrets.dedup();
    if !secrets.is_empty() {
        block.push(Node::line(format!("secret {}", words(&secrets))));
    }
    let mut arguments: Vec<(String, String)> = Vec::new();
    for one in lists("buildArgs") {
        let (Some(name), Some(value)) = (string(one, &["name"]), at(one, &["value"]).and_then(scalar)) else {
            continue;
        };
        arguments.retain(|(known, _)| *known != name);
        arguments.push((name, value));
    }
    if !arguments.is_empty() {
        block.push(Node::line(format!("build-arg {}", pairs(&arguments))));
    }
    block.extend(selector(last("selector"), "build.selector", &mut |text| say(text)));
    block.extend(last("baseImageRegistryTLS").map(|tls| registry_tls("base-image-registry-tls", tls)));
    block
}
