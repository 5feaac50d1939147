//! Turns the layers of a profile into a [`Profile`], reporting what is missing and what does not fit together.

use super::facts::Profile;
use super::layer::{Layer, Line, Rule, Settings, Shape, Text};
use super::packages::KERNEL_HOLES;
use super::read::malformed;
use super::release::{Home, Misrendered, RELEASE_HOLES, platforms, render};
use super::template::Template;
use super::words::join;
use super::{Builder, Entitlement, VersionOrder};
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed, nearest};
use crate::text::ids::{AbsPath, Command, Flavor, OsName, PackageName, RepositoryId};
use crate::text::source::{Span, Spanned};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Builds the profile `os`. `host` is the one in [`Layer::runs`]. `None` where something is wrong.
pub(super) fn build(
    os: &OsName,
    layer: Layer,
    host: Option<Arc<Profile>>,
    found: &mut Diagnostics,
) -> Option<Profile> {
    let before = found.len();
    let mut check =
        Check { found, header: layer.header, groups: groups(&layer.shapes), wrong: BTreeSet::new() };
    check.complete(&layer, host.as_deref());
    let rules: Vec<Rule> = layer.lines.iter().flat_map(|line| rules(line, &layer.settings)).collect();
    check.shapes(&layer.shapes);
    let shapes = with_loose(layer.shapes, &check.groups);
    for flavor in &layer.flavors {
        check.kernel_holes(&flavor.settings, &[]);
    }
    for rule in &rules {
        check.rule(rule, host.as_deref());
    }
    if found.len() > before {
        return None;
    }
    let mut by_series: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(listed) = &rule.listed else { continue };
        let home = Home::of(rule, Cow::Borrowed(listed));
        home.begins().for_each(|series| by_series.entry(series.into()).or_default().push(index));
    }
    let of = host.as_deref();
    let (arches, arch_names) = if layer.arches.is_empty() {
        of.map(|host| (host.arches.clone(), host.arch_names.clone())).unwrap_or_default()
    } else {
        layer.arches.into_iter().unzip()
    };
    Some(Profile {
        os: os.clone(),
        title: layer.title.unwrap_or_else(|| os.to_string()),
        family: layer.family.or(of.map(|host| host.family.clone())).unwrap_or_else(|| os.clone()),
        order: layer.order.or(of.map(|host| host.order)).unwrap_or(VersionOrder::Rpm),
        builders: layer.builders.unwrap_or_else(|| vec![Builder::Distro]),
        entitlements: layer.entitlements.unwrap_or_else(|| vec![Entitlement::None]),
        arches,
        arch_names,
        kernels_of: of.map(|host| host.os.clone()),
        default_flavor: layer
            .default_flavor
            .or(of.map(|host| host.default_flavor.clone()))
            .or(Flavor::parse("default").ok())?,
        example: layer.example.or(of.map(|host| host.example.clone())).unwrap_or_default(),
        payload: layer.payload,
        open_series: layer.open_series.unwrap_or_default(),
        open_flavors: layer.open_flavors.unwrap_or_default(),
        shapes,
        foreign: layer.foreign,
        flavor_rules: layer.flavors,
        rules,
        by_series,
        host,
    })
}

/// The rules of a line, with what the line and the file say laid under each.
fn rules(line: &Line, file: &Settings) -> Vec<Rule> {
    let below = line.settings.over(file);
    let rule = |release: &super::layer::ReleaseRule| {
        let name = release.name.value.clone();
        let listed = name.holes().next().is_none().then(|| name.to_string().into());
        Rule {
            line: line.name.clone(),
            span: release.name.span,
            name,
            listed,
            aliases: release.aliases.clone(),
            series: release.series.clone(),
            suffixes: release.suffixes.clone(),
            runs: line.runs.clone(),
            shipped: line.shipped.clone(),
            settings: release.settings.over(&below),
        }
    };
    line.releases.iter().map(rule).collect()
}

/// The groups that every shape has.
fn groups(shapes: &[Shape]) -> BTreeSet<String> {
    let names = |shape: &Shape| shape.pattern.capture_names().flatten().map(str::to_owned).collect();
    let mut sets = shapes.iter().map(names);
    let first: BTreeSet<String> = sets.next().unwrap_or_default();
    sets.fold(first, |all, set: BTreeSet<String>| all.intersection(&set).cloned().collect())
}

