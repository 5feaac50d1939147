//! Reads `drivers.lock`: from text to [`Lock`], with the place of each paragraph.

use super::seal::{FIELD, name, seal};
use super::{
    BuilderQuery, Entry, HeaderDigests, HeadersPin, ImagePin, KernelQuery, KernelsPin, Lock, OpenShiftPin,
    VERSION, ZQuery,
};
use crate::knowledge::profile;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{
    Arch, Commit, Digest, FileUrl, Flavor, GitUrl, ImageRef, KernelText, OsName, PackageName, Release, Sha256,
};
use crate::text::source::{FileId, Sources, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Table, Value};

/// The file as TOML sees it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default)]
    archive: Vec<Spanned<Table>>,
    #[serde(default)]
    builder: Vec<Spanned<Table>>,
    #[serde(default)]
    git: Vec<Spanned<Table>>,
    #[serde(default)]
    headers: Vec<Spanned<Table>>,
    #[serde(default)]
    image: Vec<Spanned<Table>>,
    #[serde(default)]
    kernels: Vec<Spanned<Table>>,
    #[serde(default)]
    openshift: Vec<Spanned<Table>>,
    #[serde(default)]
    packages: Vec<Spanned<Table>>,
    #[serde(default)]
    zstreams: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Archive {
    url: FileUrl,
    sha256: Sha256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Builder {
    os: OsName,
    release: Release,
    kernel: KernelText,
    arch: Arch,
    of: Vec<BuilderName>,
    builder: BuilderName,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct BuilderName(profile::Builder);

impl TryFrom<String> for BuilderName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        profile::Builder::parse(&name).map(Self).ok_or_else(|| format!("`{name}` is not a builder"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Git {
    url: GitUrl,
    reference: String,
    commit: Commit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Headers {
    os: OsName,
    release: Release,
    kernel: KernelText,
    arch: Arch,
    headers: Option<Sha256>,
    options: Option<Sha256>,
    symbols: Option<Sha256>,
    layout: Option<String>,
    #[serde(default)]
    packages: Vec<String>,
    unknown: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    reference: ImageRef,
    digest: Digest,
    #[serde(default)]
    platforms: BTreeMap<Arch, Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kernels {
    os: OsName,
    release: Release,
    arch: Arch,
    flavor: Flavor,
    #[serde(rename = "match")]
    pattern: Option<String>,
    latest: Option<u32>,
    kernels: Vec<KernelText>,
    #[serde(default)]
    other_packages: Vec<PackageName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OpenShift {
    release: Release,
    arch: Arch,
    kernel: KernelText,
    realtime: Option<KernelText>,
    driver_toolkit: ImageRef,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    os: OsName,
    release: Release,
    kernel: KernelText,
    arch: Arch,
    packages: Vec<PackageName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZStreams {
    release: Release,
    arch: Arch,
    latest: u32,
    releases: Vec<Release>,
}

/// The version alone, to tell a newer file from a broken one.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Reads the lock file. What cannot be read is reported, and an empty lock given back.
#[must_use]
pub fn parse(file: FileId, sources: &Sources) -> (Lock, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let text = &sources.get(file).text;
    let read = match conflict(file, text) {
        Some(problem) => Err(problem),
        None => toml::from_str::<File>(text)
            .map_err(|error| newer(file, text).unwrap_or_else(|| malformed(file, text, &error))),
    };
    match read {
        Ok(parsed) if parsed.version.get_ref() > &VERSION => {
            diagnostics.extend(newer(file, text).into_iter().collect())
        }
        Ok(parsed) if parsed.version.get_ref() < &VERSION => {
            diagnostics.push(
                Diagnostic::new(Code::MalformedLock, "version 0 of the lock file was never released")
                    .label(span_of(file, &parsed.version), "not a version")
                    .help("remove `drivers.lock`, and run `drvc lock`"),
            );
        }
        Ok(parsed) => return (collect(file, parsed, &mut diagnostics), diagnostics),
        Err(problem) => diagnostics.push(problem),
    }
    (Lock::default(), diagnostics)
}

/// A merge that a TOML parser would only call a syntax error.
fn conflict(file: FileId, text: &str) -> Option<Diagnostic> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker)) {
            let marker = Span::new(file, start, start + 7);
            return Some(
                Diagnostic::new(Code::LockConflict, "the lock file holds an unresolved merge")
                    .label(marker, "a conflict marker of git")
                    .help("keep both sides' paragraphs and delete the markers"),
            );
        }
        start += line.len();
    }
    None
}

/// A file of a later version, which may hold what this one cannot read. Looked at only where there is something to tell: it
/// takes as long as reading the file.
fn newer(file: FileId, text: &str) -> Option<Diagnostic> {
    let version = toml::from_str::<Versioned>(text).ok()?.version;
    if version <= VERSION {
        return None;
    }
    let at = text.find("version").unwrap_or(0);
    Some(
        Diagnostic::new(Code::NewerLock, format!("the lock file is of version {version}"))
            .label(Span::new(file, at, at + "version".len()), format!("this drvc reads up to {VERSION}"))
            .help("install a newer drvc: the one that wrote this file"),
    )
}

fn malformed(file: FileId, text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let end = text.get(span.clone()).map_or(span.end, |covered| span.start + covered.trim_end().len());
    let message = error.message().lines().next().unwrap_or_default();
    Diagnostic::new(Code::MalformedLock, format!("the lock file cannot be read: {message}"))
        .label(Span::new(file, span.start, end), "here")
        .help("restore the file from its history, or remove it and run `drvc lock`")
}

fn span_of<T>(file: FileId, spanned: &Spanned<T>) -> Span {
    Span::new(file, spanned.span().start, spanned.span().end)
}

fn collect(file: FileId, parsed: File, diagnostics: &mut Diagnostics) -> Lock {
    let mut lock = Lock::default();
    for (Archive { url, sha256 }, place) in read(file, "archive", parsed.archive, diagnostics) {
        insert(&mut lock.archives, url, sha256, place, diagnostics);
    }
    for (entry, place) in read(file, "builder", parsed.builder, diagnostics) {
        let Builder { os, release, kernel, arch, of, builder } = entry;
        let of = of.into_iter().map(|name| name.0).collect();
        let query = BuilderQuery { kernel: (os, release, kernel, arch), of };
        insert(&mut lock.builders, query, builder.0, place, diagnostics);
    }
    for (Git { url, reference, commit }, place) in read(file, "git", parsed.git, diagnostics) {
        insert(&mut lock.git, (url, reference), commit, place, diagnostics);
    }
    for (entry, place) in read(file, "headers", parsed.headers, diagnostics) {
        let Headers { os, release, kernel, arch, headers, options, symbols, layout, packages, unknown } =
            entry;
        let pin = match (headers, options, symbols) {
            (Some(headers), Some(options), Some(symbols)) => {
                HeadersPin::Known(HeaderDigests { headers, options, symbols, layout, packages })
            }
            _ => HeadersPin::Unknown(unknown.unwrap_or_default()),
        };
        insert(&mut lock.headers, (os, release, kernel, arch), pin, place, diagnostics);
    }
    for (Image { reference, digest, platforms }, place) in read(file, "image", parsed.image, diagnostics) {
        insert(&mut lock.images, reference, ImagePin { digest, platforms }, place, diagnostics);
    }
    for (entry, place) in read(file, "kernels", parsed.kernels, diagnostics) {
        let Kernels { os, release, arch, flavor, pattern, latest, kernels, other_packages } = entry;
        let query = KernelQuery { os, release, arch, flavor, pattern, latest };
        insert(&mut lock.kernels, query, KernelsPin { kernels, other_packages }, place, diagnostics);
    }
    for (entry, place) in read(file, "openshift", parsed.openshift, diagnostics) {
        let OpenShift { release, arch, kernel, realtime, driver_toolkit } = entry;
        let pin = Entry { value: OpenShiftPin { kernel, realtime, driver_toolkit }, span: place.span };
        let pins: &mut Vec<Entry<OpenShiftPin>> = lock.openshift.entry((release, arch)).or_default();
        match pins.iter().find(|known| known.value.kernel == pin.value.kernel) {
            Some(known) => diagnostics.push(duplicate(&place, known.span)),
            None => pins.push(pin),
        }
    }
    for (entry, place) in read(file, "packages", parsed.packages, diagnostics) {
        let Packages { os, release, kernel, arch, packages } = entry;
        insert(&mut lock.packages, (os, release, kernel, arch), packages, place, diagnostics);
    }
    for (entry, place) in read(file, "zstreams", parsed.zstreams, diagnostics) {
        let ZStreams { release, arch, latest, releases } = entry;
        insert(&mut lock.zstreams, ZQuery { release, arch, latest }, releases, place, diagnostics);
    }
    lock
}

/// Where a paragraph stands, and what it is called.
struct Place {
    span: Span,
    name: String,
}

/// Each paragraph of a kind that can be read; the others, and those that were changed by hand, are reported.
fn read<T: serde::de::DeserializeOwned>(
    file: FileId,
    kind: &str,
    paragraphs: Vec<Spanned<Table>>,
    diagnostics: &mut Diagnostics,
) -> Vec<(T, Place)> {
    let mut all = Vec::new();
    for paragraph in paragraphs {
        let span = span_of(file, &paragraph);
        let mut fields = paragraph.into_inner();
        let (name, expected) = (name(kind, &fields), seal(kind, &fields));
        let found = fields.remove(FIELD);
        match fields.try_into::<T>() {
            Err(error) => {
                let reason = error.message().lines().next().unwrap_or_default();
                diagnostics.push(
                    Diagnostic::new(
                        Code::BrokenLockEntry,
                        format!("the lock file's entry for {name} cannot be read: {reason}"),
                    )
                    .label(span, "not as drvc wrote it")
                    .help("`drvc lock` resolves it again"),
                );
            }
            Ok(entry) => {
                if found.as_ref().and_then(Value::as_str) != Some(expected.as_str()) {
                    let problem = format!("the lock file's entry for {name} was changed by hand");
                    let label = "its seal is not that of its content";
                    diagnostics
                        .push(Diagnostic::new(Code::EditedLockEntry, problem).label(span, label).help(
                        "`drvc lock` resolves it again; what should stay as it is belongs in the manifest",
                    ));
                }
                all.push((entry, Place { span, name }));
            }
        }
    }
    all
}

fn insert<K: Ord, V>(
    table: &mut BTreeMap<K, Entry<V>>,
    key: K,
    value: V,
    place: Place,
    diagnostics: &mut Diagnostics,
) {
    match table.entry(key) {
        std::collections::btree_map::Entry::Occupied(known) => {
            diagnostics.push(duplicate(&place, known.get().span));
        }
        std::collections::btree_map::Entry::Vacant(vacant) => {
            vacant.insert(Entry { value, span: place.span });
        }
    }
}

fn duplicate(again: &Place, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateLockEntry, format!("the lock file resolves {} twice", again.name))
        .label(again.span, "again here")
        .label(first, "first here")
        .help("a merge may have kept both: `drvc lock` resolves it again, or delete the one that is wrong")
}
