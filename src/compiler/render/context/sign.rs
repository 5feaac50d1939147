//! Signing into what its template is given: the modules, and where the key is found while they are signed.

use crate::compiler::model::SignatureHash;
use crate::compiler::plan::{KeyHandle, SignStage};
use crate::compiler::render::install::Install;
use serde::Serialize;

/// Context of `sign`.
#[derive(Serialize)]
pub(super) struct Sign {
    modules: Vec<String>,
    certificate: String,
    secret: Option<String>,
    uri: Option<String>,
    pin: Option<String>,
    hash: Option<&'static str>,
    serial: String,
    scripts: Vec<Vec<String>>,
    #[serde(flatten)]
    install: Install,
}

impl Sign {
    pub(super) fn new(stage: &SignStage, scripts: Vec<Vec<String>>) -> Self {
        let (secret, uri) = match &stage.key {
            KeyHandle::Secret(id) => (Some(id.to_string()), None),
            KeyHandle::Token(uri) => (None, Some(uri.clone())),
        };
        Self {
            modules: stage.modules.iter().map(|name| name.as_str().to_ascii_lowercase()).collect(),
            certificate: stage.certificate.0.to_string(),
            secret,
            uri,
            pin: stage.pin.as_ref().map(ToString::to_string),
            hash: stage.hash.map(SignatureHash::name),
            serial: stage.serial.clone(),
            scripts,
            install: Install::new(&stage.install),
        }
    }
}
