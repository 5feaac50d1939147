//! `output { buildconfig }`: a BuildConfig of OpenShift for each target, with its ImageStream.

use super::{Files, Inputs, dockerfile, header, yaml};
use crate::compiler::keys;
use crate::compiler::model::BuildConfig;
use crate::compiler::outputs::PlanTarget;
use crate::compiler::plan::Target;
use crate::text::diag::{Code, Diagnostic, count};
use serde_json::{Map, Value, json};

/// The longest name of a BuildConfig: builds add a number, and labels hold 63 bytes.
const LONGEST: usize = 57;

/// One file for each target that a cluster can build.
pub(super) fn files(inputs: &Inputs<'_>, settings: &BuildConfig, files: &mut Files) {
    for image in &inputs.model.images {
        let name = &image.layers.name;
        let targets = inputs.plan.targets.iter().zip(&inputs.json.targets);
        let (mut with_files, mut with_secrets) = (0, 0);
        for (target, json) in targets.filter(|(target, _)| target.image == *name) {
            if !json.contexts.is_empty() || inputs.model.mirror.authority.is_some() {
                with_files += 1;
            } else if !json.secrets.is_empty() {
                with_secrets += 1;
            } else {
                let stream = settings.push_secret.is_none().then(|| image_stream(settings, target));
                let mut documents: Vec<_> = stream.into_iter().collect();
                documents.push(build_config(inputs, settings, target, json));
                let header = header(inputs.manifest, "`oc apply -f` it.");
                files
                    .insert(&format!("buildconfig/{}.yaml", target.id), yaml::documents(&header, &documents));
            }
        }
        let reasons = [
            (with_files, "files of this repository, which a build in a cluster does not see"),
            (with_secrets, "build secrets, which a BuildConfig cannot hand over"),
        ];
        for (number, why) in reasons.into_iter().filter(|(number, _)| *number > 0) {
            files.diagnostics.push(
                Diagnostic::new(
                    Code::UnmappedSetting,
                    format!(
                        "no BuildConfig can build {} of image `{name}`: that takes {why}",
                        count(number, "target")
                    ),
                )
                .label(image.layers.span, "no BuildConfig is written for these")
                .label(settings.span, "asked for here")
                .help("build these outside of the cluster, with `drvc build --push`"),
            );
        }
    }
}

fn metadata(settings: &BuildConfig, name: &str, target: Option<(&Target, &PlanTarget)>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(name));
    metadata.extend(settings.namespace.iter().map(|namespace| ("namespace".into(), json!(namespace))));
    if let Some((target, json)) = target {
        metadata.insert("labels".into(), json!({ "dev.drvc.image": target.image.as_str() }));
        let annotations = json!({ "dev.drvc.target": target.id.as_str(), keys::LABEL: json.key });
        metadata.insert("annotations".into(), annotations);
    }
    Value::Object(metadata)
}

fn image_stream(settings: &BuildConfig, target: &Target) -> Value {
    let name = object(target.image.as_str());
    json!({
        "apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": metadata(settings, &name, None),
        "spec": {},
    })
}

fn build_config(inputs: &Inputs<'_>, settings: &BuildConfig, target: &Target, json: &PlanTarget) -> Value {
    let mut strategy = Map::new();
    if target.subscribed {
        strategy.insert(
            "volumes".into(),
            json!([{
                "name": "entitlement",
                "mounts": [{ "destinationPath": "/etc/pki/entitlement" }],
                "source": { "type": "Secret", "secret": { "secretName": settings.entitlement_secret } },
            }]),
        );
    }
    let secret = |name: &String| json!({ "name": name });
    strategy.extend(settings.pull_secret.iter().map(|name| ("pullSecret".into(), secret(name))));
    let text = dockerfile(inputs, target);
    let text = if target.subscribed { entitled(&text) } else { text };
    // This file is the one that is built.
    let text = text + &keys::instruction(&json.key, &[]);
    let tag = target.tags.first().and_then(|tag| tag.tag()).unwrap_or("latest");
    let output = match (&settings.push_secret, target.tags.first()) {
        (Some(name), Some(tag)) => {
            json!({ "to": { "kind": "DockerImage", "name": tag.as_str() }, "pushSecret": secret(name) })
        }
        _ => json!({
            "to": { "kind": "ImageStreamTag", "name": format!("{}:{tag}", object(target.image.as_str())) },
        }),
    };
    json!({
        "apiVersion": "build.openshift.io/v1",
        "kind": "BuildConfig",
        "metadata": metadata(settings, &name(target), Some((target, json))),
        "spec": {
            "runPolicy": "Serial",
            "triggers": [{ "type": "ConfigChange" }],
            "nodeSelector": { "kubernetes.io/arch": target.at.arch.oci() },
            "source": { "type": "Dockerfile", "dockerfile": text },
            "strategy": { "type": "Docker", "dockerStrategy": strategy },
            "output": output,
        },
    })
}

/// A Dockerfile in which each image from outside looks for the subscription where the build mounts it: Red Hat's have a
/// link to a host's, `/etc/rhsm-host`, which a build in a cluster does not have.
fn entitled(dockerfile: &str) -> String {
    let mut text = String::new();
    let mut stages: Vec<&str> = Vec::new();
    for (at, stage) in dockerfile.split_inclusive("\nFROM ").enumerate() {
        let from = stage.split_whitespace().nth(usize::from(at == 0)).unwrap_or_default();
        let (first, rest) = stage.split_once('\n').unwrap_or((stage, ""));
        text.push_str(first);
        text.push('\n');
        if stage.contains("\nRUN ") && !stages.contains(&from) {
            text.push_str("RUN rm -rf /etc/rhsm-host\n");
        }
        text.push_str(rest);
        stages.extend(first.split_once(" AS ").map(|(_, name)| name));
    }
    text
}

#[cfg(test)]
#[test]
fn images_from_outside_forget_the_host_they_would_ask() {
    let dockerfile = "FROM ubi AS kernel\nRUN dnf install make\nFROM kernel AS pack\nRUN make\nFROM micro\nCOPY --from=pack /a /a\n";
    let expected = "FROM ubi AS kernel\nRUN rm -rf /etc/rhsm-host\nRUN dnf install make\nFROM kernel AS pack\nRUN make\n\
                    FROM micro\nCOPY --from=pack /a /a\n";
    assert_eq!(entitled(dockerfile), expected);
}

/// The target's id as a name of Kubernetes; a long one ends in a piece of its digest instead.
fn name(target: &Target) -> String {
    let name = object(target.id.as_str());
    if name.len() <= LONGEST {
        return name;
    }
    let digest = blake3::hash(target.id.as_str().as_bytes()).to_hex();
    let start = name.get(..LONGEST - 9).unwrap_or(&name).trim_end_matches(['-', '.']);
    format!("{start}-{}", digest.get(..8).unwrap_or_default())
}

/// Letters, digits, `-` and `.`, as names of Kubernetes are made of.
fn object(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.chars().map(|c| if fits(c) { c.to_ascii_lowercase() } else { '-' }).collect()
}
