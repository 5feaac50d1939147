//! Reads a profile file into a [`Layer`]: every value parsed, every one that does not parse reported.

use super::layer::{
    FlavorRule, Foreign, Layer, Limit, LimitTest, Line, MirrorRule, ReleaseRule, Runs, Series, Settings,
    Shape, Text,
};
use super::limits;
use super::table::PROFILE;
use super::template::Template;
use super::{Builder, Entitlement, PackageManager, Payload, VersionOrder, VersionRange};
use crate::language::kdl::{Node, Value};
use crate::language::schema;
use crate::text::diag::{Code, Diagnostic, Diagnostics, shown};
use crate::text::ids::{AbsPath, Arch, Flavor, Invalid, Name, OsName, Release, Repository};
use crate::text::source::{FileId, Sources, Spanned};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// Bytes that a compiled pattern may take.
const PATTERN_LIMIT: usize = 1 << 18;

/// Reads a whole file. `None` where its structure is not a profile's; what is wrong goes to `found`.
pub(super) fn read(file: FileId, sources: &Sources, found: &mut Diagnostics) -> Option<Layer> {
    let nodes = schema::read(file, &PROFILE, sources, found)?;
    if !limits::keeps(&nodes, found) {
        return None;
    }
    let mut reader = Reader { found };
    reader.unique(nodes.iter(), &["arch", "flavor", "line"]);
    reader.unique(nodes.iter().flat_map(Node::children), &["release"]);
    Some(reader.layer(&nodes))
}

struct Reader<'d> {
    found: &'d mut Diagnostics,
}

