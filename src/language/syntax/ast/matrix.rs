//! The nodes `matrix` and `os`, and what may stand in both.

use super::{On, Selector, Text};
use crate::text::source::{Span, Spanned};

/// `matrix { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The node's name.
    pub span: Span,
    /// `os NAME RELEASE…`
    pub os: Vec<Os>,
    /// `exclude SELECTOR reason=`
    pub exclude: Vec<Exclude>,
    /// What holds for some cells.
    pub on: Vec<On<CellBody>>,
}

/// `exclude SELECTOR reason=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude {
    /// Which cells.
    pub selector: Selector,
    /// Why; shown by `plan`.
    pub reason: Text,
}

/// `os NAME RELEASE… { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    /// The distribution's name.
    pub name: Text,
    pub releases: Vec<Text>,
    pub kernels: Vec<Kernel>,
    /// `arch NAME…`
    pub arches: Vec<Text>,
    /// `flavor NAME…`
    pub flavors: Vec<Text>,
    /// `z latest=`, with the place of the node's name
    pub z: Option<Spanned<u32>>,
    pub unchecked: bool,
    /// `manager NAME`
    pub manager: Option<Text>,
    /// `headers PACKAGE… dir=`
    pub headers: Option<Headers>,
    /// How its cells are built.
    pub body: CellBody,
}

/// How cells are built: children of `os`, and of `on` in `matrix`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellBody {
    /// `builder "distro"|"dtk"|"toolkit"…`
    pub builders: Vec<Text>,
    /// `entitlement "host"|"rhsm"|"certs"|"none"`
    pub entitlement: Option<Entitlement>,
    /// `base IMAGE`: the builder's base image in place of the profile's
    pub base: Option<Text>,
    /// `repository URL` and `repository enable=ID`
    pub repositories: Vec<PackageRepository>,
}

/// `entitlement HOW org-secret= key-secret= certificate-secret=`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    pub how: Text,
    pub org: Option<Text>,
    pub key: Option<Text>,
    pub certificate: Option<Text>,
    pub stream: Option<Text>,
}

/// `repository URL suite= component= key=` or `repository enable=ID`. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRepository {
    pub span: Span,
    pub url: Option<Text>,
    pub suite: Option<Text>,
    pub component: Option<Text>,
    pub key: Option<Text>,
    pub enable: Option<Text>,
}

/// `headers PACKAGE… dir=`. The span is that of the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    pub span: Span,
    pub packages: Vec<Text>,
    pub dir: Option<Text>,
}

/// `kernel "RELEASE"…`, `kernel match=GLOB latest=N`, `kernel from=FILE`; they may stand together on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    pub span: Span,
    pub explicit: Vec<Text>,
    pub pattern: Option<Text>,
    pub latest: Option<Spanned<u32>>,
    pub from: Option<Text>,
    pub unchecked: bool,
}
