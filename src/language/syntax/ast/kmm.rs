//! `output { kmm }` as it was written.

use super::{Pair, Text};
use crate::text::source::Span;

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
    pub device_plugin: Option<Plugin>,
    pub version: Option<Text>,
    /// `raw-args { load; unload }`
    pub raw_args: Option<(Span, Vec<Text>, Vec<Text>)>,
    pub image_rebuild_trigger: Option<u32>,
    pub dra: Option<Dra>,
    pub preflight: Option<Preflight>,
}

/// `dra DRIVER image= { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dra {
    pub driver: Text,
    pub plugin: Plugin,
    pub classes: Vec<DeviceClass>,
}

/// `device-class NAME { selector … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClass {
    pub name: Text,
    pub selectors: Vec<Text>,
}

/// `preflight push=`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// The node's name.
    pub span: Span,
    pub push: bool,
}

/// `registry-tls` and `base-image-registry-tls`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls {
    pub insecure: bool,
    pub skip_verify: bool,
}

/// The container of `device-plugin` and `dra`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
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
    pub regexp: Option<Text>,
    pub secrets: Vec<Text>,
    /// `build-arg`
    pub args: Vec<Pair>,
    pub selector: Vec<Pair>,
    /// `base-image-registry-tls`
    pub tls: Option<Tls>,
}
