//! Whether a kernel, a release and an architecture go together; if not, why, ready for a diagnostic with two ends.

use super::layer::{Limit, LimitTest};
use super::words::join;
use super::{Kernel, Platform, Profile, ReleaseFacts, Unknown};
use crate::text::diag::listed;
use crate::text::ids::Arch;

/// One reason why they do not go together, or may not, in the words of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Incompatibility {
    /// What `there` is about.
    pub kind: IncompatibilityKind,
    /// What is wrong.
    pub message: String,
    /// Label for the kernel.
    pub here: String,
    /// Label for the other end: the release or the architecture, by `kind`.
    pub there: String,
    /// What would be right.
    pub help: String,
}

/// The kinds of [`Incompatibility`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncompatibilityKind {
    /// The kernel is another release's.
    Release,
    /// The kernel is another architecture's, or the distribution has none for that architecture.
    Arch,
    /// Not known: kernels with such a text, or of such a series.
    UnknownKernel,
    /// Not known: kernels for that architecture; the other end is the architecture.
    UnknownArch,
    /// Not known: kernels of that flavour for the release; the other end is the release.
    UnknownFlavor,
    /// Not known: kernels of that flavour for the architecture; the other end is the architecture.
    UnknownFlavorOfArch,
}

/// Whether a release ships a kernel, as far as the data knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Ships,
    /// It is not known.
    Unknown,
    /// Another release is known to.
    Not,
}

impl Profile {
    /// Whether a release ships this kernel: quick, for choosing among releases.
    #[must_use]
    pub fn fit(&self, kernel: &Kernel, release: &ReleaseFacts) -> Fit {
        if release.platforms.iter().any(|platform| platform.series.contains(&kernel.series)) {
            return if self.other_shipped(kernel, release).is_none() { Fit::Ships } else { Fit::Not };
        }
        if kernel.unknown == Some(Unknown::Shape) {
            return Fit::Unknown;
        }
        let homes = self.grammar().homes_of(kernel);
        let is_home =
            |platform: &Platform| homes.iter().any(|home| home.release == platform.release.as_str());
        if release.platforms.iter().any(|platform| is_home(platform)) {
            return Fit::Ships;
        }
        // Several releases may ship one series, and so may one that is not known, unless the kernel names its own minor.
        let names_minor = self.host.is_none() && kernel.el.is_some_and(|el| el.minor.is_some());
        if homes.is_empty() || (release.like.is_some() && !names_minor) { Fit::Unknown } else { Fit::Not }
    }

    /// Whether a release may be that of a kernel: it ships it, or kernels like it are taken as any release's.
    #[must_use]
    pub fn belongs(&self, kernel: &Kernel, release: &ReleaseFacts) -> bool {
        match self.fit(kernel, release) {
            Fit::Ships => true,
            Fit::Unknown => kernel.unknown.is_none() && self.host.is_none() && self.grammar().open_series,
            Fit::Not => false,
        }
    }

    /// Whether anything is known that kernel, release and architecture contradict.
    ///
    /// # Errors
    /// The first reason why they do not go together, with what would be right.
    pub fn check(&self, kernel: &Kernel, release: &ReleaseFacts, arch: Arch) -> Result<(), Incompatibility> {
        self.check_arch(kernel, arch)?;
        match self.fit(kernel, release) {
            Fit::Ships | Fit::Unknown => Ok(()),
            Fit::Not => Err(match self.other_shipped(kernel, release) {
                Some(shipped) => self.ships_another(kernel, release, shipped),
                None if self.host.is_some() => self.runs_another(kernel, release),
                None => self.of_another(kernel, release),
            }),
        }
    }

    /// What is not known of kernel, release and architecture together.
    #[must_use]
    pub fn doubts(&self, kernel: &Kernel, release: &ReleaseFacts, arch: Arch) -> Vec<Incompatibility> {
        let mut doubts = Vec::new();
        doubts.extend(self.unknown_kernel(kernel, release));
        if !self.arches.contains(&arch) {
            doubts.push(self.unknown_arch(arch));
        }
        doubts.extend(self.unknown_flavor(kernel, release, arch));
        doubts
    }

