//! The stage that signs: from an image's modules and the manifest's key to modules that the kernel trusts.

use super::builder::Builder;
use super::cell::Cell;
use super::{Edge, KeyHandle, Node, NodeId, SignStage};
use crate::compiler::model::SigningKey;
use crate::text::ids::ModuleName;

impl Builder<'_> {
    /// The stage that signs these modules; `None` where nothing is to be signed.
    pub(super) fn sign(
        &mut self,
        cell: &Cell<'_>,
        modules: &[ModuleName],
        nodes: &[(NodeId, Edge)],
    ) -> Option<NodeId> {
        let signing = self.inputs.model.signing.as_ref()?;
        // A certificate that cannot be read has been reported.
        let certificate = self.inputs.contexts.certificate(&signing.certificate.value)?;
        if modules.is_empty() {
            return None;
        }
        let stage = SignStage {
            modules: modules.to_vec(),
            install: self.install(cell, self.packages(&signing.packages, &self.scope(cell))),
            key: match &signing.key {
                SigningKey::Secret(id) => KeyHandle::Secret(id.clone()),
                SigningKey::Token(uri) => KeyHandle::Token(uri.clone()),
            },
            pin: signing.pin.clone(),
            certificate: (signing.certificate.value.clone(), certificate.content),
            serial: certificate.serial.clone(),
            hash: signing.hash,
        };
        let mut inputs = vec![(self.kernel(cell), Edge::From)];
        inputs.extend(nodes);
        Some(self.graph.intern(Node::Sign(Box::new(stage)), &inputs))
    }
}
