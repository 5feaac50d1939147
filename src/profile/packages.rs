//! Packages: from a kernel to what is installed for it, and where it then lies.

use super::layer::{Settings, Text};
use super::release::{Home, Misrendered, render};
use super::{Kernel, KernelPackages, Profile, ReleaseFacts};
use crate::ids::{AbsPath, Arch, Invalid, Name, PackageName};

/// The holes that a kernel fills, beside its release's and the named groups of its shape.
pub(super) const KERNEL_HOLES: &[&str] = &["kernel", "flavor", "arch", "arch_name"];

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
        let grammar = self.grammar();
        let complete = self.with_arch(kernel, arch).unwrap_or_else(|_| kernel.clone());
        let of = release.platform(kernel).map_or(&release.release, |platform| &platform.release);
        let Some(home) = grammar.find_release(of.as_str()) else {
            return Err(self.unusable("release", of.as_str()));
        };
        let settings = self.settings(&complete, &home);
        let value = |hole: &str| grammar.fill(&complete, &home, arch, hole);
        let unusable = |kind| {
            move |wrong: Misrendered| Unusable {
                os: self.os.to_string(),
                text: wrong.text,
                kind,
                rule: wrong.rule,
            }
        };
        let names = |templates: &Option<Vec<Text>>| {
            let templates = templates.iter().flatten();
            templates.map(|name| render(name, value, PackageName::parse)).collect::<Result<Vec<_>, _>>()
        };
        let path = |template: &Option<Text>| {
            template.as_ref().map(|path| render(path, value, AbsPath::parse)).transpose()
        };
        let compiler =
            settings.compiler.as_ref().map(|name| render(name, value, PackageName::parse)).transpose();
        let compiler = compiler.map_err(unusable("package name"))?;
        let mut build = names(&settings.build).map_err(unusable("package name"))?;
        build.extend(compiler.clone());
        let repositories = settings.repositories.iter().flatten().map(|id| render(id, value, Name::parse));
        let Some(kernel_dir) = path(&settings.kernel_dir).map_err(unusable("path"))? else {
            return Err(self.unusable("kernel-dir", ""));
        };
        Ok(KernelPackages {
            build,
            in_tree: names(&settings.in_tree).map_err(unusable("package name"))?,
            repositories: repositories.collect::<Result<_, _>>().map_err(unusable("repository"))?,
            kernel_src_dir: path(&settings.kernel_src_dir)
                .map_err(unusable("path"))?
                .unwrap_or(kernel_dir.clone()),
            kernel_dir,
            compiler,
        })
    }

    /// The settings for a kernel: its flavour's, over its series', over its release's.
    fn settings(&self, kernel: &Kernel, home: &Home<'_>) -> Settings {
        let begins = |name: &Text| name.value.render(|hole| home.value(hole)) == *kernel.series;
        let series = home.rule.series.iter().find(|series| series.names.iter().any(begins));
        let below = series
            .map_or_else(|| home.rule.settings.clone(), |series| series.settings.over(&home.rule.settings));
        let flavor = kernel.flavor.as_str();
        let of_host = self.host.as_ref().and_then(|host| host.own_flavor_rule(flavor));
        let rules = of_host.into_iter().chain(self.own_flavor_rule(flavor));
        rules.fold(below, |below, rule| rule.settings.over(&below))
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
