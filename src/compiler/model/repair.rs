//! From a value that its grammar refuses to the one that was probably meant: what people bring along from other tools.

use crate::language::kdl::quote;

/// What may have been meant by a text that is no `kind`; the caller takes the first that is one.
pub(super) fn candidates(kind: &str, text: &str) -> Vec<String> {
    let text = text.trim();
    let plain = text.trim_start_matches("./").trim_end_matches('/');
    match kind {
        "git URL" => git(text),
        "URL" => vec![text.replacen("http://", "https://", 1)],
        "registry" | "repository" | "image reference" => images(text),
        "kernel option" => kernel_options(text),
        "pattern of .ko files" => modules(text),
        "kernel module name" | "module name" => {
            let name = text.rsplit('/').next().unwrap_or(text);
            let stem = name.split(".ko").next().unwrap_or(name);
            vec![stem.to_owned(), stem.replace(' ', "_")]
        }
        "project name" | "source name" | "image name" | "toolkit name" => {
            let lower = text.rsplit('/').next().unwrap_or(text).to_ascii_lowercase();
            let lower = lower.split(':').next().unwrap_or_default().to_owned();
            vec![
                lower.clone(),
                lower.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'), "-"),
            ]
        }
        "variable name" | "module parameter" => vec![text.replace(['-', '.'], "_")],
        "SHA-256 checksum" => vec![text.trim_start_matches("sha256:").to_ascii_lowercase()],
        "commit" => vec![text.to_ascii_lowercase()],
        "path" | "directory beneath /opt/lib/firmware" => {
            vec![plain.to_owned(), plain.trim_start_matches("/lib/firmware/").to_owned()]
        }
        "pattern" => vec![text.trim_start_matches("./").to_owned()],
        "directory" => vec![format!("/{}", plain.trim_start_matches('/'))],
        _ => Vec::new(),
    }
}

/// Several values in one text where each should be a text of its own, as they are to be written.
pub(super) fn split(kind: &str, text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    if !["package name", "kernel module name", "kernel option", "pattern of .ko files"].contains(&kind) {
        return None;
    }
    let parts: Vec<&str> = text.split([',', ';', ' ', '\t', '\n']).filter(|part| !part.is_empty()).collect();
    let several = parts.len() > 1 && parts.iter().all(|part| fits(part));
    several.then(|| parts.into_iter().map(quote).collect::<Vec<_>>().join(" "))
}

/// Why a text of this kind is refused, where its rule alone would not tell what to do.
pub(super) fn reason(kind: &str, text: &str) -> Option<&'static str> {
    let outside = text.starts_with(['/', '~']) || text.split('/').any(|part| part == "..");
    match kind {
        "registry" if !text.trim_start_matches("https://").trim_start_matches("http://").contains('/') => {
            Some("add a path behind the host, such as `registry.example.com:5000/drivers`")
        }
        "path" if outside => Some(
            "all files lie beneath the manifest's directory: put `drivers.kdl` into a directory above them, or fetch them with `git` or `archive`",
        ),
        "path" if text.contains(['*', '?']) => {
            Some("write one `patch` for each file, in the order in which they are applied")
        }
        "URL" if !text.contains("://") => Some(
            "a file of your own needs no URL: unpack it beneath the manifest, and name its directory with `path`",
        ),
        "SHA-256 checksum" if matches!(text.len(), 32 | 40) => Some(
            "it looks like MD5 or SHA-1: write what `sha256sum FILE` prints, or leave it out and run `drvc lock`",
        ),
        "PKCS#11 URI" if !text.starts_with("pkcs11:") => Some(
            "a key in a file is a build secret: write `key secret=\"mok\"`, and hand it over with `--secret id=mok,src=FILE`",
        ),
        "commit" if text.len() < 40 => Some(
            "write the commit in full, as `git rev-parse` prints it; `branch` and `tag` are resolved by `drvc lock`",
        ),
        _ => None,
    }
}

/// The clone commands of git's hosts, and their addresses in a browser.
fn git(text: &str) -> Vec<String> {
    let mut found = vec![text.replacen("http://", "https://", 1).replacen("git://", "https://", 1)];
    if let Some((host, path)) =
        text.split_once(':').filter(|(host, path)| !host.contains('/') && !path.starts_with('/'))
    {
        let user = if host.contains('@') { "" } else { "git@" };
        found.push(format!("ssh://{user}{host}/{path}"));
    }
    // `ssh://user@host:path`, which mixes the two forms.
    if let Some((host, path)) = text.strip_prefix("ssh://").and_then(|rest| rest.split_once(':')) {
        found.push(format!("ssh://{host}/{}", path.trim_start_matches('/')));
    }
    found.push(text.trim_start_matches("git+").to_owned());
    if text.split('/').next().is_some_and(|host| host.contains('.') && !host.contains(':')) {
        found.push(format!("https://{text}"));
    }
    found
}

fn images(text: &str) -> Vec<String> {
    let bare =
        ["https://", "http://", "docker://", "oci://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let bare = bare.unwrap_or(text).trim_end_matches('/');
    let untagged = match bare.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && name.contains('/') => name,
        _ => bare,
    };
    [bare, untagged].into_iter().flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()]).collect()
}

fn kernel_options(text: &str) -> Vec<String> {
    let (sign, name) = text.strip_prefix('!').map_or(("", text), |name| ("!", name));
    let (name, value) = name.split_once('=').unwrap_or((name, "y"));
    let name = name.to_ascii_uppercase();
    let name = if name.starts_with("CONFIG_") { name } else { format!("CONFIG_{name}") };
    vec![if value == "n" { format!("!{name}") } else { format!("{sign}{name}") }]
}

fn modules(text: &str) -> Vec<String> {
    let path = text.trim_start_matches("./");
    let stem = path.rsplit_once(".ko").map_or(path, |(stem, _)| stem);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let relative = if path.starts_with('/') { name } else { stem };
    vec![format!("{relative}.ko")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_among_the_candidates() {
        for (kind, text, meant) in [
            ("git URL", "git@github.com:acme/driver.git", "ssh://git@github.com/acme/driver.git"),
            ("git URL", "github.com:acme/driver.git", "ssh://git@github.com/acme/driver.git"),
            ("git URL", "ssh://git@github.com:acme/driver.git", "ssh://git@github.com/acme/driver.git"),
            ("git URL", "http://github.com/acme/driver", "https://github.com/acme/driver"),
            ("git URL", "github.com/acme/driver", "https://github.com/acme/driver"),
            ("registry", "https://quay.io/Acme/", "quay.io/acme"),
            ("registry", "quay.io/acme:latest", "quay.io/acme"),
            ("image reference", "docker://quay.io/acme/x:1", "quay.io/acme/x:1"),
            ("kernel option", "PCI=y", "CONFIG_PCI"),
            ("kernel option", "CONFIG_PCI=n", "!CONFIG_PCI"),
            ("pattern of .ko files", "/lib/modules/extra/hello.ko.xz", "hello.ko"),
            ("pattern of .ko files", "src/hello", "src/hello.ko"),
            ("kernel module name", "hello.ko", "hello"),
            ("image name", "My Driver", "my-driver"),
        ] {
            let found = candidates(kind, text);
            assert!(found.iter().any(|one| one == meant), "{kind} {text}: {found:?}");
        }
        assert_eq!(split("package name", "bc, bison", |_| true).as_deref(), Some("\"bc\" \"bison\""));
        assert_eq!(split("package name", "bc", |_| true), None);
    }
}
