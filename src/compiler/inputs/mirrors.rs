//! The files that `mirror` names: podman's mirrors of images, and certificates of authorities.

use super::{Gather, TEXT_LIMIT, read_text, reports::unreadable};
use crate::knowledge::certificate;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{RelPath, Repository};
use crate::text::mirrors::ImageMirror;
use crate::text::session::Session;
use crate::text::source::Spanned;
use serde::Deserialize;

#[derive(Deserialize)]
struct Registries {
    #[serde(default)]
    registry: Vec<Registry>,
}

/// See containers-registries.conf(5).
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    prefix: Option<String>,
    location: Option<String>,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default)]
    mirror: Vec<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Location {
    location: String,
    pull_from_mirror: Option<String>,
}

impl Gather<'_> {
    /// Everything that the manifest's mirrors are, and the files that they are in.
    pub(super) fn mirrors(&mut self, session: &mut Session) {
        self.contexts.mirrors = self.model.mirror.written();
        for file in &self.model.mirror.registries {
            let Some(id) = read_text(self.reader, &file.value, file.span, session) else { continue };
            match image_mirrors(&session.sources.get(id).text) {
                Ok(mirrors) => self.contexts.mirrors.images.extend(mirrors),
                Err(why) => self.diagnostics.push(
                    Diagnostic::new(
                        Code::MalformedValue,
                        format!("`{}` is not a `registries.conf`: {why}", file.value),
                    )
                    .label(file.span, "mirrors are looked for in it")
                    .help("write it as containers-registries.conf(5) has it, in version 2"),
                ),
            }
        }
        if let Some(file) = &self.model.mirror.authority {
            self.authority(file);
        }
    }

    fn authority(&mut self, file: &Spanned<RelPath>) {
        let report = match self.reader.read(&file.value, TEXT_LIMIT) {
            Ok(bytes) => certificate::check_authorities(&file.value, &bytes).err(),
            Err(error) => {
                return self.diagnostics.push(unreadable(self.reader, &file.value, file.span, &error));
            }
        };
        let report = report.map(|report| report.label(file.span, "servers are to be known by it"));
        report.into_iter().for_each(|report| self.diagnostics.push(report));
    }
}

/// The mirrors in a `registries.conf`, in the order in which podman asks them.
fn image_mirrors(text: &str) -> Result<Vec<ImageMirror>, String> {
    let file: Registries = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let mut mirrors = Vec::new();
    for registry in file.registry {
        let location = registry.location.filter(|location| !location.is_empty());
        let prefix = registry.prefix.filter(|prefix| !prefix.is_empty()).or_else(|| location.clone());
        let prefix = prefix.ok_or("a `registry` has neither `prefix` nor `location`")?;
        let name = prefix.strip_prefix("*.").unwrap_or(&prefix);
        check(name)?;
        let mut add = |location: String, digests, tags| {
            check(&location)?;
            mirrors.push(ImageMirror { prefix: prefix.clone(), location, digests, tags });
            Ok::<_, String>(())
        };
        for mirror in registry.mirror {
            let (digests, tags) = match mirror.pull_from_mirror.as_deref() {
                None | Some("" | "all") => (true, !registry.mirror_by_digest_only),
                Some("digest-only") => (true, false),
                Some("tag-only") => (false, true),
                Some(other) => return Err(format!("`pull-from-mirror` is `{other}`")),
            };
            add(mirror.location, digests, tags)?;
        }
        if let Some(location) = location.filter(|location| *location != prefix) {
            add(location, true, true)?;
        }
    }
    Ok(mirrors)
}

fn check(name: &str) -> Result<(), String> {
    Repository::parse(&format!("{name}/x")).map(drop).map_err(|_| format!("`{name}` is not a registry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_read_as_podman_reads_them() {
        let text = r#"
unqualified-search-registries = ["docker.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "m.example.com/hub"
insecure = true
[[registry]]
prefix = "quay.io/org"
location = "m.example.com/quay"
mirror-by-digest-only = true
[[registry.mirror]]
location = "n.example.com/quay"
[[registry]]
prefix = "*.redhat.com"
[[registry.mirror]]
location = "m.example.com/rh"
pull-from-mirror = "tag-only"
"#;
        let mirrors = image_mirrors(text).unwrap();
        let shown = mirrors.iter().map(|one| {
            let ImageMirror { prefix, location, digests, tags } = one;
            (prefix.as_str(), location.as_str(), *digests, *tags)
        });
        let expected = [
            ("docker.io", "m.example.com/hub", true, true),
            ("quay.io/org", "n.example.com/quay", true, false),
            ("quay.io/org", "m.example.com/quay", true, true),
            ("*.redhat.com", "m.example.com/rh", false, true),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        for wrong in ["[[registry]]\n", "x", "[[registry]]\nlocation = \"a b\"\n"] {
            assert!(image_mirrors(wrong).is_err(), "{wrong}");
        }
    }
}
