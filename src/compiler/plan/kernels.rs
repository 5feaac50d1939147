//! The kernels of one `os`: those written out, listed in files, and resolved in the lock.

use super::reports::unlocked;
use super::rule::arches_and_flavors;
use super::{Inputs, doubts, zstreams};
use crate::compiler::model::{KernelRule, OsRule};
use crate::knowledge::lock::{Entry, KernelQuery, OpenShiftPin};
use crate::knowledge::profile::{Kernel, KernelError, KernelErrorKind, Profile, ReleaseFacts};
use crate::language::kdl::quote;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{Arch, Flavor, Release};
use crate::text::source::Span;
use rayon::prelude::*;

/// A kernel that an `os` names, before it is given to a release.
pub(super) struct Named<'a> {
    /// The kernel, perhaps without architecture.
    pub kernel: Kernel,
    /// Where it is named.
    pub span: Span,
    /// Whether it may contradict what the profile knows.
    pub unchecked: bool,
    /// The only release that it may go to (an index into the rule's releases), where that is known.
    pub release: Option<usize>,
    /// What the lock says of the OpenShift release.
    pub openshift: Option<&'a OpenShiftPin>,
}

/// All kernels of one `os`.
pub(super) fn of_rule<'a>(
    inputs: &Inputs<'a>,
    rule: &OsRule,
    profile: &Profile,
    releases: &[(ReleaseFacts, Span)],
    diagnostics: &mut Diagnostics,
) -> Vec<Named<'a>> {
    let mut named = Vec::new();
    let mut collect = Collect { inputs, rule, profile, diagnostics, named: &mut named };
    for kernels in &rule.kernels {
        match kernels {
            KernelRule::Explicit(text, unchecked) => {
                collect.texts(&[(&text.value, text.span)], *unchecked, true);
            }
            KernelRule::File(file, unchecked) => {
                if let Some(id) = inputs.contexts.kernels(&file.value) {
                    collect.file(id, *unchecked);
                }
            }
            KernelRule::Locked { pattern, latest, unchecked, span } => {
                let pattern = pattern.as_ref().map(|text| text.value.as_str());
                collect.locked(releases, pattern, *latest, (*unchecked, *span));
            }
        }
    }
    if rule.kernels.is_empty() {
        collect.openshift(releases);
    }
    named
}

struct Collect<'a, 'b> {
    inputs: &'b Inputs<'a>,
    rule: &'b OsRule,
    profile: &'b Profile,
    diagnostics: &'b mut Diagnostics,
    named: &'b mut Vec<Named<'a>>,
}

