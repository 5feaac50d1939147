//! The Module itself: how the driver is loaded, and which image has it for which kernel.

use super::Resources;
use super::build::{Stream, matches, section, tls};
use super::mapping::{Mapping, entry, reference, removed, stage};
use super::sign::signed;
use crate::compiler::model::{Dra, Kmm, KmmBuild, Plugin, RawArgs, Toleration};
use crate::compiler::outputs::handover::Files;
use crate::text::diag::{Code, Diagnostic};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Resources<'_> {
    pub(super) fn module(&self, mapping: &Mapping<'_>, streams: &[Stream<'_>], files: &mut Files) -> Value {
        let settings = self.settings;
        let named = |name: &String| json!({ "name": name });
        let mut container = Map::new();
        container.insert("modprobe".into(), self.modprobe(mapping, files));
        container.insert("imagePullPolicy".into(), json!(settings.image_pull_policy));
        container.extend(settings.registry_tls.map(|one| ("registryTLS".into(), tls(one))));
        container.extend(self.version(files).map(|version| ("version".into(), json!(version))));
        container.extend(mapping.replaces.and_then(removed));
        container.insert("kernelMappings".into(), json!(self.mappings(mapping, streams, files)));
        let mut loader = Map::new();
        loader.insert("container".into(), Value::Object(container));
        loader.extend(settings.service_account.iter().map(|name| ("serviceAccountName".into(), json!(name))));
        let mut spec = Map::new();
        spec.insert("moduleLoader".into(), Value::Object(loader));
        spec.extend(settings.pull_secret.iter().map(|name| ("imageRepoSecret".into(), named(name))));
        spec.insert("selector".into(), json!(settings.selector));
        spec.extend(settings.device_plugin.as_ref().map(|one| ("devicePlugin".into(), json!(plugin(one)))));
        spec.extend(settings.dra.as_ref().map(|one| ("dra".into(), dra(one))));
        spec.extend(
            settings.image_rebuild_trigger.map(|one| ("imageRebuildTriggerGeneration".into(), json!(one))),
        );
        if !settings.tolerations.is_empty() {
            spec.insert("tolerations".into(), settings.tolerations.iter().map(toleration).collect());
        }
        json!({
            "apiVersion": "kmm.sigs.x-k8s.io/v1beta1", "kind": "Module", "metadata": self.metadata(self.name),
            "spec": spec,
        })
    }

    fn modprobe(&self, mapping: &Mapping<'_>, files: &mut Files) -> Value {
        let mut modprobe = Map::new();
        if let Some(RawArgs { load, unload, span }) = &self.settings.raw_args {
            if mapping.order.len() > 1 || !mapping.parameters.is_empty() {
                let problem = format!(
                    "`raw-args` take the place of what image `{}` says of order and parameters",
                    self.name
                );
                files.diagnostics.push(
                    Diagnostic::new(Code::UnmappedSetting, problem)
                        .label(self.span, "of this image")
                        .label(*span, "asked for here")
                        .help("put these into `raw-args`, or use `load-args` and `unload-args`"),
                );
            }
            modprobe.insert("rawArgs".into(), json!({ "load": load, "unload": unload }));
        } else {
            let last = mapping.order.last().map(ToString::to_string).unwrap_or_default();
            modprobe.insert("moduleName".into(), json!(last));
        }
        modprobe.insert("dirName".into(), json!("/opt"));
        if self.settings.raw_args.is_none() {
            if mapping.order.len() > 1 {
                let order: Vec<_> = mapping.order.iter().rev().map(ToString::to_string).collect();
                modprobe.insert("modulesLoadingOrder".into(), json!(order));
            }
            if !mapping.parameters.is_empty() {
                modprobe.insert("parameters".into(), json!(mapping.parameters));
            }
            modprobe.extend(args(self.settings));
        }
        if mapping.firmware {
            modprobe.insert("firmwarePath".into(), json!("/opt/lib/firmware"));
        }
        Value::Object(modprobe)
    }

    /// The version that KMM upgrades nodes by, as a label's value.
    fn version(&self, files: &mut Files) -> Option<&str> {
        let asked = self.settings.ordered_upgrades?;
        let version = self.inputs.model.project.version.as_deref();
        if version.is_none() {
            files.diagnostics.push(
                Diagnostic::new(Code::UnmappedSetting, "the project has no `version` to upgrade nodes to")
                    .label(asked, "goes by the project's version")
                    .help("add `version` to `project`"),
            );
        }
        version
    }

    /// One mapping for each kernel, and the one for kernels that the matrix does not have, which comes last.
    fn mappings(&self, mapping: &Mapping<'_>, streams: &[Stream<'_>], files: &mut Files) -> Vec<Value> {
        let mut mappings: BTreeMap<&str, Value> = BTreeMap::new();
        for target in &mapping.targets {
            let stream = streams.iter().find(|stream| stream.targets.iter().any(|one| one.id == target.id));
            // What KMM builds it pushes, and nothing is pushed to a digest.
            let image = if stream.is_some() { target.tags.first() } else { reference(target) };
            let Some(image) = image else { continue };
            let mut value = entry("literal", target.at.kernel.as_str(), image.as_str());
            if mapping.replaces.is_none() {
                value.extend(stage(self.inputs, target).and_then(|stage| removed(&stage.replaces)));
            }
            if let Some(stream) = stream {
                // Those without a regexp, or the one that matches, say how.
                let fits = |build: &&KmmBuild| {
                    build.regexp.as_ref().is_none_or(|regexp| matches(regexp, target.at.kernel.as_str()))
                };
                let settings = self.settings.builds.iter().find(fits).or(self.settings.builds.first());
                value.insert("build".into(), section(stream, settings));
            }
            if let Some(sign) = &self.settings.sign {
                let Some(signed) = signed(self, target, files) else { continue };
                self.sign(&mut value, sign, &signed, image, stream.is_some());
            }
            mappings.insert(target.at.kernel.as_str(), Value::Object(value));
        }
        let mut mappings: Vec<_> = mappings.into_values().collect();
        for build in &self.settings.builds {
            mappings.extend(self.unknown_kernels(mapping, build, streams, files));
        }
        mappings
    }
}

