//! `output { kmm }`: a Module of the Kernel Module Management operator for each image, with what it refers to.

mod build;
mod mapping;
mod module;
mod opened;
mod preflight;
mod sign;
mod versions;

use super::{Files, Inputs, header, yaml};
use crate::compiler::model::Kmm;
use crate::compiler::plan::Target;
use crate::knowledge::profile::Builder;
use crate::text::source::Span;
use base64::Engine as _;
use mapping::{Mapping, mapping};
use serde_json::{Value, json};

/// The Module of each image, with what it refers to.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Kmm, files: &mut Files) {
    for image in &inputs.model.images {
        let (name, span) = (&image.layers.name, image.layers.span);
        let targets: Vec<_> = inputs.plan.targets.iter().filter(|target| target.image == *name).collect();
        let Some(mapping) = mapping(inputs, settings, targets, span, files) else { continue };
        let resources = Resources { inputs, settings, name: name.as_str(), span };
        let mut documents = Vec::new();
        let streams = resources.streams(&mapping, files);
        documents.extend(streams.iter().map(|stream| resources.config_map(stream)));
        let module = resources.module(&mapping, &streams, files);
        versions::check(&resources, &module, files);
        documents.push(module);
        documents.extend(
            settings.machine_config.as_ref().and_then(|role| resources.machine_config(role, &mapping)),
        );
        let header = header(inputs.manifest, "`kubectl apply -f` it.");
        files.insert(&format!("kmm/{name}.yaml"), yaml::documents(&header, &documents));
    }
    if let Some(preflight) = &settings.preflight {
        preflight::files(inputs, settings, preflight, files);
    }
}

/// Whether KMM builds a target that the registry lacks.
#[must_use]
pub fn kmm_builds(inputs: &Inputs<'_>, target: &Target) -> bool {
    let asked = inputs.model.output.kmm.as_ref().is_some_and(|kmm| !kmm.builds.is_empty());
    asked && target.builder == Builder::Dtk && build::in_cluster(inputs, target).is_ok()
}

/// The regular expression by which KMM builds an image for a kernel that the matrix does not have.
#[must_use]
pub fn kmm_regexp<'a>(inputs: &Inputs<'a>, image: &str, kernel: &str) -> Option<&'a str> {
    let targets = inputs.plan.targets.iter().filter(|target| target.image.as_str() == image);
    let known: Vec<_> = targets.filter(|target| kmm_builds(inputs, target)).collect();
    let builds = inputs.model.output.kmm.as_ref()?.builds.iter();
    builds.filter_map(|build| build.regexp.as_deref()).find(|regexp| {
        build::matches(regexp, kernel)
            && known.iter().any(|one| build::matches(regexp, one.at.kernel.as_str()))
    })
}

/// The resources of one image.
struct Resources<'a> {
    inputs: &'a Inputs<'a>,
    settings: &'a Kmm,
    name: &'a str,
    span: Span,
}

impl Resources<'_> {
    fn metadata(&self, name: &str) -> Value {
        match &self.settings.namespace {
            Some(namespace) => json!({ "name": name, "namespace": namespace }),
            None => json!({ "name": name }),
        }
    }

    /// What nodes of a pool must not load by themselves.
    fn machine_config(&self, role: &str, mapping: &Mapping<'_>) -> Option<Value> {
        if mapping.blacklist.is_empty() {
            return None;
        }
        let lines: String = mapping.blacklist.iter().map(|kmod| format!("blacklist {kmod}\n")).collect();
        let source = format!("data:;base64,{}", base64::engine::general_purpose::STANDARD.encode(lines));
        let name = format!("99-{role}-{}-blacklist", self.name.replace('_', "-"));
        Some(json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig",
            "metadata": { "name": name, "labels": { "machineconfiguration.openshift.io/role": role } },
            "spec": { "config": {
                "ignition": { "version": "3.2.0" },
                "storage": { "files": [{
                    "path": format!("/etc/modprobe.d/{}.conf", self.name), "mode": 0o644, "overwrite": true,
                    "contents": { "source": source },
                }] },
            } },
        }))
    }
}
