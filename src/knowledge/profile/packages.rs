//! Packages: from a kernel to what is installed for it, and where it then lies.

use super::layer::{Series, Settings, Text};
use super::release::{Home, Misrendered, render};
use super::{Compiler, Kernel, KernelPackages, Profile, ReleaseFacts};
use crate::text::ids::{AbsPath, Arch, Command, Flavor, Invalid, PackageName, RepositoryId};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The holes that a kernel fills, beside its release's and the named groups of its shape.
pub(super) const KERNEL_HOLES: &[&str] = &["kernel", "flavor", "arch", "arch_name", "stream"];

/// A package name or path, made from the profile's template for a kernel, that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile `{os}` makes `{text}` of this kernel, which is no {kind}")]
pub struct Unusable {
    /// The profile.
    pub os: String,
    /// What its template gives.
    pub text: String,
    /// What is wanted there: a package name, a path.
    pub kind: &'static str,
    /// What such a value may look like.
    pub rule: Invalid,
}

/// Settings for a kernel, the nearest first.
type Chain<'p> = [Option<&'p Settings>; 4];

impl Kernel {
    /// What all kernels begin with that come out of one series of a distribution's packages.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.series
    }
}

impl Profile {
    /// What to install for a kernel. A kernel without architecture is taken as the one for `arch`.
    ///
    /// # Errors
    /// Where a template of the profile gives something unusable, such as a name that is too long.
    pub fn packages(
        &self,
        kernel: &Kernel,
        release: &ReleaseFacts,
        arch: Arch,
    ) -> Result<KernelPackages, Unusable> {
        self.packages_of_stream(kernel, release, arch, None)
    }

    /// The same, from the repositories of a stream; of the release's own where there is none.
    ///
    /// # Errors
    /// See [`Profile::packages`].
    pub fn packages_of_stream(
        &self,
        kernel: &Kernel,
        release: &ReleaseFacts,
        arch: Arch,
        stream: Option<&str>,
    ) -> Result<KernelPackages, Unusable> {
        let grammar = self.grammar();
        let complete = match kernel.arch {
            Some(_) => Cow::Borrowed(kernel),
            None => Cow::Owned(self.with_arch(kernel, arch).unwrap_or_else(|_| kernel.clone())),
        };
        let of = release.platform(kernel).map_or(&release.release, |platform| &platform.release);
        let Some(home) = grammar.home(of.as_str()) else {
            return Err(self.unusable("release", of.as_str()));
        };
        let chain = self.chain(&complete, &home);
        let stream = stream.unwrap_or_else(|| home.stream(complete.flavor.as_str()));
        let stream = if stream == "base" { String::new() } else { format!("-{stream}") };
        let fill = |hole: &str| match hole {
            "stream" => Some(stream.as_str()),
            _ => grammar.fill(&complete, &home, arch, hole),
        };
        let wrong = |kind| {
            move |wrong: Misrendered| Unusable {
                os: self.os.to_string(),
                text: wrong.text,
                kind,
                rule: wrong.rule,
            }
        };
        let name = wrong("package name");
        let compiler = one(chain, |settings| settings.compiler.as_ref(), fill, PackageName::parse);
        let command = one(chain, |settings| settings.compiler_command.as_ref(), fill, Command::parse);
        let mut build =
            all(chain, |settings| settings.build.as_ref(), fill, PackageName::parse).map_err(&name)?;
        let compiler = compiler
            .map_err(&name)?
            .zip(command.map_err(wrong("command"))?)
            .map(|(package, command)| Compiler { package, command });
        build.extend(compiler.iter().map(|compiler| compiler.package.clone()));
        let in_tree =
            all(chain, |settings| settings.in_tree.as_ref(), fill, PackageName::parse).map_err(&name)?;
        let boot = all(chain, |settings| settings.boot.as_ref(), fill, PackageName::parse).map_err(&name)?;
        let toolkit = all(chain, |settings| settings.toolkit_kernel.as_ref(), fill, PackageName::parse);
        let toolkit = toolkit.map_err(&name)?;
        let modules = all(chain, |settings| settings.toolkit_modules.as_ref(), fill, PackageName::parse);
        let toolkit_modules = modules.map_err(&name)?;
        let subscription = all(chain, |settings| settings.subscription.as_ref(), fill, RepositoryId::parse);
        let repositories = all(chain, |settings| settings.repositories.as_ref(), fill, RepositoryId::parse);
        let dir = one(chain, |settings| settings.kernel_dir.as_ref(), fill, AbsPath::parse);
        let Some(kernel_dir) = dir.map_err(wrong("path"))? else {
            return Err(self.unusable("path", ""));
        };
        let old = one(chain, |settings| settings.old_kernels.as_ref(), fill, plain);
        let src_dir = one(chain, |settings| settings.kernel_src_dir.as_ref(), fill, AbsPath::parse);
        Ok(KernelPackages {
            build,
            in_tree,
            boot,
            toolkit,
            toolkit_modules,
            subscription: subscription.map_err(wrong("repository"))?,
            repositories: repositories
                .and_then(|found| Ok([found, self.own_repositories(release, fill)?].concat()))
                .map_err(wrong("repository"))?,
            kernel_src_dir: src_dir.map_err(wrong("path"))?.unwrap_or_else(|| kernel_dir.clone()),
            old_kernels: old.map_err(wrong("text"))?,
            kernel_dir,
            compiler,
            unverified: grammar.unverified(&complete, chain),
        })
    }

