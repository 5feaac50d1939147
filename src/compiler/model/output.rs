//! `output`: what is written beside Dockerfiles, with every value parsed and every default applied.

use super::context::Lower;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::ids::{Arch, GitRef, ImageRef, Invalid, RelPath};
use crate::text::source::Span;
use std::collections::BTreeMap;

/// What puts drvc on a runner, unless `install` says otherwise.
const INSTALL: &str = "cargo install --locked drvc";

/// `output { … }`
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub bake: Option<Bake>,
    pub github: Option<Pipeline>,
    pub gitlab: Option<Pipeline>,
    pub buildconfig: Option<BuildConfig>,
    pub kmm: Option<Kmm>,
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
    /// The command that puts drvc on a runner.
    pub install: String,
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

/// `kmm { … }`
#[derive(Clone, Debug)]
pub struct Kmm {
    /// The node's name.
    pub span: Span,
    pub namespace: Option<String>,
    pub selector: BTreeMap<String, String>,
    pub tolerations: Vec<Toleration>,
    pub pull_secret: Option<String>,
    pub service_account: Option<String>,
    pub sign: Option<KmmSign>,
    /// Whether KMM builds, and for which kernels beside those of the matrix.
    pub builds: Vec<KmmBuild>,
    pub machine_config: Option<String>,
    /// Where `ordered-upgrades` stands.
    pub ordered_upgrades: Option<Span>,
    pub load_args: Vec<String>,
    pub unload_args: Vec<String>,
    pub image_pull_policy: String,
    pub registry_tls: Option<ast::Tls>,
    pub device_plugin: Option<DevicePlugin>,
}

/// `device-plugin IMAGE { … }`
#[derive(Clone, Debug)]
pub struct DevicePlugin {
    pub image: ImageRef,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub service_account: Option<String>,
}

/// `toleration KEY value= effect=`
#[derive(Clone, Debug)]
pub struct Toleration {
    pub key: String,
    pub value: Option<String>,
    pub effect: Option<String>,
}

/// `sign key= certificate=`
#[derive(Clone, Debug)]
pub struct KmmSign {
    pub key: String,
    pub certificate: String,
}

/// `build regexp=`
#[derive(Clone, Debug)]
pub struct KmmBuild {
    /// The node's name.
    pub span: Span,
    /// `regexp=`
    pub regexp: Option<String>,
    /// `secret`
    pub secrets: Vec<String>,
    /// `build-arg`
    pub args: BTreeMap<String, String>,
    /// `selector`
    pub selector: BTreeMap<String, String>,
    /// `base-image-registry-tls`
    pub tls: Option<ast::Tls>,
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
            install: INSTALL.into(),
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
        install: pipeline.install.as_ref().map_or(INSTALL, |text| text.value.as_str()).to_owned(),
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

fn lower_kmm(lower: &mut Lower<'_>, kmm: &ast::Kmm) -> Kmm {
    let mut selector = labels(lower, &kmm.selector);
    if kmm.selector.is_empty() {
        selector.insert("node-role.kubernetes.io/worker".into(), String::new());
    }
    let tolerations = kmm.tolerations.iter().filter_map(|taint| {
        let key = lower.parse("key of a taint", &taint.key, parse_label_key)?;
        let value =
            taint.value.as_ref().and_then(|text| lower.parse("value of a taint", text, parse_label_value));
        Some(Toleration { key, value, effect: taint.effect.as_ref().map(|text| text.value.clone()) })
    });
    let tolerations = tolerations.collect();
    let sign = kmm.sign.as_ref().and_then(|(key, certificate)| {
        Some(KmmSign { key: object(lower, key)?, certificate: object(lower, certificate)? })
    });
    let builds = kmm.builds.iter().map(|build| KmmBuild {
        span: build.span,
        regexp: build.regexp.as_ref().and_then(|text| lower.parse("regular expression", text, parse_regexp)),
        secrets: build.secrets.iter().filter_map(|name| object(lower, name)).collect(),
        args: texts(&build.args),
        selector: labels(lower, &build.selector),
        tls: build.tls,
    });
    let builds = builds.collect();
    let device_plugin = kmm.device_plugin.as_ref().and_then(|plugin| {
        Some(DevicePlugin {
            image: lower.parse("image reference", &plugin.image, ImageRef::parse)?,
            args: plugin.args.iter().map(|text| text.value.clone()).collect(),
            env: texts(&plugin.env),
            service_account: plugin.service_account.as_ref().and_then(|text| object(lower, text)),
        })
    });
    let mut named = |text: &Option<ast::Text>| text.as_ref().and_then(|text| object(lower, text));
    Kmm {
        span: kmm.span,
        namespace: named(&kmm.namespace),
        pull_secret: named(&kmm.pull_secret),
        service_account: named(&kmm.service_account),
        machine_config: named(&kmm.machine_config),
        selector,
        tolerations,
        sign,
        builds,
        ordered_upgrades: kmm.ordered_upgrades,
        load_args: kmm.load_args.iter().map(|text| text.value.clone()).collect(),
        unload_args: kmm.unload_args.iter().map(|text| text.value.clone()).collect(),
        image_pull_policy: kmm
            .image_pull_policy
            .as_ref()
            .map_or("IfNotPresent", |text| &text.value)
            .to_owned(),
        registry_tls: kmm.registry_tls,
        device_plugin,
    }
}

/// Labels of nodes.
fn labels(lower: &mut Lower<'_>, pairs: &[ast::Pair]) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for pair in pairs {
        let key = lower.parse("label of a node", &pair.key, parse_label_key);
        let value = lower.parse("value of a label", &pair.value, parse_label_value);
        labels.extend(key.zip(value));
    }
    labels
}