/// `args` of modprobe, where there are any.
fn args(settings: &Kmm) -> Option<(String, Value)> {
    let args = [("load", &settings.load_args), ("unload", &settings.unload_args)].into_iter();
    let args: Map<_, _> =
        args.filter(|(_, all)| !all.is_empty()).map(|(name, all)| (name.into(), json!(all))).collect();
    (!args.is_empty()).then(|| ("args".into(), Value::Object(args)))
}

fn toleration(taint: &Toleration) -> Value {
    let operator = if taint.value.is_some() { "Equal" } else { "Exists" };
    let mut value = Map::from_iter([("key".into(), json!(taint.key)), ("operator".into(), json!(operator))]);
    value.extend(taint.value.iter().map(|text| ("value".into(), json!(text))));
    value.extend(taint.effect.iter().map(|text| ("effect".into(), json!(text))));
    Value::Object(value)
}

fn plugin(plugin: &Plugin) -> Map<String, Value> {
    let mut container = Map::from_iter([("image".into(), json!(plugin.image.as_str()))]);
    if !plugin.args.is_empty() {
        container.insert("args".into(), json!(plugin.args));
    }
    if !plugin.env.is_empty() {
        let env = plugin.env.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        container.insert("env".into(), env.collect());
    }
    let mut value = Map::from_iter([("container".into(), Value::Object(container))]);
    value.extend(plugin.service_account.iter().map(|name| ("serviceAccountName".into(), json!(name))));
    value
}

fn dra(dra: &Dra) -> Value {
    let mut value = Map::from_iter([("driverName".into(), json!(dra.driver))]);
    value.extend(plugin(&dra.plugin));
    let class = |(name, selectors): &(String, Vec<String>)| {
        let mut class = Map::from_iter([("name".into(), json!(name))]);
        let selectors: Vec<_> = selectors.iter().map(|one| json!({ "cel": { "expression": one } })).collect();
        if !selectors.is_empty() {
            class.insert("selectors".into(), Value::Array(selectors));
        }
        Value::Object(class)
    };
    if !dra.classes.is_empty() {
        value.insert("deviceClasses".into(), dra.classes.iter().map(class).collect());
    }
    Value::Object(value)
}