    /// The repositories that a system has beside those of the one that it runs.
    fn own_repositories<'v>(
        &self,
        release: &ReleaseFacts,
        fill: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Vec<RepositoryId>, Misrendered> {
        let Some(home) = self.host.as_ref().and_then(|_| self.home(release.release.as_str())) else {
            return Ok(Vec::new());
        };
        let own = |hole: &str| if hole == "line" { home.value(hole) } else { fill(hole) };
        let templates = home.rule.settings.repositories.iter().flatten();
        templates.map(|template| render(template, own, RepositoryId::parse)).collect()
    }

    /// What the names of the packages of a flavour's kernels begin with, as far as no kernel is needed to tell.
    #[must_use]
    pub fn package_stems(&self, release: &ReleaseFacts, arch: Arch, flavor: &Flavor) -> BTreeSet<String> {
        let grammar = self.grammar();
        let mut stems = BTreeSet::new();
        for platform in &release.platforms {
            let Some(home) = grammar.home(platform.release.as_str()) else { continue };
            let value = |hole: &str| match hole {
                "flavor" => Some(flavor.as_str()),
                "arch" => Some(arch.name()),
                "arch_name" => grammar.arch_name(arch),
                _ => home.value(hole),
            };
            let own = grammar.own_flavor_rule(flavor.as_str()).map(|rule| &rule.settings);
            let series = home.rule.series.iter().map(|series| &series.settings);
            let settings = own.into_iter().chain(series).chain([&home.rule.settings]);
            let templates =
                settings.flat_map(|settings| [&settings.build, &settings.in_tree, &settings.boot]);
            stems.extend(templates.flatten().flatten().map(|template| template.value.stem(value)));
        }
        stems
    }

    /// What is not known for certain of a kernel's shape, flavour and series.
    fn unverified(&self, kernel: &Kernel, chain: Chain<'_>) -> Vec<Box<str>> {
        let shape = self.shapes.get(kernel.shape).and_then(|shape| shape.unverified.clone());
        let near = near(chain).flat_map(|settings| settings.unverified.iter().cloned());
        shape.into_iter().chain(near).collect()
    }

    /// The settings for a kernel: its flavour's, then its series', then its release's.
    fn chain<'p>(&'p self, kernel: &Kernel, home: &Home<'p>) -> Chain<'p> {
        let flavor = kernel.flavor.as_str();
        let series = self.series(kernel, home);
        let of_host = self.host.as_ref().and_then(|host| host.own_flavor_rule(flavor));
        [
            self.own_flavor_rule(flavor).map(|rule| &rule.settings),
            of_host.map(|rule| &rule.settings),
            series.map(|series| &series.settings),
            Some(&home.rule.settings),
        ]
    }

    /// The series of a release that a kernel is of; where it is of none, the nearest that is not newer.
    fn series<'p>(&self, kernel: &Kernel, home: &Home<'p>) -> Option<&'p Series> {
        let begins = |name: &Text| name.value.is(&kernel.series, |hole| home.value(hole));
        let all = || home.rule.series.iter();
        let nearest = || {
            let names = all().flat_map(|series| series.names.iter().map(move |name| (series, name)));
            let names = names.map(|(series, name)| (name.value.render(|hole| home.value(hole)), series));
            let older = names.filter(|(name, _)| self.order.compare(name, &kernel.series).is_le());
            older.max_by(|left, right| self.order.compare(&left.0, &right.0)).map(|(_, series)| series)
        };
        all()
            .find(|series| series.names.iter().any(begins))
            .or_else(|| if home.is_guess { None } else { nearest() })
    }

    /// Fills a hole of a template for kernels.
    fn fill<'v>(&'v self, kernel: &'v Kernel, home: &'v Home<'_>, arch: Arch, hole: &str) -> Option<&'v str> {
        match hole {
            "kernel" => Some(kernel.text.as_str()),
            "flavor" => Some(kernel.flavor.as_str()),
            "arch" => Some(arch.name()),
            "arch_name" => self.arch_name(arch),
            _ => home.value(hole).or_else(|| kernel.group(self.shapes.get(kernel.shape)?, hole)),
        }
    }

    fn unusable(&self, kind: &'static str, text: &str) -> Unusable {
        Unusable {
            os: self.os.to_string(),
            text: text.into(),
            kind,
            rule: Invalid("the profile leaves it out"),
        }
    }
}

/// The settings of flavour and series: those of the release speak for all of its kernels.
fn near<'p>(chain: Chain<'p>) -> impl Iterator<Item = &'p Settings> {
    let [flavor, of_host, series, _] = chain;
    [flavor, of_host, series].into_iter().flatten()
}

/// A text that can be shown anywhere.
pub(super) fn plain(text: &str) -> Result<String, Invalid> {
    let shown = (1..=300).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if shown { Ok(text.to_owned()) } else { Err(Invalid("1 to 300 printable characters of ASCII")) }
}

fn one<'v, T>(
    chain: Chain<'_>,
    field: impl Fn(&Settings) -> Option<&Text>,
    fill: impl Fn(&str) -> Option<&'v str>,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Misrendered> {
    let nearest = chain.into_iter().flatten().find_map(field);
    nearest.map(|template| render(template, fill, parse)).transpose()
}

fn all<'v, T>(
    chain: Chain<'_>,
    field: impl Fn(&Settings) -> Option<&Vec<Text>>,
    fill: impl Fn(&str) -> Option<&'v str>,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<Vec<T>, Misrendered> {
    let nearest = chain.into_iter().flatten().find_map(field);
    nearest.into_iter().flatten().map(|template| render(template, &fill, parse)).collect()
}