impl Reader<'_> {
    /// Reports nodes of one kind with one name.
    fn unique<'n>(&mut self, nodes: impl Iterator<Item = &'n Node>, kinds: &[&str]) {
        let mut seen = BTreeMap::new();
        for node in nodes.filter(|node| kinds.contains(&node.name.value.as_str())) {
            let Some(name) = node.text() else { continue };
            let kind = node.name.value.as_str();
            if let Some(first) = seen.insert((kind, name.value.clone()), name.span) {
                self.found.push(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("two {kind} nodes are named {}", shown(&name.value)),
                    )
                    .label(name.span, "the second one")
                    .label(first, "the first one")
                    .help("put what they say into one of them"),
                );
            }
        }
    }

    fn layer(&mut self, nodes: &[Node]) -> Layer {
        let mut layer = Layer { settings: self.settings(nodes), ..Layer::default() };
        for node in nodes {
            match node.name.value.as_str() {
                "profile" => {
                    layer.header = Some(node.name.span);
                    layer.extends =
                        node.text_property("extends").and_then(|name| self.parse(&name, OsName::parse));
                    layer.runs = node.text_property("runs").and_then(|name| self.parse(&name, OsName::parse));
                }
                "title" => layer.title = text(node),
                "family" => layer.family = node.text().and_then(|name| self.value(&name, OsName::parse)),
                "order" => layer.order = text(node).map(|name| order(&name)),
                "builder" => layer.builders = Some(words(node, Builder::parse)),
                "entitlement" => layer.entitlements = Some(words(node, Entitlement::parse)),
                "arch" => layer.arches.extend(self.arch(node)),
                "default-flavor" => {
                    layer.default_flavor = node.text().and_then(|name| self.value(&name, Flavor::parse))
                }
                "example" => layer.example = text(node),
                "payload" => {
                    let repository = node.text().and_then(|name| self.value(&name, Repository::parse));
                    let by_arch = node.property("arch").and_then(Value::bool).unwrap_or(true);
                    layer.payload = repository.map(|repository| Payload { repository, by_arch });
                }
                "open-series" => layer.open_series = Some(true),
                "open-flavors" => layer.open_flavors = Some(true),
                "kernel" => layer.shapes.extend(self.shape(node)),
                "foreign" => layer.foreign.extend(self.foreign(node)),
                "flavor" => layer.flavors.extend(self.flavor(node)),
                "line" => layer.lines.extend(self.line(node)),
                _ => {}
            }
        }
        layer
    }

    fn arch(&mut self, node: &Node) -> Option<(Arch, Box<str>)> {
        let arch = Arch::parse(&text(node)?)?;
        let own = node.text_property("name");
        // The name becomes part of a kernel's text, and a flavour's alphabet is part of a kernel's.
        let own = own.and_then(|own| {
            self.value(&own, |text| Flavor::parse(&text.replace('_', "-")).map(|_| text.into()))
        });
        Some((arch, own.unwrap_or_else(|| arch.name().into())))
    }

    fn shape(&mut self, node: &Node) -> Option<Shape> {
        let pattern = self.pattern(node)?;
        let range = node.text_property("releases").and_then(|range| self.range(&range));
        let reason = node.text_property("reason").map(|reason| reason.value).unwrap_or_default();
        Some(Shape {
            pattern,
            complete: node.text_property("complete").and_then(|text| self.template(&text)),
            series: self.template(&node.text_property("series")?)?,
            flavor: node.text_property("flavor").and_then(|name| self.value(&name, Flavor::parse)),
            releases: range.map(|range| (range, reason)),
            unverified: node.text_property("unverified").map(|what| what.value.into()),
            loose: node.property("loose").and_then(Value::bool).unwrap_or_default(),
        })
    }

    fn foreign(&mut self, node: &Node) -> Option<Foreign> {
        Some(Foreign { pattern: self.pattern(node)?, whose: node.text_property("of")?.value })
    }

    fn pattern(&mut self, node: &Node) -> Option<Regex> {
        let text = node.text()?;
        let built = RegexBuilder::new(&format!("^(?:{})$", text.value)).size_limit(PATTERN_LIMIT).build();
        let why = match built {
            Ok(pattern) => return Some(pattern),
            Err(regex::Error::CompiledTooBig(_)) => "it takes too much memory".to_owned(),
            // The crate prints the pattern, a line of carets and, last, what is wrong.
            Err(other) => other.to_string().lines().last().unwrap_or_default().replace("error: ", ""),
        };
        self.found.push(
            Diagnostic::new(Code::MalformedPattern, format!("{} is not a pattern", shown(&text.value)))
                .label(text.span, why)
                .help("a pattern is a regular expression of the `regex` crate: no look-around, no back-references"),
        );
        None
    }

    fn flavor(&mut self, node: &Node) -> Option<FlavorRule> {
        let name = node.text()?;
        if name.value != "*" {
            self.value(&name, |text| Flavor::parse(text.strip_prefix("*-").unwrap_or(text)))?;
        }
        let mut limits = Vec::new();
        for child in node.children() {
            let test = match child.name.value.as_str() {
                "only-arch" => LimitTest::Arches(words(child, Arch::parse)),
                "only-releases" => match child.text().and_then(|range| self.range(&range)) {
                    Some(range) => LimitTest::Releases(range),
                    None => continue,
                },
                "except-releases" => match child.text().and_then(|range| self.range(&range)) {
                    Some(range) => LimitTest::Except(range),
                    None => continue,
                },
                _ => continue,
            };
            let reason = child.text_property("reason").map(|reason| reason.value).unwrap_or_default();
            limits.push(Limit { test, reason });
        }
        Some(FlavorRule { name: name.value.into(), limits, settings: self.settings(node.children()) })
    }

    fn line(&mut self, node: &Node) -> Option<Line> {
        let name = node.text()?;
        self.value(&name, Release::parse)?;
        let runs = node.all("runs").filter_map(|runs| {
            let release = self.parse(&runs.text()?, Release::parse)?;
            Some(Runs { release, settings: self.settings(runs.children()) })
        });
        let runs = runs.collect();
        let releases = node.all("release").filter_map(|release| self.release(release)).collect();
        let shipped = node.all("shipped").filter_map(|shipped| self.shipped(shipped)).collect();
        let without = node.all("without").flat_map(Node::texts).map(|text| text.value.into()).collect();
        Some(Line {
            without,
            name: name.value.into(),
            runs,
            releases,
            shipped,
            settings: self.settings(node.children()),
        })
    }

    fn release(&mut self, node: &Node) -> Option<ReleaseRule> {
        let name = self.template(&node.text()?)?;
        let series = node.all("series").map(|series| Series {
            names: series.texts().filter_map(|name| self.template(&name)).collect(),
            settings: self.settings(series.children()),
        });
        let series = series.collect();
        let words = |name| node.all(name).flat_map(Node::texts).map(|text| text.value.into()).collect();
        Some(ReleaseRule {
            name,
            aliases: words("alias"),
            series,
            suffixes: words("suffix"),
            settings: self.settings(node.children()),
        })
    }

    fn shipped(&mut self, node: &Node) -> Option<(Box<str>, Vec<Release>)> {
        let releases =
            node.texts().skip(1).filter_map(|release| self.value(&release, Release::parse)).collect();
        Some((text(node)?.into(), releases))
    }

    fn settings(&mut self, nodes: &[Node]) -> Settings {
        let mut settings = Settings::default();
        for node in nodes {
            let mut one = || node.text().and_then(|text| self.template(&text));
            match node.name.value.as_str() {
                "manager" => settings.managers = managers(node),
                "el" => settings.el = one(),
                "ended" => settings.ended = node.text().and_then(|day| self.day(&day)),
                "base" => settings.base = one(),
                "minimal" => settings.minimal = one(),
                "micro" => settings.micro = one(),
                "dtk" => settings.dtk = one(),
                "old-kernels" => settings.old_kernels = one(),
                "kernel-dir" => settings.kernel_dir = one(),
                "kernel-src-dir" => settings.kernel_src_dir = one(),
                "compiler" => {
                    settings.compiler = one();
                    settings.compiler_command = match node.text_property("command") {
                        Some(command) => self.template(&command),
                        None => settings.compiler.clone(),
                    };
                }
                "unverified" => settings.unverified.extend(text(node).map(Into::into)),
                "tools" => settings.tools = self.templates(node),
                "fetch" => settings.fetch = self.templates(node),
                "download" => settings.download = self.templates(node),
                "srpm" => settings.srpm = self.templates(node),
                "ssh" => settings.ssh = self.templates(node),
                "toolkit" => settings.toolkit = self.templates(node),
                "toolkit-kernel" => settings.toolkit_kernel = self.templates(node),
                "toolkit-modules" => settings.toolkit_modules = self.templates(node),
                "subscription" => settings.subscription = self.templates(node),
                "runtime" => settings.runtime = self.templates(node),
                "install-options" => settings.install_options = self.templates(node),
                "build" => settings.build = self.templates(node),
                "in-tree" => settings.in_tree = self.templates(node),
                "boot" => settings.boot = self.templates(node),
                "repository" => settings.repositories = self.templates(node),
                "stream" => settings.streams.get_or_insert_default().extend(stream(node)),
                "mirror" => settings.mirrors.get_or_insert_default().extend(self.mirror(node)),
                _ => {}
            }
        }
        settings
    }

    fn mirror(&mut self, node: &Node) -> Option<MirrorRule> {
        let words = |name: &str| {
            let text = node.text_property(name);
            let words = text.iter().flat_map(|text| {
                text.value.split_whitespace().map(|word| Spanned::new(word.to_owned(), text.span))
            });
            words.collect::<Vec<_>>()
        };
        let arch = |text: &str| Arch::parse(text).ok_or(Invalid("an architecture as `uname -m` prints it"));
        Some(MirrorRule {
            url: self.template(&node.text()?)?,
            suite: node.text_property("suite").and_then(|suite| self.template(&suite)),
            components: words("component").iter().filter_map(|word| self.value(word, Name::parse)).collect(),
            arches: words("arch").iter().filter_map(|word| self.value(word, arch)).collect(),
            subscription: node.property("subscription").and_then(Value::bool).unwrap_or_default(),
            archive: node.property("archive").and_then(Value::bool).unwrap_or_default(),
            key: node.text_property("key").and_then(|key| self.value(&key, AbsPath::parse)),
        })
    }

    fn templates(&mut self, node: &Node) -> Option<Vec<Text>> {
        Some(node.texts().filter_map(|text| self.template(&text)).collect())
    }

    fn template(&mut self, text: &Spanned<String>) -> Option<Text> {
        self.parse(text, |text| {
            Template::parse(text).ok_or(Invalid("a name in lower case and a } behind each {"))
        })
    }

    fn range(&mut self, text: &Spanned<String>) -> Option<VersionRange> {
        self.value(text, |text| VersionRange::parse(text).ok_or(Invalid(VersionRange::RULE)))
    }

    fn day(&mut self, text: &Spanned<String>) -> Option<String> {
        let shape =
            |text: &str| text.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b }).eq(*b"0000-00-00");
        self.value(
            text,
            |text| {
                if shape(text) { Ok(text.into()) } else { Err(Invalid("a day such as 2025-05-31")) }
            },
        )
    }

    fn parse<T>(
        &mut self,
        text: &Spanned<String>,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Spanned<T>> {
        self.value(text, parse).map(|value| Spanned::new(value, text.span))
    }

    fn value<T>(&mut self, text: &Spanned<String>, parse: impl Fn(&str) -> Result<T, Invalid>) -> Option<T> {
        parse(&text.value).map_err(|rule| self.found.push(malformed(text, rule))).ok()
    }
}

/// A value of a profile that is not what its place takes.
pub(super) fn malformed(text: &Spanned<String>, rule: Invalid) -> Diagnostic {
    Diagnostic::new(Code::MalformedProfileValue, format!("{} does not fit here", shown(&text.value)))
        .label(text.span, "not what this node takes")
        .help(format!("write {rule}"))
}

fn stream(node: &Node) -> Option<(Option<Box<str>>, Box<str>)> {
    Some((node.text_property("flavor").map(|flavor| flavor.value.into()), text(node)?.into()))
}

fn text(node: &Node) -> Option<String> {
    node.text().map(|text| text.value)
}

fn words<T>(node: &Node, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
    node.texts().filter_map(|word| parse(&word.value)).collect()
}

fn order(name: &str) -> VersionOrder {
    if name == "dpkg" { VersionOrder::Dpkg } else { VersionOrder::Rpm }
}

fn managers(node: &Node) -> Option<(PackageManager, PackageManager)> {
    let manager = PackageManager::parse(&text(node)?)?;
    let runtime = node.text_property("runtime").and_then(|name| PackageManager::parse(&name.value));
    Some((manager, runtime.unwrap_or(manager)))
}
