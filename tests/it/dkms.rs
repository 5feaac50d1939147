//! `drvc init` against dkms itself: each dkms.conf of `tests/data/dkms` beside what dkms reads of it.
//!
//! `tests/e2e/dkms-reads.sh` has dkms write the records. What differs must have a warning that names the line.

use crate::repository;
use drvc::import::Draft;
use drvc::import::dkms::{ARCH, KERNEL, Reading, import, read};
use drvc::import::draft::Build;
use drvc::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What dkms has read of a file for one kernel and architecture: a value for each key, or several.
type Record = BTreeMap<String, Vec<String>>;

const CONFIG: [&str; 2] = ["CONFIG_CC_IS_GCC", "CONFIG_QQ"];

fn records(text: &str) -> BTreeMap<(String, String), Record> {
    let mut all: BTreeMap<_, Record> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap().to_owned();
        let (place, rest) = ((word(), word()), word());
        let (key, value) = rest.split_once('=').unwrap();
        all.entry(place).or_default().entry(key.to_owned()).or_default().push(value.trim_end().to_owned());
    }
    all
}

/// A text of a reading as it is for a kernel.
fn filled(text: &str, name: &str, kernel: &str, arch: &str) -> String {
    let marks = [
        (KERNEL, kernel),
        (ARCH, arch),
        ("\u{e001}", &format!("/lib/modules/{kernel}/build")),
        ("\u{e002}", "/var/lib/dkms"),
        ("\u{e005}", name),
        ("\u{e006}", "1.2"),
        ("\u{e007}", "2"),
    ];
    let text = marks.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
    text.trim_end().to_owned()
}

/// The command that dkms runs, of what was read; `None` where it is not known.
fn command(reading: &Reading, name: &str, kernel: &str, arch: &str) -> Option<String> {
    let matching = |index: usize| -> Option<String> {
        reading.get("MAKE_MATCH", index).map_or(Some(String::new()), |value| value.text.clone())
    };
    let mut command = String::new();
    for (index, make) in reading.elements("MAKE") {
        let expression = matching(index)?;
        let plain = index == 0 && expression.is_empty();
        if plain || (!expression.is_empty() && regex::Regex::new(&expression).unwrap().is_match(kernel)) {
            command = filled(make.text.as_deref()?, name, kernel, arch);
        }
    }
    if command.is_empty() {
        command = format!("make -C /lib/modules/{kernel}/build M=/var/lib/dkms/{name}/1.2/build");
    }
    Some(match command.strip_prefix("make") {
        Some(rest) => format!("make KERNELRELEASE={kernel}{rest}"),
        None => command,
    })
}

/// Whether a value of `kernel=` or `arch=` selects a text.
fn selects(selector: &str, text: &str) -> bool {
    let number = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit()).take(2).map_while(|part| part.parse().ok()).collect()
    };
    let bound = |part: &str| match part.trim() {
        part if part.starts_with(">=") => number(text) >= number(&part[2..]),
        part => number(text) < number(part.trim_start_matches('<')),
    };
    if selector.starts_with(['<', '>']) {
        return selector.split(',').all(bound);
    }
    globset::Glob::new(selector).unwrap().compile_matcher().is_match(text)
}

struct Case<'a> {
    name: &'a str,
    draft: &'a Draft,
    readings: &'a [Reading],
    kernel: &'a str,
    arch: &'a str,
}

