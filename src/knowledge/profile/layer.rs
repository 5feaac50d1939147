//! What one profile file says, every value parsed but still partial, and how one file is laid over another.

use super::template::Template;
use super::{Builder, Entitlement, PackageManager, Payload, VersionOrder, VersionRange};
use crate::text::ids::{AbsPath, Arch, Flavor, Name, OsName, Release};
use crate::text::source::{Span, Spanned};
use regex::Regex;

/// A template and where it stands.
pub(super) type Text = Spanned<Template>;

/// The flavour that a stream is for (none: all), and the stream's name.
pub(super) type Stream = (Option<Box<str>>, Box<str>);

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    /// The place of the `profile` node.
    pub header: Option<Span>,
    /// The profile that this one is laid over.
    pub extends: Option<Spanned<OsName>>,
    /// The distribution whose releases, and so kernels, this one's nodes run.
    pub runs: Option<Spanned<OsName>>,
    pub title: Option<String>,
    pub family: Option<OsName>,
    pub order: Option<VersionOrder>,
    pub builders: Option<Vec<Builder>>,
    pub entitlements: Option<Vec<Entitlement>>,
    /// Each with the distribution's own name for it.
    pub arches: Vec<(Arch, Box<str>)>,
    pub default_flavor: Option<Flavor>,
    /// A kernel to show people who wrote one that is none.
    pub example: Option<String>,
    pub payload: Option<Payload>,
    /// Whether kernels of a series that no release lists are taken too.
    pub open_series: Option<bool>,
    /// Whether flavours that are not listed are taken too.
    pub open_flavors: Option<bool>,
    pub shapes: Vec<Shape>,
    pub foreign: Vec<Foreign>,
    pub flavors: Vec<FlavorRule>,
    pub lines: Vec<Line>,
    pub settings: Settings,
}

/// One shape that the text of a kernel may have.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub pattern: Regex,
    /// The text with its architecture, for kernels that are written without.
    pub complete: Option<Text>,
    /// What a release lists in `series`.
    pub series: Text,
    /// The flavour that the shape stands for.
    pub flavor: Option<Flavor>,
    /// The releases whose kernels have this shape, and why.
    pub releases: Option<(VersionRange, String)>,
    /// What is not known for certain of such kernels.
    pub unverified: Option<Box<str>>,
    /// Whether it stands for kernels that are not known: tried last, and warned of.
    pub loose: bool,
}

/// A shape of kernels that are easily taken for this distribution's.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    pub pattern: Regex,
    /// Whose kernels they are, and how to tell: completes "that is a kernel of …".
    pub whose: String,
}

/// What holds for kernels of one flavour.
#[derive(Clone, Debug)]
pub(super) struct FlavorRule {
    /// Its name; `*-64k` stands for every flavour with that end.
    pub name: Box<str>,
    pub limits: Vec<Limit>,
    pub settings: Settings,
}

/// Where kernels of a flavour exist.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub test: LimitTest,
    /// Why, as a sentence without its full stop.
    pub reason: String,
}

#[derive(Clone, Debug)]
pub(super) enum LimitTest {
    Arches(Vec<Arch>),
    Releases(VersionRange),
    Except(VersionRange),
}

/// Releases that have most in common, such as the minors of RHEL 9.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub name: Box<str>,
    pub runs: Vec<Runs>,
    pub releases: Vec<ReleaseRule>,
    /// Releases of the file below that are left out.
    pub without: Vec<Box<str>>,
    /// The kernel that some releases run: `shipped KERNEL RELEASE…`.
    pub shipped: Vec<(Box<str>, Vec<Release>)>,
    pub settings: Settings,
}

/// A release of the distribution in [`Layer::runs`] that a line's nodes run.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    pub release: Spanned<Release>,
    pub settings: Settings,
}

/// One release, or all that follow a pattern.
#[derive(Clone, Debug)]
pub(super) struct ReleaseRule {
    /// `9.4`, or with one hole that stands for a number: `4.18.{z}`.
    pub name: Text,
    /// Other words for it, such as `bookworm`: not taken, but understood.
    pub aliases: Vec<Box<str>>,
    pub series: Vec<Series>,
    /// The values that the group `suffix` of its kernels may have; empty if any.
    pub suffixes: Vec<Box<str>>,
    pub settings: Settings,
}

/// Kernels that a release ships: all that begin alike.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The values of [`Shape::series`].
    pub names: Vec<Text>,
    pub settings: Settings,
}

