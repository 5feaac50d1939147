//! How drvc comes to the jobs of a pipeline: by each job itself, or from the first, which hands it to the others.

use super::yaml::quoted;
use crate::compiler::model::{Engine, Install, Pipeline};
use std::fmt::Write as _;

/// The lines of a shell that put a checked drvc at `$DRVC_HOME/bin/drvc`.
fn fetch(install: &Install, engine: Engine) -> Vec<String> {
    let place = "\"$DRVC_HOME/bin/drvc\"";
    let fetched = match install {
        Install::Command(_) => return Vec::new(),
        Install::Url { url, sha256 } => vec![
            format!("curl -fsSL --proto =https --retry 3 -o {place} -- '{url}'"),
            format!("printf '%s  %s\\n' {sha256} {place} | sha256sum -c -"),
        ],
        Install::Image(image) => {
            // buildah has no way to a file of an image that needs no root; where it is, podman is.
            let engine = if engine == Engine::Docker { "docker" } else { "podman" };
            vec![
                format!("container=$({engine} create {image} drvc)"),
                format!("{engine} cp \"$container:/usr/bin/drvc\" {place}"),
                format!("{engine} rm \"$container\""),
            ]
        }
        Install::CargoGit { url, rev } => {
            vec![format!("cargo install --locked --root \"$DRVC_HOME\" --git '{url}' --rev {rev} drvc")]
        }
    };
    let first = ["mkdir -p \"$DRVC_HOME/bin\"".to_owned()];
    first
        .into_iter()
        .chain(fetched)
        .chain([format!("chmod +x {place}"), format!("{place} --version")])
        .collect()
}

fn is_handed_on(settings: &Pipeline) -> bool {
    !matches!(settings.install, None | Some(Install::Command(_)))
}

/// A step of a workflow that runs a command in every job.
fn command_step(settings: &Pipeline) -> String {
    match &settings.install {
        Some(Install::Command(command)) => {
            format!("      - name: Install drvc\n        run: {}\n", quoted(command))
        }
        _ => String::new(),
    }
}

/// The steps of the first job of a workflow.
pub(super) fn first_steps(settings: &Pipeline) -> String {
    let Some(install) = settings.install.as_ref().filter(|_| is_handed_on(settings)) else {
        return command_step(settings);
    };
    let mut text =
        "      - name: Fetch drvc, and check that it is what the manifest names\n        run: |\n".to_owned();
    let lines = ["DRVC_HOME=$RUNNER_TEMP/drvc".to_owned()].into_iter().chain(fetch(install, settings.engine));
    for line in lines.chain(["printf '%s\\n' \"$DRVC_HOME/bin\" >>\"$GITHUB_PATH\"".to_owned()]) {
        let _ = writeln!(text, "          {line}");
    }
    text + "      - name: Hand drvc to the other jobs\n        uses: actions/upload-artifact@v4\n        with:\n          \
            name: drvc\n          path: ${{ runner.temp }}/drvc/bin/drvc\n          retention-days: 1\n"
}

/// The steps of every other job of a workflow.
pub(super) fn other_steps(settings: &Pipeline) -> String {
    if !is_handed_on(settings) {
        return command_step(settings);
    }
    "      - name: Take drvc from the first job\n        uses: actions/download-artifact@v4\n        with:\n          \
     name: drvc\n          path: ${{ runner.temp }}/drvc/bin\n      - name: Install drvc\n        run: |\n          \
     chmod +x \"$RUNNER_TEMP/drvc/bin/drvc\"\n          printf '%s\\n' \"$RUNNER_TEMP/drvc/bin\" >>\"$GITHUB_PATH\"\n"
        .to_owned()
}

/// Where the jobs of GitLab have it.
const GITLAB_HOME: &str = "$CI_PROJECT_DIR/drvc-home";

/// The lines of the first job of a pipeline of GitLab.
pub(super) fn first_lines(settings: &Pipeline) -> String {
    let lines = match &settings.install {
        None => Vec::new(),
        Some(Install::Command(command)) => vec![command.clone()],
        Some(install) => {
            let home =
                [format!("DRVC_HOME={GITLAB_HOME}"), "export PATH=\"$DRVC_HOME/bin:$PATH\"".to_owned()];
            home.into_iter().chain(fetch(install, settings.engine)).collect()
        }
    };
    lines.iter().map(|line| format!("    - {}\n", quoted(line))).collect()
}

/// The lines of the jobs that it triggers.
pub(super) fn other_lines(settings: &Pipeline) -> String {
    match &settings.install {
        Some(Install::Command(command)) => format!("    - {}\n", quoted(command)),
        _ if is_handed_on(settings) => {
            let path = format!("export PATH=\"{GITLAB_HOME}/bin:$PATH\"");
            let mode = format!("chmod +x \"{GITLAB_HOME}/bin/drvc\"");
            format!("    - {}\n    - {}\n", quoted(&mode), quoted(&path))
        }
        _ => String::new(),
    }
}

/// What the first job of GitLab leaves for the others.
pub(super) fn artifacts(settings: &Pipeline) -> &'static str {
    if is_handed_on(settings) {
        "drvc-jobs.yml, drvc-report.html, drvc-home/bin/drvc"
    } else {
        "drvc-jobs.yml, drvc-report.html"
    }
}

/// The variable by which the jobs that are triggered find the first one.
pub(super) fn parent(settings: &Pipeline) -> &'static str {
    if is_handed_on(settings) { "    DRVC_PIPELINE: $CI_PIPELINE_ID\n" } else { "" }
}

/// What a triggered job waits for: the first job's artifact, and, since naming anything lifts the order of stages, the jobs of
/// the stage before.
pub(super) fn needs(settings: &Pipeline, before: &[String]) -> String {
    if !is_handed_on(settings) {
        return String::new();
    }
    let jobs = before.iter().map(|job| format!("    - job: {}\n", quoted(job)));
    let first = "  needs:\n    - pipeline: $DRVC_PIPELINE\n      job: drvc-changes\n".to_owned();
    first + &jobs.collect::<String>()
}
