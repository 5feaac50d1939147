//! Releases: from the text of a manifest to what is known of it, whether it is listed or follows a pattern.

use super::layer::{Rule, Settings, Text};
use super::words::join;
use super::{El, PackageManager, Platform, Profile, ReleaseFacts};
use crate::text::diag::nearest;
use crate::text::ids::{Invalid, Release};
use crate::text::source::Span;
use std::borrow::Cow;
use std::sync::Arc;

/// A release that the profile does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title} has no release `{text}`")]
pub struct UnknownRelease {
    /// The distribution's title.
    pub title: String,
    /// What was written.
    pub text: String,
    /// The one that was probably meant, where it is near enough: for "did you mean".
    pub nearest: Option<Release>,
    /// What to do else: names the releases there are.
    pub help: String,
}

/// A release and the rule that knows it.
pub(super) struct Home<'p> {
    pub rule: &'p Rule,
    pub release: Cow<'p, str>,
    /// The value of `{line}`: the rule's own, but for a release that the rule is only the nearest of.
    line: Cow<'p, str>,
    /// Whether the rule is only the nearest one.
    pub is_guess: bool,
}

/// A value made from a template that is not what its place takes.
#[derive(Debug)]
pub(super) struct Misrendered {
    /// The template's place in the profile.
    pub span: Span,
    /// What it gives.
    pub text: String,
    /// What its place takes.
    pub rule: Invalid,
}

/// The holes that a release fills, beside the one of its pattern.
pub(super) const RELEASE_HOLES: &[&str] = &["release", "major", "line"];

/// Fills a template and reads the result as what its place takes.
pub(super) fn render<'v, T>(
    template: &Text,
    value: impl Fn(&str) -> Option<&'v str>,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<T, Misrendered> {
    let text = template.value.render(value);
    parse(&text).map_err(|rule| Misrendered { span: template.span, text, rule })
}

impl<'p> Home<'p> {
    pub fn of(rule: &'p Rule, release: Cow<'p, str>) -> Self {
        Self { rule, release, line: Cow::Borrowed(&rule.line), is_guess: false }
    }

    /// A release that no rule knows, taken to be like the ones of this rule: 4.24.1 is of the line 4.24 where 4.22.1 is of
    /// the line 4.22.
    fn like(rule: &'p Rule, release: &str) -> Self {
        let numbered = rule.name.to_string().starts_with(&*rule.line);
        let depth = rule.line.split('.').count();
        let line: Vec<&str> = release.split('.').take(depth).collect();
        let line = if numbered { Cow::Owned(line.join(".")) } else { Cow::Borrowed(&*rule.line) };
        Self { rule, release: Cow::Owned(release.into()), line, is_guess: true }
    }
}

