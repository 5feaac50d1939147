//! Writes `drivers.lock`: from [`Lock`] to text, the same bytes for the same content.

use super::seal::seal;
use super::{HeadersPin, KernelKey, Lock, VERSION};
use std::fmt::{Display, Write as _};
use toml::{Table, Value};

/// The whole file. Paragraphs are sorted by kind and key; reading it back gives the same lock.
#[must_use]
pub fn to_text(lock: &Lock) -> String {
    let mut text = String::from(
        "# What drivers.kdl leaves open, resolved. Written by drvc: check it in, do not edit it.\n",
    );
    let _ = writeln!(text, "version = {VERSION}");
    for paragraph in paragraphs(lock) {
        text.push_str(&paragraph.to_text());
    }
    text
}

/// One entry: its kind, and its fields in the order in which people read them.
struct Paragraph {
    kind: &'static str,
    fields: Vec<(&'static str, Value)>,
}

fn paragraphs(lock: &Lock) -> Vec<Paragraph> {
    let Lock { archives, builders, git, headers, images, kernels, openshift, packages, zstreams } = lock;
    let mut all = Vec::new();
    all.extend(
        archives
            .iter()
            .map(|(url, sha256)| Paragraph::new("archive").text("url", url).text("sha256", &sha256.value)),
    );
    all.extend(builders.iter().map(|(query, builder)| {
        let of: Vec<_> = query.of.iter().map(|one| one.name()).collect();
        let paragraph = Paragraph::new("builder").kernel(&query.kernel).list("of", &of);
        paragraph.text("builder", builder.value.name())
    }));
    all.extend(git.iter().map(|((url, reference), commit)| {
        Paragraph::new("git").text("url", url).text("reference", reference).text("commit", &commit.value)
    }));
    all.extend(headers.iter().map(|(key, pin)| {
        let paragraph = Paragraph::new("headers").kernel(key);
        match &pin.value {
            HeadersPin::Known(known) => paragraph
                .text("headers", &known.headers)
                .text("options", &known.options)
                .text("symbols", &known.symbols)
                .some("layout", known.layout.clone().map(Value::String))
                .list("packages", &known.packages),
            HeadersPin::Unknown(why) => paragraph.text("unknown", why),
        }
    }));
    all.extend(images.iter().map(|(reference, pin)| {
        let platforms = pin.value.platforms.iter();
        let platforms: Table =
            platforms.map(|(arch, digest)| (arch.to_string(), Value::String(digest.to_string()))).collect();
        Paragraph::new("image")
            .text("reference", reference)
            .text("digest", &pin.value.digest)
            .some("platforms", (!platforms.is_empty()).then_some(Value::Table(platforms)))
    }));
    all.extend(kernels.iter().map(|(query, kernels)| {
        Paragraph::new("kernels")
            .text("os", &query.os)
            .text("release", &query.release)
            .text("arch", query.arch)
            .text("flavor", &query.flavor)
            .some("match", query.pattern.clone().map(Value::String))
            .some("latest", query.latest.map(|latest| Value::Integer(latest.into())))
            .list("kernels", &kernels.value.kernels)
            .list_of_some("other-packages", &kernels.value.other_packages)
    }));
    let pins = openshift.iter().flat_map(|(key, pins)| pins.iter().map(move |pin| (key, &pin.value)));
    all.extend(pins.map(|((release, arch), pin)| {
        let realtime = pin.realtime.as_ref().map(|kernel| Value::String(kernel.to_string()));
        Paragraph::new("openshift")
            .text("release", release)
            .text("arch", arch)
            .text("kernel", &pin.kernel)
            .some("realtime", realtime)
            .text("driver-toolkit", &pin.driver_toolkit)
    }));
    all.extend(
        packages
            .iter()
            .map(|(key, packages)| Paragraph::new("packages").kernel(key).list("packages", &packages.value)),
    );
    all.extend(zstreams.iter().map(|(query, releases)| {
        Paragraph::new("zstreams")
            .text("release", &query.release)
            .text("arch", query.arch)
            .some("latest", Some(Value::Integer(query.latest.into())))
            .list("releases", &releases.value)
    }));
    all
}

impl Paragraph {
    const fn new(kind: &'static str) -> Self {
        Self { kind, fields: Vec::new() }
    }

    fn kernel(self, (os, release, kernel, arch): &KernelKey) -> Self {
        self.text("os", os).text("release", release).text("kernel", kernel).text("arch", arch)
    }

    fn text(self, key: &'static str, value: impl Display) -> Self {
        self.some(key, Some(Value::String(value.to_string())))
    }

    fn list(self, key: &'static str, items: &[impl Display]) -> Self {
        let items = items.iter().map(|item| Value::String(item.to_string())).collect();
        self.some(key, Some(Value::Array(items)))
    }

    fn list_of_some(self, key: &'static str, items: &[impl Display]) -> Self {
        if items.is_empty() { self } else { self.list(key, items) }
    }

    fn some(mut self, key: &'static str, value: Option<Value>) -> Self {
        self.fields.extend(value.map(|value| (key, value)));
        self
    }

    fn to_text(&self) -> String {
        let mut text = format!("\n[[{}]]\n", self.kind);
        for (key, value) in &self.fields {
            let _ = match value {
                // One item a line, so that added items merge.
                Value::Array(items) => {
                    let items: String = items.iter().map(|item| format!("    {item},\n")).collect();
                    writeln!(text, "{key} = [\n{items}]")
                }
                value => writeln!(text, "{key} = {value}"),
            };
        }
        let fields: Table =
            self.fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let _ = writeln!(text, "seal = \"{}\"", seal(self.kind, &fields));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::text::source::Sources;

    const TEXT: &str = include_str!("example.lock");

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
