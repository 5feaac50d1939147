//! From the C files of local sources to `needs` that are missing: what one module calls and only another exports.
//!
//! Sources are read as text: a call is an indented `NAME(`, a definition stands at the beginning of a line, as the kernel's
//! style has it. What that cannot tell is not reported; the build has the last word.

use crate::compiler::model::{Model, ModuleId, Origin};
use crate::system::fs::{Kind, Reader};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// Of a module's directory so many files are read and no more, each of at most so many bytes.
const MOST_FILES: usize = 500;
const LONGEST_FILE: u64 = 1 << 20;

/// What a module's C files export, define and call.
#[derive(Debug, Default)]
struct Symbols {
    exported: BTreeSet<String>,
    defined: BTreeSet<String>,
    called: BTreeSet<String>,
}

/// A warning for each module that calls what only one other module exports, which it does not need.
pub fn missing_needs(model: &Model, reader: &Reader<'_>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let dirs: Vec<Option<RelPath>> = (0..model.modules.len()).map(|at| directory(model, at)).collect();
    let apart = |at: usize| {
        let own = dirs.get(at)?.as_ref()?;
        let within = |other: &RelPath| other.is_within(own) || own.is_within(other);
        let others =
            dirs.iter().enumerate().filter(|(other, _)| *other != at).filter_map(|(_, dir)| dir.as_ref());
        (!others.into_iter().any(within)).then_some(own)
    };
    let readable: Vec<(usize, &RelPath)> = (0..dirs.len()).filter_map(|at| Some((at, apart(at)?))).collect();
    if readable.len() < 2 {
        return diagnostics;
    }
    let symbols: BTreeMap<usize, Symbols> =
        readable.into_iter().map(|(at, dir)| (at, Symbols::of(reader, dir))).collect();
    for (&user, own) in &symbols {
        let needed = needed(model, user);
        let exporters = symbols.iter().filter(|(at, _)| **at != user && !needed.contains(at));
        for (&exporter, other) in exporters {
            let used = other.exported.iter().find(|name| {
                own.called.contains(*name) && !own.defined.contains(*name) && exported_once(&symbols, name)
            });
            diagnostics
                .extend(used.and_then(|name| report(model, user, exporter, name)).into_iter().collect());
        }
    }
    diagnostics
}

fn exported_once(symbols: &BTreeMap<usize, Symbols>, name: &str) -> bool {
    symbols.values().filter(|one| one.exported.contains(name)).count() == 1
}

fn report(model: &Model, user: usize, exporter: usize, symbol: &str) -> Option<Diagnostic> {
    let (user, exporter) = (model.modules.get(user)?, model.modules.get(exporter)?);
    let message =
        format!("module `{}` calls `{symbol}`, which module `{}` exports", user.name, exporter.name);
    let report = Diagnostic::new(Code::MissingNeeds, message)
        .label(user.span, "is built without knowing that symbol")
        .label(exporter.span, "exports it");
    Some(report.help(format!("add `needs \"{}\"` to module `{}`", exporter.name, user.name)))
}

/// Everything that a module needs, directly or not, under whatever `on`.
fn needed(model: &Model, module: usize) -> BTreeSet<usize> {
    let (mut found, mut open) = (BTreeSet::new(), vec![module]);
    while let Some(module) = open.pop().and_then(|at| model.modules.get(at)) {
        let bodies = std::iter::once(&module.base).chain(module.overlays.iter().map(|overlay| &overlay.body));
        for ModuleId(at) in bodies.flat_map(|body| &body.needs).map(|needs| needs.value) {
            if found.insert(at) {
                open.push(at);
            }
        }
    }
    found
}

/// The directory that a module is built in, where it is local, the same everywhere, and without variables.
fn directory(model: &Model, module: usize) -> Option<RelPath> {
    let module = model.modules.get(module)?;
    if module.overlays.iter().any(|overlay| overlay.body.source.is_some()) {
        return None;
    }
    let used = module.base.source.as_ref()?;
    let source = model.sources.get(used.source.0)?;
    match (&source.base.origin.as_ref()?.value, &used.dir) {
        (Origin::Path { dir, .. }, None) => Some(dir.clone()),
        (Origin::Path { dir, .. }, Some(beneath)) => {
            dir.join(beneath.as_literal()?.trim_end_matches('/')).ok()
        }
        _ => None,
    }
}

impl Symbols {
    fn of(reader: &Reader<'_>, dir: &RelPath) -> Self {
        let mut symbols = Self::default();
        let (mut open, mut left) = (vec![dir.clone()], MOST_FILES);
        while let Some(dir) = open.pop() {
            for entry in reader.list(&dir).into_iter().flatten() {
                let Ok(path) = dir.join(&entry.name) else { continue };
                match entry.kind {
                    Kind::Directory if !entry.name.starts_with('.') => open.push(path),
                    Kind::File if entry.name.ends_with(".c") && left > 0 => {
                        left -= 1;
                        let bytes = reader.read(&path, LONGEST_FILE).unwrap_or_default();
                        symbols.read(&String::from_utf8_lossy(&bytes));
                    }
                    _ => {}
                }
            }
        }
        symbols
    }

    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let trimmed = line.trim_start();
            if trimmed.starts_with(['*', '/']) {
                continue;
            }
            if let Some(name) = exported(trimmed) {
                self.exported.insert(name.to_owned());
                self.defined.insert(name.to_owned());
                continue;
            }
            let is_definition =
                trimmed.len() == line.len() && !line.starts_with("extern") && !line.trim_end().ends_with(';');
            let names = calls(trimmed).map(str::to_owned);
            match (is_definition, trimmed.len() == line.len()) {
                (true, _) => self.defined.extend(names),
                (false, false) => self.called.extend(names),
                (false, true) => {}
            }
        }
    }
}

/// The symbol that a line exports: `EXPORT_SYMBOL(NAME)`, or one of its longer forms.
#[must_use]
pub fn exported(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("EXPORT_SYMBOL")?.1.split_once('(')?;
    rest.split([',', ')']).next().map(str::trim)
}

/// The names that stand before a `(`.
fn calls(line: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices('(').filter_map(move |(at, _)| {
        let before = line.get(..at)?.trim_end();
        let start = before.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
        before.get(start..).filter(|name| !name.is_empty())
    })
}
