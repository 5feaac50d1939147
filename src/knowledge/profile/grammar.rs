//! The text of `uname -r` into a kernel, by the grammar of a distribution.

use super::layer::Shape;
use super::release::Home;
use super::{El, Kernel, KernelError, KernelErrorKind, Profile, ReleaseFacts, Unknown};
use crate::text::ids::{Arch, Flavor, KernelText};

/// A shape's match, before releases are looked at.
struct Match<'p> {
    shape: &'p Shape,
    kernel: Kernel,
}

impl Profile {
    /// Reads what `uname -r` prints, with its architecture or without, by the grammar of this distribution.
    ///
    /// # Errors
    /// Where it is no kernel's text, or contradicts what is known of this distribution's kernels.
    pub fn kernel(&self, text: &str) -> Result<Kernel, KernelError> {
        self.read(text, true)
    }

    /// Reads a kernel as [`Profile::kernel`] does, with what contradicts the profile let through.
    ///
    /// # Errors
    /// Where it is no kernel's text.
    pub fn unchecked_kernel(&self, text: &str) -> Result<Kernel, KernelError> {
        self.read(text, false)
    }

    fn read(&self, text: &str, checked: bool) -> Result<Kernel, KernelError> {
        if let Some(host) = &self.host {
            return host.read(text, checked);
        }
        let Some(found) = self.match_shape(text) else { return Err(self.malformed(text)) };
        if found.kernel.unknown.is_none() {
            return self.place(found, checked);
        }
        match self.foreign(text) {
            Some(error) if checked => Err(error),
            _ => {
                let suffix = found.kernel.group(found.shape, "suffix").and_then(El::of_suffix);
                Ok(Kernel { el: suffix, ..found.kernel })
            }
        }
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
        grammar.read(&text, false)
    }

    /// The kernel of the same version that has another flavour, where the profile knows that there is one for this release
    /// and the texts of the two differ by the flavour alone: `…x86_64` and `…x86_64+rt`, `6.1.0-18-amd64` and `6.1.0-18-rt-amd64`.
    #[must_use]
    pub fn in_flavor(
        &self,
        kernel: &Kernel,
        flavor: Option<&Flavor>,
        release: &ReleaseFacts,
    ) -> Option<Kernel> {
        let (text, own, plain_flavor) =
            (kernel.text.as_str(), &kernel.flavor, &self.grammar().default_flavor);
        let flavor = flavor.unwrap_or(plain_flavor);
        let plain = match own == plain_flavor {
            true => text.to_owned(),
            false => without_flavor(text, own.as_str())?,
        };
        let inside = plain.rsplit_once('-').map(|(start, end)| format!("{start}-{flavor}-{end}"));
        let texts = [Some(plain.clone()), Some(format!("{plain}+{flavor}")), inside];
        texts.into_iter().flatten().filter_map(|text| self.kernel(&text).ok()).find(|other| {
            let is_same = (&other.series, other.arch) == (&kernel.series, kernel.arch);
            let fits = |arch| {
                self.check(other, release, arch).is_ok() && self.doubts(other, release, arch).is_empty()
            };
            other.flavor == *flavor && other.unknown.is_none() && is_same && kernel.arch.is_some_and(fits)
        })
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
            Some(name) => Some(self.arch_named(name).or_else(|| Arch::parse(name))?),
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
        let unknown = shape.loose.then_some(Unknown::Shape);
        let kernel =
            Kernel { arch, flavor, el: None, series, unknown, shape: index, groups, text: text.clone() };
        Some(Match { shape, kernel })
    }

    /// Finds the releases that the kernel can belong to, and with them its EL minor.
    fn place(&self, found: Match<'_>, checked: bool) -> Result<Kernel, KernelError> {
        let Match { shape, mut kernel } = found;
        let homes = self.homes(&kernel.series);
        let suffix = kernel.group(shape, "suffix");
        let fits = |home: &&Home<'_>| {
            let known = &home.rule.suffixes;
            suffix.is_none_or(|suffix| known.is_empty() || known.iter().any(|one| **one == *suffix))
        };
        let Some(home) = homes.iter().find(fits) else {
            if checked && let Some(error) = self.misplaced(&kernel, &homes, suffix) {
                return Err(error);
            }
            let of_homes = homes.iter().filter_map(Home::el).reduce(El::common);
            kernel.el = of_homes.or(suffix.and_then(El::of_suffix));
            kernel.unknown = (!self.open_series).then_some(Unknown::Series);
            return Ok(kernel);
        };
        if checked
            && let Some((range, reason)) = &shape.releases
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

    /// What is known to be wrong with a kernel that no release lists as its own.
    fn misplaced(&self, kernel: &Kernel, homes: &[Home<'_>], suffix: Option<&str>) -> Option<KernelError> {
        let contradictory = || {
            let (home, suffix) = (homes.first()?, suffix?);
            let other = self.home_of_suffix(suffix)?;
            Some(self.contradictory(kernel, home, &other, suffix))
        };
        self.foreign(kernel.text.as_str()).or_else(contradictory)
    }

    fn malformed(&self, text: &str) -> KernelError {
        let title = &self.title;
        let is_known =
            |part: &&str| self.match_shape(part).is_some_and(|found| found.kernel.unknown.is_none());
        let meant = trimmed(text).find(is_known);
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
        Some(self.kernel_of_others(text, &foreign.whose))
    }

    pub(super) fn kernel_of_others(&self, text: &str, whose: &str) -> KernelError {
        KernelError {
            kind: KernelErrorKind::Foreign,
            message: format!("`{text}` is not a kernel of {}", self.title),
            label: format!("a kernel of {whose}"),
            help: format!("write a kernel of {}, such as `{}`", self.title, self.grammar().example),
        }
    }

    /// Whether it is one of this distribution's kernels for certain.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.kernel(text).is_ok_and(|kernel| {
            let listed = !self.homes(&kernel.series).is_empty();
            kernel.unknown.is_none() && listed && self.names_flavor(kernel.flavor.as_str())
        })
    }

    fn contradictory(&self, kernel: &Kernel, home: &Home<'_>, other: &Home<'_>, suffix: &str) -> KernelError {
        let ends =
            home.rule.suffixes.last().map(|right| format!("a kernel of {} ends in `{right}`", home.release));
        let begins =
            other.begins().next().map(|begins| format!("one of {} begins with `{begins}`", other.release));
        KernelError {
            kind: KernelErrorKind::Contradictory,
            message: format!("`{}` contradicts itself", kernel.text),
            label: format!("`{}` is {}'s, `{suffix}` is {}'s", kernel.series, home.release, other.release),
            help: ends.into_iter().chain(begins).collect::<Vec<_>>().join(", "),
        }
    }
}

/// A kernel's text without the name of its flavour, and the sign before that.
fn without_flavor(text: &str, flavor: &str) -> Option<String> {
    ["+", "-"].iter().find_map(|sign| {
        let (start, end) = text.rsplit_once(&format!("{sign}{flavor}"))?;
        (end.is_empty() || end.starts_with('-')).then(|| format!("{start}{end}"))
    })
}

/// The ends of a text that begin with a digit, as in `kernel-devel-5.14.0-70.el9.rpm`, without the file name's end.
fn trimmed(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let text = text.strip_suffix(".rpm").unwrap_or(text);
    let starts = text.match_indices('-').map(|(at, _)| at + 1);
    std::iter::once(0).chain(starts).filter_map(move |at| text.get(at..))
}
