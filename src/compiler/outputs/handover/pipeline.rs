//! What the pipelines of all services have in common: secrets, registries, and the words of a job.

use super::{Files, Inputs, jobs, jobs::without_runner};
use crate::compiler::model::{Engine, Install, Pipeline};
use crate::compiler::outputs::{PlanJson, PlanSecret};
use crate::text::diag::{Code, Diagnostic, listed};
use std::collections::{BTreeMap, BTreeSet};

/// The secrets that builds of any target need, by id.
pub(super) fn secrets(plan: &PlanJson) -> BTreeMap<&str, &str> {
    let of_targets = plan.targets.iter().flat_map(|target| &target.secrets);
    let of_toolkits = plan.toolkits.iter().flat_map(|toolkit| &toolkit.secrets);
    let all = of_targets.chain(of_toolkits);
    all.map(|PlanSecret { id, purpose }| (id.as_str(), purpose.as_str())).collect()
}

/// The registries that images are pushed to.
pub(super) fn registries(plan: &PlanJson) -> BTreeSet<&str> {
    let tags = plan.targets.iter().flat_map(|target| &target.tags).map(String::as_str);
    let all = tags.chain(plan.toolkits.iter().map(|toolkit| toolkit.reference.as_str()));
    let hosts = all.map(|reference| match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    });
    hosts.collect()
}

/// The name that a service keeps a secret under: `QUAY_IO_PASSWORD`.
pub(super) fn variable(words: &[&str]) -> String {
    let name = words.join("_").to_ascii_uppercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A path as one word of a shell.
pub(super) fn word(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._/-+".contains(&b);
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// The options of `drvc build` that hand over secrets from the environment.
pub(super) fn secret_options(secrets: &BTreeMap<&str, &str>) -> String {
    secrets.keys().map(|id| format!("--secret id={id},env={} ", variable(&[id]))).collect()
}

/// A command that logs in to a registry with what two variables hold.
pub(super) fn login(engine: Engine, registry: &str) -> String {
    let (user, password) = (variable(&[registry, "user"]), variable(&[registry, "password"]));
    format!(
        "printf '%s' \"${password}\" | {} login --username \"${user}\" --password-stdin {registry}",
        engine.name()
    )
}

/// Reports architectures that no runner builds for, and entitlements that a runner does not have.
pub(super) fn check(inputs: &Inputs<'_>, settings: &Pipeline, service: &str, files: &mut Files) {
    if settings.install.is_none() {
        let report = Diagnostic::new(
            Code::MissingInstall,
            format!("nothing says how drvc comes to the runners of {service}"),
        );
        let report = report.label(settings.span, "no `install` in it");
        files.diagnostics.push(report.help(
            "write `install image=\"HOST/drvc@sha256:DIGEST\"`, `install url=\"URL\" sha256=\"CHECKSUM\"` or `install cargo-git=\"URL\" \
             rev=\"COMMIT\"`; where runners have it already, `install \"drvc --version\"`",
        ));
    }
    let wanted: BTreeSet<String> = inputs.json.targets.iter().map(|target| target.id.clone()).collect();
    let all = jobs(inputs.json, &wanted, usize::MAX);
    let archs: BTreeSet<_> = all.toolkits.iter().chain(&all.images).map(|job| job.arch.as_str()).collect();
    if let Some(Install::Command(_)) | None = settings.install {
    } else if archs.len() > 1 {
        let archs = listed(archs.iter().copied(), "and");
        files.diagnostics.push(
            Diagnostic::new(Code::MissingInstall, format!("one program of drvc cannot run on {archs}"))
                .label(settings.span, "its first job hands the program to jobs of other architectures")
                .help("name a command that each job runs, such as `install \"drvc --version\"` where runners have drvc"),
        );
    }
    if let Some(arch) = without_runner(&all, settings) {
        files.diagnostics.push(
            Diagnostic::new(Code::MissingRunner, format!("{service} has no runner for {arch}"))
                .label(settings.span, "no `runner` in it for that architecture")
                .help(format!("name one of yours: `runner \"LABEL\" arch=\"{arch}\"`")),
        );
    }
    let hosted = |arch| {
        settings
            .runners
            .get(&arch)
            .is_some_and(|labels| labels.iter().any(|label| label.starts_with("ubuntu-")))
    };
    let targets = inputs.plan.targets.iter().zip(&inputs.json.targets);
    let mut lost = targets
        .filter(|(target, json)| target.subscribed && json.secrets.is_empty() && hosted(target.at.arch));
    if let Some((target, _)) = lost.next() {
        files.diagnostics.push(
            Diagnostic::new(Code::UnmappedSetting, format!("a machine of {service} has no subscription for {}", target.at.os))
                .label(settings.span, "its own machines build")
                .label(target.span, "this kernel's packages are for subscribers")
                .help(format!(
                    "name a subscribed machine of yours, `runner \"LABEL\" arch=\"{}\"`, or use `entitlement \"rhsm\"`",
                    target.at.arch
                )),
        );
    }
}