fn texts(pairs: &[ast::Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.value.clone(), pair.value.value.clone())).collect()
}

/// The name of an object of Kubernetes: a DNS label, or several with dots between them.
fn object(lower: &mut Lower<'_>, text: &ast::Text) -> Option<String> {
    lower.parse("name of an object", text, |name| {
        let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let part = |part: &str| edge(part.bytes().next()) && edge(part.bytes().last());
        let all =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        let fits = all && name.len() <= 253 && name.split('.').all(part);
        if fits {
            Ok(name.to_owned())
        } else {
            Err(Invalid("1 to 253 of a-z 0-9 - ., first and last a letter or digit"))
        }
    })
}

fn parse_label(text: &str) -> Result<String, Invalid> {
    let fits = matches!(text.len(), 1..=100)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits { Ok(text.to_owned()) } else { Err(Invalid("1 to 100 of A-Z a-z 0-9 . _ -")) }
}

fn parse_label_key(text: &str) -> Result<String, Invalid> {
    let (prefix, name) = text.rsplit_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let prefixed = prefix.is_none_or(|prefix| matches!(prefix.len(), 1..=253) && prefix.bytes().all(host));
    if prefixed && !name.is_empty() && parse_label_value(name).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(Invalid(
            "1 to 63 of A-Z a-z 0-9 . _ -, first and last a letter or digit, perhaps a domain and / before it",
        ))
    }
}

fn parse_label_value(text: &str) -> Result<String, Invalid> {
    let edge = |byte: Option<u8>| byte.is_none_or(|b| b.is_ascii_alphanumeric());
    let fits = text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits && edge(text.bytes().next()) && edge(text.bytes().last()) {
        Ok(text.to_owned())
    } else {
        Err(Invalid("up to 63 of A-Z a-z 0-9 . _ -, first and last a letter or digit"))
    }
}

/// A regular expression for kernels: KMM reads it with RE2, whose language Rust's crate shares but for details. One
/// with an escape such as `\f` can match no kernel.
fn parse_regexp(text: &str) -> Result<String, Invalid> {
    let rule = "a regular expression as RE2 reads it, without escapes of control characters such as `\\f`";
    let control = ["\\a", "\\f", "\\n", "\\r", "\\t", "\\v"].iter().any(|escape| text.contains(escape));
    if !control && text.len() <= 1000 && regex::Regex::new(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(Invalid(rule))
    }
}
