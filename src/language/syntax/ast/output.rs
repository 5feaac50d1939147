//! `output` as it was written: the hand-over formats, each with its settings.

use super::Text;
use super::kmm::Kmm;
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
    pub install: Option<Install>,
    pub engine: Option<Text>,
    pub branches: Vec<Text>,
    pub image: Option<Text>,
    pub runners: Vec<Runner>,
}

/// `install COMMAND`, `install image=`, `install url= sha256=` and `install cargo-git= rev=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Install {
    Command(Text),
    Image(Text),
    Url { url: Text, sha256: Text },
    CargoGit { url: Text, rev: Text },
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
