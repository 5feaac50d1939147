//! Images -> a file by which another program copies them into a site's own registry.

use crate::text::ids::ImageRef;
use crate::text::mirrors::full_name;
use std::collections::{BTreeMap, BTreeSet};

/// The kind and version of what `oc mirror --v2` reads.
const IMAGE_SET: &str = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n";

/// For `skopeo sync --src yaml`: for each registry its repositories, and for each of these its tags and digests.
#[must_use]
pub fn skopeo(images: &[String]) -> String {
    let mut registries: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for image in parsed(images) {
        let repository = image.repository();
        let Some((registry, path)) = repository.split_once('/') else { continue };
        let version = image.digest().or(image.tag()).unwrap_or("latest").to_owned();
        let paths = registries.entry(registry.to_owned()).or_default();
        paths.entry(path.to_owned()).or_default().insert(version);
    }
    let mut text = String::new();
    for (registry, paths) in registries {
        text += &format!("\"{registry}\":\n  images:\n");
        for (path, versions) in paths {
            text += &format!("    \"{path}\":\n");
            text.extend(versions.iter().map(|version| format!("      - \"{version}\"\n")));
        }
    }
    if text.is_empty() { "{}\n".to_owned() } else { text }
}

/// An `ImageSetConfiguration` of OpenShift.
#[must_use]
pub fn imageset(images: &[String]) -> String {
    let names: BTreeSet<_> = parsed(images).map(|image| image.to_string()).collect();
    if names.is_empty() {
        return format!("{IMAGE_SET}mirror: {{}}\n");
    }
    let names: String = names.iter().map(|name| format!("    - name: \"{name}\"\n")).collect();
    format!("{IMAGE_SET}mirror:\n  additionalImages:\n{names}")
}

/// The images by their full names: either program would look for others elsewhere.
fn parsed(images: &[String]) -> impl Iterator<Item = ImageRef> {
    images.iter().filter_map(|image| ImageRef::parse(&full_name(image)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Vec<String> {
        let digest = format!("quay.io/org/image@sha256:{}", "a".repeat(64));
        vec!["debian:12".to_owned(), "docker.io/library/debian:12-slim".to_owned(), digest]
    }

    #[test]
    fn both_programs_find_what_they_read() {
        let read = |text: &str| serde_yaml_ng::from_str::<serde_json::Value>(text).unwrap();
        let digest = format!("sha256:{}", "a".repeat(64));
        let skopeo = read(&skopeo(&images()));
        assert_eq!(skopeo["docker.io"]["images"]["library/debian"], serde_json::json!(["12", "12-slim"]));
        assert_eq!(skopeo["quay.io"]["images"]["org/image"], serde_json::json!([digest]));
        let set = read(&imageset(&images()));
        assert_eq!(set["mirror"]["additionalImages"][0]["name"], "docker.io/library/debian:12");
        assert_eq!(set["mirror"]["additionalImages"].as_array().unwrap().len(), 3);
        for text in [super::skopeo(&[]), imageset(&[])] {
            assert!(read(&text).is_object(), "{text}");
        }
    }
}
