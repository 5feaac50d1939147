//! An OpenShift release -> its Driver Toolkits and their kernels, from the release's payload by the registry's API alone.
//!
//! 1. The payload image of a release and architecture has `release-manifests/image-references` in one of its topmost
//!    layers: an `ImageStream` that names every component by digest.
//! 2. `driver-toolkit` is the component for the older node stream, `driver-toolkit-10` for nodes that run RHEL 10.
//! 3. The kernels stand in `/etc/driver-toolkit-release.json`, which the toolkit's Dockerfile writes last. Its labels
//!    `kernel-version` and `kernel-rt-version` would be cheaper, but are arguments of its build: empty where none was
//!    given, without architecture, and not what was installed.

use super::Resolver;
use crate::knowledge::lock::{OpenShiftPin, ZQuery};
use crate::knowledge::profile::Payload;
use crate::system::http::Key;
use crate::system::oci::{Content, ImageManifest, Layer, read_file};
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef, KernelText, Release, Repository};
use serde::Deserialize;

/// The components that are Driver Toolkits.
const TOOLKITS: [&str; 2] = ["driver-toolkit", "driver-toolkit-10"];
/// Where a payload names its components.
const REFERENCES: &str = "release-manifests/image-references";
/// Where a Driver Toolkit names its kernels.
const KERNELS: &str = "etc/driver-toolkit-release.json";
/// What these files may have, in bytes.
const LIMIT: u64 = 8 << 20;
/// In so many of the topmost layers a file is looked for.
const TOPMOST: usize = 4;

#[derive(Deserialize)]
struct ImageStream {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    tags: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    from: From,
}

#[derive(Deserialize)]
struct From {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Kernels {
    kernel_version: String,
    #[serde(default)]
    rt_kernel_version: String,
}

impl Resolver {
    /// What the node streams of a release hold for an architecture.
    ///
    /// # Errors
    /// There is no such release, or it is not built as releases are.
    pub fn openshift(
        &self,
        payload: &Payload,
        release: &Release,
        arch: Arch,
    ) -> Result<Vec<OpenShiftPin>, Error> {
        let end = if payload.by_arch { format!("-{arch}") } else { String::new() };
        let text = format!("{}:{release}{end}", payload.repository);
        let image = ImageRef::parse(&text).map_err(|rule| Error::new("ask for", text.clone(), rule))?;
        let references = self.file(&image, arch, REFERENCES)?;
        let stream: ImageStream = serde_json::from_slice(&references)
            .map_err(|cause| damaged(&text, &format!("`{REFERENCES}` is not understood: {cause}")))?;
        let named = |toolkit: &&str| stream.spec.tags.iter().find(|component| component.name == **toolkit);
        let toolkits: Vec<_> = TOOLKITS.iter().filter_map(named).collect();
        if toolkits.is_empty() {
            return Err(damaged(&text, "it names no `driver-toolkit`"));
        }
        let mut pins = Vec::new();
        for toolkit in toolkits {
            let name = &toolkit.from.name;
            let image = ImageRef::parse(name).ok().filter(|image| image.digest().is_some());
            let image =
                image.ok_or_else(|| damaged(&text, &format!("`{name}` is not an image by digest")))?;
            pins.push(self.toolkit(image, arch)?);
        }
        Ok(pins)
    }

    fn toolkit(&self, image: ImageRef, arch: Arch) -> Result<OpenShiftPin, Error> {
        let bytes = self.file(&image, arch, KERNELS)?;
        let kernels: Kernels = serde_json::from_slice(&bytes)
            .map_err(|cause| damaged(image.as_str(), &format!("`{KERNELS}` is not understood: {cause}")))?;
        let kernel = KernelText::parse(&with_arch(&kernels.kernel_version, arch)).map_err(|rule| {
            damaged(image.as_str(), &format!("its kernel `{}` is not {rule}", kernels.kernel_version))
        })?;
        Ok(OpenShiftPin {
            kernel,
            realtime: realtime(&kernels.rt_kernel_version, arch),
            driver_toolkit: image,
        })
    }

    /// A file of an image, from its topmost layers. What follows from a digest is kept in the cache.
    fn file(&self, image: &ImageRef, arch: Arch, path: &str) -> Result<Vec<u8>, Error> {
        let manifest = match image.digest() {
            Some(_) => self.registry.manifest(image)?,
            None => self.newest(image)?,
        };
        let key = Key::of_digest(&format!("file {path} for {arch}"), manifest.digest.as_str());
        if let Some(bytes) = self.client().cache().kept(&key, LIMIT) {
            return Ok(bytes);
        }
        let repository = Repository::parse(image.repository())
            .map_err(|rule| Error::new("ask for", image.as_str(), rule))?;
        let own = match manifest.content {
            Content::Image(own) => own,
            Content::Index(index) => {
                let found = index.platforms().remove(&arch);
                let digest =
                    found.ok_or_else(|| damaged(image.as_str(), &format!("it is not there for {arch}")))?;
                let text = format!("{repository}@{}", digest.digest);
                let by_digest = ImageRef::parse(&text).map_err(|rule| Error::new("ask for", text, rule))?;
                match self.registry.manifest(&by_digest)?.content {
                    Content::Image(own) => own,
                    Content::Index(_) => return Err(damaged(image.as_str(), "its index names an index")),
                }
            }
        };
        let bytes = self.file_in(&repository, &own, path)?;
        let bytes = bytes.ok_or_else(|| {
            damaged(image.as_str(), &format!("there is no `{path}` in its {TOPMOST} topmost layers"))
        })?;
        self.client().cache().keep(&key, &bytes);
        Ok(bytes)
    }