impl Case<'_> {
    /// Whether a warning names a line of the file and this.
    fn warned(&self, about: &str) -> bool {
        let named = |warning: &String| warning.contains(about) && warning.starts_with("dkms.conf:");
        self.draft.warnings.iter().any(named)
    }

    fn differences(&self, record: &Record) -> Vec<String> {
        let mut wrong = Vec::new();
        let of = |key: &str| record.get(key).cloned().unwrap_or_default();
        let excluded = record.contains_key("excluded");
        if self.excluded() != excluded && !self.warned("is left out: say it with `only`") {
            wrong.push(format!("excluded: {excluded}"));
        }
        if excluded {
            return wrong;
        }
        let outputs = &self.draft.modules[0].outputs;
        let modules: BTreeSet<String> = of("module").into_iter().map(|name| format!("{name}.ko")).collect();
        let built = |file: &str| modules.iter().any(|module| selects(file, module));
        for output in outputs.iter().filter(|output| output.when.is_empty() && !built(&output.file)) {
            wrong.push(format!("{} is required, and dkms has {modules:?}", output.file));
        }
        for module in modules.iter().filter(|module| !outputs.iter().any(|one| selects(&one.file, module))) {
            if !self.warned("BUILT_MODULE_NAME") {
                wrong.push(format!("{module} is lost"));
            }
        }
        let known = self.readings.iter().map(|one| command(one, self.name, self.kernel, self.arch));
        let make = of("make").concat();
        if !known.flatten().any(|command| command == make) && !self.warned("MAKE[") {
            wrong.push(format!("dkms runs {make}"));
        }
        self.build(&make, &mut wrong);
        let patches = &self.draft.sources[0].patches;
        let patches: Vec<String> = patches
            .iter()
            .filter(|(_, kernels)| kernels.is_empty() || kernels.iter().any(|one| selects(one, self.kernel)))
            .map(|(file, _)| file.trim_start_matches("patches/").to_owned())
            .collect();
        if patches != of("patch") && !self.warned("PATCH[") {
            wrong.push(format!("patches: {patches:?}, and dkms has {:?}", of("patch")));
        }
        wrong
    }

    /// What the manifest runs.
    fn build(&self, make: &str, wrong: &mut Vec<String>) {
        let module = &self.draft.modules[0];
        let own =
            module.builds.iter().rfind(|(kernel, _)| selects(kernel, self.kernel)).map(|(_, build)| build);
        match own.unwrap_or(&module.build) {
            Build::Make { targets, variables } => {
                let variables = variables.iter().map(|(name, value)| format!("{name}={value}"));
                let words = targets.iter().cloned().chain(variables).map(|word| {
                    let word = word.replace("{kernel}", self.kernel).replace("{arch}", self.arch);
                    word.replace("{kernel_dir}", &format!("/lib/modules/{}/build", self.kernel))
                });
                let words: BTreeSet<String> = words.collect();
                let theirs =
                    make.replace(['\'', '"'], "").replace(&format!("-C /usr/src/{}-1.2", self.name), "");
                let theirs: BTreeSet<String> = theirs
                    .split_whitespace()
                    .skip_while(|word| *word != "make")
                    .skip(1)
                    .filter(|word| !word.starts_with("-j"))
                    .map(str::to_owned)
                    .collect();
                if words != theirs && !self.warned("is left out") {
                    wrong.push(format!("make {words:?}, and dkms has {theirs:?}"));
                }
            }
            Build::Kbuild if !make.contains(" -C /lib/modules/") => {
                wrong.push(format!("kbuild, and dkms runs {make}"));
            }
            Build::Steps(steps) if !format!("{steps:?}").contains(". ./dkms.conf") => {
                let told = format!("{steps:?}").contains("KERNELRELEASE={kernel}");
                if told != make.contains("KERNELRELEASE=") && !make.contains(" -C ") {
                    wrong.push(format!("{steps:?}, and dkms runs {make}"));
                }
            }
            Build::Kbuild | Build::Steps(_) => {}
        }
    }

    /// Whether the manifest has nothing for this kernel.
    fn excluded(&self) -> bool {
        let outside = |property: &&str, value: &str| match *property {
            "kernel" => !selects(value, self.kernel),
            _ => !selects(value, self.arch),
        };
        let only = &self.draft.images[0].only;
        let set =
            |name: &str| CONFIG.contains(&name) && (name != "CONFIG_QQ" || self.kernel.starts_with("6.12."));
        let missing = |option: &String| match option.strip_prefix('!') {
            Some(name) => set(name),
            None => !set(option),
        };
        only.iter().flatten().any(|(property, value)| outside(property, value))
            || self.draft.modules[0].requires_config.iter().any(missing)
    }
}

#[test]
fn every_dkms_conf_is_read_as_dkms_reads_it() {
    let mut wrong = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(repository("tests/data/dkms")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".conf") else { continue };
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        let draft = import(&text, "dkms.conf", &RelPath::root(), name, &|_| false).unwrap();
        let (readings, _) = read(&text).unwrap();
        let records = records(&fs::read_to_string(path.with_extension("dkms")).unwrap());
        assert_eq!(records.len(), 4, "{name}");
        for ((kernel, arch), record) in records {
            let case = Case { name, draft: &draft, readings: &readings, kernel: &kernel, arch: &arch };
            wrong.extend(
                case.differences(&record).into_iter().map(|one| format!("{name} {kernel} {arch}: {one}")),
            );
        }
    }
    assert!(files >= 60, "{files}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
