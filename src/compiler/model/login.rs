//! `secret` beside an address: how its server is logged in to.

use super::context::Lower;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::ids::{GitUrl, HostKey, LoginName, SecretId};

/// A build secret, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login {
    pub secret: SecretId,
    /// What is done with it.
    pub way: Way,
}

/// How a server is logged in to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// By ssh, with a deploy key.
    Key {
        /// What the server proves who it is with.
        host_key: HostKey,
    },
    /// With a token or password, and the name that was written beside it.
    Token { user: Option<LoginName> },
}

/// The login of a git repository. One by ssh has no other way in: a build has no agent and knows no host.
pub(super) fn lower_git(lower: &mut Lower<'_>, url: &ast::Text, login: Option<&ast::Login>) -> Option<Login> {
    let known = GitUrl::parse(&url.value).ok().filter(GitUrl::is_ssh);
    let Some(ssh) = known else { return lower_token(lower, login?) };
    let scan = format!(
        "`ssh-keyscan {}` prints it behind the host: compare it with what its administrators publish",
        ssh.host()
    );
    let Some(login) = login else {
        let report = Diagnostic::new(Code::MissingLogin, "this source is fetched by ssh, and no key is named for it")
            .label(url.span, "cannot be fetched in a build, where nobody's own keys are")
            .help(format!(
                "name a build secret with a deploy key, and the server's own key: `{{ secret \"deploy-key\" host-key=\"ssh-ed25519 KEY\"; }}`; {scan}"
            ));
        lower.diagnostics.push(report);
        return None;
    };
    if let Some(user) = &login.user {
        lower.diagnostics.push(
            Diagnostic::new(Code::MisplacedSecret, "an address by ssh has its user within it")
                .label(user.span, "would never be sent")
                .help(format!("take it out, and write {}", shown(&with_user(&url.value, &user.value)))),
        );
    }
    let Some(host_key) = &login.host_key else {
        let report = Diagnostic::new(Code::MissingLogin, "nothing says which key the server has")
            .label(login.secret.span, "would be used with whoever answers")
            .help(format!("add `host-key=\"ssh-ed25519 KEY\"`; {scan}"));
        lower.diagnostics.push(report);
        return None;
    };
    let secret = lower.parse("secret id", &login.secret, SecretId::parse);
    let host_key = lower.parse("host key", host_key, HostKey::parse)?;
    Some(Login { secret: secret?, way: Way::Key { host_key } })
}

/// An address by ssh with this user in it.
fn with_user(url: &str, user: &str) -> String {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("ssh://{user}@{host}/{path}")
}

/// The login of an address by https.
pub(super) fn lower_token(lower: &mut Lower<'_>, login: &ast::Login) -> Option<Login> {
    if let Some(key) = &login.host_key {
        lower.diagnostics.push(
            Diagnostic::new(Code::MisplacedSecret, "an address by https takes no `host-key`")
                .label(key.span, "would never be looked at")
                .help("take it out: the server is known by its certificate"),
        );
    }
    let secret = lower.parse("secret id", &login.secret, SecretId::parse);
    let user = login.user.as_ref().map(|user| lower.parse("user", user, LoginName::parse));
    let user = match user {
        Some(user) => Some(user?),
        None => None,
    };
    Some(Login { secret: secret?, way: Way::Token { user } })
}
