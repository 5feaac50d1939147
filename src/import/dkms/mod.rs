//! `dkms.conf` into a draft: what dkms would do for a kernel, said in the manifest.
//!
//! 1. [`placeholders`] marks what a packager's tool fills in; the shell's evaluator follows the file.
//! 2. [`reading`] is what dkms itself has read on each way through the file.
//! 3. [`exclusive`] drops the ways that dkms does not build on; [`driver`] and [`build`] say the rest in the manifest.

mod build;
mod driver;
mod exclusive;
mod placeholders;
mod reading;
#[cfg(test)]
mod tests;

use super::draft::{self, Draft, Image, Module, Project};
use super::shell::{self, Condition, Evaluated, Refusal};
use crate::text::ids::RelPath;
use placeholders::{Marked, is_mark};
pub use reading::{Reading, Record};
use std::collections::BTreeSet;

/// What stands in a value for what dkms knows only when it builds.
pub const KERNEL: &str = "\u{e000}";
const KERNEL_DIR: &str = "\u{e001}";
const TREE: &str = "\u{e002}";
/// The same for the architecture.
pub const ARCH: &str = "\u{e003}";
/// The directory that is built in; it takes the place of everything that dkms calls it.
const SOURCE: &str = "\u{e004}";
const MODULE: &str = "\u{e005}";
const VERSION: &str = "\u{e006}";
/// How many processors there are.
const JOBS: &str = "\u{e007}";

/// Directives that ask for something on the host where dkms installs.
const OF_THE_HOST: [&str; 9] = [
    "MODULES_CONF",
    "MODULES_CONF_ALIAS_TYPE",
    "MODULES_CONF_OBSOLETES",
    "MODULES_CONF_OBSOLETE_ONLY",
    "OBSOLETE_BY",
    "POST_ADD",
    "POST_INSTALL",
    "POST_REMOVE",
    "PRE_INSTALL",
];

/// A directive, or an element of one, over all ways through a file.
#[derive(Clone, Debug)]
struct Directive {
    index: usize,
    /// The text; `None` where it is not known, or not the same on all ways that have it.
    text: Option<String>,
    /// What has to hold for it to be there; nothing where it always is.
    when: Vec<Condition>,
    line: usize,
}

/// A dkms.conf on its way into a draft.
struct Importer<'a> {
    /// The file's name, for messages.
    file: &'a str,
    /// Whether the sources are known to have no such file.
    lacks: &'a dyn Fn(&str) -> bool,
    found: Evaluated,
    /// What dkms has read, for each way of `found`.
    readings: Vec<Reading>,
    marked: Marked,
    /// The placeholders that were met.
    used: BTreeSet<char>,
    /// The file's name as seen from the directory that is built in.
    conf: &'a str,
    name: String,
    version: String,
    draft: Draft,
    module: Module,
    image: Image,
}

/// What dkms reads of a file on each way through it, with the private characters of [`KERNEL`] and [`ARCH`] for what it
/// knows only when it builds, and the lines about which something is not known.
///
/// # Errors
/// A file that is no shell text.
pub fn read(text: &str) -> Result<(Vec<Reading>, BTreeSet<usize>), Refusal> {
    let (found, readings) = readings(&Marked::new(text))?;
    Ok((readings, found.notes.iter().map(|note| note.line).collect()))
}

fn readings(marked: &Marked) -> Result<(Evaluated, Vec<Reading>), Refusal> {
    let found = shell::evaluate(&marked.text, &reading::GIVEN)?;
    let open =
        found.notes.iter().any(|note| note.text.contains(is_mark) || !note.text.ends_with("was not run"));
    let readings = found.worlds.iter().map(|world| Reading::new(world, open)).collect();
    Ok((found, readings))
}

/// Makes a draft of a dkms.conf. `file` is its name for messages; `dir` the directory of its sources, as seen from the
/// manifest; `hint` the project's name where the file's own is filled in later; `lacks` tells whether that directory is
/// known to have no such file.
///
/// # Errors
/// A file that cannot be read as shell text, or that names no package.
pub fn import(
    text: &str,
    file: &str,
    dir: &RelPath,
    hint: &str,
    lacks: &dyn Fn(&str) -> bool,
) -> Result<Draft, Refusal> {
    let marked = Marked::new(text);
    let (found, readings) = readings(&marked)?;
    let conf = file.strip_prefix(dir.as_str()).map_or(file, |rest| rest.trim_start_matches('/'));
    let mut importer = Importer {
        file,
        lacks,
        conf,
        found,
        readings,
        marked,
        used: BTreeSet::new(),
        name: String::new(),
        version: String::new(),
        draft: Draft::default(),
        module: Module::default(),
        image: Image::default(),
    };
    importer.refused();
    importer.project(hint)?;
    importer.source(dir);
    importer.outputs();
    importer.build();
    importer.exclusive();
    importer.strip();
    importer.left_out();
    let Importer { mut draft, module, mut image, .. } = importer;
    image.modules = vec![module.name.clone()];
    draft.modules = vec![module];
    draft.images = vec![image];
    Ok(draft)
}

