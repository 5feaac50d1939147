//! `drvc fmt`: brings manifests, and other files in KDL, into canonical layout.

use super::project::{Project, file_at};
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::language::{kdl, layout};
use crate::system::fs::{Disk, Tree};
use crate::text::diag::{Code, Diagnostic, Diagnostics, Report, count};
use crate::text::difference::by_line;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use crate::text::source::Sources;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use std::collections::BTreeSet;

/// Bring the manifest into canonical layout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc fmt                 the manifest, in place
  drvc fmt --check         show what would change, and write nothing
  drvc fmt profiles/*.kdl  other files
  drvc fmt - <drivers.kdl  from standard input to standard output, for editors

Words, numbers, texts and comments stay as they are written. Only the blanks and line breaks between them
change, so the meaning stays the same.

Exit code 0 when done or when nothing is to be done, 1 where a file cannot be read as KDL, and with --check
3 where a file would change.")]
pub(super) struct Fmt {
    /// Write nothing; show what would change, and end with exit code 3 if anything would
    #[arg(long)]
    check: bool,
    /// Files in KDL [default: the manifest and what it includes]; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<Utf8PathBuf>,
}

/// What became of a file.
enum Outcome {
    Same,
    Changed,
    Refused,
}

pub(super) fn fmt(global: &Global, args: &Fmt, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let (mut changed, mut same, mut refused) = (0, 0, 0);
    let mut tally = |outcome| match outcome {
        Outcome::Same => same += 1,
        Outcome::Changed => changed += 1,
        Outcome::Refused => refused += 1,
    };
    if args.files.is_empty() {
        let project = Project::new(global)?;
        let disk = project.open()?;
        let (mut waiting, mut seen) = (vec![project.manifest.clone()], BTreeSet::new());
        while let Some(name) = waiting.pop() {
            if seen.insert(name.clone()) {
                tally(one(&disk, &project.root, &name, args.check, terminal)?);
                waiting.extend(included(&disk, &name));
            }
        }
    }
    for path in &args.files {
        if path == "-" {
            tally(standard_input(args.check, terminal)?);
        } else {
            let (root, name) = file_at(global, path)?;
            tally(one(&Disk::open(&root)?, &root, &name, args.check, terminal)?);
        }
    }
    if !args.files.iter().any(|path| path == "-") || args.check {
        summary(changed, same, args.check, terminal);
    }
    Ok(match (refused, changed) {
        (1.., _) => Exit::Diagnostics,
        (_, 1..) if args.check => Exit::OutOfDate,
        _ => Exit::Fine,
    })
}

/// The files that a manifest includes, as far as it can be read.
fn included(disk: &Disk, name: &RelPath) -> Vec<RelPath> {
    let read = disk.read(name, kdl::MAX_BYTES as u64).ok();
    let text = read.and_then(|read| String::from_utf8(read.value).ok()).unwrap_or_default();
    let (nodes, _) = kdl::parse(Sources::default().add(name.as_path(), text.as_str()), &text);
    let files = nodes.iter().filter(|node| node.name.value == "include").filter_map(kdl::Node::text);
    let directory = name.parent().unwrap_or_else(RelPath::root);
    files.filter_map(|file| directory.join(&file.value).ok()).collect()
}

fn summary(changed: usize, same: usize, check: bool, terminal: &Terminal) {
    match (changed, check) {
        (0, _) if same == 0 => {}
        (0, _) => terminal.say(&format!("{} in layout", count(same, "file"))),
        (_, true) => {
            terminal.say(&format!("{} out of layout; `drvc fmt` settles it", count(changed, "file")))
        }
        (_, false) => terminal.say(&format!("{} laid out", count(changed, "file"))),
    }
}

/// Lays out the file `name` in the directory `root`.
fn one(
    disk: &Disk,
    root: &Utf8Path,
    name: &RelPath,
    check: bool,
    terminal: &Terminal,
) -> Result<Outcome, Failure> {
    let path = root.join(name.as_path());
    let limit = kdl::MAX_BYTES as u64 + 1;
    let read = disk.read(name, limit).map_err(|error| Error::new("read", path.as_str(), error))?;
    let Some((text, laid_out)) = laid_out(&path, read.value, terminal)? else { return Ok(Outcome::Refused) };
    if text == laid_out {
        return Ok(Outcome::Same);
    }
    if check {
        show(&path, &text, &laid_out, terminal);
    } else {
        disk.root().remove_dead_temporaries();
        let written = disk.root().rewrite(name.as_str(), laid_out.as_bytes());
        written.map_err(|error| Error::new("write", path.as_str(), error))?;
    }
    Ok(Outcome::Changed)
}

fn standard_input(check: bool, terminal: &Terminal) -> Result<Outcome, Failure> {
    let path = Utf8Path::new("standard input");
    let bytes = super::terminal::standard_input(kdl::MAX_BYTES as u64 + 1)?;
    let Some((text, laid_out)) = laid_out(path, bytes, terminal)? else { return Ok(Outcome::Refused) };
    let same = text == laid_out;
    match check {
        true if !same => show(path, &text, &laid_out, terminal),
        true => {}
        false => terminal.raw(&laid_out)?,
    }
    Ok(if same { Outcome::Same } else { Outcome::Changed })
}

/// A file's text, and the same laid out; `None` where it is no KDL, which is reported.
fn laid_out(
    path: &Utf8Path,
    bytes: Vec<u8>,
    terminal: &Terminal,
) -> Result<Option<(String, String)>, Failure> {
    let mut sources = Sources::default();
    let mut found = Diagnostics::default();
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            let problem = Diagnostic::new(Code::UnreadableManifest, format!("`{path}` is not UTF-8 text"));
            found.push(problem.help("save it as UTF-8"));
            String::new()
        }
    };
    let file = sources.add(path, text.as_str());
    let (_, mistakes) = kdl::parse(file, &text);
    found.extend(mistakes);
    if found.has_errors() {
        terminal.diagnostics(&Report::new(&sources, found, Utf8Path::new("")));
        return Ok(None);
    }
    let laid_out = layout::format(&text).map_err(|layout::Changed| {
        Error::new("lay out", path.as_str(), "the result would not mean the same, which is a mistake in drvc")
            .help("the file is as it was; please report it, with the file")
    })?;
    Ok(Some((text, laid_out)))
}

fn show(path: &Utf8Path, before: &str, after: &str, terminal: &Terminal) {
    let diff = by_line(before, after);
    let (a, b) = (format!("a/{path}"), format!("b/{path}"));
    terminal.say(&diff.unified_diff().header(&a, &b).to_string());
}
