//! Writes `drivers.lock`: from [`Lock`] to text, the same bytes for the same content.

use super::{Lock, VERSION};
use std::fmt::{Display, Write as _};

/// The whole file. Paragraphs are sorted by kind and key; reading it back gives the same lock.
#[must_use]
pub fn to_text(lock: &Lock) -> String {
    let mut text = String::from(
        "# What drivers.kdl leaves open, resolved. Written by drvc: check it in, do not edit it.\n",
    );
    line(&mut text, "version", VERSION);
    for (url, sha256) in &lock.archives {
        paragraph(&mut text, "archive");
        string(&mut text, "url", url);
        string(&mut text, "sha256", &sha256.value);
    }
    for ((url, reference), commit) in &lock.git {
        paragraph(&mut text, "git");
        string(&mut text, "url", url);
        string(&mut text, "reference", reference);
        string(&mut text, "commit", &commit.value);
    }
    for (reference, pin) in &lock.images {
        paragraph(&mut text, "image");
        string(&mut text, "reference", reference);
        string(&mut text, "digest", &pin.value.digest);
        if !pin.value.platforms.is_empty() {
            let platforms: Vec<_> =
                pin.value.platforms.iter().map(|(arch, digest)| format!("{arch} = \"{digest}\"")).collect();
            line(&mut text, "platforms", format!("{{ {} }}", platforms.join(", ")));
        }
    }
    for (query, kernels) in &lock.kernels {
        paragraph(&mut text, "kernels");
        string(&mut text, "os", &query.os);
        string(&mut text, "release", &query.release);
        string(&mut text, "arch", query.arch);
        string(&mut text, "flavor", &query.flavor);
        if let Some(pattern) = &query.pattern {
            string(&mut text, "match", pattern);
        }
        if let Some(latest) = query.latest {
            line(&mut text, "latest", latest);
        }
        list(&mut text, "kernels", &kernels.value);
    }
    for ((release, arch), pins) in &lock.openshift {
        for pin in pins {
            paragraph(&mut text, "openshift");
            string(&mut text, "release", release);
            string(&mut text, "arch", arch);
            string(&mut text, "kernel", &pin.value.kernel);
            if let Some(realtime) = &pin.value.realtime {
                string(&mut text, "realtime", realtime);
            }
            string(&mut text, "driver-toolkit", &pin.value.driver_toolkit);
        }
    }
    for ((os, release, kernel, arch), packages) in &lock.packages {
        paragraph(&mut text, "packages");
        string(&mut text, "os", os);
        string(&mut text, "release", release);
        string(&mut text, "kernel", kernel);
        string(&mut text, "arch", arch);
        list(&mut text, "packages", &packages.value);
    }
    text
}

fn paragraph(text: &mut String, kind: &str) {
    let _ = write!(text, "\n[[{kind}]]\n");
}

fn line(text: &mut String, key: &str, value: impl Display) {
    let _ = writeln!(text, "{key} = {value}");
}

fn string(text: &mut String, key: &str, value: impl Display) {
    line(text, key, toml::Value::String(value.to_string()));
}

/// One item a line, so that added items merge.
fn list(text: &mut String, key: &str, items: &[impl Display]) {
    let _ = writeln!(text, "{key} = [");
    for item in items {
        let _ = writeln!(text, "    {},", toml::Value::String(item.to_string()));
    }
    text.push_str("]\n");
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::source::Sources;

    const TEXT: &str = r#"# What drivers.kdl leaves open, resolved. Written by drvc: check it in, do not edit it.
version = 1

[[archive]]
url = "https://example.com/driver-1.0.tar.gz"
sha256 = "0123456789012345678901234567890123456789012345678901234567890123"

[[git]]
url = "https://example.com/driver.git"
reference = "refs/heads/main"
commit = "0123456789012345678901234567890123456789"

[[image]]
reference = "docker.io/library/debian:12"
digest = "sha256:0123456789012345678901234567890123456789012345678901234567890123"
platforms = { x86_64 = "sha256:0123456789012345678901234567890123456789012345678901234567890123" }

[[kernels]]
os = "debian"
release = "12"
arch = "x86_64"
flavor = "default"
match = "6.1.0-*"
latest = 2
kernels = [
    "6.1.0-18-amd64",
    "6.1.0-17-amd64",
]

[[packages]]
os = "debian"
release = "12"
kernel = "6.1.0-18-amd64"
arch = "x86_64"
packages = [
    "linux-headers-6.1.0-18-amd64=6.1.76-1",
]
"#;

    #[test]
    fn what_is_written_reads_back() {
        let mut sources = Sources::default();
        let file = sources.add("drivers.lock", TEXT);
        let (lock, diagnostics) = parse(file, &sources);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(to_text(&lock), TEXT);
    }

    #[test]
    fn every_truncation_is_read_or_reported() {
        for end in 0..TEXT.len() {
            let mut sources = Sources::default();
            let file = sources.add("drivers.lock", &TEXT[..end]);
            let _ = parse(file, &sources);
        }
    }
}