impl<'a> Collect<'a, '_> {
    /// `in_manifest` tells texts of the manifest, which may be replaced by properties, from lines of a file.
    fn texts(&mut self, texts: &[(&str, Span)], unchecked: bool, in_manifest: bool) {
        let (inputs, profile) = (self.inputs, self.profile);
        let read = |&(text, _): &(&str, _)| match unchecked {
            true => profile.unchecked_kernel(text),
            false => inputs.profiles.kernel(profile, text),
        };
        let read: Vec<_> = texts.par_iter().map(read).collect();
        for (&(text, span), read) in texts.iter().zip(read) {
            match read {
                Ok(kernel) => {
                    self.named.push(Named { kernel, span, unchecked, release: None, openshift: None });
                }
                Err(error) => {
                    let report = kernel_report(&error, span, self.rule);
                    let fits = |text: &str| inputs.profiles.kernel(profile, text).is_ok();
                    let is_malformed = in_manifest && error.kind == KernelErrorKind::Malformed;
                    self.diagnostics.push(if is_malformed {
                        meant(text, span, report, fits)
                    } else {
                        report
                    });
                }
            }
        }
    }

    /// One kernel a line; blank lines and what follows a `#` do not count.
    fn file(&mut self, id: crate::text::source::FileId, unchecked: bool) {
        let (mut start, mut kernels) = (0, Vec::new());
        for line in self.inputs.sources.get(id).text.split_inclusive('\n') {
            let kernel = line.split('#').next().unwrap_or_default();
            let begin = start + kernel.len() - kernel.trim_start().len();
            let kernel = kernel.trim();
            if !kernel.is_empty() {
                kernels.push((kernel, Span::new(id, begin, begin + kernel.len())));
            }
            start += line.len();
        }
        self.texts(&kernels, unchecked, false);
    }

    fn locked(
        &mut self,
        releases: &[(ReleaseFacts, Span)],
        pattern: Option<&str>,
        latest: Option<u32>,
        (unchecked, span): (bool, Span),
    ) {
        let mut missing = Vec::new();
        for (at, (release, _)) in releases.iter().enumerate() {
            for (arch, flavor) in self.arches_and_flavors() {
                let query = KernelQuery {
                    os: self.profile.os.clone(),
                    release: release.release.clone(),
                    arch,
                    flavor,
                    pattern: pattern.map(Into::into),
                    latest,
                };
                match self.inputs.lock.kernels(&query) {
                    Some(entry) => self.entry(&query, entry, at, (unchecked, span)),
                    None => missing.push(self.coordinates(&query.release, arch, &query.flavor)),
                }
            }
        }
        if !missing.is_empty() {
            self.diagnostics.push(unlocked("these are", "not resolved", &missing, span));
        }
    }

    fn entry(
        &mut self,
        query: &KernelQuery,
        entry: &Entry<crate::knowledge::lock::KernelsPin>,
        release: usize,
        (unchecked, span): (bool, Span),
    ) {
        if let Some(problem) = contradiction(self.profile, query, &entry.value.kernels) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::ContradictingLockEntry,
                    format!("the lock file contradicts the manifest: {problem}"),
                )
                .label(entry.span, "resolved to this")
                .label(span, "asked for by this")
                .help("`drvc lock` resolves it again; or correct the manifest"),
            );
            return;
        }
        for text in &entry.value.kernels {
            if let Ok(kernel) = self.profile.unchecked_kernel(text.as_str()) {
                let kernel = self.profile.with_arch(&kernel, query.arch).unwrap_or(kernel);
                let release = Some(release);
                self.named.push(Named { kernel, span, unchecked, release, openshift: None });
            }
        }
    }

    /// An `os` without kernels: OpenShift releases bring theirs, by way of the lock.
    fn openshift(&mut self, releases: &[(ReleaseFacts, Span)]) {
        if !self.profile.builders.contains(&crate::knowledge::profile::Builder::Dtk)
            || self.profile.kernels_of.is_none()
        {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingKernel,
                    format!("`os \"{}\"` names no kernel", self.rule.name.value),
                )
                .label(self.rule.name.span, "which kernels?")
                .help("add `kernel \"RELEASE\"` with what `uname -r` prints, or `kernel latest=2`"),
            );
            return;
        }
        let mut missing = Vec::new();
        for (at, (release, span)) in releases.iter().enumerate() {
            for (arch, flavor) in self.arches_and_flavors() {
                if !zstreams::includes(self.inputs, self.rule, &release.release, arch) {
                    continue;
                }
                let has_flavor = |pin: &&OpenShiftPin| self.kernels_of(pin, &flavor, arch).next().is_some();
                let pins = self.inputs.lock.openshift(&release.release, arch);
                let pins: Vec<_> = pins.filter(has_flavor).collect();
                if pins.is_empty() {
                    missing.push(self.coordinates(&release.release, arch, &flavor));
                }
                pins.into_iter().for_each(|pin| self.pin(pin, &flavor, arch, at, *span));
            }
        }
        if !missing.is_empty() {
            let label = "no `kernel` in it, so its releases bring their own";
            let report = unlocked("these releases run", label, &missing, self.rule.name.span);
            let mut known =
                releases.iter().filter_map(|(release, _)| Some((&release.release, release.shipped()?)));
            self.diagnostics.push(match known.next() {
                Some((release, kernel)) => report.help(format!(
                    "run `drvc lock`; or name them in full: {} {release} runs `kernel \"{kernel}\"`",
                    self.profile.title
                )),
                None => report,
            });
        }
    }

    fn pin(&mut self, pin: &'a OpenShiftPin, flavor: &Flavor, arch: Arch, release: usize, span: Span) {
        let unchecked = self.rule.unchecked;
        let named = |kernel| Named { kernel, span, unchecked, release: Some(release), openshift: Some(pin) };
        let named: Vec<_> = self.kernels_of(pin, flavor, arch).map(named).collect();
        self.named.extend(named);
    }

    /// The kernels of this flavour that an OpenShift release brings for an architecture.
    fn kernels_of(&self, pin: &OpenShiftPin, flavor: &Flavor, arch: Arch) -> impl Iterator<Item = Kernel> {
        let texts = std::iter::once(&pin.kernel).chain(&pin.realtime);
        let kernels = texts.filter_map(|text| self.profile.unchecked_kernel(text.as_str()).ok());
        kernels.filter(move |kernel| kernel.flavor == *flavor && kernel.arch.is_none_or(|own| own == arch))
    }

    /// What `match` and `latest` are resolved for, in words.
    fn coordinates(&self, release: &Release, arch: Arch, flavor: &Flavor) -> String {
        let flavor = if self.rule.flavors.is_empty() { String::new() } else { format!(" {flavor}") };
        format!("{} {release} {arch}{flavor}", self.profile.os)
    }

    fn arches_and_flavors(&self) -> Vec<(Arch, Flavor)> {
        arches_and_flavors(self.rule, self.profile)
    }
}

