//! What a dkms.conf says of the driver itself: its patches and its modules.

use super::{ARCH, Importer, KERNEL, Record, conditions, spaced, when};
use crate::import::draft::{self, Origin, Output, Source};
use crate::import::kernels::selectors;
use crate::import::shell;
use crate::text::ids::{KmodName, RelPath};
use std::collections::BTreeSet;

impl Importer<'_> {
    pub(super) fn source(&mut self, dir: &RelPath) {
        let ignore = if dir.is_root() { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
        let mut source = Source {
            name: "driver".to_owned(),
            origin: Origin::path(dir.as_str(), ignore),
            ..Source::default()
        };
        let expressions = self.all("PATCH_MATCH");
        for patch in self.all("PATCH") {
            let index = patch.index;
            let matching = expressions.iter().find(|one| one.index == index);
            let kernels = match matching {
                None => Some(Vec::new()),
                Some(one) if one.when.is_empty() => {
                    one.text.as_deref().filter(|text| !shell::is_symbolic(text)).and_then(selectors)
                }
                Some(_) => None,
            };
            let file = patch.text.as_deref().map(|file| format!("{dir}/patches/{file}"));
            let file = file.map(|file| file.trim_start_matches("./").to_owned());
            match (file.filter(|file| RelPath::parse(file).is_ok() && !shell::is_symbolic(file)), kernels) {
                (Some(file), Some(kernels)) if patch.when.is_empty() => source.patches.push((file, kernels)),
                _ => {
                    let shown = patch.text.unwrap_or_else(|| "?".into());
                    self.meet(&shown);
                    let matching = matching.and_then(|one| one.text.clone()).unwrap_or_default();
                    let text = self.readable(&format!(
                        "PATCH[{index}] is left out: `{shown}`{}{}",
                        spaced(" for ", &matching),
                        when(&patch.when)
                    ));
                    source.notes.push(format!("{}:{}: {text}", self.file, patch.line));
                    self.draft.warn(self.file, patch.line, &text);
                }
            }
        }
        self.draft.sources.push(source);
    }

    pub(super) fn outputs(&mut self) {
        self.unread();
        let mut uncertain = 0;
        let mut unread = BTreeSet::new();
        for record in self.records() {
            let holds: Vec<bool> = self.readings.iter().map(|reading| names(reading, &record)).collect();
            let needed = self.found.when(|at| holds.get(at).copied().unwrap_or_default()).unwrap_or_default();
            self.meet(record.name.as_deref().unwrap_or_default());
            let file = file_of(&record)
                .filter(|file| RelPath::parse(&file.replace("*", "x")).is_ok() && !shell::is_symbolic(file));
            let Some(file) = file else {
                if unread.insert((record.index, record.line)) {
                    let text =
                        format!("BUILT_MODULE_NAME[{}] could not be read: add its `output`", record.index);
                    self.note_on_module(record.line, &text);
                }
                continue;
            };
            let output = Output { file: draft::literal(&file), when: self.readable(&conditions(&needed)) };
            if self.module.outputs.iter().any(|known| known.file == output.file) {
                continue;
            }
            uncertain += usize::from(!output.when.is_empty());
            let kmod = file.rsplit('/').next().and_then(|name| name.strip_suffix(".ko")).unwrap_or_default();
            if output.when.is_empty() && KmodName::parse(kmod).is_ok() {
                self.image.load.push(kmod.to_owned());
            }
            self.module.outputs.push(output);
        }
        if uncertain > 0 {
            let text = format!(
                "{} built for some kernels only: optional here, and not loaded",
                crate::text::diag::count(uncertain, "module")
            );
            self.draft.warn(self.file, 0, &text);
        }
        if self.image.load.len() > 1 {
            self.image
                .notes
                .push("In the order of dkms.conf; take out what need not be loaded from the start.".into());
        }
        self.renamed();
    }

    /// The modules of all ways, each once: those of the first way, with those of others behind what they follow there.
    fn records(&self) -> Vec<Record> {
        let mut all: Vec<Record> = Vec::new();
        for reading in &self.readings {
            let mut at = 0;
            for record in reading.records() {
                match all.iter().position(|known| same(known, &record)) {
                    Some(known) => at = known + 1,
                    None => {
                        all.insert(at, record);
                        at += 1;
                    }
                }
            }
        }
        all
    }

    /// Lists that are longer than what was read of them: no name takes the place of what is not known.
    fn unread(&mut self) {
        let lists =
            ["BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION", "PATCH", "MAKE", "MAKE_MATCH", "PATCH_MATCH"];
        for name in lists {
            let lines: BTreeSet<usize> = self
                .readings
                .iter()
                .filter_map(|reading| reading.lost.get(name))
                .flatten()
                .copied()
                .collect();
            for line in lines {
                let text = format!(
                    "{name} has elements that could not be read: put what they say into the manifest"
                );
                self.note_on_module(line, &text);
            }
        }
        if self.readings.iter().all(|reading| reading.records().is_empty()) {
            let text = "no BUILT_MODULE_NAME could be read: add an `output` for each module";
            self.note_on_module(0, text);
        }
    }

    fn renamed(&mut self) {
        let built = self.all("BUILT_MODULE_NAME");
        for renamed in self.all("DEST_MODULE_NAME") {
            let name = built.iter().find(|one| one.index == renamed.index).and_then(|one| one.text.clone());
            if renamed.text != name {
                let text = format!(
                    "DEST_MODULE_NAME is left out: the module keeps its name, {}",
                    name.unwrap_or_else(|| self.name.clone())
                );
                self.note_on_module(renamed.line, &text);
            }
        }
    }
}

fn same(one: &Record, other: &Record) -> bool {
    one.name == other.name && one.location == other.location && (one.name.is_some() || one.line == other.line)
}

fn names(reading: &super::Reading, record: &Record) -> bool {
    reading.records().iter().any(|one| same(one, record))
}

/// The file that a record names; a directory that is called after the kernel becomes a pattern.
fn file_of(record: &Record) -> Option<String> {
    let (name, location) = record.name.as_deref().zip(record.location.as_deref())?;
    let location = location.replace([KERNEL, ARCH].map(|mark| mark.chars().next().unwrap_or('*')), "*");
    Some(if location.is_empty() { format!("{name}.ko") } else { format!("{location}/{name}.ko") })
}