/// The shapes with loose ones last; where there is none, one that takes any text that begins as a kernel's version does,
/// each group of the others being the whole of it.
fn with_loose(shapes: Vec<Shape>, groups: &BTreeSet<String>) -> Vec<Shape> {
    let (mut loose, mut shapes): (Vec<_>, Vec<_>) = shapes.into_iter().partition(|shape| shape.loose);
    if loose.is_empty() && !shapes.is_empty() {
        let names = groups.iter().filter(|name| !["arch", "flavor"].contains(&name.as_str()));
        let (opened, closed): (String, String) = names.map(|name| (format!("(?<{name}>"), ')')).unzip();
        let pattern = regex::Regex::new(&format!("^{opened}[0-9]+\\.[0-9]+.*{closed}$"));
        loose.extend(pattern.ok().zip(Template::parse("")).map(|(pattern, series)| Shape {
            pattern,
            complete: None,
            series: Spanned::new(
                series,
                shapes.first().map_or_else(Span::default, |shape| shape.series.span),
            ),
            flavor: None,
            releases: None,
            unverified: None,
            loose: true,
        }));
    }
    shapes.append(&mut loose);
    shapes
}

struct Check<'d> {
    found: &'d mut Diagnostics,
    header: Option<Span>,
    groups: BTreeSet<String>,
    /// The templates that have been reported.
    wrong: BTreeSet<Span>,
}

