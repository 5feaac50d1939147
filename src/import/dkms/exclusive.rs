//! For which kernels a dkms.conf builds: BUILD_EXCLUSIVE_*.

use super::{Importer, KERNEL, KERNEL_DIR, when};
use crate::import::kernels::selectors;
use crate::import::shell::{self, Condition, Value};
use crate::text::ids::{Arch, ConfigName};

impl Importer<'_> {
    /// A directive that holds whatever the kernel is; what is assigned under a condition is looked at in `config`.
    fn certain(&self, name: &str) -> Option<Value> {
        let conditional = |line: usize| {
            self.found
                .assigned
                .iter()
                .any(|one| one.name == name && one.value.line == line && !one.value.when.is_empty())
        };
        self.all(name)
            .into_iter()
            .map(|(_, value)| value)
            .find(|value| value.when.is_empty() && !conditional(value.line))
    }

    /// BUILD_EXCLUSIVE_*, and what assigns them under a condition.
    pub(super) fn exclusive(&mut self) {
        let mut kernels: Vec<String> = Vec::new();
        for (name, sign) in [("BUILD_EXCLUSIVE_KERNEL_MIN", ">="), ("BUILD_EXCLUSIVE_KERNEL_MAX", "<=")] {
            kernels.extend(
                self.text(name)
                    .filter(|text| !shell::is_symbolic(text))
                    .map(|version| format!("{sign}{version}")),
            );
        }
        let range = (!kernels.is_empty()).then(|| kernels.join(", "));
        let mut only: Vec<Vec<(&'static str, String)>> =
            vec![range.map(|range| ("kernel", range)).into_iter().collect()];
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_KERNEL") {
            match value.text.as_deref().and_then(selectors) {
                Some(selectors) if selectors.is_empty() => {}
                Some(selectors) if only == [vec![]] => {
                    only = selectors.into_iter().map(|kernel| vec![("kernel", kernel)]).collect();
                }
                _ => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_KERNEL=`{expression}`"));
                }
            }
        }
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_ARCH") {
            match value.text.as_deref().and_then(architectures) {
                Some(architectures) if architectures.len() == Arch::ALL.len() => {}
                Some(architectures) => {
                    only = only
                        .iter()
                        .flat_map(|one| {
                            architectures
                                .iter()
                                .map(|arch| [one.clone(), vec![("arch", arch.clone())]].concat())
                        })
                        .collect();
                }
                None => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_ARCH=`{expression}`"));
                }
            }
        }
        self.image.only = only.into_iter().filter(|one| !one.is_empty()).collect();
        self.config();
    }

    fn config(&mut self) {
        let text = self.text("BUILD_EXCLUSIVE_CONFIG").unwrap_or_default();
        let mut options: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        for one in self.found.assigned.clone() {
            let exclusive = one.name.starts_with("BUILD_EXCLUSIVE_");
            if !exclusive || one.value.when.is_empty() {
                continue;
            }
            match (one.name.as_str(), one.value.when.as_slice(), one.value.text.as_deref()) {
                // Nothing has such a name: the file says so that this kernel is excluded.
                (
                    "BUILD_EXCLUSIVE_KERNEL" | "BUILD_EXCLUSIVE_ARCH",
                    [Condition::Config { name, set }],
                    Some(text),
                ) if !Arch::ALL.iter().any(|arch| text.contains(arch.name()))
                    && !text.contains(|c: char| c.is_ascii_digit()) =>
                {
                    options.push(format!("{}{name}", if *set { "!" } else { "" }));
                }
                (name, conditions, text) => {
                    let what = format!("{name}=`{}`{}", text.unwrap_or("?"), when(conditions));
                    self.exclusion_left_out(one.value.line, &what);
                }
            }
        }
        options.sort();
        options.dedup();
        let (known, strange): (Vec<_>, Vec<_>) =
            options.into_iter().partition(|option| ConfigName::parse(option.trim_start_matches('!')).is_ok());
        self.module.requires_config = known;
        if !strange.is_empty() {
            self.exclusion_left_out(0, &format!("BUILD_EXCLUSIVE_CONFIG=`{}`", strange.join(" ")));
        }
    }

    fn exclusion_left_out(&mut self, line: usize, what: &str) {
        let what = what.replace(KERNEL, "$kernelver").replace(KERNEL_DIR, "$kernel_source_dir");
        let text = format!(
            "{what} is left out: say it with `only` in the image, or `requires-config` in the module"
        );
        self.image.notes.push(format!("{}:{line}: {text}", self.file));
        self.draft.warn(self.file, line, &text);
    }
}

/// The architectures that an expression matches; `None` where there are none.
fn architectures(expression: &str) -> Option<Vec<String>> {
    let expression = regex::Regex::new(expression).ok()?;
    let names = Arch::ALL.iter().map(|arch| arch.name()).filter(|name| expression.is_match(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}