impl Home<'_> {
    /// Fills a hole.
    pub fn value<'a>(&'a self, hole: &str) -> Option<&'a str> {
        match hole {
            "release" => Some(&self.release),
            "major" => self.release.split('.').next(),
            "line" => Some(&self.line),
            other if self.rule.name.holes().any(|name| name == other) => {
                self.rule.name.number_in(&self.release)
            }
            _ => None,
        }
    }

    /// The stream of repositories that kernels of a flavour come in.
    pub fn stream(&self, flavor: &str) -> &str {
        let streams = || self.rule.settings.streams.iter().flatten();
        let of_flavor =
            |of: &str| flavor.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let own = streams().find(|(of, _)| of.as_deref().is_some_and(of_flavor));
        own.or_else(|| streams().find(|(of, _)| of.is_none())).map_or("base", |(_, stream)| stream)
    }

    /// The version of Enterprise Linux that its kernels are of, where they are.
    pub fn el(&self) -> Option<El> {
        El::parse(&self.rule.settings.el.as_ref()?.value.render(|hole| self.value(hole)))
    }

    /// What its series begin with, for messages.
    pub fn begins(&self) -> impl Iterator<Item = String> {
        let names = self.rule.series.iter().flat_map(|series| &series.names);
        names.map(|name| name.value.render(|hole| self.value(hole)))
    }

    /// The system that its nodes run, by its own settings.
    pub fn platform(&self) -> Result<Option<Platform>, Misrendered> {
        let settings = &self.rule.settings;
        let (Some(base), Some(minimal)) = (&settings.base, &settings.minimal) else { return Ok(None) };
        let value = |hole: &str| self.value(hole);
        let mut platform = Platform {
            release: Release::parse(&self.release).map_err(|rule| Misrendered {
                span: base.span,
                text: self.release.to_string(),
                rule,
            })?,
            base: render(base, value, crate::text::ids::ImageRef::parse)?,
            minimal: render(minimal, value, crate::text::ids::ImageRef::parse)?,
            micro: None,
            dtk: None,
            manager: PackageManager::Dnf,
            runtime_manager: PackageManager::Dnf,
            tools: Vec::new(),
            fetch: Vec::new(),
            download: Vec::new(),
            srpm: Vec::new(),
            ssh: Vec::new(),
            toolkit: None,
            runtime: Vec::new(),
            install_options: Vec::new(),
            series: self.begins().map(Into::into).collect(),
        };
        platform.apply(settings, self)?;
        Ok(Some(platform))
    }
}

impl Platform {
    /// Replaces what these settings speak of.
    pub(super) fn apply(&mut self, settings: &Settings, home: &Home<'_>) -> Result<(), Misrendered> {
        use crate::text::ids::{CommandOption, ImageRef, PackageName};
        fn one<T>(
            to: &mut T,
            from: Option<&Text>,
            home: &Home<'_>,
            parse: fn(&str) -> Result<T, Invalid>,
        ) -> Result<(), Misrendered> {
            if let Some(template) = from {
                *to = render(template, |hole| home.value(hole), parse)?;
            }
            Ok(())
        }
        fn all<T>(
            to: &mut Vec<T>,
            from: Option<&Vec<Text>>,
            home: &Home<'_>,
            parse: fn(&str) -> Result<T, Invalid>,
        ) -> Result<(), Misrendered> {
            if let Some(templates) = from {
                let render = |template| render(template, |hole| home.value(hole), parse);
                *to = templates.iter().map(render).collect::<Result<_, _>>()?;
            }
            Ok(())
        }
        let some = |text: &str| ImageRef::parse(text).map(Some);
        if let Some(managers) = settings.managers {
            (self.manager, self.runtime_manager) = managers;
        }
        one(&mut self.base, settings.base.as_ref(), home, ImageRef::parse)?;
        one(&mut self.minimal, settings.minimal.as_ref(), home, ImageRef::parse)?;
        one(&mut self.micro, settings.micro.as_ref(), home, some)?;
        one(&mut self.dtk, settings.dtk.as_ref(), home, some)?;
        all(&mut self.tools, settings.tools.as_ref(), home, PackageName::parse)?;
        all(&mut self.fetch, settings.fetch.as_ref(), home, PackageName::parse)?;
        all(&mut self.download, settings.download.as_ref(), home, PackageName::parse)?;
        all(&mut self.srpm, settings.srpm.as_ref(), home, PackageName::parse)?;
        all(&mut self.ssh, settings.ssh.as_ref(), home, PackageName::parse)?;
        if settings.toolkit.is_some() {
            all(self.toolkit.get_or_insert_default(), settings.toolkit.as_ref(), home, PackageName::parse)?;
        }
        all(&mut self.runtime, settings.runtime.as_ref(), home, PackageName::parse)?;
        all(&mut self.install_options, settings.install_options.as_ref(), home, CommandOption::parse)
    }
}

