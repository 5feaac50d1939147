//! Whether a kernel, a release and an architecture go together; if not, why, ready for a diagnostic with two ends.

use super::layer::{Limit, LimitTest};
use super::words::join;
use super::{Kernel, Profile, ReleaseFacts};
use crate::text::diag::listed;
use crate::text::ids::Arch;

/// One reason, in the words of a diagnostic.
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
    /// There is no kernel of that flavour for the release; the other end is the release.
    FlavorOfRelease,
    /// There is no kernel of that flavour for the architecture; the other end is the architecture.
    FlavorOfArch,
}

impl Profile {
    /// Whether a release ships this kernel, as far as the data knows: quick, for choosing among releases.
    #[must_use]
    pub fn belongs(&self, kernel: &Kernel, release: &ReleaseFacts) -> bool {
        let runs = release.platforms.iter().any(|platform| platform.series.contains(&kernel.series));
        if runs { self.other_shipped(kernel, release).is_none() } else { self.is_unlisted(kernel) }
    }

    /// Whether kernel, release and architecture go together.
    ///
    /// # Errors
    /// The first reason why they do not, with what would be right.
    pub fn check(&self, kernel: &Kernel, release: &ReleaseFacts, arch: Arch) -> Result<(), Incompatibility> {
        self.check_arch(kernel, arch)?;
        self.check_release(kernel, release)?;
        let Some(rule) = self.flavor_rule(kernel.flavor.as_str()) else { return Ok(()) };
        let of =
            release.platform(kernel).map_or(release.release.as_str(), |platform| platform.release.as_str());
        let order = self.grammar().order;
        let broken = rule.limits.iter().find(|limit| match &limit.test {
            LimitTest::Arches(arches) => !arches.contains(&arch),
            LimitTest::Releases(range) => !range.contains(of, order),
            LimitTest::Except(range) => range.contains(of, order),
        });
        broken.map_or(Ok(()), |limit| Err(self.broken_limit(limit, kernel, release, arch)))
    }

    fn check_arch(&self, kernel: &Kernel, arch: Arch) -> Result<(), Incompatibility> {
        let (title, text) = (&self.title, &kernel.text);
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
        if !self.arches.contains(&arch) {
            let known: Vec<&str> = self.arches.iter().map(|arch| arch.name()).collect();
            return Err(Incompatibility {
                kind: IncompatibilityKind::Arch,
                message: format!("{title} has no kernels for {arch}"),
                here: "wanted for this kernel".into(),
                there: "not one of its architectures".into(),
                help: format!("it has kernels for {}", join(&known, "and")),
            });
        }
        Ok(())
    }

    fn check_release(&self, kernel: &Kernel, release: &ReleaseFacts) -> Result<(), Incompatibility> {
        if self.belongs(kernel, release) {
            return Ok(());
        }
        Err(match self.other_shipped(kernel, release) {
            Some(shipped) => self.ships_another(kernel, release, shipped),
            None if self.host.is_some() => self.runs_another(kernel, release),
            None => self.of_another(kernel, release),
        })
    }

    /// A kernel of a series that no release lists, where such kernels are taken too.
    fn is_unlisted(&self, kernel: &Kernel) -> bool {
        let grammar = self.grammar();
        grammar.open_series && self.host.is_none() && !grammar.by_series.contains_key(&kernel.series)
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
        let homes: Vec<String> =
            self.homes(&kernel.series).iter().map(|home| home.release.to_string()).collect();
        let series = release.platforms.iter().flat_map(|platform| &platform.series).map(|series| &**series);
        Incompatibility {
            kind: IncompatibilityKind::Release,
            message: format!("`{text}` is a kernel of {title} {}, not of {asked}", join(&homes, "and")),
            here: format!("`{}` belongs to {}", kernel.series, join(&homes, "and")),
            there: format!("{asked} is asked for here"),
            help: format!(
                "ask for {}, or write a kernel of {asked}'s series {}",
                join(&homes, "or"),
                listed(series, "or")
            ),
        }
    }

    fn runs_another(&self, kernel: &Kernel, release: &ReleaseFacts) -> Incompatibility {
        let (title, text, asked) = (&self.title, &kernel.text, &release.release);
        let host = self.grammar();
        let homes: Vec<String> =
            host.homes(&kernel.series).iter().map(|home| home.release.to_string()).collect();
        let runs: Vec<&str> = release.platforms.iter().map(|platform| platform.release.as_str()).collect();
        let (of, runs) = (join(&homes, "and"), join(&runs, "or"));
        let on = |rule: &&super::release::Rule| {
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
            LimitTest::Arches(_) => (IncompatibilityKind::FlavorOfArch, format!("for {arch}")),
            _ => (IncompatibilityKind::FlavorOfRelease, release.release.to_string()),
        };
        Incompatibility {
            kind,
            message: match limit.test {
                LimitTest::Arches(_) => format!("{title} has no `{flavor}` kernels {of}"),
                _ => format!("{title} {of} has no `{flavor}` kernels"),
            },
            here: format!("a `{flavor}` kernel"),
            there: format!("has no `{flavor}` kernels"),
            help: limit.reason.clone(),
        }
    }
}
