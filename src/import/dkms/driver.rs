//! What a dkms.conf says of the driver itself: its patches and its modules.

use super::{Importer, conditions, spaced, when};
use crate::import::draft::{self, Origin, Output, Source};
use crate::import::kernels::selectors;
use crate::import::shell::Value;
use crate::text::ids::{KmodName, RelPath};

impl Importer<'_> {
    pub(super) fn source(&mut self, dir: &RelPath) {
        let ignore = if dir.is_root() { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
        let mut source = Source {
            name: "driver".to_owned(),
            origin: Origin::Path { dir: dir.to_string(), ignore },
            ..Source::default()
        };
        for (index, patch) in self.all("PATCH") {
            let matching = self.found.variables.get("PATCH_MATCH", index).cloned();
            let kernels = match matching.as_ref().map(|value| value.text.as_deref()) {
                None | Some(Some("")) => Some(Vec::new()),
                Some(Some(expression)) => selectors(expression),
                Some(None) => None,
            };
            let file = patch.text.as_deref().map(|file| format!("{dir}/patches/{file}"));
            let file = file.map(|file| file.trim_start_matches("./").to_owned());
            match (file.filter(|file| RelPath::parse(file).is_ok()), kernels) {
                (Some(file), Some(kernels)) if patch.when.is_empty() => source.patches.push((file, kernels)),
                _ => {
                    let shown = patch.text.unwrap_or_else(|| "?".into());
                    let matching = matching.and_then(|value| value.text).unwrap_or_default();
                    let text = format!(
                        "PATCH[{index}] is left out: `{shown}`{}{}",
                        spaced(" for ", &matching),
                        when(&patch.when)
                    );
                    source.notes.push(format!("{}:{}: {text}", self.file, patch.line));
                    self.draft.warn(self.file, patch.line, &text);
                }
            }
        }
        self.draft.sources.push(source);
    }

    pub(super) fn outputs(&mut self) {
        let mut names = self.all("BUILT_MODULE_NAME");
        if names.is_empty() {
            let value = Value { text: Some(self.name.clone()), when: Vec::new(), line: 0 };
            names.push((0, value));
        }
        let mut uncertain = 0;
        for (index, built) in names {
            let location = self.found.variables.get("BUILT_MODULE_LOCATION", index);
            let location = location.map_or(Some(String::new()), |value| value.text.clone());
            let file = built.text.as_deref().zip(location).map(|(name, location)| {
                let location = location.trim_start_matches("./").trim_matches('/').to_owned();
                if location.is_empty() { format!("{name}.ko") } else { format!("{location}/{name}.ko") }
            });
            let Some(file) = file.filter(|file| RelPath::parse(file).is_ok()) else {
                self.note_on_module(
                    built.line,
                    &format!("BUILT_MODULE_NAME[{index}] could not be read: add its `output`"),
                );
                continue;
            };
            let output = Output { file: draft::literal(&file), when: conditions(&built.when) };
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
        if self.module.outputs.len() > 1 {
            self.image
                .notes
                .push("In the order of dkms.conf; take out what need not be loaded from the start.".into());
        }
        for (index, renamed) in self.all("DEST_MODULE_NAME") {
            let built =
                self.found.variables.get("BUILT_MODULE_NAME", index).and_then(|value| value.text.clone());
            if renamed.text != built {
                let text = format!(
                    "DEST_MODULE_NAME is left out: the module keeps its name, {}",
                    built.unwrap_or_default()
                );
                self.note_on_module(renamed.line, &text);
            }
        }
    }
}
