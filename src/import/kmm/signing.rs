//! `sign` and its secrets: why what KMM is asked to sign would not be.

use super::yaml::{at, everywhere, string, strings};
use crate::import::draft::Node;
use crate::language::kdl::quote as quoted;
use serde_yaml_ng::Value;

/// The node `sign`, where all mappings are signed with one key.
pub(super) fn signing(container: &Value, kmod: &str, say: &mut impl FnMut(String)) -> Option<Node> {
    let signs: Vec<&Value> = everywhere(container, "sign").collect();
    let first = signs.first()?;
    for file in signs.iter().flat_map(|sign| strings(at(sign, &["filesToSign"]))) {
        if !file.contains("${KERNEL") && !file.contains("$KERNEL") && literal_kernel(container, &file) {
            say(format!("filesToSign `{file}` names one kernel for all"));
        }
        let signed = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".ko").replace('-', "_");
        if signed != kmod.replace('-', "_") && !signed.contains(['*', '?', '[']) {
            say(format!("filesToSign `{file}` is not the module that is loaded, `{kmod}`"));
        }
    }
    let of =
        |sign: &Value| Some((string(sign, &["keySecret", "name"])?, string(sign, &["certSecret", "name"])?));
    let keys = of(first).filter(|keys| signs.iter().all(|sign| of(sign).is_none_or(|other| other == *keys)));
    let Some((key, certificate)) = keys else {
        say("`sign` is left out: its mappings have different keys, or none: say `signing` with the key as a build secret".to_owned());
        return None;
    };
    Some(Node::line(format!("sign key={} certificate={}", quoted(&key), quoted(&certificate))))
}

/// Whether a file to sign names a kernel that is not the one of its own mapping.
fn literal_kernel(container: &Value, file: &str) -> bool {
    let of_mapping = |one: &Value| {
        string(one, &["literal"])
            .is_some_and(|kernel| !kernel.is_empty() && file.contains(&format!("/lib/modules/{kernel}/")))
            && strings(at(one, &["sign", "filesToSign"])).iter().any(|known| known == file)
    };
    file.contains("/lib/modules/") && !super::yaml::mapped(container).any(of_mapping)
}

/// Secrets of the same file without the key that KMM reads in them.
pub(super) fn secrets(all: &[&Value], container: &Value, say: &mut impl FnMut(String)) {
    for sign in everywhere(container, "sign") {
        for (field, key) in [("certSecret", "cert"), ("keySecret", "key")] {
            let Some(name) = string(sign, &[field, "name"]) else { continue };
            let secret = all.iter().find(|one| string(one, &["metadata", "name"]).as_ref() == Some(&name));
            let has =
                |secret: &Value| ["data", "stringData"].iter().any(|data| at(secret, &[data, key]).is_some());
            if secret.is_some_and(|secret| !has(secret)) {
                say(format!("the Secret `{name}` of {field} has no key `{key}`"));
            }
        }
    }
}
