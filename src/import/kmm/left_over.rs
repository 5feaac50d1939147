//! What of a Module becomes no part of a manifest, in words: every field is taken over or named.

use super::yaml::scalar;
use serde_yaml_ng::Value;

/// Fields that are read, each with all that is in it but for those of [`OPEN`].
const READ: [&str; 26] = [
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.uid",
    "status",
    "spec.selector",
    "spec.tolerations",
    "spec.imageRepoSecret",
    "spec.moduleLoader.serviceAccountName",
    "spec.moduleLoader.container.containerImage",
    "spec.moduleLoader.container.modprobe.moduleName",
    "spec.moduleLoader.container.modprobe.parameters",
    "spec.moduleLoader.container.modprobe.modulesLoadingOrder",
    "spec.moduleLoader.container.modprobe.firmwarePath",
    "spec.moduleLoader.container.inTreeModuleToRemove",
    "spec.moduleLoader.container.inTreeModulesToRemove",
    "spec.moduleLoader.container.sign",
    "spec.moduleLoader.container.build.dockerfile",
    "spec.moduleLoader.container.build.dockerfileConfigMap",
    "spec.moduleLoader.container.build.buildArgs",
    "spec.moduleLoader.container.build.secrets",
];
/// Fields of a mapping that are read.
const READ_OF_MAPPING: [&str; 8] = [
    "build.dockerfile",
    "literal",
    "regexp",
    "containerImage",
    "sign",
    "build.dockerfileConfigMap",
    "build.buildArgs",
    "build.secrets",
];
/// Fields in which others stand that are looked at one by one.
const OPEN: [&str; 7] = [
    "metadata",
    "spec",
    "spec.moduleLoader",
    "spec.moduleLoader.container",
    "spec.moduleLoader.container.modprobe",
    "spec.moduleLoader.container.build",
    "build",
];

/// Fields that are not taken over, though `kmm` has a word for each.
const WORDS: [(&str, &str); 12] = [
    ("spec.moduleLoader.container.version", "ordered-upgrades"),
    ("spec.moduleLoader.container.imagePullPolicy", "image-pull-policy"),
    ("spec.moduleLoader.container.registryTLS", "registry-tls"),
    ("spec.moduleLoader.container.modprobe.args", "load-args"),
    ("spec.moduleLoader.container.modprobe.rawArgs", "raw-args"),
    ("spec.moduleLoader.container.build.selector", "build { selector }"),
    ("spec.moduleLoader.container.build.baseImageRegistryTLS", "build { base-image-registry-tls }"),
    ("spec.devicePlugin", "device-plugin"),
    ("spec.dra", "dra"),
    ("spec.imageRebuildTriggerGeneration", "image-rebuild-trigger"),
    ("build.selector", "build { selector }"),
    ("build.baseImageRegistryTLS", "build { base-image-registry-tls }"),
];

/// Names every field that nothing was made of.
pub(super) fn left_over(value: &Value, path: &str, say: &mut impl FnMut(String)) {
    for (key, inner) in value.as_mapping().into_iter().flatten() {
        let Some(key) = key.as_str() else { continue };
        let here = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let tail = here.split_once("].").map_or(here.as_str(), |(_, tail)| tail);
        let of_mapping = tail != here;
        let read = if of_mapping { READ_OF_MAPPING.contains(&tail) } else { READ.contains(&here.as_str()) };
        let default = (key == "imagePullPolicy" && inner.as_str() == Some("IfNotPresent"))
            || (key == "dirName" && inner.as_str() == Some("/opt"));
        if read || default || inner.is_null() {
            continue;
        }
        if OPEN.contains(&tail) && inner.is_mapping() {
            left_over(inner, &here, say);
        } else if key == "kernelMappings" && !of_mapping {
            for (index, one) in inner.as_sequence().into_iter().flatten().enumerate() {
                left_over(one, &format!("{here}[{index}]"), say);
            }
        } else {
            let shown = scalar(inner).map(|text| format!(" `{text}`")).unwrap_or_default();
            let tail = if of_mapping { tail } else { here.as_str() };
            say(match WORDS.iter().find(|(field, _)| *field == tail) {
                Some((_, word)) => format!("{here}{shown} is left out: say it with `{word}` in `kmm`"),
                None => format!("{here}{shown} is left out: drvc's Module has no word for it"),
            });
        }
    }
}
