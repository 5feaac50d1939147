//! What is wrong with local inputs, in words: each cause once, with the edit that mends it.

use super::found::{LeftOut, Refusal, Walked, Why};
use super::rules::BadGlob;
use crate::system::fs::{Kind, ReadError, Reader};
use crate::text::diag::{Code, Diagnostic, Diagnostics, count, listed, nearest};
use crate::text::ids::RelPath;
use crate::text::source::Span;
use std::collections::BTreeMap;

/// So many names stand in one report.
const NAMES: usize = 3;
/// So many directories stand in one line of a manifest.
const MOST_LINES: usize = 12;

/// What cannot be part of a source, and what is left out and should not be by silence.
pub(super) fn of_walk(reader: &Reader<'_>, dir: &RelPath, walked: &Walked, span: Span) -> Diagnostics {
    let mut reports = Diagnostics::default();
    let of = |wanted: fn(&Refusal) -> bool| -> Vec<&str> {
        let wanted = walked.refused.iter().filter(|(_, refusal)| wanted(refusal));
        wanted.map(|(name, _)| name.as_str()).collect()
    };
    for (name, refusal) in &walked.refused {
        match refusal {
            Refusal::Unreadable(error) if name == dir.as_str() => {
                reports.push(unreadable(reader, dir, span, error))
            }
            Refusal::LfsPointer | Refusal::PrivateKey => {}
            other => reports.push(unfit(dir, name, other, span)),
        }
    }
    let pointed = of(|refusal| *refusal == Refusal::LfsPointer);
    if !pointed.is_empty() {
        let ignore = pointed.first().map_or_else(String::new, |name| ignore_line(dir, name));
        let report = pointers(&pointed, span, "found beneath this path");
        let help = format!("{FETCH}; where the build does not need it, write {ignore} beneath `path`");
        reports.push(report.help(help));
    }
    let keys = of(|refusal| *refusal == Refusal::PrivateKey);
    if !keys.is_empty() {
        reports.push(private_keys(dir, &keys, span));
    }
    reports.extend(left_out(dir, &walked.left, span));
    reports
}

pub(super) fn bad_glob(bad: &BadGlob, span: Span) -> Diagnostic {
    let problem = format!("`{}` is not a glob: {}", bad.glob, bad.reason);
    Diagnostic::new(Code::MalformedValue, problem)
        .label(span, "in this source")
        .help("a glob is made of `*`, `**`, `?` and `[a-z]`")
}

pub(super) fn empty_source(dir: &RelPath, left: &[LeftOut], span: Span) -> Diagnostic {
    let no_source = left.iter().find(|left| !matches!(left.why, Why::Ignored | Why::Link));
    let help = match no_source.map(|left| (left, inside(dir, &left.path))) {
        Some((left, name)) => format!(
            "`{name}` is left out as no source ({}): `include \"{name}\"` takes it, and a module with `build \"none\"` \
             takes finished modules",
            left.why
        ),
        None => "check the directory, `include`, `ignore` and the `.gitignore` files".into(),
    };
    Diagnostic::new(Code::EmptySource, format!("no file of `{dir}` is left to build from"))
        .label(span, "gives no file")
        .help(help)
}

pub(super) fn empty_submodules(empty: &[String], dir: &RelPath, span: Span) -> Diagnostic {
    let (first, is_are) =
        (empty.first().map_or("", String::as_str), plural(empty, "is a submodule", "are submodules"));
    let problem = format!("{} {is_are} of git, and empty", some(empty.iter().map(String::as_str)));
    let ignore = match inside(dir, first) {
        "" => String::new(),
        inside => format!("; where the build does not need it, write `ignore \"/{inside}\"`"),
    };
    Diagnostic::new(Code::MissingSubmodule, problem)
        .label(span, "its files would be missing in this source")
        .help(format!("run `git submodule update --init {first}`{ignore}"))
}

const FETCH: &str = "run `git lfs pull`; a checkout in CI needs `lfs: true`";

/// Files that are what Git LFS leaves in the place of others.
pub(super) fn pointers(names: &[&str], span: Span, label: &str) -> Diagnostic {
    let are = plural(names, "is a pointer", "are pointers");
    let problem = format!("{} {are} of Git LFS, not the content itself", some(names.iter().copied()));
    Diagnostic::new(Code::LfsPointer, problem).label(span, label).help(FETCH)
}

