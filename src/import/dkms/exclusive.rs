//! For which kernels a dkms.conf builds: BUILD_EXCLUSIVE_*, and `exit`.

use super::{Directive, Importer, when};
use crate::import::kernels::{alternatives, can_match, selectors};
use crate::import::shell::{self, Condition};
use crate::text::ids::{Arch, ConfigName};
use std::collections::BTreeSet;

impl Importer<'_> {
    /// Drops the ways through the file on which dkms builds nothing; what leads to them becomes `requires-config`, or is
    /// said.
    pub(super) fn refused(&mut self) {
        let refused: Vec<Option<usize>> = self
            .found
            .worlds
            .iter()
            .zip(&self.readings)
            .map(|(world, reading)| {
                let impossible = ["BUILD_EXCLUSIVE_KERNEL", "BUILD_EXCLUSIVE_ARCH"].iter().find_map(|name| {
                    let value = reading.get(name, 0)?;
                    never(name, value.text.as_deref()?).then_some(value.line)
                });
                world.exit.or(impossible)
            })
            .collect();
        if refused.iter().all(Option::is_none) {
            return;
        }
        if let Some(Some(line)) = refused.iter().find(|_| refused.iter().all(Option::is_some)) {
            let text = "dkms builds nothing here: the file excludes every kernel";
            self.image.notes.push(format!("{}:{line}: {text}", self.file));
            self.draft.warn(self.file, *line, text);
            return;
        }
        // A condition under which nothing is ever built: its contrary holds on every way that is left. One that such a way
        // never asks about is none, since there something is built without it.
        let is_refused = |at: usize| refused.get(at).copied().flatten().is_some();
        let kept: Vec<_> = self
            .found
            .worlds
            .iter()
            .enumerate()
            .filter(|(at, _)| !is_refused(*at))
            .map(|(_, one)| one)
            .collect();
        let mut enough: BTreeSet<&Condition> =
            self.found.worlds.iter().flat_map(|world| &world.decided).collect();
        enough.retain(|one| {
            let contrary = (*one).clone().negated();
            kept.iter().all(|world| world.decided.contains(&contrary))
        });
        let options: Vec<String> = enough
            .iter()
            .filter_map(|one| match one {
                Condition::Config { name, set } => Some(format!("{}{name}", if *set { "!" } else { "" })),
                Condition::Other { .. } => None,
            })
            .collect();
        let said = |decided: &[Condition]| {
            decided.iter().any(|one| matches!(one, Condition::Config { .. }) && enough.contains(one))
        };
        let rest = |at: usize| {
            is_refused(at) && self.found.worlds.get(at).is_some_and(|world| !said(&world.decided))
        };
        let left = self.found.when(rest);
        let line = refused.iter().enumerate().find(|(at, _)| rest(*at)).and_then(|(_, line)| *line);
        if let (Some(conditions), Some(line)) = (left, line) {
            let text = format!("dkms builds nothing{}", when(&conditions));
            self.exclusion_left_out(line, &format!("{text}; this"));
        }
        self.module.requires_config = options;
        let mut kept = refused.iter().map(Option::is_none);
        self.found.worlds.retain(|_| kept.next().unwrap_or(true));
        let mut kept = refused.iter().map(Option::is_none);
        self.readings.retain(|_| kept.next().unwrap_or(true));
    }

    /// A directive with one value for every kernel; where it has several, each is said.
    fn certain(&mut self, name: &str) -> Option<Directive> {
        let mut all = self.alternatives(name);
        if let [only] = all.as_mut_slice()
            && only.when.is_empty()
        {
            return all.pop();
        }
        for one in all {
            let what = format!("{name}=`{}`{}", one.text.as_deref().unwrap_or("?"), when(&one.when));
            self.exclusion_left_out(one.line, &what);
        }
        None
    }

    /// BUILD_EXCLUSIVE_*
    pub(super) fn exclusive(&mut self) {
        let mut ranges: Vec<String> = Vec::new();
        for (name, sign) in [("BUILD_EXCLUSIVE_KERNEL_MIN", ">="), ("BUILD_EXCLUSIVE_KERNEL_MAX", "<=")] {
            let Some(value) = self.certain(name) else { continue };
            match value
                .text
                .filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-".contains(c)))
            {
                Some(version) => ranges.push(format!("{sign}{version}")),
                None => self.exclusion_left_out(value.line, name),
            }
        }
        let mut kernels = Vec::new();
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_KERNEL") {
            match value.text.as_deref().filter(|text| !shell::is_symbolic(text)).and_then(selectors) {
                Some(found) if found.is_empty() || ranges.is_empty() => kernels = found,
                _ => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_KERNEL=`{expression}`"));
                }
            }
        }
        if !ranges.is_empty() {
            kernels = vec![ranges.join(", ")];
        }
        let mut architectures = Vec::new();
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_ARCH") {
            match value.text.as_deref().and_then(matching) {
                Some(found) if found.len() == Arch::ALL.len() => {}
                Some(found) => architectures = found,
                None => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_ARCH=`{expression}`"));
                }
            }
        }
        let one: Vec<_> = kernels
            .into_iter()
            .map(|kernel| ("kernel", kernel))
            .chain(alternatives(architectures).map(|arch| ("arch", arch)))
            .collect();
        self.image.only = if one.is_empty() { Vec::new() } else { vec![one] };
        self.config();
    }

    fn config(&mut self) {
        let Some(value) = self.certain("BUILD_EXCLUSIVE_CONFIG") else { return };
        let text = value.text.unwrap_or_else(|| "?".into());
        let options = text.split_whitespace().map(str::to_owned);
        let (known, strange): (Vec<_>, Vec<_>) =
            options.partition(|option| ConfigName::parse(option.trim_start_matches('!')).is_ok());
        self.module.requires_config.extend(known);
        self.module.requires_config.sort();
        self.module.requires_config.dedup();
        if !strange.is_empty() {
            self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_CONFIG=`{}`", strange.join(" ")));
        }
    }

    fn exclusion_left_out(&mut self, line: usize, what: &str) {
        let text = self.readable(&format!(
            "{what} is left out: say it with `only` in the image, or `requires-config` in the module"
        ));
        self.image.notes.push(format!("{}:{line}: {text}", self.file));
        self.draft.warn(self.file, line, &text);
    }
}

/// Whether a directive excludes every kernel there is: the file says so that this one is excluded.
fn never(name: &str, text: &str) -> bool {
    if text.is_empty() || shell::is_symbolic(text) {
        return false;
    }
    match name {
        "BUILD_EXCLUSIVE_ARCH" => regex::Regex::new(text)
            .is_ok_and(|regex| !Arch::ALL.iter().any(|arch| regex.is_match(arch.name()))),
        _ => {
            !can_match(text)
                || text.chars().all(|c| c.is_ascii_alphabetic() || "_^$ -".contains(c))
                    && !Arch::ALL.iter().any(|arch| text.contains(arch.name()))
                    && ["none", "never", "disabled", "do", "not", "exclude", "unsupported", "skip"]
                        .iter()
                        .any(|word| text.to_lowercase().contains(word))
        }
    }
}

/// The architectures that an expression matches; `None` where there are none.
fn matching(expression: &str) -> Option<Vec<String>> {
    let expression = regex::Regex::new(expression).ok()?;
    let names = Arch::ALL.iter().map(|arch| arch.name()).filter(|name| expression.is_match(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}
