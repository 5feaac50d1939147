//! `output` as it was written: the hand-over formats, each with its settings.

use super::{Pair, Text};
use crate::text::source::Span;

/// `output { … }`: which of the hand-over formats to write too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The node's name.
    pub span: Span,
    pub bake: Option<Bake>,
    pub github: Option<Pipeline>,
    pub gitlab: Option<Pipeline>,
    pub buildconfig: Option<BuildConfig>,
    pub kmm: Option<Kmm>,
}

/// `bake { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bake {
    pub cache_from: Vec<Text>,
    pub cache_to: Vec<Text>,
}

/// `github { … }` and `gitlab { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The node's name.
    pub span: Span,
    pub directory: Option<Text>,
    pub install: Option<Text>,
    pub engine: Option<Text>,
    pub branches: Vec<Text>,
    pub image: Option<Text>,
    pub runners: Vec<Runner>,
}

/// `runner LABEL… arch=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    pub labels: Vec<Text>,
    pub arch: Text,
}

/// `buildconfig { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildConfig {
    /// The node's name.
    pub span: Span,
    pub namespace: Option<Text>,
    pub entitlement_secret: Option<Text>,
    pub pull_secret: Option<Text>,
    pub push_secret: Option<Text>,
}

/// `kmm { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kmm {
    /// The node's name.
    pub span: Span,
    pub namespace: Option<Text>,
    pub selector: Vec<Pair>,
    pub tolerations: Vec<Toleration>,
    pub pull_secret: Option<Text>,
    pub service_account: Option<Text>,
    /// `sign key= certificate=`
    pub sign: Option<(Text, Text)>,
    pub builds: Vec<KmmBuild>,
    pub machine_config: Option<Text>,
    pub ordered_upgrades: Option<Span>,
    pub load_args: Vec<Text>,
    pub unload_args: Vec<Text>,
    pub image_pull_policy: Option<Text>,
    pub registry_tls: Option<Tls>,
    pub device_plugin: Option<DevicePlugin>,
}

/// `registry-tls` and `base-image-registry-tls`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls {
    pub insecure: bool,
    pub skip_verify: bool,
}

/// `device-plugin IMAGE { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePlugin {
    pub image: Text,
    pub args: Vec<Text>,
    pub env: Vec<Pair>,
    pub service_account: Option<Text>,
}

/// `toleration KEY value= effect=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    pub key: Text,
    pub value: Option<Text>,
    pub effect: Option<Text>,
}

/// `build regexp=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmmBuild {
    /// The node's name.
    pub span: Span,
    /// `regexp=`
    pub regexp: Option<Text>,
    /// `secret`
    pub secrets: Vec<Text>,
    /// `build-arg`
    pub args: Vec<Pair>,
    /// `selector`
    pub selector: Vec<Pair>,
    /// `base-image-registry-tls`
    pub tls: Option<Tls>,
}
