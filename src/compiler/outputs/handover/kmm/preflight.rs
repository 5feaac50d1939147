//! `output { kmm { preflight } }`: what asks KMM, before nodes have a kernel, whether every Module has an image for it.

use super::versions::unknown_fields;
use crate::compiler::model::{Kmm, KmmVersion};
use crate::compiler::outputs::handover::{Files, Inputs, header, yaml};
use crate::compiler::plan::{Edge, Node, Target};
use crate::language::syntax::ast::Preflight;
use crate::text::ids::ImageRef;
use serde_json::{Map, Value, json};

/// From here on the API has its second version.
const SECOND: KmmVersion = KmmVersion { major: 2, minor: 1 };

/// A file for each kernel of each release; what is asked concerns all Modules of the cluster.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Kmm, preflight: &Preflight, files: &mut Files) {
    for target in &inputs.plan.targets {
        let Some((_, place)) = target.id.as_str().split_once('/') else { continue };
        let resource = validation(inputs, settings, preflight, target, place);
        unknown_fields(settings, &resource, files);
        let header = header(inputs.manifest, "`kubectl apply -f` it, and read its status.");
        files.insert(&format!("kmm/preflight/{place}.yaml"), yaml::documents(&header, &[resource]));
    }
}

/// `place` is `os-release-arch/kernel`.
fn validation(
    inputs: &Inputs<'_>,
    settings: &Kmm,
    preflight: &Preflight,
    target: &Target,
    place: &str,
) -> Value {
    let mut spec = Map::from_iter([("kernelVersion".into(), json!(target.at.kernel.as_str()))]);
    let toolkit = driver_toolkit(inputs, target);
    spec.extend(toolkit.map(|image| ("dtkImage".into(), json!(image.as_str()))));
    spec.insert("pushBuiltImage".into(), json!(preflight.push));
    let version = match settings.version {
        Some((version, _)) if version < SECOND => "v1beta1",
        _ => "v1beta2",
    };
    json!({
        "apiVersion": format!("kmm.sigs.x-k8s.io/{version}"),
        "kind": if toolkit.is_some() { "PreflightValidationOCP" } else { "PreflightValidation" },
        "metadata": { "name": place.to_ascii_lowercase().replace(['/', '_', '+', '~', ':'], "-") },
        "spec": spec,
    })
}

/// The Driver Toolkit that a target is built in.
fn driver_toolkit<'a>(inputs: &Inputs<'a>, target: &Target) -> Option<&'a ImageRef> {
    let graph = &inputs.plan.graph;
    let mut open = vec![target.root];
    while let Some(id) = open.pop() {
        let below = graph.inputs(id);
        if matches!(graph.node(id), Node::Kernel(stage) if stage.driver_toolkit) {
            let base = below.iter().find(|(_, edge)| *edge == Edge::From)?;
            return match graph.node(base.0) {
                Node::Base(image) => Some(image),
                _ => None,
            };
        }
        open.extend(below.iter().map(|(input, _)| *input));
    }
    None
}
