//! `output`: what is written beside Dockerfiles, with every value parsed and every default applied.

use super::context::Lower;
use super::install::{Install, lower_install};
use super::kmm::{Kmm, lower_kmm};
use super::kubernetes::object;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::ids::{Arch, GitRef, ImageRef, Invalid, RelPath};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// `output { … }`
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub bake: Option<Bake>,
    pub github: Option<Pipeline>,
    pub gitlab: Option<Pipeline>,
    pub buildconfig: Option<BuildConfig>,
    pub kmm: Option<Kmm>,
}

impl Output {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { bake, github, gitlab, buildconfig, kmm } = self;
        bake.is_none() && github.is_none() && gitlab.is_none() && buildconfig.is_none() && kmm.is_none()
    }

    /// Whether a cluster receives Dockerfiles.
    #[must_use]
    pub const fn is_for_clusters(&self) -> bool {
        self.buildconfig.is_some() || self.kmm.is_some()
    }
}

/// `bake { … }`
#[derive(Clone, Debug)]
pub struct Bake {
    pub cache_from: Vec<Template>,
    pub cache_to: Vec<Template>,
}

/// `github { … }` and `gitlab { … }`
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The node's name.
    pub span: Span,
    /// The manifest's directory in the repository.
    pub directory: RelPath,
    /// What puts drvc on a runner; the manifest has to say it.
    pub install: Option<Install>,
    /// The engine that builds there.
    pub engine: Engine,
    /// The branches whose images are pushed; of GitHub alone.
    pub branches: Vec<GitRef>,
    /// The image that jobs run in; of GitLab alone.
    pub image: Option<ImageRef>,
    /// The labels of the runner for each architecture.
    pub runners: BTreeMap<Arch, Vec<String>>,
}

/// An engine that a pipeline builds with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Podman,
    Buildah,
    Docker,
}

impl Engine {
    /// The name of its program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Buildah => "buildah",
            Self::Docker => "docker",
        }
    }
}

/// `buildconfig { … }`
#[derive(Clone, Debug)]
pub struct BuildConfig {
    /// The node's name.
    pub span: Span,
    pub namespace: Option<String>,
    pub entitlement_secret: String,
    pub pull_secret: Option<String>,
    pub push_secret: Option<String>,
}

/// Lowers `output`; nothing where there is none.
pub(super) fn lower_output(lower: &mut Lower<'_>, output: Option<&ast::Output>) -> Output {
    let Some(output) = output else { return Output::default() };
    Output {
        bake: output.bake.as_ref().map(|bake| lower_bake(lower, bake)),
        github: output.github.as_ref().map(|github| lower_pipeline(lower, github, GITHUB_RUNNERS)),
        gitlab: output.gitlab.as_ref().map(|gitlab| lower_pipeline(lower, gitlab, GITLAB_RUNNERS)),
        buildconfig: output.buildconfig.as_ref().map(|buildconfig| lower_buildconfig(lower, buildconfig)),
        kmm: output.kmm.as_ref().map(|kmm| lower_kmm(lower, kmm)),
    }
}

/// GitHub's own machines, by their labels.
const GITHUB_RUNNERS: &[(Arch, &[&str])] =
    &[(Arch::X86_64, &["ubuntu-24.04"]), (Arch::Aarch64, &["ubuntu-24.04-arm"])];

/// Any runner of GitLab, which are x86_64 unless they have a tag that says otherwise.
const GITLAB_RUNNERS: &[(Arch, &[&str])] = &[(Arch::X86_64, &[])];

fn default_runners(defaults: &[(Arch, &[&str])]) -> BTreeMap<Arch, Vec<String>> {
    defaults.iter().map(|(arch, labels)| (*arch, labels.iter().map(ToString::to_string).collect())).collect()
}

impl Pipeline {
    /// What holds where the manifest has no `github`, or no `gitlab`; `span` is that of the manifest.
    #[must_use]
    pub fn default_of(service: Service, span: Span) -> Self {
        Self {
            span,
            directory: RelPath::root(),
            install: None,
            engine: Engine::Podman,
            branches: GitRef::parse("main").into_iter().collect(),
            image: None,
            runners: default_runners(match service {
                Service::Github => GITHUB_RUNNERS,
                Service::Gitlab => GITLAB_RUNNERS,
            }),
        }
    }
}

/// A service that runs pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Github,
    Gitlab,
}

fn lower_bake(lower: &mut Lower<'_>, bake: &ast::Bake) -> Bake {
    let in_image = Variable::in_image;
    let mut caches = |texts: &[ast::Text]| -> Vec<Template> {
        texts.iter().filter_map(|text| lower.template(text, in_image)).collect()
    };
    Bake { cache_from: caches(&bake.cache_from), cache_to: caches(&bake.cache_to) }
}

fn lower_pipeline(lower: &mut Lower<'_>, pipeline: &ast::Pipeline, defaults: &[(Arch, &[&str])]) -> Pipeline {
    let mut runners = default_runners(defaults);
    for runner in &pipeline.runners {
        let labels = runner.labels.iter();
        let labels: Vec<_> =
            labels.filter_map(|label| lower.parse("label of a runner", label, parse_label)).collect();
        runners.extend(Arch::parse(&runner.arch.value).map(|arch| (arch, labels)));
    }
    let branches = pipeline.branches.iter().filter_map(|name| lower.parse("branch", name, GitRef::parse));
    let mut branches: Vec<_> = branches.collect();
    if branches.is_empty() {
        branches.extend(GitRef::parse("main"));
    }
    let directory = pipeline.directory.as_ref().and_then(|text| lower.parse("path", text, RelPath::parse));
    Pipeline {
        span: pipeline.span,
        directory: directory.unwrap_or_else(RelPath::root),
        install: pipeline.install.as_ref().and_then(|install| lower_install(lower, install)),
        engine: match pipeline.engine.as_ref().map(|text| text.value.as_str()) {
            Some("buildah") => Engine::Buildah,
            Some("docker") => Engine::Docker,
            _ => Engine::Podman,
        },
        branches,
        image: pipeline.image.as_ref().and_then(|text| lower.parse("image reference", text, ImageRef::parse)),
        runners,
    }
}

fn lower_buildconfig(lower: &mut Lower<'_>, buildconfig: &ast::BuildConfig) -> BuildConfig {
    let secret = buildconfig.entitlement_secret.as_ref().and_then(|text| object(lower, text));
    let mut named = |text: &Option<ast::Text>| text.as_ref().and_then(|text| object(lower, text));
    BuildConfig {
        span: buildconfig.span,
        namespace: named(&buildconfig.namespace),
        pull_secret: named(&buildconfig.pull_secret),
        push_secret: named(&buildconfig.push_secret),
        entitlement_secret: secret.unwrap_or_else(|| "etc-pki-entitlement".into()),
    }
}

fn parse_label(text: &str) -> Result<String, Invalid> {
    let fits = matches!(text.len(), 1..=100)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits { Ok(text.to_owned()) } else { Err(Invalid("1 to 100 of A-Z a-z 0-9 . _ -")) }
}
