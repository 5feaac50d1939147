//! Kernels as values: from the text of `uname -r` to flavour, architecture, series and EL minor.

use super::Profile;
use super::layer::Shape;
use super::release::Home;
use crate::text::ids::{Arch, Flavor, KernelText};
use std::fmt;

/// A kernel, read by its distribution's grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    /// What `uname -r` prints; without the architecture where that was left out.
    pub text: KernelText,
    /// The architecture, where the text names it or [`Profile::with_arch`] gave it.
    pub arch: Option<Arch>,
    /// The flavour; the profile's default where the text names none.
    pub flavor: Flavor,
    /// The version of Enterprise Linux that it belongs to, where it is a kernel of that family. Its minor comes from
    /// the build number, never from the suffix alone.
    pub el: Option<El>,
    /// What releases list as theirs: all kernels that begin alike, such as `5.14.0-427`.
    pub(super) series: Box<str>,
    /// Which of the profile's shapes it has.
    pub(super) shape: usize,
    /// Where the shape's named groups lie in the text.
    pub(super) groups: Box<[Option<(u8, u8)>]>,
}

/// A version of Enterprise Linux: `8`, `9.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct El {
    /// 8 in 8.6.
    pub major: u32,
    /// 6 in 8.6; `None` where the kernel does not tell.
    pub minor: Option<u32>,
}

impl El {
    /// Reads `9` or `9.4`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((major, minor)) = text.split_once('.') else {
            return Some(Self { major: text.parse().ok()?, minor: None });
        };
        Some(Self { major: major.parse().ok()?, minor: Some(minor.parse().ok()?) })
    }
}

impl El {
    /// What two versions have in common: kernels that all minors ship tell the major alone.
    fn common(self, other: Self) -> Self {
        Self { minor: self.minor.filter(|minor| other.minor == Some(*minor)), ..self }
    }
}

impl fmt::Display for El {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Why a text is no kernel of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KernelError {
    /// The kind of mistake.
    pub kind: KernelErrorKind,
    /// What is wrong.
    pub message: String,
    /// Why here, for the label.
    pub label: String,
    /// What would be right.
    pub help: String,
}

/// The kinds of [`KernelError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelErrorKind {
    /// Not of any shape that the distribution's kernels have.
    Malformed,
    /// A kernel of another distribution.
    Foreign,
    /// Its parts contradict each other.
    Contradictory,
    /// Of the right shape, but of a series that no known release ships.
    Unreleased,
}

impl KernelError {
    /// The same for a text that is a kernel of another distribution, by that one's grammar.
    pub(super) fn foreign(self, whose: &str) -> Self {
        Self { kind: KernelErrorKind::Foreign, label: format!("a kernel of {whose}"), ..self }
    }
}

/// A shape's match, before releases are looked at.
struct Match<'p> {
    shape: &'p Shape,
    kernel: Kernel,
}

impl Kernel {
    /// The part of the text that a named group of its shape matched.
    pub(super) fn group(&self, shape: &Shape, name: &str) -> Option<&str> {
        let index = shape.pattern.capture_names().flatten().position(|known| known == name)?;
        let (start, end) = (*self.groups.get(index)?)?;
        self.text.as_str().get(usize::from(start)..usize::from(end))
    }
}

impl Profile {
    /// Reads what `uname -r` prints, with its architecture or without, by the grammar of this distribution.
    ///
    /// # Errors
    /// Where it is none of its kernels.
    pub fn kernel(&self, text: &str) -> Result<Kernel, KernelError> {
        if let Some(host) = &self.host {
            return host.kernel(text);
        }
        let Some(found) = self.match_shape(text) else {
            return Err(self.foreign(text).unwrap_or_else(|| self.malformed(text)));
        };
        self.place(found).map_err(|error| self.foreign(text).unwrap_or(error))
    }

    /// The kernel with the architecture that its text left out. One that has it already stays as it is.
    ///
    /// # Errors
    /// Where the text that results is no kernel.
    pub fn with_arch(&self, kernel: &Kernel, arch: Arch) -> Result<Kernel, KernelError> {
        let grammar = self.grammar();
        if kernel.arch.is_some() {
            return Ok(kernel.clone());
        }
        let template =
            grammar.shapes.get(kernel.shape).and_then(|shape| Some((shape, shape.complete.as_ref()?)));
        let Some((shape, complete)) = template else {
            return Ok(Kernel { arch: Some(arch), ..kernel.clone() });
        };
        let name = grammar.arch_name(arch).unwrap_or(arch.name());
        let text = complete.value.render(|hole| match hole {
            "arch_name" => Some(name),
            group => kernel.group(shape, group),
        });
        grammar.kernel(&text)
    }

    /// The profile whose kernels this one's nodes run: itself, but for OpenShift.
    pub(super) fn grammar(&self) -> &Self {
        self.host.as_deref().unwrap_or(self)
    }

