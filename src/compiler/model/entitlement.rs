//! `entitlement`: how subscribed package repositories are reached, and the ids of the secrets that it takes.

use super::context::Lower;
use crate::knowledge::profile;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::SecretId;
use crate::text::source::Span;

/// The ids of secrets, unless the manifest has others.
const ORG: &str = "rhsm-org";
const ACTIVATION_KEY: &str = "rhsm-activation-key";
const CERTIFICATE: &str = "entitlement-certificate";
const KEY: &str = "entitlement-key";

/// How subscribed package repositories are reached.
#[derive(Clone, Debug)]
pub struct Entitlement {
    /// The way, with what it takes.
    pub access: Access,
    /// The stream of repositories that it has, where that is said.
    pub stream: Option<String>,
    /// Where it is said.
    pub span: Span,
}

/// A way to subscribed package repositories. Secrets are named here and never held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The engine mounts the certificates of the machine that builds.
    Host,
    /// No subscription.
    None,
    /// The system is registered while packages are installed.
    Rhsm { org: SecretId, key: SecretId },
    /// Entitlement certificates are handed over.
    Certs { certificate: SecretId, key: SecretId },
}

impl Access {
    /// The way of this name, with the ids that secrets have unless others are said.
    #[must_use]
    pub fn of(kind: profile::Entitlement) -> Self {
        let ids = |a: &str, b: &str| Some((SecretId::parse(a).ok()?, SecretId::parse(b).ok()?));
        let access = match kind {
            profile::Entitlement::Host => Some(Self::Host),
            profile::Entitlement::None => None,
            profile::Entitlement::Rhsm => ids(ORG, ACTIVATION_KEY).map(|(org, key)| Self::Rhsm { org, key }),
            profile::Entitlement::Certs => {
                ids(CERTIFICATE, KEY).map(|(certificate, key)| Self::Certs { certificate, key })
            }
        };
        access.unwrap_or(Self::None)
    }

    /// The name that profiles know it by.
    #[must_use]
    pub const fn kind(&self) -> profile::Entitlement {
        match self {
            Self::Host => profile::Entitlement::Host,
            Self::None => profile::Entitlement::None,
            Self::Rhsm { .. } => profile::Entitlement::Rhsm,
            Self::Certs { .. } => profile::Entitlement::Certs,
        }
    }
}

pub(super) fn lower_entitlement(
    lower: &mut Lower<'_>,
    entitlement: &ast::Entitlement,
) -> Option<Entitlement> {
    let how = entitlement.how.value.as_str();
    refuse_misplaced(lower, "org-secret", entitlement.org.as_ref(), how, &["rhsm"]);
    refuse_misplaced(lower, "key-secret", entitlement.key.as_ref(), how, &["rhsm", "certs"]);
    refuse_misplaced(lower, "certificate-secret", entitlement.certificate.as_ref(), how, &["certs"]);
    let mut secret = |text: &Option<ast::Text>, id: &mut SecretId| {
        if let Some(text) = text {
            *id = lower.parse("secret id", text, SecretId::parse)?;
        }
        Some(())
    };
    let kind = profile::Entitlement::parse(how)?;
    let mut access = Access::of(kind);
    match &mut access {
        Access::Host | Access::None => {}
        Access::Rhsm { org, key } => {
            secret(&entitlement.org, org)?;
            secret(&entitlement.key, key)?;
        }
        Access::Certs { certificate, key } => {
            secret(&entitlement.certificate, certificate)?;
            secret(&entitlement.key, key)?;
        }
    }
    let stream = entitlement.stream.as_ref().map(|stream| stream.value.clone());
    Some(Entitlement { access, stream, span: entitlement.how.span })
}

/// A secret that the way does not take would never be asked for.
fn refuse_misplaced(
    lower: &mut Lower<'_>,
    property: &str,
    secret: Option<&ast::Text>,
    how: &str,
    takers: &[&str],
) {
    let Some(secret) = secret.filter(|_| !takers.contains(&how)) else { return };
    let takers: Vec<_> = takers.iter().map(|taker| format!("`entitlement \"{taker}\"`")).collect();
    lower.diagnostics.push(
        Diagnostic::new(Code::MisplacedSecret, format!("`entitlement \"{how}\"` takes no `{property}`"))
            .label(secret.span, "would never be asked for")
            .help(format!("take it out, or use {}", takers.join(" or "))),
    );
}
