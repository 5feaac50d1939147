//! Which version of KMM knows what of its API: read in the tags v1.0.0 to v2.6.0 of kubernetes-sigs/kernel-module-management
//! and in the branch release-2.7 of rh-ecosystem-edge/kernel-module-management.

use super::Resources;
use crate::compiler::model::{Kmm, KmmVersion};
use crate::compiler::outputs::handover::Files;
use crate::text::diag::{Code, Diagnostic};
use serde_json::Value;

/// From here on each of `filesToSign` is a pattern, which the shell of the signing image expands.
pub(super) const GLOBS: KmmVersion = version(2, 6);

const fn version(major: u16, minor: u16) -> KmmVersion {
    KmmVersion { major, minor }
}

/// A field, the first version that has it, and the node of a manifest that makes it.
const FIELDS: &[(&str, KmmVersion, &str)] = &[
    ("spec.moduleLoader.container.version", version(1, 1), "ordered-upgrades"),
    ("spec.moduleLoader.container.modprobe.modulesLoadingOrder", version(1, 1), "load"),
    ("spec.moduleLoader.container.kernelMappings.build.selector", version(1, 1), "selector"),
    ("spec.moduleLoader.container.inTreeModulesToRemove", version(2, 1), "replaces"),
    ("spec.moduleLoader.container.kernelMappings.inTreeModulesToRemove", version(2, 1), "replaces"),
    ("spec.tolerations", version(2, 3), "toleration"),
    // Of PreflightValidationOCP alone, which asked for a `releaseImage` before.
    ("spec.dtkImage", version(2, 4), "preflight"),
    ("spec.imageRebuildTriggerGeneration", version(2, 6), "image-rebuild-trigger"),
    ("spec.dra", version(2, 7), "dra"),
];

/// Reports what of a Module no KMM takes, or not the cluster's.
pub(super) fn check(resources: &Resources<'_>, module: &Value, files: &mut Files) {
    let Resources { settings, name, span, .. } = resources;
    unknown_fields(settings, module, files);
    let newest = KmmVersion { major: u16::MAX, minor: 0 };
    let limit = match settings.version.map_or(newest, |(version, _)| version) {
        old if old < version(2, 1) => return,
        old if old < version(2, 7) => 40,
        _ => 41,
    };
    let namespace = settings.namespace.as_deref().unwrap_or_default();
    if name.len() + namespace.len() > limit {
        let problem =
            format!("KMM refuses a Module whose name and namespace have more than {limit} characters");
        files.diagnostics.push(
            Diagnostic::new(Code::UnknownToKmm, problem)
                .label(*span, format!("the name has {}", name.len()))
                .label(settings.span, format!("the namespace {}", namespace.len()))
                .help("give one of them a shorter name"),
        );
    }
}

/// Reports fields that the cluster's KMM does not have: its API server would drop them without a word.
pub(super) fn unknown_fields(settings: &Kmm, resource: &Value, files: &mut Files) {
    let Some((own, span)) = settings.version else { return };
    let kind = resource.get("kind").and_then(Value::as_str).unwrap_or_default();
    for (path, since, node) in FIELDS.iter().filter(|(path, since, _)| own < *since && has(resource, path)) {
        let field = path.rsplit('.').next().unwrap_or(path);
        let problem = format!("KMM {own} knows no `{field}` of a {kind}");
        let report = Diagnostic::new(Code::UnknownToKmm, problem)
            .label(span, format!("KMM {since} is the first that does"))
            .label(settings.span, format!("`{node}` makes it"))
            .help(format!(
                "write `version \"{since}\"` where the cluster has it, or take `{node}` out for this cluster"
            ));
        // One field of several images, or of several kernels, is one mistake.
        if files.diagnostics.iter().all(|one| one.message != report.message) {
            files.diagnostics.push(report);
        }
    }
}

/// Whether there is something at a path, in any item of the lists on the way.
fn has(value: &Value, path: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has(item, path)),
        _ => match path.split_once('.') {
            Some((name, rest)) => value.get(name).is_some_and(|value| has(value, rest)),
            None => value.get(path).is_some(),
        },
    }
}
