//! What of a Module becomes no part of a manifest, in words: every field is taken over or named.

use super::yaml::scalar;
use serde_yaml_ng::Value;

/// Fields that are read, each with all that is in it but for those of [`OPEN`].
const READ: [&str; 37] = [
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
    "spec.moduleLoader.container.build.selector",
    "spec.moduleLoader.container.build.baseImageRegistryTLS",
    "spec.moduleLoader.container.version",
    "spec.moduleLoader.container.imagePullPolicy",
    "spec.moduleLoader.container.registryTLS",
    "spec.moduleLoader.container.modprobe.args.load",
    "spec.moduleLoader.container.modprobe.args.unload",
    "spec.moduleLoader.container.modprobe.rawArgs",
    "spec.devicePlugin",
    "spec.dra",
    "spec.imageRebuildTriggerGeneration",
];
/// Fields of a mapping that are read.
const READ_OF_MAPPING: [&str; 10] = [
    "build.dockerfile",
    "literal",
    "regexp",
    "containerImage",
    "sign",
    "build.dockerfileConfigMap",
    "build.buildArgs",
    "build.secrets",
    "build.selector",
    "build.baseImageRegistryTLS",
];
/// Fields in which others stand that are looked at one by one.
const OPEN: [&str; 8] = [
    "metadata",
    "spec",
    "spec.moduleLoader",
    "spec.moduleLoader.container",
    "spec.moduleLoader.container.modprobe",
    "spec.moduleLoader.container.modprobe.args",
    "spec.moduleLoader.container.build",
    "build",
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
            let advice = match key {
                "inTreeModulesToRemove" | "inTreeModuleToRemove" => {
                    "say `replaces` in an `on kernel=` of the image"
                }
                "registryTLS" => "drvc has one `registry-tls`, for all kernels",
                "jobNamespace" => "it says where a hub builds",
                "clusterSelector" => "it says which clusters a hub gives it to",
                _ => "drvc's Module has no word for it",
            };
            // It is a part of `spec` for this walk alone.
            let here = here.replace("spec.clusterSelector", "the hub's spec.selector");
            say(format!("{here}{shown} is left out: {advice}"));
        }
    }
}