/// What can be said of a whole distribution, of a line, a release, a series or a flavour: the nearest counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Of the builder and of the minimal runtime image.
    pub managers: Option<(PackageManager, PackageManager)>,
    pub el: Option<Text>,
    pub ended: Option<String>,
    pub base: Option<Text>,
    pub minimal: Option<Text>,
    pub micro: Option<Text>,
    pub dtk: Option<Text>,
    pub tools: Option<Vec<Text>>,
    pub fetch: Option<Vec<Text>>,
    pub download: Option<Vec<Text>>,
    pub srpm: Option<Vec<Text>>,
    pub ssh: Option<Vec<Text>>,
    pub toolkit: Option<Vec<Text>>,
    pub runtime: Option<Vec<Text>>,
    pub install_options: Option<Vec<Text>>,
    pub build: Option<Vec<Text>>,
    pub in_tree: Option<Vec<Text>>,
    pub boot: Option<Vec<Text>>,
    pub toolkit_kernel: Option<Vec<Text>>,
    pub toolkit_modules: Option<Vec<Text>>,
    pub subscription: Option<Vec<Text>>,
    pub repositories: Option<Vec<Text>>,
    /// Where kernels are that have left the repositories.
    pub old_kernels: Option<Text>,
    pub kernel_dir: Option<Text>,
    pub kernel_src_dir: Option<Text>,
    /// The package with the kernel's compiler.
    pub compiler: Option<Text>,
    /// The program in that package; there wherever `compiler` is.
    pub compiler_command: Option<Text>,
    pub mirrors: Option<Vec<MirrorRule>>,
    /// The streams of repositories that kernels come in, each with the flavour that it is for; of all without one.
    pub streams: Option<Vec<Stream>>,
    /// What is not known for certain.
    pub unverified: Vec<Box<str>>,
}

/// Where packages of kernels are offered to everybody, or to those with a subscription.
#[derive(Clone, Debug)]
pub(super) struct MirrorRule {
    pub url: Text,
    /// For apt.
    pub suite: Option<Text>,
    /// For apt.
    pub components: Vec<Name>,
    /// The architectures that it is for; empty if all.
    pub arches: Vec<Arch>,
    pub subscription: bool,
    /// Whether base images do not know it, so that the builder is given it.
    pub archive: bool,
    /// The OpenPGP keys that sign it, in the base image.
    pub key: Option<AbsPath>,
}

/// Replaces each named field of `$below` that `$over` has too.
macro_rules! replace {
    ($below:ident, $over:ident: $($field:ident)*) => {
        $(if $over.$field.is_some() { $below.$field = $over.$field.clone(); })*
    };
}

impl Settings {
    /// These settings, and where they say nothing those `below`.
    pub fn over(&self, below: &Self) -> Self {
        let mut result = below.clone();
        replace!(result, self: managers el ended base minimal micro dtk tools fetch download srpm ssh toolkit runtime
            install_options build in_tree boot toolkit_kernel toolkit_modules subscription repositories kernel_dir
            kernel_src_dir compiler compiler_command mirrors streams old_kernels);
        result.unverified.extend(self.unverified.iter().cloned());
        result
    }
}

impl Layer {
    /// Lays this file over another: what is written here replaces, what has a name is laid over its namesake or
    /// added, and shapes are tried before the other file's.
    pub fn over(self, mut below: Self) -> Self {
        let over = self;
        replace!(below, over: runs title family order builders entitlements default_flavor example payload
            open_series open_flavors);
        for (arch, name) in over.arches {
            below.arches.retain(|(known, _)| *known != arch);
            below.arches.push((arch, name));
        }
        below.shapes.splice(0..0, over.shapes);
        below.foreign.splice(0..0, over.foreign);
        for rule in over.flavors {
            match below.flavors.iter_mut().find(|known| known.name == rule.name) {
                Some(known) => {
                    known.settings = rule.settings.over(&known.settings);
                    known.limits = rule.limits;
                }
                None => below.flavors.push(rule),
            }
        }
        for line in over.lines {
            match below.lines.iter_mut().find(|known| known.name == line.name) {
                Some(known) => line.over(known),
                None => below.lines.push(line),
            }
        }
        below.settings = over.settings.over(&below.settings);
        below.extends = None;
        below
    }
}

impl Line {
    fn over(self, below: &mut Self) {
        below.settings = self.settings.over(&below.settings);
        if !self.runs.is_empty() {
            below.runs = self.runs;
        }
        below.releases.retain(|rule| !self.without.iter().any(|name| rule.name.value.to_string() == **name));
        for rule in self.releases {
            match below.releases.iter_mut().find(|known| known.name.value == rule.name.value) {
                Some(known) => rule.over(known),
                None => below.releases.push(rule),
            }
        }
        below.shipped.splice(0..0, self.shipped);
    }
}

impl ReleaseRule {
    fn over(self, below: &mut Self) {
        below.settings = self.settings.over(&below.settings);
        if !self.suffixes.is_empty() {
            below.suffixes = self.suffixes;
        }
        below.series.extend(self.series);
        below.aliases.extend(self.aliases);
    }
}

/// One release, or all that follow a pattern, with everything that its line and the file say of it.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line that it stands in.
    pub line: Box<str>,
    /// Its text, or a template with one hole that stands for a number.
    pub name: Template,
    /// Where it stands.
    pub span: Span,
    /// Its text; `None` for a pattern.
    pub listed: Option<Box<str>>,
    pub aliases: Vec<Box<str>>,
    pub series: Vec<Series>,
    pub suffixes: Vec<Box<str>>,
    pub runs: Vec<Runs>,
    /// The kernel that some of the line's releases run.
    pub shipped: Vec<(Box<str>, Vec<Release>)>,
    pub settings: Settings,
}