/// The systems that the nodes of a release run: `host`'s where there is one.
pub(super) fn platforms(host: Option<&Profile>, home: &Home<'_>) -> Result<Vec<Arc<Platform>>, Misrendered> {
    let Some(host) = host else {
        return Ok(home.platform()?.into_iter().map(Arc::new).collect());
    };
    let mut platforms = Vec::new();
    for runs in &home.rule.runs {
        let run = host.find_release(runs.release.value.as_str());
        if let Some(mut platform) = run.map(|run| run.platform()).transpose()?.flatten() {
            platform.apply(&home.rule.settings, home)?;
            platform.apply(&runs.settings, home)?;
            platforms.push(Arc::new(platform));
        }
    }
    Ok(platforms)
}

impl Profile {
    /// What is known of a release, whether it is listed or follows a pattern.
    ///
    /// # Errors
    /// Where the profile knows no such release.
    pub fn release(&self, text: &str) -> Result<ReleaseFacts, UnknownRelease> {
        let unknown = || self.unknown_release(text);
        let release = Release::parse(text).map_err(|_| unknown())?;
        // Somebody's word for "any": no release that is merely not known.
        if matches!(text.rsplit('.').next(), Some("x" | "X" | "z" | "Z")) {
            return Err(unknown());
        }
        let home = self.find_release(text);
        let like = home.is_none();
        let home = home.or_else(|| self.nearest_release(text)).ok_or_else(unknown)?;
        let platforms = platforms(self.host.as_deref(), &home).map_err(|_| unknown())?;
        let shipped = home.rule.shipped.iter().find(|(_, releases)| releases.contains(&release));
        Ok(ReleaseFacts {
            end_of_life: home.rule.settings.ended.clone().filter(|_| !like),
            platforms,
            unverified: home.rule.settings.unverified.clone(),
            like: if like { Release::parse(&home.rule.name.to_string()).ok() } else { None },
            shipped: shipped.map(|(kernel, _)| kernel.clone()),
            release,
        })
    }

