//! `output { github }`: a workflow for GitHub Actions, and the matrix of its jobs.

use super::fill::fill;
use super::install::{first_steps, other_steps};
use super::pipeline::{check, login, registries, secret_options, secrets, variable, word};
use super::yaml::{list, quoted};
use super::{Files, Inputs, Job, Jobs, header};
use crate::compiler::inputs::Checkout;
use crate::compiler::model::Pipeline;
use crate::text::ids::Arch;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where GitHub reads the workflow.
const PLACE: &str = ".github/workflows/drvc.yml";

/// The matrix of a workflow's jobs as `fromJSON` takes it: `toolkits` and `images`.
#[must_use]
pub fn matrix(jobs: &Jobs, pipeline: &Pipeline) -> Value {
    let include = |jobs: &[Job]| {
        let all = jobs.iter().map(|job| {
            let runner = match job.labels(pipeline) {
                [label] => json!(label),
                labels => json!(labels),
            };
            json!({ "name": job.name, "runner": runner, "targets": job.options() })
        });
        json!({ "include": all.collect::<Vec<_>>() })
    };
    json!({ "toolkits": include(&jobs.toolkits), "images": include(&jobs.images) })
}

/// The workflow.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Pipeline, files: &mut Files) {
    check(inputs, settings, "`github`", files);
    let workflow = Workflow { inputs, settings, has_toolkits: !inputs.json.toolkits.is_empty() };
    files.insert("github/drvc.yml", workflow.text());
}

struct Workflow<'a> {
    inputs: &'a Inputs<'a>,
    settings: &'a Pipeline,
    has_toolkits: bool,
}

impl Workflow<'_> {
    fn text(&self) -> String {
        let Pipeline { branches, directory, .. } = self.settings;
        let branches: Vec<_> = branches.iter().map(|branch| quoted(branch.as_str())).collect();
        let in_directory =
            format!("defaults:\n  run:\n    working-directory: {}\n", quoted(directory.as_str()));
        let labels = Arch::ALL.iter().find_map(|arch| self.settings.runners.get(arch));
        fill(
            include_str!("templates/github.yml"),
            &[
                (
                    "header",
                    &header(self.inputs.manifest, &format!("GitHub reads it as {PLACE}: copy it there.")),
                ),
                ("branches", &branches.join(", ")),
                ("defaults", if directory.is_root() { "" } else { &in_directory }),
                ("runner", &list(labels.into_iter().flatten().map(String::as_str))),
                ("install", &first_steps(self.settings)),
                ("checkout", &self.checkout()),
                ("out", &word(self.inputs.out.as_str())),
                ("toolkits", &if self.has_toolkits { self.job("toolkits") } else { String::new() }),
                ("images", &self.job("images")),
            ],
        )
    }

    /// What `actions/checkout` leaves out unless it is asked for.
    fn checkout(&self) -> String {
        let Checkout { lfs, submodules } = self.inputs.checkout;
        let lines = [(lfs, "          lfs: true\n"), (submodules, "          submodules: recursive\n")];
        lines.iter().filter(|(needed, _)| *needed).map(|(_, line)| *line).collect()
    }

    /// The job of one phase.
    fn job(&self, phase: &str) -> String {
        let of_images = phase == "images";
        let secrets = secrets(self.inputs.json);
        let pushes = self.pushes();
        fill(
            include_str!("templates/github-job.yml"),
            &[
                ("phase", phase),
                ("title", if of_images { "Images for" } else { "Toolkit for" }),
                ("needs", if of_images && self.has_toolkits { "[changes, toolkits]" } else { "changes" }),
                ("condition", &self.condition(phase, &pushes, !secrets.is_empty())),
                ("install", &other_steps(self.settings)),
                ("checkout", &self.checkout()),
                ("logins", &self.logins(&pushes)),
                ("pushes", &pushes),
                ("secrets", &environment(&secrets)),
                ("engine", self.settings.engine.name()),
                ("options", &secret_options(&secrets)),
            ],
        )
    }

    /// Whether what is built is pushed: only from the branches named.
    fn pushes(&self) -> String {
        let refs = self.settings.branches.iter().map(|branch| format!("github.ref == 'refs/heads/{branch}'"));
        refs.collect::<Vec<_>>().join(" || ")
    }

    /// Images are built even where there was no toolkit to build. No toolkit is built that cannot be pushed: each job
    /// makes its own then. What needs secrets is not built for a fork, which gets none.
    fn condition(&self, phase: &str, pushes: &str, needs_secrets: bool) -> String {
        let mut parts = Vec::new();
        if phase == "images" && self.has_toolkits {
            parts.push(
                "!cancelled() && needs.changes.result == 'success' && needs.toolkits.result != 'failure'"
                    .into(),
            );
        }
        if phase == "toolkits" {
            parts.push(format!("({pushes})"));
        }
        if needs_secrets {
            parts.push("!github.event.pull_request.head.repo.fork".into());
        }
        parts.push(format!("fromJSON(needs.changes.outputs.matrix).{phase}.include[0] != null"));
        format!("${{{{ {} }}}}", parts.join(" &&\n      "))
    }

    fn logins(&self, pushes: &str) -> String {
        let steps = registries(self.inputs.json).into_iter().map(|registry| {
            let (user, password) = (variable(&[registry, "user"]), variable(&[registry, "password"]));
            format!(
                "      - name: {}\n        if: {pushes}\n        env:\n          \
                 {user}: ${{{{ secrets.{user} }}}}\n          {password}: ${{{{ secrets.{password} }}}}\n        \
                 run: {}\n",
                quoted(&format!("Log in to {registry}")),
                quoted(&login(self.settings.engine, registry))
            )
        });
        steps.collect()
    }
}

/// The secrets of builds, as a job gets them.
fn environment(secrets: &BTreeMap<&str, &str>) -> String {
    let lines = secrets.keys().map(|id| {
        let name = variable(&[id]);
        format!("          {name}: ${{{{ secrets.{name} }}}}\n")
    });
    lines.collect()
}