impl Importer<'_> {
    /// The package's name and version, and what is called after them.
    fn project(&mut self, hint: &str) -> Result<(), Refusal> {
        let of = |importer: &Self, name: &str| {
            importer.all(name).into_iter().find(|one| one.index == 0).and_then(|one| one.text)
        };
        let mut name = of(self, "PACKAGE_NAME").unwrap_or_default();
        let version = of(self, "PACKAGE_VERSION").unwrap_or_default();
        if self.all("PACKAGE_NAME").is_empty() {
            return Err(Refusal("it has no PACKAGE_NAME that could be read".into()));
        }
        if name.is_empty() || shell::is_symbolic(&name) {
            self.meet(&name);
            name = hint.to_owned();
            let text = format!("PACKAGE_NAME is not known here: `{hint}` stands for it");
            self.draft.warn(self.file, 0, &text);
        }
        // dkms makes directories of both, so nobody has other characters in them.
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-:".contains(c));
        for (variable, value) in [("PACKAGE_NAME", &name), ("PACKAGE_VERSION", &version)] {
            if !plain(value) && !shell::is_symbolic(value) {
                let value = value.escape_default();
                return Err(Refusal(format!("its {variable}, `{value}`, cannot be the name of a directory")));
            }
        }
        self.meet(&version);
        let filled_in = placeholders::is_bare(&version);
        let known = !version.is_empty() && !shell::is_symbolic(&version) && !filled_in;
        let shown = if filled_in { String::new() } else { self.readable(&version) };
        self.draft.head = vec![format!("Made from {} of {name} {shown}.", self.file).replace(" .", ".")];
        self.draft.project = Project {
            name: draft::name(&name),
            version: known.then(|| draft::literal(&version)),
            ..Project::default()
        };
        (self.module.name, self.module.source) = (draft::module_name(&name), "driver".to_owned());
        self.image.name = draft::name(&name);
        if filled_in {
            let text = format!("{version} is left out: {}", placeholders::ADVICE);
            self.draft.warn(self.file, 0, &text);
        } else if !known && !version.contains(is_mark) {
            let text = "PACKAGE_VERSION is not known here: say `version` in `project`";
            self.draft.warn(self.file, 0, text);
        }
        (self.name, self.version) = (name, version);
        Ok(())
    }

    /// The elements of a directive, by index; those that are empty everywhere are left out.
    fn all(&self, name: &str) -> Vec<Directive> {
        let indexes: BTreeSet<usize> =
            self.readings.iter().flat_map(|reading| reading.elements(name).map(|(index, _)| index)).collect();
        let directives = indexes.into_iter().filter_map(|index| {
            let of = |reading: &Reading| {
                reading.get(name, index).filter(|one| one.text.as_deref() != Some("")).cloned()
            };
            let values: Vec<_> = self.readings.iter().map(of).collect();
            let first = values.iter().flatten().next()?;
            let same = values.iter().flatten().all(|value| value.text == first.text);
            let has: Vec<bool> =
                values.iter().map(|value| value.as_ref().is_some_and(|one| one.text == first.text)).collect();
            let when = self.found.when(|at| has.get(at).copied().unwrap_or_default()).unwrap_or_default();
            Some(Directive { index, text: first.text.clone().filter(|_| same), when, line: first.line })
        });
        directives.collect()
    }

    /// The different values of a directive, each with what has to hold for it.
    fn alternatives(&self, name: &str) -> Vec<Directive> {
        let values: Vec<_> = self.readings.iter().map(|reading| reading.get(name, 0)).collect();
        let mut texts: Vec<_> =
            values.iter().flatten().map(|value| (value.text.clone(), value.line)).collect();
        texts.sort_by_key(|(text, line)| (*line, text.clone()));
        texts.dedup_by_key(|(text, _)| text.clone());
        let directives =
            texts.into_iter().filter(|(text, _)| text.as_deref() != Some("")).map(|(text, line)| {
                let is = |at: usize| {
                    values.get(at).is_some_and(|value| value.is_some_and(|value| value.text == text))
                };
                let when = self.found.when(is).unwrap_or_default();
                Directive { index: 0, text, when, line }
            });
        directives.collect()
    }

    /// A value with every name for the directory that is built in made one, and without its placeholders.
    fn place(&mut self, text: &str) -> String {
        self.meet(text);
        let text: String = text.chars().filter(|c| !is_mark(*c)).collect();
        let text = text.replace(MODULE, &self.name).replace(VERSION, &self.version);
        let (name, version) = (&self.name, &self.version);
        [
            format!("{TREE}/{name}/{version}/build"),
            format!("/var/lib/dkms/{name}/{version}/build"),
            format!("/usr/src/{name}-{version}"),
        ]
        .iter()
        .fold(text, |text, known| text.replace(known.as_str(), SOURCE))
    }

    /// Remembers the placeholders of a value that counts.
    fn meet(&mut self, text: &str) {
        self.used.extend(text.chars().filter(|c| is_mark(*c)));
    }

    /// A text for people: what stands for something is called by its name.
    fn readable(&self, text: &str) -> String {
        let names = [
            (KERNEL, "$kernelver"),
            (KERNEL_DIR, "$kernel_source_dir"),
            (TREE, "$dkms_tree"),
            (JOBS, "$(nproc)"),
            (ARCH, "$arch"),
        ];
        let text = names.iter().fold(text.to_owned(), |text, (mark, name)| text.replace(mark, name));
        let text = text.replace(MODULE, &self.name).replace(VERSION, "$module_version");
        let name = |c: char| self.marked.of(c).map_or(c.to_string(), |(name, _)| name.clone());
        text.chars().map(|c| if is_mark(c) { name(c) } else { c.to_string() }).collect()
    }

    fn note_on_module(&mut self, line: usize, text: &str) {
        let text = self.readable(text);
        let place = if line == 0 { self.file.to_owned() } else { format!("{}:{line}", self.file) };
        self.module.notes.push(format!("{place}: {text}"));
        self.draft.warn(self.file, line, &text);
    }

    fn strip(&mut self) {
        if let Some(value) = self
            .all("STRIP")
            .into_iter()
            .find(|one| one.text.as_deref().is_some_and(|text| text.starts_with(['n', 'N'])))
        {
            let text = "STRIP=no is left out: drvc takes debugging information out of every module";
            self.note_on_module(value.line, text);
        }
    }

    fn left_out(&mut self) {
        for name in OF_THE_HOST {
            if let Some(value) = self.all(name).into_iter().next() {
                let text = format!("{name} is left out: it is about the host that dkms installs on");
                self.note_on_module(value.line, &text);
            }
        }
        if let Some(value) = self.all("REMAKE_INITRD").into_iter().next()
            && value.text.as_deref().is_none_or(|text| text.starts_with(['y', 'Y']))
        {
            let text = "REMAKE_INITRD is left out: it is about the host that dkms installs on";
            self.note_on_module(value.line, text);
        }
        for value in self.all("BUILD_DEPENDS") {
            let text = format!(
                "BUILD_DEPENDS is left out: import {} too, put it into this manifest, and write `needs` here",
                value.text.as_deref().unwrap_or("what it names")
            );
            self.note_on_module(value.line, &text);
        }
        let broken: BTreeSet<_> = self.readings.iter().flat_map(|reading| reading.broken.clone()).collect();
        for (name, index, line) in broken {
            let text = format!(
                "{name}[{index}] is left out: dkms itself cannot read it, since it has quotes in quotes"
            );
            self.note_on_module(line, &text);
        }
        for note in self.found.notes.clone() {
            self.meet(&note.text);
            // What is nothing but a placeholder is said below.
            if !note.text.trim_start_matches('`').starts_with(is_mark) {
                self.note_on_module(note.line, &note.text);
            }
        }
        for (line, count) in self.marked.taken_out.clone() {
            let count = crate::text::diag::count(count, "character");
            self.note_on_module(line, &format!("{count} left out: no manifest can hold such"));
        }
        for mark in self.used.clone() {
            if let Some((name, line)) = self.marked.of(mark).cloned() {
                let text = format!("{name} is left out: {}", placeholders::ADVICE);
                self.note_on_module(line, &text);
            }
        }
    }
}

fn conditions(conditions: &[Condition]) -> String {
    let all: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    all.join(" and ").replace(KERNEL, "$kernelver").replace(KERNEL_DIR, "$kernel_source_dir")
}

fn when(conditions_of: &[Condition]) -> String {
    spaced(" where ", &conditions(conditions_of))
}

fn spaced(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}
