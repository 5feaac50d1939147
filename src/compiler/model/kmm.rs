//! `output { kmm }`, with every value parsed and every default applied.

use super::context::Lower;
use super::kubernetes::{labels, object, parse_label_key, parse_label_value};
use crate::language::syntax::ast;
use crate::text::ids::{ImageRef, Invalid};
use crate::text::source::Span;
use std::collections::BTreeMap;

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
    pub device_plugin: Option<Plugin>,
    /// The version of the cluster's KMM, and where it is named.
    pub version: Option<(KmmVersion, Span)>,
    pub raw_args: Option<RawArgs>,
    pub image_rebuild_trigger: Option<u32>,
    pub dra: Option<Dra>,
    pub preflight: Option<ast::Preflight>,
}

/// `version`: a version of KMM
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KmmVersion {
    pub major: u16,
    pub minor: u16,
}

impl std::fmt::Display for KmmVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// `raw-args { load; unload }`
#[derive(Clone, Debug)]
pub struct RawArgs {
    /// The node's name.
    pub span: Span,
    pub load: Vec<String>,
    pub unload: Vec<String>,
}

/// `dra DRIVER image= { … }`
#[derive(Clone, Debug)]
pub struct Dra {
    pub driver: String,
    pub plugin: Plugin,
    /// Each with its selectors, in CEL.
    pub classes: Vec<(String, Vec<String>)>,
}

/// The container of `device-plugin` and `dra`
#[derive(Clone, Debug)]
pub struct Plugin {
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
    pub regexp: Option<String>,
    pub secrets: Vec<String>,
    /// `build-arg`
    pub args: BTreeMap<String, String>,
    pub selector: BTreeMap<String, String>,
    /// `base-image-registry-tls`
    pub tls: Option<ast::Tls>,
}

pub(super) fn lower_kmm(lower: &mut Lower<'_>, kmm: &ast::Kmm) -> Kmm {
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
    let device_plugin = kmm.device_plugin.as_ref().and_then(|one| plugin(lower, one));
    let dra = kmm.dra.as_ref().and_then(|dra| {
        let classes = dra
            .classes
            .iter()
            .filter_map(|class| Some((object(lower, &class.name)?, values(&class.selectors))));
        let classes = classes.collect();
        Some(Dra { driver: object(lower, &dra.driver)?, plugin: plugin(lower, &dra.plugin)?, classes })
    });
    let version = kmm
        .version
        .as_ref()
        .and_then(|text| Some((lower.parse("version of KMM", text, parse_version)?, text.span)));
    let raw_args = kmm.raw_args.as_ref().map(|(span, load, unload)| RawArgs {
        span: *span,
        load: values(load),
        unload: values(unload),
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
        load_args: values(&kmm.load_args),
        unload_args: values(&kmm.unload_args),
        image_pull_policy: kmm
            .image_pull_policy
            .as_ref()
            .map_or("IfNotPresent", |text| &text.value)
            .to_owned(),
        registry_tls: kmm.registry_tls,
        device_plugin,
        version,
        raw_args,
        image_rebuild_trigger: kmm.image_rebuild_trigger,
        dra,
        preflight: kmm.preflight,
    }
}

fn plugin(lower: &mut Lower<'_>, plugin: &ast::Plugin) -> Option<Plugin> {
    Some(Plugin {
        image: lower.parse("image reference", &plugin.image, ImageRef::parse)?,
        args: values(&plugin.args),
        env: texts(&plugin.env),
        service_account: plugin.service_account.as_ref().and_then(|text| object(lower, text)),
    })
}

fn values(texts: &[ast::Text]) -> Vec<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}

fn texts(pairs: &[ast::Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.value.clone(), pair.value.value.clone())).collect()
}

/// `2.3`, or `2.3.0` as its images are tagged.
fn parse_version(text: &str) -> Result<KmmVersion, Invalid> {
    let numbers: Option<Vec<u16>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([major, minor] | [major, minor, _]) => Ok(KmmVersion { major: *major, minor: *minor }),
        _ => Err(Invalid("a version such as 2.3")),
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
