//! `signing`: with which key modules are signed, and by which hash, with every value parsed.

use super::context::Lower;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Invalid, RelPath, SecretId};
use crate::text::source::{Span, Spanned};

/// `signing { … }`
#[derive(Clone, Debug)]
pub struct Signing {
    /// The node's name.
    pub span: Span,
    /// The private key.
    pub key: SigningKey,
    /// The build secret that holds the token's PIN, or the key's passphrase.
    pub pin: Option<SecretId>,
    /// The certificate, relative to the manifest.
    pub certificate: Spanned<RelPath>,
    /// The hash; the kernel's own where none is named.
    pub hash: Option<SignatureHash>,
    /// Packages that reaching the key needs.
    pub packages: Vec<Template>,
}

/// Where the private key is.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// In a build secret.
    Secret(SecretId),
    /// In a token, by its PKCS#11 URI.
    Token(String),
}

/// A hash that a kernel can check signatures by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureHash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl SignatureHash {
    /// The name, as `sign-file` and `CONFIG_MODULE_SIG_HASH` have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The one with this name; `None` for `auto`, too.
    fn parse(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|hash| hash.name() == name)
    }
}

pub(super) fn lower_signing(lower: &mut Lower<'_>, signing: &ast::Signing) -> Option<Signing> {
    let secret = |lower: &mut Lower<'_>, id: &ast::Text| lower.parse("secret id", id, SecretId::parse);
    let pin = signing.pin.as_ref().and_then(|id| secret(lower, id));
    let key = match (&signing.key_secret, &signing.key_uri) {
        (Some(id), _) => secret(lower, id).map(SigningKey::Secret),
        (None, Some(uri)) => lower_uri(lower, uri).map(SigningKey::Token),
        (None, None) => None,
    };
    let certificate = signing.certificate.as_ref()?;
    let file = lower.parse("path", certificate, RelPath::parse);
    let packages = signing.packages.iter().filter_map(|name| lower.package(name, Variable::in_source));
    let packages = packages.collect();
    let hash = signing.hash.as_ref().and_then(|hash| SignatureHash::parse(&hash.value));
    Some(Signing {
        span: signing.span,
        key: key?,
        pin,
        certificate: Spanned::new(file?, certificate.span),
        hash,
        packages,
    })
}

/// A PKCS#11 URI (RFC 7512). A PIN in it would stand in the Dockerfile.
fn lower_uri(lower: &mut Lower<'_>, uri: &ast::Text) -> Option<String> {
    if uri.value.contains("pin-value") {
        lower.diagnostics.push(
            Diagnostic::new(Code::SecretInManifest, "a PKCS#11 URI holds a PIN")
                .label(uri.span, "would be in every Dockerfile")
                .help("leave `pin-value` out, and name the build secret that holds the PIN: `key \"pkcs11:token=drivers;object=mok\" pin=\"ID\"`"),
        );
        return None;
    }
    lower.parse("PKCS#11 URI", uri, |uri| {
        let rest = uri.strip_prefix("pkcs11:").unwrap_or_default();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=;%/?&|".contains(&b);
        let fine = !rest.is_empty() && rest.len() <= 1024 && rest.bytes().all(fits);
        if fine {
            Ok(uri.to_owned())
        } else {
            Err(Invalid("pkcs11: and attributes as in RFC 7512, such as `pkcs11:token=drivers;object=mok`"))
        }
    })
}