    fn file_in(
        &self,
        repository: &Repository,
        image: &ImageManifest,
        path: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        for layer in image.layers.iter().rev().take(TOPMOST) {
            let found =
                self.registry.read_blob(repository, layer, &mut |reader| read_file(reader, path, LIMIT))?;
            match found {
                Layer::File(bytes) => return Ok(Some(bytes)),
                Layer::Removed => return Ok(None),
                Layer::Nothing => {}
            }
        }
        Ok(None)
    }

    /// The newest releases of a minor, newest first, as the tags of the payloads' repository list them.
    ///
    /// # Errors
    /// The registry cannot be asked, or has none.
    pub fn zstreams(&self, payload: &Repository, query: &ZQuery) -> Result<Vec<Release>, Error> {
        let tags = self.registry.tags(payload)?;
        let found = newest(tags.iter().map(crate::text::ids::Tag::as_str), query);
        if found.is_empty() {
            let ZQuery { release, arch, .. } = query;
            return Err(Error::new(
                "find releases in",
                payload.as_str(),
                format!("no tag is `{release}.Z-{arch}`"),
            )
            .help("check the minor in the manifest; only releases that are out have a payload there"));
        }
        Ok(found)
    }
}

/// The newest of `MINOR.Z-ARCH`, without candidates and nightlies.
fn newest<'a>(tags: impl Iterator<Item = &'a str>, query: &ZQuery) -> Vec<Release> {
    let before = format!("{}.", query.release);
    let after = format!("-{}", query.arch);
    let number = |tag: &str| {
        let z = tag.strip_prefix(&before)?.strip_suffix(&after)?;
        z.bytes().all(|b| b.is_ascii_digit()).then(|| z.parse::<u32>().ok())?
    };
    let mut numbers: Vec<_> = tags.filter_map(number).collect();
    numbers.sort_unstable_by(|left, right| right.cmp(left));
    numbers.dedup();
    let releases = numbers.into_iter().take(query.latest as usize);
    releases.filter_map(|z| Release::parse(&format!("{}.{z}", query.release)).ok()).collect()
}

fn damaged(image: &str, cause: &str) -> Error {
    Error::new("read", image, cause.to_owned()).help("check that this is an image of an OpenShift release")
}

/// Toolkits of OpenShift 4.7 left the architecture out.
fn with_arch(kernel: &str, arch: Arch) -> String {
    let kernel = kernel.trim();
    if kernel.ends_with(arch.name()) { kernel.to_owned() } else { format!("{kernel}.{arch}") }
}

/// The real-time kernel, where the toolkit has one: without it rpm's own words stand there ("package kernel-rt-core is
/// not installed"). From RHEL 9.3 on it is named as the other kernel, and `uname -r` adds `+rt`; some toolkits do not.
fn realtime(text: &str, arch: Arch) -> Option<KernelText> {
    let text = text.trim();
    if text.is_empty() || text.contains(' ') {
        return None;
    }
    let bare = with_arch(text.strip_suffix("+rt").unwrap_or(text), arch);
    let old = bare.contains(".rt");
    KernelText::parse(&if old { bare } else { format!("{bare}+rt") }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_time_kernels_are_named_as_they_name_themselves() {
        for (text, expected) in [
            ("5.14.0-427.13.1.el9_4.x86_64+rt", Some("5.14.0-427.13.1.el9_4.x86_64+rt")),
            ("5.14.0-427.13.1.el9_4.x86_64", Some("5.14.0-427.13.1.el9_4.x86_64+rt")),
            ("4.18.0-372.41.1.rt7.198.el8_6.x86_64", Some("4.18.0-372.41.1.rt7.198.el8_6.x86_64")),
            ("4.18.0-372.41.1.rt7.198.el8_6", Some("4.18.0-372.41.1.rt7.198.el8_6.x86_64")),
            ("package kernel-rt-core is not installed", None),
            ("", None),
        ] {
            let found = realtime(text, Arch::X86_64);
            assert_eq!(found.as_ref().map(KernelText::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_newest_releases_are_taken() {
        let tags = [
            "4.18.2-x86_64",
            "4.18.10-x86_64",
            "4.18.9-x86_64",
            "4.18.11-aarch64",
            "4.18.12-rc.1-x86_64",
            "4.1.99-x86_64",
            "4.18.0-ec.4-x86_64",
            "latest",
        ];
        let query = ZQuery { release: Release::parse("4.18").unwrap(), arch: Arch::X86_64, latest: 2 };
        let found: Vec<_> = newest(tags.into_iter(), &query).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["4.18.10", "4.18.9"]);
    }
}