    fn unknown_kernel(&self, kernel: &Kernel, release: &ReleaseFacts) -> Option<Incompatibility> {
        let (title, example) = (&self.title, &self.grammar().example);
        let doubt = |message: String, here: String, help: String| Incompatibility {
            kind: IncompatibilityKind::UnknownKernel,
            message,
            here,
            there: String::new(),
            help,
        };
        match kernel.unknown? {
            Unknown::Shape => Some(doubt(
                format!("drvc does not know kernels of {title} that are named so"),
                format!("known ones are named as `{example}` is"),
                "its packages are named after the nearest that is known; the build checks that they are this \
                 kernel's: where no repository has them, add one with `repository`"
                    .into(),
            )),
            Unknown::Series if release.like.is_some() => None,
            Unknown::Series => Some(doubt(
                format!("drvc knows no release of {title} that ships kernels `{}`", kernel.series),
                format!("taken as a kernel of {}", release.release),
                "its packages are named as those of the release's other kernels; the build checks that they are \
                 this kernel's"
                    .into(),
            )),
        }
    }

    fn unknown_arch(&self, arch: Arch) -> Incompatibility {
        let known: Vec<&str> = self.arches.iter().map(|arch| arch.name()).collect();
        Incompatibility {
            kind: IncompatibilityKind::UnknownArch,
            message: format!("drvc does not know kernels of {} for {arch}", self.title),
            here: "wanted for this kernel".into(),
            there: "not one of the architectures that are known".into(),
            help: format!("known are {}; the build fails where there are none", join(&known, "and")),
        }
    }

    fn unknown_flavor(&self, kernel: &Kernel, release: &ReleaseFacts, arch: Arch) -> Option<Incompatibility> {
        let (title, flavor) = (&self.title, &kernel.flavor);
        if !self.names_flavor(flavor.as_str()) {
            let grammar = self.grammar();
            return (!grammar.open_flavors).then(|| Incompatibility {
                kind: IncompatibilityKind::UnknownFlavor,
                message: format!("drvc does not know kernels of {title} of flavour `{flavor}`"),
                here: format!("a `{flavor}` kernel"),
                there: "asked for here".into(),
                help: format!(
                    "known are {}; the build fails where there are none",
                    listed(self.flavors(), "and")
                ),
            });
        }
        let of =
            release.platform(kernel).map_or(release.release.as_str(), |platform| platform.release.as_str());
        Some(self.broken_limit(self.limit(flavor.as_str(), of, arch)?, kernel, release, arch))
    }

    /// Whether a release may have kernels of a flavour for an architecture, as far as the data says.
    #[must_use]
    pub fn may_have(&self, flavor: &str, release: &ReleaseFacts, arch: Arch) -> bool {
        self.limit(flavor, release.release.as_str(), arch).is_none()
    }

    /// The limit of a flavour that keeps it from a release or an architecture.
    fn limit(&self, flavor: &str, release: &str, arch: Arch) -> Option<&super::layer::Limit> {
        let order = self.grammar().order;
        self.flavor_rule(flavor)?.limits.iter().find(|limit| match &limit.test {
            LimitTest::Arches(arches) => !arches.contains(&arch),
            LimitTest::Releases(range) => !range.contains(release, order),
            LimitTest::Except(range) => range.contains(release, order),
        })
    }

    fn check_arch(&self, kernel: &Kernel, arch: Arch) -> Result<(), Incompatibility> {
        let text = &kernel.text;
        if let Some(own) = kernel.arch
            && own != arch
        {
            return Err(Incompatibility {
                kind: IncompatibilityKind::Arch,
                message: format!("`{text}` is a kernel for {own}, not for {arch}"),
                here: format!("names {own}"),
                there: format!("asks for {arch}"),
                help: match self.without_arch(kernel) {
                    Some(shorter) => {
                        format!("write `{shorter}` to have it for each `arch`, or ask for {own}")
                    }
                    None => format!("ask for {own}"),
                },
            });
        }
        Ok(())
    }

