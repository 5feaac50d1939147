//! Addresses and names of images -> where a site without the internet has them.

use super::ids::ImageRef;

/// Beginnings of addresses, each with what takes its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes(pub Vec<(String, String)>);

impl Prefixes {
    /// The longest of the beginnings that an address has.
    #[must_use]
    pub fn of(&self, address: &str) -> Option<&(String, String)> {
        let hit = self.0.iter().filter(|(from, _)| rest(address, from, &['/']).is_some());
        hit.max_by_key(|(from, _)| from.len())
    }

    /// The address in the mirror; the same where no mirror has it.
    #[must_use]
    pub fn lead(&self, address: &str) -> String {
        let there =
            self.of(address).and_then(|(from, to)| Some(format!("{to}{}", rest(address, from, &['/'])?)));
        there.unwrap_or_else(|| address.to_owned())
    }
}

/// What follows a beginning that ends where a part of the address does.
fn rest<'a>(address: &'a str, from: &str, ends: &[char]) -> Option<&'a str> {
    address.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with(ends))
}

/// A mirror of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageMirror {
    /// A registry, with the beginning of a path or without; `*.HOST` stands for every host beneath one.
    pub prefix: String,
    /// What takes its place.
    pub location: String,
    /// It is asked for images by their digests.
    pub digests: bool,
    /// It is asked for images by their tags.
    pub tags: bool,
}

impl ImageMirror {
    /// What of a full name follows the prefix.
    fn rest<'a>(&self, name: &'a str) -> Option<&'a str> {
        let Some(domain) = self.prefix.strip_prefix('*') else {
            return rest(name, &self.prefix, &['/', ':', '@']);
        };
        let host = name.split('/').next()?;
        let host = host.split(':').next().filter(|host| host.ends_with(domain))?;
        name.get(host.len()..)
    }
}

/// All mirrors of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Of registries. Of several with the same prefix, the first that may be asked counts.
    pub images: Vec<ImageMirror>,
    /// Of package repositories.
    pub packages: Prefixes,
    /// Of git repositories.
    pub git: Prefixes,
    /// Of files that sources download.
    pub files: Prefixes,
}

impl Mirrors {
    /// The mirror that an image is in.
    #[must_use]
    pub fn of_image(&self, name: &str, by_digest: bool) -> Option<&ImageMirror> {
        let name = full_name(name);
        let asked = |mirror: &&ImageMirror| if by_digest { mirror.digests } else { mirror.tags };
        let hit = self.images.iter().filter(asked).filter(|mirror| mirror.rest(&name).is_some());
        // Of equals `max_by_key` gives the last.
        hit.rev().max_by_key(|mirror| mirror.prefix.len())
    }

    /// The name of an image, or of a repository, in the mirror; the same where no mirror has it.
    #[must_use]
    pub fn image_name(&self, name: &str, by_digest: bool) -> String {
        let full = full_name(name);
        let there = self.of_image(name, by_digest);
        let there = there.and_then(|mirror| Some(format!("{}{}", mirror.location, mirror.rest(&full)?)));
        there.unwrap_or_else(|| name.to_owned())
    }

    /// An image in the mirror; the same where no mirror has it.
    #[must_use]
    pub fn image(&self, image: &ImageRef) -> ImageRef {
        let name = self.image_name(image.as_str(), image.digest().is_some());
        ImageRef::parse(&name).unwrap_or_else(|_| image.clone())
    }

    /// Whether anything is written otherwise for them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { images, packages, git, files } = self;
        images.is_empty() && packages.0.is_empty() && git.0.is_empty() && files.0.is_empty()
    }
}

/// The name of an image with its registry. Names without one are Docker Hub's, and those of one word are in its `library`.
#[must_use]
pub fn full_name(name: &str) -> String {
    let hub = |path: &str| match path.contains('/') {
        true => format!("docker.io/{path}"),
        false => format!("docker.io/library/{path}"),
    };
    match name.split_once('/') {
        Some(("docker.io" | "index.docker.io", path)) => hub(path),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        _ => hub(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_leads() {
        let prefixes = [("https://a.org", "https://m/a"), ("https://a.org/b", "https://m/b")];
        let prefixes = Prefixes(prefixes.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
        for (address, expected) in [
            ("https://a.org/x", "https://m/a/x"),
            ("https://a.org/b", "https://m/b"),
            ("https://a.org/bc", "https://m/a/bc"),
            ("https://a.org.net/x", "https://a.org.net/x"),
        ] {
            assert_eq!(prefixes.lead(address), expected);
        }
    }

    #[test]
    fn images_are_found_by_their_full_names() {
        let mirror = |prefix: &str, location: &str, digests, tags| ImageMirror {
            prefix: prefix.into(),
            location: location.into(),
            digests,
            tags,
        };
        let images = vec![
            mirror("docker.io", "m:5000/hub", true, true),
            mirror("quay.io/org/one", "m:5000/digests", true, false),
            mirror("quay.io/org/one", "m:5000/tags", false, true),
            mirror("*.redhat.com", "m:5000/rh", true, true),
        ];
        let mirrors = Mirrors { images, ..Mirrors::default() };
        let digest = format!("sha256:{}", "a".repeat(64));
        for (name, expected) in [
            ("debian:12".to_owned(), "m:5000/hub/library/debian:12".to_owned()),
            ("org/image".to_owned(), "m:5000/hub/org/image".to_owned()),
            ("quay.io/org/one:1".to_owned(), "m:5000/tags:1".to_owned()),
            (format!("quay.io/org/one@{digest}"), format!("m:5000/digests@{digest}")),
            ("quay.io/org/one-more:1".to_owned(), "quay.io/org/one-more:1".to_owned()),
            ("registry.redhat.com/ubi9:1".to_owned(), "m:5000/rh/ubi9:1".to_owned()),
            ("redhat.com/ubi9:1".to_owned(), "redhat.com/ubi9:1".to_owned()),
        ] {
            assert_eq!(mirrors.image(&ImageRef::parse(&name).unwrap()).as_str(), expected);
        }
    }
}