    /// The first shape that the text has, with flavour, architecture and series.
    fn match_shape(&self, text: &str) -> Option<Match<'_>> {
        let text = KernelText::parse(text).ok()?;
        let (index, shape, captures) = self.shapes.iter().enumerate().find_map(|(index, shape)| {
            shape.pattern.captures(text.as_str()).map(|captures| (index, shape, captures))
        })?;
        let group = |name: &str| captures.name(name).map(|found| found.as_str());
        let arch = match group("arch") {
            Some(name) => Some(self.arch_named(name)?),
            None => None,
        };
        let flavor = match (group("flavor"), &shape.flavor) {
            (Some(name), _) => Flavor::parse(name).ok()?,
            (None, Some(flavor)) => flavor.clone(),
            (None, None) => self.default_flavor.clone(),
        };
        let series = shape.series.value.render(group).into();
        let place = |name: &str| {
            let found = captures.name(name)?;
            Some((u8::try_from(found.start()).ok()?, u8::try_from(found.end()).ok()?))
        };
        let groups = shape.pattern.capture_names().flatten().map(place).collect();
        let kernel = Kernel { arch, flavor, el: None, series, shape: index, groups, text: text.clone() };
        Some(Match { shape, kernel })
    }

    /// Finds the releases that the kernel can belong to, and with them its EL minor.
    fn place(&self, found: Match<'_>) -> Result<Kernel, KernelError> {
        let Match { shape, mut kernel } = found;
        let homes = self.homes(&kernel.series);
        let suffix = kernel.group(shape, "suffix");
        let fits = |home: &&Home<'_>| {
            let known = &home.rule.suffixes;
            suffix.is_none_or(|suffix| known.is_empty() || known.iter().any(|one| **one == *suffix))
        };
        let Some(home) = homes.iter().find(fits) else {
            return Err(match homes.first() {
                Some(home) => self.contradictory(&kernel, home, suffix.unwrap_or_default()),
                None if self.open_series && self.foreign(kernel.text.as_str()).is_none() => {
                    return Ok(kernel);
                }
                None => self.unreleased(&kernel, shape),
            });
        };
        if let Some((range, reason)) = &shape.releases
            && !range.contains(&home.release, self.order)
        {
            return Err(KernelError {
                kind: KernelErrorKind::Contradictory,
                message: format!("no kernel of {} {} is named `{}`", self.title, home.release, kernel.text),
                label: format!("begins as {}'s kernels do, ends as others'", home.release),
                help: reason.clone(),
            });
        }
        kernel.el = homes.iter().filter(fits).filter_map(Home::el).reduce(El::common);
        Ok(kernel)
    }

    fn malformed(&self, text: &str) -> KernelError {
        let title = &self.title;
        let meant = trimmed(text).find(|part| self.match_shape(part).is_some());
        let example = &self.example;
        KernelError {
            kind: KernelErrorKind::Malformed,
            message: format!("`{text}` is not a kernel of {title}"),
            label: "not what `uname -r` prints there".into(),
            help: match meant {
                Some(meant) => format!("write `{meant}`"),
                None => format!("write what `uname -r` prints on the node, such as `{example}`"),
            },
        }
    }

    fn foreign(&self, text: &str) -> Option<KernelError> {
        let foreign = self.foreign.iter().find(|foreign| foreign.pattern.is_match(text))?;
        Some(KernelError {
            kind: KernelErrorKind::Foreign,
            message: format!("`{text}` is not a kernel of {}", self.title),
            label: format!("a kernel of {}", foreign.whose),
            help: format!("write a kernel of {}, such as `{}`", self.title, self.example),
        })
    }

    fn unreleased(&self, kernel: &Kernel, shape: &Shape) -> KernelError {
        let title = &self.title;
        let other = kernel.group(shape, "suffix").and_then(|suffix| self.home_of_suffix(suffix));
        KernelError {
            kind: KernelErrorKind::Unreleased,
            message: format!("no known release of {title} ships `{}`", kernel.text),
            label: format!("one of the kernels `{}`", kernel.series),
            help: match other
                .and_then(|home| Some(format!("{} begin with `{}`", home.release, home.begins().next()?)))
            {
                Some(begins) => format!("kernels of {title} {begins}"),
                None => format!("if a newer release does, a profile that extends `{}` can add it", self.os),
            },
        }
    }

    fn contradictory(&self, kernel: &Kernel, home: &Home<'_>, suffix: &str) -> KernelError {
        let other = self.home_of_suffix(suffix);
        let ends =
            home.rule.suffixes.last().map(|right| format!("a kernel of {} ends in `{right}`", home.release));
        let begins = other.as_ref().and_then(|other| {
            Some(format!("one of {} begins with `{}`", other.release, other.begins().next()?))
        });
        KernelError {
            kind: KernelErrorKind::Contradictory,
            message: format!("`{}` contradicts itself", kernel.text),
            label: match &other {
                Some(other) => {
                    format!("`{}` is {}'s, `{suffix}` is {}'s", kernel.series, home.release, other.release)
                }
                None => format!("`{}` is {}'s, `{suffix}` is not", kernel.series, home.release),
            },
            help: ends.into_iter().chain(begins).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The ends of a text that begin with a digit, as in `kernel-devel-5.14.0-70.el9.rpm`, without the file name's end.
fn trimmed(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let text = text.strip_suffix(".rpm").unwrap_or(text);
    let starts = text.match_indices('-').map(|(at, _)| at + 1);
    std::iter::once(0).chain(starts).filter_map(move |at| text.get(at..))
}
