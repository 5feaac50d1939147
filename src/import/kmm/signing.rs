//! `sign` and its secrets: why what KMM is asked to sign would not be.

use super::yaml::{at, string, strings};
use serde_yaml_ng::Value;

pub(super) fn signing(container: &Value, kmod: &str, say: &mut impl FnMut(String)) {
    let mapped = at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten();
    let signs: Vec<&Value> =
        at(container, &["sign"]).into_iter().chain(mapped.filter_map(|one| at(one, &["sign"]))).collect();
    if signs.is_empty() {
        return;
    }
    say("`sign` is left out: say `signing` with the key as a build secret".to_owned());
    for file in signs.iter().flat_map(|sign| strings(at(sign, &["filesToSign"]))) {
        if !file.contains("${KERNEL") && !file.contains("$KERNEL") && file.contains("/lib/modules/") {
            say(format!("filesToSign `{file}` names one kernel for all"));
        }
        let signed = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".ko").replace('-', "_");
        if signed != kmod.replace('-', "_") && !signed.contains(['*', '?', '[']) {
            say(format!("filesToSign `{file}` is not the module that is loaded, `{kmod}`"));
        }
    }
}

/// Secrets of the same file without the key that KMM reads in them.
pub(super) fn secrets(all: &[&Value], container: &Value, say: &mut impl FnMut(String)) {
    let mapped = at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten();
    let signs = at(container, &["sign"]).into_iter().chain(mapped.filter_map(|one| at(one, &["sign"])));
    for sign in signs {
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