/// Whether a release is one whose kernels and Driver Toolkit its payload names: a whole release of OpenShift.
pub(super) fn brings_kernels(profile: &Profile, release: &Release) -> bool {
    let whole = release.as_str().split('.').filter(|part| !part.is_empty()).count() >= 3;
    whole
        && profile.builders.contains(&crate::knowledge::profile::Builder::Dtk)
        && profile.kernels_of.is_some()
}

/// Why what the lock holds is not what was asked for.
fn contradiction(
    profile: &Profile,
    query: &KernelQuery,
    kernels: &[crate::text::ids::KernelText],
) -> Option<String> {
    if kernels.is_empty() {
        return Some("it holds no kernel".into());
    }
    if query.latest.is_some_and(|latest| kernels.len() > latest as usize) {
        return Some(format!("it holds {} kernels, more than `latest` asks for", kernels.len()));
    }
    let glob = query.pattern.as_deref().and_then(|glob| globset::Glob::new(glob).ok());
    let glob = glob.map(|glob| glob.compile_matcher());
    kernels.iter().find_map(|text| {
        let Ok(kernel) = profile.unchecked_kernel(text.as_str()) else {
            return Some(format!("`{text}` is not a kernel of {}", profile.title));
        };
        if glob.as_ref().is_some_and(|glob| !glob.is_match(text.as_str())) {
            return Some(format!("`{text}` does not match"));
        }
        if kernel.flavor != query.flavor {
            return Some(format!("`{text}` is of flavour `{}`", kernel.flavor));
        }
        let foreign = kernel.arch.is_some_and(|arch| arch != query.arch);
        foreign.then(|| format!("`{text}` is not a kernel for {}", query.arch))
    })
}

/// Says how kernels are asked for that are not named in full.
fn meant(text: &str, span: Span, report: Diagnostic, fits: impl Fn(&str) -> bool) -> Diagnostic {
    let parts: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let numeric = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    if parts.len() > 1 && parts.iter().all(|part| fits(part)) {
        let words = parts.into_iter().map(quote).collect::<Vec<_>>().join(" ");
        return report.help(format!("write each for itself: `kernel {words}`")).suggest(span, words);
    }
    if matches!(text, "all" | "any" | "*") {
        return report
            .help("write `kernel match=\"*\"` for all that the repositories offer, or `kernel latest=1` for the newest; `drvc lock` looks them up")
            .suggest(span, "match=\"*\"");
    }
    if text.ends_with(".txt") || text.ends_with(".list") {
        let property = format!("from={}", quote(text));
        return report
            .help(format!("write `kernel {property}` for a file that lists kernels"))
            .suggest(span, property);
    }
    if matches!(text, "latest" | "newest" | "current" | "default") {
        return report
            .help("write `kernel latest=1` for the newest; `drvc lock` looks it up")
            .suggest(span, "latest=1");
    }
    if text.contains(['*', '?', '[']) {
        let property = format!("match={}", quote(text));
        return report
            .help(format!("write `kernel {property}`; `drvc lock` looks up which these are"))
            .suggest(span, property);
    }
    if text.starts_with(['<', '>', '=', '~', '^']) {
        let bound = text.trim_start_matches(['<', '>', '=', '~', '^', ' ']);
        return report.help(format!(
            "write `kernel latest=2`, and `exclude kernel=\"<{bound}\" reason=\"too old\"` in the matrix for those that are too old"
        ));
    }
    if text.contains("uname") {
        return report.help("run `uname -r` on a node and write what it prints, or write `kernel latest=1`");
    }
    match (numeric, report.help.clone()) {
        (true, Some(help)) if help.starts_with("write what") => {
            report.help(format!("{help}; or `kernel match=\"{text}*\" latest=1` for the newest of these"))
        }
        _ => report,
    }
}

fn kernel_report(error: &KernelError, span: Span, rule: &OsRule) -> Diagnostic {
    let code = match error.kind {
        KernelErrorKind::Malformed => Code::MalformedKernel,
        KernelErrorKind::Foreign => Code::ForeignKernel,
        KernelErrorKind::Contradictory => Code::ContradictoryKernel,
    };
    let report = Diagnostic::new(code, error.message.clone()).label(span, error.label.clone());
    let report = match error.kind {
        KernelErrorKind::Foreign => report.label(rule.name.span, "listed under this distribution"),
        _ => report,
    };
    report.help(match error.kind {
        KernelErrorKind::Malformed => error.help.clone(),
        _ => doubts::or_unchecked(&error.help),
    })
}