impl Check<'_> {
    /// Reports what a profile of its own must say.
    fn complete(&mut self, layer: &Layer, host: Option<&Profile>) {
        let mut missing = Vec::new();
        if layer.lines.iter().all(|line| line.releases.is_empty()) {
            missing.push("line");
        }
        if host.is_none() {
            let said = [
                ("title", layer.title.is_some()),
                ("order", layer.order.is_some()),
                ("manager", layer.settings.managers.is_some()),
                ("arch", !layer.arches.is_empty()),
                ("example", layer.example.is_some()),
                ("kernel", !layer.shapes.is_empty()),
            ];
            missing.extend(said.iter().filter(|(_, said)| !said).map(|(name, _)| *name));
        }
        if let (false, Some(header)) = (missing.is_empty(), self.header) {
            let names = listed(missing.iter().copied(), "or");
            self.found.push(
                Diagnostic::new(Code::IncompleteProfile, format!("the profile has no {names}"))
                    .label(header, "builds on no other profile")
                    .help("add what is missing, or lay the file over a built-in profile, as `profile edition=1 extends=\"debian\"` does"),
            );
        }
    }

    fn shapes(&mut self, shapes: &[Shape]) {
        for shape in shapes {
            let own: Vec<&str> = shape.pattern.capture_names().flatten().collect();
            let with_name: Vec<&str> = own.iter().copied().chain(["arch_name"]).collect();
            self.holes(&shape.series, &own);
            self.holes_of(shape.complete.as_ref(), &with_name);
        }
    }

    /// Reports what is wrong with one release: holes that nothing fills, values that are none, releases that the
    /// host has not.
    fn rule(&mut self, rule: &Rule, host: Option<&Profile>) {
        let own: Vec<&str> = RELEASE_HOLES.iter().copied().chain(rule.name.holes()).collect();
        let before = self.found.len();
        self.release_holes(&rule.settings, &own);
        let in_mirrors: Vec<&str> = own.iter().copied().chain(["arch", "arch_name", "tree"]).collect();
        for mirror in rule.settings.mirrors.iter().flatten() {
            self.holes(&mirror.url, &in_mirrors);
            self.holes_of(mirror.suite.as_ref(), &in_mirrors);
        }
        self.kernel_holes(&rule.settings, &own);
        for series in &rule.series {
            series.names.iter().for_each(|name| self.holes(name, &own));
            self.kernel_holes(&series.settings, &own);
        }
        for runs in &rule.runs {
            self.release_holes(&runs.settings, &own);
            self.runs(runs.release.value.as_str(), runs.release.span, host);
        }
        if self.found.len() == before {
            self.values(rule, host);
        }
    }

    fn runs(&mut self, release: &str, span: Span, host: Option<&Profile>) {
        let Some(host) = host else {
            let diagnostic = Diagnostic::new(Code::IncompleteProfile, "`runs` without a profile to run")
                .label(span, "a release of which distribution?")
                .help("name it in the header, as `profile edition=1 runs=\"rhel\"` does");
            return self.found.push(diagnostic);
        };
        if host.find_release(release).is_none() {
            let diagnostic = Diagnostic::new(
                Code::MalformedProfileValue,
                format!("{} has no release `{release}`", host.title),
            )
            .label(span, format!("not a release of {}", host.title))
            .help(format!("{} has {}", host.title, join(&host.ranges(|_| true), "and")));
            self.found.push(diagnostic);
        }
    }

    /// Fills every template of a rule as for its release, or for number 1 where it is a pattern.
    fn values(&mut self, rule: &Rule, host: Option<&Profile>) {
        let sample = rule.name.render(|_| Some("1"));
        let home = Home::of(rule, sample.into());
        let result = match host {
            None => home.platform().and_then(|platform| match platform {
                Some(_) => self.kernel_values(&home),
                None => {
                    self.found.push(
                        Diagnostic::new(
                            Code::IncompleteProfile,
                            format!("release `{}` has no images", rule.name),
                        )
                        .label(rule.span, "needs `base` and `minimal`")
                        .help("write them here, in its `line`, or at the top of the file for all releases"),
                    );
                    Ok(())
                }
            }),
            Some(_) => platforms(host, &home).map(drop),
        };
        if let Err(wrong) = result {
            self.misrendered(wrong);
        }
    }

    /// Fills the templates for kernels, each hole of the kernel's own with a 0.
    fn kernel_values(&mut self, home: &Home<'_>) -> Result<(), Misrendered> {
        let settings = home.rule.series.iter().map(|series| &series.settings).chain([&home.rule.settings]);
        let value = |hole: &str| home.value(hole).or(Some("0"));
        for mirror in home.rule.settings.mirrors.iter().flatten() {
            super::mirrors::filled(mirror, value)?;
        }
        for settings in settings {
            let toolkit = [&settings.toolkit_kernel, &settings.toolkit_modules];
            let packages = [&settings.build, &settings.in_tree, &settings.boot].into_iter().chain(toolkit);
            for name in packages.flatten().flatten().chain(&settings.compiler) {
                render(name, value, PackageName::parse)?;
            }
            if let Some(command) = &settings.compiler_command {
                render(command, value, Command::parse)?;
            }
            for id in [&settings.repositories, &settings.subscription].into_iter().flatten().flatten() {
                render(id, value, RepositoryId::parse)?;
            }
            if let Some(text) = &settings.old_kernels {
                render(text, value, super::packages::plain)?;
            }
            for path in settings.kernel_dir.iter().chain(&settings.kernel_src_dir) {
                render(path, value, AbsPath::parse)?;
            }
        }
        if home.rule.settings.kernel_dir.is_none() {
            self.found.push(
                Diagnostic::new(
                    Code::IncompleteProfile,
                    format!("release `{}` has no `kernel-dir`", home.rule.name),
                )
                .label(home.rule.span, "where do its kernels' packages put the build directory?")
                .help("write `kernel-dir` here, in its `line`, or at the top of the file for all releases"),
            );
        }
        Ok(())
    }

    /// One report for a template, however many releases it serves.
    fn misrendered(&mut self, wrong: Misrendered) {
        if !self.wrong.insert(wrong.span) {
            return;
        }
        self.found.push(malformed(&Spanned::new(wrong.text, wrong.span), wrong.rule));
    }

    fn release_holes(&mut self, settings: &Settings, known: &[&str]) {
        let lists = [
            &settings.tools,
            &settings.fetch,
            &settings.download,
            &settings.srpm,
            &settings.ssh,
            &settings.toolkit,
            &settings.runtime,
            &settings.install_options,
        ];
        lists.into_iter().flatten().flatten().for_each(|text| self.holes(text, known));
        let ones = [&settings.el, &settings.base, &settings.minimal, &settings.micro, &settings.dtk];
        ones.into_iter().for_each(|text| self.holes_of(text.as_ref(), known));
    }

    fn kernel_holes(&mut self, settings: &Settings, release: &[&str]) {
        let groups = self.groups.clone();
        let known = KERNEL_HOLES.iter().chain(RELEASE_HOLES).chain(release).copied();
        let known: Vec<&str> = known.chain(groups.iter().map(String::as_str)).collect();
        let packages =
            [&settings.build, &settings.in_tree, &settings.toolkit_kernel, &settings.toolkit_modules];
        let others = [&settings.boot, &settings.subscription, &settings.repositories];
        packages.into_iter().chain(others).flatten().flatten().for_each(|text| self.holes(text, &known));
        let dirs = [&settings.kernel_dir, &settings.kernel_src_dir];
        let ones =
            [&settings.compiler, &settings.compiler_command, &settings.old_kernels].into_iter().chain(dirs);
        ones.for_each(|text| self.holes_of(text.as_ref(), &known));
    }

    fn holes_of(&mut self, text: Option<&Text>, known: &[&str]) {
        if let Some(text) = text {
            self.holes(text, known);
        }
    }

    fn holes(&mut self, text: &Text, known: &[&str]) {
        let unknown = text.value.holes().find(|hole| !known.contains(hole));
        if let Some(hole) = unknown
            && self.wrong.insert(text.span)
        {
            let mut names: Vec<&str> = known.to_vec();
            names.sort_unstable();
            names.dedup();
            let help = match nearest(hole, names.iter().copied()) {
                Some(meant) => format!("did you mean `{{{meant}}}`?"),
                None => format!("there is {}", listed(names, "and")),
            };
            self.found.push(
                Diagnostic::new(Code::UnknownHole, format!("nothing fills `{{{hole}}}`"))
                    .label(text.span, "no value of that name here")
                    .help(help),
            );
        }
    }
}
