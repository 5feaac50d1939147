//! A repository's name -> the registry and the server that it is on.

use crate::system::http::{Client, Url};
use crate::text::error::Error;

/// Where a repository lies: its registry's name, the server that answers for it, and its path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    name: String,
    server: String,
    path: String,
}

impl Place {
    /// Names without a registry are Docker Hub's, and those of one word are in its `library`.
    pub(super) fn of(repository: &str) -> Self {
        let place =
            |name: &str, server: &str, path: String| Self { name: name.into(), server: server.into(), path };
        let hub = |path: &str| {
            let path = if path.contains('/') { path.to_owned() } else { format!("library/{path}") };
            place("docker.io", "registry-1.docker.io", path)
        };
        match repository.split_once('/') {
            Some(("docker.io" | "index.docker.io", path)) => hub(path),
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                place(host, host, path.to_owned())
            }
            _ => hub(repository),
        }
    }

    /// The registry as users name it, with its port.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The server that answers for it, with its port.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// The repository's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// An address of the registry's API about this repository.
    pub(super) fn url(&self, client: &Client, rest: &str) -> Result<Url, Error> {
        let host = self.server.split(':').next().unwrap_or_default();
        let url = Url::on(client.policy().scheme_of(host), &self.server);
        let url = url.and_then(|url| url.with_path(&format!("/v2/{}/{rest}", self.path)).ok());
        url.ok_or_else(|| Error::new("ask", self.name.clone(), "that is not a registry's name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_to_their_servers() {
        for (repository, name, server, path) in [
            ("debian", "docker.io", "registry-1.docker.io", "library/debian"),
            ("docker.io/library/debian", "docker.io", "registry-1.docker.io", "library/debian"),
            ("org/image", "docker.io", "registry-1.docker.io", "org/image"),
            ("quay.io/org/image", "quay.io", "quay.io", "org/image"),
            ("localhost:5000/image", "localhost:5000", "localhost:5000", "image"),
        ] {
            let place = Place::of(repository);
            assert_eq!((place.name(), place.server(), place.path()), (name, server, path));
        }
    }
}