fn private_keys(dir: &RelPath, names: &[&str], span: Span) -> Diagnostic {
    let are = plural(names, "is a private key", "are private keys");
    let problem = format!("{} {are}, which would be in a layer of the build", some(names.iter().copied()));
    let ignore = names.first().map_or_else(String::new, |name| ignore_line(dir, name));
    let help = format!(
        "write {ignore} beneath `path`, and hand a signing key over as a secret; a key that tests need is \
         taken where `include` names it"
    );
    Diagnostic::new(Code::PrivateKey, problem).label(span, "found beneath this path").help(help)
}

fn unfit(dir: &RelPath, name: &str, refusal: &Refusal, span: Span) -> Diagnostic {
    let problem = format!("`{}` cannot be part of a source: {refusal}", name.replace('\n', "\\n"));
    Diagnostic::new(Code::UnfitFile, problem)
        .label(span, "found beneath this path")
        .help(format!("rename or remove it, or write {} beneath `path`", ignore_line(dir, name)))
}

/// The directory that two paths are in.
fn above<'p>(dir: &'p RelPath, other: &RelPath) -> &'p str {
    let same = dir.as_str().split('/').zip(other.as_str().split('/')).take_while(|(one, other)| one == other);
    let length: usize = same.map(|(part, _)| part.len() + 1).sum();
    dir.as_str().get(..length.saturating_sub(1)).filter(|above| !above.is_empty()).unwrap_or(".")
}

/// What is left out although somebody may count on it: links, and objects that nothing in the source makes.
fn left_out(dir: &RelPath, left: &[LeftOut], span: Span) -> Diagnostics {
    let mut reports = Diagnostics::default();
    let of = |wanted: fn(Why) -> bool| -> Vec<&str> {
        let doubtful = left.iter().filter(|left| left.doubtful && wanted(left.why));
        doubtful.map(|left| left.path.as_str()).collect()
    };
    let makefiles = of(|why| why == Why::GitIgnored);
    let links = of(|why| why == Why::Link);
    let objects = of(|why| !matches!(why, Why::GitIgnored | Why::Link));
    if let Some(first) = makefiles.first() {
        let are = plural(&makefiles, "is", "are");
        let problem = format!("{} {are} left out by a `.gitignore`", some(makefiles.iter().copied()));
        let name = inside(dir, first);
        let help = format!(
            "where the build needs it, write `include \"*\" \"/{name}\"` beneath `path`; otherwise write {}",
            ignore_line(dir, first)
        );
        reports.push(
            Diagnostic::new(Code::LeftOutFile, problem).label(span, "found beneath this path").help(help),
        );
    }
    if let Some(first) = links.first() {
        let are = plural(&links, "is a link that leads", "are links that lead");
        let problem =
            format!("{} {are} to no file of this source, and left out", some(links.iter().copied()));
        let leads = left.iter().find_map(|one| Some((&one.path, one.leads.as_ref()?)));
        let instead = match leads {
            Some((path, end)) => format!(
                "`{path}` leads to `{end}`: one source of what holds both, `path \"{}\"`, and in the modules \
                 `source \"NAME\" dir=\"{}\"`, takes both in; or copy",
                above(dir, end),
                dir.as_str().strip_prefix(above(dir, end)).unwrap_or(dir.as_str()).trim_start_matches('/'),
            ),
            None => "copy".to_owned(),
        };
        let help = format!(
            "{instead} what the build needs of it; otherwise write {} beneath `path`",
            ignore_line(dir, first)
        );
        reports.push(
            Diagnostic::new(Code::LeftOutFile, problem).label(span, "found beneath this path").help(help),
        );
    }
    if let Some(first) = objects.first() {
        let are = plural(
            &objects,
            "is left out as an object that a build left",
            "are left out as objects that a build left",
        );
        let problem = format!("{} {are}, but nothing beside it makes it", some(objects.iter().copied()));
        let name = inside(dir, first);
        let help = format!(
            "where it is an input, write `include \"*\" \"/{name}\"` beneath `path` (or call it `.o_shipped`, as kbuild \
             does); otherwise write {}",
            ignore_line(dir, first)
        );
        reports.push(
            Diagnostic::new(Code::LeftOutFile, problem).label(span, "found beneath this path").help(help),
        );
    }
    reports
}

