//! `output { gitlab }`: a pipeline for GitLab, and the child pipeline whose jobs build what changed.

use super::fill::fill;
use super::install::{artifacts, first_lines, needs, other_lines, parent};
use super::pipeline::{check, login, registries, secret_options, secrets, word};
use super::yaml::{list, quoted};
use super::{Files, Inputs, Job, Jobs, header};
use crate::compiler::model::Pipeline;
use crate::compiler::outputs::PlanJson;
use crate::text::ids::Arch;
use std::collections::{BTreeMap, BTreeSet};

/// The pipeline.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Pipeline, files: &mut Files) {
    check(inputs, settings, "`gitlab`", files);
    let use_it =
        format!("Your .gitlab-ci.yml has it by `include: {{local: {}/gitlab/drvc.yml}}`.", inputs.out);
    let submodules = inputs.checkout.submodules;
    let labels = Arch::ALL.iter().find_map(|arch| settings.runners.get(arch));
    let deep = if submodules { "    GIT_SUBMODULE_STRATEGY: recursive\n" } else { "" };
    let variables = format!("{deep}{}", parent(settings));
    let variables = if variables.is_empty() { variables } else { format!("  variables:\n{variables}") };
    let text = fill(
        include_str!("templates/gitlab.yml"),
        &[
            ("header", &header(inputs.manifest, &use_it)),
            ("image", &image(settings)),
            ("tags", &tags(labels.map(Vec::as_slice).unwrap_or_default())),
            ("install", &first_lines(settings)),
            ("artifacts", artifacts(settings)),
            ("directory", &directory(settings)),
            // The runner fetches what Git LFS holds by itself. The jobs that are triggered get these variables, too.
            ("submodules", deep),
            ("build-variables", &variables),
            ("diff", &quoted(&format!("git diff --exit-code -- {}", word(inputs.out.as_str())))),
        ],
    );
    files.insert("gitlab/drvc.yml", text);
}

/// The child pipeline with these jobs; one that says so where there are none, since GitLab refuses an empty one.
#[must_use]
pub fn child(plan: &PlanJson, jobs: &Jobs, settings: &Pipeline, push: bool) -> String {
    let secrets = secrets(plan);
    let logins = registries(plan).into_iter().filter(|_| push);
    let logins = logins.map(|registry| format!("    - {}\n", quoted(&login(settings.engine, registry))));
    // What cannot be pushed cannot be shared: each job makes its own toolkit then.
    let toolkits = if push { &jobs.toolkits[..] } else { &[] };
    let before: BTreeSet<_> = toolkits.iter().map(|job| format!("toolkits {}", job.arch)).collect();
    let before: Vec<_> = before.into_iter().collect();
    let mut all = phase("toolkits", toolkits, settings, &[]);
    all.push_str(&phase("images", &jobs.images, settings, &before));
    if all.is_empty() {
        let nothing = "\nnothing-changed:\n  stage: images\n  script: [\"echo 'no target differs'\"]\n";
        all.push_str(nothing);
    }
    fill(
        include_str!("templates/gitlab-jobs.yml"),
        &[
            ("image", &image(settings)),
            ("before-script", &before_script(settings, &logins.collect::<String>())),
            ("engine", settings.engine.name()),
            ("push", if push { "--push " } else { "" }),
            ("options", &secret_options(&secrets)),
            ("jobs", &all),
        ],
    )
}

/// What comes before a job's own command, where there is anything: the word alone would be `null`.
fn before_script(settings: &Pipeline, logins: &str) -> String {
    let lines = other_lines(settings) + &directory(settings) + logins;
    if lines.is_empty() { lines } else { format!("  before_script:\n{lines}") }
}

/// The jobs of a phase: one for each architecture, run once for each line of its matrix.
fn phase(stage: &str, jobs: &[Job], settings: &Pipeline, before: &[String]) -> String {
    let needs = needs(settings, before);
    let mut by_arch: BTreeMap<&str, Vec<&Job>> = BTreeMap::new();
    jobs.iter().for_each(|job| by_arch.entry(&job.arch).or_default().push(job));
    let texts = by_arch.into_iter().map(|(arch, jobs)| {
        let labels = jobs.first().map(|job| job.labels(settings)).unwrap_or_default();
        let lines = jobs.iter().map(|job| {
            format!("      - NAME: {}\n        TARGETS: {}\n", quoted(&job.name), quoted(&job.options()))
        });
        format!(
            "\n{stage} {arch}:\n  extends: .drvc\n  stage: {stage}\n{needs}{}  parallel:\n    matrix:\n{}",
            tags(labels),
            lines.collect::<String>()
        )
    });
    texts.collect()
}

/// What goes to the manifest, where it does not lie on top.
fn directory(settings: &Pipeline) -> String {
    let directory = &settings.directory;
    if directory.is_root() {
        String::new()
    } else {
        format!("    - {}\n", quoted(&format!("cd {}", word(directory.as_str()))))
    }
}

fn image(settings: &Pipeline) -> String {
    settings.image.as_ref().map(|image| format!("  image: {}\n", quoted(image.as_str()))).unwrap_or_default()
}

fn tags(labels: &[String]) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("  tags: {}\n", list(labels.iter().map(String::as_str)))
    }
}