    /// The kernel that the release runs, where that is known and is another one.
    fn other_shipped<'r>(&self, kernel: &Kernel, release: &'r ReleaseFacts) -> Option<&'r str> {
        let shipped = release.shipped.as_deref()?;
        (self.bare(kernel)? != shipped).then_some(shipped)
    }

    /// The kernel without architecture and flavour, where its shape tells.
    fn bare<'k>(&self, kernel: &'k Kernel) -> Option<&'k str> {
        kernel.group(self.grammar().shapes.get(kernel.shape)?, "bare")
    }

    /// The kernel's text with its architecture left out.
    fn without_arch(&self, kernel: &Kernel) -> Option<String> {
        let shape = self.grammar().shapes.get(kernel.shape)?;
        // A kernel's text holds no NUL, so it marks the place of the architecture and of the sign before it.
        let marked = shape.complete.as_ref()?.value.render(|hole| match hole {
            "arch_name" => Some("\0"),
            group => kernel.group(shape, group),
        });
        let (before, after) = marked.split_once('\0')?;
        Some(format!("{}{after}", before.trim_end_matches(['.', '-'])))
    }

    fn of_another(&self, kernel: &Kernel, release: &ReleaseFacts) -> Incompatibility {
        let (title, text, asked) = (&self.title, &kernel.text, &release.release);
        let homes: Vec<String> = self.homes_of(kernel).iter().map(|home| home.release.to_string()).collect();
        let series = release.platforms.iter().flat_map(|platform| &platform.series).map(|series| &**series);
        Incompatibility {
            kind: IncompatibilityKind::Release,
            message: format!("`{text}` is a kernel of {title} {}, not of {asked}", join(&homes, "and")),
            here: format!("`{}` belongs to {}", kernel.series, join(&homes, "and")),
            there: format!("{asked} is asked for here"),
            help: match &release.like {
                // Its series are those of the release that it is taken after.
                Some(_) => format!("ask for {}", join(&homes, "or")),
                None => format!(
                    "ask for {}, or write a kernel of {asked}'s series {}",
                    join(&homes, "or"),
                    listed(series, "or")
                ),
            },
        }
    }

    fn runs_another(&self, kernel: &Kernel, release: &ReleaseFacts) -> Incompatibility {
        let (title, text, asked) = (&self.title, &kernel.text, &release.release);
        let host = self.grammar();
        let homes: Vec<String> = host.homes_of(kernel).iter().map(|home| home.release.to_string()).collect();
        let runs: Vec<&str> = release.platforms.iter().map(|platform| platform.release.as_str()).collect();
        let (of, runs) = (join(&homes, "and"), join(&runs, "or"));
        let on = |rule: &&super::layer::Rule| {
            rule.runs.iter().any(|run| homes.iter().any(|home| home == run.release.value.as_str()))
        };
        let others: Vec<String> = self.rules.iter().filter(on).map(|rule| rule.name.to_string()).collect();
        Incompatibility {
            kind: IncompatibilityKind::Release,
            message: format!("`{text}` is a kernel of {} {of}, but {title} {asked} runs {runs}", host.title),
            here: format!("`{}` belongs to {} {of}", kernel.series, host.title),
            there: format!("runs {} {runs}", host.title),
            help: match others.as_slice() {
                [] => format!("no known release of {title} runs {} {of}", host.title),
                [only] => format!("{title} {only} runs {} {of}", host.title),
                several => format!("{title} {} run {} {of}", join(several, "and"), host.title),
            },
        }
    }

    fn ships_another(&self, kernel: &Kernel, release: &ReleaseFacts, shipped: &str) -> Incompatibility {
        let (title, asked) = (&self.title, &release.release);
        let bare = self.bare(kernel).unwrap_or_default();
        let mut others =
            self.rules.iter().flat_map(|rule| &rule.shipped).filter(|(known, _)| **known == *bare);
        let others: Vec<&str> = others.next().iter().flat_map(|(_, of)| of).map(|of| of.as_str()).collect();
        Incompatibility {
            kind: IncompatibilityKind::Release,
            message: format!("{title} {asked} runs `{shipped}`, not `{bare}`"),
            here: match others.as_slice() {
                [] => "another release's kernel".into(),
                others => format!("the kernel of {}", join(others, "and")),
            },
            there: format!("runs `{shipped}`"),
            help: match others.as_slice() {
                [] => format!("write `{shipped}`"),
                others => format!("write `{shipped}`, or ask for {}", join(others, "or")),
            },
        }
    }

    fn broken_limit(
        &self,
        limit: &Limit,
        kernel: &Kernel,
        release: &ReleaseFacts,
        arch: Arch,
    ) -> Incompatibility {
        let (title, flavor) = (&self.title, &kernel.flavor);
        let (kind, of) = match limit.test {
            LimitTest::Arches(_) => (IncompatibilityKind::UnknownFlavorOfArch, format!("for {arch}")),
            _ => (IncompatibilityKind::UnknownFlavor, release.release.to_string()),
        };
        Incompatibility {
            kind,
            message: match limit.test {
                LimitTest::Arches(_) => format!("drvc knows no `{flavor}` kernels of {title} {of}"),
                _ => format!("drvc knows no `{flavor}` kernels of {title} {of}"),
            },
            here: format!("a `{flavor}` kernel"),
            there: "asked for here".into(),
            help: limit.reason.clone(),
        }
    }
}