    /// The releases that are listed one by one, in the profile's order.
    pub fn listed_releases(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| rule.listed.as_deref())
    }

    /// The rule for a release, listed ones before patterns.
    pub(super) fn find_release(&self, text: &str) -> Option<Home<'_>> {
        let listed = self.rules.iter().find(|rule| rule.listed.as_deref() == Some(text));
        let pattern = || self.rules.iter().find(|rule| rule.name.number_in(text).is_some());
        Some(Home::of(listed.or_else(pattern)?, Cow::Owned(text.into())))
    }

    /// The rule that an unknown release is taken after: the newest that is not newer, or else the oldest; for a word, the
    /// newest. What a line or another release is called is no unknown release.
    fn nearest_release(&self, text: &str) -> Option<Home<'_>> {
        let is_called = |rule: &&Rule| {
            *rule.line == *text || rule.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
        };
        if self.rules.iter().any(|rule| is_called(&rule)) {
            return None;
        }
        let is_number = text.starts_with(|first: char| first.is_ascii_digit());
        let not_newer = |rule: &&Rule| {
            let known = rule.name.render(|_| Some("0"));
            !is_number || self.order.compare(&known, text).is_le()
        };
        let newest = |left: &&Rule, right: &&Rule| {
            self.order.compare(&left.name.render(|_| Some("0")), &right.name.render(|_| Some("0")))
        };
        let rules = || self.rules.iter();
        let rule = rules().filter(not_newer).max_by(newest).or_else(|| rules().min_by(newest))?;
        Some(Home::like(rule, text))
    }

    /// The rule for a release, or the nearest one.
    pub(super) fn home(&self, text: &str) -> Option<Home<'_>> {
        self.find_release(text).or_else(|| self.nearest_release(text))
    }

    /// The releases that a kernel may belong to, those of a profile that runs another's kernels left out.
    #[must_use]
    pub fn releases_of(&self, kernel: &super::Kernel) -> Vec<String> {
        match self.host {
            Some(_) => Vec::new(),
            None => self.homes_of(kernel).into_iter().map(|home| home.release.into_owned()).collect(),
        }
    }

    /// All releases that ship kernels of a series.
    pub(super) fn homes(&self, series: &str) -> Vec<Home<'_>> {
        let listed = self.by_series.get(series).into_iter().flatten().filter_map(|index| {
            let rule = self.rules.get(*index)?;
            Some(Home::of(rule, Cow::Borrowed(rule.listed.as_deref()?)))
        });
        let patterns = self.rules.iter().filter(|rule| rule.listed.is_none()).filter_map(|rule| {
            let names = rule.series.iter().flat_map(|one| &one.names);
            let number = names.into_iter().find_map(|name| name.value.number_in(series))?;
            let release = rule.name.render(|_| Some(number));
            let listed = self.rules.iter().any(|other| other.listed.as_deref() == Some(&*release));
            (!listed).then(|| Home::of(rule, Cow::Owned(release)))
        });
        listed.chain(patterns).collect()
    }

    /// The releases that a kernel belongs to: those that ship its series, or else the one whose minor its text names.
    pub(super) fn homes_of(&self, kernel: &super::Kernel) -> Vec<Home<'_>> {
        let homes = self.homes(&kernel.series);
        let Some(el) = kernel.el.filter(|el| el.minor.is_some() && homes.is_empty()) else { return homes };
        let listed =
            self.rules.iter().filter_map(|rule| Some(Home::of(rule, rule.listed.as_deref()?.into())));
        listed.filter(|home| home.el() == Some(el)).collect()
    }

    /// The release whose kernels have this suffix.
    pub(super) fn home_of_suffix(&self, suffix: &str) -> Option<Home<'_>> {
        let rule = self.rules.iter().find(|rule| rule.suffixes.iter().any(|known| &**known == suffix))?;
        Some(Home::of(rule, Cow::Borrowed(rule.listed.as_deref()?)))
    }

    /// What is said of a release that the profile does not know.
    #[must_use]
    pub fn unknown_release(&self, text: &str) -> UnknownRelease {
        let called =
            self.rules.iter().find(|rule| rule.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text)));
        // `7.9` is no misspelt `8.9`: only what begins alike is.
        let start = |release: &str| release.split('.').next().map(str::to_owned);
        let listed = self.rules.iter().filter_map(|rule| rule.listed.as_deref());
        let meant = nearest(text, listed.filter(|one| start(one) == start(text)));
        let of_line = self.ranges(|rule| *rule.line == *text && rule.listed.as_deref() != Some(text));
        let hole =
            self.rules.iter().filter(|rule| *rule.line == *text).find_map(|rule| rule.name.holes().next());
        let number = hole.map(|hole| format!(", where {} is a number", hole.to_ascii_uppercase()));
        let help = match called {
            Some(rule) => format!("`{text}` is {}: write `{}`", rule.name, rule.name),
            None if !of_line.is_empty() => {
                format!("write the whole release: {}{}", join(&of_line, "or"), number.unwrap_or_default())
            }
            None => format!("{} has {}", self.title, join(&self.ranges(|_| true), "and")),
        };
        let nearest = meant.and_then(|found| Release::parse(found).ok());
        UnknownRelease { title: self.title.clone(), text: text.into(), nearest, help }
    }

    /// The releases of each line, as people write them: `8.0 to 8.10`, `4.18.Z`.
    pub(super) fn ranges(&self, wanted: impl Fn(&Rule) -> bool) -> Vec<String> {
        let rules: Vec<&Rule> = self.rules.iter().filter(|rule| wanted(rule)).collect();
        let lines = rules.chunk_by(|left, right| left.line == right.line);
        let range = |rules: &[&Rule]| match rules {
            [only] => Some(only.name.to_string()),
            [first, .., last] => Some(format!("{} to {}", first.name, last.name)),
            [] => None,
        };
        lines.filter_map(range).collect()
    }
}
