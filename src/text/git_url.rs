//! The address of a git repository: its server, and how it is spoken to.

use super::ids::GitUrl;

impl GitUrl {
    /// The server's name, without user and port.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.as_str().split_once("://").map_or(self.as_str(), |(_, rest)| rest);
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        host.split_once(':').map_or(host, |(host, _)| host)
    }

    /// Whether git speaks to it by ssh.
    #[must_use]
    pub fn is_ssh(&self) -> bool {
        self.as_str().starts_with("ssh://")
    }

    /// The server as a login names it: `https://host:port`, or for ssh as `known_hosts` has it.
    #[must_use]
    pub fn server(&self) -> String {
        let (scheme, rest) = self.as_str().split_once("://").unwrap_or(("", self.as_str()));
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        match host.split_once(':') {
            _ if scheme != "ssh" => format!("{scheme}://{host}"),
            None | Some((_, "22")) => self.host().to_owned(),
            Some((host, port)) => format!("[{host}]:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_logins_have_them() {
        for (url, host, server) in [
            ("https://git.lan/a.git", "git.lan", "https://git.lan"),
            ("https://git.lan:8443/a/b", "git.lan", "https://git.lan:8443"),
            ("ssh://git@git.lan/a", "git.lan", "git.lan"),
            ("ssh://git@git.lan:22/a", "git.lan", "git.lan"),
            ("ssh://git.lan:2222/a", "git.lan", "[git.lan]:2222"),
        ] {
            let parsed = GitUrl::parse(url).unwrap();
            assert_eq!((parsed.host(), parsed.server().as_str()), (host, server), "{url}");
        }
    }
}