pub(super) fn unreadable(reader: &Reader<'_>, file: &RelPath, span: Span, error: &ReadError) -> Diagnostic {
    let report = Diagnostic::new(Code::UnreadableFile, format!("`{file}` cannot be read: {error}"))
        .label(span, "named here");
    match error {
        ReadError::Absent if file.as_str().starts_with("~/") => report.help(
            "`~` is no home directory here: all files are beneath the manifest's directory, or fetched with `git` or `archive`",
        ),
        ReadError::Absent => match near(reader, file) {
            Some(near) => report.help(format!("did you mean `{near}`? paths are relative to the manifest")),
            None => report.help("create it, or correct the path: paths are relative to the manifest"),
        },
        // A file where a source's directory was asked for.
        ReadError::WrongKind("it is not a directory") if file.as_str().contains('/') => {
            let directory = file.as_str().rsplit_once('/').map_or("", |(directory, _)| directory);
            report.help(format!("a source is a directory: write `path \"{directory}\"`"))
        }
        ReadError::Link => {
            report.help("copy it to this place, or name what the link leads to: a link could lead anywhere")
        }
        _ => report.help("paths are relative to the manifest and name plain files and directories"),
    }
}

/// The path of a similar name: each part that is not there is taken for the nearest beside it.
fn near(reader: &Reader<'_>, file: &RelPath) -> Option<RelPath> {
    let parts: Vec<&str> = file.as_str().split('/').collect();
    let mut at = RelPath::root();
    for (place, part) in parts.iter().enumerate() {
        let last = place + 1 == parts.len();
        let entries = reader.list(&at).ok()?;
        let fits = |kind: Kind| last || kind == Kind::Directory;
        let entries = entries.iter().filter(|entry| fits(entry.kind)).map(|entry| entry.name.as_str());
        let entries: Vec<&str> = entries.collect();
        let known = entries.iter().find(|name| *name == part).copied();
        at = at.join(known.or_else(|| nearest(part, entries.iter().copied()))?).ok()?;
    }
    Some(at)
}

/// A source of which more than one file in ten is in directories that no module reaches.
pub(super) fn wide_source(
    dir: &RelPath,
    apart: &BTreeMap<String, usize>,
    all: usize,
    span: Span,
) -> Option<Diagnostic> {
    let files: usize = apart.values().sum();
    if files * 10 <= all {
        return None;
    }
    let shown = apart.iter().take(NAMES).map(|(name, files)| format!("`{name}` ({})", count(*files, "file")));
    let more = match apart.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let lines = apart.keys().take(MOST_LINES).map(|name| glob(name)).collect::<Vec<_>>().join(" ");
    let problem =
        format!("{files} of the {} of `{dir}` are where no module's build looks", count(all, "file"));
    Some(
        Diagnostic::new(Code::WideSource, problem)
            .label(span, format!("takes in {}{more}", shown.collect::<Vec<_>>().join(", ")))
            .help(format!(
                "an edit there builds every target again: write `ignore {lines}` beneath `path`; where a build does need \
                 them, `include \"*\"` says so"
            )),
    )
}

/// The line that leaves a file out.
fn ignore_line(dir: &RelPath, name: &str) -> String {
    format!("`ignore {}`", glob(inside(dir, name)))
}

/// A path in a source as a quoted glob. For each byte of a character that globs or KDL read in their own way it has a `?`.
fn glob(inside: &str) -> String {
    let odd = |letter: char| {
        letter.is_control()
            || crate::text::diag::is_hostile(letter)
            || "*?[]{}\\\"!#\u{fffd}`".contains(letter)
    };
    let glob: String = inside
        .chars()
        .map(|letter| if odd(letter) { "?".repeat(letter.len_utf8()) } else { letter.into() })
        .collect();
    format!("\"/{glob}\"")
}

/// A path as seen from the source's directory.
fn inside<'p>(dir: &RelPath, path: &'p str) -> &'p str {
    if dir.is_root() {
        return path;
    }
    path.strip_prefix(dir.as_str()).unwrap_or(path).trim_start_matches('/')
}

fn some<'n>(names: impl ExactSizeIterator<Item = &'n str> + Clone) -> String {
    let more = names.len().saturating_sub(NAMES);
    let shown: Vec<&str> = names.take(NAMES).collect();
    match more {
        0 => listed(shown, "and"),
        more => format!(
            "{} and {more} more",
            shown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn plural<'w, T>(names: &[T], one: &'w str, many: &'w str) -> &'w str {
    if names.len() == 1 { one } else { many }
}
